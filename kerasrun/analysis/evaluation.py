"""What an evaluation says, as tables: metrics beside the record's, confusion, classes, calibration, residuals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasrun.analysis import mistakes, scores
from kerasrun.analysis.residuals import QUANTILES, residuals
from kerasrun.analysis.tables import to_text

MOST_CLASSES = 15  # whose confusion matrix people are shown
_MOST_FREQUENT = 10
LARGEST = 5


@dataclass(frozen=True)
class Section:
    """One table of an evaluation.

    Args:
        name: as exports have it.
        title: the line above it.
        columns: names.
        rows: cells; the first tells the rows apart.
        texts: columns that are texts whatever they hold.
        shown: whether people are shown it.
        exported: whether csv and json have it.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    texts: tuple[str, ...] = ()
    shown: bool = True
    exported: bool = True


def classified(
    labels: np.ndarray, probability: np.ndarray, classes: Sequence[str], measured: Mapping[str, float],
    recorded: Mapping[str, float] | None = None,
) -> list[Section]:  # fmt: skip
    """Return what the evaluation of a classifier says.

    Args:
        labels: int (n,).
        probability: float32 (n, classes).
        classes: their names.
        measured: loss and metrics as Keras computed them.
        recorded: the same, as the run's record has them; None for other data.
    """
    matrix = scores.confusion(labels, probability.argmax(axis=1), len(classes))
    said, came, what = calibrated(labels, probability, classes)
    bins = scores.reliability(said, came)
    more = {
        "expected_calibration_error": scores.calibration_error(bins),
        "brier_score": scores.brier(probability, labels),
    }
    by_class = scores.by_class(matrix)
    rows = [(n, s.precision, s.recall, s.f1, s.support) for n, s in zip(classes, by_class, strict=True)]
    rows += [(f"({n} mean)", s.precision, s.recall, s.f1, s.support) for n, s in scores.averages(by_class).items()]
    counts = [(name, *row) for name, row in zip(classes, matrix.tolist(), strict=True)]
    reliable = [(f"{b.low:.1f}–{b.high:.1f}", b.count, b.said, b.came, b.came - b.said) for b in bins]
    few = len(classes) <= MOST_CLASSES
    return [
        _metrics(measured, more, recorded),
        Section("confusion", "confusion matrix: rows are true, columns predicted", ("", *classes), counts, ("",), few),
        Section("confusions", "most frequent confusions", ("true", "predicted", "times", "of the class"),
                _frequent(matrix, classes), ("true", "predicted"), not few, False),
        Section("classes", "classes", ("class", "precision", "recall", "f1", "support"), rows, ("class",)),
        Section("calibration", f"calibration: {what}", ("said", "n", "mean", "came true", "apart"), reliable,
                ("said",)),
    ]  # fmt: skip


def calibrated(
    labels: np.ndarray, probability: np.ndarray, classes: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, str]:
    """Return the probabilities that are judged, (n,), whether they came true, bool (n,), and in words what they are of.

    Of two classes the second one's, of more that of the class that was predicted.
    """
    if len(classes) == 2:
        return probability[:, 1], labels == 1, f"probability of class '{classes[1]}', and how often it was"
    said = probability.max(axis=1)
    return said, labels == probability.argmax(axis=1), "probability of the predicted class, and how often it was right"


def regressed(
    true: np.ndarray, predicted: np.ndarray, ids: Mapping[str, Sequence], measured: Mapping[str, float],
    recorded: Mapping[str, float] | None = None,
) -> list[Section]:  # fmt: skip
    """Return what the evaluation of a regression says, in the target's own units.

    Args:
        true: float (n, outputs).
        predicted: float (n, outputs).
        ids: what tells the examples apart, (n,) each.
        measured: loss and metrics as Keras computed them.
        recorded: the same, as the run's record has them; None for other data.
    """
    every = [residuals(true[:, i], predicted[:, i]) for i in range(true.shape[1])]
    names = [f" of output {i}" if len(every) > 1 else "" for i in range(len(every))]
    more = {
        f"{part}{name}": getattr(found, part)
        for name, found in zip(names, every, strict=True)
        for part in ("bias", "mae", "rmse", "r2")
    }
    quantiles = [(f"{100 * q:g} %", *(found.quantiles[i] for found in every)) for i, q in enumerate(QUANTILES)]
    worst = mistakes.farthest(true, predicted, LARGEST)
    columns, cells = mistakes.value_cells(true[worst], predicted[worst])
    largest = [
        (*(str(values[row]) for values in ids.values()), *its_cells)
        for row, its_cells in zip(worst.tolist(), cells, strict=True)
    ]
    return [
        _metrics(measured, {name: value for name, value in more.items() if name not in measured}, recorded),
        Section("residuals", "residuals: predicted - true", ("quantile", *(f"residual{n}" for n in names)), quantiles),
        Section("largest", "largest residuals", (*ids, *columns), largest, tuple(ids)),
    ]  # fmt: skip


def different(measured: Mapping[str, float], recorded: Mapping[str, float]) -> list[str]:
    """Return the names whose value is not the recorded one, as float32."""
    return [name for name, value in recorded.items() if np.float32(value) != np.float32(measured.get(name, np.nan))]


def export(sections: Sequence[Section], format: str) -> str:
    """Return all tables as one text: "md" below each other, "csv" and "json" as section, row, column, value."""
    if format == "md":
        return "\n".join(f"**{s.title}**\n\n{to_text(s.columns, s.rows, format)}" for s in sections if s.shown)
    cells = [
        (section.name, str(row[0]), column, value)
        for section in sections
        if section.exported
        for row in section.rows
        for column, value in zip(section.columns[1:], row[1:], strict=True)
        if value is not None
    ]
    return to_text(("section", "row", "column", "value"), cells, format)


def _metrics(
    measured: Mapping[str, float], more: Mapping[str, float | None], recorded: Mapping[str, float] | None
) -> Section:
    rows: list[tuple[Any, ...]] = [(name, float(value)) for name, value in measured.items()]
    rows += [(name, value) for name, value in more.items()]
    columns: tuple[str, ...] = ("metric", "value")
    if recorded is not None:
        columns, rows = (*columns, "recorded"), [(*row, recorded.get(row[0])) for row in rows]
    return Section("metrics", "metrics", columns, rows)


def _frequent(matrix: np.ndarray, classes: Sequence[str]) -> list[tuple[Any, ...]]:
    wrong = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_FREQUENT]
    pairs = (np.unravel_index(place, wrong.shape) for place in order)
    return [
        (classes[t], classes[p], int(wrong[t, p]), float(wrong[t, p] / matrix[t].sum()))
        for t, p in pairs
        if wrong[t, p]
    ]
