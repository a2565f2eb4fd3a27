"""Learning rates that change from epoch to epoch, by name: what they accept and what rate they give.

Pure arithmetic, one rate an epoch, epochs counted from 0; `plateau` alone depends on the run and is a callback.
"""

from __future__ import annotations

import math
from typing import Any

from kerasrun.errors import InputError, shown, unknown
from kerasrun.literals import format_call, parse_call

SCHEDULES: dict[str, dict[str, Any]] = {
    "constant": {},
    "drops": {"at": [10], "factor": 0.1},
    "step": {"every": 10, "factor": 0.5},
    "exponential": {"rate": 0.95},
    "cosine": {"warmup": 0},
    "plateau": {"patience": 2, "factor": 0.5},
}
_COUNTS = {"every": 1, "warmup": 0, "patience": 0}  # whole numbers and their smallest value; the rest are in (0, 1]


def parse_schedule(text: str) -> str:
    """Return the canonical spelling of a schedule: "step(every=10)" -> "step(every=10, factor=0.5)".

    Raises:
        InputError: unknown name or argument, or a value out of range.
    """
    return format_call(*_name_and_arguments(text))


def plateau_arguments(schedule: str) -> dict[str, Any] | None:
    """Return patience (epochs) and factor of a plateau schedule, None for every other schedule."""
    name, arguments = _name_and_arguments(schedule)
    return arguments if name == "plateau" else None


def learning_rate(schedule: str, base: float, epoch: int, epochs: int) -> float:
    """Return the rate of one epoch.

    Args:
        schedule: canonical spelling; `plateau` counts as constant here.
        base: the optimizer's own rate.
        epoch: from 0.
        epochs: all epochs of the run; only `cosine` depends on it (Loshchilov and Hutter 2017, without restarts).
    """
    name, arguments = _name_and_arguments(schedule)
    if name == "step":
        return base * arguments["factor"] ** (epoch // arguments["every"])
    if name == "drops":
        return base * arguments["factor"] ** sum(epoch >= at for at in arguments["at"])
    if name == "exponential":
        return base * arguments["rate"] ** epoch
    if name == "cosine":
        warmup = arguments["warmup"]
        if epoch < warmup:
            return base * (epoch + 1) / (warmup + 1)
        return base * 0.5 * (1 + math.cos(math.pi * (epoch - warmup) / max(1, epochs - warmup)))
    return base


def _name_and_arguments(text: str) -> tuple[str, dict[str, Any]]:
    name, given = parse_call(str(text))
    name = name.replace("-", "_").lower()
    if name not in SCHEDULES:
        raise unknown("schedule", name, SCHEDULES)
    for key in given:
        if key not in SCHEDULES[name]:
            raise unknown(f"argument of schedule {name}", key, SCHEDULES[name])
    return name, SCHEDULES[name] | {key: _checked(name, key, value) for key, value in given.items()}


def _checked(name: str, key: str, value: object) -> Any:
    """Return an argument's value in its type: int, float or, for epochs, a list of int."""
    if key == "at":
        epochs: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
        if not epochs or any(type(e) is not int or e < 1 for e in epochs) or sorted({*epochs}) != epochs:
            raise InputError(f"schedule {name}: at={shown(value)} must be epochs from 1 on, rising, as at=[30, 60]")
        return epochs
    least = _COUNTS.get(key)
    number = math.nan if isinstance(value, bool) or not isinstance(value, int | float) else value
    if least is None:
        if name == "plateau" and number == 1:
            raise InputError(f"schedule {name}: {key}={shown(value)} must be a number above 0 and below 1")
        if not 0 < number <= 1:
            raise InputError(f"schedule {name}: {key}={shown(value)} must be a number above 0 and at most 1")
        return float(number)
    if not least <= number < math.inf or number != int(number):
        raise InputError(f"schedule {name}: {key}={shown(value)} must be a whole number from {least} on (epochs)")
    return int(number)
