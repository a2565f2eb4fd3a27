"""Whether a second training of the same experiment gives the same numbers: to which digit, and what may explain it."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kerasrun import runs
from kerasrun.errors import InputError
from kerasrun.runs import Run

# What changes last digits where all that decides the result is equal, and why
CAUSES = {
    "threads": "sums are taken in another order",
    "jit": "XLA fuses operations and draws other dropout masks",
    "device": "other kernels",
    "processor": "other vector instructions",
    "deterministic": "other kernels",
    "loop": "",
}


@dataclass(frozen=True)
class Difference:
    """The first number that is not the same.

    Args:
        epoch: from 1.
        column: of metrics.csv.
        recorded: as metrics.csv has it.
        again: as the second training gave it.
        digits: significant digits that agree.
    """

    epoch: int
    column: str
    recorded: str
    again: str
    digits: int


@dataclass(frozen=True)
class Verdict:
    """What a second training of a run's first epochs says.

    Args:
        run: the run's id.
        epochs: compared.
        columns: of metrics.csv, the epoch among them.
        first: the first difference, None where all is equal byte for byte.
        digits: significant digits to which all numbers agree.
        causes: what is recorded otherwise than it is now, one line each.
    """

    run: str
    epochs: int
    columns: int
    first: Difference | None = None
    digits: int | None = None
    causes: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether all epochs are equal byte for byte."""
        return self.first is None


def recorded_lines(run: Run, epochs: int) -> list[str]:
    """Return the head of metrics.csv and its first rows.

    Args:
        run: the run.
        epochs: rows wanted; fewer where the run has fewer.

    Raises:
        InputError: no row is wanted, there is none, or the file is damaged.
    """
    if epochs < 1:
        raise InputError(f"epochs={epochs}: at least one epoch is compared")
    path = run.folder / runs.METRICS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    if len(lines) < 2:
        raise InputError(f"{path}: holds no epoch; the run's status is {run.status}, there is nothing to verify")
    return lines[: epochs + 1]


def compare(run: Run, again: Mapping[str, Any], recorded: Sequence[str], lines: Sequence[str]) -> Verdict:
    """Compare the first rows of a run with those of a second training.

    Args:
        run: the run.
        again: the record of the second training.
        recorded: head and first rows of the run's metrics.csv.
        lines: head and rows of the second training.
    """
    epochs, columns = len(recorded) - 1, len(recorded[0].split(","))
    if list(recorded) == list(lines):
        return Verdict(run.id, epochs, columns)
    before, after = list(csv.DictReader(recorded)), list(csv.DictReader(lines))
    if len(before) != len(after) or recorded[0] != lines[0]:
        raise InputError(
            f"{run.id}: the second training gave {len(after)} epochs of {lines[0] if lines else 'nothing'}\n"
            f"recorded are {len(before)} of {recorded[0]}; {runs.METRICS} was edited or is damaged"
        )
    pairs = [
        Difference(number, column, ours[column], theirs[column], agreeing_digits(ours[column], theirs[column]))
        for number, (ours, theirs) in enumerate(zip(before, after, strict=True), start=1)
        for column in ours
        if ours[column] != theirs[column]
    ]
    worst = min(pair.digits for pair in pairs)
    return Verdict(run.id, epochs, columns, pairs[0], worst, tuple(causes(run.record, again)))


def agreeing_digits(first: str, second: str) -> int:
    """Return to how many significant digits two written numbers agree, by their distance: 0.12345 and 0.12349 to 3."""
    try:
        a, b = float(first), float(second)
    except (TypeError, ValueError):
        return 0
    if not (math.isfinite(a) and math.isfinite(b)):
        return 0
    largest, apart = max(abs(a), abs(b)), abs(a - b)
    return 17 if apart == 0 else max(0, int(math.floor(math.log10(largest / apart))))


def causes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what two records say differently of threads, compilation, device, processor and versions."""
    ours, theirs = _made_with(before), _made_with(now)
    found = []
    for name, value in ours.items():
        if value is not None and theirs.get(name) != value:
            why = CAUSES.get(name, "another version may compute otherwise")
            found.append(f"{name}: {value} then, {theirs.get(name)} now{f' ({why})' if why else ''}")
    for entry in before.get("resumed") or []:
        found += [f"resumed after epoch {entry.get('epochs')}: {line}" for line in entry.get("differences") or []]
    return found


def _made_with(record: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: record.get(name) for name in ("threads", "jit", "device", "loop")}
    made["processor"] = (record.get("hardware") or {}).get("processor")
    made["deterministic"] = (record.get("experiment") or {}).get("deterministic")
    return {**made, **(record.get("versions") or {})}
