"""What a sweep's runs say about a part of a claim: values by seed on both sides, and the runs that have none.

A seed's value is the mean over all settings that the claim leaves free, so that the seed stays the unit. A run that
diverged or did not converge is an outcome, not a missing value: it is counted, and the values are those of the places
where both sides converged; only where one side failed throughout do its runs count as what guessing reaches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, geometric_mean
from typing import Any

from kerasrun.analysis import layer_numbers, moments
from kerasrun.analysis.claim_parts import Part
from kerasrun.analysis.claims import Claim, Target
from kerasrun.analysis.columns import Record, direction
from kerasrun.analysis.fairness import ALONE, data_hash
from kerasrun.analysis.outcomes import LEARNS, guessing, outcome
from kerasrun.analysis.places import Place, grid
from kerasrun.analysis.statistics import Margin
from kerasrun.run_record import OUTCOMES, TRAINED
from kerasrun.sweep_record import Axis

Values = dict[int, float]  # seed -> value


@dataclass(frozen=True)
class Runs:
    """A sweep's runs that ended, by place and seed.

    Args:
        found: the newest of each cell.
        seeds: of the sweep, the planned ones first.
    """

    found: Mapping[tuple[Place, int], Record]
    seeds: tuple[int, ...]

    def complete(self, places: Iterable[Place]) -> int:
        """Return for how many seeds, counted from the first, all places have a run."""
        wanted = [*places]
        ready = [all((place, seed) in self.found for place in wanted) for seed in self.seeds]
        return ready.index(False) if False in ready else len(ready)

    def of(self, places: Iterable[Place], seeds: Iterable[int]) -> list[Record]:
        """Return the runs of some places; all must be there."""
        chosen = [*places]
        return [self.found[place, seed] for seed in seeds for place in chosen]


def gather(
    axes: Sequence[Axis], cells: Sequence[Mapping[str, Any]], planned: Sequence[int], records: Iterable[Record]
) -> Runs:
    """Return the runs of a sweep.

    Args:
        axes: what is varied.
        cells: setting, seed and hash of each, as a SweepRecord has them.
        planned: the seeds that its file names.
        records: all of the results folder, the newest first.
    """
    places = grid(axes, [cell["setting"] for cell in cells])
    found: dict[tuple[Place, int], Record] = {}
    by_hash = {cell["hash"]: (places.place(cell["setting"]), cell["seed"]) for cell in cells}
    for record in records:
        cell = by_hash.get(record.get("experiment_hash") or "")
        if cell and record["status"] in OUTCOMES:
            found.setdefault(cell, record)
    return Runs(found, tuple(dict.fromkeys([*planned, *sorted(cell["seed"] for cell in cells)])))


@dataclass(frozen=True)
class Measured:
    """Both sides of a comparison.

    Args:
        one: seed -> value, of the first side.
        other: likewise; the same seeds.
        failed: runs of each side that diverged, did not converge, or did not reach the target.
        runs: of each side.
        scored: both sides with failures as what guessing reaches, where any failed and that is known.
        margin: the smallest difference that matters, on the values' scale.
        direction: "max" where more is better.
        resolution: smallest step between two values; 0 where it is not known.
        metric: what the values are: a column, "epochs" or "seconds".
        unfit: why no decision is possible, if so.
        to: the target, where the values are times to it.
    """

    one: Values
    other: Values
    failed: tuple[int, int]
    runs: int
    scored: tuple[Values, Values] | None
    margin: Margin
    direction: str
    resolution: float
    metric: str
    unfit: str
    to: Target | None = None

    @property
    def is_conditional(self) -> bool:
        """Whether the values are those of the runs alone that learned, because some did not."""
        return any(self.failed) and not self.to and (self.scored is None or self.one != self.scored[0])


def measure(claim: Claim, part: Part, runs: Runs, seeds: Sequence[int]) -> Measured:
    """Return what the runs of some seeds say about a comparison."""
    sides = [runs.of(side, seeds) for side in part.sides]
    unfit = unfit_reason(claim, sides)
    if claim.kind == "stands":
        return _largest(claim, part, runs, seeds, unfit)
    if claim.target:
        return _times(claim, claim.target, part, runs, seeds, unfit)
    learning = not layer_numbers.is_one(claim.metric)  # layers tell something of runs that fail, too
    failed = {id(record): learning and outcome(record) != LEARNS for side in sides for record in side}
    values = {id(record): value(record, claim) for side in sides for record in side}
    guesses = {id(record): guessing(record, claim.metric) for side in sides for record in side if failed[id(record)]}
    without = [
        record["id"] for side in sides for record in side if not failed[id(record)] and values[id(record)] is None
    ]
    if without and not unfit:
        those = f"{len(without)} run{'' if len(without) == 1 else 's'}"
        unfit = f"{those} without {claim.metric} {claim.at} ({', '.join(without[:3])})"
    fallen, count = [sum(failed[id(record)] for record in side) for side in sides], len(sides[0])

    def by_seed(number: Callable[[Record], float | None]) -> tuple[Values, Values]:
        return _by_seed(part, runs, seeds, number, geometric=claim.margin.relative)

    scored = None
    if guesses and None not in guesses.values():
        scored = by_seed(lambda record: guesses.get(id(record), values[id(record)]))
    converged = by_seed(lambda record: None if failed[id(record)] else values[id(record)])
    alone = len(converged[0].keys() & converged[1].keys()) < 2  # seeds where both learned: no difference over seeds
    one, other = scored if scored and alone and min(fallen) < count else converged
    if not one and not unfit:
        unfit = "no run of either side learned" if min(fallen) == count else "in no seed did both sides learn"
    better = direction(sides[0], claim.metric) if learning and not claim.metric.startswith("gap:") else "min"
    step = moments.resolution([*sides[0], *sides[1]], claim.metric)
    return Measured(one, other, (fallen[0], fallen[1]), count, scored, claim.margin, better, step, claim.metric, unfit)


def value(record: Record, claim: Claim) -> float | None:
    """Return what a claim compares of a run; None where it has no such value."""
    if layer_numbers.is_one(claim.metric):
        when = {"start": "start", "step": f"step{claim.at.number:g}"}.get(claim.at.kind, "end")
        return layer_numbers.value(record, claim.metric, when)
    if not claim.metric.startswith("gap:"):
        return moments.value(record, claim.metric, claim.at)
    name = claim.metric.removeprefix("gap:")
    if f"train_{name}" not in (record.get("last") or {}):  # the mean over an epoch's batches has dropout in it
        return None
    train, held_out = (moments.value(record, f"{part}_{name}", claim.at) for part in ("train", "val"))
    if train is None or held_out is None:
        return None
    return (train - held_out) * (-1 if direction([record], name) == "min" else 1)


def is_hit(record: Record, target: Target) -> bool:
    """Tell whether a run reached a target, and stayed there to its end where that is asked for."""
    if target.lasting and record["status"] not in TRAINED:
        return False
    if not target.lasting:
        return moments.reached(record, target.metric, target.value, target.direction)[0] is not None
    end = moments.curves(record).get(target.metric, [])[-target.lasting :]
    good = [v >= target.value if target.direction == "max" else v <= target.value for v in end]
    return len(good) == target.lasting and all(good)


def _times(claim: Claim, target: Target, part: Part, runs: Runs, seeds: Sequence[int], unfit: str) -> Measured:
    """Return the epochs, or the seconds, to a target; a run that never reached it counts with all that it had."""
    sides = [runs.of(side, seeds) for side in part.sides]
    times: dict[int, float | None] = {}
    missed: dict[int, bool] = {}
    for record in [*sides[0], *sides[1]]:
        epoch, seconds = moments.reached(record, target.metric, target.value, target.direction)
        missed[id(record)] = epoch is None
        if claim.kind == "before":
            times[id(record)] = float(record["experiment"]["epochs"] if epoch is None else epoch)
        else:
            whole = moments.curves(record).get("seconds")
            times[id(record)] = seconds if epoch else whole[-1] if whole else None
    short = (sum(missed[id(record)] for record in sides[0]), sum(missed[id(record)] for record in sides[1]))
    one, other = _by_seed(part, runs, seeds, lambda record: times[id(record)], geometric=not any(short))
    early = claim.kind == "faster" and _ended_early(part, runs, seeds, times, missed)
    margin = claim.margin
    if any(short):  # a ratio of times that were cut off means nothing; the difference of the means is one of min(t, E)
        margin = Margin(float(f"{claim.margin.value * fmean(other.values() or [1.0]):.2g}"))
        budgets = {record["experiment"]["epochs"] for side in sides for record in side}
        reasons = {
            "a ratio needs that every run reaches the target": claim.by > 0,
            f"its runs had different numbers of epochs ({', '.join(map(str, sorted(budgets)))})": len(budgets) > 1,
            f"{early} runs ended without {target} in less time than the other side's took": early > 0,
            f"no run of either side reached {target}": min(short) == len(sides[0]),
        }
        unfit = unfit or next((reason for reason, holds in reasons.items() if holds), "")
    if None in times.values():
        unfit = unfit or "its runs hold no seconds"
    parts_of_an_epoch = [record["experiment"].get("validate_every") or 1.0 for side in sides for record in side]
    step = min(parts_of_an_epoch) / len(part.sides[0]) if claim.kind == "before" else 0.0
    return Measured(one, other, short, len(sides[0]), None, margin, "min", step, claim.metric, unfit, to=target)


def _ended_early(
    part: Part,
    runs: Runs,
    seeds: Sequence[int],
    times: Mapping[int, float | None],
    missed: Mapping[int, bool],
) -> int:
    """Return how many runs missed a target and lasted less than what they are compared with took: they tell nothing."""
    pairs = [(runs.found[a, seed], runs.found[b, seed]) for seed in seeds for a, b in zip(*part.sides, strict=True)]
    return sum(
        missed[id(one)] and (times[id(one)] or 0.0) < (times[id(other)] or 0.0)
        for pair in pairs
        for one, other in (pair, pair[::-1])
    )


def _largest(claim: Claim, part: Part, runs: Runs, seeds: Sequence[int], unfit: str) -> Measured:
    """Return the largest value of an axis up to which every run learns, or reaches the target."""

    def number(record: Record) -> float:
        return {**record["experiment"], **record["experiment"].get("knobs", {})}[claim.metric]

    def stood(side: Sequence[Place], seed: int) -> float | None:
        largest = None
        for record in sorted(runs.of(side, [seed]), key=number):
            if not (is_hit(record, claim.target) if claim.target else outcome(record) == LEARNS):
                break
            largest = number(record)
        return largest

    one, other = ({seed: stood(side, seed) for seed in seeds} for side in part.sides)
    if without := [seed for seed in seeds if one[seed] is None or other[seed] is None]:
        unfit = unfit or f"not even the smallest {claim.metric} does with seed {', '.join(map(str, without[:3]))}"
    known = [{seed: number for seed, number in side.items() if number is not None} for side in (one, other)]
    return Measured(known[0], known[1], (0, 0), len(seeds), None, claim.margin, "max", 0.0, claim.metric, unfit)


def _by_seed(
    part: Part, runs: Runs, seeds: Sequence[int], number: Callable[[Record], float | None], *, geometric: bool
) -> tuple[Values, Values]:
    """Return each side's mean by seed, over the settings in which both sides have a number."""
    one: Values = {}
    other: Values = {}
    for seed in seeds:
        pairs = [(number(runs.found[a, seed]), number(runs.found[b, seed])) for a, b in zip(*part.sides, strict=True)]
        both = [(a, b) for a, b in pairs if a is not None and b is not None]
        if both:
            one[seed], other[seed] = (
                geometric_mean(side) if geometric and min(side) > 0 else fmean(side) for side in zip(*both, strict=True)
            )
    return one, other


def unfit_reason(claim: Claim, sides: Sequence[Sequence[Record]]) -> str:
    """Say why runs cannot be compared, if so."""
    records = [record for side in sides for record in side]
    contents = {(record["experiment"]["dataset"], data_hash(record)) for record in records}
    if len(contents) > len({dataset for dataset, _ in contents}):
        return "the data changed between its runs"
    if claim.metric not in moments.TIMES and claim.at.kind != "seconds":
        return ""
    busy = [record["others_busy"] for record in records if record.get("others_busy") is not None]
    if len(busy) < len(records):
        return "its runs do not tell whether they had the machine to themselves"
    if max(busy) > ALONE:
        return f"runs shared the machine (others kept up to {max(busy):.2g} cores busy); train them alone, --workers 1"
    if len(threads := {record.get("threads") for record in records}) > 1:
        return f"its runs had different numbers of threads ({', '.join(map(str, sorted(threads, key=str)))})"
    return ""
