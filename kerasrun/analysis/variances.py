"""How far a result is moved by the split, by the seed, and by which images happen to be in the validation part.

A two-way analysis of variance with random effects, one run a cell (Searle, Casella and McCulloch 1992): mean squares of
splits, of seeds and of what is left over give the variance of each. Each split has validation images of its own, so
that the sampling error of images is a part of the splits' variance, laid beside it by the binomial.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean

COLUMNS = ("source", "standard deviation", "share of the variance")


def table(values: Mapping[int, Mapping[int, float]], images: int) -> list[tuple[str, float, float | None]]:
    """Return what moves a share such as accuracy, in rows of COLUMNS; shares of split, seed and left over add up to 1.

    Args:
        values: split seed -> seed -> accuracy, 0 to 1; those of the seeds that every split has count.
        images: of the validation part.

    Raises:
        ValueError: fewer than two splits or two common seeds.
    """
    seeds = sorted(set.intersection(*map(set, values.values()))) if values else []
    grid = [[by_seed[seed] for seed in seeds] for by_seed in values.values()]
    splits, count = len(grid), len(seeds)
    if splits < 2 or count < 2:
        raise ValueError("variances need at least two splits and two seeds that all of them have")
    mean = fmean(map(fmean, grid))
    rows, columns = [fmean(row) for row in grid], [fmean(column) for column in zip(*grid, strict=True)]
    of_splits = count * sum((row - mean) ** 2 for row in rows) / (splits - 1)  # mean squares
    of_seeds = splits * sum((column - mean) ** 2 for column in columns) / (count - 1)
    rest = sum(
        (v - r - c + mean) ** 2 for row, r in zip(grid, rows, strict=True) for v, c in zip(row, columns, strict=True)
    )
    left = rest / ((splits - 1) * (count - 1))
    split, seed = max(0.0, of_splits - left) / count, max(0.0, of_seeds - left) / splits
    total = split + seed + left
    parts = {"split": split, "seed, alike on every split": seed, "seed, of its own on each split": left}
    found: list[tuple[str, float, float | None]] = [
        (name, math.sqrt(part), part / total if total else None) for name, part in parts.items()
    ]
    sampling = math.sqrt(mean * (1 - mean) / images)
    whole = math.sqrt(split + (seed + left) / count)
    return [
        *found,
        (f"images: sampling error of {images:,}; a part of the split's, known from {splits} splits", sampling, None),
        (f"mean of {count} seeds on one split, over other seeds", math.sqrt((seed + left) / count), None),
        (f"mean of {count} seeds on one split, over other splits, too", whole, None),
    ]
