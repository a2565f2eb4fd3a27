"""Which axis of a grid mattered: each axis's share of the variance, alone and with its interactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


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

    Args:
        values: point of the grid (one index per axis) -> seed -> value. Coupled axes are one axis.
        axes: their names.
        labels: per axis the text of each index, for the message; else numbers from 1.

    Raises:
        InputError: the grid is not complete (which cells are missing, which part of it is complete), has fewer than two
            seeds, or nothing varies.
        ValueError: a value is not finite.
    """
    raise NotImplementedError
