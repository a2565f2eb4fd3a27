"""What a results folder already holds of a sweep: which cells have a result, which go on, which are to be trained.

A cell has a result when a run of its identity, the data's content included, is finished, stopped, diverged or pruned,
in a run folder or in a committed table.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kerasrun import datasets, run_index
from kerasrun.datasets.signature import signature
from kerasrun.errors import DataUnavailable
from kerasrun.experiment import Experiment
from kerasrun.run_record import Record
from kerasrun.runs import ENDED, Run
from kerasrun.sweeps.grid import Cell

DONE, TO_DO, RESUME = "done", "to do", "to resume"
RETRY, ELSEWHERE = "failed, to do again", "trained by another process"


@dataclass(frozen=True)
class State:
    """Where a cell stands.

    Args:
        kind: DONE, RESUME, RETRY, ELSEWHERE or TO_DO.
        record: the run that makes it so, if any.
    """

    kind: str
    record: Record | None = None


class Hashes:
    """The hash of each data set's content, read only where its files can have changed since it was last known.

    Args:
        known: hashes by `datasets.signature`.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self.known = dict(known)
        self.unseen: list[str] = []  # data that are not at hand
        self._signatures: dict[tuple[Any, ...], str] = {}

    def of(self, experiment: Experiment) -> str | None:
        """Return the hash of an experiment's data; None where they are not at hand."""
        sign = self.signature(experiment)
        if sign not in self.known and experiment.dataset not in self.unseen:
            try:
                if datasets.status(experiment.entry).startswith("not "):
                    raise DataUnavailable
                self.known[sign] = datasets.load(experiment).content_hash
            except DataUnavailable:
                self.unseen.append(experiment.dataset)
        return self.known.get(sign)

    @property
    def current(self) -> dict[str, str]:
        """The hashes of the data that were asked for, by their signatures."""
        return {sign: self.known[sign] for sign in self._signatures.values() if sign in self.known}

    def learn(self, experiment: Experiment, record: Record) -> None:
        """Take over the hash that a run has found."""
        self.known[self.signature(experiment)] = record["data"]["hash"]

    def signature(self, experiment: Experiment) -> str:
        """Return the signature of an experiment's data as it was when first asked for."""
        key = (experiment.dataset, *sorted(experiment.options.items()), experiment.validation, experiment.test)
        if key not in self._signatures:
            self._signatures[key] = signature(experiment)
        return self._signatures[key]


def states(cells: Iterable[Cell], records: Sequence[Record], hashes: Hashes) -> dict[int, State]:
    """Return where each cell stands, by its number.

    Args:
        cells: of one sweep.
        records: all runs, the newest first.
        hashes: of the data; data that are not at hand are taken to be those of the runs.
    """
    runs: dict[str, list[Record]] = {}
    for record in records:
        runs.setdefault(record.get("experiment_hash", ""), []).append(record)
    return {cell.number: _state(cell, runs.get(cell.hash, []), hashes) for cell in cells}


def _state(cell: Cell, runs: list[Record], hashes: Hashes) -> State:
    if not runs:
        return State(TO_DO)
    wanted = hashes.of(cell.experiment)
    fitting = [run for run in runs if (run.get("data") or {}).get("hash") in (wanted, None) or wanted is None]
    for kind, statuses in ((DONE, ENDED), (ELSEWHERE, ("running",)), (RESUME, ("interrupted",)), (RETRY, ("failed",))):
        for run in fitting:
            if run["status"] in statuses and (kind == DONE or "path" in run):
                return State(kind, run)
    return State(TO_DO)


def trained_elsewhere(run: Run) -> str | None:
    """Return the folder of another run of the same experiment that a process is working on.

    Of two processes that begin the same at once, both find the other: none trains, which is better than twice.

    Args:
        run: begun by this process.
    """
    for record in run_index.scan(run.folder.parent).records:
        same = record.get("experiment_hash") == run.record["experiment_hash"] and record["id"] != run.id
        if same and record["status"] == "running":
            return record["folder"]
    return None


def seconds_needed(cells: Sequence[Cell], records: Iterable[Record], workers: int) -> float | None:
    """Return how long cells will take, by the finished runs of their data sets and recipes; None without such runs.

    Args:
        cells: still to be trained.
        records: all runs.
        workers: how many train at a time.
    """
    epochs: dict[tuple[str, str], list[float]] = {}
    beside: list[float] = []
    for record in records:
        times = record.get("seconds") or {}
        if record["status"] in ENDED and times.get("epoch"):
            made = record["experiment"]
            epochs.setdefault((made["dataset"], made["recipe"]), []).append(times["epoch"])
            beside.append(times["total"] - times["training"])
    medians = {kind: statistics.median(those) for kind, those in epochs.items()}
    kinds = [(cell.experiment.dataset, cell.experiment.recipe) for cell in cells]
    if not cells or not all(kind in medians for kind in kinds):
        return None
    training = sum(medians[kind] * cell.experiment.epochs for kind, cell in zip(kinds, cells, strict=True))
    return (training + statistics.median(beside) * len(cells)) / min(workers, len(cells))
