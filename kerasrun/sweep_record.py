"""What a results folder knows of a sweep: results/sweeps/<id>.json, with the axes, the seeds and the cells.

The only module that knows that file. A run belongs to a sweep when its record's "experiment_hash" is a cell's hash.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kerasrun import atomic
from kerasrun.errors import InputError, shown

FOLDER = "sweeps"


@dataclass(frozen=True)
class Axis:
    """What is varied: one name, or several that vary together.

    Args:
        names: settings, knobs, "recipe" or "dataset"; several where the axis couples them.
        values: one inner tuple for each point, in the order as written, one value for each name, as a run's record has
            it (sizes are lists); None also where a point's recipe does not know the knob.
    """

    names: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class SweepRecord:
    """A sweep as it was last asked for.

    Args:
        id: "<name>-<4 hexadecimal digits>"; the digits follow from all that is asked for except the seeds.
        name: the experiment file's stem, else the dataset's name.
        file: the experiment file as it was named, if any.
        created: when the sweep was first asked for, ISO 8601 in UTC.
        axes: what is varied, in the order as written.
        seeds: all seeds that were ever asked for, rising.
        cells: for each run: number (from 1), hash (a run's "experiment_hash"), setting (name -> value) and seed.
        claims: the experiment file's [[claim]] tables.
        metric: what the file says the runs are compared by, if anything.
        at: the moment at which, if the file says so.
        data: what was seen of each data's files (an opaque text) -> hash of its content.
    """

    id: str
    name: str
    file: str | None
    created: str
    axes: tuple[Axis, ...]
    seeds: tuple[int, ...]
    cells: tuple[dict[str, Any], ...]
    claims: tuple[dict[str, Any], ...] = ()
    metric: str | None = None
    at: str | None = None
    data: Mapping[str, str] = field(default_factory=dict)

    @functools.cached_property
    def settings(self) -> dict[str, Mapping[str, Any]]:
        """The setting of every run that belongs to the sweep, by its "experiment_hash"."""
        return {cell["hash"]: cell["setting"] for cell in self.cells}


def read(results: Path, name: str) -> SweepRecord | None:
    """Return a sweep by its id or the beginning of one, or None where no sweep is called so.

    Raises:
        InputError: the name fits several sweeps, or the sweep's file is damaged.
    """
    ids = [path.stem for path in _files(results)]
    fitting = [name] if name in ids else [identifier for identifier in ids if name and identifier.startswith(name)]
    if len(fitting) > 1:
        raise InputError(f"'{shown(name)}' can be {len(fitting)} sweeps: {', '.join(fitting[:4])}\nwrite more of it")
    return _load(results / FOLDER / f"{fitting[0]}.json") if fitting else None


def write(results: Path, record: SweepRecord) -> Path:
    """Write a sweep down, in place of what was written before; return the file.

    Raises:
        DiskError: it cannot be written.
    """
    path = results / FOLDER / f"{record.id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(path, json.dumps({"format": 1, **dataclasses.asdict(record)}, indent=1, allow_nan=False) + "\n")
    return path


def _files(results: Path) -> list[Path]:
    return sorted(path for path in (results / FOLDER).glob("*.json") if path.name[0] != ".")


def _load(path: Path) -> SweepRecord:
    try:
        content = json.loads(path.read_bytes())
        if content.pop("format") != 1:
            raise ValueError("is of another format than 1")
        axes = tuple(Axis(tuple(a["names"]), tuple(tuple(point) for point in a["values"])) for a in content.pop("axes"))
        lists: dict[str, Any] = {name: tuple(content.pop(name)) for name in ("seeds", "cells", "claims")}
        if not all({"number", "hash", "setting", "seed"} <= cell.keys() for cell in lists["cells"]):
            raise ValueError("holds a cell without its parts")
        return SweepRecord(axes=axes, **lists, **content)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path}: damaged: {error}\nthe sweep's own command writes it anew") from None
