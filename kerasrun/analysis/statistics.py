"""Means over seeds, differences paired by seed, and what may be said of them: numbers in, numbers out.

The door to the statistics: everything that other modules need is imported from here. An interval answers "would other
seeds, on this split, with this program and budget, say the same?"; it says nothing about new data. Rules and reasons:
docs/statistics.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kerasrun.analysis.counts import fisher, holm, mcnemar, newcombe, sign_flip, wilson
from kerasrun.analysis.verdicts import Verdict, seeds_needed, verdict

__all__ = [
    "Difference", "Estimate", "Margin", "Verdict", "differences", "estimate", "fisher", "holm", "mcnemar", "newcombe",
    "seeds_needed", "sign_flip", "usual_margin", "verdict", "wilson",
]  # fmt: skip


@dataclass(frozen=True)
class Margin:
    """The smallest difference that matters, fixed before looking.

    Args:
        value: 0.005 is half a point of accuracy; with `relative`, 0.02 is 2 %.
        relative: whether it is a ratio, for losses and times.
    """

    value: float
    relative: bool = False


def usual_margin(metric: str) -> Margin:
    """Return 0.005 for metrics of which more is better (accuracy …), 2 % for losses and errors, 10 % for times."""
    raise NotImplementedError


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its interval.

    Args:
        n: number of values.
        mean: arithmetic mean.
        low: lower limit, None below two values and where all values are equal.
        high: upper limit, likewise.
        sd: standard deviation (n − 1); None below two values.
        scale: on which the interval is symmetric: "linear", "log" (losses, times), "log_odds" (shares near 0 or 1).
    """

    n: int
    mean: float
    low: float | None
    high: float | None
    sd: float | None
    scale: str


def estimate(values: Sequence[float], *, metric: str, level: float = 0.95) -> Estimate:
    """Return the mean of one setting's values over seeds, with its interval; never outside [0, 1] for shares.

    Raises:
        ValueError: no values, or one that is not finite.
    """
    raise NotImplementedError


@dataclass(frozen=True)
class Difference:
    """A difference of two settings over seeds; positive: the first is better, whatever the metric's direction.

    Ratios (`relative`) are told as shares, alike in both directions: +0.12, the other's value is 1.12 times as bad;
    −0.12, one's own is. So |share| < margin means the same on the log scale, where all was computed.

    Args:
        n: number of pairs; of Welch's test, seeds of the smaller group.
        mean: mean difference; None where there is none.
        low: lower limit of the interval at `level`; None where there is no interval.
        high: upper limit, likewise.
        p: two-sided, of this difference alone; None where nothing was tested. Never 0.
        p_adjusted: Holm's, for the family; the verdict goes by it.
        correlation: of the two settings over seeds; None where it has no meaning. Below 0 pairing did not help.
        sd: standard deviation of the differences (on the log scale if `relative`).
        method: "paired t", "Welch", "identical", "same difference" (sd 0: sign test), "one seed", "none".
        seeds_left_out: seeds that only one setting has, where the others are common.
        tost_low: lower limit of the interval at 1 − 2 alpha (90 %), of this difference alone, for equivalence.
        tost_high: upper limit, likewise.
        relative: whether the numbers are ratios told as shares.
        level: of low and high: 1 − alpha / size of the family (Bonferroni), so that all of them hold together.
    """

    n: int
    mean: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    correlation: float | None
    sd: float | None
    method: str
    seeds_left_out: tuple[int, ...]
    tost_low: float | None
    tost_high: float | None
    relative: bool
    level: float


def differences(
    pairs: Sequence[tuple[Mapping[int, float], Mapping[int, float]]],
    *,
    margin: Margin,
    direction: str,
    alpha: float = 0.05,
    resolution: float = 0.0,
) -> list[Difference]:
    """Return the differences of a family of pairs of settings, each setting as seed -> value.

    Args:
        pairs: (one, other); with a baseline, the other is the baseline.
        margin: tells whether differences or ratios are looked at.
        direction: "max" where more is better, "min" for losses and times.
        alpha: error budget of the whole family, two-sided.
        resolution: smallest step between two values (1 / validation images): a standard deviation below
            resolution / √12 is taken for that.

    Raises:
        ValueError: a value is not finite.
    """
    raise NotImplementedError
