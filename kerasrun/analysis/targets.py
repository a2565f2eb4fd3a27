"""How long it takes to reach a target: epochs and seconds until a metric is as good as a value, and stays so.

A run that never got there is an outcome: it is counted, and in the mean it stands with all the epochs that it had.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kerasrun import settings
from kerasrun.analysis import amounts, remarks
from kerasrun.analysis.columns import Columns, written
from kerasrun.analysis.comparison import Comparison, ordered
from kerasrun.analysis.groups import Against, Group, Groups, against
from kerasrun.analysis.means import Rules, decided, pairing, said_margin
from kerasrun.analysis.moments import Record, reached
from kerasrun.analysis.statistics import Estimate, Margin, estimate, wilson
from kerasrun.errors import InputError, shown
from kerasrun.literals import parse_value
from kerasrun.run_record import OUTCOMES

EPOCHS, SECONDS = "epochs_to_target", "seconds_to_target"


@dataclass(frozen=True)
class Target:
    """A value that a metric is to reach.

    Args:
        metric: a column of metrics.csv.
        value: what it is to reach.
        direction: "max" where more is better, else "min".
        found: epoch and seconds by run, once they were looked up.
    """

    metric: str
    value: float
    direction: str
    found: dict[int, tuple[float | None, float | None]] = field(default_factory=dict)

    def __str__(self) -> str:
        sign = "≥" if self.direction == "max" else "≤"
        return f"epochs until {self.metric} {sign} {self.value:g}, confirmed by the next"

    def of(self, record: Record) -> tuple[float | None, float | None]:
        """Return the epochs and the seconds in which a run got there; None, None where it never did."""
        if id(record) not in self.found:
            self.found[id(record)] = reached(record, self.metric, self.value, self.direction)
        return self.found[id(record)]

    def reader(self, records: Sequence[Record]) -> Callable[[Record], float | None]:
        """Return what reads a run's epochs: all that it had where it never got there, None where it has no end.

        Raises:
            InputError: the runs were not given the same number of epochs.
        """
        most = _budget(records)

        def read(record: Record) -> float | None:
            if record["status"] not in OUTCOMES:
                return None
            epoch = self.of(record)[0]
            return float(most if epoch is None else epoch)

        return read

    def columns(self) -> dict[str, Callable[[Record], float | None]]:
        """Return the columns of a table whose rows are runs."""
        return {EPOCHS: lambda record: self.of(record)[0], SECONDS: lambda record: self.of(record)[1]}


def parse(text: str, columns: Columns) -> Target:
    """Read "val_accuracy=0.88".

    Raises:
        InputError: no such form, or no such metric.
    """
    name, _, written = text.partition("=")
    value = parse_value(written)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"--until {shown(text)} is no target\nwrite METRIC=VALUE, as val_accuracy=0.88")
    metric = columns.named(name, "metric", only=[m for m in columns.metrics if not m.startswith("test_")])
    return Target(metric, float(value), settings.direction(metric))


def _budget(records: Sequence[Record]) -> int:
    """Return the epochs that every run was given.

    Raises:
        InputError: they are not the same; a run that was given fewer would look slower.
    """
    limits = sorted({record["experiment"].get("epochs") or 0 for record in records})
    if len(limits) > 1:
        listed = ", ".join(map(str, limits[:4]))
        raise InputError(f"--until needs runs of one length; these have epochs {listed}\n--where epochs={limits[-1]}")
    return limits[0]


@dataclass(frozen=True)
class _Row:
    group: Group
    estimate: Estimate | None
    against: Against | None
    epochs: Sequence[float | None]
    seconds: Sequence[float | None]

    @property
    def count(self) -> int:
        return sum(epoch is not None for epoch in self.epochs)

    def median(self, values: Sequence[float | None], most: float | None) -> str:
        """Return the median over all runs; "> 20" where it lies beyond the end."""
        known = sorted(value for value in values if value is not None)
        if 2 * len(known) <= len(self.epochs):
            return f"> {most:g}" if most is not None else ""
        middle = statistics.median(known + [float("inf")] * (len(values) - len(known)))
        return f"{round(middle, 2):g}" if most else f"{middle:.1f}"

    def exact(self, target: Target, most: int) -> dict[str, Any]:
        """Return every digit by column."""
        low, high = wilson(self.count, len(self.epochs))
        times = [second for second in self.seconds if second is not None]
        row = {name: amounts.plain(value) for name, value in self.group.values.items()}
        row |= {"metric": target.metric, "target": target.value, "n": len(self.epochs), "reached": self.count}
        row |= {"reached_low": low, "reached_high": high, "epochs_limit": most}
        row |= {name: getattr(self.estimate, name, None) for name in ("mean", "low", "high", "sd")}
        row |= {"median_seconds": statistics.median(times) if len(times) == len(self.epochs) > 0 else None}
        return row | amounts.compared(self.against)


def compare_targets(groups: Groups, bases: Mapping[int, Group], target: Target, rules: Rules) -> Comparison:
    """Return the table of groups by how soon they reach a target: those that reach it oftener first, then the faster.

    Args:
        groups: all groups; their results are epochs as the target's reader reads them.
        bases: the baseline of each, by its number.
        target: what is to be reached.
        rules: the margin, a share of the time.
    """
    most = _budget([record for group in groups.members for record in group.runs])
    everywhere = all(target.of(record)[0] is not None for group in groups.members for record in group.used)
    limit = rules.margin
    if not everywhere:
        base = [value for group in bases.values() for value in group.results.values()]
        limit = Margin(max(0.1, round(rules.margin.value * statistics.fmean(base or [1.0]), 1)))
    compared = against(groups, bases, margin=limit, direction="min")
    rows = []
    for number, group in enumerate(groups.members):
        values = [*group.results.values()]
        found = estimate(values, metric=EPOCHS) if values else None
        times = [target.of(record) for record in group.used]
        rows.append(_Row(group, found, compared.get(number), [t[0] for t in times], [t[1] for t in times]))
    order = ordered(
        [(-row.count / (len(row.epochs) or 1), row.estimate.mean) if row.estimate else None for row in rows]
    )
    rows = [rows[number] for number in order]
    words = (
        said_margin(limit)
        if everywhere
        else f"{limit.value:g} epochs, {said_margin(rules.margin)} of the baseline's mean"
    )
    title = [str(target), f"within {most} epochs", pairing(groups, compared), *decided(compared, words)]
    exact = [row.exact(target, most) for row in rows]
    notes = [f'a run that never got there counts as {most} epochs in the mean; "reached" says how many did']
    notes = [*([] if everywhere else notes), *remarks.lines(groups, compared)]
    return Comparison(EPOCHS, " · ".join(title), tuple(exact[0]), exact, _people(groups, rows, most), notes)


def _people(groups: Groups, rows: Sequence[_Row], most: int) -> tuple[tuple[str, ...], list[list[Any]]]:
    brackets = any(row.estimate and not row.estimate.is_symmetric for row in rows)
    columns: dict[str, list[Any]] = {name: [written(row.group.values[name]) for row in rows] for name in groups.by}
    columns["reached"] = [amounts.share(row.count, len(row.epochs)) for row in rows]
    columns["median"] = [row.median(row.epochs, most) for row in rows]
    columns[f"mean of min(epochs, {most})"] = [amounts.mean(row.estimate, 1, brackets=brackets) for row in rows]
    seconds = [row.median(row.seconds, None) for row in rows]
    columns |= amounts.columns([row.against for row in rows], 1, {"median s": seconds})
    return tuple(columns), [*map(list, zip(*columns.values(), strict=True))]
