"""What to know of data before a long run: sizes, ranges, balance, and examples that were held out in vain."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import numpy as np

from kerasrun.checkup import Finding
from kerasrun.datasets import Data
from kerasrun.datasets.parts import Part
from kerasrun.datasets.stored import Stored

LOOKED_AT = 10_000
UNBALANCED = 10  # times as many examples of the largest class as of the smallest


def check_data(data: Data) -> Iterator[Finding]:
    """Look at inputs and labels as they are stored, before any scaling.

    Args:
        data: what a training gets.
    """
    parts = {name: getattr(data, name) for name in ("train", "validation", "test")}
    yield Finding("examples", " · ".join(f"{len(part):,} {name}" for name, part in parts.items()))
    yield from (Finding("data", note) for note in data.notes)
    if isinstance(data.train.x, Stored):
        yield Finding("data", f"on the disk; {LOOKED_AT:,} examples of each part, evenly spread, are looked at")
        parts = {name: _some(part) for name, part in parts.items()}
    yield _inputs(parts["train"].x)
    yield _constant(parts["train"].x)
    yield _numbers(data.train.y) if data.task.kind == "regression" else _classes(data)
    if data.validation.x is not data.train.x:  # a truth table is all of its parts
        known: dict[bytes, set[float]] = {}
        for key, label in _keys(parts["train"]):
            known.setdefault(key, set()).add(label)
        yield from (_repeated(name, part, known) for name, part in parts.items() if name != "train")


def _some(part: Part) -> Part:
    rows = np.unique(np.linspace(0, len(part) - 1, LOOKED_AT).astype(int))
    return Part(part.x[rows], part.y[rows], part.rows[rows])


def _inputs(x: np.ndarray) -> Finding:
    shape = "×".join(map(str, x.shape[1:]))
    mean, deviation = x.mean(dtype="float64"), x.std(dtype="float64")
    return Finding(
        "inputs", f"{shape} {x.dtype}, {x.min():g} to {x.max():g}, mean {mean:.3g}, deviation {deviation:.3g}"
    )


def _constant(x: np.ndarray) -> Finding:
    columns = x.reshape(len(x), -1)
    count = int((columns.min(axis=0) == columns.max(axis=0)).sum())
    advice = "they tell nothing; is this the right file?" if 2 * count > columns.shape[1] else None
    return Finding("constant inputs", f"{count:,} of {columns.shape[1]:,}", advice)


def _numbers(y: np.ndarray) -> Finding:
    constant = bool((y.min(axis=0) == y.max(axis=0)).any())
    value = f"{y.min():g} to {y.max():g}, mean {y.mean():.4g}, deviation {y.std():.4g}"
    return Finding("targets", value, "a target that is always the same cannot be learned" if constant else None)


def _classes(data: Data) -> Finding:
    counts = np.bincount(data.train.y, minlength=data.task.num_classes or 0)
    chance = np.bincount(data.validation.y).max() / len(data.validation.y)
    value = f"{len(counts)} classes, {counts.min():,} to {counts.max():,} examples; guessing gives {chance:.3f}"
    unbalanced = counts.max() > UNBALANCED * max(1, counts.min())
    return Finding("classes", value, "class_weights=balanced, metrics=f1_score or auc" if unbalanced else None)


def _repeated(name: str, part: Part, known: Mapping[bytes, set[float]]) -> Finding:
    """Return how many examples of a part training has seen; `known` are the labels that each has there."""
    found = [(label, known[key]) for key, label in _keys(part) if key in known]
    other = sum(label not in labels for label, labels in found)
    value = f"{len(found):,} of {len(part):,} are in the training part, too" + (
        f", {other:,} of them with another label" if other else ""
    )
    return Finding(name, value, "drop repeated examples, or split by groups" if found else None)


def _keys(part: Part) -> Iterator[tuple[bytes, float]]:
    """Yield a key for each example's inputs, and its label."""
    rows = np.ascontiguousarray(part.x.reshape(len(part), -1))
    labels = part.y.reshape(len(part), -1)[:, 0]
    return (
        (hashlib.blake2b(row, digest_size=16).digest(), float(label)) for row, label in zip(rows, labels, strict=True)
    )
