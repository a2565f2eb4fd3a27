"""A column while it is read: block after block, numbers kept as float32, texts as numbers of a vocabulary."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kerasrun.tables import dates

if TYPE_CHECKING:
    import pandas as pd

TYPOS = 5  # so many different texts, or a tenth of the cells, make no column of texts out of one of numbers
_SWAPPED = str.maketrans(",.", ".,")
_POINTED = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+(,\d+)?|\d+\.\d+)")  # no number where commas are decimal, but meant so
_FREE_TEXTS = 50_000  # different texts, more than half of the cells: no vocabulary is kept of such a column


@dataclass
class RawColumn:
    """One column as it was read.

    Args:
        name: of the column.
        form: "numbers", "texts", "dates", "free" (another text in most rows; none is kept) or "mixed" (read it again).
        cells: float32 or float64 (rows,) numbers or days, NaN where empty; or int32 (rows,) positions in `texts`, -1
            where empty; without rows where nothing is kept.
        texts: the different texts in the order of their first row; of "free" ones the first thousand.
        date: the format of the dates.
        spoilt: row (from 1) and text of the first cell that is no number, and how many there are, where others are;
            or of the first that is no date, where the form is "dates".
        typos: those cells are so few, or so alike, that the column is one of numbers, and nobody said that it is not.
        before: rows of the file before the first of these cells, where they are one block of several.
    """

    name: str
    form: str
    cells: np.ndarray
    texts: Sequence[str] = ()
    date: str = ""
    spoilt: tuple[int, str, int] | None = None
    typos: bool = False
    before: int = 0

    @property
    def empty(self) -> np.ndarray:
        """Which cells are empty, bool (rows,)."""
        return self.cells < 0 if self.form == "texts" else np.isnan(self.cells)


@dataclass
class Growing:
    """A column while block after block is added to it.

    Args:
        name: of the column.
        decimal: "." or ",".
        as_text: it is read as text whatever it holds.
        exact: it is kept in float64, or with all its texts.
    """

    name: str
    decimal: str
    as_text: bool = False
    exact: bool = False
    kept: list[np.ndarray] = field(default_factory=list)
    form: str = ""  # what is kept: "numbers", "texts" (codes), "dates" (days), or nothing: "mixed", "free"
    known: dict[str, int] = field(default_factory=dict)  # text -> its code
    typed: int = 0  # cells that are numbers
    texts: int = 0  # cells that are texts
    others: set[str] = field(default_factory=set)  # some of the texts that are no numbers
    first: tuple[int, str] | None = None  # row (from 1) and text of the first of them
    date: str = ""  # format of dates

    def add(self, cells: pd.Series, before: int) -> None:
        """Add a block's cells; `before` rows came before."""
        kind = getattr(cells.dtype, "kind", "")
        if kind == "M":
            self.form, self.date = "dates", dates.TYPED
            self.kept.append(dates.days(cells))
        elif kind in "iuf" and self.form not in ("dates", "free"):
            self._add_numbers(cells.to_numpy(np.float64, na_value=np.nan))
        else:
            self._add_texts(cells, before)

    def _add_numbers(self, values: np.ndarray) -> None:
        if not self.exact:
            values = values.astype(np.float32)
        typed = int(np.count_nonzero(values == values))
        self.typed += typed
        if self.form == "texts" and not typed:  # a block of empty cells
            self.kept.append(np.full(len(values), -1, np.int32))
        elif self.form in ("", "numbers"):
            self.form = "numbers"
            self.kept.append(values)
        else:
            self.form, self.kept = "mixed", []

    def _add_texts(self, cells: pd.Series, before: int) -> None:
        """Add cells that are texts, some or all of them perhaps numbers."""
        import pandas as pd

        places, found = pd.factorize(cells)
        codes, stripped = pd.factorize(np.array([str(text).strip() or None for text in found], dtype=object))
        codes, different = np.append(codes, -1)[places], [*stripped]  # a text of blanks is an empty cell
        if self.form == "dates":
            self.kept.append(self._days(codes, different, before))
            return
        numbers = self._numbers(different)
        is_number = np.isfinite(numbers)
        if is_number.all() and self.form in ("", "numbers") and not self.as_text:
            self._add_numbers(np.append(numbers, np.nan)[codes])
            return
        self._count(codes, different, is_number, before)
        if self.form == "numbers" and not self.typed:
            self.form, self.kept = "texts", [np.full(before, -1, np.int32)]
        if self.form not in ("", "texts"):
            self.form, self.kept = ("free" if self.form == "free" else "mixed"), []
            return
        self.form = "texts"
        numbered = np.fromiter((self.known.setdefault(t, len(self.known)) for t in different), np.int32, len(different))
        self.kept.append(np.append(numbered, np.int32(-1))[codes])
        many = len(self.known) > max(_FREE_TEXTS, (self.typed + self.texts) / 2)
        if many and not self.exact:
            self._let_go()

    def _count(self, codes: np.ndarray, different: list[str], is_number: np.ndarray, before: int) -> None:
        """Count the cells that are numbers and those that are not."""
        cells = np.bincount(codes[codes >= 0], minlength=len(different))
        self.typed += int(cells[is_number].sum())
        self.texts += int(cells[~is_number].sum())
        if not is_number.all():
            row = int(np.argmax(np.isin(codes, np.flatnonzero(~is_number))))
            self.first = self.first or (before + row + 1, different[codes[row]])
            self.others.update(different[i] for i in np.flatnonzero(~is_number)[: TYPOS + 1])

    def _numbers(self, texts: Sequence[str]) -> np.ndarray:
        """Return texts as numbers, float64; NaN for those that are none."""
        import pandas as pd

        point = [text.translate(_SWAPPED) for text in texts] if self.decimal == "," else texts
        return pd.to_numeric(pd.Series(point, dtype=object), errors="coerce").to_numpy(np.float64)

    def _let_go(self) -> None:
        """Go on with days where the texts are dates; keep nothing of texts that are all different."""
        texts, self.known = [*self.known], {}
        self.date = dates.recognized(texts)
        if not self.date:
            self.form, self.kept, self.known = "free", [], dict.fromkeys(texts[:1000], 0)
            return
        self.form, self.typed, self.texts, self.first = "dates", 0, 0, None
        self.kept = [self._days(np.concatenate(self.kept), texts, 0)]

    def _days(self, codes: np.ndarray, different: list[str], before: int) -> np.ndarray:
        """Return cells as days, float64 (n,); count those that are no dates."""
        days = np.append(dates.parsed(different, self.date), 0.0)
        wrong = np.isnan(days)[codes]
        if wrong.any():
            row = int(np.argmax(wrong))
            self.first = self.first or (before + row + 1, different[codes[row]])
            self.texts += int(wrong.sum())
        return np.where(codes < 0, np.nan, days[codes])

    def finish(self) -> RawColumn:
        """Return the whole column."""
        few = self.typed >= self.texts and (len(self.others) <= TYPOS or self.texts <= self.typed / 10)
        pointed = self.decimal == "," and self.typed > 0 and all(_POINTED.fullmatch(text) for text in self.others)
        spoilt = (*self.first, self.texts) if self.first and (self.typed or self.form == "dates") else None
        typos = not self.as_text and self.texts > 0 and (few or pointed)
        cells = np.concatenate(self.kept) if self.kept else np.zeros(0, np.float32)
        self.kept = []  # or every column would be there twice
        return RawColumn(self.name, self.form or "numbers", cells, [*self.known], self.date, spoilt, typos)
