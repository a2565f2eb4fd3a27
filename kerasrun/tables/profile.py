"""What to know of a table before training: kinds, ranges, empty cells, repeated rows, what gives the target away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasrun.errors import InputError, shown
from kerasrun.tables import asked, dates, kinds, reader, targets
from kerasrun.tables.asked import Options, number
from kerasrun.tables.growing import RawColumn
from kerasrun.tables.kinds import Column

HEAD = ("column", "kind", "empty", "different", "values")
_BINS = 100  # of numbers, when asked what they say of the target
_LEAST = 10  # rows of a bin
_TELLS = 0.98  # share of the errors of guessing, or of the variance, that a column alone removes when it is suspect
_FREQUENT = 3
_REPEATED = 3


@dataclass(frozen=True)
class Profile:
    """What is known of a table.

    Args:
        says: how the file is written, in a line.
        rows: one for each column, as in HEAD.
        remarks: lines on the target, repeated rows, and what is suspect.
    """

    says: str
    rows: list[tuple[str, str, int | None, int | None, str]]
    remarks: list[str]


def profile(path: Path, options: Options) -> Profile:
    """Return what is known of a table.

    Args:
        path: of the file.
        options: how it is read; the target may be None.

    Raises:
        InputError: the file is no table, or a column that an option names is not there.
    """
    names = reader.names(path, asked.wanted(options, ()))
    options = asked.spelled(path, names, options, needs_target=False)
    raw = reader.read(path, asked.wanted(options, names))
    given = dict(pair.rpartition("=")[::2] for pair in options["kinds"])
    rows = []
    remarks: list[str] = []
    cells: dict[str, np.ndarray] = {}
    for name, column in raw.columns.items():
        kind = _kind(path, column, given.get(name), remarks)
        rows.append(_row(column, kind))
        if isinstance(kind, Column):
            cells[name] = kinds.values(path, column, kind)
            remarks += _stand_ins(name, kind, cells[name])
            if rows[-1][3] == 1 and not column.empty.any():
                remarks.append(f"{name} is the same in every row: it says nothing")
    if not any(column.form == "free" for column in raw.columns.values()):
        texts = {name: column.cells for name, column in raw.columns.items() if column.form == "texts"}
        remarks += _repeated({**cells, **texts}, options["target"])
    if options["target"]:
        target = targets.target(path, raw.columns[options["target"]], options["task"])
        remarks.insert(0, target.note)
        remarks += _suspects({name: column for name, column in cells.items() if name != options["target"]}, target)
    return Profile(raw.says, rows, remarks)


def _kind(path: Path, column: RawColumn, wanted: str | None, remarks: list[str]) -> Column | str:
    """Return what a column is; a cell that no training would take is a remark here."""
    try:
        return kinds.column(path, column, wanted)
    except InputError as error:
        remarks.append(str(error).removeprefix(f"{path}: ").replace("\n", "; "))
        return "numbers and texts"


def _row(column: RawColumn, kind: Column | str) -> tuple[str, str, int | None, int | None, str]:
    if column.form in ("free", "mixed"):  # none of its cells are kept
        return column.name, "left out", None, None, str(kind)
    empty = int(column.empty.sum())
    cells = column.cells[~column.empty]
    different = len(np.unique(cells))
    if isinstance(kind, str):
        return column.name, "left out", empty, different, kind
    if kind.kind == "category":
        counts = np.bincount(cells, minlength=len(column.texts))
        order = np.argsort(-counts, kind="stable")[:_FREQUENT]
        values = ", ".join(f"{shown(column.texts[code])[:30]} {counts[code]:,}" for code in order)
        return column.name, kind.kind, empty, different, values + (" …" if different > _FREQUENT else "")
    if kind.kind == "date":
        days = cells if column.form == "dates" else dates.parsed(column.texts, kind.date)
        first, last = (np.datetime64(int(day), "D") for day in (days.min(), days.max()))
        return column.name, kind.kind, empty, different, f"{first} to {last}"
    values = f"{number(cells.min())} to {number(cells.max())}, mean {number(cells.mean(dtype=np.float64))}"
    return column.name, kind.kind, empty, different, values


def _stand_ins(name: str, kind: Column, cells: np.ndarray) -> list[str]:
    """Return a line on a 0, -1 or 999 that may stand for an empty cell: repeated, and far below or above the others."""
    different, counts = np.unique(cells[~np.isnan(cells)], return_counts=True)
    lines = []
    for end, next_to_it in ((0, 1), (-1, -2)) if kind.kind == "number" and len(different) > kinds.FEW else ():
        value = f"{different[end]:g}"
        far = np.nanstd(cells[cells != different[end]]) / 2
        apart = abs(different[end] - different[next_to_it]) > far
        if apart and counts[end] >= _REPEATED and re.fullmatch("0|-1|-?9+", value):
            lines.append(
                f"{name} is {value} in {counts[end]} rows, far from all others; an empty cell? --na {name}={value}"
            )
    return lines


def _repeated(cells: dict[str, np.ndarray], target: str | None) -> list[str]:
    """Return lines on rows that are equal in every column but ids, and on equal inputs with different targets."""
    import pandas as pd

    frame = pd.DataFrame(cells)
    repeated = int(frame.duplicated().sum())
    lines = [f"{repeated:,} rows repeat an earlier one in every column; split apart, they leak"] * (repeated > 0)
    if target in cells and len(cells) > 1:
        contradicting = int(frame.drop(columns=target).duplicated().sum()) - repeated
        if contradicting:
            lines.append(f"{contradicting:,} rows repeat an earlier one's inputs with another {target}")
    return lines


def _suspects(cells: dict[str, np.ndarray], target: targets.Target) -> list[str]:
    """Return lines on columns that give the target away when each is taken alone."""
    lines = []
    known = ~target.absent
    y = target.y[known].reshape(-1)
    for name, column in cells.items():
        share = _told(column[known], y, classes=bool(target.classes))
        if share >= _TELLS:
            what = "errors of guessing" if target.classes else "target's variance"
            lines.append(
                f"suspect: {name} alone removes {share:.0%} of the {what}; is it known when a prediction is made? "
                f"else --drop {asked.argument(name)}"
            )
    return lines


def _told(column: np.ndarray, y: np.ndarray, *, classes: bool) -> float:
    """Return the share of the errors, or of the variance, that is gone when the column's value is known, in [0, 1].

    Many values are cut into bins of equal size, of ten rows at least.
    """
    known = ~np.isnan(column)
    column, y = column[known], y[known]
    bins = min(_BINS, len(y) // _LEAST)
    different, group = np.unique(column, return_inverse=True)
    if len(different) > bins > 0:
        group = np.argsort(np.argsort(column, kind="stable"), kind="stable") * bins // len(column)
    groups = int(group.max(initial=0)) + 1
    if len(y) < _LEAST * groups:
        return 0.0
    if classes:
        table = np.zeros((groups, int(y.max()) + 1))
        np.add.at(table, (group, y), 1)
        errors, guessing = len(y) - table.max(axis=1).sum(), len(y) - table.sum(axis=0).max()
        if table.shape[1] == 2:
            errors = min(errors, _cut(column, y))
        return 1 - errors / guessing if guessing else 0.0
    members = np.bincount(group, minlength=groups)
    means = np.bincount(group, weights=y, minlength=groups) / np.maximum(members, 1)
    variance = float(y.var(dtype=np.float64))
    if not variance or len(different) < 2:
        return 0.0
    line = float(np.corrcoef(column, y)[0, 1]) ** 2
    return max(line, 1 - float(np.square(y - means[group], dtype=np.float64).mean()) / variance)


def _cut(column: np.ndarray, y: np.ndarray) -> int:
    """Return how many rows of two classes are on the wrong side of the best cut through a column."""
    ones = np.cumsum(y[np.argsort(column, kind="stable")])
    below = np.arange(1, len(y) + 1)
    wrong = ones + (len(y) - below) - (ones[-1] - ones)  # class 0 below the cut, 1 above
    return int(min(wrong.min(), (len(y) - wrong).min()))
