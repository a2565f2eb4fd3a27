"""What a person sees: tables, the live training, the closing block. The only module that imports rich.

Results go to stdout, progress and notices to stderr; off a terminal there is no colour, no bar and one line an epoch.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kerasrun import catalog, objects
from kerasrun.cli.layout import table_lines
from kerasrun.errors import InputError
from kerasrun.experiment import Experiment, setting_fields
from kerasrun.literals import written

if TYPE_CHECKING:
    from kerasrun.runs import Run
    from kerasrun.training.events import Ended, Epoch, Event, Started

BARS = "▁▂▃▄▅▆▇█"


def say(*lines: str) -> None:
    """Write lines to stdout."""
    for line in lines:
        print(line)


def notice(*lines: str) -> None:
    """Write lines to stderr."""
    for line in lines:
        print(line, file=sys.stderr, flush=True)


def remark(*lines: str) -> None:
    """Write remarks to stderr; at a terminal, long ones go on in indented lines."""
    width = shutil.get_terminal_size().columns if sys.stderr.isatty() else 0
    for line in lines:
        notice(
            textwrap.fill(line, width, subsequent_indent="  ", break_on_hyphens=False)
            if len(line) > width > 30
            else line
        )


def confirm(question: str, *, instead: str) -> bool:
    """Ask on stderr and return whether the answer is yes.

    Args:
        question: without the question mark.
        instead: the option that answers beforehand.

    Raises:
        InputError: nobody is there to answer.
    """
    print(f"{question}? [y/N] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer:
        print(file=sys.stderr)
        raise InputError(f"nobody answers; to go on without a question: {instead}")
    return answer.strip().lower() in ("y", "yes")


def show_title(title: str) -> None:
    """Write a table's title to stdout; at a terminal its parts, separated by " · ", go on in the next line."""
    line = ""
    for part in title.split(" · "):
        if line and sys.stdout.isatty() and len(line) + len(part) + 3 > shutil.get_terminal_size().columns:
            say(line)
            line = part
        else:
            line = f"{line} · {part}" if line else part
    say(line, "")


def show_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, text_columns: Sequence[str] = ()) -> None:
    """Write a table to stdout, numbers to the right and texts to the left; no cell is ever cut.

    At a terminal that is too narrow, what does not fit goes on below.
    """
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    head, *lines = table_lines(columns, rows, text_columns=text_columns, width=width)
    if sys.stdout.isatty():
        from rich.console import Console

        Console().print(head, style="bold", markup=False, highlight=False, soft_wrap=True)
    else:
        print(head)
    say(*lines)


def show_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]], format: str) -> None:
    """Write a list to stdout as a "table" for people, or as "csv", "json" or "md"."""
    if format == "table":
        show_table(columns, rows)
        return
    from kerasrun.analysis.tables import to_text

    say(to_text(columns, rows, format).rstrip("\n"))


def show_experiment(experiment: Experiment) -> None:
    """Write every value of an experiment with its origin to stdout."""
    origins = experiment.origins
    rows: list[tuple[str, Any, str]] = [
        ("dataset", experiment.dataset, origins["dataset"]),
        ("recipe", experiment.recipe, origins["recipe"]),
        *((name, value, origins[name]) for name, value in {**experiment.options, **experiment.knobs}.items()),
        *((n, getattr(experiment, n), origins[n]) for n in setting_fields() if n not in experiment.knobs),
    ]
    show_table(("setting", "value", "origin"), [(n, written(v), o) for n, v, o in rows], text_columns=("value",))


def already(run: Run) -> None:
    """Say that a run has ended before, and nothing was done."""
    say(f"{run.id} is already {run.status} after {run.record['epochs_run']} epochs; nothing is left to do")


@contextmanager
def training(*, quiet: bool = False) -> Iterator[Callable[[Event], None]]:
    """Show a training while it runs; yields what it is to be told to."""
    if quiet:
        yield _quiet
    elif sys.stderr.isatty():
        with _Live() as live:
            yield live
    else:
        yield _Lines()


def _quiet(event: Event) -> None:
    if type(event).__name__ == "Ended":
        say(*_closing(event.run)[-3:])  # type: ignore[union-attr]


class _Lines:
    """A training as plain lines: what it is, one line an epoch, how it ended."""

    def __init__(self) -> None:
        self.columns: list[str] = []

    def __call__(self, event: Event) -> None:
        getattr(self, f"on_{type(event).__name__.lower()}")(event)

    def on_started(self, event: Started) -> None:
        self.print(*_opening(event), "")

    def on_block(self, event: Any) -> None:
        """Nothing between epochs."""

    def on_notice(self, event: Any) -> None:
        self.print(event.text)

    def on_epoch(self, event: Epoch) -> None:
        if not self.columns:
            self.columns = [*event.row, "s"]
            self.print(" ".join(name.rjust(max(len(name), 8)) for name in self.columns))
        values = [_number(name, value) for name, value in event.row.items()] + [f"{event.seconds:.1f}"]
        cells = (value.rjust(max(len(name), 8)) for name, value in zip(self.columns, values, strict=True))
        self.print(" ".join(cells) + ("  ●" if event.best and sys.stderr.isatty() else ""))

    def on_ended(self, event: Ended) -> None:
        sys.stderr.flush()
        say("", *_closing(event.run))

    def print(self, *lines: str) -> None:
        notice(*lines)


class _Live(_Lines):
    """The same lines, and under them a bar with the running loss, the rate, the time left and the curve so far."""

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.bar = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=30), TextColumn("{task.fields[text]}"),
            console=self.console, transient=True, refresh_per_second=8,
        )  # fmt: skip
        self.task: Any = None
        self.started: Started | None = None
        self.before: int | None = None  # steps that an earlier process has done
        self.curve: list[float] = []

    def __enter__(self) -> _Live:
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def on_started(self, event: Started) -> None:
        super().on_started(event)
        self.started, self.began = event, time.monotonic()
        self.task = self.bar.add_task("", total=event.plan.steps, text="")

    def on_block(self, event: Any) -> None:
        if self.started is None:
            return
        plan, epochs = self.started.plan, self.started.run.record["experiment"]["epochs"]
        at = (event.epoch - 1) * plan.steps + event.steps
        if self.before is None:
            self.before = (event.epoch - 1) * plan.steps
        done, elapsed = at - self.before, time.monotonic() - self.began
        rate, left = done * plan.batch_size / elapsed, elapsed / done * (epochs * plan.steps - at)
        logs = sorted(event.logs.items(), key=lambda item: item[0] != "loss")
        means = "  ".join(f"{name} {value:.4f}" for name, value in logs[:2])
        text = (
            f"{event.steps}/{plan.steps}  {means}  {rate:,.0f} examples/s  "
            f"{duration(left)} left  {_sparkline(self.curve)}"
        )
        self.bar.update(self.task, completed=event.steps, description=f"{event.epoch:>6}/{epochs}", text=text)

    def on_epoch(self, event: Epoch) -> None:
        super().on_epoch(event)
        watched = [name for name in event.row if name.startswith("val_")]
        self.curve.append(event.row[watched[-1]] if watched else event.row["loss"])

    def on_ended(self, event: Ended) -> None:
        self.bar.stop()
        super().on_ended(event)

    def print(self, *lines: str) -> None:
        for line in lines:
            self.console.print(line, markup=False)


def _opening(event: Started) -> list[str]:
    """Return what is trained on what, in three lines, and the notes."""
    record, data = event.run.record, event.data
    experiment = event.run.record["experiment"]
    sizes = " · ".join(f"{len(getattr(data, part).x):,} {part}" for part in ("train", "validation", "test"))
    classes = f", {data.task.num_classes} classes" if data.task.num_classes else ""
    shape = "×".join(map(str, data.train.x.shape[1:])) or "1"
    jit = " · jit" if record["jit"] else ""
    threads = f"{record['threads']} thread{'s' if record['threads'] != 1 else ''}"
    head = [experiment["dataset"], catalog.recipe(experiment["recipe"]).name, "run"]
    width = max(len(word) for word in head) + 3
    return [
        f"{head[0].ljust(width)}{sizes}   {shape} {data.train.x.dtype}{classes}",
        f"{head[1].ljust(width)}{record['architecture']} · {record['parameters']:,} parameters · "
        f"{_optimizer(experiment)} · {experiment['loss']}",
        f"{head[2].ljust(width)}{event.run.folder}   seed {experiment['seed']} · {record['loop']} loop · {threads}"
        f"{' · gpu' if record['device'] == 'gpu' else ''}{jit}",
        *(f"note: {note}" for note in event.notes),
    ]


def _closing(run: Run) -> list[str]:
    """Return how a training ended: why, the best epoch's numbers, time and files, what to do next."""
    record = run.record
    seconds, best = record["seconds"], record.get("best") or {}
    lines = [_why(record)]
    if best:
        shown = [name for name in best if name.startswith("val_")]
        shown = sorted(shown, key=lambda name: name == "val_loss")
        numbers = "   ".join(f"{name} {_number(name, best[name])}" for name in shown)
        test = record.get("test") or {}
        tested = "   ".join(
            f"test_{n} {_number(n, v)}" for n, v in sorted(test.items(), key=lambda item: item[0] == "loss")
        )
        lines.append(f"best epoch {record['best_epoch']}    {numbers}    {tested}".rstrip())
    files = "metrics.csv, best.keras" if best else "metrics.csv"
    lines.append(f"{seconds['total']:.1f} s ({seconds['training']:.1f} s training)    {files} in {run.folder}")
    if record["status"] == "diverged":
        lines.append("next: a smaller --learning-rate, --clip-norm 1, or scaled inputs (--scale standardize)")
    else:
        lines.append(f"next: kerasrun compare · kerasrun runs show {run.id}")
    return lines


def _why(record: Mapping[str, Any]) -> str:
    status, epochs, kept = record["status"], record["epochs_run"], record.get("best_epoch")
    if status == "diverged":
        return f"Diverged: {record['error']['message']}." + (f" Weights of epoch {kept} are kept." if kept else "")
    if status == "stopped":
        patience = record["experiment"]["patience"]
        if patience is None or epochs - (kept or 0) < patience:
            return f"Stopped after epoch {epochs} by a callback. Weights of epoch {kept} are kept."
        plural = "s" if patience != 1 else ""
        return (
            f"Stopped after epoch {epochs}: {record['monitor']} had not improved for {patience} epoch{plural}. "
            f"Weights of epoch {kept} are kept."
        )
    if epochs == 0:
        return "Nothing to train. The weights are kept."
    return f"Finished all {epochs} epochs. Weights of epoch {kept} are kept."


def _optimizer(experiment: Mapping[str, Any]) -> str:
    """Return the optimizer with the rate that it starts with."""
    parsed = objects.parse("optimizer", experiment["optimizer"])
    defaults = objects.known("optimizer")[parsed.name]
    given = dict(parsed.arguments)
    rate = experiment["learning_rate"] or given.pop("learning_rate", defaults.get("learning_rate"))
    others = [f"{name}={value}" for name, value in given.items() if name != "learning_rate"]
    schedule = "" if experiment["schedule"] == "constant" else f" · {experiment['schedule']}"
    return f"{parsed.name}({', '.join([f'learning_rate={rate:g}', *others])}){schedule}"


def size(count: int) -> str:
    """Return a number of bytes as people read it: 31 MB."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.{0 if count >= 10 * factor else 1}f} {unit}"
    return f"{count} bytes"


def _number(name: str, value: float) -> str:
    if name == "epoch":
        return str(int(value))
    if name == "learning_rate":
        return f"{value:.4g}"
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:.5g}"


def duration(seconds: float) -> str:
    """Return hours, minutes and seconds: 0:01:10."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


def _sparkline(values: Sequence[float]) -> str:
    """Draw up to twenty values as bars of rising height."""
    shown = list(values)[-20:]
    low, high = min(shown, default=0.0), max(shown, default=0.0)
    width = (high - low) or 1.0
    return "".join(BARS[int((value - low) / width * (len(BARS) - 1))] for value in shown)
