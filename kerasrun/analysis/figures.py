"""Pictures of a study beyond the comparison's own, where its runs have what they show.

rates      accuracy against the learning rate, where that is varied
training   training and validation part over the epochs, where the training part was evaluated, too
gradients  the gradients of the deepest networks' hidden layers before the first step, where layers were measured
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kerasrun.analysis import layer_numbers, plots, tuned_rates
from kerasrun.analysis.charts import Curves, Line
from kerasrun.analysis.comparison import Comparison
from kerasrun.analysis.groups import Group
from kerasrun.analysis.statistics import estimate

NAMES = ("rates", "training", "gradients")
LOGARITHMIC = ("gradients",)  # whose values, not only what they go along
_MOST_PAIRS = 4  # of curves, training and validation
_MOST_LINES = 20


def figures(table: Comparison) -> dict[str, Curves]:
    """Return the pictures by name.

    Args:
        table: whose rows are means over seeds.
    """
    groups = [member for member in table.members if isinstance(member, Group)]
    makers: tuple[Callable[[Sequence[Group]], Curves | None], ...] = (_rates, _training, _gradients)
    found = {name: make(groups) for name, make in zip(NAMES, makers, strict=True)} if groups else {}
    return {name: chart for name, chart in found.items() if chart and chart.lines}


def rows(chart: Curves) -> tuple[tuple[str, ...], list[tuple[float | None, ...]]]:
    """Return curves as columns and rows: where along, and each line's mean there."""
    means = [dict(zip(line.epochs, line.mean, strict=True)) for line in chart.lines]
    points = sorted({point for line in means for point in line})
    columns = (chart.along, *(line.label for line in chart.lines))
    return columns, [(point, *(line.get(point) for line in means)) for point in points]


def _rates(groups: Sequence[Group]) -> Curves | None:
    metric, settings = "val_accuracy", tuned_rates.tried(groups)
    lines = []
    for label in sorted(settings):
        values = {rate: [*one.accuracies.values()] for rate, one in settings[label].items()}
        lines.append(_line(label, values, metric))
    title = f"{metric} at the last epoch by learning rate, mean and 95 % interval; diverged runs as guessing"
    return Curves(title, metric, tuple(lines[:_MOST_LINES]), along="learning rate", log_along=True)


def _training(groups: Sequence[Group]) -> Curves | None:
    name = _metric(groups).removeprefix("val_")
    if len(groups) > _MOST_PAIRS or not all(_has(group, f"train_{name}") for group in groups):
        return None
    parts = {"training": f"train_{name}", "validation": f"val_{name}"}
    lines = [plots.line(group, metric, part) for group in groups for part, metric in parts.items()]
    return Curves(f"{name} of the training and the validation part, mean and 95 % interval", name, tuple(lines))


def _gradients(groups: Sequence[Group]) -> Curves | None:
    columns = {id(group): [layer_numbers.column(run, "gradient", "start") for run in group.runs] for group in groups}
    deepest = max((len(run) for runs in columns.values() for run in runs), default=0)
    lines = []
    for group in sorted(groups, key=lambda group: group.label):
        runs = [run for run in columns[id(group)] if len(run) == deepest > 1]
        if runs and all(value and value > 0 for run in runs for value in run):
            layers = {float(i): list(values) for i, values in enumerate(zip(*runs, strict=True), start=1)}
            lines.append(_line(group.label, layers, "loss"))  # on the scale on which losses are told
    title = "gradient that enters each hidden layer (RMS) before the first step, mean and 95 % interval"
    return Curves(title, "gradient", tuple(lines[:_MOST_LINES]), along="hidden layer, 1 next to the input")


def _metric(groups: Sequence[Group]) -> str:
    return "val_accuracy" if all(_has(group, "val_accuracy") for group in groups) else "val_loss"


def _has(group: Group, metric: str) -> bool:
    return all(metric in (record.get("last") or {}) for record in group.used)


def _line(label: str, values: dict[float, list[float]], metric: str) -> Line:
    points = sorted(values)
    found = [estimate(values[point], metric=metric) for point in points]
    low, high = (
        [one.mean if limit is None else limit for one, limit in zip(found, limits, strict=True)]
        for limits in ([one.low for one in found], [one.high for one in found])
    )
    return Line(label, tuple(points), tuple(one.mean for one in found), tuple(low), tuple(high))
