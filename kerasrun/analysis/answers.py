"""A network's outputs as columns of a table: the predicted class and each class's probability, or the value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kerasrun.analysis.scores import probabilities


def answers(outputs: np.ndarray, kind: str, classes: Sequence[str]) -> dict[str, list[str]]:
    """Return the columns of predictions by name, as text: numbers in the shortest form that reads back as float32.

    Args:
        outputs: float32 (n, outputs).
        kind: of the task.
        classes: their names; empty for regression.
    """
    if kind == "regression":
        names = ["predicted"] if outputs.shape[1] == 1 else [f"predicted {i}" for i in range(outputs.shape[1])]
        return dict(zip(names, _texts(outputs), strict=True))
    probability = probabilities(outputs, kind)
    said = probability.argmax(axis=1)
    shown = _texts(probability)
    best = [shown[number][row] for row, number in enumerate(said.tolist())]
    named = {f"probability of {name}": column for name, column in zip(classes, shown, strict=True)}
    return {"predicted": [classes[number] for number in said.tolist()], "probability": best, **named}


def _texts(numbers: np.ndarray) -> list[list[str]]:
    """Return the columns of a float32 array as texts."""
    return [column.astype(str).tolist() for column in numbers.T]
