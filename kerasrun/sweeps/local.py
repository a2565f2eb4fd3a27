"""Cells trained on this machine, each in a process of its own, as many at a time as there are workers."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kerasrun import environment, runs
from kerasrun.errors import Interrupted, RunInUse
from kerasrun.experiment import to_record
from kerasrun.sweeps import pool as pools
from kerasrun.sweeps.events import Begun, Ended, Epoch, Event, Failed, Left, Notice, Watch
from kerasrun.sweeps.grid import Cell, data_key
from kerasrun.sweeps.workers import Crew

_LAST_LINES = 8

Due = tuple[Cell, str | None]  # a cell to train, and the name of the run folder to go on with, if any


@dataclass
class _Working:
    """A cell that a worker trains, and what has been heard of it."""

    cell: Cell
    slot: int
    folder: str | None = None
    fault: str | None = None


@dataclass
class _Shift:
    """The cells of one call of `train`: those that wait and those that are trained now."""

    results: Path
    gpus: Sequence[str]
    waiting: deque[Due]
    more: Callable[[], Due | None]
    free: list[int]
    working: dict[int, _Working] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)


def train(
    cells: Sequence[Due],
    results: Path,
    *,
    crew: Crew,
    watch: Watch,
    command: Sequence[str] | None = None,
    more: Callable[[], Due | None] = lambda: None,
    is_hopeless: Callable[[Epoch], bool] = lambda epoch: False,
) -> None:
    """Train cells and tell how each ends; one that fails hinders no other.

    Args:
        cells: in the order of their training, each with the name of the run folder to go on with, if any.
        results: folder of all runs.
        crew: the workers.
        watch: is told what happens.
        command: as `Pool` takes it.
        more: returns a further cell whenever a worker is free and none is left; None: wait for what runs.
        is_hopeless: asked after every epoch; where it says so, the run ends with the status "pruned".

    Raises:
        InputError: the environment asks for another backend than TensorFlow.
        Interrupted: a signal came; what was running can be resumed.
        RunFailed: the process that starts the workers died.
    """
    environment.refuse_backend()
    shift = _Shift(results, crew.gpus, deque(cells), more, [*range(crew.workers)])
    with pools.Pool(crew.sharing, command) as pool, pool.obeying():
        _hand_out(shift, pool)
        events = pool.events()
        while shift.working and (event := next(events, None)):
            for told in _heard(shift, event, stopped=pool.stopped_by is not None):
                watch(told)
                if isinstance(told, Epoch) and is_hopeless(told):
                    pool.prune(told.cell.number)
            if pool.stopped_by is None:
                _hand_out(shift, pool)
    for at in shift.working.values():  # killed at the second signal
        watch(Left(at.cell))
    if pool.stopped_by is not None:
        raise Interrupted("Interrupted; the same command goes on.", pool.stopped_by)


def _hand_out(shift: _Shift, pool: pools.Pool) -> None:
    """Give every free worker a cell."""
    while shift.free:
        due = shift.waiting.popleft() if shift.waiting else shift.more()
        if due is None:
            return
        cell, folder = due
        slot = shift.free.pop(0)
        shift.working[cell.number] = _Working(cell, slot)
        pool.start(
            {
                "cell": cell.number,
                "experiment": to_record(cell.experiment),
                "origins": dict(cell.experiment.origins),
                "hash": cell.hash,
                "results": str(shift.results),
                "resume": folder,
                "gpu": shift.gpus[slot % len(shift.gpus)] if shift.gpus else None,
            }
        )


def _heard(shift: _Shift, event: Mapping[str, Any], *, stopped: bool) -> list[Event]:
    """Return what an event of the server or of a worker means."""
    kind = event["event"]
    if kind == "notice":
        return [Notice(event["text"])]
    at = shift.working[event["cell"]]
    if kind == "begun":
        at.folder = event["folder"]
        return [Begun(at.cell, event["folder"])]
    if kind == "started":
        new = [note for note in event.get("notes", []) if note not in shift.said]
        shift.said.update(new)
        return [Notice(f"note: {note}") for note in new]
    if kind == "epoch":
        return [Epoch(at.cell, event["epoch"], event.get("row", {}))]
    if kind == "fault":
        at.fault = event["text"]
        return []
    del shift.working[at.cell.number]
    shift.free.append(at.slot)
    return [_ending(shift, at, event, stopped=stopped)]


def _ending(shift: _Shift, at: _Working, event: Mapping[str, Any], *, stopped: bool) -> Event:
    """Return how a cell ended: with a result, left for later, or failed."""
    record: Mapping[str, Any] = {}
    folder = shift.results / at.folder if at.folder else None
    if folder and (folder / runs.RECORD).exists():
        record = runs.load(folder).record
        if record["status"] in runs.ENDED:
            return Ended(at.cell, {**record, "folder": folder.name, "path": str(folder)})
    if stopped or event["code"] == RunInUse.exit_code or event["code"] > 128:
        return Left(at.cell)
    others: tuple[Cell, ...] = ()
    if "text" in event and event["code"] != 1:  # not the cell's fault: its data cannot be had, or cannot be used
        same = [pair for pair in shift.waiting if data_key(pair[0].experiment) == data_key(at.cell.experiment)]
        others = tuple(cell for cell, _ in same)
        shift.waiting = deque(pair for pair in shift.waiting if pair not in same)
    if event["signal"]:
        text = f"killed (signal {event['signal']}), peak memory {event['peak'] / 2**20:,.0f} MiB"
        text += "; likely out of memory; try fewer --workers" if event["signal"] == signal.SIGKILL else ""
    else:
        text = event.get("text") or at.fault or f"ended with exit code {event['code']}"
    lines = _last_lines(folder) or tuple(event.get("said", []))
    return Failed(at.cell, text, lines, folder.name if record and folder else None, event["code"] or 1, others)


def _last_lines(folder: Path | None) -> tuple[str, ...]:
    """Return the end of a run's traceback, else of its log."""
    for name in (runs.ERROR, runs.LOG):
        path = folder / name if folder else None
        if path and path.is_file():
            return tuple(path.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:])
    return ()
