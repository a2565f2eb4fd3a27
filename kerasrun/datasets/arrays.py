"""A user's own .npz: x_train, y_train (w_train; x_val, y_val; x_test, y_test; class_names), or x, y."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasrun.datasets import npz
from kerasrun.datasets.parts import Part, Unsplit, whole
from kerasrun.errors import InputError, closest
from kerasrun.task import Task

if TYPE_CHECKING:
    from kerasrun.catalog import DatasetEntry

_NAMES = {
    "train": (("x_train", "y_train", "w_train"), ("x", "y", "w")),
    "validation": (("x_val", "y_val", "w_val"), ("x_validation", "y_validation", "w_validation")),
    "test": (("x_test", "y_test", "w_test"),),
}
_KNOWN = ("class_names", *(name for pairs in _NAMES.values() for names in pairs for name in names))


def read(entry: DatasetEntry, arguments: Mapping[str, Any]) -> Unsplit:
    """Return what a user's .npz holds, labels as one number per example.

    Raises:
        InputError: as `npz.read`, or an array is missing.
    """
    path = Path(entry.name)
    return unsplit(npz.read(path, _KNOWN), entry.task, str(path))


def unsplit(arrays: dict[str, np.ndarray], task: Task, where: str) -> Unsplit:
    """Return the arrays of a file as parts; labels (n, 1) become class numbers (n,)."""
    task = _named(arrays, task)
    parts = {name: _part(arrays, name, task, where) for name in _NAMES}
    if parts["train"] is None:
        raise InputError(_missing(arrays, where))
    notes = ("the validation part is the file's own",) if parts["validation"] is not None else ()
    return Unsplit(task, where, parts["train"], parts["validation"], parts["test"], notes=notes)


def read_part(path: Path, name: str, like: Unsplit) -> tuple[Part, str]:
    """Return the examples of --validation FILE or --test FILE: x_val / x_test of the file, else its x, y.

    The hash of all content, which comes with them, is "": it has to be computed from the arrays.

    Args:
        path: an .npz file.
        name: "validation" or "test".
        like: the data that the file belongs to.

    Raises:
        InputError: no .npz, damaged, or without such arrays.
    """
    arrays = npz.read(path.expanduser(), _KNOWN)
    part = _part(arrays, name, like.task, str(path))
    if part is None and "x" in arrays and "y" in arrays:
        part = _part(arrays, "train", like.task, str(path))
    if part is None:
        x, y, _ = _NAMES[name][0]
        raise InputError(f"{path}: no {x}, {y} (nor x, y); it holds {', '.join(sorted(arrays)) or 'none of them'}")
    return part, ""


def _part(arrays: dict[str, np.ndarray], name: str, task: Task, where: str) -> Part | None:
    for x_name, y_name, weights_name in _NAMES[name]:
        if x_name in arrays or y_name in arrays:
            absent = next((key for key in (x_name, y_name) if key not in arrays), None)
            if absent is not None:
                present = y_name if absent == x_name else x_name
                raise InputError(f"{where}: {present} is there but {absent} is missing; store both")
            x, y = arrays[x_name], arrays[y_name]
            if x.ndim == 0 or y.ndim == 0:
                raise InputError(f"{where}: {x_name if x.ndim == 0 else y_name} is a single value; one row per example")
            return whole(x, _labels(y, task), arrays.get(weights_name))
    return None


def _labels(y: np.ndarray, task: Task) -> np.ndarray:
    if task.kind == "regression":
        return y.reshape(-1, 1) if y.ndim == 1 else y
    return y.reshape(-1) if y.ndim == 2 and y.shape[1] == 1 else y


def _named(arrays: dict[str, np.ndarray], task: Task) -> Task:
    names = arrays.get("class_names")
    if names is None or task.num_classes is None or names.shape != (task.num_classes,):
        return task
    return replace(task, class_names=tuple(str(name) for name in names))


def _missing(arrays: dict[str, np.ndarray], where: str) -> str:
    found = ", ".join(sorted(arrays)) or "none of the names that are known"
    near = closest("x_train", arrays)
    hint = f"; is {near} x_train?" if near else ""
    return f"{where}: neither x_train, y_train nor x, y in the file; it holds {found}{hint}"
