"""Numbers about a run's layers as claims name them: "health:gradient:first/last", "health:factor", "lsuv:variance:max".

They come from the record, in run.json or a committed table, so that no health.csv is needed: what was measured at the
start, after 10 and 100 steps and at the end, of the hidden layers in the order of their calls, without the output one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

from kerasrun.analysis.patient import TINY, factor, layers_of
from kerasrun.errors import InputError, unknown

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "health": ("gradient", "gradient_ratio", "mean", "deviation", "zeros", "saturated", "dead"),
    "lsuv": ("variance", "rounds"),
}
_PLAIN = ("health:factor", "health:loss")  # one number a run
_POSITIVE = ("gradient", "gradient_ratio", "deviation", "variance", "factor", "loss")  # told apart by ratios
_HOW: Mapping[str, Callable[[Sequence[float]], float | None]] = {
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
    "mean": fmean,
    "size": lambda values: fmean(map(abs, values)),
    "min": min,
    "max": max,
    "first/last": lambda values: _ratio(values[0], values[-1]),
    "max/min": lambda values: _ratio(max(values), min(values)),
}

_OF_THE_ENDS = ("first", "last", "first/last")


def is_one(metric: str) -> bool:
    """Tell whether a metric is about layers."""
    return metric.startswith(tuple(f"{source}:" for source in COLUMNS))


def checked(metric: str) -> str:
    """Return a metric about layers as `value` takes it.

    Raises:
        InputError: it is none.
    """
    source, column, *how = metric.replace("-", "_").split(":")
    plain = [name.removeprefix(f"{source}:") for name in _PLAIN if name.startswith(source)]
    if column not in (*COLUMNS[source], *plain):
        raise unknown("number of a layer", column, [*COLUMNS[source], *plain])
    ways = [way for way in _HOW if "/" not in way or column != "mean"]  # a ratio needs numbers of one sign
    if (column in plain and how) or (column not in plain and (len(how) != 1 or how[0] not in ways)):
        wanted = f"{source}:{column}" if column in plain else f"{source}:{column}:HOW, HOW one of {', '.join(ways)}"
        raise InputError(f"metric '{metric}' is none\nwrite {wanted}")
    return ":".join((source, column, *how))


def is_ratio(metric: str) -> bool:
    """Tell whether values of a metric about layers are positive and told apart by ratios."""
    return metric.split(":")[1] in _POSITIVE


def value(record: Mapping[str, Any], metric: str, when: str) -> float | None:
    """Return a run's number about its layers; None where it was not measured, or has no meaning.

    Args:
        record: run.json, or a row of a committed table.
        metric: as `checked` returns it.
        when: "start", "step10", "step100" or "end"; of LSUV there is only the start.
    """
    source, name, how = (metric.split(":") + [""])[:3]
    layers = layers_of(record, when)
    if name == "factor":
        return factor(layers[:-1])
    if name == "loss":
        return layers[0]["loss"] if layers else None
    known = [row[name] for row in record.get("lsuv") or []] if source == "lsuv" else column(record, name, when)
    values = [number for number in known if number is not None]
    if not values or (how in _OF_THE_ENDS and None in (known[0], known[-1])):
        return None
    found = _HOW[how](values)
    return found if found is None or math.isfinite(found) else None


def column(record: Mapping[str, Any], name: str, when: str) -> list[float | None]:
    """Return a column of a run's hidden layers; empty where they were not measured."""
    return [row.get(name) for row in layers_of(record, when)[:-1]]


def _ratio(one: float, other: float) -> float | None:
    """Return a ratio of two numbers from 0 on; float32 ends near 1e-38, so that less than TINY is told as TINY."""
    return max(one / other, TINY) if other else None
