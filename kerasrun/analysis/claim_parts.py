"""What a claim compares with what: its conditions, multiplied out into parts over the places of the sweep's grid."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kerasrun.analysis.places import Condition, Grid, Place
from kerasrun.errors import InputError, shown

_JOINED = {"equal": " and ", "order": " > "}


@dataclass(frozen=True)
class Part:
    """One comparison, or one share, that a claim is made of; a claim holds when all its parts do.

    Args:
        name: "adam against sgd".
        sides: the places of each side, one side for a share; the n-th place of one side differs from the n-th of the
            other in nothing but what is compared.
    """

    name: str
    sides: tuple[tuple[Place, ...], ...]


def parts(kind: str, table: Mapping[str, Any], grid: Grid) -> tuple[Part, ...]:
    """Return what has to hold for a claim to hold.

    Settings that a claim does not name vary on both sides alike: a comparison averages over them within each seed, a
    share is asked for in each. `for_each` makes a part of each of their values; with `over`, all but that axis do.

    Args:
        kind: the key that says what holds.
        table: the claim's keys.
        grid: the places of the sweep.

    Raises:
        InputError: a condition that fits no point, sides that do not differ in the same axes, or no common setting.
    """
    where = grid.condition(table["where"]) if "where" in table else Condition("", {})
    compared = [[_with(c, where.points) for c in conditions] for conditions in _compared(kind, table, grid)]
    fixed = {frozenset(condition.points) for conditions in compared for condition in conditions}
    if len(fixed) > 1:
        raise InputError("its conditions name different axes, so that other settings would differ, too")
    free = [axis for axis in range(len(grid.axes)) if axis not in next(iter(fixed))]
    asked = _for_each(table.get("for_each", []), free, grid)
    each = free if len(compared[0]) == 1 else asked
    if "over" in table:
        over = grid.axis(str(table["over"]))
        if over not in free or over in asked:
            raise InputError(f"over={shown(table['over'])}: the claim already chooses a value of it")
        each = [axis for axis in free if axis != over]
    return tuple(
        _part([_with(c, chosen) for c in conditions], _JOINED.get(kind, " against "), grid, chosen)
        for chosen in grid.combinations(each)
        for conditions in compared
    )


def _compared(kind: str, table: Mapping[str, Any], grid: Grid) -> list[tuple[Condition, ...]]:
    """Return the conditions of each part: two, or one for a share."""
    if kind == "order":
        if not isinstance(table[kind], list) or len(table[kind]) < 2:
            raise InputError('order needs a list: order = ["activation=relu", "activation=tanh"]')
        steps = [_conditions(step, grid) for step in table[kind]]
        compared: list[tuple[Condition, ...]] = [
            pair for a, b in itertools.pairwise(steps) for pair in itertools.product(a, b)
        ]
    elif kind == "equal":
        compared = [*itertools.combinations(_conditions(table[kind], grid), 2)]
        if not compared:
            raise InputError('equal needs a list: equal = ["recipe=dense", "recipe=dense_add"]')
    else:
        first, other = _conditions(table[kind], grid), table.get("than", table.get("before"))
        if other is None:
            return [(condition,) for condition in first]
        if other == "all":
            others = [c for c in grid.others(first[0].points) if c.points not in [f.points for f in first]]
        else:
            others = _conditions(other, grid)
        compared = [*itertools.product(first, others)]
    if same := [a for a, b in compared if a.points == b.points]:
        raise InputError(f"compares {same[0].name} with itself")
    if not compared:
        raise InputError("there is nothing else on these axes to compare with")
    return compared


def _conditions(given: Any, grid: Grid) -> list[Condition]:
    """Return one condition, or those of a list."""
    if given == []:
        raise InputError("an empty list names no condition")
    return [grid.condition(one) for one in (given if isinstance(given, list) else [given])]


def _for_each(given: Any, free: Sequence[int], grid: Grid) -> list[int]:
    """Return the axes that a claim asks to be taken value by value."""
    asked = [grid.axis(str(name)) for name in (given if isinstance(given, list) else [given])]
    for axis in asked:
        if axis not in free:
            raise InputError(f"for_each={shown(grid.axes[axis].names[0])}: the conditions already choose a value of it")
    return asked


def _with(condition: Condition, points: Mapping[int, int]) -> Condition:
    if any(condition.points.get(axis, point) != point for axis, point in points.items()):
        raise InputError(f"where contradicts {condition.name}")
    return Condition(condition.name, {**condition.points, **points})


def _part(conditions: Sequence[Condition], joined: str, grid: Grid, chosen: Mapping[int, int]) -> Part:
    found = [grid.at(condition.points) for condition in conditions]
    common = [rest for rest in found[0] if all(rest in places for places in found)]
    name = joined.join(condition.name for condition in conditions)
    name += f" ({grid.called(chosen)})" if chosen else ""
    if not common:
        raise InputError(f"the grid trains no setting that has {name}")
    return Part(name, tuple(tuple(places[rest] for rest in common) for places in found))
