"""From what a person asks for to the cells of a sweep, each resolved and checked before the first one trains.

A setting is one combination of the axes' values; a cell is a setting with a seed: one run.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerasrun import experiment_file
from kerasrun.errors import InputError, shown
from kerasrun.experiment import Experiment, identity, resolve, to_record
from kerasrun.literals import written
from kerasrun.run_folder import plain
from kerasrun.sweep_record import Axis, SweepRecord
from kerasrun.sweeps import axes as axes_
from kerasrun.sweeps.axes import Point

MOST_CELLS = 100_000


@dataclass(frozen=True)
class Cell:
    """One run of a sweep.

    Args:
        number: from 1, in the order in which the cells are trained.
        setting: what the axes say here: name -> value as a run's record has it.
        seed: the seed.
        experiment: what is trained.
        hash: its identity whatever the data's content, the "experiment_hash" in a run's record.
    """

    number: int
    setting: Mapping[str, Any]
    seed: int
    experiment: Experiment
    hash: str

    def __str__(self) -> str:
        return " ".join([f"#{self.number}", *words(self.setting), f"seed {self.seed}"])


@dataclass(frozen=True)
class Sweep:
    """An experiment, a grid of values and seeds.

    Args:
        name: the file's stem, else the dataset's name.
        file: the experiment file as it was named, if any.
        axes: what is varied, in the order as written.
        seeds: rising.
        cells: all runs, in the order in which they are trained: by data, then seed, then setting.
        claims, metric, at, extend: as the file has them.
        notes: lines for the user.
    """

    name: str
    file: str | None
    axes: tuple[Axis, ...]
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...]
    claims: tuple[dict[str, Any], ...] = ()
    metric: str | None = None
    at: str | None = None
    extend: bool = False
    notes: tuple[str, ...] = ()

    @property
    def settings(self) -> list[Mapping[str, Any]]:
        """The combinations of the axes' values."""
        return [cell.setting for cell in self.cells if cell.seed == self.seeds[0]]

    @functools.cached_property
    def id(self) -> str:
        """The name and four digits that follow from all that is asked for except the seeds."""
        first = [dataclasses.replace(cell.experiment, seed=0) for cell in self.cells if cell.seed == self.seeds[0]]
        hashes = " ".join(sorted(identity(experiment, "") for experiment in first))
        return f"{self.name}-{hashlib.sha256(hashes.encode()).hexdigest()[:4]}"

    def with_seeds(self, seeds: Sequence[int]) -> Sweep:
        """Return the same sweep over other seeds."""
        experiments = [cell.experiment for cell in self.cells if cell.seed == self.seeds[0]]
        cells, _ = _cells(experiments, [name for axis in self.axes for name in axis.names], tuple(seeds))
        return dataclasses.replace(self, seeds=tuple(seeds), cells=cells)

    def record(self, created: str, before: SweepRecord | None) -> SweepRecord:
        """Return what the results folder shall know of the sweep; seeds that were asked for before stay part of it.

        Args:
            created: the time now.
            before: what it knew until now.
        """
        cells: list[dict[str, Any]] = [
            {"hash": cell.hash, "setting": dict(cell.setting), "seed": cell.seed} for cell in self.cells
        ]
        known, settings = {cell.hash for cell in self.cells}, self.settings
        cells += [c for c in (before.cells if before else ()) if c["hash"] not in known and c["setting"] in settings]
        return SweepRecord(
            id=self.id,
            name=self.name,
            file=self.file,
            created=before.created if before else created,
            axes=self.axes,
            seeds=tuple(sorted({cell["seed"] for cell in cells})),
            cells=tuple({**cell, "number": number} for number, cell in enumerate(cells, start=1)),
            claims=self.claims,
            metric=self.metric,
            at=self.at,
            data=before.data if before else {},
        )


def plan(
    dataset: str | Sequence[str] | None,
    given: Mapping[str, Any],
    *,
    file: Path | None = None,
    seeds: int | str | Sequence[int] | None = None,
) -> Sweep:
    """Find every cell of a sweep and check it, without loading TensorFlow.

    Args:
        dataset: as `experiment.resolve` takes it, or several, as in `given`.
        given: settings, "recipe" and knobs by name, with one value or several, as `axes.split` takes them.
        file: an experiment's TOML file with what is varied.
        seeds: how many, or which, as `axes.read_seeds` takes them; the file's, else the experiment's own.

    Raises:
        InputError: an axis, a seed or a cell that cannot be; the cell is named by its values.
    """
    in_file, varied = experiment_file.read_sweep(file) if file else ({}, {})
    if file and "search" in varied:
        raise experiment_file.elsewhere(file, varied)
    fixed, own = axes_.split({**({} if dataset is None else {"dataset": dataset}), **given})
    axes = axes_.merged(axes_.of_file(varied), own, fixed)
    names = [axes_.names_of(axis) for axis in axes]
    grid = _Grid(fixed, in_file, frozenset([*fixed, *(name for axis in own for name in axes_.names_of(axis))]))
    seeds = varied.get("seeds") if seeds is None else seeds
    if seeds is not None and ("seed" in fixed or "seed" in in_file):
        raise InputError("seed and seeds are both given\nleave one of them out")
    experiments = grid.without(axes_.tables(varied, "exclude"), grid.experiments(axes))
    chosen = (experiments[0].seed,) if seeds is None else axes_.read_seeds(seeds)
    if (runs := len(experiments) * len(chosen)) > MOST_CELLS:
        raise InputError(f"that is {runs:,} runs; one sweep has at most {MOST_CELLS:,}")
    cells, notes = _cells(experiments, [*itertools.chain(*names)], chosen)
    return Sweep(
        name=plain(file.stem if file else experiments[0].entry.task.name) or "sweep",
        file=str(file) if file else None,
        axes=tuple(_canonical(those, cells) for those in names),
        seeds=chosen,
        cells=cells,
        notes=notes,
        **_comparison(varied),
    )


def words(setting: Mapping[str, Any]) -> list[str]:
    """Return a setting in few words: names of Keras's objects alone, other values with their names."""
    named = {name: written(value) for name, value in setting.items()}
    return [
        text if isinstance(setting[name], str) and text[:1].isalpha() else f"{name}={text}"
        for name, text in named.items()
    ]


def data_key(experiment: Experiment) -> tuple[Any, ...]:
    """Return what decides the arrays of an experiment: cells of one key train on the same ones."""
    names = ("dataset", "validation", "test", "split_seed", "limit")
    return *(getattr(experiment, name) for name in names), *sorted(experiment.options.items())


@dataclass(frozen=True)
class _Grid:
    """What all settings have in common.

    Args:
        fixed: what has one value on the command line.
        in_file: the values of the file.
        said: all names that the command line gives values.
    """

    fixed: Point
    in_file: Mapping[str, Any]
    said: frozenset[str]

    def experiment(self, point: Point) -> Experiment:
        given = {**self.fixed, **point}
        return resolve(given.pop("dataset", None), given, written=self.in_file)

    def experiments(self, axes: list[axes_.Axis]) -> list[tuple[Point, Experiment]]:
        """Return every point of the grid with its experiment.

        Raises:
            InputError: of the first point that cannot be; it is named unless all fail for the same reason.
        """
        if (size := math.prod(map(len, axes))) > MOST_CELLS:
            raise InputError(f"that is {size:,} settings; one sweep has at most {MOST_CELLS:,} runs")
        found, faults = [], []
        for points in itertools.product(*axes):
            point = {name: value for each in points for name, value in each.items()}
            try:
                found.append((point, self.experiment(point)))
            except InputError as error:
                faults.append((point, str(error)))
        if not faults:
            return found
        point, text = faults[0]
        if not found and len({text for _, text in faults}) == 1:
            raise InputError(text)
        more = f" (and {len(faults) - 1} more of {size} settings)" if len(faults) > 1 else ""
        raise InputError(f"{_assigned(point)}{more}: {text}")

    def without(self, tables: list[Point], found: list[tuple[Point, Experiment]]) -> list[Experiment]:
        """Return the experiments that no table fits: one fits where what it says changes nothing.

        Raises:
            InputError: nothing is left, or a table fits none although the command line has not changed what it names.
        """
        for table in tables:
            kept = [(point, experiment) for point, experiment in found if not self._fits(table, point, experiment)]
            if len(kept) == len(found) and not self.said & {name.replace("-", "_") for name in table}:
                raise InputError(f"exclude: no setting of the sweep has {_assigned(table)}")
            found = kept
        if not found:
            raise InputError("exclude: nothing is left to train")
        return [experiment for _, experiment in found]

    def _fits(self, table: Point, point: Point, experiment: Experiment) -> bool:
        try:
            return identity(self.experiment({**point, **table}), "") == identity(experiment, "")
        except InputError:  # a knob of another recipe; a wrong name fits nowhere, and that is said
            return False


def _cells(experiments: list[Experiment], names: list[str], seeds: tuple[int, ...]) -> tuple[tuple[Cell, ...], tuple]:
    """Return the cells in the order of their training, and a line for each setting that is the same as another."""
    groups: dict[tuple[Any, ...], list[tuple[Experiment, dict[str, Any]]]] = {}
    for experiment in experiments:
        groups.setdefault(data_key(experiment), []).append((experiment, values_of(experiment, names)))
    cells: dict[str, Cell] = {}
    same: dict[str, None] = {}
    for group in groups.values():
        for seed, (experiment, setting) in itertools.product(seeds, group):
            seeded = dataclasses.replace(experiment, seed=seed)
            cell = Cell(len(cells) + 1, setting, seed, seeded, identity(seeded, ""))
            first = cells.setdefault(cell.hash, cell)
            if first is not cell:
                same[f"{' '.join(words(setting))} is the same as {' '.join(words(first.setting))}; trained once"] = None
    return tuple(cells.values()), tuple(same)


def values_of(experiment: Experiment, names: Sequence[str]) -> dict[str, Any]:
    """Return the values of the names as a run's record has them; none of a knob that the recipe does not know."""
    record = to_record(experiment)
    values = {**record, **record["knobs"]}
    return {name: values[name] for name in names if name in values}


def _canonical(names: list[str], cells: Sequence[Cell]) -> Axis:
    """Return an axis with the values that its cells have, each once."""
    points = (tuple(cell.setting.get(name) for name in names) for cell in cells)
    return Axis(tuple(names), tuple({repr(point): point for point in points}.values()))


def _assigned(point: Point) -> str:
    return " ".join(f"{name}={written(value)}" for name, value in point.items())


def _comparison(varied: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file says of the comparison.

    Raises:
        InputError: a value of another kind.
    """
    kinds: dict[str, tuple[type, str]] = {"metric": (str, "a name"), "extend": (bool, "true or false")}
    for name, (kind, wanted) in kinds.items():
        if name in varied and not isinstance(varied[name], kind):
            raise InputError(f"{name} must be {wanted}, not {shown(varied[name])}")
    return {
        "claims": tuple(axes_.tables(varied, "claim")),
        "metric": varied.get("metric"),
        "at": str(varied["at"]) if "at" in varied else None,
        "extend": varied.get("extend", False),
    }
