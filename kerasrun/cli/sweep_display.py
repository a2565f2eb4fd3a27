"""What a person sees of a sweep: the list beforehand, what runs now, the means at the end."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kerasrun.analysis import moments
from kerasrun.cli import console
from kerasrun.literals import written
from kerasrun.run_record import Record
from kerasrun.settings import direction
from kerasrun.sweeps.events import Begun, Ended, Epoch, Event, Failed, Left, Notice
from kerasrun.sweeps.grid import Cell, Sweep
from kerasrun.sweeps.states import DONE
from kerasrun.sweeps.train import Outlook, Result

_MOST_ROWS = 20


class _Measure:
    """What runs are shown by: the metric and the moment that the file names, else the first metric when it counts."""

    def __init__(self, sweep: Sweep) -> None:
        experiment = sweep.cells[0].experiment
        self.metric = sweep.metric or f"val_{(*experiment.metric_names, 'loss')[0]}"
        self.at = moments.parse_at(sweep.at or _usual_moment(sweep))
        self.rising = direction(self.metric) == "max"

    def of(self, record: Record) -> float | None:
        return moments.value(record, self.metric, self.at)


def _usual_moment(sweep: Sweep) -> str:
    return "last" if all(cell.experiment.patience is None for cell in sweep.cells) else "best"


def show_plan(outlook: Outlook) -> None:
    """Write every cell with what differs and where it stands, then the time that it will take."""
    sweep = outlook.sweep
    names = _Means(sweep).names
    rows = [
        (cell.number, *(_shown(cell, name) for name in names), cell.seed, outlook.states[cell.number].kind)
        for cell in sweep.cells
    ]
    console.show_table(("n", *names, "seed", "state"), rows, text_columns=names)
    console.say("", *_head(outlook))
    console.notice(*outlook.notes)


def show_result(result: Result) -> None:
    """Write a row for each setting, the best first: how many seeds are done, and the plain mean over them."""
    sweep, means = result.sweep, _Means(result.sweep)
    for number, record in result.records.items():
        means.add(sweep.cells[number - 1], record)
    columns, rows = means.table()
    console.say(f"{means.measure.metric} {means.measure.at}, plain mean over seeds", "")
    console.show_table(columns, rows[:_MOST_ROWS], text_columns=means.names)
    if len(rows) > _MOST_ROWS:
        console.say(f" … and {len(rows) - _MOST_ROWS} more settings")
    if result.failed:
        failed = sum(1 + len(failure.others) for failure in result.failed)
        console.notice(f"{failed} of {len(sweep.cells)} runs failed; the same command tries them again")
    if result.left:
        left = f"{len(result.left)} of {len(sweep.cells)} runs were left"
        console.notice(f"{left}: trained by another process, or interrupted; the same command goes on")


class _Means:
    """A row for each setting of a sweep: seeds done, plain mean of their values, how many diverged."""

    def __init__(self, sweep: Sweep) -> None:
        self.measure = _Measure(sweep)
        self.names = list(dict.fromkeys(name for axis in sweep.axes for name in axis.names))
        self._cells: dict[str, list[Cell]] = {}
        for cell in sweep.cells:
            self._cells.setdefault(repr(cell.setting), []).append(cell)
        self._records: dict[str, list[Record]] = {key: [] for key in self._cells}

    def add(self, cell: Cell, record: Record) -> None:
        """Take in the run of a cell."""
        self._records[repr(cell.setting)].append(record)

    def table(self) -> tuple[list[str], list[list[Any]]]:
        """Return columns and rows, the best first; a column for what diverged only where something has."""
        rows = []
        for key, cells in self._cells.items():
            records = self._records[key]
            values = [value for value in map(self.measure.of, records) if value is not None]
            diverged = sum(record["status"] == "diverged" for record in records)
            shown = [_shown(cells[0], name) for name in self.names]
            mean = statistics.fmean(values) if values else None
            rows.append([*shown, f"{len(records)}/{len(cells)}", mean, diverged])
        sign = -1 if self.measure.rising else 1
        rows.sort(key=lambda row: (row[-2] is None, sign * (row[-2] or 0)))
        columns = [*self.names, "done", self.measure.metric, "diverged"]
        if not any(row[-1] for row in rows):
            return columns[:-1], [row[:-1] for row in rows]
        return columns, rows


def _shown(cell: Cell, name: str) -> str:
    return written(cell.setting[name]) if name in cell.setting else ""


@contextmanager
def running(outlook: Outlook, *, quiet: bool = False) -> Iterator[Callable[[Event], None]]:
    """Show a sweep while it runs; yields what it is to be told to."""
    if quiet:
        yield _tell_failure
        return
    console.notice(*_head(outlook), *outlook.notes)
    if not outlook.to_train:
        yield _tell_failure
    elif sys.stderr.isatty():
        with _Live(outlook) as live:
            yield live
    else:
        yield _Lines(outlook)


def _head(outlook: Outlook) -> list[str]:
    """Return how much is to be done, in one line, and in a second one what is done already."""
    sweep = outlook.sweep
    settings, seeds, cells = len(sweep.settings), len(sweep.seeds), len(sweep.cells)
    workers = f" on {outlook.crew.workers} worker{'s' if outlook.crew.workers > 1 else ''}"
    kinds = [state.kind for state in outlook.states.values()]
    counts = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    if not outlook.to_train:
        time_needed = ", all done" if set(counts) == {DONE} else ""
    elif outlook.seconds is None:
        time_needed = f"{workers}, no estimate before the first run"
    else:
        time_needed = f"{workers}, {_about(outlook.seconds)}"
    lines = [
        f"{settings} setting{'s' * (settings > 1)} × {seeds} seed{'s' * (seeds > 1)} = {cells} run{'s' * (cells > 1)}"
        f"{time_needed}   sweep: {sweep.id}   again: the same command"
    ]
    if len(counts) > 1:
        lines.append(" · ".join(f"{count} {kind}" for kind, count in counts.items()))
    return lines


def _tell_failure(event: Event) -> None:
    """Say at once what failed, and why."""
    if isinstance(event, Failed):
        others = f" (and {len(event.others)} more runs on this data)" if event.others else ""
        where = f"   run folder: {event.folder}" if event.folder else ""
        console.notice(f"{event.cell} failed{others}: {event.text}{where}", *(f"    | {line}" for line in event.lines))


def _about(seconds: float) -> str:
    """Return a time in words: about 40 s, about 12 minutes, about 3.5 hours."""
    if seconds < 90:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} minutes" if seconds < 5400 else f"about {seconds / 3600:.1f} hours"


class _Progress:
    """What is done of a sweep, and how long the rest will take."""

    def __init__(self, outlook: Outlook) -> None:
        self.measure = _Measure(outlook.sweep)
        self.total, self.todo = len(outlook.sweep.cells), len(outlook.to_train)
        self.done = sum(state.kind == DONE for state in outlook.states.values())
        self.ended = 0  # of those that were to be trained
        self.failures: list[Failed] = []
        self.fractions: dict[int, float] = {}  # of the cells that are trained now
        self._began: float | None = None

    def hear(self, event: Event) -> None:
        if isinstance(event, Begun) and self._began is None:
            self._began = time.monotonic()
        if isinstance(event, Epoch):
            self.fractions[event.cell.number] = event.epoch / event.cell.experiment.epochs
        if isinstance(event, Ended | Failed):
            self.fractions.pop(event.cell.number, None)
            self.ended += 1
        if isinstance(event, Ended):
            self.done += 1
        if isinstance(event, Failed):
            self.failures.append(event)
            self.ended += len(event.others)

    @property
    def left(self) -> str:
        """The time left, as far as it can be told."""
        share = self.ended + sum(self.fractions.values())
        if not share or self._began is None:
            return ""
        seconds = (time.monotonic() - self._began) / share * (self.todo - share)
        return f"{console.duration(seconds)} left"


class _Lines:
    """A sweep as plain lines: one for each run that ends."""

    def __init__(self, outlook: Outlook) -> None:
        self.progress = _Progress(outlook)

    def __call__(self, event: Event) -> None:
        self.progress.hear(event)
        if isinstance(event, Notice):
            self.print(event.text)
        elif isinstance(event, Ended):
            self.print(f"{self.progress.done}/{self.progress.total} done: {self._ended(event)}")
        else:
            _tell_failure(event)

    def _ended(self, event: Ended) -> str:
        value, error = self.progress.measure.of(event.record), event.record.get("error")
        how = f"{self.progress.measure.metric} {value:.4f}" if value is not None else event.record["status"]
        if value is None and error:
            how = f"{how}: {error['message']}"
        return " · ".join(filter(None, [str(event.cell), how, self.progress.left]))

    def print(self, line: str) -> None:
        console.notice(line)


class _Live(_Lines):
    """A table of the settings, the best first, and under it what is done, what failed and the time left."""

    def __init__(self, outlook: Outlook) -> None:
        super().__init__(outlook)
        from rich.console import Console
        from rich.live import Live

        self.means = _Means(outlook.sweep)
        for cell in outlook.sweep.cells:
            state = outlook.states[cell.number]
            if state.kind == DONE and state.record:
                self.means.add(cell, state.record)
        self.working: dict[int, str] = {}
        self.console = Console(stderr=True, highlight=False)
        self.live = Live(console=self.console, get_renderable=self._picture, refresh_per_second=2, transient=True)

    def __enter__(self) -> _Live:
        self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.live.stop()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Ended):
            self.progress.hear(event)
            self.means.add(event.cell, event.record)
        else:
            super().__call__(event)
        if isinstance(event, Begun | Epoch):
            epoch, row = (event.epoch, event.row) if isinstance(event, Epoch) else (0, {})
            metric = self.progress.measure.metric
            value = f" · {metric} {row[metric]:.4f}" if metric in row else ""
            self.working[event.cell.number] = f"{event.cell} · epoch {epoch}/{event.cell.experiment.epochs}{value}"
        elif isinstance(event, Ended | Failed | Left):
            self.working.pop(event.cell.number, None)

    def _picture(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        columns, rows = self.means.table()
        table = Table(box=None, header_style="bold", pad_edge=False)
        for name in columns:
            table.add_column(name, justify="left" if name in self.means.names else "right")
        room = max(self.console.height - 8 - len(self.working), 3)
        for row in rows[:room]:
            table.add_row(
                *("" if cell is None else f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row)
            )
        if len(rows) > room:
            table.add_row("…")
        progress = self.progress
        failed = f"{len(progress.failures)} failed" if progress.failures else ""
        bar = Table.grid(padding=(0, 2))
        bar.add_row(
            f"{progress.done}/{progress.total}",
            ProgressBar(progress.total, progress.done, width=24),
            failed,
            progress.left,
        )
        return Group(table, *self.working.values(), bar)
