"""What a picture shows, as numbers and texts: learning curves, one mean a group, or one cell a point of a grid.

`plots` decides what is drawn, `pictures` draws it as PNG or SVG, `drawings` in a terminal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

from kerasrun.analysis.tables import rounded
from kerasrun.errors import InputError


@dataclass(frozen=True)
class Thread:
    """A single run's curve, drawn thin.

    Args:
        epochs: from 1.
        values: of the metric, up to the first that is not finite.
        ended: whether the run ended there without a result, as one that diverged.
    """

    epochs: tuple[float, ...]
    values: tuple[float, ...]
    ended: bool = False


@dataclass(frozen=True)
class Line:
    """A group's curve.

    Args:
        label: the group, and how many runs of it ended in which way.
        epochs: from 1 to the last that all runs with a result reached; beyond, a mean would be of those that went on.
            Of other curves, where along the axis its means are.
        mean: over the runs with a result.
        low: lower limit of the 95 % interval; empty where the line is of one run.
        high: upper limit, likewise.
        threads: what runs went on to, and the runs without a result.
    """

    label: str
    epochs: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    threads: tuple[Thread, ...] = ()


@dataclass(frozen=True)
class Curves:
    """Learning curves, or others.

    Args:
        title: what they are.
        metric: of the axis upwards.
        lines: the curves.
        along: of the other axis.
        log_along: whether that is logarithmic.
    """

    title: str
    metric: str
    lines: tuple[Line, ...]
    along: str = "epoch"
    log_along: bool = False


@dataclass(frozen=True)
class Point:
    """A group's mean.

    Args:
        label: the group, and how many runs of it ended in which way.
        values: each run's.
        mean: None where no run has a result.
        low: lower limit of the 95 % interval; None where there is none.
        high: upper limit, likewise.
    """

    label: str
    values: tuple[float, ...]
    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Points:
    """Means with intervals.

    Points, not bars: a bar tells its value by its length and so has to begin at zero, where a point of accuracy cannot
    be seen; begun elsewhere, it tells untrue ratios.
    """

    title: str
    metric: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Heat:
    """Means over two axes of a grid; names that one axis couples stay together.

    Args:
        title: what the numbers are.
        rows: what the rows differ in, and the label of each.
        columns: likewise.
        means: by row and column; None where there is no result.
        texts: what is written into the cells; empty where there is no run.
    """

    title: str
    rows: tuple[str, tuple[str, ...]]
    columns: tuple[str, tuple[str, ...]]
    means: tuple[tuple[float | None, ...], ...]
    texts: tuple[tuple[str, ...], ...]


Chart = Curves | Points | Heat


def span(chart: Curves | Points, *, log: bool = False) -> tuple[float, float]:
    """Return the limits of the metric's axis.

    All means and runs with a result lie inside. An interval of two seeds may reach beyond, by as much as all of these
    take, and a run that diverged takes no part, where there are others.

    Args:
        chart: what is drawn.
        log: whether the axis is logarithmic.

    Raises:
        InputError: there is nothing to draw, or a value that has no logarithm.
    """
    if isinstance(chart, Points):
        inside = [value for point in chart.points for value in point.values]
        limits = [v for point in chart.points for v in (point.low, point.high) if v is not None]
    else:
        threads = [thread for line in chart.lines for thread in line.threads]
        inside = [v for line in chart.lines for v in line.mean]
        inside += [v for thread in threads if not thread.ended for v in thread.values]
        limits = [v for line in chart.lines for v in (*line.low, *line.high)]
        ended = [v for thread in threads if thread.ended for v in thread.values]
        inside = inside or [v for v in ended if v <= 10 * abs(median(ended))]
    if not inside:
        raise InputError(f"none of these runs has a value of {chart.metric}; kerasrun runs lists their statuses")
    if log and min(inside) <= 0:
        raise InputError(f"{chart.metric} is {rounded(min(inside))} somewhere, which has no logarithm\nleave out --log")
    if log:
        inside, limits = [*map(math.log10, inside)], [math.log10(v) for v in limits if v > 0]
    low, high = min(inside), max(inside)
    room = (high - low) or abs(high) * 0.1 or 0.1
    low, high = max(min([low, *limits]), low - room), min(max([high, *limits]), high + room)
    low, high = low - 0.04 * room, high + 0.04 * room
    return (10**low, 10**high) if log else (low, high)
