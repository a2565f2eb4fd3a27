"""What a column is: numbers, dates, categories, or nothing that a network learns from; and its cells as float32."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kerasrun.errors import InputError, shown
from kerasrun.tables import dates
from kerasrun.tables.growing import RawColumn

FEW = 20  # different texts that are categories however few the rows are
NAMED_ID = re.compile(r"(?i:id|.*[_ .-]id|index|row|uuid|guid)|.*[a-z]I[dD]|[a-z]+ID")
_SENTENCE = 5  # words of a text, in the mean, that is there to be read
_TRUTH = (("True", "TRUE", "true"), ("False", "FALSE", "false"))  # pandas reads them as one, unless asked for texts
UNKNOWN = -1.0  # a text that the table did not have when its categories were found


@dataclass(frozen=True)
class Column:
    """An input column.

    Args:
        name: of the column.
        kind: "number", "category", "date" or "text".
        texts: the categories, or the different texts; a cell is the position of its text.
        date: format of the dates; a cell is days since `origin`.
        origin: days since 1970-01-01.
    """

    name: str
    kind: str
    texts: tuple[str, ...] = ()
    date: str = ""
    origin: int = 0


def column(path: Path, raw: RawColumn, wanted: str | None = None) -> Column | str:
    """Return what a column is, or why it is left out.

    Args:
        path: of the file, for error texts.
        raw: the column.
        wanted: the kind that the user says it has.

    Raises:
        InputError: a text in a column of numbers, or in one that is said to hold numbers or dates.
    """
    if raw.form not in ("free", "mixed") and raw.empty.all():
        return "empty in every row"
    if raw.spoilt and (wanted == "number" or (wanted is None and (raw.typos or raw.form == "dates"))):
        _refuse_text(path, raw)
    if wanted in ("number", "date") and raw.form != {"number": "numbers", "date": "dates"}[wanted]:
        return _as_wanted(path, raw, wanted)
    if raw.form == "dates":
        return Column(raw.name, "date", date=raw.date, origin=math.floor(np.nanmin(raw.cells)))
    if raw.form == "numbers":
        return _is_id(raw, wanted) or Column(raw.name, "number")
    if wanted is None:
        if raw.form == "free":
            return f"another text in most rows{_to_read(raw)}"
        if found := dates.recognized(raw.texts):
            return _as_dates(path, raw, found)
        cells, different = int((~raw.empty).sum()), len(raw.texts)
        if different > max(FEW, cells / 2):
            return f"{different:,} different texts in {cells:,} cells, as '{shown(raw.texts[0])[:20]}'{_to_read(raw)}"
    return Column(raw.name, "category", texts=tuple(raw.texts))


def _to_read(raw: RawColumn) -> str:
    """Return how to have texts read word by word, or "" where they are too short to be meant so."""
    words = sum(len(text.split()) for text in raw.texts[:1000]) / min(len(raw.texts), 1000)
    return f"; --text {raw.name} reads it word by word" if words >= _SENTENCE else ""


def values(path: Path, raw: RawColumn, column: Column) -> np.ndarray:
    """Return a column's cells, float32 (rows,): numbers, days, positions among the categories; NaN where empty.

    Args:
        path: of the file, for error texts.
        raw: the column as it was read, perhaps of another file than `column` was found in.
        column: what it is; UNKNOWN stands for a category that it does not know.

    Raises:
        InputError: a cell is not of the column's kind.
    """
    check_form(path, raw, column)
    if column.kind == "text":
        return np.where(raw.empty, np.nan, raw.cells).astype(np.float32)
    if column.kind == "category":
        number = {text: float(code) for code, text in enumerate(column.texts)}
        for spellings in _TRUTH:
            if known := [number[word] for word in spellings if word in number]:
                number = dict.fromkeys(spellings, known[0]) | number
        cells = np.array([*(number.get(text, UNKNOWN) for text in raw.texts), np.nan], dtype=np.float32)
        return cells[raw.cells]
    if column.kind == "date":
        days = raw.cells if raw.form == "dates" else _days(path, raw, column.date)
        return (days - column.origin).astype(np.float32)
    return raw.cells.astype(np.float32, copy=False)


def check_form(path: Path, raw: RawColumn, column: Column) -> None:
    """Refuse numbers where categories are wanted, and texts where numbers are; of such texts no cells may be kept.

    Raises:
        InputError: names the row where there is one.
    """
    if column.kind == "category" and raw.form != "texts":
        raise InputError(f"{path}: column '{raw.name}' holds {raw.form} where texts were in training")
    if column.kind == "number" and raw.form != "numbers":
        _refuse_text(path, raw)


def _is_id(raw: RawColumn, wanted: str | None) -> str:
    """Return why a column of numbers is an id, or "" where it is none."""
    cells = raw.cells[~raw.empty]
    if wanted or len(cells) <= FEW:
        return ""
    if cells[0] in (0, 1) and (np.diff(cells) == 1).all():
        return f"counts the rows from {cells[0]:.0f}"
    named = NAMED_ID.fullmatch(raw.name) and len(np.unique(cells)) > len(cells) / 2
    return "an id by its name, another number in most rows" if named else ""


def _as_wanted(path: Path, raw: RawColumn, wanted: str) -> Column:
    """Return a column of texts or numbers as the dates, or of dates as the numbers, that the user says it holds."""
    if wanted == "date" and raw.form == "texts" and (found := dates.recognized(raw.texts)):
        return _as_dates(path, raw, found)
    held = f"texts, as '{shown(raw.texts[0])}'" if raw.texts else raw.form
    raise InputError(f"{path}: column '{raw.name}' holds {held}, no {wanted}s\nleave --kinds {raw.name}=… out")


def _as_dates(path: Path, raw: RawColumn, format: str) -> Column:
    return Column(raw.name, "date", date=format, origin=math.floor(np.nanmin(_days(path, raw, format))))


def _days(path: Path, raw: RawColumn, format: str) -> np.ndarray:
    """Return a column of texts as days since 1970-01-01, float64 (rows,)."""
    days = dates.parsed(raw.texts, format)
    if np.isnan(days).any():
        wrong = np.append(np.isnan(days), False)[raw.cells]
        row = int(np.argmax(wrong))
        spoilt = raw.before + row + 1, raw.texts[raw.cells[row]], int(wrong.sum())
        _refuse_text(path, replace(raw, form="dates", spoilt=spoilt))
    return np.append(days, np.nan)[raw.cells]


def _refuse_text(path: Path, raw: RawColumn) -> None:
    others = "dates" if raw.form == "dates" else "numbers"
    row, text, count = raw.spoilt or (raw.before + 1, raw.texts[0] if raw.texts else raw.form, 1)
    more = f" (and {count - 1:,} more cells are no {others})" if count > 1 else ""
    raise InputError(
        f"{path}: row {row} of column '{raw.name}' holds '{shown(text)}', the others {others}{more}\n"
        f"choose one: --na '{shown(text)}' (an empty cell) · --kinds '{raw.name}=category' · --drop '{raw.name}' · "
        "mend the file"
    )
