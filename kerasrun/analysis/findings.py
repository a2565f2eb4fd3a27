"""From both sides of a comparison to what it says about a claim: supported, contradicted, or undecided.

An interval of the differences is held against the smallest difference that matters; a claim is contradicted only by
evidence against it, never by the absence of evidence. docs/claims.md has the table.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from kerasrun.analysis import amounts
from kerasrun.analysis.claims import Claim
from kerasrun.analysis.evidence import Measured, Values
from kerasrun.analysis.statistics import Difference, differences, fisher, is_share
from kerasrun.analysis.verdicts import Verdict, verdict

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"

_DIGITS = 4  # of a difference that is no ratio
_BETTER = ("better", "better_uncertain", "better_small", "same_better")
_WORSE = ("worse", "worse_uncertain", "worse_small", "same_worse")
_WITHIN = ("equal", "better_small", "worse_small", "identical")  # the margin


@dataclass(frozen=True)
class Finding:
    """What is found about a claim, or about a part of it.

    Args:
        name: of the part.
        verdict: SUPPORTED, CONTRADICTED or UNDECIDED.
        words: why, with its numbers.
        numbers: the same for programs: n, mean, low, high, p and others.
    """

    name: str
    verdict: str
    words: str
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Budget:
    """How certain a part of a claim has to be.

    Args:
        alpha: the error that the claim may make at this look.
        factor: that p is multiplied by, after Holm, for the other claims of the file.
        family: number of claims among which the error is shared.
        parts: of this claim. It holds when all do, so that each may be supported at alpha; it falls with any of them,
            so that the evidence against one has to do for all.
    """

    alpha: float
    factor: float = 1.0
    family: int = 1
    parts: int = 1

    @property
    def against(self) -> Budget:
        """The budget of evidence against a part."""
        return replace(self, alpha=self.alpha / self.parts)


def p_value(claim: Claim, measured: Measured) -> float:
    """Return the two-sided p of a comparison, of what is asked for alone; 1 where there is none."""
    if measured.unfit:
        return 1.0
    found = _difference(_shifted(measured, claim.by), Budget(0.05))
    return 1.0 if found.p is None else found.p


def find(claim: Claim, name: str, measured: Measured, budget: Budget) -> Finding:
    """Return what a comparison says about a part of a claim."""
    counts = {"failed": list(measured.failed), "runs": measured.runs}
    if measured.unfit:
        return Finding(name, UNDECIDED, f"{measured.unfit}{_failures(measured)}", counts)
    found = _difference(measured, budget)
    said = verdict(found, measured.margin, alpha=budget.alpha)
    hard, hard_said = found, said
    if budget.parts > 1:
        hard = _difference(measured, budget.against)
        hard_said = verdict(hard, measured.margin, alpha=budget.against.alpha)
    decided = _decided(claim, measured, (found, said), (hard, hard_said), budget)
    first, second = measured.failed
    words = _words(measured, found, said)
    if claim.kind == "at_least_as_good" and (found.tost_low or 0.0) < 0:
        worst = -(found.tost_low or 0.0)
        words += f"; at most {f'{worst:.1%}'.replace('%', ' %') if found.relative else f'{worst:.4f}'} worse"
    if claim.by and said.kind not in ("one_seed", "no_result"):
        words += f"; asked for {100 * claim.by:g} %" if measured.margin.relative else f"; asked for {claim.by:g}"
    if (decided == SUPPORTED and (first > second or (claim.kind == "equal" and first != second))) or (
        decided == CONTRADICTED and first < second and claim.kind != "equal"
    ):
        decided = UNDECIDED
        words += "; the one that does better failed more often"
    words += _failures(measured)
    if measured.scored:
        scored = _difference(replace(measured, one=measured.scored[0], other=measured.scored[1]), budget)
        counts["scored"] = [scored.mean, scored.low, scored.high]
        words += "; with failures as guessing" + (
            f": {amounts.difference(scored, _DIGITS)}" if measured.is_conditional else ""
        )
    numbers = {name: getattr(found, name) for name in ("n", "mean", "low", "high", "p", "p_adjusted", "sd", "method")}
    return Finding(name, decided, words, {**numbers, "margin": measured.margin.value, **counts})


def _decided(
    claim: Claim,
    measured: Measured,
    found: tuple[Difference, Verdict],
    hard: tuple[Difference, Verdict],
    budget: Budget,
) -> str:
    """Return the decision by the interval, whatever failed; `hard` is as certain as evidence against has to be."""
    kind, kind_against = found[1].kind, hard[1].kind
    if {kind, kind_against} & {"one_seed", "no_result"}:
        return UNDECIDED
    margin, same = measured.margin.value, (found[0].low is None or hard[0].high is None)
    if claim.kind == "equal":
        supported, contradicted = kind in _WITHIN, kind_against in ("better", "worse", "same_better", "same_worse")
    elif claim.kind == "at_least_as_good":
        no_worse = (found[0].mean or 0.0) > 0 and (found[0].p or 1.0) / 2 < budget.alpha  # one-sided, by the signs
        supported = kind in _WITHIN or no_worse if same else (found[0].tost_low or 0.0) > -margin
        contradicted = kind_against == "same_worse" if same else (hard[0].high or 0.0) < -margin
    elif claim.by:
        support, against = (_difference(_shifted(measured, claim.by), b) for b in (budget, budget.against))
        supported = _is_shown(support, budget.alpha) and (support.mean or 0.0) > 0
        contradicted = _is_shown(against, budget.against.alpha) and (against.mean or 0.0) < 0
        contradicted |= kind_against in _WITHIN and claim.by >= margin
    else:
        supported, contradicted = kind in _BETTER, kind_against in (*_WORSE, "equal", "identical")
    return SUPPORTED if supported else CONTRADICTED if contradicted else UNDECIDED


def _is_shown(found: Difference, alpha: float) -> bool:
    return found.p_adjusted is not None and found.p_adjusted < alpha


def _difference(measured: Measured, budget: Budget) -> Difference:
    """Return the difference of both sides, its interval and p corrected for the family, the one for equality not."""
    pair = [(measured.one, measured.other)]
    more = {"margin": measured.margin, "direction": measured.direction, "resolution": measured.resolution,
            "bounded": is_share(measured.metric)}  # fmt: skip
    alone = differences(pair, alpha=budget.alpha, **more)[0]  # type: ignore[arg-type]
    wide = differences(pair, alpha=budget.alpha / budget.family, **more)[0]  # type: ignore[arg-type]
    adjusted = None if alone.p is None else min(1.0, alone.p * budget.factor)
    return replace(alone, low=wide.low, high=wide.high, level=wide.level, p_adjusted=adjusted)


def _shifted(measured: Measured, by: float) -> Measured:
    """Return both sides with the first one worse by what a claim asks for."""
    if not by:
        return measured
    rises = measured.direction == "max"

    def worse(value: float) -> float:
        if measured.margin.relative:
            return value / (1 + by) if rises else value * (1 + by)
        return value - by if rises else value + by

    one: Values = {seed: worse(value) for seed, value in measured.one.items()}
    return replace(measured, one=one)


def _words(measured: Measured, found: Difference, said: Verdict) -> str:
    if said.kind in ("identical", "one_seed", "no_result"):
        return said.words
    seeds = f" in the {found.n} seeds where both learned" if measured.is_conditional else ""
    unit = f" {measured.metric}" if measured.to and not measured.margin.relative else ""
    return f"{said.words}: {amounts.difference(found, _DIGITS)}{unit}, {amounts.said_p(found.p_adjusted)}{seeds}"


def _failures(measured: Measured) -> str:
    """Say how many runs failed on each side, with Fisher's p."""
    first, second = measured.failed
    if not any(measured.failed):
        return ""
    what = "did not reach it" if measured.to else "failed"
    p = fisher(first, measured.runs, second, measured.runs)
    return f"; {first} and {second} of {measured.runs} runs {what} (Fisher {amounts.said_p(p)})"
