"""Estimates, differences and p values in tables: as people read them, and with every digit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kerasrun.analysis.columns import written
from kerasrun.analysis.statistics import Difference, Estimate, wilson

if TYPE_CHECKING:
    from kerasrun.analysis.groups import Against

_DECIMALS = 4  # of numbers from 0.01 to 10
_LONGEST_LABEL = 18  # a longer one does not stand in a column's head
_COMPARED = {
    "pairs": "n", "difference": "mean", "difference_low": "low", "difference_high": "high", "relative": "relative",
    "p": "p", "p_adjusted": "p_adjusted", "method": "method", "correlation": "correlation",
}  # fmt: skip


def decimals(values: Iterable[float | None]) -> int:
    """Return how many decimals a column needs: 0.8812, 53.213, 2913.4; of small numbers three digits, 0.0000124."""
    largest = max((abs(value) for value in values if value), default=0.0)
    power = math.floor(math.log10(largest)) if largest else 0
    return max(0, _DECIMALS - power) if power > 0 else max(_DECIMALS, 2 - power)


def mean(estimate: Estimate | None, digits: int, *, brackets: bool) -> str:
    """Return a mean with its interval: 0.8812 ± 0.0021, or with brackets 0.3421 [0.3301, 0.3545].

    Args:
        estimate: None where there is no value.
        digits: decimals.
        brackets: whether the limits are written, because some are not symmetric.
    """
    if estimate is None:
        return ""
    if estimate.low is None or estimate.high is None:
        return f"{estimate.mean:.{digits}f}"
    if brackets:
        return f"{estimate.mean:.{digits}f} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"
    return f"{estimate.mean:.{digits}f} ± {estimate.high - estimate.mean:.{digits}f}"


def difference(found: Difference, digits: int) -> str:
    """Return a difference with its interval: +0.0241 [0.0210, 0.0272], a ratio as +2.4 % [2.1, 2.7]."""
    if found.mean is None:
        return ""
    unit, digits, sign = (100, 1, " %") if found.relative else (1, digits, "")
    middle = f"{found.mean * unit:+.{digits}f}{sign}"
    if found.low is None or found.high is None:
        return middle
    return f"{middle} [{found.low * unit:.{digits}f}, {found.high * unit:.{digits}f}]"


def p_value(p: float | None) -> str:
    """Return a p value with two digits, "< 0.001" below that."""
    if p is None:
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.2g}" if p < 0.995 else "1"


def said_p(p: float | None) -> str:
    """Return a p value in a sentence: p = 0.012, p < 0.001."""
    text = p_value(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def share(k: int, n: int) -> str:
    """Return a count with Wilson's interval: 4 of 5 [0.38, 0.96]."""
    low, high = wilson(k, n)
    return f"{k} of {n} [{low:.2f}, {high:.2f}]"


def plain(value: Any) -> Any:
    """Return a setting's value as a cell: numbers and truth values as they are, all else as it is written."""
    return value if isinstance(value, int | float) else written(value)


def compared(against: Against | None) -> dict[str, Any]:
    """Return a row's comparison with the baseline, with every digit."""
    if against is None:
        return dict.fromkeys(["against", *_COMPARED, "verdict", "words"])
    row = {name: getattr(against.difference, part) for name, part in _COMPARED.items()}
    return {"against": against.baseline.label, **row, "verdict": against.verdict.kind, "words": against.verdict.words}


def columns(rows: Sequence[Against | None], digits: int, more: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """Return the columns of the comparison with the baseline for people; without a baseline only `more`.

    Args:
        rows: None for a baseline's own row.
        digits: decimals of differences that are no ratios.
        more: columns that stand before the verdict.
    """
    if not any(rows):
        return dict(more)
    bases = {row.baseline.label for row in rows if row}
    label = bases.pop() if len(bases) == 1 else ""
    return {
        f"against {label}" if 0 < len(label) <= _LONGEST_LABEL else "against baseline": [
            difference(row.difference, digits) if row else None for row in rows
        ],
        "p": [p_value(row.difference.p_adjusted) if row else None for row in rows],
        **more,
        "verdict": [row.verdict.words if row else "baseline" for row in rows],
    }
