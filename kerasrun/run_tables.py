"""Committed tables of runs: what a fresh clone knows of runs whose folders it does not have.

results/<name>/runs.csv       one row a run: its record, nested keys joined by dots ("experiment.seed"), values as JSON
                              where they are not plain text, nothing where a run has no such key
results/<name>/epochs.csv.gz  one row an epoch of a run: id, created, the columns of metrics.csv, seconds of training
results/<name>/progress.csv.gz    likewise what was evaluated within epochs, where some run was: progress.csv

    all_records(results)      every run of a results folder, of run folders and of tables, each once

The only module that knows the form of these files.
"""

from __future__ import annotations

import csv
import functools
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kerasrun import atomic, run_index
from kerasrun.errors import InputError
from kerasrun.run_index import Damaged
from kerasrun.run_record import Fault, Record, checked, created, refuse_constant

RUNS, EPOCHS, PROGRESS = "runs.csv", "epochs.csv.gz", "progress.csv.gz"
Curves = Mapping[str, list[float]]

_HERE_ONLY = ("path", "table", "results", "checksum", "files", "origins", "resumed", "notes")  # of one place
_BESIDE = ("id", "created")  # which run a row of epochs belongs to
_FIRST = ("format", "id", "folder", "status", "created", "ended")  # columns; the others follow by name
_FORMULA = tuple("=+-@＝＋－＠")  # noqa: RUF001  a spreadsheet would run it


def all_records(results: Path) -> tuple[list[Record], list[Damaged]]:
    """Return every run of a results folder once, the newest first, and what could not be read or was passed over.

    Args:
        results: folder of all runs; one that does not exist holds none.

    Returns:
        Records as run.json holds them; one of a run folder has "path", one of a table "table", its folder. A run that
        has both is that of the folder.

    Raises:
        InputError: `results` is no folder or cannot be read.
    """
    scan = run_index.scan(results)
    tables = [results / name for name in scan.others if (results / name / RUNS).is_file()]
    damaged = [*scan.damaged]
    found: dict[tuple[str, str], Record] = {}
    for record in scan.records:
        first = found.setdefault((record["id"], record["created"]), record)
        if first is not record:
            damaged.append(Damaged(record["folder"], f"a copy of {first['folder']}, which is counted once"))
    for folder in tables:
        try:
            for record in read(folder):
                found.setdefault((record["id"], record["created"]), record)
        except InputError as error:
            damaged.append(Damaged(folder.name, str(error)))
    records = [*found.values()]
    return sorted(records, key=created, reverse=True) if tables else records, damaged


def read(folder: Path) -> list[Record]:
    """Return the records of one table.

    Args:
        folder: the table's folder.

    Raises:
        InputError: the file is damaged; file and row, counted from 1 without the head.
    """
    path = folder / RUNS
    try:
        head, *rows = _rows(path.read_bytes())
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{RUNS} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if "id" not in head:
        raise InputError(f"{RUNS} has no column id")
    records = []
    for number, row in enumerate(rows, start=1):
        try:
            records.append(_record(head, row) | {"table": str(folder)})
        except (Fault, ValueError) as fault:
            raise InputError(f"{RUNS}: row {number} {fault}") from None
    return records


def write(
    folder: Path,
    records: Sequence[Record],
    curves: Callable[[Record], Curves],
    progress: Callable[[Record], Curves] = lambda record: {},
) -> None:
    """Write runs as a table that can be committed.

    Left out is what speaks of a folder or a machine's paths: results, checksum, files, origins, resumed,
    and the notes, which are for who trains.

    Args:
        folder: is made where it is missing; a table in it is replaced.
        records: as `all_records` gives them.
        curves: returns a run's epochs as columns of equal length.
        progress: likewise what was evaluated within its epochs.

    Raises:
        DiskError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    flat = [dict(_flat({k: v for k, v in record.items() if k not in _HERE_ONLY})) for record in records]
    for name, columns in ((EPOCHS, curves), (PROGRESS, progress)):
        rows = [row for record in records for row in _rows_of(record, columns(record))]
        if rows or name == EPOCHS:
            atomic.write(folder / name, gzip.compress(_text(rows, _BESIDE).encode(), mtime=0))
        else:
            (folder / name).unlink(missing_ok=True)
    names = {name for row in flat for name in row}  # in an order that no source of a record decides
    atomic.write(folder / RUNS, _text(flat, [*(n for n in _FIRST if n in names), *sorted(names - {*_FIRST})]))


def curves(folder: Path, identifier: str, made: str, name: str = EPOCHS) -> Curves:
    """Return the epochs of one run of a table as columns of equal length; empty where it has none.

    Args:
        folder: the table's folder.
        identifier: the run's id.
        made: its time of creation, as its record says.
        name: EPOCHS, or PROGRESS for what was evaluated within them.

    Raises:
        InputError: the file is damaged; file and row.
    """
    try:
        changed = (folder / name).stat().st_mtime_ns
    except FileNotFoundError:
        return {}
    return _all_curves(folder / name, changed).get((identifier, made), {})


@functools.lru_cache(maxsize=16)
def _all_curves(path: Path, changed: int) -> dict[tuple[str, str], dict[str, list[float]]]:
    """Return the epochs of all runs of a table; it is read once as long as its time of change stays."""
    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    try:
        head, *rows = _rows(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, ValueError, zlib.error, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    for number, row in enumerate(rows, start=1):
        try:
            cells = dict(zip(head, row, strict=True))
            run = found.setdefault((cells.pop("id"), cells.pop("created")), {})
            for name, cell in cells.items():
                if cell:
                    run.setdefault(name, []).append(float(cell))
        except (KeyError, ValueError):
            raise InputError(f"{path}: row {number} is torn or holds what is no number") from None
    return found


def _rows_of(record: Record, columns: Curves) -> Iterator[dict[str, str]]:
    beside = {name: record[name] for name in _BESIDE}
    for values in zip(*columns.values(), strict=True):
        yield beside | {name: repr(value) for name, value in zip(columns, values, strict=True)}


def _text(rows: Sequence[Mapping[str, str]], first: Sequence[str] = ()) -> str:
    """Return rows as CSV; the columns in the order of first mention."""
    names = list(dict.fromkeys([*first, *(name for row in rows for name in row)]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([names, *([row.get(name, "") for name in names] for row in rows)])
    return text.getvalue()


def _rows(content: bytes) -> Iterable[list[str]]:
    csv.field_size_limit(run_index.LARGEST)
    return csv.reader(io.StringIO(content.decode(), newline=""))


def _flat(record: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield a record's cells: a dict within it as its own cells where its keys can be joined by dots, else as JSON."""
    for key, value in record.items():
        if isinstance(value, dict) and value and all(name.isprintable() and "." not in name for name in value):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value if isinstance(value, str) and _is_plain(value) else json.dumps(value)


def _is_plain(text: str) -> bool:
    """Tell whether a text can stand as it is: no number, no JSON, nothing that a spreadsheet would run."""
    if not text or text.startswith(_FORMULA) or not text.isprintable() or text != text.strip():
        return False
    return _value(text) is text


def _value(cell: str) -> Any:
    try:
        return json.loads(cell, parse_constant=refuse_constant)
    except (ValueError, RecursionError, Fault):
        return cell


def _record(head: Sequence[str], row: Sequence[str]) -> Record:
    """Return the record of one row.

    Raises:
        Fault: it is torn, or no record that a reader could rely on.
    """
    if len(head) != len(row):
        raise Fault(f"has {len(row)} cells, the head has {len(head)}")
    record: Record = {}
    for name, cell in zip(head, row, strict=True):
        if cell and name not in _HERE_ONLY:  # no table leads to a folder
            *parents, key = name.split(".")
            part: Any = record
            for parent in parents:
                part = part.setdefault(parent, {})
                if not isinstance(part, dict):
                    raise Fault(f"holds {parent} twice")
            part[key] = _value(cell)
    return checked(record)
