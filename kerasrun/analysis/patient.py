"""A run as a patient: its record, its curves and the health of its layers, and what can be read off them."""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerasrun.analysis import moments, outcomes
from kerasrun.analysis.columns import matches

Row = Mapping[str, Any]
_TEXTS = ("layer", "kind", "activation")  # columns of health.csv; the rest are numbers
_COUNTS = ("step", "epoch", "units")
FEWEST_LAYERS = 4  # hidden layers from which a factor per layer can be told
TINY = 1e-30  # float32 ends near 1e-38


@dataclass(frozen=True)
class Patient:
    """All that is known of a run.

    Args:
        record: run.json.
        curves: the columns of metrics.csv, as `moments.curves` gives them; empty where no epoch was finished.
        layers: the rows of health.csv, of one epoch or more; 0 is the start.
    """

    record: Row
    curves: Mapping[str, list[float]]
    layers: Sequence[Row]

    def at(self, epoch: int) -> list[Row]:
        """Return the layers' rows of an epoch, the input's among them."""
        return [row for row in self.layers if row["epoch"] == epoch]

    @property
    def measured(self) -> list[int]:
        """The epochs that layers were measured at, 0 first."""
        return sorted({row["epoch"] for row in self.layers} - {None})

    def hidden(self, epoch: int) -> list[Row]:
        """Return the layers between input and output at an epoch."""
        return [row for row in self.at(epoch) if row["layer"] != "input"][:-1]

    @property
    def ignorance(self) -> float | None:
        """The loss of knowing nothing: ln(classes), or 1 for a standardized target; None where that is not known."""
        return outcomes.guessing(self.record, "loss")

    @property
    def is_penalized(self) -> bool:
        """Whether the training loss holds a penalty of the weights, which that of health.csv does not."""
        return any(self.record["experiment"]["knobs"].get(name) for name in ("l1", "l2", "decay"))

    @property
    def training_loss(self) -> list[float]:
        """The training loss after each epoch: measured without dropout where that was asked for, else its mean."""
        return moments.values_of(self.curves, "train_loss")

    def options(self, *wanted: str) -> tuple[str, ...]:
        """Return those of the options that the run has, but with another value.

        Args:
            *wanted: `name=value`, or several of them that go together.
        """
        experiment = self.record["experiment"]
        given = {**experiment, **experiment["knobs"]}

        def applies(option: str) -> bool:
            name, _, value = option.partition("=")
            return name in given and not matches(name, given[name], value)

        kept = (" ".join(filter(applies, together.split())) for together in wanted)
        return tuple(option for option in kept if option)

    @property
    def step(self) -> tuple[int, float]:
        """The last epoch that tells it, and by what part a step changes the weights of a middling layer; else 0, 0."""
        for epoch in self.measured[::-1]:
            steps = [row["update_ratio"] for row in self.at(epoch) if row["update_ratio"] is not None]
            if steps:
                return epoch, statistics.median(steps)
        return 0, 0.0


def read_layers(path: Path) -> list[Row]:
    """Return the rows of a health.csv: texts, whole numbers, numbers; None for an empty cell."""

    def value(name: str, cell: str) -> Any:
        if name in _TEXTS or not cell:
            return cell or None
        return int(cell) if name in _COUNTS else float(cell)

    with path.open(encoding="utf-8", newline="") as file:
        return [{name: value(name, cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def layers_of(record: Row, when: str) -> list[Row]:
    """Return the layers that a record tells of, as rows; none where the run was not measured.

    Args:
        record: run.json, or a row of a committed table.
        when: "start", "step10", "step100" or "end".
    """
    health = record.get("health") or {}
    if when not in health:
        return []
    columns = {**{name: health[name] for name in (*_TEXTS, "units")}, **health[when]}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def factor(layers: Sequence[Row]) -> float | None:
    """Return by what factor gradients change per layer towards the input.

    From the slope of its logarithm over the longest row of hidden layers of one kind and width, the first one left out.

    Args:
        layers: the hidden layers of one epoch.

    Returns:
        Below 1 where it shrinks towards the input; None with fewer than four hidden layers.
    """
    if len(layers) < FEWEST_LAYERS:
        return None
    runs: list[list[Row]] = [[]]
    for row in layers[1:]:
        if runs[-1] and (row["kind"], row["units"]) != (runs[-1][-1]["kind"], runs[-1][-1]["units"]):
            runs.append([])
        runs[-1].append(row)
    values = [row["gradient"] for row in max(runs, key=len)]
    if len(values) < FEWEST_LAYERS - 1 or any(value is None or not math.isfinite(value) for value in values):
        return None
    logs = [math.log10(max(value, TINY)) for value in values]
    return 10 ** -statistics.linear_regression(range(len(logs)), logs).slope
