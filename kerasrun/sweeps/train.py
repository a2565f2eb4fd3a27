"""One sweep, from its plan to its results: what is done already, what is trained, what is written down."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import kerasrun
from kerasrun import run_folder, run_tables, runs, sweep_record
from kerasrun.run_record import Record
from kerasrun.runs import Run, now
from kerasrun.sweep_record import FOLDER
from kerasrun.sweeps import local
from kerasrun.sweeps.events import Ended, Event, Failed, Left, Watch
from kerasrun.sweeps.grid import Cell, Sweep
from kerasrun.sweeps.states import DONE, ELSEWHERE, RESUME, Hashes, State, seconds_needed, states
from kerasrun.sweeps.workers import Crew, choose

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Outlook:
    """A sweep and what the results folder holds of it.

    Args:
        sweep: the sweep.
        states: where each cell stands, by its number.
        crew: the workers.
        seconds: how long it will take; None before the first runs of their kind.
        notes: lines for the user.
        hashes: of the data.
    """

    sweep: Sweep
    states: dict[int, State]
    crew: Crew
    seconds: float | None
    notes: tuple[str, ...]
    hashes: Hashes

    @property
    def to_train(self) -> list[Cell]:
        """The cells that are to be trained."""
        return _to_train(self.sweep, self.states)


@dataclass(frozen=True)
class Result:
    """What became of a sweep.

    Args:
        sweep: the sweep.
        records: the run of each cell that has a result, by the cell's number.
        failed: the cells that have none.
        left: the cells that another process trains, or whose worker was interrupted.
        results: folder of all runs.
    """

    sweep: Sweep
    records: dict[int, Record]
    failed: tuple[Failed, ...]
    left: tuple[Cell, ...]
    results: Path

    @property
    def id(self) -> str:
        """The sweep's id."""
        return self.sweep.id

    @property
    def runs(self) -> list[Run]:
        """The runs that have a result and a folder, in the order of the cells."""
        records = [self.records[number] for number in sorted(self.records)]
        return [runs.load(Path(record["path"])) for record in records if "path" in record]

    @property
    def table(self) -> pd.DataFrame:
        """What `kerasrun.compare` says of the sweep."""
        return kerasrun.compare(self.id, results=self.results)

    @property
    def exit_code(self) -> int:
        """0 where every cell has a result; the first failure's where none has one; else 1."""
        if self.failed and not self.records:
            return self.failed[0].code
        return 1 if self.failed or self.left else 0


def look(sweep: Sweep, results: Path, *, workers_wanted: int | str = "auto", again: bool = False) -> Outlook:
    """Find out what is to be trained.

    Args:
        sweep: what `plan` returned.
        results: folder of all runs.
        workers_wanted: how many, or "auto".
        again: whether to train what has a result, too.

    Raises:
        InputError: a number of workers that cannot be; or data that a network cannot eat.
    """
    records, damaged = run_tables.all_records(results)
    before = sweep_record.read(results, sweep.id)
    hashes = Hashes(before.data if before else {})
    found = states(sweep.cells, [] if again else records, hashes)
    to_train = _to_train(sweep, found)
    crew = choose(workers_wanted, sweep.cells, len(to_train))
    unseen = [f"{name} is not at hand: it is taken to be what the runs were made with" for name in hashes.unseen]
    notes = (*sweep.notes, *unseen, *map(str, damaged))
    return Outlook(sweep, found, crew, seconds_needed(to_train, records, crew.workers), notes, hashes)


def _to_train(sweep: Sweep, states: Mapping[int, State]) -> list[Cell]:
    return [cell for cell in sweep.cells if states[cell.number].kind not in (DONE, ELSEWHERE)]


@contextmanager
def held(name: str, results: Path, kind: str = FOLDER) -> Iterator[None]:
    """Keep other processes from the same sweep or tuning for the duration of a block.

    Args:
        name: its id.
        results: folder of all runs.
        kind: the folder below that holds all of its kind.

    Raises:
        RunInUse: one of them works on it.
        InputError: the results folder cannot be written.
    """
    run_folder.probe(results)
    folder = results / kind / name
    folder.mkdir(parents=True, exist_ok=True)
    with run_folder.lock(folder):
        yield


def train(outlook: Outlook, results: Path, *, watch: Watch) -> Result:
    """Train what is to be trained, and write down what belongs to the sweep.

    Args:
        outlook: what `look` returned.
        results: folder of all runs.
        watch: is told what happens.

    Raises:
        Interrupted, RunFailed: as `local.train`.
    """
    sweep, hashes = outlook.sweep, outlook.hashes
    records = {n: state.record for n, state in outlook.states.items() if state.kind == DONE and state.record}
    failed: list[Failed] = []
    left = [cell for cell in sweep.cells if outlook.states[cell.number].kind == ELSEWHERE]

    def hear(event: Event) -> None:
        if isinstance(event, Ended):
            records[event.cell.number] = event.record
            hashes.learn(event.cell.experiment, event.record)
        elif isinstance(event, Failed):
            failed.append(event)
        elif isinstance(event, Left):
            left.append(event.cell)
        watch(event)

    todo = []
    for cell in outlook.to_train:
        hashes.signature(cell.experiment)  # as it is before the data are read
        state = outlook.states[cell.number]
        todo.append((cell, state.record["folder"] if state.kind == RESUME and state.record else None))
    write(outlook, results)
    if todo:
        try:
            local.train(todo, results, crew=outlook.crew, watch=hear)
        finally:
            write(outlook, results)
    return Result(sweep, records, tuple(failed), tuple(left), results)


def write(outlook: Outlook, results: Path) -> None:
    """Write down what belongs to the sweep, where that has changed."""
    before = sweep_record.read(results, outlook.sweep.id)
    record = dataclasses.replace(outlook.sweep.record(now(), before), data=outlook.hashes.current)
    if record != before:
        sweep_record.write(results, record)
