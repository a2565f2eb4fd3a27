"""What two runs differ in: settings, data, software and machine, and the first number that is not the same."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasrun.runs import METRICS, Run

_TRAINING = ("architecture", "parameters", "own_seeds", "loop", "threads", "device", "jit")


def differences(first: Run, second: Run) -> list[tuple[str, str, Any, Any]]:
    """Return all that differs in what two runs were made of, results and times apart.

    Returns:
        Part ("setting", "data", "training", "version", "machine", "git"), name, and the two values; None for what a
        run does not say.
    """
    parts = zip(_parts(first.record).items(), _parts(second.record).values(), strict=True)
    return [
        (part, name, ours.get(name), theirs.get(name))
        for (part, ours), theirs in parts
        for name in dict.fromkeys([*ours, *theirs])
        if ours.get(name) != theirs.get(name)
    ]


def metrics_difference(first: Run, second: Run) -> str:
    """Say in one line whether two metrics files are equal byte for byte, else where the first difference is."""
    missing = [run.id for run in (first, second) if not (run.folder / METRICS).is_file()]
    if missing:
        return f"{METRICS}: missing in {' and '.join(missing)}"
    ours, theirs = _rows(first.folder / METRICS), _rows(second.folder / METRICS)
    if (first.folder / METRICS).read_bytes() == (second.folder / METRICS).read_bytes():
        return f"{METRICS}: equal byte for byte ({_epochs(len(ours))})"
    columns = [[*rows[0]] if rows else [] for rows in (ours, theirs)]
    if columns[0] != columns[1] and ours and theirs:
        only = [f"{name} only in {first.id}" for name in columns[0] if name not in columns[1]]
        only += [f"{name} only in {second.id}" for name in columns[1] if name not in columns[0]]
        return f"{METRICS}: other columns: {', '.join(only) or 'in another order'}"
    for number, (our, their) in enumerate(zip(ours, theirs, strict=False), start=1):
        for column in our:
            if our[column] != their.get(column):
                values = f"{our[column]} and {their.get(column)}"
                return f"{METRICS}: first difference in epoch {number}, {column}: {values}"
    if len(ours) == len(theirs):
        return f"{METRICS}: equal numbers ({_epochs(len(ours))}), written differently"
    shorter, length = (first, len(ours)) if len(ours) < len(theirs) else (second, len(theirs))
    return (
        f"{METRICS}: equal for {_epochs(length)}, where {shorter.id} ends; the other has {max(len(ours), len(theirs))}"
    )


def _parts(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what a record says of how a run came about, by part and name."""
    experiment = dict(record.get("experiment") or {})
    knobs = experiment.pop("knobs", None) or {}
    return {
        "setting": {**experiment, **knobs, "recipe source": _short(record.get("recipe_sha256"))},
        "data": {name: _short(value) for name, value in (record.get("data") or {}).items()},
        "training": {name: record.get(name) for name in _TRAINING},
        "version": dict(record.get("versions") or {}),
        "machine": dict(record.get("hardware") or {}),
        "git": {name: _short(value) for name, value in (record.get("git") or {}).items()},
    }


def _short(value: Any) -> Any:
    """Return the first twelve letters of a hash, which tell any two apart; numbers as they are."""
    return value[:12] if isinstance(value, str) else value


def _rows(path: Path) -> list[dict[str, str | None]]:
    text = path.read_text(encoding="utf-8", errors="replace")
    return list(csv.DictReader(text.splitlines()))


def _epochs(count: int) -> str:
    return f"{count} epoch{'s' if count != 1 else ''}"
