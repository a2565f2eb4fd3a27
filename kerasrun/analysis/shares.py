"""Which axis of a grid mattered: each axis's share of the variance, alone and with its interactions.

An analysis of variance without p values: sums of squares of a full grid, with the seeds as blocks, turned into omega
squared (Hays 1963), which unlike a plain share of the sum of squares is near 0 for an axis that does nothing.
First-order and total share are those of Sobol (1993) and of Homma and Saltelli (1996), for the grid's own values.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kerasrun.errors import InputError

_FEWEST_SEEDS = 5  # for an interval
_LEVEL = 0.95
_NAMED = 3  # so many missing cells are named, more are counted
_TRIED = 5000  # sub-grids looked at for a complete one

Kept = tuple[tuple[int, ...], ...]  # indices of each axis, last those of the seeds


@dataclass(frozen=True)
class Share:
    """A share of the variance of one grid; it depends on the values chosen for the axes.

    Args:
        axis: name of the axis, "interactions", "seed" or "left over".
        first: share of the axis alone (omega squared, at least 0).
        total: with all its interactions; equal to `first` for the last three rows.
        low: lower limit of the interval of `first` (95 %, over seeds); None below five seeds.
        high: upper limit, likewise.
    """

    axis: str
    first: float
    total: float
    low: float | None
    high: float | None


def shares(
    values: Mapping[tuple[int, ...], Mapping[int, float]],
    axes: Sequence[str],
    *,
    labels: Sequence[Sequence[str]] | None = None,
) -> list[Share]:
    """Return the share of each axis, then of "interactions", "seed" and "left over".

    The intervals come from leaving out one seed after the other (jackknife, Student's t): resampling seeds with
    replacement covers 80 % at five seeds where this covers 94 %.

    Args:
        values: point of the grid (one index per axis) -> seed -> value. Coupled axes are one axis.
        axes: their names.
        labels: per axis the text of each index, for the message; else numbers from 1.

    Raises:
        InputError: the grid is not complete (which cells are missing, which part of it is complete), has fewer than two
            points or seeds, or nothing varies.
        ValueError: a value is not finite.
    """
    import numpy as np

    grid = _array(values, axes, labels)  # (points of axis 1, …, points of axis k, seeds)
    seeds = grid.shape[-1]
    if seeds < 2 or grid.size == seeds:
        raise InputError("shares of variance need at least two points of the grid and two seeds")
    if np.ptp(grid) <= 3e-7 * abs(grid).max():
        raise InputError("all values are equal: there is no variance to share out")
    first, total = _omega(grid)
    low: Any = [None] * len(first)
    high: Any = [None] * len(first)
    if seeds >= _FEWEST_SEEDS:
        low, high = _jackknife(grid, first)
    names = [*axes, "interactions", "seed", "left over"]
    rows = zip(names, np.clip(first, 0, 1), np.clip(np.maximum(first, total), 0, 1), low, high, strict=True)
    return [Share(name, float(one), float(all_), below, above) for name, one, all_, below, above in rows]


def _omega(grid: Any) -> tuple[Any, Any]:
    """Return first-order and total omega squared of each axis, of the interactions, the seeds and what is left over.

    Not floored: without floors the axes, the interactions, the seeds and what is left over add up to 1.
    """
    import numpy as np

    axes, seeds, cells = grid.ndim - 1, grid.shape[-1], grid[..., 0].size
    grid = grid - grid.mean()

    def squares(*kept: int) -> float:  # sum of squares of the means over all but some axes
        means = grid.mean(axis=tuple(axis for axis in range(axes + 1) if axis not in kept))
        return float(np.square(means).sum() * grid.size / means.size)

    of_all, of_cells, of_seeds = squares(*range(axes + 1)), squares(*range(axes)), squares(axes)
    residual = max(0.0, of_all - of_cells - of_seeds) / ((cells - 1) * (seeds - 1))  # mean square
    points = grid.shape[:-1]
    alone = [squares(axis) - (points[axis] - 1) * residual for axis in range(axes)]
    without = [squares(*(other for other in range(axes) if other != axis)) for axis in range(axes)]
    total = [of_cells - without[axis] - (cells - cells // points[axis]) * residual for axis in range(axes)]
    rest = [
        of_cells - (cells - 1) * residual - sum(alone),
        of_seeds - (seeds - 1) * residual,
        grid.size * residual,
    ]
    return np.array([alone + rest, total + rest]) / (of_all + residual)


def _jackknife(grid: Any, first: Any) -> tuple[list[float], list[float]]:
    """Return 95 % limits from the shares without each of the seeds (Tukey 1958), cut off at 0 and 1."""
    import numpy as np
    from scipy.special import stdtrit

    seeds = grid.shape[-1]
    left_out = np.array([_omega(np.delete(grid, seed, axis=-1))[0] for seed in range(seeds)])  # (seeds, rows)
    error = np.sqrt((seeds - 1) * left_out.var(axis=0))
    half = stdtrit(seeds - 1, (1 + _LEVEL) / 2) * error
    return np.clip(first - half, 0, 1).tolist(), np.clip(first + half, 0, 1).tolist()


def _array(
    values: Mapping[tuple[int, ...], Mapping[int, float]],
    axes: Sequence[str],
    labels: Sequence[Sequence[str]] | None,
) -> Any:
    """Return the values as an array, seeds last.

    Raises:
        InputError: a cell is missing.
        ValueError: a value is not finite.
    """
    import numpy as np

    indices = [sorted({point[axis] for point in values}) for axis in range(len(axes))]
    seeds = sorted({seed for cell in values.values() for seed in cell})
    cells = [*itertools.product(*indices)]
    rows = [[values.get(cell, {}).get(seed, math.nan) for seed in seeds] for cell in cells]
    if not all(math.isfinite(value) for cell in values.values() for value in cell.values()):
        raise ValueError("a value is not finite")
    grid = np.array(rows, dtype=float).reshape(*map(len, indices), len(seeds))
    if np.isnan(grid).any():
        texts = [[labels[axis][i] if labels else str(i + 1) for i in kept] for axis, kept in enumerate(indices)]
        raise _incomplete(~np.isnan(grid), [*axes, "seed"], [*texts, [*map(str, seeds)]])
    return grid


def _incomplete(present: Any, names: Sequence[str], texts: Sequence[Sequence[str]]) -> InputError:
    """Return the error for a grid with gaps: which cells are missing, and what to leave out."""
    import numpy as np

    def spelled(cell: Sequence[int]) -> str:
        return " ".join(f"{name}={text[i]}" for name, text, i in zip(names, texts, cell, strict=True))

    gaps = np.argwhere(~present)
    named = ", ".join(spelled(cell) for cell in gaps[:_NAMED])
    more = f" and {len(gaps) - _NAMED} more" if len(gaps) > _NAMED else ""
    kept = _largest_complete(present)
    advice = "leave out values or seeds until it is full"
    if kept:
        dropped = [
            f"{name}={','.join(text[i] for i in range(len(text)) if i not in those)}"
            for name, text, those in zip(names, texts, kept, strict=True)
            if len(those) < len(text)
        ]
        advice = f"its largest complete part ({_volume(kept)} runs) leaves out {' and '.join(dropped)}"
    missing = f"{len(gaps)} of {present.size} runs are missing or have no result"
    return InputError(f"shares of variance need a full grid; {missing}: {named}{more}\n{advice}")


def _largest_complete(present: Any) -> Kept | None:
    """Return the largest sub-grid without gaps, with at least two points and two seeds; None where none is found.

    The largest candidate first: a gap is closed by leaving out one of its coordinates, so the first candidate without
    gaps is the largest of all.
    """
    import numpy as np

    start: Kept = tuple(tuple(range(size)) for size in present.shape)
    queue, seen = [(-_volume(start), start)], {start}
    while queue and len(seen) < _TRIED:
        _, kept = heapq.heappop(queue)
        gaps = np.argwhere(~present[np.ix_(*kept)])
        if not len(gaps):
            return kept
        children = []
        for axis, those in enumerate(kept):
            fewer = tuple(i for place, i in enumerate(those) if place != gaps[0][axis])
            child = (*kept[:axis], fewer, *kept[axis + 1 :])
            if len(child[-1]) >= 2 and math.prod(map(len, child[:-1])) >= 2 and child not in seen:
                children.append(child)
        seen.update(children)
        for child in children:
            heapq.heappush(queue, (-_volume(child), child))
    return None


def _volume(kept: Kept) -> int:
    return math.prod(map(len, kept))
