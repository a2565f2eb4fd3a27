"""What is to be predicted: from the column's cells to class numbers or numbers, and the kind of task that follows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasrun import task
from kerasrun.errors import InputError, shown
from kerasrun.tables.asked import listed, number
from kerasrun.tables.growing import RawColumn
from kerasrun.tables.kinds import FEW
from kerasrun.task import Task

_MOST_CLASSES = 1000
_SHOWN = 6


@dataclass(frozen=True)
class Target:
    """The target of a table.

    Args:
        kind: "binary", "multiclass" or "regression".
        classes: names in the order of their numbers; empty for regression.
        y: int32 (rows,) class numbers, or float32 (rows, 1) numbers; anything where `absent`.
        absent: bool (rows,), whether the cell is empty.
        note: what it was taken for, in a line.
    """

    kind: str
    classes: tuple[str, ...]
    y: np.ndarray
    absent: np.ndarray
    note: str

    def task(self, name: str, width: int) -> Task:
        """Return the task of a table with this target, whose rows become `width` numbers."""
        if self.kind == "regression":
            return task.regression(name, (width,))
        if self.kind == "binary":
            return task.binary(name, (width,), class_names=self.classes)
        return task.multiclass(name, (width,), len(self.classes), class_names=self.classes)


def target(path: Path, raw: RawColumn, wanted: str | None) -> Target:
    """Return a column as the target.

    Two different cells make a binary task; texts, and up to 20 different whole numbers, classes; all else a regression.

    Args:
        path: of the file, for error texts.
        raw: the column, in float64 or with all its texts.
        wanted: the kind that the user says the task has.

    Raises:
        InputError: cells that fit no task, or not the one that is wanted.
    """
    absent = raw.empty
    if absent.all():
        raise InputError(f"{path}: the target '{raw.name}' is empty in every row")
    if raw.spoilt and raw.typos:
        row, text, _ = raw.spoilt
        raise InputError(
            f"{path}: row {row} of the target '{raw.name}' holds '{shown(text)}', the others numbers\n"
            f"choose one: --na '{shown(text)}' · --kinds '{raw.name}=category' (classes) · mend the file"
        )
    if raw.form == "dates":
        raise InputError(f"{path}: the target '{raw.name}' holds dates; a task predicts numbers or classes")
    if raw.form == "numbers" and (wanted or _kind(raw.cells[~absent])) == "regression":
        return _numbers(path, raw)
    if wanted == "regression":
        raise InputError(f"{path}: the target '{raw.name}' holds texts, as '{shown(raw.texts[0])}', no numbers")
    return _classes(path, raw, absent, wanted)


def known(path: Path, raw: RawColumn, like: Target) -> Target:
    """Return the target of another file by the classes of the first.

    Raises:
        InputError: a cell is none of the classes, or no number.
    """
    absent = raw.empty
    if like.kind == "regression":
        if raw.form != "numbers":
            row, text, _ = raw.spoilt or (raw.before + 1, raw.texts[0] if raw.texts else raw.form, 1)
            raise InputError(f"{path}: row {row} of the target '{raw.name}' holds '{shown(text)}', no number")
        _refuse_infinite(path, raw)
        return Target("regression", (), raw.cells.astype(np.float32).reshape(-1, 1), absent, "")
    names, codes = _named(raw)
    number = {name: code for code, name in enumerate(like.classes)}
    for name in names:
        if name not in number:
            row = raw.before + int(np.argmax((codes == names.index(name)) & ~absent)) + 1
            raise InputError(
                f"{path}: row {row} of the target '{raw.name}' holds '{shown(name)}', which training does not know\n"
                f"its classes: {listed(like.classes, _SHOWN)}"
            )
    y = np.array([*(number[name] for name in names), 0], dtype=np.int32)[codes]
    return Target(like.kind, like.classes, y, absent, "")


def counted(classes: tuple[str, ...], codes: np.ndarray) -> str:
    """Return the classes with their numbers of examples, in a row."""
    counts = np.bincount(codes, minlength=len(classes))
    return listed([f"{shown(name)} ({count:,})" for name, count in zip(classes, counts, strict=True)], _SHOWN)


def _kind(cells: np.ndarray) -> str:
    """Return the kind of task that numbers make."""
    different = np.unique(cells)
    whole = bool((different == np.floor(different)).all())
    return "classes" if len(different) <= 2 or (whole and len(different) <= min(FEW, len(cells) // 2)) else "regression"


def _numbers(path: Path, raw: RawColumn) -> Target:
    name, cells = raw.name, raw.cells[~raw.empty]
    _refuse_infinite(path, raw)
    if cells.min() == cells.max():
        raise InputError(f"{path}: the target '{name}' is {cells[0]:g} in every row; there is nothing to predict")
    note = f"target {name}: regression, {number(cells.min())} to {number(cells.max())}, mean {number(cells.mean())}"
    return Target("regression", (), raw.cells.astype(np.float32).reshape(-1, 1), raw.empty, note)


def _refuse_infinite(path: Path, raw: RawColumn) -> None:
    if (infinite := np.isinf(raw.cells)).any():
        row = raw.before + int(np.argmax(infinite)) + 1
        raise InputError(
            f"{path}: row {row} of the target '{raw.name}' is infinite\nmend it, or --na inf --missing drop"
        )


def _classes(path: Path, raw: RawColumn, absent: np.ndarray, wanted: str | None) -> Target:
    names, codes = _named(raw)
    fractions = ~absent & (raw.cells % 1 != 0)
    if fractions.any() and len(names) > 2:
        row = int(np.argmax(fractions))
        raise InputError(
            f"{path}: row {row + 1} of the target '{raw.name}' holds {raw.cells[row]:g}, no class\n"
            "classes are whole numbers or texts; to predict the number itself: --task regression"
        )
    if len(names) > min(_MOST_CLASSES, max(FEW, len(codes) // 2)):
        raise InputError(
            f"{path}: the target '{raw.name}' has {len(names):,} different values in {len(codes):,} rows: no classes\n"
            + ("for the number itself: --task regression" if raw.form == "numbers" else "name another --target")
        )
    if wanted == "binary" and len(names) > 2:
        raise InputError(
            f"{path}: the target '{raw.name}' has {len(names)} classes, {listed(names)}; a binary task has two\n"
            "leave --task out, or choose --task multiclass"
        )
    if len(names) == 1:
        raise InputError(
            f"{path}: the target '{raw.name}' is '{shown(names[0])}' in every row: any accuracy would be meaningless"
        )
    kind = wanted or ("binary" if len(names) == 2 else "multiclass")
    found = counted(names, codes[~absent])
    as_numbers = "" if raw.form == "texts" or kind == "binary" else "; --task regression predicts the number"
    return Target(kind, names, codes, absent, f"target {raw.name}: {kind}, {len(names)} classes: {found}{as_numbers}")


def _named(raw: RawColumn) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the classes in order, numbers by size, texts by alphabet, and each row's class, int32 (rows,)."""
    if raw.form == "numbers":
        different, codes = np.unique(raw.cells, return_inverse=True)  # NaN comes last
        names = (f"{value:g}" if value % 1 else str(int(value)) for value in different[~np.isnan(different)])
        return tuple(names), codes.astype(np.int32)
    order = np.argsort(np.array(raw.texts, dtype=object), kind="stable")
    place = np.empty(len(order) + 1, np.int32)
    place[order], place[-1] = np.arange(len(order)), 0
    return tuple(raw.texts[code] for code in order), place[raw.cells]
