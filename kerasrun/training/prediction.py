"""The answers of a trained model to arrays as it was trained on: best.keras without the look-ups in front of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from kerasrun.runs import Run
from kerasrun.trained import Trained
from kerasrun.training import inputs, loop


def network(run: Run, trained: Trained, *, recipe: str | Path | None = None) -> keras.Model:
    """Return a run's best model, as far as it takes rows of the array: look-ups have been applied to those before.

    Args:
        run: the run.
        trained: what its record says.
        recipe: the recipe's file, where the model has classes of its own and the run's copy may not be used.

    Raises:
        InputError: as `Run.model`.
    """
    model = inputs.array_form(run.model(recipe=recipe), trained.inputs)
    if type(model).__name__ != "Functional":
        return model
    return keras.Model(model.inputs[0], model.outputs[0])  # saved as lists of one, at which Keras warns in each call


def predictor(run: Run, trained: Trained, *, recipe: str | Path | None = None) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from examples (n, …) to the model's outputs, float32 (n, outputs).

    Raises:
        InputError: as `network`.
    """
    return loop.predictor(network(run, trained, recipe=recipe))
