"""Student's t for two settings: paired where their seeds are the same, Welch's form where they are not.

Knows values alone, neither seeds nor what they measure; whoever calls it has turned losses into logs.
"""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kerasrun.analysis.counts import SMALLEST


@dataclass(frozen=True)
class Comparison:
    """A mean difference, its test, and what its intervals are made of.

    Args:
        n: number of pairs, or values of the smaller group.
        method: as in `statistics.Difference`.
        mean: difference of the means; None where there is none.
        sd: standard deviation of the differences; of two groups, that which pairs of them would have.
        p: two-sided; None where nothing was tested, 1 for identical values.
        error: standard error of the mean; 0 where there is no interval.
        freedom: degrees of freedom.
        correlation: of the pairs.
    """

    n: int
    method: str
    mean: float | None = None
    sd: float | None = None
    p: float | None = None
    error: float = 0.0
    freedom: float = 0.0
    correlation: float | None = None

    def interval(self, level: float) -> tuple[float, float] | None:
        """Return the interval of the mean, None where nothing spreads."""
        if self.mean is None or not self.error:
            return None
        half = quantile(self.freedom, level) * self.error
        return self.mean - half, self.mean + half

    def with_error(self, error: float, freedom: float) -> Comparison:
        """Return the same difference with another standard error, found of more than the seeds; 0 changes nothing."""
        if self.mean is None or not error:
            return self
        return replace(self, method="crossed", error=error, freedom=freedom, p=_p(self.mean / error, freedom))


def paired(a: Sequence[float], b: Sequence[float], tolerance: float, floor: float) -> Comparison:
    """Compare pairs (Student 1908).

    Args:
        a: at least two values.
        b: their partners.
        tolerance: differences that spread by no more are equal; then their p is that of equal signs, 2 · 2⁻ⁿ.
        floor: a smaller standard deviation is taken for this.
    """
    n, differences = len(a), [x - y for x, y in zip(a, b, strict=True)]
    mean = statistics.fmean(differences)
    if spread(differences) <= tolerance:
        return Comparison(n, "same difference", mean, 0.0, max(SMALLEST, 2.0 ** (1 - n)))
    sd = max(deviation(differences), floor)
    error = sd / math.sqrt(n)
    correlation = _correlation(a, b) if n > 2 and spread(a) > tolerance < spread(b) else None
    return Comparison(n, "paired t", mean, sd, _p(mean / error, n - 1), error, n - 1, correlation)


def unpaired(a: Sequence[float], b: Sequence[float], tolerance: float, floor: float) -> Comparison:
    """Compare two groups (Welch 1947, freedom after Satterthwaite); arguments as of `paired`.

    Where neither group spreads, p is that of drawing just these for one group: 2 / (n over n₁).
    """
    n, mean = min(len(a), len(b)), statistics.fmean(a) - statistics.fmean(b)
    if spread(a) <= tolerance >= spread(b):
        return Comparison(n, "same difference", mean, 0.0, max(SMALLEST, 2 / math.comb(len(a) + len(b), len(a))))
    sd_a, sd_b = max(deviation(a), floor), max(deviation(b), floor)
    error_a, error_b = sd_a / math.sqrt(len(a)), sd_b / math.sqrt(len(b))
    error = math.hypot(error_a, error_b)
    freedom = 1 / ((error_a / error) ** 4 / (len(a) - 1) + (error_b / error) ** 4 / (len(b) - 1))
    return Comparison(n, "Welch", mean, math.hypot(sd_a, sd_b), _p(mean / error, freedom), error, freedom)


def spread(values: Sequence[float]) -> float:
    """Return largest minus smallest value."""
    return max(values) - min(values)


def deviation(values: Sequence[float]) -> float:
    """Return the standard deviation of at least two values, with n − 1."""
    mean = statistics.fmean(values)
    return math.hypot(*(value - mean for value in values)) / math.sqrt(len(values) - 1)


@functools.lru_cache(1024)
def quantile(freedom: float, level: float) -> float:
    """Return how many standard errors a two-sided interval reaches to either side."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + level) / 2))


def _p(t: float, freedom: float) -> float:
    from scipy.special import stdtr

    return max(SMALLEST, 2 * float(stdtr(freedom, -abs(t))))


def _correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Return Pearson's correlation; standardized first, so that no square leaves the range of floats."""
    mean_a, mean_b, sd_a, sd_b = statistics.fmean(a), statistics.fmean(b), deviation(a), deviation(b)
    products = ((x - mean_a) / sd_a * ((y - mean_b) / sd_b) for x, y in zip(a, b, strict=True))
    return max(-1.0, min(1.0, math.fsum(products) / (len(a) - 1)))
