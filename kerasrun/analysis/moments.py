"""A run's value at a moment of its training: the last epoch, the best one, a given epoch, after so many seconds.

The only module of the analysis that reads a run's epochs (metrics.csv, timing.csv, progress.csv, or a committed table);
the last and the best epoch are in the record itself, so that 10,000 runs are compared without opening a file.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from kerasrun import run_tables
from kerasrun.errors import InputError, shown
from kerasrun.literals import parse_value
from kerasrun.run_record import TRAINED
from kerasrun.runs import METRICS, PROGRESS, TIMING

Record = Mapping[str, Any]
Curves = Mapping[str, list[float]]

TIMES = ("seconds", "epoch_seconds")  # of a whole run, and of its median epoch
COUNTS = ("parameters", "epochs_run")  # of a whole run, too
_MEANT = 3  # epochs of "last3"


@dataclass(frozen=True)
class At:
    """A moment.

    Args:
        kind: "last", "last3" (the mean of the last three epochs), "best", "epoch", "seconds", or where only layers are
            measured: "start", before the first step, or "step".
        number: the epoch, from 1, the seconds of training, or the steps; 0 for the other kinds.
    """

    kind: str
    number: float = 0

    def __str__(self) -> str:
        return {
            "start": "at the start",
            "step": f"after {self.number:g} steps",
            "last": "at the last epoch",
            "last3": f"mean of the last {_MEANT} epochs",
            "best": "at the best epoch",
            "epoch": f"at epoch {self.number:g}",
            "seconds": f"after {self.number:g} s of training",
        }[self.kind]


BEST, LAST = At("best"), At("last")


def usual(records: Iterable[Record]) -> At:
    """Return the moment at which runs are compared: the last epoch, the best where early stopping chose it."""
    return BEST if any(record["experiment"].get("patience") is not None for record in records) else LAST


def parse_at(text: str) -> At:
    """Read "last", "last3", "best", an epoch as "12", or "seconds=30".

    Raises:
        InputError: anything else.
    """
    word, _, value = text.strip().partition("=")
    if word in ("last", "last3", "best") and not value:
        return At(word)
    kind, number = ("seconds", parse_value(value)) if word == "seconds" else ("epoch", parse_value(text))
    is_number = isinstance(number, int | float) and not isinstance(number, bool) and 0 < number < math.inf
    if not is_number or (kind == "epoch" and not isinstance(number, int)):
        raise InputError(f"at={shown(text)} is no moment\nwrite last, last3, best, an epoch as 12, or seconds=30")
    return At(kind, number)  # type: ignore[arg-type]


def value(record: Record, metric: str, at: At) -> float | None:
    """Return a run's value of a metric at a moment; None where it has no result.

    A run that diverged, failed, was pruned or did not come to its end has none, nor has one that ended before the
    epoch or the seconds asked for.

    Args:
        record: run.json as a dict, of a run folder or of a table.
        metric: a column of metrics.csv as "val_accuracy" or "loss" ("train_loss" is the same where it was not
            evaluated); "test_accuracy", which is that of the best epoch's weights at any moment; "seconds" of the whole
            run or "epoch_seconds", its median epoch's; "parameters" or "epochs_run".
        at: the moment.

    Raises:
        InputError: the run's files are damaged.
    """
    if record["status"] not in TRAINED:
        return None
    if metric in TIMES:
        return finite((record.get("seconds") or {}).get("total" if metric == "seconds" else "epoch"))
    if metric in COUNTS:
        return finite(record.get(metric))
    if metric.startswith("test_"):
        return finite((record.get("test") or {}).get(metric.removeprefix("test_")))
    if at.kind in ("last", "best"):
        values = record.get(at.kind) or {}
        return finite(values.get(metric, values.get(metric.removeprefix("train_"))))
    return _in_curve(curves(record), metric, at)


def curves(record: Record) -> Curves:
    """Return a run's epochs as columns of equal length; empty where no epoch was written.

    Returns:
        epoch (from 1), loss, metrics, the same with val_ in front, learning_rate, and "seconds" of training up to the
        end of each epoch.

    Raises:
        InputError: a file is damaged; file and row.
    """
    if "path" not in record:
        return run_tables.curves(Path(record["table"]), record["id"], record["created"]) if "table" in record else {}
    metrics, times = _columns(Path(record["path"], METRICS)), _columns(Path(record["path"], TIMING))
    if metrics and "seconds" in times:  # a commit writes one file after the other
        metrics["seconds"] = [*accumulate(times["seconds"])]
    length = min(map(len, metrics.values()), default=0)
    return {name: column[:length] for name, column in metrics.items()}


def values_of(found: Curves, metric: str) -> list[float]:
    """Return a metric's column; of "train_loss" the mean over each epoch's batches where it was not evaluated."""
    return found.get(metric, found.get(metric.removeprefix("train_"), []))


def progress(record: Record) -> Curves:
    """Return what was evaluated within a run's epochs, as columns of equal length; empty where nothing was.

    Returns:
        step, epoch (1.1 is a tenth of the second), loss and metrics with val_ and, where it was asked for, train_ in
        front.

    Raises:
        InputError: a file is damaged; file and row.
    """
    if not record["experiment"].get("validate_every"):
        return {}
    if "path" not in record:
        return run_tables.curves(Path(record["table"]), record["id"], record["created"], run_tables.PROGRESS)
    return _columns(Path(record["path"], PROGRESS))


def reached(record: Record, metric: str, target: float, direction: str) -> tuple[float | None, float | None]:
    """Return when a metric first is as good as a target and still is at the next evaluation; no interpolation.

    Args:
        record: run.json as a dict.
        metric: a column of metrics.csv, or of progress.csv, which then counts.
        target: the value to be reached.
        direction: "max" where more is better, else "min".

    Returns:
        The epochs until then, whole ones where nothing was evaluated within, and the seconds of training (None where
        they were not kept; within an epoch its steps count alike). None, None where the target was never reached, or
        only at the end, which nothing confirms.
    """
    found, within = curves(record), progress(record)
    if metric not in within:
        within = found
    good = [v >= target if direction == "max" else v <= target for v in values_of(within, metric)]
    for i in range(len(good) - 1):
        if good[i] and good[i + 1]:
            return within["epoch"][i], _seconds(found, within["epoch"][i])
    return None, None


def _seconds(found: Curves, epochs: float) -> float | None:
    """Return the seconds of training up to a moment, in epochs."""
    ends = [0.0, *found.get("seconds", [])]
    whole = math.ceil(epochs)
    if whole >= len(ends):
        return None
    return ends[whole] - (whole - epochs) * (ends[whole] - ends[whole - 1])


def resolution(records: Iterable[Record], metric: str) -> float:
    """Return the smallest step between two values of an accuracy, one example more that is right; else 0.

    Args:
        records: of the runs that are compared; of different numbers of examples the largest counts.
        metric: a column; of a gap the step is that of the validation part.
    """
    if "accuracy" not in metric:
        return 0.0
    held_out = metric.startswith(("val_", "gap:"))
    part = "validation" if held_out else "test" if metric.startswith("test_") else "train"
    evaluated = "evaluate_train" if metric.startswith("train_") else ""
    sizes = [record["experiment"].get(evaluated) or (record.get("data") or {}).get(part) for record in records]
    return 1 / max((size for size in sizes if isinstance(size, int) and size > 0), default=math.inf)


def finite(value: Any) -> float | None:
    """Return a finite number, else None: JSON's 1e999 reads as infinite."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number and abs(value) < 1e300 else None


def _in_curve(found: Curves, metric: str, at: At) -> float | None:
    column = values_of(found, metric)
    if at.kind == "last3":
        return finite(statistics.fmean(column[-_MEANT:])) if len(column) >= _MEANT else None
    if at.kind == "epoch":
        return finite(column[int(at.number) - 1]) if len(column) >= at.number else None
    seconds = found.get("seconds") or []
    done = sum(time <= at.number for time in seconds)
    return finite(column[done - 1]) if column and done > 0 and seconds[-1] >= at.number else None


def _columns(path: Path) -> dict[str, list[float]]:
    """Return the columns of a table of numbers; none where there is no such file or no row in it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    names, rows = lines[0].split(",") if lines else [], []
    for number, line in enumerate(lines[1:], start=1):
        try:
            rows.append([float(cell) for _, cell in zip(names, line.split(","), strict=True)])
        except ValueError:
            raise InputError(f"{path}: row {number} is torn or holds what is no number") from None
    return {name: [row[i] for row in rows] for i, name in enumerate(names) if rows}
