"""The table of groups: n, mean with interval, difference from a baseline over the same seeds, verdict in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kerasrun.analysis import amounts, crossed, fairness, remarks
from kerasrun.analysis.columns import finite, written
from kerasrun.analysis.comparison import Comparison, ordered
from kerasrun.analysis.groups import Against, Group, Groups, against
from kerasrun.analysis.moments import BEST, LAST, TIMES, At, Record, resolution
from kerasrun.analysis.statistics import Estimate, Margin, estimate, is_share
from kerasrun.errors import unknown
from kerasrun.run_record import TRAINED


@dataclass(frozen=True)
class Rules:
    """How groups are compared.

    Args:
        metric: the column that is compared.
        at: its moment.
        direction: "max" where more is better, else "min".
        margin: the smallest difference that matters.
        sort: a column that orders the rows, falling with a "-" in front; None for the best first.
        images: whether differences shall hold for other validation images, too.
    """

    metric: str
    at: At
    direction: str
    margin: Margin
    sort: str | None = None
    images: bool = False

    @property
    def moment(self) -> str:
        """The moment in words."""
        return moment_of(self.metric, self.at)


def moment_of(metric: str, at: At) -> str:
    """Return a moment in words; test metrics and times have none of their own."""
    if metric.startswith("test_"):
        return "of the best weights"
    return "" if metric in TIMES else str(at)


@dataclass(frozen=True)
class _Row:
    group: Group
    estimate: Estimate | None
    against: Against | None
    seconds: float | None

    def exact(self, rules: Rules) -> dict[str, Any]:
        """Return every digit by column."""
        row = {name: amounts.plain(value) for name, value in self.group.values.items()}
        row |= {"metric": rules.metric, "at": rules.moment, "n": len(self.group.results)}
        row |= {"diverged": len(self.group.diverged)}
        row |= {name: getattr(self.estimate, name, None) for name in ("mean", "low", "high", "sd")}
        return row | amounts.compared(self.against) | {"seconds": self.seconds}


def compare_means(groups: Groups, bases: Mapping[int, Group], rules: Rules) -> Comparison:
    """Return the table of groups, the best first.

    Args:
        groups: all groups.
        bases: the baseline of each, by its number.
        rules: how they are compared.

    Raises:
        InputError: no column to sort by.
    """
    compared, estimates = judged(groups, bases, rules)
    rows = [_Row(group, estimates[n], compared.get(n), _seconds(group)) for n, group in enumerate(groups.members)]
    exact = [row.exact(rules) for row in rows]
    order = _order(exact, rules, groups)
    rows, exact = [rows[number] for number in order], [exact[number] for number in order]
    notes = fairness.epochs_chosen_from({group.label: group.used for group in groups.members}, rules.at)
    title = " · ".join(
        [subject(groups, rules), pairing(groups, compared), *decided(compared, said_margin(rules.margin))]
    )
    records = [record for group in groups.members for record in group.runs]
    notes += remarks.lines(groups, compared, _chance(records, rules.metric))
    return Comparison(
        rules.metric, title, tuple(exact[0]), exact, _people(groups, rows), notes, members=[row.group for row in rows]
    )


def judged(
    groups: Groups, bases: Mapping[int, Group], rules: Rules
) -> tuple[dict[int, Against], list[Estimate | None]]:
    """Return each group against its baseline, by its number, and each group's mean; None where it has no result."""
    records = [record for group in groups.members for record in group.runs]
    compared = against(
        groups, bases, margin=rules.margin, direction=rules.direction, resolution=resolution(records, rules.metric),
        bounded=is_share(rules.metric),
        errors=lambda one, other: crossed.errors(one, other, rules.at) if rules.images else None,
    )  # fmt: skip
    chance = _chance(records, rules.metric)
    return compared, [
        estimate([*group.results.values()], metric=rules.metric, chance=chance) if group.results else None
        for group in groups.members
    ]


def _seconds(group: Group) -> float | None:
    """Return the mean over the runs that were trained to their end."""
    found = [finite((r.get("seconds") or {}).get("total")) for r in group.runs if r["status"] in TRAINED]
    known = [seconds for seconds in found if seconds is not None]
    return sum(known) / len(known) if known else None


def _chance(records: Sequence[Record], metric: str) -> float | None:
    """Return what guessing the most frequent class reaches, where all runs were judged by the same examples."""
    found = {(record.get("data") or {}).get("chance") for record in records} if metric == "val_accuracy" else {None}
    return finite(found.pop()) if len(found) == 1 else None


def _order(rows: Sequence[dict[str, Any]], rules: Rules, groups: Groups) -> list[int]:
    """Return the rows' numbers in the order in which they are shown."""
    key, falling = "mean", rules.direction == "max"
    if rules.sort:
        known = [*groups.by, "n", "mean", "sd", "difference", "p", "seconds"]
        key = rules.sort.lstrip("-").replace("-", "_")
        if key not in known:
            raise unknown("column to sort by", rules.sort.lstrip("-"), known)
        falling = rules.sort.startswith("-") != (falling and key == "mean")
    return ordered([row[key] for row in rows], falling=falling)


def _people(groups: Groups, rows: Sequence[_Row]) -> tuple[tuple[str, ...], list[list[Any]]]:
    """Return the table as people read it."""
    digits = amounts.decimals(row.estimate.mean for row in rows if row.estimate)
    brackets = any(row.estimate and not row.estimate.is_symmetric for row in rows)
    columns: dict[str, list[Any]] = {name: [written(row.group.values[name]) for row in rows] for name in groups.by}
    columns["n"] = [len(row.group.results) for row in rows]
    if any(row.group.diverged for row in rows):
        counts = [(len(row.group.diverged), row.group.trained) for row in rows]
        columns["diverged"] = [f"{k} of {n}" if k else None for k, n in counts]
    means = [amounts.mean(row.estimate, digits, brackets=brackets) for row in rows]
    columns["mean [interval]" if brackets else "mean ± interval"] = means
    seconds = [None if row.seconds is None else f"{row.seconds:.1f}" for row in rows]
    columns |= amounts.columns([row.against for row in rows], digits, {"s/run": seconds})
    return tuple(columns), [*map(list, zip(*columns.values(), strict=True))]


def subject(groups: Groups, rules: Rules) -> str:
    """Return what is compared: "val_accuracy at the last epoch (10)"."""
    records = [record for group in groups.members for record in group.runs]
    words = f"{rules.metric} {rules.moment}".strip()
    if rules.moment == str(LAST):
        limits = {record["experiment"].get("epochs") for record in records}
        return f"{words} ({limits.pop()})" if len(limits) == 1 else words
    return words + (fairness.optimism(records) if rules.moment == str(BEST) else "")


def said_margin(margin: Margin) -> str:
    """Return a margin as people read it: 0.005, 2 %."""
    return f"{margin.value * 100:g} %" if margin.relative else f"{margin.value:g}"


def pairing(groups: Groups, compared: Mapping[int, Against]) -> str:
    """Return how many runs a row has, and how they are paired."""
    counts = sorted({group.trained for group in groups.members})
    word = "runs" if groups.unit else "seeds"
    each = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    how = "one seed each" if counts == [1] else f"{each} {word}" + (" each" if len(groups.members) > 1 else "")
    methods = {one.difference.method for one in compared.values()} - {"none", "one seed"}
    if "crossed" in methods:
        return f"{how}, paired by seed and image: over other seeds and images"
    if methods == {"Welch"}:
        how += ", not paired (nothing in common: Welch's test)"
    elif methods:
        by = " and ".join([", ".join(groups.unit), "seed"] if groups.unit else ["seed"])
        how += f", paired by {by}" + (", Welch's test where nothing is common" if "Welch" in methods else "")
    return f"{how}, one split" if groups.one_split else how


def decided(compared: Mapping[int, Against], margin: str) -> list[str]:
    """Return how it is decided: baseline, intervals, margin."""
    tested = sum(one.difference.p is not None for one in compared.values())
    words = [f"baseline {name}" for name in sorted({one.baseline.label for one in compared.values()})][:1]
    words.append("95 % intervals, Holm-corrected" if tested > 1 else "95 % intervals")
    return [*words, f"margin {margin}"] if compared else words
