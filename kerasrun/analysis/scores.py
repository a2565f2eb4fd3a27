"""How good a classifier's probabilities are, in numbers: confusion matrix, precision and recall, calibration.

Probabilities are float (n, classes), labels int (n,). The definitions are scikit-learn's, and tested against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 10


def probabilities(outputs: np.ndarray, kind: str) -> np.ndarray:
    """Return a network's outputs as one probability a class, float32 (n, classes).

    Args:
        outputs: float32 (n, 1) of a binary task: the second class's; (n, classes) of a multiclass one.
        kind: of the task.
    """
    return np.concatenate([1 - outputs, outputs], axis=1) if kind == "binary" else outputs


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Return how often each class (row) was taken for each (column), int64 (classes, classes)."""
    pairs = labels.astype(np.int64) * classes + predicted
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


@dataclass(frozen=True)
class ClassScore:
    """What the predictions of one class are worth.

    Args:
        precision: share of those that were taken for it and are; None where none was taken for it.
        recall: share of those that are and were taken for it; None where none is.
        f1: their harmonic mean; None where there is neither.
        support: how many there are.
    """

    precision: float | None
    recall: float | None
    f1: float | None
    support: int


def by_class(matrix: np.ndarray) -> list[ClassScore]:
    """Return the score of each class of a confusion matrix."""
    right, said, are = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    return [
        ClassScore(_share(r, s), _share(r, a), _share(2 * r, s + a), int(a))
        for r, s, a in zip(right.tolist(), said.tolist(), are.tolist(), strict=True)
    ]


def averages(scores: Sequence[ClassScore]) -> dict[str, ClassScore]:
    """Return the mean over the classes that occur ("macro"), and the mean weighted by their support ("weighted").

    An undefined precision or recall counts as 0, as in scikit-learn.
    """
    present = [score for score in scores if score.f1 is not None]
    support = sum(score.support for score in present)
    found = {}
    for name, weights in (("macro", [1.0] * len(present)), ("weighted", [float(s.support) for s in present])):
        precision, recall, f1 = (_mean(present, part, weights) for part in ("precision", "recall", "f1"))
        found[name] = ClassScore(precision, recall, f1, support)
    return found


@dataclass(frozen=True)
class Bin:
    """The examples whose probability lies between two limits.

    Args:
        low: lower limit; it belongs to the bin below.
        high: upper limit.
        count: of examples, 1 or more.
        said: their mean probability.
        came: the share of them of which it came true.
    """

    low: float
    high: float
    count: int
    said: float
    came: float


def reliability(said: np.ndarray, came: np.ndarray, bins: int = BINS) -> list[Bin]:
    """Return what came true of what was said, in bins of equal width from 0 to 1; empty ones are left out.

    Args:
        said: probabilities, (n,).
        came: whether it came true, bool (n,).
        bins: their number.
    """
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], said.astype(np.float64))
    counts = np.bincount(place, minlength=bins)
    sums = [np.bincount(place, weights=values.astype(np.float64), minlength=bins) for values in (said, came)]
    return [
        Bin(i / bins, (i + 1) / bins, int(n), float(a / n), float(b / n))
        for i, (n, a, b) in enumerate(zip(counts, *sums, strict=True))
        if n
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Return the expected calibration error: the mean distance of what was said from what came (Guo et al. 2017)."""
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.said - each.came) for each in bins) / total


def brier(probability: np.ndarray, labels: np.ndarray) -> float:
    """Return the Brier score, the mean squared distance of probabilities from 0 or 1 (Brier 1950).

    Of two classes that of the second one, 0 to 1; of more the sum over all, 0 to 2.
    """
    right = np.eye(probability.shape[1])[labels]
    squares = np.square(probability.astype(np.float64) - right).sum(axis=1)
    return float(squares.mean() / (2 if probability.shape[1] == 2 else 1))


def _mean(scores: Sequence[ClassScore], part: str, weights: Sequence[float]) -> float:
    return float(np.average([getattr(score, part) or 0.0 for score in scores], weights=weights))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
