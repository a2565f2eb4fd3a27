"""Loss and metrics of a run's best model on a part of its data or on other data, computed as the training did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasrun.errors import InputError
from kerasrun.runs import Run
from kerasrun.trained import Trained
from kerasrun.training import devices, scaling
from kerasrun.training import model as models
from kerasrun.training.loop import Feeder, Plan
from kerasrun.training.prediction import network


@dataclass(frozen=True)
class Evaluated:
    """What a model says of some examples.

    Args:
        measured: loss and metrics by name.
        outputs: float32 (n, outputs).
    """

    measured: dict[str, float]
    outputs: np.ndarray


def evaluate(
    run: Run, trained: Trained, x: np.ndarray, y: np.ndarray, *, recipe: str | Path | None = None
) -> Evaluated:
    """Evaluate best.keras, with the threads and on the kind of device that the run was made with.

    Args:
        run: the run.
        trained: what its record says.
        x: (n, …) as the model was trained on.
        y: int32 (n,) class numbers or float32 (n, outputs).
        recipe: as in `network`.

    Raises:
        InputError: as `network`, or the targets are not as many as the model's outputs.
    """
    devices.prepare_as(run.record.get("threads"), run.record.get("device"))
    model = network(run, trained, recipe=recipe)
    task, settings = trained.task(model.output_shape[1]), trained.settings
    if task.kind == "regression" and y.shape[1] != task.num_outputs:
        raise InputError(
            f"the values to predict have shape {y.shape}; run {trained.run} predicts {task.num_outputs} for each "
            f"example\nstore y of shape ({len(y)}, {task.num_outputs})"
        )
    moments = scaling.moments_of(model) if settings["scale_target"] == "standardize" else None
    measures = models.measures(settings["loss"], settings["metrics"], task, moments)
    jit = bool(run.record.get("jit"))
    model.compile(optimizer=None, jit_compile=jit, **measures)
    part = (x, models.labels(y, task, settings["loss"]))
    feeder = Feeder(model, part, part, Plan("plain", len(x), 1, 1, 1, jit), seed=0)
    return Evaluated(feeder.evaluate(part), feeder.predict(x))
