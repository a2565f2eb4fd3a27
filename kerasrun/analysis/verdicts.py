"""From an interval to a verdict in words: better, worse, equal within what matters, or not shown.

Absence of evidence is no evidence: only an interval that lies inside the margin makes two settings equal, and the words
for everything else say how large the difference may still be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kerasrun.analysis.statistics import Difference, Margin


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
        margin: the smallest difference that matters.
        alpha: as given to `differences`.
    """
    raise NotImplementedError


def seeds_needed(
    sd: float, n: int, margin: float, *, alpha: float = 0.05, power: float = 0.8
) -> tuple[int, int, int] | None:
    """Return how many seeds would show a difference as large as the margin: about N, from N₁ to N₂.

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
    raise NotImplementedError
