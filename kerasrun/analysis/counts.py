"""Exact tests and intervals for counts and signs, where Student's t has nothing to say: shares of seeds, images, ranks.

Pure numbers; the only module that knows the formulas of Wilson, Fisher, McNemar and Holm.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

SMALLEST = sys.float_info.min  # no p is ever 0
_FEWEST_SIGNS = 6  # below, the smallest possible p of a sign flip, 2/2^n, is above 0.05
_MOST_ENUMERATED = 20  # 2^20 sign patterns are enumerated, beyond that many they are drawn
_DRAWN = 100_000


def wilson(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the interval for a share of which k of n were seen; (0, 1) where nothing was seen.

    Wilson 1927; Agresti and Coull 1998 show that it covers even at n = 5, where the usual p ± 1.96 s does not.
    """
    from scipy.special import ndtri

    _check_count(k, n)
    if n == 0:
        return 0.0, 1.0
    z = float(ndtri((1 + level) / 2))
    share, weight = k / n, z * z / n
    middle = share + weight / 2
    half = z * math.sqrt(share * (1 - share) / n + weight / (4 * n))
    low = 0.0 if k == 0 else (middle - half) / (1 + weight)
    high = 1.0 if k == n else (middle + half) / (1 + weight)
    return low, high


def fisher(k1: int, n1: int, k2: int, n2: int) -> float:
    """Return the two-sided p of equal shares k1/n1 and k2/n2, exact; it sums all tables that are no likelier than this.

    Fisher 1935; for how often two settings diverged.
    """
    _check_count(k1, n1)
    _check_count(k2, n2)
    k, n = k1 + k2, n1 + n2
    ways = {i: math.comb(n1, i) * math.comb(n2, k - i) for i in range(max(0, k - n2), min(k, n1) + 1)}
    return max(SMALLEST, sum(way for way in ways.values() if way <= ways[k1]) / math.comb(n, k))


def mcnemar(only_a: int, only_b: int) -> float:
    """Return the two-sided p that two networks err equally often, from the images that only one of them gets right.

    McNemar 1947 in its exact, binomial form. It speaks of new images, not of other seeds.
    """
    from scipy.special import bdtr

    _check_count(only_a, only_a + only_b)
    return min(1.0, max(SMALLEST, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5))))


def sign_flip(differences: Sequence[float]) -> float | None:
    """Return the two-sided p that paired differences are as likely positive as negative; None below six of them.

    Every pattern of signs is as likely as the one seen if nothing differs: p is the share of patterns whose mean is at
    least as far from 0 (Fisher 1935). Exact up to 20 differences, with 100,000 drawn patterns beyond. With five
    differences p is at least 0.0625, so that nothing could ever be shown.

    Raises:
        ValueError: a value is not finite.
    """
    import numpy as np

    if not all(map(math.isfinite, differences)):
        raise ValueError(f"a difference is not finite: {list(differences)}")
    n = len(differences)
    if n < _FEWEST_SIGNS:
        return None
    values = np.asarray(differences, dtype=float)  # (n,)
    seen = abs(values.sum()) - 1e-12 * np.abs(values).sum()  # sums in another order differ in last bits
    if n > _MOST_ENUMERATED:
        signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(_DRAWN, n))
        return float((1 + (abs(signs @ values) >= seen).sum()) / (1 + _DRAWN))
    sums = values[:1]  # of one half of the patterns; the other half is its mirror image
    for value in values[1:]:
        sums = np.concatenate([sums + value, sums - value])
    return float((abs(sums) >= seen).mean())


def holm(ps: Sequence[float]) -> list[float]:
    """Return the p values adjusted for being a family: below 0.05 means shown at 5 % for all of them together.

    Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    adjusted = [1.0] * len(ps)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=lambda index: ps[index])):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = largest
    return adjusted


def _check_count(k: int, n: int) -> None:
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no count")
