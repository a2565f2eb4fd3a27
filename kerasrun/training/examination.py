"""The health of a run's network afterwards: as it began, drawn anew from its seed, and with its best weights."""

from __future__ import annotations

from kerasrun import continuation, datasets
from kerasrun.runs import BEST, Run
from kerasrun.training import devices, saved_models
from kerasrun.training import model as models
from kerasrun.training.health import Health, Row, health_batch


def examine(run: Run, *, recipe: str | None = None) -> list[Row]:
    """Return the rows that health.csv would have for the start and, where there is one, for the best epoch.

    What the optimizer would do is known for the start alone: its later state is not kept.

    Args:
        run: the run.
        recipe: "file.py:function" to use in place of the run folder's copy.

    Raises:
        InputError: data, recipe or best.keras are not those of the run.
    """
    experiment = continuation.continued(run, {}, recipe=recipe)
    data = datasets.load(experiment)
    continuation.check_data(run, data.content_hash)
    devices.prepare(experiment, data.task)
    model = models.build(experiment, data.task, data.train.x, data.train.y, inputs=data.inputs).model
    model.optimizer.build(model.trainable_variables)
    health = Health(model, health_batch(experiment, data))
    rows = health.measure(0)
    best = run.record.get("best_epoch")
    if best and (run.folder / BEST).exists():
        model.set_weights(saved_models.saved_weights(model, run.folder / BEST))
        rows += [{**row, "update_ratio": None} for row in health.measure(best)]
    return rows
