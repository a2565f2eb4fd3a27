"""synthetic:<name>: learnable made-up data of a dataset's exact shapes, dtypes and counts, only ever on request.

Each class has a prototype, each example is its class's prototype under noise. For trying out and for tests; scores on
it say nothing about the real data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasrun.datasets.parts import Part, Unsplit, whole
from kerasrun.errors import InputError
from kerasrun.task import Task

if TYPE_CHECKING:
    from kerasrun.catalog import DatasetEntry

_VERSION = 1  # part of the content hash: raise it with any change of the numbers below
_BLOCK = 4  # pixels of a prototype that share one value, per axis


def read(entry: DatasetEntry, arguments: Mapping[str, Any]) -> Unsplit:
    """Return made-up data, the same at every call.

    Raises:
        InputError: for a truth table, which is nothing but its four rows.
    """
    if entry.train <= 4:
        raise InputError(f"{entry.name}: a truth table has no other rows\nuse {entry.name.partition(':')[2]} itself")
    train = _part(entry, entry.train, 0)
    test = _part(entry, entry.test, 1) if entry.test else None
    note = f"{entry.name} is made-up data: its scores say nothing about the real data"
    recipe = [_VERSION, entry.name, entry.train, entry.test, entry.raw_dtype, entry.task.input_shape, dict(arguments)]
    hashed = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
    return Unsplit(entry.task, entry.name, train, test=test, notes=(note,), synthetic=True, content_hash=hashed)


def _part(entry: DatasetEntry, size: int, stream: int) -> Part:
    fixed, rng = np.random.default_rng(0), np.random.default_rng([1, stream])  # prototypes are alike in both parts
    task = entry.task
    if task.kind == "regression":
        return _regression(task, size, fixed, rng)
    labels = rng.permutation(np.arange(size, dtype=np.int32) % (task.num_classes or 2))
    if task.vocabulary_size is not None:
        return whole(_texts(task, labels, rng), labels)
    if entry.raw_dtype == "uint8":
        return whole(_images(task, labels, fixed, rng), labels)
    prototypes = fixed.standard_normal((task.num_classes or 2, *_shape(task)), dtype=np.float32)
    return whole(prototypes[labels] + rng.standard_normal((size, *_shape(task)), dtype=np.float32), labels)


def _regression(task: Task, size: int, fixed: np.random.Generator, rng: np.random.Generator) -> Part:
    """Return y = tanh of a linear function + a linear function + noise, in a large unit."""
    inputs = int(np.prod(_shape(task)))
    bent, straight = fixed.standard_normal((2, inputs, task.num_outputs), dtype=np.float32) / np.sqrt(inputs)
    x = rng.standard_normal((size, inputs), dtype=np.float32)
    noise = rng.standard_normal((size, task.num_outputs), dtype=np.float32)
    y = 100 * (2 + np.tanh(2 * x @ bent) + x @ straight + 0.3 * noise)
    return whole(x.reshape(size, *_shape(task)), y.astype(np.float32))


def _images(task: Task, labels: np.ndarray, fixed: np.random.Generator, rng: np.random.Generator) -> np.ndarray:
    """Return uint8 (n, height, width, …): a quarter of the class's blocks, three quarters of noise."""
    shape = _shape(task)
    coarse = (-(-shape[0] // _BLOCK), -(-shape[1] // _BLOCK), *shape[2:])
    blocks = fixed.integers(0, 64, (task.num_classes or 2, *coarse), dtype=np.uint8)
    prototypes = blocks.repeat(_BLOCK, axis=1).repeat(_BLOCK, axis=2)[:, : shape[0], : shape[1]]
    noise = rng.integers(0, 256, (len(labels), *shape), dtype=np.uint8)
    noise -= noise >> 2  # 0 to 192
    noise += prototypes[labels]
    return noise


def _texts(task: Task, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return int32 (n, length): frequent words are common, and one word of five comes from the class's own share."""
    length, words, classes = task.sequence_length or 1, task.vocabulary_size or 5, task.num_classes or 2
    first = min(4, words - 1)  # 0 padding, 1 start, 2 unknown
    x = (first + (words - first) * rng.random((len(labels), length), dtype=np.float32) ** 3).astype(np.int32)
    own = rng.random(x.shape, dtype=np.float32) < 0.2
    x = np.where(own, np.minimum(first + (x - first) // classes * classes + labels[:, None], words - 1), x)
    starts = rng.integers(0, max(length // 2, 1), len(labels))[:, None]
    position = np.arange(length)
    return np.where(position < starts, 0, np.where(position == starts, 1, x)).astype(np.int32)


def _shape(task: Task) -> tuple[int, ...]:
    return tuple(size or 1 for size in task.input_shape)
