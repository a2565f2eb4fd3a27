"""The claims of a file, decided: supported, contradicted (only on evidence against) or undecided, with their numbers.

Claims that one setting is better share the error budget by Holm's rule, all of a file's together; those that hold only
when each of their parts does (order, at least as good as all) need none. docs/claims.md tells the rules to users.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kerasrun.analysis import moments, sameness
from kerasrun.analysis.claim_parts import Part
from kerasrun.analysis.claims import Claim
from kerasrun.analysis.evidence import Measured, Runs, is_hit, measure, unfit_reason, value
from kerasrun.analysis.findings import (
    CONTRADICTED,
    SUPPORTED,
    UNDECIDED,
    Budget,
    Finding,
    find,
    p_value,
)
from kerasrun.analysis.looks import ALPHA, Look, Plan, plan
from kerasrun.analysis.means import said_margin
from kerasrun.analysis.outcomes import LEARNS, outcome
from kerasrun.analysis.statistics import estimate, holm, wilson

_FAMILY = ("better", "faster", "before", "stands")  # their errors add up
_SHARES = ("reaches", "fails")
_ALONE = (*_SHARES, "has", "same")  # no difference of two sides
_TOLD = 3  # parts whose numbers stand in one line


@dataclass(frozen=True)
class Decision:
    """What the runs say about a claim.

    Args:
        claim: the claim.
        verdict: "supported", "contradicted" or "undecided".
        words: why, with seeds, metric, moment and margin.
        findings: of each part.
        look: how it was made, None where the planned seeds are not complete.
    """

    claim: Claim
    verdict: str
    words: str
    findings: tuple[Finding, ...]
    look: Plan | None

    @property
    def numbers(self) -> dict[str, Any]:
        """The decision for programs."""
        claim, look = self.claim, self.look
        return {
            "claim": claim.number, "says": claim.says, "verdict": self.verdict, "words": self.words,
            "kind": claim.kind, "metric": claim.metric or None, "at": str(claim.at), "split": claim.split,
            "margin": claim.margin.value, "relative": claim.margin.relative, "seeds": look.n if look else None,
            "look": look.look if look else None, "alpha": look.alpha if look else None,
            "parts": [{"part": f.name, "verdict": f.verdict, "words": f.words, **f.numbers} for f in self.findings],
        }  # fmt: skip


def decide(
    claims: Sequence[Claim], runs: Runs, *, sweep: str, looks: Sequence[Look] = (), now: str
) -> tuple[list[Decision], list[Look]]:
    """Decide all claims of a file.

    Args:
        claims: as `claims.read` returns them.
        runs: of the sweep.
        sweep: its id.
        looks: that were made before, of any sweep.
        now: the date, ISO 8601.

    Returns:
        The decisions in the order of the claims, and the looks that are new.

    Raises:
        InputError: a run's file is damaged.
    """
    past = [look for look in looks if look.sweep == sweep]
    plans = [plan(claim, claims, runs.complete(claim.places), past) for claim in claims]
    measured = [
        [measure(claim, part, runs, runs.seeds[: its_plan.n]) for part in claim.parts]
        if its_plan and claim.kind not in _ALONE
        else []
        for claim, its_plan in zip(claims, plans, strict=True)
    ]
    budgets = _budgets(claims, plans, measured)
    decisions = []
    for claim, its_plan, its_measured, budget in zip(claims, plans, measured, budgets, strict=True):
        findings = _findings(claim, its_plan, its_measured, budget, runs)
        decisions.append(_decision(claim, its_plan, findings, runs))
    new = [_look(d, d.look, sweep, now) for d in decisions if d.look and not d.look.again and _is_look(d)]
    return decisions, new


def shown(decisions: Sequence[Decision]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return columns and rows for people: a row for each claim, and one for each part where it has several."""
    rows: list[tuple[str, ...]] = []
    for decision in decisions:
        rows.append((decision.claim.says, decision.verdict, decision.words))
        rows += [(f"· {name}", finding.verdict, finding.words) for name, finding in _named_parts(decision)]
    return ("claim", "verdict", "numbers"), rows


def told(decision: Decision) -> str:
    """Return a decision's words with the numbers of the parts that decide it, the first few of them."""
    those = [f"{name}: {part.words}" for name, part in _named_parts(decision) if part.verdict == decision.verdict]
    more = [f"and {len(those) - _TOLD} more"] if len(those) > _TOLD else []
    return " · ".join([decision.words, *those[:_TOLD], *more])


def _named_parts(decision: Decision) -> list[tuple[str, Finding]]:
    """Return the parts of a claim that has several, without the side that all of them share."""
    if len(decision.findings) < 2:
        return []
    firsts = {finding.name.partition(" against ")[0] for finding in decision.findings}
    common = f"{firsts.pop()} " if len(firsts) == 1 else ""  # which the claim names
    return [(finding.name.removeprefix(common), finding) for finding in decision.findings]


def exact(decisions: Sequence[Decision]) -> tuple[tuple[str, ...], list[list[Any]]]:
    """Return columns and cells with every digit, a row for each claim."""
    rows = [decision.numbers for decision in decisions]
    return tuple(rows[0]) if rows else (), [[*row.values()] for row in rows]


def summary(decisions: Sequence[Decision], looks: Sequence[Look]) -> list[str]:
    """Return what is to be said of all claims together.

    Args:
        decisions: of a file.
        looks: of the file's sweep, with those that are new.
    """
    verdicts = [decision.verdict for decision in decisions]
    counts = ", ".join(f"{verdicts.count(v)} {v}" for v in (SUPPORTED, CONTRADICTED, UNDECIDED) if v in verdicts)
    decided = said_errors(len(verdicts) - verdicts.count(UNDECIDED))
    lines = [f"{counts}; {decided}" if decided else counts]
    if tested := sum(look.split == "test" for look in looks):
        lines.append(f"the test part was looked at {tested} time{'s' if tested > 1 else ''} for these claims")
    return lines


def said_errors(decided: int) -> str:
    """Say how many of so many verdicts may be false; nothing where none is decided."""
    return f"{decided} decided at {ALPHA:.0%}: expect up to {ALPHA * decided:.2g} false ones" if decided else ""


def _budgets(
    claims: Sequence[Claim], plans: Sequence[Plan | None], measured: Sequence[Sequence[Measured]]
) -> list[Budget]:
    """Return how certain each claim has to be: those of the family by Holm's rule, with the p of their weakest part."""
    family = [index for index, claim in enumerate(claims) if claim.kind in _FAMILY]
    ps = [max((p_value(claims[i], one) for one in measured[i]), default=1.0) for i in family]
    factors = {i: adj / p if p < 1 else len(family) for i, p, adj in zip(family, ps, holm(ps), strict=True)}
    return [
        Budget(
            its_plan.alpha if its_plan else ALPHA,
            factors.get(index, 1.0),
            len(family) if index in factors else 1,
            len(claim.parts),
        )
        for index, (claim, its_plan) in enumerate(zip(claims, plans, strict=True))
    ]


def _findings(
    claim: Claim, its_plan: Plan | None, measured: Sequence[Measured], budget: Budget, runs: Runs
) -> tuple[Finding, ...]:
    if claim.kind == "same":
        return tuple(_same(part, runs, claim.seeds) for part in claim.parts)
    if its_plan is None:
        return ()
    if claim.kind in (*_SHARES, "has"):
        look = _bounded if claim.kind == "has" else _share
        return tuple(look(claim, part, runs, runs.seeds[: its_plan.n], budget) for part in claim.parts)
    return tuple(find(claim, part.name, one, budget) for part, one in zip(claim.parts, measured, strict=True))


def _share(claim: Claim, part: Part, runs: Runs, seeds: Sequence[int], budget: Budget) -> Finding:
    """Return whether more than a share of the seeds reaches a target, or fails."""
    records, target = runs.of(part.sides[0], seeds), claim.target
    if unfit := unfit_reason(claim, [records]):
        return Finding(part.name, UNDECIDED, unfit)
    if target is None:
        outcomes = [outcome(record) for record in records]
        hits, what = [o != LEARNS for o in outcomes], "failed"
        kinds = [f"{outcomes.count(o)} {o}" for o in dict.fromkeys(outcomes) if o != LEARNS]
    else:
        reached = [is_hit(record, target) for record in records]
        hits, what = (
            (reached, "reached") if claim.kind == "reaches" else ([not hit for hit in reached], "did not reach")
        )
        what, kinds = f"{what} {target}", []
    k, n = sum(hits), len(hits)
    low, high = wilson(k, n, 1 - budget.alpha)
    hard = wilson(k, n, 1 - budget.against.alpha)
    verdict = SUPPORTED if low > claim.share else CONTRADICTED if hard[1] < claim.share else UNDECIDED
    words = f"{k} of {n} {what}{' (' + ', '.join(kinds) + ')' if kinds else ''}: a share of {low:.2f} to {high:.2f}"
    if n == 1:
        verdict, words = UNDECIDED, f"undecided (one seed): {k} of {n} {what}"
    elif verdict == UNDECIDED:
        words += f", asked for more than {claim.share:g}"
    return Finding(part.name, verdict, words, {"n": n, "k": k, "low": low, "high": high, "share": claim.share})


def _bounded(claim: Claim, part: Part, runs: Runs, seeds: Sequence[int], budget: Budget) -> Finding:
    """Return whether a number lies between its bounds, with its interval over the seeds.

    Equal numbers in all seeds have no interval; they decide where n of them on one side by chance are rare enough.
    """
    records = runs.of(part.sides[0], seeds)
    values = [value(record, claim) for record in records]
    known, n = [number for number in values if number is not None], len(values)
    if len(known) < n:
        ids = [record["id"] for record, number in zip(records, values, strict=True) if number is None]
        return Finding(part.name, UNDECIDED, f"{n - len(known)} of {n} runs without a number ({', '.join(ids[:3])})")
    if unfit := unfit_reason(claim, [records]):
        return Finding(part.name, UNDECIDED, unfit)
    above, below = claim.bounds
    found, hard = (estimate(known, metric=claim.metric, level=1 - a) for a in (budget.alpha, budget.against.alpha))
    if found.low is None or found.high is None or hard.low is None or hard.high is None:
        inside, rare = above < found.mean < below, 0.5**n
        supported, contradicted = inside and rare < budget.alpha, not inside and rare < budget.against.alpha
        words = f"{_said(found.mean)} in every seed" if n > 1 else f"undecided (one seed): {_said(found.mean)}"
    else:
        supported, contradicted = above < found.low and found.high < below, hard.high < above or hard.low > below
        words = f"{_said(found.mean)} [{_said(found.low)}, {_said(found.high)}]"
    limits = {name: limit for name, limit in (("above", above), ("below", below)) if math.isfinite(limit)}
    verdict = SUPPORTED if supported else CONTRADICTED if contradicted else UNDECIDED
    numbers = {"n": n, "mean": found.mean, "low": found.low, "high": found.high, **limits}
    asked = " and ".join(f"{name} {limit:,g}" for name, limit in limits.items())
    return Finding(part.name, verdict, f"asked for {asked}: {words}", numbers)


def _said(number: float) -> str:
    """Return a number with three digits, or all those before the point: 0.665, 325,956."""
    return f"{number:.3g}" if abs(number) < 1000 else f"{number:,.0f}"


def _same(part: Part, runs: Runs, planned: int) -> Finding:
    """Return whether runs are the same to the last bit; one that is not decides, however many are missing."""
    compared = weights = 0
    seeds = runs.seeds[:planned]
    for seed in seeds:
        for places in zip(*part.sides, strict=True):
            pair = [runs.found[place, seed] for place in places if (place, seed) in runs.found]
            if len(pair) < 2:
                continue
            if differing := sameness.difference(*pair):
                return Finding(part.name, CONTRADICTED, f"seed {seed}: {differing}", {"n": compared + 1, "seed": seed})
            compared += 1
            weights += all(record.get("best_weights") for record in pair)
    wanted = planned * len(part.sides[0])
    words = f"{compared} of {wanted} pairs equal to the last bit, {weights} of them with the best weights"
    return Finding(
        part.name, SUPPORTED if compared == wanted else UNDECIDED, words, {"n": compared, "weights": weights}
    )


def _decision(claim: Claim, its_plan: Plan | None, findings: tuple[Finding, ...], runs: Runs) -> Decision:
    if its_plan is None and claim.kind != "same":
        words = f"undecided so far: {runs.complete(claim.places)} of {claim.seeds} seeds"
        return Decision(claim, UNDECIDED, words, (), None)
    verdicts = [finding.verdict for finding in findings]
    verdict = CONTRADICTED if CONTRADICTED in verdicts else SUPPORTED if {*verdicts} == {SUPPORTED} else UNDECIDED
    said = [findings[0].words] if len(findings) == 1 else [f"{verdicts.count(SUPPORTED)} of {len(findings)} parts hold"]
    if claim.kind not in _ALONE:
        said.append(_measure_words(claim))
    if claim.kind == "has":
        said.append(claim.metric if claim.metric in moments.COUNTS else f"{claim.metric} {claim.at}")
    if claim.kind != "same" and its_plan:
        said += [*_look_words(claim, its_plan, verdict), *its_plan.notes]
    return Decision(claim, verdict, "; ".join(said), findings, its_plan)


def _measure_words(claim: Claim) -> str:
    """Say what was compared, at which moment, and which difference matters."""
    if claim.kind == "stands":
        does = f"reaches {claim.target}" if claim.target else "learns"
        return f"largest {claim.metric} up to which every run {does}, margin {said_margin(claim.margin)}"
    moment = f" until {claim.target}" if claim.target else f" {claim.at}" if claim.kind != "faster" else ""
    if claim.at.kind == "best" and claim.split == "validation" and not claim.target:
        moment += " (chosen on the same examples: optimistic)"
    places = max(len(part.sides[0]) for part in claim.parts)
    mean = f", mean over {places} other settings" if places > 1 else ""
    return f"{claim.metric}{moment}{mean}, margin {said_margin(claim.margin)}"


def _look_words(claim: Claim, its_plan: Plan, verdict: str) -> list[str]:
    words = [f"{its_plan.n} seed{'s' if its_plan.n > 1 else ''}"]
    if its_plan.look > 1 or claim.extend:
        words = [f"{words[0]}, look {its_plan.look}, α = {its_plan.alpha:g}"]
    if claim.split == "test":
        words.append("decided on the test part")
    if verdict == UNDECIDED and claim.extend:
        words.append(f"next look at {2 * its_plan.n} seeds")
    return words


def _is_look(decision: Decision) -> bool:
    """Tell whether a decision spent something: bitwise equality is no matter of chance, one seed decides nothing."""
    seen = any("n" in finding.numbers for finding in decision.findings)
    return seen and decision.claim.kind != "same" and decision.look is not None and decision.look.n > 1


def _look(decision: Decision, its_plan: Plan, sweep: str, now: str) -> Look:
    weakest: Mapping[str, Any] = min((f.numbers for f in decision.findings), key=lambda n: n.get("low") or 0.0)
    return Look(
        now, sweep, decision.claim.number, decision.claim.hash, its_plan.look, its_plan.n, its_plan.alpha,
        weakest.get("low"), weakest.get("high"), decision.verdict, decision.claim.split,
    )  # fmt: skip
