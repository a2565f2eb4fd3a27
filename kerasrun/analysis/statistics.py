"""Means over seeds and differences paired by seed: numbers in, numbers out.

The door to the statistics: everything that other modules need is imported from here, but for the words (verdicts.py).
An interval answers "would other seeds, on this split, with this program and budget, say the same?"; it says nothing
about new data. Rules and reasons: docs/statistics.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from kerasrun.analysis.counts import fisher, holm, mcnemar, sign_flip, wilson
from kerasrun.analysis.student import Comparison, deviation, paired, quantile, spread, unpaired
from kerasrun.errors import InputError

__all__ = [
    "Difference", "Estimate", "Margin", "differences", "estimate", "fisher", "holm", "is_share", "mcnemar",
    "sign_flip", "usual_margin", "wilson",
]  # fmt: skip

_SHARES = ("accuracy", "auc", "precision", "recall", "f1", "fbeta", "io_u", "iou", "sensitivity", "specificity")
_ABSOLUTE = (*_SHARES, "r2", "cosine_similarity", "correlation")
_TIMES = ("seconds", "epochs", "steps")
_ROUNDING = 3e-7  # values are float32: what differs by less, in relation to them, differs by rounding
_LARGEST_LOG = 700.0  # exp of more overflows
_NEAR_ONE = 0.98  # above, and within so many standard errors of chance, shares have no symmetric interval
_ERRORS_OF_CHANCE = 3


@dataclass(frozen=True)
class Margin:
    """The smallest difference that matters, fixed before looking.

    Args:
        value: 0.005 is half a point of accuracy; with `relative`, 0.02 is 2 %.
        relative: whether it is a ratio, for losses and times.

    Raises:
        InputError: the value is below 0 or not finite.
    """

    value: float
    relative: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.value < math.inf:
            raise InputError(f"margin={self.value} is none\nwrite the smallest difference that matters, 0 or more")


def usual_margin(metric: str) -> Margin:
    """Return 0.005 for accuracy and its like, 10 % for times, 2 % for losses, errors and all else.

    Args:
        metric: a column as "val_accuracy" or "epoch_seconds".
    """
    if any(name in metric for name in _ABSOLUTE):
        return Margin(0.005)
    return Margin(0.10 if any(name in metric for name in _TIMES) else 0.02, relative=True)


def is_share(metric: str) -> bool:
    """Tell whether a metric lies in [0, 1] by its name."""
    return any(name in metric for name in _SHARES)


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its interval.

    Args:
        n: number of values.
        mean: arithmetic mean.
        low: lower limit, None below two values and where all values are equal.
        high: upper limit, likewise.
        sd: standard deviation (n − 1); None below two values.
        scale: on which the interval is symmetric, unless it is cut off: "linear", "log" (losses, times), "log_odds"
            (shares near 0 or 1).
    """

    n: int
    mean: float
    low: float | None
    high: float | None
    sd: float | None
    scale: str

    @property
    def is_symmetric(self) -> bool:
        """Whether both limits are as far from the mean, so that one number tells them."""
        if self.low is None or self.high is None:
            return True
        return self.scale == "linear" and math.isclose(self.high - self.mean, self.mean - self.low, rel_tol=1e-6)


def estimate(values: Sequence[float], *, metric: str, level: float = 0.95, chance: float | None = None) -> Estimate:
    """Return the mean of one setting's values over seeds, with Student's interval.

    For losses and times the interval is symmetric on the log scale. For shares it is so on the log-odds scale where it
    would leave [0, 1], the mean is above 0.98, or within three standard errors of chance: both by the delta method, so
    that the mean lies inside and a value of exactly 1 needs no correction.

    Args:
        values: one a seed.
        metric: a column as "val_accuracy"; it tells the scale.
        level: of the interval, not corrected for looking at several.
        chance: what guessing reaches, for shares.

    Raises:
        ValueError: no values, or one that is not finite.
    """
    _check(values)
    n, mean = len(values), fmean(values)
    if n < 2 or spread(values) <= _ROUNDING * max(map(abs, values)):
        return Estimate(n, mean, None, None, None if n < 2 else 0.0, "linear")
    sd = deviation(values)
    error = sd / math.sqrt(n)
    half = quantile(n - 1, level) * error
    if is_share(metric) and min(values) >= 0 and max(values) <= 1:
        at_chance = chance is not None and abs(mean - chance) < _ERRORS_OF_CHANCE * error
        if mean > _NEAR_ONE or mean - half < 0 or mean + half > 1 or at_chance:
            odds, wide = math.log(mean / (1 - mean)), half / (mean * (1 - mean))
            return Estimate(n, mean, _expit(odds - wide), _expit(odds + wide), sd, "log_odds")
    elif usual_margin(metric).relative and min(values) > 0:
        factor = math.exp(min(_LARGEST_LOG, half / mean))
        return Estimate(n, mean, mean / factor, mean * factor, sd, "log")
    largest = 1.0 if not usual_margin(metric).relative and max(values) <= 1 else math.inf  # r2 has no least value
    return Estimate(n, mean, mean - half, min(largest, mean + half), sd, "linear")


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
        method: "paired t", "Welch", "crossed" (over seeds and images), "identical", "same difference" (sd 0: sign
            test), "one seed", "none".
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
    bounded: bool = False,
    errors: Mapping[int, tuple[float, float]] | None = None,
) -> list[Difference]:
    """Return the differences of a family of pairs of settings, each setting as seed -> value.

    Equal sets of seeds, or at least two common ones, are paired (Student's t: valid however much the two go together);
    disjoint sets are not (Welch's t). All equal differences have no interval: their p is that of the signs.

    Args:
        pairs: (one, other); with a baseline, the other is the baseline.
        margin: tells whether differences or ratios are looked at.
        direction: "max" where more is better, "min" for losses and times.
        alpha: error budget of the whole family, two-sided.
        resolution: smallest step between two values (1 / validation images): a standard deviation below
            resolution / √12 is taken for that. Not for ratios.
        bounded: whether values lie in [0, 1] (`is_share`), so that limits beyond ±1 are cut off.
        errors: standard error and degrees of freedom of pairs, by their number, where they count more than the seeds.

    Raises:
        ValueError: a value is not finite.
    """
    sign = {"max": 1.0, "min": -1.0}[direction]
    compared = [_compared(one, other, sign, margin.relative, resolution) for one, other in pairs]
    compared = [one.with_error(*(errors or {}).get(index, (0.0, 0.0))) for index, one in enumerate(compared)]
    family = [index for index, one in enumerate(compared) if one.p is not None]
    adjusted = dict(zip(family, holm([compared[index].p or 1.0 for index in family]), strict=True))
    level = 1 - alpha / max(1, len(family))
    found = []
    for index, (one, other) in enumerate(pairs):
        this, identical = compared[index], compared[index].method == "identical"
        low, high = _limits(this, level, margin.relative, bounded)
        tost_low, tost_high = _limits(this, 1 - 2 * alpha, margin.relative, bounded)
        found.append(
            Difference(
                n=this.n, mean=None if this.mean is None else _told(this.mean, margin.relative), low=low, high=high,
                p=None if identical else this.p, p_adjusted=None if identical else adjusted.get(index),
                correlation=this.correlation, sd=this.sd, method=this.method,
                seeds_left_out=tuple(sorted(one.keys() ^ other.keys())) if one.keys() & other.keys() else (),
                tost_low=tost_low, tost_high=tost_high, relative=margin.relative, level=level,
            )
        )  # fmt: skip
    return found


def _compared(
    one: Mapping[int, float], other: Mapping[int, float], sign: float, relative: bool, resolution: float
) -> Comparison:
    """Compare two settings on the scale on which the margin speaks; positive: the first is better."""
    _check([*one.values(), *other.values()])
    common = sorted(one.keys() & other.keys())
    a, b = [one[seed] for seed in common or one], [other[seed] for seed in common or other]
    n, step = min(len(a), len(b)), 0.0 if relative else resolution
    if n == 0:
        return Comparison(0, "none")
    tolerance = max(step / 10, _ROUNDING * max(map(abs, [*a, *b])))
    apart = max(abs(x - y) for x, y in zip(a, b, strict=True)) if common else spread([*a, *b])
    if n > 1 and apart <= tolerance:
        return Comparison(n, "identical", mean=0.0, sd=0.0, p=1.0)
    if relative and min(*a, *b) <= 0:
        return Comparison(n, "none")
    if relative:
        a, b, tolerance = [*map(math.log, a)], [*map(math.log, b)], _ROUNDING
    a, b = [sign * value for value in a], [sign * value for value in b]
    if n == 1:
        one_seed = len(one) == len(other) == 1 or not common
        return Comparison(1, "one seed" if one_seed else "none", mean=fmean(a) - fmean(b))
    return (paired if common else unpaired)(a, b, tolerance, step / math.sqrt(12))


def _limits(
    compared: Comparison, level: float, relative: bool, bounded: bool
) -> tuple[float, float] | tuple[None, None]:
    """Return an interval as it is told."""
    interval = compared.interval(level)
    if interval is None:
        return None, None
    low, high = (_told(limit, relative) for limit in interval)
    return (max(-1.0, low), min(1.0, high)) if bounded and not relative else (low, high)


def _told(value: float, relative: bool) -> float:
    """Return a difference of logs as a share, alike in both directions; any other difference as it is."""
    return math.copysign(math.expm1(min(_LARGEST_LOG, abs(value))), value) if relative else value


def _check(values: Sequence[float]) -> None:
    if not all(map(math.isfinite, values)):
        raise ValueError(f"a value is not finite: {list(values)}")


def _expit(odds: float) -> float:
    return 1 / (1 + math.exp(-odds)) if odds > -_LARGEST_LOG else 0.0
