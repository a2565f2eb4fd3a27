"""What a tuning may choose from: ranges and lists of values, as a person writes them.

learning_rate=0.0001..1:log     a number, evenly on a log scale
dropout=0..0.5                  a number
hidden=10..300                  a whole number, where both ends are
activation=relu,tanh            one of these
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerasrun import experiment_file
from kerasrun.errors import InputError, shown
from kerasrun.experiment import Experiment, identity, resolve
from kerasrun.literals import written
from kerasrun.run_folder import plain
from kerasrun.settings import direction
from kerasrun.sweeps import axes

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*(:\s*log)?\s*")


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; whole ones where both are int.

    Args:
        low: the smallest.
        high: the largest.
        log: whether they are drawn evenly on the log scale.
    """

    low: float
    high: float
    log: bool = False

    @property
    def ends(self) -> tuple[float, float]:
        """What is checked before anything trains."""
        return self.low, self.high


@dataclass(frozen=True)
class Choices:
    """Values as written, in any order."""

    values: tuple[str, ...]

    @property
    def ends(self) -> tuple[str, ...]:
        """What is checked before anything trains."""
        return self.values


@dataclass(frozen=True)
class Search:
    """An experiment and what is searched through.

    Args:
        name: the file's stem, else the dataset's name.
        dataset: as `experiment.resolve` takes it.
        fixed: what has one value on the command line.
        in_file: what the experiment file says.
        space: a range or choices for each name that is tuned.
        default: the experiment with none of them set.
        metric: the column that is optimized.
        direction: "max" or "min".
    """

    name: str
    dataset: str | None
    fixed: Mapping[str, Any]
    in_file: Mapping[str, Any]
    space: Mapping[str, Range | Choices]
    default: Experiment
    metric: str
    direction: str

    @property
    def id(self) -> str:
        """The name and four digits that follow from the experiment, the space and the metric."""
        space = {name: repr(part) for name, part in self.space.items()}
        asked = json.dumps([identity(self.default, ""), space, self.metric], sort_keys=True)
        return f"{self.name}-{hashlib.sha256(asked.encode()).hexdigest()[:4]}"

    def experiment(self, point: Mapping[str, Any]) -> Experiment:
        """Return the experiment with some values of the space.

        Raises:
            InputError: they cannot be.
        """
        return resolve(self.dataset, {**self.fixed, **point}, written=self.in_file)


def plan(dataset: str | None, given: Mapping[str, Any], *, file: Path | None, metric: str | None = None) -> Search:
    """Read what is searched through, and check its ends.

    Args:
        dataset: as `experiment.resolve` takes it.
        given: settings and knobs: ranges and lists of choices are tuned, single values are fixed.
        file: an experiment file, which may have a table [search] of the same.
        metric: the column to optimize; what the best epoch is judged by without.

    Raises:
        InputError: nothing is tuned, a range that is none, or a value that cannot be.
    """
    in_file, varied = experiment_file.read_sweep(file) if file else ({}, {})
    searched = varied.pop("search", {})
    if file and varied:
        raise experiment_file.elsewhere(file, varied)
    if not isinstance(searched, dict):
        raise InputError('search is a table: write [search] and below it a line for each, as dropout = "0..0.5"')
    space: dict[str, Range | Choices] = {}
    fixed: dict[str, Any] = {}
    for name, value in {**searched, **given}.items():
        part = _part(name.replace("-", "_"), value)
        if part is not None:
            space[name.replace("-", "_")] = part
        else:
            fixed[name] = value
            space.pop(name, None)
    if not space:
        raise InputError("nothing to tune: give ranges or choices, as learning_rate=0.0001..1:log activation=relu,tanh")
    default = resolve(dataset, fixed, written=in_file)
    columns = [f"val_{name}" for name in ("loss", *default.metric_names)]
    if metric is not None and metric.replace("-", "_") not in columns:
        raise InputError(f"metric={shown(metric)} cannot be tuned\nknown: {', '.join(columns)}")
    column = metric.replace("-", "_") if metric else default.monitored[0]
    search = Search(
        plain(file.stem if file else default.entry.task.name) or "tuning", dataset, fixed, in_file, space, default,
        column, default.monitored[1] if column == default.monitored[0] else direction(column),
    )  # fmt: skip
    first = {name: part.ends[0] for name, part in space.items()}
    for name, part in space.items():
        for end in part.ends:
            search.experiment({**first, name: end})
    return search


def _part(name: str, value: Any) -> Range | Choices | None:
    """Return a range or choices; None for a single value.

    Raises:
        InputError: the ends of a range are in the wrong order, a log range that reaches 0, or names that are coupled.
    """
    if "," in name:
        raise InputError(
            f"{shown(name)}: names joined by commas vary together in a sweep; a tuning searches each of them alone\n"
            f"write {' '.join(f'{shown(part)}=…' for part in name.split(','))}"
        )
    match = _RANGE.fullmatch(value) if isinstance(value, str) else None
    if match:
        is_whole = all(re.fullmatch(r"[-+]?\d+", end) for end in match.group(1, 2))
        low, high = (int(end) if is_whole else float(end) for end in match.group(1, 2))
        if not low < high or not math.isfinite(high - low) or (match[3] and low <= 0):
            raise InputError(
                f"{name}={shown(value)}: write a range from low to high, as 10..300, above 0 for 0.0001..1:log"
            )
        return Range(low, high, bool(match[3]))
    fixed, several = axes.split({name: value})
    if not several:
        return None
    return Choices(tuple(written(point[name]) for point in several[0]))
