"""From a file to columns: parsed in blocks, numbers kept as float32, texts as numbers of a vocabulary.

Memory: 4 bytes a cell, the different texts of each column, and one block with what pandas makes of it (about 0.3 GB).
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasrun import environment
from kerasrun.errors import InputError
from kerasrun.tables import dates
from kerasrun.tables.dialect import WESTERN, Dialect, WrongEncoding, blocks, detect

if TYPE_CHECKING:
    import pandas as pd
    from pyarrow.parquet import ParquetFile

TYPOS = 5  # so many different texts, or a tenth of the cells, make no column of texts out of one of numbers
_FREE_TEXTS = 50_000  # different texts, more than half of the cells: no vocabulary is kept of such a column


@dataclass
class RawColumn:
    """One column as it was read.

    Args:
        name: of the column.
        form: "numbers", "texts", "dates", "free" (another text in most rows; none is kept) or "mixed" (read it again).
        cells: float32 or float64 (rows,) numbers or days, NaN where empty; or int32 (rows,) positions in `texts`, -1
            where empty; without rows where nothing is kept.
        texts: the different texts in the order of their first row.
        date: the format of the dates.
        spoilt: row (from 1) and text of the first cell that is no number, and how many there are, where others are.
        typos: those cells are so few, or so alike, that the column is one of numbers.
    """

    name: str
    form: str
    cells: np.ndarray
    texts: Sequence[str] = ()
    date: str = ""
    spoilt: tuple[int, str, int] | None = None
    typos: bool = False

    @property
    def empty(self) -> np.ndarray:
        """Which cells are empty, bool (rows,)."""
        return self.cells < 0 if self.form == "texts" else np.isnan(self.cells)


@dataclass(frozen=True)
class Raw:
    """A file as it was read.

    Args:
        columns: by name, in the file's order.
        rows: their number.
        says: one line on how the file is written.
        sha256: of its text.
    """

    columns: Mapping[str, RawColumn]
    rows: int
    says: str
    sha256: str


@dataclass(frozen=True)
class Wanted:
    """How a file is to be read.

    Args:
        header: whether the first line holds names; None to find out. `separator` and `encoding` likewise.
        na: words for an empty cell besides pandas's own; "column=word" for one column.
        texts: columns that are read as text whatever they hold.
        exact: columns that are kept in float64, or with all their texts.
        skipped: columns that are not read.
    """

    header: bool | None = None
    separator: str | None = None
    encoding: str | None = None
    na: tuple[str, ...] = ()
    texts: frozenset[str] = frozenset()
    exact: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()


def names(path: Path, wanted: Wanted) -> tuple[str, ...]:
    """Return the names of a file's columns.

    Raises:
        InputError: the file cannot be read, or is no table.
    """
    if _is_parquet(path):
        with _opened(path) as file:
            return tuple(file.schema_arrow.names)
    return detect(path, header=wanted.header, separator=wanted.separator, encoding=wanted.encoding).names


def read(path: Path, wanted: Wanted) -> Raw:
    """Return the columns of a file: CSV and its kin, packed or not, or Parquet.

    Raises:
        InputError: the file cannot be read, or is no regular table.
    """
    raw = _read(path, wanted)
    mixed = {name for name, column in raw.columns.items() if column.form == "mixed" and not column.typos}
    if mixed:  # numbers in one block, texts in another: once more, as texts
        raw = _read(path, replace(wanted, texts=wanted.texts | mixed))
    return raw


def _read(path: Path, wanted: Wanted) -> Raw:
    if _is_parquet(path):
        return _parquet(path, wanted)
    dialect = detect(path, header=wanted.header, separator=wanted.separator, encoding=wanted.encoding)
    try:
        return _text(path, wanted, dialect)
    except WrongEncoding:
        if wanted.encoding or dialect.encoding != "utf-8":
            raise
        return _text(path, wanted, replace(dialect, encoding=WESTERN, guessed=True))


def _text(path: Path, wanted: Wanted, dialect: Dialect) -> Raw:
    import pandas as pd

    digest = hashlib.sha256()
    words, by_column = _na(wanted.na, dialect.names)
    used = {i: name for i, name in enumerate(dialect.names) if name not in wanted.skipped}
    absent: dict[Any, list[str]] = {i: [*words, *by_column.get(name, ())] for i, name in used.items()}
    as_text: dict[Any, type] = {i: str for i, name in used.items() if name in wanted.texts}

    def frames() -> Iterator[pd.DataFrame]:
        for block, line in blocks(path, dialect, digest):
            try:
                yield pd.read_csv(
                    io.BytesIO(block), sep=dialect.separator, decimal=dialect.decimal, header=None,
                    names=range(len(dialect.names)), usecols=[*used], index_col=False, skipinitialspace=True,
                    low_memory=False, na_values=absent, dtype=as_text,
                )  # fmt: skip
            except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
                raise InputError(f"{path}: cannot be parsed from line {line} on: {str(error).strip()}") from None

    columns, rows = _gather(path, frames(), dialect.names, wanted, dialect.decimal)
    return Raw(columns, rows, f"{path.name}: {rows:,} rows × {len(columns)} columns, {dialect}", digest.hexdigest())


def _parquet(path: Path, wanted: Wanted) -> Raw:
    with _opened(path) as file:
        names = tuple(file.schema_arrow.names)
        words, by_column = _na(wanted.na, names)
        absent = {i: dict.fromkeys([*words, *by_column.get(name, ())]) for i, name in enumerate(names)}

        def frames() -> Iterator[pd.DataFrame]:
            for batch in file.iter_batches(200_000):
                frame = batch.to_pandas().set_axis(range(len(names)), axis=1)
                yield frame.replace({i: nothing for i, nothing in absent.items() if nothing})

        columns, rows = _gather(path, frames(), names, wanted, ".")
    with path.open("rb") as whole:
        digest = hashlib.file_digest(whole, "sha256").hexdigest()
    return Raw(columns, rows, f"{path.name}: {rows:,} rows × {len(names)} columns, Parquet", digest)


def _is_parquet(path: Path) -> bool:
    return path.name.lower().endswith((".parquet", ".pq"))


@contextmanager
def _opened(path: Path) -> Iterator[ParquetFile]:
    """Open a Parquet file; name what is wrong with it."""
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise InputError(f"{path}: Parquet needs pyarrow\npip install 'kerasrun[parquet]'") from None
    try:
        with ParquetFile(path) as file:
            yield file
    except (OSError, ArrowException) as error:
        raise InputError(f"{path}: no Parquet file that can be read: {str(error).splitlines()[0][:120]}") from None


def _na(words: Sequence[str], names: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the words for an empty cell of every column, and those of single columns."""
    everywhere: list[str] = []
    by_column: dict[str, list[str]] = {}
    for word in words:
        column, equals, inside = word.partition("=")
        if equals and column in names:
            by_column.setdefault(column, []).append(inside)
        else:
            everywhere.append(word)
    return everywhere, by_column


def _gather(
    path: Path, frames: Iterator[pd.DataFrame], names: Sequence[str], wanted: Wanted, decimal: str
) -> tuple[dict[str, RawColumn], int]:
    growing = {i: _Growing(name, decimal, wanted) for i, name in enumerate(names) if name not in wanted.skipped}
    rows, largest = 0, environment.memory() // 2
    for frame in frames:
        for position, column in growing.items():
            column.add(frame[position], rows)
        rows += len(frame)
        if 4 * rows * len(names) > largest:
            raise InputError(f"{path}: more than {rows:,} rows × {len(names)} columns fill half of the memory")
    return {column.name: column.finish() for column in growing.values()}, rows


@dataclass
class _Growing:
    """A column while block after block is added to it.

    Args:
        name: of the column.
        decimal: "." or ",".
        wanted: how the file is to be read.
    """

    name: str
    decimal: str
    wanted: Wanted
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
        if self.name not in self.wanted.exact:
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
        """Add cells that are texts, some of them perhaps numbers."""
        import pandas as pd

        codes, found = pd.factorize(cells)
        different = [str(text).strip() for text in found]
        if self.form == "dates":
            self.kept.append(dates.parsed(different, self.date)[codes])
            return
        self._count(codes, different, before)
        if self.form == "numbers" and not self.typed:
            self.form, self.kept = "texts", [np.full(before, -1, np.int32)]
        if self.form not in ("", "texts"):
            self.form, self.kept = ("free" if self.form == "free" else "mixed"), []
            return
        self.form = "texts"
        numbered = np.fromiter((self.known.setdefault(t, len(self.known)) for t in different), np.int32, len(different))
        self.kept.append(np.append(numbered, np.int32(-1))[codes])
        many = len(self.known) > max(_FREE_TEXTS, (self.typed + self.texts) / 2)
        if many and self.name not in self.wanted.exact:
            self._let_go()

    def _count(self, codes: np.ndarray, different: list[str], before: int) -> None:
        """Count the cells that are numbers and those that are not."""
        is_number = np.isfinite(self._numbers(different))
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

        point = [text.replace(",", ".") for text in texts] if self.decimal == "," else texts
        return pd.to_numeric(pd.Series(point, dtype=object), errors="coerce").to_numpy(np.float64)

    def _let_go(self) -> None:
        """Go on with days where the texts are dates; keep nothing of texts that are all different."""
        texts, self.known = [*self.known], {}
        self.date = dates.recognized(texts[:1000])
        if not self.date:
            self.form, self.kept = "free", []
            return
        days = np.append(dates.parsed(texts, self.date), np.nan)
        self.form, self.kept = "dates", [days[codes] for codes in self.kept]

    def finish(self) -> RawColumn:
        """Return the whole column; texts that are all numbers become numbers, unless they are wanted as texts."""
        if self.form == "texts" and self.name not in self.wanted.texts and not self.texts:
            known = np.append(self._numbers([*self.known]), np.nan)
            self.form, self.kept = "numbers", [known[codes] for codes in self.kept]
        mostly = self.typed >= self.texts > 0 and (len(self.others) <= TYPOS or self.texts <= self.typed / 10)
        spoilt = (*self.first, self.texts) if self.first and self.typed else None
        cells = np.concatenate(self.kept) if self.kept else np.zeros(0, np.float32)
        return RawColumn(self.name, self.form or "numbers", cells, [*self.known], self.date, spoilt, mostly)
