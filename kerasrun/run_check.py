"""Whether the files of a run are whole: everything that can be told without loading Keras."""

from __future__ import annotations

import csv
import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from kerasrun import atomic, run_folder, run_index, runs
from kerasrun.run_record import Fault, parse


class Damage(NamedTuple):
    """What is wrong in a run folder; as text, the line for the user."""

    folder: str
    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.folder}/{self.file}: {self.reason}"


def check(results: Path) -> tuple[int, list[Damage]]:
    """Look through all run folders.

    Args:
        results: folder of all runs.

    Returns:
        How many folders were looked at, and everything that is damaged in them.

    Raises:
        InputError: the folder cannot be read.
    """
    found = run_index.scan(results)
    damaged = [Damage(folder, "", reason) for folder, reason in found.damaged]
    for record in found.records:
        folder = results / record["folder"]
        try:
            damaged += [Damage(folder.name, file, reason) for file, reason in check_run(folder)]
        except OSError as error:
            damaged.append(Damage(folder.name, Path(str(error.filename or "")).name, f"cannot be read: {error}"))
    damaged += [Damage(".", path.name, "left by a process that was killed") for path in _leftovers(results)]
    return len(found.records) + len(found.damaged), sorted(damaged)


def check_run(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each damaged file of a run and what is wrong with it."""
    try:
        record = parse((folder / runs.RECORD).read_bytes())
    except Fault as fault:
        yield runs.RECORD, str(fault)
        return
    if (said := record.get("checksum")) and said != runs.checksum(record):
        yield runs.RECORD, "was changed since it was written (its checksum does not fit)"
    yield from ((path.name, "is a symbolic link") for path in sorted(folder.iterdir()) if path.is_symlink())
    working = run_folder.is_locked(folder)
    if not working:
        yield from ((path.name, "left by a process that was killed; resume removes it") for path in _leftovers(folder))
    yield from _states(folder)
    yield from _contents(folder, record, ended=record["status"] in runs.ENDED and not working)


def _leftovers(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{atomic.TEMPORARY}*")) if folder.is_dir() else []


def _states(folder: Path) -> Iterator[tuple[str, str]]:
    for name in (runs.STATE, runs.PREVIOUS_STATE):
        if (folder / name).exists():
            try:
                atomic.unsealed((folder / name).read_bytes())
            except ValueError as error:
                yield name, f"is damaged: {error}"


def _contents(folder: Path, record: dict[str, Any], *, ended: bool) -> Iterator[tuple[str, str]]:
    """Yield what differs from the hashes in the record, or, where it has none yet, what can be seen to be broken."""
    hashes = {runs.RECIPE: record.get("recipe_sha256")} | (dict(record.get("files") or {}) if ended else {})
    for name, recorded in sorted(hashes.items()):
        path = folder / name
        if Path(name).name != name or not path.is_file():
            yield name, "is missing" if not path.exists() else "is no file of the run"
        elif recorded and runs.sha256(path) != recorded:
            yield name, "is damaged or was changed since the run (its sha256 is not the recorded one)"
    for path in sorted(folder.iterdir()):
        known = path.name in (*hashes, runs.STATE, runs.PREVIOUS_STATE) or path.name[0] == "."
        if path.suffix in (".keras", ".npz") and not known and (reason := broken_archive(path)):
            yield path.name, reason
    if record.get("epochs_run") or ended:
        yield from ((runs.METRICS, reason) for reason in _rows(folder / runs.METRICS, record, ended=ended))


def broken_archive(path: Path) -> str | None:
    """Return in which way a zip archive is damaged, None where it is whole."""
    try:
        with zipfile.ZipFile(path) as archive:
            member = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        return f"is damaged: {str(error)[:100] or type(error).__name__}"
    return f"is damaged: bad checksum of {member}" if member else None


def _rows(path: Path, record: dict[str, Any], *, ended: bool) -> Iterator[str]:
    """Yield where metrics.csv is not what the record says; a commit in the middle may have left it one step ahead."""
    try:
        rows = [*csv.reader(path.read_text(encoding="utf-8").splitlines())]
    except FileNotFoundError:
        yield "is missing"
        return
    except (UnicodeDecodeError, OSError, csv.Error) as error:
        yield f"cannot be read: {error}"
        return
    done = record.get("epochs_run") or 0
    head, body = (rows[0], [row for row in rows[1:] if row[:1] != ["0"]]) if rows else ([], [])  # 0: nothing to train
    if len(body) < done or (ended and len(body) != done):
        yield f"holds {len(body)} epochs, the record says {done}"
    for number, row in enumerate(body, start=1):
        values = [_number(cell) for cell in row]
        if len(row) != len(head) or None in values:
            yield f"row {number} is torn or holds what is no number"
            return
    last = dict(zip(head, body[done - 1], strict=True)) if 0 < done <= len(body) else {}
    for name, value in (record.get("last") or {}).items():
        if last and (_number(last.get(name, "")) != value):
            yield f"row {done}: {name} is {last.get(name)}, the record says {value}"


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
