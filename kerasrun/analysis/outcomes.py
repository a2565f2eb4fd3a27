"""Whether a run learned at all: diverged, no convergence, or learns; and what guessing would have reached."""

from __future__ import annotations

import math

from kerasrun.analysis import moments
from kerasrun.analysis.columns import Record

LEARNS, DIVERGED, NO_CONVERGENCE = "learns", "diverged", "no convergence"
_NO_BETTER = 0.95  # of ln(classes): a training loss that never fell below is that of guessing
_ABOVE_CHANCE = 0.05  # beyond three standard errors
_TOO_LARGE = 10  # times the loss of guessing, at the end
_CROSS_ENTROPIES = ("sparse_categorical_crossentropy", "categorical_crossentropy")


def outcome(record: Record) -> str:
    """Return LEARNS, DIVERGED (not finite, or a loss ten times that of guessing at the end) or NO_CONVERGENCE.

    No convergence: the training loss never fell below 0.95 ln(classes), and the validation accuracy never rose above
    chance by 0.05 and three standard errors. It speaks of this rate and this number of epochs. The training loss is
    that of metrics.csv: "train_loss" where a run has it, else the mean over the epoch's batches.

    Args:
        record: run.json as a dict; its data tell classes, chance (share of the most frequent class) and validation.
    """
    if record["status"] == "diverged":
        return DIVERGED
    guess = guessing(record, "loss")
    end = (record.get("last") or {}).get("train_loss", (record.get("last") or {}).get("loss"))
    if guess is not None and end is not None and end > _TOO_LARGE * guess:
        return DIVERGED
    bound = _learned(record)
    if bound is None or ((record.get("best") or {}).get("val_accuracy") or 0.0) >= bound:
        return LEARNS  # known without reading the epochs
    curves = moments.curves(record)
    losses = moments.values_of(curves, "train_loss")
    if guess is not None and any(loss < _NO_BETTER * guess for loss in losses):
        return LEARNS
    return LEARNS if any(value >= bound for value in curves.get("val_accuracy", [])) else NO_CONVERGENCE


def guessing(record: Record, metric: str) -> float | None:
    """Return what a network reaches that knows nothing but how frequent the classes are; None where that is not known.

    Args:
        record: run.json as a dict.
        metric: an accuracy, a cross-entropy loss, an r2, the squared error of a standardized target, or a gap.
    """
    if metric.startswith("gap:"):
        return 0.0
    data, experiment = record.get("data") or {}, record["experiment"]
    if metric.endswith("accuracy") and data.get("classes"):
        return data.get("chance")
    if metric.endswith("loss"):
        of_two = experiment["loss"] == "binary_crossentropy" and data.get("classes") == 2
        if data.get("classes") and (of_two or experiment["loss"] in _CROSS_ENTROPIES):
            return math.log(data["classes"])
        squared = experiment["loss"] == "mean_squared_error" and experiment.get("scale_target") == "standardize"
        return 1.0 if squared else None
    return 0.0 if metric.endswith("r2") else None


def _learned(record: Record) -> float | None:
    """Return the validation accuracy from which on a run has learned something; None for tasks without classes."""
    chance, examples = guessing(record, "val_accuracy"), (record.get("data") or {}).get("validation")
    if chance is None or not examples or "val_accuracy" not in (record.get("last") or {}):
        return None
    return min(1.0, chance + _ABOVE_CHANCE + 3 * math.sqrt(chance * (1 - chance) / examples))
