"""Two other questions to the same groups: how many seeds would settle a margin, and which axis of the grid mattered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from kerasrun.analysis import amounts, remarks
from kerasrun.analysis.columns import MISSING, written
from kerasrun.analysis.comparison import Comparison
from kerasrun.analysis.groups import Group, Groups, against
from kerasrun.analysis.means import Rules, said_margin, subject
from kerasrun.analysis.shares import shares
from kerasrun.analysis.verdicts import seeds_needed
from kerasrun.errors import InputError, shown
from kerasrun.literals import parse_value
from kerasrun.sweep_record import Axis


def parse_margin(text: str) -> float:
    """Read "margin=0.005" or "0.005".

    Raises:
        InputError: no number above 0.
    """
    value = parse_value(text.strip().removeprefix("margin="))
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise InputError(f"margin={shown(text)} must be a number above 0, as 0.005; for losses 0.02 is 2 %")
    return float(value)


def plan_seeds(groups: Groups, bases: Mapping[int, Group], rules: Rules) -> Comparison:
    """Return how many seeds would show a difference as large as the margin, for each group against its baseline.

    Args:
        groups: all groups.
        bases: the baseline of each, by its number.
        rules: metric, moment and margin.
    """
    compared = against(groups, bases, margin=rules.margin, direction=rules.direction)
    scale = math.log1p(rules.margin.value) if rules.margin.relative else rules.margin.value
    rows: list[dict[str, Any]] = []
    for number, one in compared.items():
        found = one.difference
        needed = seeds_needed(found.sd or 0.0, found.n, scale, alpha=1 - found.level) or (None, None, None)
        row = {name: amounts.plain(value) for name, value in groups.members[number].values.items()}
        row |= {"against": one.baseline.label, "pairs": found.n, "sd": found.sd, "correlation": found.correlation}
        rows.append(row | dict(zip(("seeds", "seeds_low", "seeds_high"), needed, strict=True)))
    if not rows:
        raise InputError("--power needs two rows that are compared; here is one\n--by names what tells rows apart")
    said = said_margin(rules.margin)
    columns = (*groups.by, "pairs", "sd of the difference", "correlation", f"seeds that settle {said}")
    cells = [
        [
            *(written(row[n]) for n in groups.by),
            row["pairs"],
            _rounded(row["sd"]),
            _rounded(row["correlation"], 2),
            _range(row),
        ]
        for row in rows
    ]
    wanted = f"seeds that show a difference of {said} four times in five"
    title = " · ".join([subject(groups, rules), wanted, f"baseline {rows[0]['against']}"])
    note = "about N (N₁ to N₂): the sd itself is known from few seeds only; with fewer than 3 pairs nothing can be said"
    return Comparison(rules.metric, title, tuple(rows[0]), rows, (columns, cells), [note, *remarks.lines(groups, {})])


def _rounded(value: float | None, digits: int = 4) -> str | None:
    return None if value is None else f"{value:.{digits}f}"


def _range(row: Mapping[str, Any]) -> str | None:
    return None if row["seeds"] is None else f"{row['seeds']:,} ({row['seeds_low']:,} to {row['seeds_high']:,})"


def share_of_axes(groups: Groups, rules: Rules, axes: Sequence[Axis]) -> Comparison:
    """Return the share of the variance that each axis of a full grid has, alone and with its interactions.

    Args:
        groups: one a point of the grid.
        rules: metric and moment.
        axes: a sweep's; coupled names are one axis. Without, every column of the rows is an axis.

    Raises:
        InputError: the grid has one axis, is not complete, or has fewer than two seeds.
    """
    if groups.unit:
        raise InputError(f"--shares: rows hold runs that differ in {', '.join(groups.unit)}\nadd it to --by")
    names = [axis.names for axis in axes if {*axis.names} <= {*groups.by}] or [(name,) for name in groups.by]
    labels: list[list[str]] = [[] for _ in names]
    values = {}
    common = set.intersection(*({*group.results} for group in groups.members))
    for group in groups.members:
        point = [" ".join(written(group.values.get(name, MISSING)) for name in axis) for axis in names]
        for label, known in zip(point, labels, strict=True):
            known += [] if label in known else [label]
        place = tuple(known.index(label) for label, known in zip(point, labels, strict=True))
        values[place] = {unit: value for unit, value in group.results.items() if unit in common}
    found = shares(values, [",".join(axis) for axis in names], labels=labels)
    rows = [{"axis": s.axis, "first": s.first, "low": s.low, "high": s.high, "total": s.total} for s in found]
    of_axes = len(names)
    cells = []
    for number, one in enumerate(found):
        interval = "" if one.low is None or one.high is None else f" [{one.low * 100:.0f}, {one.high * 100:.0f}]"
        cells.append(
            [one.axis, f"{one.first * 100:.1f} %{interval}", f"{one.total * 100:.1f} %" if number < of_axes else None]
        )
    left = len({unit for group in groups.members for unit in group.outcomes} - common)
    notes = ["shares of this grid: they depend on the values that were chosen for the axes"]
    if left:
        notes.append(f"{left} seed{'s' if left > 1 else ''} without a result in some cell, left out")
    title = f"share of the variance of {subject(groups, rules)} · {len(groups.members)} cells × {len(common)} seeds"
    return Comparison(rules.metric, title, tuple(rows[0]), rows, (("axis", "alone", "with interactions"), cells), notes)
