"""A sweep's grid as places, and which of them a condition such as "optimizer=adam" chooses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kerasrun.analysis.columns import matches
from kerasrun.errors import InputError, closest, shown, unknown
from kerasrun.literals import split_outside, written
from kerasrun.sweep_record import Axis

Place = tuple[int, ...]  # the number of a point on each axis, from 0
Points = Mapping[int, int]  # axis -> point


@dataclass(frozen=True)
class Condition:
    """One point on some of the axes.

    Args:
        name: how it is called in words: "adam", "batch_size=32".
        points: the point on each axis that is named.
    """

    name: str
    points: Points


@dataclass(frozen=True)
class Grid:
    """The places of a sweep that are trained, each over all seeds.

    Args:
        axes: what is varied.
        places: those that are not excluded.
    """

    axes: tuple[Axis, ...]
    places: frozenset[Place]

    def place(self, setting: Mapping[str, Any]) -> Place:
        """Return the place of a cell's setting."""
        settings = (_key(setting.get(name) for name in axis.names) for axis in self.axes)
        return tuple(points[key] for points, key in zip(self._points, settings, strict=True))

    @cached_property
    def _points(self) -> list[dict[str, int]]:
        return [{_key(point): number for number, point in enumerate(axis.values)} for axis in self.axes]

    def condition(self, given: Any) -> Condition:
        """Read a condition: "optimizer=adam", "optimizer=adam, hidden=300-100" or {optimizer = "adam"}.

        Raises:
            InputError: no such form, a name that is no axis, a value that is not in the grid, or several points.
        """
        asked: dict[int, dict[str, str]] = {}
        for name, text in _named(given).items():
            axis = self.axis(name)
            asked.setdefault(axis, {})[_spelled(name, self.axes[axis].names)] = text
        points = {axis: self._chosen(self.axes[axis], texts) for axis, texts in asked.items()}
        return Condition(self.called(points), points)

    def axis(self, name: str) -> int:
        """Return the number of the axis that bears a name.

        Raises:
            InputError: no axis does.
        """
        for number, axis in enumerate(self.axes):
            if _spelled(name, axis.names):
                return number
        raise unknown("axis of the grid", name, [name for axis in self.axes for name in axis.names])

    def called(self, points: Points) -> str:
        """Return points in words: a plain name as it is, everything else with the setting in front."""
        words = []
        for number, point in points.items():
            axis = self.axes[number]
            pairs = [(n, v) for n, v in zip(axis.names, axis.values[point], strict=True) if v is not None]
            for name, value in pairs or [(axis.names[0], None)]:
                words.append(value if isinstance(value, str) else f"{name}={written(value)}")
        return ", ".join(words)

    def others(self, points: Points) -> list[Condition]:
        """Return every other combination of points on the axes of a condition that is trained somewhere."""
        found = dict.fromkeys(tuple((axis, place[axis]) for axis in points) for place in sorted(self.places))
        return [Condition(self.called(dict(p)), dict(p)) for p in found if dict(p) != dict(points)]

    def combinations(self, axes: Sequence[int]) -> list[Points]:
        """Return every combination of points on some axes that is trained somewhere, in the order as written."""
        found = sorted({tuple(place[axis] for axis in axes) for place in self.places})
        return [dict(zip(axes, points, strict=True)) for points in found]

    def at(self, points: Points) -> dict[Place, Place]:
        """Return the places at some points, by what is left of them: the points on all other axes."""
        here = [p for p in sorted(self.places) if all(p[axis] == point for axis, point in points.items())]
        return {tuple(point for axis, point in enumerate(p) if axis not in points): p for p in here}

    def _chosen(self, axis: Axis, texts: Mapping[str, str]) -> int:
        """Return the one point of an axis that has some values."""
        columns = {name: [point[i] for point in axis.values] for i, name in enumerate(axis.names)}
        for name, text in texts.items():
            if not any(matches(name, value, text) for value in columns[name]):
                values = dict.fromkeys(written(value) for value in columns[name])
                near = closest(text, values)
                raise InputError(
                    f"{name}={shown(text)} is not in the grid{f'; did you mean {near!r}?' if near else ''}\n"
                    f"values: {', '.join(values)}"
                )
        found = [
            number
            for number in range(len(axis.values))
            if all(matches(name, columns[name][number], text) for name, text in texts.items())
        ]
        if len(found) != 1:
            said = ", ".join(f"{name}={shown(text)}" for name, text in texts.items())
            count = f"{len(found)} points" if found else "no point"
            raise InputError(f"{said} fits {count} of the axis {', '.join(axis.names)}; name one by all its values")
        return found[0]


def grid(axes: Sequence[Axis], settings: Iterable[Mapping[str, Any]]) -> Grid:
    """Return the grid of a sweep.

    Args:
        axes: what is varied.
        settings: each cell's setting, name -> value.
    """
    empty = Grid(tuple(axes), frozenset())
    return Grid(tuple(axes), frozenset(map(empty.place, settings)))


def _named(given: Any) -> dict[str, str]:
    """Return a condition's names with their values as text."""
    if isinstance(given, dict) and given:
        return {str(name): value if isinstance(value, str) else written(value) for name, value in given.items()}
    wanted = 'write "optimizer=adam", or for several axes "optimizer=adam, hidden=100"'
    if not isinstance(given, str) or not given.strip():
        raise InputError(f"{shown(given)} is no condition\n{wanted}")
    found: dict[str, str] = {}
    for part in split_outside(given, ","):
        name, _, text = (piece.strip() for piece in part.partition("="))
        if not re.fullmatch(r"[A-Za-z_][\w-]*", name) or not text or name in found:
            raise InputError(f"{shown(given)} is no condition\n{wanted}")
        found[name] = text
    return found


def _spelled(name: str, names: Sequence[str]) -> str:
    return next((known for known in names if known.replace("-", "_") == name.replace("-", "_")), "")


def _key(values: Iterable[Any]) -> str:
    return json.dumps([*values])
