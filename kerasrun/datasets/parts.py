"""The shapes that data has on its way: what a source read, one part of it, and the three parts that a training gets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from kerasrun.inputs import Inputs
from kerasrun.task import Task


@dataclass(frozen=True)
class Part:
    """Some examples of a dataset.

    Args:
        x: inputs (n, …) as they are stored, before any scaling.
        y: int32 (n,) class numbers, or float32 (n, outputs) numbers to predict.
        rows: int64 (n,), the position of each example in the array that it was taken from.
        weights: float32 (n,), how much each example counts in training; None where all count alike.
    """

    x: np.ndarray
    y: np.ndarray
    rows: np.ndarray
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.x)

    def take(self, positions: np.ndarray) -> Part:
        """Return the examples at these positions (not row numbers) as a part of its own."""
        weights = None if self.weights is None else self.weights[positions]
        x = np.take(self.x, positions, axis=0, out=aligned((len(positions), *self.x.shape[1:]), self.x.dtype))
        return Part(x, self.y[positions], self.rows[positions], weights)


def aligned(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return an array of any content whose memory begins at a multiple of 64 bytes: TensorFlow can use it as it is."""
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.empty(size + 64, dtype=np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)


def whole(x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> Part:
    """Return all examples of two arrays as a part whose rows count from 0."""
    return Part(x, y, np.arange(len(x), dtype=np.int64), weights)


@dataclass(frozen=True)
class Unsplit:
    """What a source read, before anything is held out.

    Args:
        task: the task; a source may know more than the catalog (class names, number of classes).
        where: file or dataset, as error messages name it.
        train: all examples that are for training and for what is held out of them.
        validation: the source's own validation part, or None.
        test: the source's own test part, or None.
        columns: names of the columns of x, where it is a table that has some.
        notes: lines for the user.
        synthetic: the data is made up.
        passes: passes over the training part that count as one epoch.
        same: train, validation and test are the same examples; nothing is held out.
        content_hash: the hash of the content where it is known without reading the arrays, else "".
        fit: to be called once the parts are known: fits look-ups on the training part, applies them to all, and sets
            `inputs`. Until then x is whatever the source likes, of len(y) rows; it is not looked at.
        inputs: how x was made of the rows of one's own data.
        by: how parts are held out: "class" (at random, stratified), "group" or "time".
        key: (n,), for each training example: equal values stay together (group), the largest are held out (time).
        files: what each row is called, where each is a file.
        skipped: name and reason of each file that could not be read.
    """

    task: Task
    where: str
    train: Part
    validation: Part | None = None
    test: Part | None = None
    columns: Sequence[str] | None = None
    notes: tuple[str, ...] = ()
    synthetic: bool = False
    passes: int = 1
    same: bool = False
    content_hash: str = ""
    fit: Callable[[Unsplit], Unsplit] | None = None
    inputs: Inputs | None = None
    by: Literal["class", "group", "time"] = "class"
    key: np.ndarray | None = None
    files: Sequence[str] = ()
    skipped: Sequence[tuple[str, str]] = ()

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of one example of x; None where it varies."""
        return self.inputs.shape if self.inputs else self.task.input_shape

    def parts(self) -> dict[str, Part]:
        """Return the parts that the source has, by name."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: part for name, part in named.items() if part is not None}

    def having(self, parts: Mapping[str, Part]) -> Unsplit:
        """Return the same with these parts in place of its own."""
        changes: dict[str, Any] = {**parts}
        return replace(self, **changes)


@dataclass(frozen=True)
class Data:
    """What a training gets.

    Args:
        task: what the dataset asks of a network.
        train: the examples that the weights are fitted to.
        validation: held out, to choose by.
        test: held out, to be looked at once.
        content_hash: sha256 of everything that the source holds, before the split.
        synthetic: the data is made up.
        notes: lines for the user.
        passes: passes over the training part that count as one epoch; 100 for truth tables, else 1.
        inputs: how x was made of the rows of one's own data; None where x is what the saved model takes.
        files: what each row is called, where each is a file.
        skipped: name and reason of each file that could not be read.
    """

    task: Task
    train: Part
    validation: Part
    test: Part
    content_hash: str
    synthetic: bool = False
    notes: tuple[str, ...] = ()
    passes: int = 1
    inputs: Inputs | None = None
    files: Sequence[str] = ()
    skipped: Sequence[tuple[str, str]] = ()


def content_hash(parts: dict[str, Part]) -> str:
    """Return the sha256 of names, dtypes, shapes and bytes of all arrays but the row numbers, which only count."""
    digest = hashlib.sha256()
    for name, part in parts.items():
        for key, array in (("x", part.x), ("y", part.y), ("weights", part.weights)):
            if array is not None:
                digest.update(f"{name}.{key} {array.dtype.str} {array.shape}\n".encode())
                digest.update(np.ascontiguousarray(array).data if array.size else b"")
    return digest.hexdigest()
