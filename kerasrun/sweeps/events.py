"""What is told of a sweep while it runs, one event at a time, and what its processes say to each other."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kerasrun.run_record import Record
from kerasrun.sweeps.grid import Cell


@dataclass(frozen=True)
class Begun:
    """A worker has begun a cell, or goes on with it, in a run folder."""

    cell: Cell
    folder: str


@dataclass(frozen=True)
class Epoch:
    """An epoch (from 1) of a cell is done; the row is that of metrics.csv, or empty where it was too long to tell."""

    cell: Cell
    epoch: int
    row: dict[str, float]


@dataclass(frozen=True)
class Ended:
    """A cell has a result: its run is finished, stopped, diverged or pruned."""

    cell: Cell
    record: Record


@dataclass(frozen=True)
class Failed:
    """A cell has none.

    Args:
        cell: the cell.
        text: why, in up to three lines.
        lines: the last lines of its log.
        folder: the run folder, where there is one.
        code: the exit code that `kerasrun train` would have had.
        others: cells that cannot be trained for the same reason.
    """

    cell: Cell
    text: str
    lines: tuple[str, ...] = ()
    folder: str | None = None
    code: int = 1
    others: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class Left:
    """A cell was left as it is: a signal came, or another process trains it."""

    cell: Cell


@dataclass(frozen=True)
class Notice:
    """A line for the user."""

    text: str


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # what ends a sweep before its time
PRUNE = signal.SIGUSR1  # tells a training that it is hopeless
Errand = Mapping[str, Any]  # "cell": its number; the rest is for what prepares the training
Tell = Callable[..., None]
Work = Callable[[Tell], int]  # what a child does; returns its exit code
Event = Begun | Epoch | Ended | Failed | Left | Notice
Watch = Callable[[Event], None]
