"""The worst of what a model said: the errors that it was surest of, or the values that were farthest off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def surest(labels: np.ndarray, probability: np.ndarray, most: int) -> np.ndarray:
    """Return the positions of the wrong predictions, the most confident first, int64 (n,).

    Args:
        labels: int (n,), what is right.
        probability: float32 (n, classes).
        most: how many to return.
    """
    wrong = np.flatnonzero(probability.argmax(axis=1) != labels)
    return wrong[np.argsort(-probability[wrong].max(axis=1), kind="stable")][:most]


def farthest(true: np.ndarray, predicted: np.ndarray, most: int) -> np.ndarray:
    """Return the positions of the largest residuals, the largest first; of several outputs the worst one counts.

    Args:
        true: float (n, outputs).
        predicted: float (n, outputs).
        most: how many to return.
    """
    return np.argsort(-np.abs(predicted - true).max(axis=1), kind="stable")[:most]


def class_cells(
    labels: np.ndarray, probability: np.ndarray, classes: Sequence[str]
) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Return names and cells of columns on wrong predictions: both classes and what was given to them."""
    said = probability.argmax(axis=1)
    rows = np.arange(len(labels))
    columns = (
        [classes[label] for label in labels.tolist()], [classes[number] for number in said.tolist()],
        probability[rows, said].tolist(), probability[rows, labels].tolist(),
    )  # fmt: skip
    return ("true", "predicted", "confidence", "of the true class"), [*zip(*columns, strict=True)]


def value_cells(true: np.ndarray, predicted: np.ndarray) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Return names and cells of columns on residuals; of several outputs those of the worst one."""
    worst = np.abs(predicted - true).argmax(axis=1)
    rows = np.arange(len(true))
    right, said = true[rows, worst].tolist(), predicted[rows, worst].tolist()
    output = [()] * len(right) if true.shape[1] == 1 else [(number,) for number in worst.tolist()]
    names = ("true", "predicted", "residual") if true.shape[1] == 1 else ("output", "true", "predicted", "residual")
    return names, [(*o, t, p, p - t) for o, t, p in zip(output, right, said, strict=True)]
