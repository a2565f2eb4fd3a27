"""What tuning the learning rate does for each setting: the best rate, how sure it is, how wide the good ones are.

The best rate has the lowest mean validation loss over the seeds, a run that diverged being the worst, and of equals the
smaller one. The accuracy expected after trying so many rates, drawn from the grid without repetition, is that of the
best of them (Dodge et al. 2019, Show your work): it tells what equal effort gives.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from kerasrun.analysis import moments
from kerasrun.analysis.groups import Group, called

FEWEST = 4  # rates
TRIED = range(1, 10)
COLUMNS = ("setting", "best rate", "accuracy", "best in", "within a point", *(f"after {k}" for k in TRIED))
_POINT = 0.01


@dataclass(frozen=True)
class Tried:
    """One setting at one rate.

    Args:
        losses: validation loss by seed, infinite where the run diverged.
        accuracies: validation accuracy by seed, that of guessing where it diverged.
    """

    losses: Mapping[int, float]
    accuracies: Mapping[int, float]


def tried(groups: Sequence[Group]) -> dict[str, dict[float, Tried]]:
    """Return each setting's rates; empty where fewer than four rates are varied, or nothing is classified."""
    rated = [group for group in groups if isinstance(group.values.get("learning_rate"), int | float)]  # else its own
    if len({group.values["learning_rate"] for group in rated}) < FEWEST:
        return {}
    found: dict[str, dict[float, Tried]] = {}
    for group in rated:
        label = called({name: value for name, value in group.values.items() if name != "learning_rate"})
        losses = {r["experiment"]["seed"]: moments.value(r, "val_loss", moments.LAST) for r in group.runs}
        known = {r["experiment"]["seed"]: _accuracy(r) for r in group.runs}
        accuracies = {seed: value for seed, value in known.items() if value is not None}
        if len(accuracies) == len(group.runs):
            worst = {seed: math.inf if loss is None else loss for seed, loss in losses.items()}
            found.setdefault(label or "all", {})[group.values["learning_rate"]] = Tried(worst, accuracies)
    return found


def table(settings: Mapping[str, Mapping[float, Tried]]) -> list[tuple[Any, ...]]:
    """Return a row of COLUMNS for each setting, the best first.

    Args:
        settings: as `tried` returns them.
    """
    rows = []
    for label, rates in settings.items():
        means = {rate: fmean(one.accuracies.values()) for rate, one in rates.items()}
        best = _best({rate: fmean(one.losses.values()) for rate, one in rates.items()})
        seeds = sorted(set.intersection(*(set(one.losses) for one in rates.values())))
        winners = [_best({rate: one.losses[seed] for rate, one in rates.items()}) for seed in seeds]
        good = [rate for rate in sorted(means) if means[rate] >= max(means.values()) - _POINT]
        expected = [expected_best([*means.values()], k) if k <= len(means) else None for k in TRIED]
        rows.append(
            (label, best, means[best], f"{winners.count(best)} of {len(seeds)} seeds", f"{good[0]:g} to {good[-1]:g}",
             *expected)
        )  # fmt: skip
    return sorted(rows, key=lambda row: -row[2])


def expected_best(values: Sequence[float], k: int) -> float:
    """Return the mean of the largest of k values, over all choices of k different ones."""
    falling, n = sorted(values, reverse=True), len(values)
    return sum(value * math.comb(n - i, k - 1) for i, value in enumerate(falling, start=1)) / math.comb(n, k)


def _best(losses: Mapping[float, float]) -> float:
    return min(sorted(losses), key=lambda rate: losses[rate])


def _accuracy(record: moments.Record) -> float | None:
    if record["status"] == "diverged":
        return (record.get("data") or {}).get("chance")
    return moments.value(record, "val_accuracy", moments.LAST)
