"""Groups of runs and what pairs them: equal settings but for the seed, and across groups equal seeds.

A group has equal values of the columns it is formed by. Settings that differ within groups form, with the seed, the
unit: two groups are compared over the units that both have. Settings that merely go along with a group (each optimizer
with a rate of its own) are part of what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kerasrun.analysis.choice import condition
from kerasrun.analysis.columns import MISSING, QUIET, Columns, matches, written
from kerasrun.analysis.columns import grouped as by_values
from kerasrun.analysis.fairness import data_hash, is_one_split
from kerasrun.analysis.moments import Record
from kerasrun.analysis.statistics import Difference, Margin, differences
from kerasrun.analysis.verdicts import Verdict, verdict
from kerasrun.errors import InputError
from kerasrun.literals import split_outside
from kerasrun.run_record import TRAINED
from kerasrun.sweep_record import Axis

_BARE = ("none", "true", "false")  # words that say little without their column


@dataclass
class Group:
    """Runs with equal values of the columns that are compared.

    Args:
        values: the raw value of each column.
        runs: all runs, the newest first.
        results: value of the metric by unit; where a unit was trained twice, the newest run's.
        used: the runs that the results are of, in the same order.
        diverged: units whose run diverged.
        missing: status of the units without an outcome; "no value" where only the metric is not there.
        repeated: how many runs repeat another's unit.
        unfair: what makes the comparison with its baseline unfair, in words.
    """

    values: Mapping[str, Any]
    runs: list[Record]
    results: dict[int, float] = field(default_factory=dict)
    used: list[Record] = field(default_factory=list)
    diverged: set[int] = field(default_factory=set)
    missing: dict[int, str] = field(default_factory=dict)
    repeated: int = 0
    unfair: str = ""

    @property
    def label(self) -> str:
        """The group in a few words: "sgd batch_size=64"."""
        return called(self.values)

    @property
    def outcomes(self) -> set[int]:
        """The units with an outcome, diverged ones among them."""
        return self.results.keys() | self.diverged

    @property
    def trained(self) -> int:
        """Number of units with an outcome."""
        return len(self.results) + len(self.diverged)


@dataclass(frozen=True)
class Groups:
    """All groups of a comparison.

    Args:
        by: the columns that tell them apart.
        members: the groups, in the order in which their newest run was made.
        unit: the settings that, with the seed, tell the runs of one group apart.
        going_along: settings that differ between groups but not within them, besides `by`.
        one_split: whether all runs have the same training, validation and test examples.
        names: what a unit is called where it is more than its seed: "tanh seed 3".
    """

    by: tuple[str, ...]
    members: list[Group]
    unit: tuple[str, ...]
    going_along: tuple[str, ...]
    one_split: bool
    names: Mapping[int, str]


def called(values: Mapping[str, Any]) -> str:
    """Return values in a few words: names as they are, all else with its column; nothing for what is missing."""
    texts = {name: written(value) for name, value in values.items() if value is not MISSING}
    words = [text if text[:1].isalpha() and text not in _BARE else f"{name}={text}" for name, text in texts.items()]
    return " ".join(words)


def differ_only_in_seed(records: Sequence[Record], columns: Columns, differing: Collection[str]) -> bool:
    """Tell whether some setting was trained with two seeds."""
    reads = [columns.settings[name] for name in differing if name not in ("seed", *QUIET)]
    seen: dict[tuple[str, ...], Any] = {}
    for record in records:
        seed = record["experiment"].get("seed")
        if seen.setdefault(tuple(written(read(record)) for read in reads), seed) != seed:
            return True
    return False


def form(
    records: Sequence[Record],
    columns: Columns,
    by: Sequence[str],
    differing: Collection[str],
    read: Callable[[Record], float | None],
) -> Groups:
    """Put runs into groups and give each run of a group its unit.

    Args:
        records: the newest first.
        columns: their columns.
        by: the columns that tell the groups apart.
        differing: settings that are not the same in all runs.
        read: returns a run's result, None where it has none.
    """
    candidates = _candidates(differing, by)
    members = by_values(records, columns, by)
    unit = [name for name in candidates if any(_differ(those, columns, name) for those in members)]
    reads = [columns[name] for name in unit]
    several_data = len({data_hash(record) for record in records} - {None}) > 1
    numbers: dict[tuple[Any, ...], int] = {}
    names: dict[int, str] = {}
    groups = []
    for runs in members:
        group = Group({name: columns[name](runs[0]) for name in by}, list(runs))
        for record in runs:
            number = seed = record["experiment"].get("seed")
            if reads or several_data or not isinstance(seed, int):
                key = (seed, *(written(get(record)) for get in reads), several_data and data_hash(record))
                number = numbers.setdefault(key, len(numbers))
                names[number] = f"{called(dict(zip(unit, key[1:-1], strict=True)))} seed {seed}".strip()
            _enter(group, number, record, read(record))
        group.missing = {n: status for n, status in group.missing.items() if n not in group.outcomes}
        groups.append(group)
    along = [name for name in candidates if name not in unit]
    return Groups(tuple(by), groups, tuple(unit), tuple(along), is_one_split(records, differing), names)


def _candidates(differing: Collection[str], by: Sequence[str]) -> list[str]:
    """Return the settings that can be part of the unit; of hidden, what the rows do not tell apart already."""
    found = [name for name in differing if name not in (*by, "seed", *QUIET)]
    if "hidden" in found and {"layers", "units"} & {*by}:
        found.remove("hidden")
        found += [name for name in ("layers", "units") if name not in by]
    return found


def _enter(group: Group, unit: int, record: Record, result: float | None) -> None:
    """Note how one run ended; of two runs of one unit the newer one with an outcome counts."""
    if result is None and record["status"] != "diverged":
        group.missing.setdefault(unit, "no value" if record["status"] in TRAINED else record["status"])
    elif unit in group.results or unit in group.diverged:
        group.repeated += 1
    elif result is None:
        group.diverged.add(unit)
    else:
        group.results[unit] = result
        group.used.append(record)


def _differ(records: Sequence[Record], columns: Columns, name: str) -> bool:
    values = [value for value in columns.values(name, records) if value is not MISSING]
    return any(value != values[0] for value in values)


def baselines(groups: Groups, given: str | None, columns: Columns, axes: Sequence[Axis]) -> dict[int, Group]:
    """Return the group that each group is compared with, by the group's number; metrics of two datasets never are.

    Args:
        groups: all groups.
        given: "optimizer=sgd", or several conditions with commas between.
        columns: of the runs.
        axes: a sweep's, whose first values come first; else the first run made.

    Raises:
        InputError: no group, or several, fit what is given.
    """
    order = {id(group): _order(group, axes) for group in groups.members}
    blocks: dict[Any, list[Group]] = {}
    for group in sorted(groups.members, key=lambda group: order[id(group)]):
        blocks.setdefault(dataset_of(group), []).append(group)
    first = _given(groups, given, columns) if given else min(groups.members, key=lambda group: order[id(group)])
    alike = _but_dataset(first)
    base = {key: next((g for g in block if _but_dataset(g) == alike), block[0]) for key, block in blocks.items()}
    return {number: base[dataset_of(group)] for number, group in enumerate(groups.members)}


def _given(groups: Groups, given: str, columns: Columns) -> Group:
    fitting = groups.members
    for part in split_outside(given, ","):
        name, texts = condition(columns, part, option="--baseline")
        if name not in groups.by:
            raise InputError(f"--baseline {part.strip()}: the rows differ in {', '.join(groups.by)}")
        fitting = [group for group in fitting if any(matches(name, group.values[name], text) for text in texts)]
    if len(fitting) == 1:
        return fitting[0]
    rows = [",".join(f"{name}={written(value)}" for name, value in g.values.items()) for g in fitting or groups.members]
    what = f"fits {len(fitting)} rows" if fitting else "fits no row"
    raise InputError(
        f"--baseline {given} {what}\nwrite one of: {' · '.join(rows[:8])}{' · …' if len(rows) > 8 else ''}"
    )


def _order(group: Group, axes: Sequence[Axis]) -> tuple[Any, ...]:
    """Return a key that puts the first point of every axis first, then what was made first."""
    points = []
    for axis in axes:
        own = tuple(written(group.values.get(name, MISSING)) for name in axis.names)
        written_points = [tuple(map(written, point)) for point in axis.values]
        points.append(written_points.index(own) if own in written_points else len(written_points))
    return (*points, min(record["created"] for record in group.runs))


def dataset_of(group: Group) -> Any:
    """Return what tells apart groups that are never compared with each other."""
    return group.values.get("dataset"), group.values.get("data")


def _but_dataset(group: Group) -> list[tuple[str, str]]:
    return [(name, written(value)) for name, value in group.values.items() if name not in ("dataset", "data")]


@dataclass(frozen=True)
class Against:
    """A group against its baseline."""

    group: Group
    baseline: Group
    difference: Difference
    verdict: Verdict


def against(
    groups: Groups,
    bases: Mapping[int, Group],
    *,
    margin: Margin,
    direction: str,
    resolution: float = 0.0,
    bounded: bool = False,
    errors: Callable[[Group, Group], tuple[float, float] | None] = lambda group, baseline: None,
) -> dict[int, Against]:
    """Return the difference of each group from its baseline, as one family; by the group's number.

    Args:
        groups: all groups.
        bases: as `baselines` returns it.
        margin: the smallest difference that matters.
        direction: "max" where more of the metric is better, else "min".
        resolution: smallest step between two values.
        bounded: whether values lie in [0, 1].
        errors: returns standard error and degrees of freedom of a pair where they count more than the seeds.
    """
    compared = [(number, group) for number, group in enumerate(groups.members) if bases[number] is not group]
    pairs = [(group.results, bases[number].results) for number, group in compared]
    known = {index: error for index, (n, group) in enumerate(compared) if (error := errors(group, bases[n]))}
    found = differences(pairs, margin=margin, direction=direction, resolution=resolution, bounded=bounded, errors=known)
    return {
        number: Against(group, bases[number], difference, _in_view(verdict(difference, margin), group, bases[number]))
        for (number, group), difference in zip(compared, found, strict=True)
    }


def _in_view(found: Verdict, group: Group, base: Group) -> Verdict:
    """Return the verdict in view of unfairness, and of runs that diverged: who diverges more often is not better."""
    if group.unfair:
        return Verdict("none", f"unfair ({group.unfair}): {found.words}")
    if not group.diverged and not base.diverged:
        return found
    counts = f"diverged {len(group.diverged)} of {group.trained}, baseline {len(base.diverged)} of {base.trained}"
    if not group.results or not base.results:
        return replace(found, words=counts)
    more = len(group.diverged) * base.trained - len(base.diverged) * group.trained
    if (more > 0 and "better" in found.kind) or (more < 0 and "worse" in found.kind):
        return Verdict("none", f"no verdict: {found.words} where both converged, but {counts}")
    return Verdict(found.kind, f"{found.words} where both converged; {counts}")
