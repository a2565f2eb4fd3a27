"""From an interval to a verdict in words: better, worse, equal within what matters, or not shown.

Absence of evidence is no evidence: only an interval that lies inside the margin makes two settings equal, and the words
for everything else say how large the difference may still be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from kerasrun.analysis.statistics import Difference, Margin

_MANY = 1000  # seeds, or per cent: more is not told to the digit


@dataclass(frozen=True)
class Verdict:
    """What a difference shows.

    Args:
        kind: "better", "better_uncertain" (perhaps by less than matters), "better_small" (too small to matter), "equal"
            (within the margin), the same three of "worse", "none" (nothing shown), "identical", "same_better",
            "same_worse" (the same difference in every seed), "one_seed", "no_result".
        words: the same for people.
    """

    kind: str
    words: str


def verdict(difference: Difference, margin: Margin, *, alpha: float = 0.05) -> Verdict:
    """Return what a difference shows about a margin.

    Args:
        difference: of a family, as `differences` returns it.
        margin: the smallest difference that matters; of the same kind, absolute or relative, as the difference's was.
        alpha: as given to `differences`.
    """
    if margin.relative != difference.relative:
        raise ValueError("a ratio cannot be judged by an absolute margin, nor a difference by a relative one")
    kind = kind_of(difference, margin, alpha=alpha)
    return Verdict(kind, _words(kind, difference, margin))


def kind_of(difference: Difference, margin: Margin, *, alpha: float = 0.05) -> str:
    """Return a verdict's kind alone; arguments as of `verdict`."""
    mean, low, high = difference.mean, difference.low, difference.high
    tost_low, tost_high = difference.tost_low, difference.tost_high
    if difference.method == "identical":
        return "identical"
    if difference.p is None or mean is None or difference.p_adjusted is None:
        return "one_seed" if difference.n == 1 else "no_result"
    side, shown = "better" if mean > 0 else "worse", difference.p_adjusted < alpha
    if low is None or high is None or tost_low is None or tost_high is None:  # the same difference in every seed
        if abs(mean) < margin.value and difference.p / 2 < alpha:
            return f"{side}_small" if shown else "equal"
        return f"same_{side}" if shown else "none"
    if shown and (low > margin.value or high < -margin.value):
        return side
    if tost_low > -margin.value and tost_high < margin.value:
        return f"{side}_small" if shown else "equal"
    return f"{side}_uncertain" if shown else "none"


def seeds_needed(
    sd: float, n: int, margin: float, *, alpha: float = 0.05, power: float = 0.8
) -> tuple[int, int, int] | None:
    """Return how many seeds would show a difference as large as the margin: about N, from N₁ to N₂.

    Power at the difference *seen* is a function of p and always says "just a few more seeds" (Hoenig and Heisey 2001);
    so it is taken at the margin. With five seeds the sd itself is known to a factor of two or three, hence the range.

    Args:
        sd: standard deviation of the paired differences seen.
        n: number of differences that it was found from.
        margin: on the differences' scale: for ratios, log(1 + margin).
        alpha: two-sided, that the next look will use.
        power: how often such a difference would be shown.

    Returns:
        N from the sd as seen; N₁ and N₂ from the limits of its 80 % interval. None below n = 3, and where sd or margin
        is 0.
    """
    from scipy.special import chdtri

    if n < 3 or not sd > 0 or not margin > 0:
        return None
    low, high = (math.sqrt((n - 1) / float(chdtri(n - 1, above))) for above in (0.1, 0.9))
    of_sd, least, most = (_smallest(margin / (sd * factor), alpha, power) for factor in (1.0, low, high))
    return of_sd, least, most


def _smallest(effect: float, alpha: float, power: float) -> int:
    """Return the smallest n at which a paired t test shows an effect, in standard deviations, so often."""
    from scipy.special import ndtri

    n = math.ceil(((float(ndtri(1 - alpha / 2)) + float(ndtri(power))) / max(effect, 1e-9)) ** 2 + 2)
    if n > 100 * _MANY:
        return n
    while _power(n, effect, alpha) < power:
        n += 1
    while n > 2 and _power(n - 1, effect, alpha) >= power:
        n -= 1
    return n


def _power(n: int, effect: float, alpha: float) -> float:
    """Return P(|T| > t), T noncentral with n − 1 degrees of freedom and noncentrality effect·√n."""
    from scipy.special import chdtr, nctdtr, stdtrit

    freedom, shift = n - 1, effect * math.sqrt(n)
    t = float(stdtrit(freedom, 1 - alpha / 2))
    below = float(nctdtr(freedom, shift, t))
    if math.isnan(below):  # far out, where T is nearly shift / χ
        below = 1 - float(chdtr(freedom, freedom * (shift / t) ** 2))
    return 1 - below  # the other tail adds less than the last digit of n


def _words(kind: str, difference: Difference, margin: Margin) -> str:
    n, low, high = difference.n, difference.low or 0.0, difference.high or 0.0
    matters, by = _amount(margin.value, margin), _amount(difference.mean or 0.0, margin, further=1)
    side = "better" if (difference.mean or 0.0) > 0 else "worse"
    match kind:
        case "better" | "worse":
            return kind
        case "better_uncertain" | "worse_uncertain":
            holm = "; shown by Holm's rule, though the interval reaches 0" if low <= 0 <= high else ""
            return f"{side} by {by}; it may be less than matters ({matters}){holm}"
        case "better_small" | "worse_small":
            return f"{side} by {by}, too small to matter"
        case "equal":
            return f"equal within ±{matters}"
        case "same_better" | "same_worse":
            return f"{side}: the same difference in every seed ({by})"
        case "identical":
            return f"identical in all {n} seeds"
        case "one_seed":
            return "undecided (one seed in common)" if difference.seeds_left_out else "undecided (one seed)"
        case "no_result":
            return "no result: a ratio needs values above 0" if n else "no result"
    if difference.low is None:
        return f"no difference shown: {side} by {by} in every seed, but {n} seeds are too few to tell"
    limits = (_amount(max(0.0, limit), margin, finely=True) for limit in (high, -low))
    reach = "up to {} better or {} worse".format(*limits)
    return f"no difference shown: {reach}{_settle(difference, margin, matters)}"


def _settle(difference: Difference, margin: Margin, matters: str) -> str:
    """Return how many seeds would show a difference that matters, in brackets; nothing where that is unknown."""
    if difference.method == "crossed":  # more seeds do not make the images more
        return ""
    scale = math.log1p(margin.value) if margin.relative else margin.value
    needed = seeds_needed(difference.sd or 0.0, difference.n, scale, alpha=1 - difference.level)
    if needed is None:
        return ""
    _, least, most = needed
    if least > _MANY:
        return f" (more than {_MANY:,} seeds would settle {matters})"
    if most <= difference.n:
        return f" (a difference of {matters} would probably have shown)"
    least = max(least, difference.n + 1)
    count = f"{least} to {most:,}" if least < most else f"{most}"
    return f" ({count} seeds would settle {matters})"


def _amount(value: float, margin: Margin, *, further: int = 0, finely: bool = False) -> str:
    """Write an amount with the margin's decimals and some further ones, or with one digit where that would be 0.

    Args:
        value: the amount.
        margin: the smallest difference that matters.
        further: decimals.
        finely: whether the last decimal must be at most a quarter of the margin: 0.013, not 0.01, beside 0.01.
    """
    unit, sign = (100, " %") if margin.relative else (1, "")
    amount, step = abs(value) * unit, Decimal(f"{margin.value * unit:.6g}")
    if margin.relative and amount > _MANY:
        return f"more than {_MANY:,} %"
    digits = max(0, -int(step.as_tuple().exponent)) + further
    digits += finely and Decimal(1).scaleb(-digits) > step / 4
    if step == 0 or (amount and round(amount, digits) == 0):
        digits = max(0, further - math.floor(math.log10(amount))) if amount else 0
    return f"{amount:,.{digits}f}{sign}" if digits < 8 else f"{amount:.0e}{sign}"
