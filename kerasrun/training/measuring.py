"""What is measured besides a training, where it is asked for, and never changes it.

evaluate_train    columns train_… of metrics.csv: some training examples, the same in all runs on a split, evaluated as
                  the validation part is: without dropout, with the weights of the epoch's end
validate_every    progress.csv: validation, and those training examples, several times an epoch
health            health.csv: every layer at the start, after 10 and 100 steps of the first epoch, and after each epoch
"""

from __future__ import annotations

import math
from collections.abc import Callable
from time import monotonic
from typing import Any

import keras
import numpy as np

from kerasrun.datasets import Data
from kerasrun.experiment import Experiment
from kerasrun.runs import HEALTH, PROGRESS
from kerasrun.training import model as models
from kerasrun.training.health import Health, health_batch
from kerasrun.training.loop import Feeder
from kerasrun.training.seeds import fixed_examples

EARLY_STEPS = (10, 100)  # of the first epoch, where it has as many and more
_LAYER = ("layer", "kind", "units", "activation")
_NUMBERS = ("gradient", "gradient_ratio", "mean", "deviation", "zeros", "saturated", "dead", "loss")


class Measuring(keras.callbacks.Callback):
    """Measures between blocks and after epochs; the numbers of an epoch's end go into its logs, the rest into tables.

    Args:
        experiment: says what is measured.
        feeder: of the model.
        data: what the model is trained on.
    """

    def __init__(self, experiment: Experiment, feeder: Feeder, data: Data) -> None:
        super().__init__()
        self.plan = feeder.plan
        self.seconds = 0.0  # of the running epoch, which are none of the training's
        self.progress: list[dict[str, Any]] = []
        self.layers: list[dict[str, Any]] = []
        self._names = ("loss", *experiment.metric_names)
        self._health = Health(feeder.model, health_batch(experiment, data)) if experiment.health else None
        self._validation = feeder.evaluator(feeder.validation)
        self._train: Callable[[], dict[str, float]] = dict
        if experiment.evaluate_train:
            size = len(data.train.x)
            rows = fixed_examples(experiment.split_seed, "evaluate_train", size, experiment.evaluate_train)
            labels = models.labels(data.train.y[rows], data.task, experiment.loss)
            self._train = feeder.evaluator((data.train.x[rows], labels))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Measure the layers before the first step."""
        self._epoch, self.seconds = epoch, 0.0
        if self._health and not self.layers:
            self.layers += self._health.measure(0, 0)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Evaluate and measure between two blocks, unless an earlier process has done so."""
        steps = self.plan.ends[batch]
        if steps >= self.plan.steps:
            return
        began, step = monotonic(), self._epoch * self.plan.steps + steps
        done = self.progress[-1]["step"] if self.progress else 0
        if self.plan.every and steps % self.plan.every == 0 and step > done:
            self._add(step, self._validation(), self._train())
        if self._health and not self._epoch and step in self.plan.marks and step > self.layers[-1]["step"]:
            self.layers += self._health.measure(None, step)
        self.seconds += monotonic() - began

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Evaluate the training examples, add what the epoch's end gave, and measure the layers."""
        began, logs = monotonic(), {} if logs is None else logs
        train = self._train()
        logs |= {f"train_{name}": value for name, value in train.items()}
        if self.plan.every:
            validation = {name: logs[f"val_{name}"] for name in self._names}
            self._add((epoch + 1) * self.plan.steps, validation, train)
        if self._health:
            self.layers += self._health.measure(epoch + 1, (epoch + 1) * self.plan.steps)
        self.seconds += monotonic() - began

    def tables(self) -> dict[str, str]:
        """Return the tables so far, by the names of their files."""
        found = {PROGRESS: self.progress, HEALTH: self.layers}
        return {name: table_csv(rows) for name, rows in found.items() if rows}

    def summary(self) -> dict[str, Any]:
        """Return what run.json says of the layers: columns of health.csv at the start, early and at the end."""
        layers = [row for row in self.layers if row["layer"] != "input"]
        if self._health is None or not layers:
            return {}

        def at(step: int, names: tuple[str, ...]) -> dict[str, list[Any]]:
            rows = [row for row in layers if row["step"] == step]
            return {name: [_finite(row[name]) for row in rows] for name in names}

        measured = {row["step"] for row in layers}
        early = {f"step{step}": step for step in self.plan.marks if step in measured}
        moments = {"start": 0, **early, "end": layers[-1]["step"]}
        numbers = {name: at(step, _NUMBERS) for name, step in moments.items()}
        return {"health": {"examples": self._health.examples, **at(0, _LAYER), **numbers}}

    def get_state(self) -> dict[str, Any]:
        """Return what a later process goes on with."""
        return {"progress": self.progress, "layers": self.layers}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on with what an earlier process has measured."""
        self.progress, self.layers = list(state["progress"]), list(state["layers"])

    def _add(self, step: int, validation: dict[str, float], train: dict[str, float]) -> None:
        row: dict[str, Any] = {"step": step, "epoch": step / self.plan.steps}
        row |= {f"val_{name}": float(validation[name]) for name in self._names}
        self.progress.append(row | {f"train_{name}": train[name] for name in self._names if train})


def table_csv(rows: list[dict[str, Any]]) -> str:
    """Return rows as CSV: each number in the shortest text that reads back as the same float32, nothing for None."""
    lines = [",".join(rows[0])]
    lines += [",".join(_written(value) for value in row.values()) for row in rows]
    return "\n".join(lines) + "\n"


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _written(value: Any) -> str:
    if value is None:
        return ""
    return str(np.float32(value)) if isinstance(value, float) else str(value)
