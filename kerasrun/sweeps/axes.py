"""What is varied, as a person writes it: commas on the command line, lists in Python, the tables of a sweep's file.

An axis is a list of points; a point is what it sets, by name, as written. Nothing here knows what the names mean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kerasrun import experiment_file
from kerasrun.errors import InputError, shown
from kerasrun.literals import parse_value, split_outside

# What may hold commas in its own value: only brackets or quotes around a part make several values of it
LISTS = ("metrics", "callbacks", "class_weights", "augment", "drop", "na", "kinds")
_MOST_SEEDS = 10_000

Point = dict[str, Any]
Axis = list[Point]


def split(given: Mapping[str, Any]) -> tuple[Point, list[Axis]]:
    """Return what has one value, and an axis for each name that has several.

    Args:
        given: values by name: a text with commas outside brackets and quotes, or a list, has several. A name
            "hidden,initializer" couples two: its values are lists of two.

    Raises:
        InputError: an empty list, an empty value between commas, or a point of coupled names of another length.
    """
    fixed: Point = {}
    axes = []
    for written, value in given.items():
        names = _names(written)
        values = _values(names, value)
        if len(values) == len(names) == 1:
            fixed[names[0]] = values[0]
        else:
            axes.append([_point(names, each) for each in values])
    return fixed, axes


def of_file(varied: Mapping[str, Any]) -> list[Axis]:
    """Return the axes of a sweep's file: each line of [grid], each [[zip]] table, and the list of overrides.

    Raises:
        InputError: a table or list of another form.
    """
    grid = varied.get("grid", {})
    if not isinstance(grid, dict):
        raise InputError("grid is a table: write [grid] and below it a line for each axis")
    axes = []
    for written, values in grid.items():
        if written in experiment_file.SWEEP:
            raise InputError(f"{written} stands in [grid]; write it above the first table")
        if not isinstance(values, list) or not values:
            raise InputError(f'grid: {written} must be a list of values, as ["sgd", "adam"]')
        axes.append([_point(_names(written), value) for value in values])
    for table in tables(varied, "zip"):
        lists = [*table.values()]
        if {type(values) for values in lists} != {list} or not all(lists) or len({*map(len, lists)}) != 1:
            raise InputError("the lists of a [[zip]] table vary together and must have equal lengths, none of them 0")
        names = [name.replace("-", "_") for name in table]
        axes.append([dict(zip(names, point, strict=True)) for point in zip(*lists, strict=True)])
    if overrides := tables(varied, "overrides"):
        axes.append([{name.replace("-", "_"): value for name, value in table.items()} for table in overrides])
    return axes


def tables(varied: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a list of tables of a sweep's file.

    Raises:
        InputError: it is something else.
    """
    found = varied.get(name, [])
    if not isinstance(found, list) or not all(isinstance(table, dict) and table for table in found):
        raise InputError(f'{name} must be a list of tables, as {name} = [{{optimizer = "sgd"}}]')
    return found


def merged(in_file: list[Axis], own: list[Axis], fixed: Point) -> list[Axis]:
    """Return the axes of the file and of the command line, whose values go before the file's of that name.

    Args:
        in_file: the file's axes.
        own: the command line's.
        fixed: what has one value on the command line.

    Raises:
        InputError: a name that is varied twice, the seed, or a name that the file couples with others.
    """
    replaced = {name: axis for axis in own for name in names_of(axis)}
    axes: list[Axis] = []
    for axis in in_file:
        names = names_of(axis)
        if len(names) > 1 and (clash := [name for name in names if name in fixed or name in replaced]):
            raise InputError(f"{clash[0]} varies together with others in the file; it cannot be given besides")
        chosen = replaced.get(names[0], axis)
        if names[0] not in fixed and not any(chosen is other for other in axes):  # one may couple two of the file's
            axes.append(chosen)
    axes += [axis for axis in own if not any(axis is other for other in axes)]
    names = [name for axis in axes for name in names_of(axis)]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"{twice[0]} is varied twice\nlet one axis have all its values")
    if given := [name for axis in own for name in names_of(axis) if name in fixed]:
        raise InputError(f"{given[0]} is given twice: with one value, and varied")
    if "seed" in names:
        raise InputError("seed is no axis: write --seeds 5, --seeds 0,1,7 or --seeds 3-7")
    return axes


def names_of(axis: Axis) -> list[str]:
    """Return the names that an axis sets, in the order as written."""
    return [*dict.fromkeys(name for point in axis for name in point)]


def read_seeds(written: int | str | Sequence[int]) -> tuple[int, ...]:
    """Return seeds, rising: 5 is the first five, "0,1,7" and "3-7" are these, a list is itself.

    Raises:
        InputError: no seeds, or too many.
    """
    found: set[int] = set()
    is_list = isinstance(written, list | tuple | range)
    parts = [f"{seed}-{seed}" for seed in written] if is_list else str(written).split(",")  # type: ignore[union-attr]
    for part in parts:
        match = re.fullmatch(r"\s*(\d{1,10})\s*(?:-\s*(\d{1,10})\s*)?", part, re.ASCII)
        if not match or int(match[2] or match[1]) < int(match[1]):
            found.clear()
            break
        first, last = int(match[1]), int(match[2] or match[1])
        if len(parts) == 1 and not match[2]:
            first, last = 0, first - 1
        found.update(range(first, min(last, first + _MOST_SEEDS) + 1))
    if not 0 < len(found) <= _MOST_SEEDS or max(found) >= 2**32:
        raise InputError(
            f"seeds={shown(written)}: write how many, as 5, or which, as 0,1,7 or 3-7, at most {_MOST_SEEDS:,}"
        )
    return tuple(sorted(found))


def _names(written: str) -> list[str]:
    return [name.strip().replace("-", "_") for name in written.split(",")]


def _values(names: list[str], value: Any) -> list[Any]:
    """Return the values that a text or a list names."""
    is_list = names[0] in LISTS and len(names) == 1
    if isinstance(value, list):
        if not value:
            raise InputError(f"{names[0]}: an empty list has no value to train with")
        return value if not is_list or isinstance(value[0], list | tuple) else [value]
    if not isinstance(value, str):
        return [value]
    parts = [part.strip() for part in split_outside(value, ",")]
    if is_list and (len(parts) == 1 or not any(part[:1] in "[('\"" for part in parts if part)):
        return [value]
    if len(parts) > 1 and not all(parts):
        raise InputError(f"{names[0]}={shown(value)}: there is nothing between two commas")
    return [parse_value(part) for part in parts] if is_list or len(names) > 1 else parts


def _point(names: list[str], value: Any) -> Point:
    if len(names) == 1:
        return {names[0]: value}
    if not isinstance(value, list | tuple) or len(value) != len(names):
        raise InputError(
            f"{','.join(names)}: {shown(value)} is not a list of {len(names)} values\n"
            "names joined by commas vary together, one list for each point"
        )
    return dict(zip(names, value, strict=True))
