"""From a comparison to a picture of it: which kind, which curves and means, in which order, with which labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from kerasrun.analysis.charts import Chart, Curves, Heat, Line, Point, Points, Thread
from kerasrun.analysis.columns import MISSING, Record, written
from kerasrun.analysis.comparison import Comparison
from kerasrun.analysis.groups import Group
from kerasrun.analysis.moments import TIMES, curves, values_of
from kerasrun.analysis.statistics import estimate
from kerasrun.analysis.tables import rounded
from kerasrun.errors import InputError, shown
from kerasrun.run_record import TRAINED
from kerasrun.sweep_record import Axis

_MOST_LINES = 8  # that can be told apart
_LARGEST = 1e300  # above, no picture can be drawn
_MARKS = "mean and 95 % interval"


def plot(table: Comparison, kind: str = "auto", axes: Sequence[Axis] = ()) -> Chart:
    """Return the chart of a comparison: its rows, in its order.

    Args:
        table: whose rows are means or runs.
        kind: "curves", "bars", "heat" or "auto": curves of up to eight rows; of more a heat map, where they are a grid
            of two axes, else bars.
        axes: a sweep's, which keep together what it couples, in the order as written.

    Raises:
        InputError: nothing to draw, or rows that cannot be drawn so.
    """
    if not table.members:
        raise InputError("there is no run to draw; kerasrun runs lists all")
    groups = [member for member in table.members if isinstance(member, Group)]
    axes = _axes(groups, axes)
    if kind == "auto":
        few = len(table.rows) <= _MOST_LINES and _has_curve(table.metric)
        kind = "curves" if few else "heat" if len(axes) == 2 else "bars"
    if kind == "curves":
        return _curves(table, groups)
    if kind == "heat":
        return _heat(table, groups, axes)
    points = [_point(_label(group), [*group.results.values()], table.metric) for group in groups]
    if not groups:
        values = [row.get(table.metric) for row in table.rows]
        labels = _run_labels(table)
        points = [
            _point(label, [] if value is None else [value], table.metric)
            for label, value in zip(labels, values, strict=True)
        ]
    return Points(_title(table, _subject(table), groups, _MARKS), shown(table.metric), tuple(points))


def _has_curve(metric: str) -> bool:
    return not metric.startswith("test_") and metric not in TIMES


def _curves(table: Comparison, groups: Sequence[Group]) -> Curves:
    metric, records = table.metric, _records(table)
    if not _has_curve(metric):
        raise InputError(f"{metric} is one number a run and has no curve\nchoose --kind bars, or another --metric")
    if len(records) == 1:
        name = metric.removeprefix("val_").removeprefix("train_")
        parts = {"validation": f"val_{name}", "training": f"train_{name}"}
        found = curves(records[0])
        own = [_own_line(records[0], column, part) for part, column in parts.items() if values_of(found, column)]
        return Curves(_title(table, f"{name} of run {records[0]['id']}"), shown(name), tuple(own))
    if groups:
        lines = [line(group, metric) for group in groups]
    else:
        lines = [_own_line(*pair) for pair in zip(records, [metric] * len(records), _run_labels(table), strict=True)]
    return Curves(_title(table, metric, groups, _MARKS), shown(metric), tuple(lines))


def _heat(table: Comparison, groups: Sequence[Group], axes: Sequence[Axis]) -> Heat:
    if len(axes) != 2:
        names = " · ".join(",".join(axis.names) for axis in axes) or "none"
        raise InputError(f"a heat map has two axes, these rows have {len(axes)}: {names}\nchoose two: --by a,b")
    cells = {tuple(_words(axis.names, group.values) for axis in axes): group for group in groups}
    down, across = (
        tuple(_words(axis.names, dict(zip(axis.names, point, strict=True))) for point in axis.values) for axis in axes
    )
    found = [[cells.get((row, column)) for column in across] for row in down]
    return Heat(
        _title(table, _subject(table), groups, "mean"),
        (shown(", ".join(axes[0].names)), down),
        (shown(", ".join(axes[1].names)), across),
        tuple(tuple(_mean(group) for group in row) for row in found),
        tuple(tuple(_cell(group) for group in row) for row in found),
    )


def _axes(groups: Sequence[Group], axes: Sequence[Axis]) -> list[Axis]:
    """Return the axes that groups are a grid of, those with one point left out.

    A sweep's are as written; of other columns each is one: numbers rising, all else in the order of making.
    """
    names = list(groups[0].values) if groups else []
    found = [axis for axis in axes if set(axis.names) <= set(names)]
    oldest = sorted(groups, key=lambda group: min(record["created"] for record in group.runs))
    for name in names:
        if not any(name in axis.names for axis in found):
            values = [*{_words((name,), group.values): group.values[name] for group in oldest}.values()]
            if all(isinstance(value, int | float) for value in values):
                values = sorted(values)
            found.append(Axis((name,), tuple((value,) for value in values)))
    return [axis for axis in found if len(axis.values) > 1]


def _title(table: Comparison, what: str, groups: Sequence[Group] = (), marks: str = "") -> str:
    """Return on which data, what, and, where groups have several runs, what of them is marked."""
    datasets = {record["experiment"]["dataset"] for record in _records(table)}
    several = any(len(group.results) > 1 for group in groups)
    return " · ".join(map(shown, [*(datasets if len(datasets) == 1 else ()), what, *([marks] if several else [])]))


def _subject(table: Comparison) -> str:
    """Return the metric and its moment, which the table's title begins with."""
    return table.title.partition(" · ")[0]


def _records(table: Comparison) -> list[Record]:
    parts = [member.runs if isinstance(member, Group) else [member] for member in table.members]
    return [record for part in parts for record in part]


def _run_labels(table: Comparison) -> list[str]:
    """Return each run's id and what it differs in."""
    known = {"run", *(n for r in _records(table) for n in (*r["experiment"], *r["experiment"]["knobs"]))}
    names = [name for name in table.columns if name in known]
    return [shown(" ".join(written(row[name]) for name in names if row[name] is not None)) for row in table.rows]


def _words(names: Sequence[str], values: Mapping[str, Any]) -> str:
    """Return a point of an axis as it is written; a knob that its recipe does not know is none."""
    known = [values.get(name, MISSING) for name in names]
    return shown(" ".join(written(None if value is MISSING else value) for value in known))


def _label(group: Group) -> str:
    """Return a group's label with its number of runs, where there are several, and of those without a result."""
    ends = Counter(record["status"] for record in group.runs if record["status"] not in TRAINED)
    number = len(group.used)
    counts = [f"{number} run{'s' if number > 1 else ''}"] if number > 1 or (ends and number) else []
    counts += [f"{count} {status}" for status, count in ends.items()]
    return shown(group.label) + (f" ({', '.join(counts)})" if counts else "")


def _mean(group: Group | None) -> float | None:
    return fmean(group.results.values()) if group and group.results else None


def _cell(group: Group | None) -> str:
    """Return a cell's text: the mean, and how many diverged where some did."""
    mean = _mean(group)
    lines = [rounded(mean)] if mean is not None else []
    if group and group.diverged:
        lines.append(f"{len(group.diverged)}/{group.trained} div.")
    return "\n".join(lines) or ("–" if group else "")


def _point(label: str, values: Sequence[float], metric: str) -> Point:
    if not values:
        return Point(label, (), None, None, None)
    found = estimate(values, metric=metric)
    return Point(label, tuple(values), found.mean, found.low, found.high)


def line(group: Group, metric: str, part: str = "") -> Line:
    """Return a group's curve.

    Args:
        group: the runs.
        metric: a column of their epochs.
        part: what the label says of it in front.
    """
    own = [thread for thread in (_thread(record, metric) for record in group.used) if thread.values]
    common = min((len(thread.values) for thread in own), default=0)
    longer = [thread for thread in own if len(thread.values) > common]
    rests = [Thread(thread.epochs[common - 1 :], thread.values[common - 1 :]) for thread in longer]
    without = [_thread(record, metric) for record in group.runs if record["status"] not in TRAINED]
    means = [estimate(values, metric=metric) for values in zip(*(each.values[:common] for each in own), strict=True)]
    low, high = (
        tuple(each.mean if getattr(each, side) is None else getattr(each, side) for each in means)
        for side in ("low", "high")
    )
    band = (low, high) if len(own) > 1 else ((), ())
    threads = (*rests, *(thread for thread in without if thread.values))
    return Line(
        f"{part} {_label(group)}".strip(),
        own[0].epochs[:common] if own else (),
        tuple(e.mean for e in means),
        *band,
        threads,
    )


def _own_line(record: Record, metric: str, label: str) -> Line:
    thread = _thread(record, metric)
    if thread.ended:
        return Line(f"{label} ({record['status']})", (), (), threads=(thread,) if thread.values else ())
    return Line(label, thread.epochs, thread.values)


def _thread(record: Record, metric: str) -> Thread:
    found = curves(record)
    values = values_of(found, metric)
    length = next((i for i, value in enumerate(values) if not abs(value) < _LARGEST), len(values))
    ended = record["status"] not in TRAINED
    return Thread(tuple(found.get("epoch", [])[:length]), tuple(values[:length]), ended)
