"""Pooling the runs of several people: copies of another results folder's runs, as far as they are whole and comparable.

What is copied is marked "merged_from" (the id that it was made with) and keeps the "results" of the folder that it was
made in; no recipe, callback or path that such a record names is ever executed. The other folder is only read, and
nothing in it is believed unchecked: its index is not used, and no link in it is followed.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from kerasrun import atomic, incoming, run_index, run_tables, runs
from kerasrun.errors import DiskError, InputError, RunInUse, shown
from kerasrun.incoming import Refused
from kerasrun.recipe_files import read_recipe
from kerasrun.run_folder import check_name, lock, new_id, plain, probe
from kerasrun.run_record import Record, created

_ID = re.compile(r"[a-z]{5}")
_FOLDER = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.-]{,99})-(\d{8}-\d{6})-[a-z]{5}")


class Refusal(NamedTuple):
    """A run or table that was not taken, and why; as text, the line for the user."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"refused {self.name}: {self.reason}"


class Arrival(NamedTuple):
    """A run folder or a table that was taken; as text, the line for the user.

    Args:
        name: the folder's name where it came from.
        here: its name in our results.
        ids: of each of its runs, the id there and the id here.
    """

    name: str
    here: str
    ids: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        changed = ", ".join(f"{there} is {here}" for there, here in self.ids if there != here)
        runs = f", {len(self.ids)} runs" if len(self.ids) > 1 else ""
        return f"{self.here}{runs}{f' (its id was taken: {changed})' if changed else ''}"


class Merged(NamedTuple):
    """What came of a merge.

    Args:
        came: what was taken, or would be.
        present: how many runs were here already.
        refused: what was not taken.
    """

    came: list[Arrival]
    present: int
    refused: list[Refusal]


def merge(other: Path, results: Path, *, dry_run: bool = False) -> Merged:
    """Copy the runs of another results folder, in run folders and in tables, into ours.

    Args:
        other: the other results folder; it is not changed.
        results: ours; made where it is missing.
        dry_run: only say what would be done.

    Returns:
        What came and what was refused: what is damaged or being trained, and, under the name of a dataset or recipe
        that we have runs of, other data or another source.

    Raises:
        InputError: `other` is no results folder, holds no run, or is ours.
        DiskError: there is no room; whole runs may have been copied before, but no part of one.
        RunInUse: another merge into `results` is going on.
    """
    if not other.is_dir():
        raise InputError(f"{other}: no such folder; name another results folder")
    if (other / runs.RECORD).exists():
        raise InputError(f"{other} is one run; name the results folder that it lies in: {other.parent}")
    if other.resolve() == results.resolve():
        raise InputError(f"{other} is our own results folder; name another one, or choose ours with --results")
    if dry_run:
        return _Plan(results).look(other).merged()
    probe(results)
    with _alone(results):
        return _Plan(results).look(other).carried_out()


@contextmanager
def _alone(results: Path) -> Iterator[None]:
    """Keep other merges into this folder out, and clear away what a killed one left."""
    try:
        held = lock(results)
    except RunInUse:
        raise RunInUse(f"another merge into {results} is going on") from None
    with held:
        for left in results.glob(f"{atomic.TEMPORARY}*"):
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
        yield


@dataclass
class _Folder:
    """A run folder to be copied: the size of each file."""

    source: Path
    arrival: Arrival
    sizes: dict[str, int]


@dataclass
class _Table:
    """A table to be written: its records as they will be, and their epochs by id."""

    source: Path
    arrival: Arrival
    records: list[Record] = field(default_factory=list)
    epochs: dict[str, list[run_tables.Curves]] = field(default_factory=dict)  # and what was evaluated within


class _Plan:
    """What is to be copied into a results folder, decided before anything is written."""

    def __init__(self, results: Path) -> None:
        """Take stock of what the results folder holds."""
        ours, _ = run_tables.all_records(results)
        self.results = results
        self.before = {_key(record) for record in ours}
        self.runs = set(self.before)  # and those that will have come
        self.names = {path.name for path in results.iterdir()} if results.is_dir() else set()
        self.ids = {record["id"] for record in ours} | {name[-5:] for name in self.names}
        self.contents: dict[str, set[str]] = {}  # hashes of the data by dataset
        self.sources: dict[str, dict[str, Path | None]] = {}  # by recipe: sha256 and a folder that holds the source
        for record in ours:
            if content := _content(record):
                self.contents.setdefault(record["experiment"]["dataset"], set()).add(content)
            folder = Path(record["path"]) if "path" in record else None
            known = self.sources.setdefault(_recipe(record), {})
            if source := record.get("recipe_sha256"):
                known[source] = known.get(source) or folder
        self.found: set[tuple[str, str]] = set()
        self.folders: list[_Folder] = []
        self.tables: list[_Table] = []
        self.refused: list[Refusal] = []

    def look(self, other: Path) -> _Plan:
        """Look through the other folder: run folders before tables, in each the oldest run first."""
        scan = run_index.scan(other, indexed=False)
        self.refused += [Refusal(folder, reason) for folder, reason in scan.damaged]
        for record in reversed(scan.records):
            self._look_at(record["folder"], self._add_folder, record)
        for name in sorted(scan.others):
            if (other / name / run_tables.RUNS).exists():
                self._look_at(name, self._add_table, other / name)
        if not (self.found or self.refused):
            raise InputError(
                f"{other} holds no runs\na results folder holds run folders, or tables: <name>/{run_tables.RUNS}"
            )
        return self

    def merged(self) -> Merged:
        """Return what will have been done."""
        came = [*(folder.arrival for folder in self.folders), *(table.arrival for table in self.tables)]
        return Merged(came, len(self.found & self.before), self.refused)

    def carried_out(self) -> Merged:
        """Copy everything, and return what was done."""
        needed = sum(sum(folder.sizes.values()) for folder in self.folders)
        free = shutil.disk_usage(self.results).free
        if needed > free:
            raise DiskError(f"{self.results}: {needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free")
        for folder in [*self.folders]:
            try:
                atomic.write_folder(self.results / folder.arrival.here, partial(_copy_run, folder))
            except Refused as reason:
                self.folders.remove(folder)
                self.refused.append(Refusal(folder.arrival.name, str(reason)))
        for table in self.tables:
            atomic.write_folder(self.results / table.arrival.here, partial(_write_table, table))
        return self.merged()

    def _look_at(self, name: str, add: Callable[[Any], None], what: Any) -> None:
        try:
            add(what)
        except Refused as reason:
            self.refused.append(Refusal(name, str(reason)))
        except OSError as error:
            file = shown(Path(error.filename or name).name)
            self.refused.append(Refusal(name, f"{file} cannot be read: {error.strerror}"))

    def _add_folder(self, record: Record) -> None:
        self.found.add(_key(record))
        if _key(record) in self.runs:
            return
        source = Path(record["path"])
        sizes = incoming.sizes(source)
        self._refuse_incomparable(record)
        incoming.refuse_damaged(source)
        identifier = self._take(record)
        here = _name_here(record, identifier)
        self.folders.append(_Folder(source, Arrival(source.name, here, ((record["id"], identifier),)), sizes))

    def _add_table(self, folder: Path) -> None:
        table = _Table(folder, Arrival(folder.name, self._free_name(folder.name), ()))
        for record in incoming.records(folder):
            self._look_at(f"{folder.name}, run {shown(record['id'])}", partial(self._add_row, table), record)
        if table.records:
            table.arrival = table.arrival._replace(ids=tuple((r["merged_from"], r["id"]) for r in table.records))
            self.tables.append(table)

    def _add_row(self, table: _Table, record: Record) -> None:
        self.found.add(_key(record))
        if _key(record) in self.runs:
            return
        self._refuse_incomparable(record)
        identifier = self._take(record)
        table.records.append(record | {"id": identifier, "merged_from": _key(record)[0]})
        which = table.source, record["id"], record["created"]
        table.epochs[identifier] = [run_tables.curves(*which, n) for n in (run_tables.EPOCHS, run_tables.PROGRESS)]

    def _refuse_incomparable(self, record: Record) -> None:
        if record["status"] == "running":
            raise Refused("is being trained")
        if not _ID.fullmatch(record["id"]):
            raise Refused(f"{shown(record['id'])} is no run's id")
        dataset, content = record["experiment"]["dataset"], _content(record)
        known = self.contents.get(dataset)
        if content and known and content not in known:
            raise Refused(f"other data under the name {shown(dataset)} ({content[:8]}…; here {_listed(known)})")
        recipe, source = _recipe(record), record.get("recipe_sha256")
        ours = self.sources.get(recipe)
        if source and ours and source not in ours and not self._same_code(record, recipe):
            raise Refused(f"another source under the name {shown(recipe)} ({source[:8]}…; here {_listed(ours)})")

    def _same_code(self, record: Record, recipe: str) -> bool:
        """Tell whether a recipe is one of ours but for comments, docstrings and layout."""
        code = _fingerprint(record.get("path"), recipe)
        return code is not None and code in {_fingerprint(path, recipe) for path in self.sources[recipe].values()}

    def _take(self, record: Record) -> str:
        """Count a run as ours; return its id here: its own, or a new one where another run bears that."""
        identifier = record["id"]
        while identifier in self.ids:
            identifier = new_id()
        self.ids.add(identifier)
        self.runs.add(_key(record))
        return identifier

    def _free_name(self, name: str) -> str:
        try:
            check_name(name)
        except InputError as error:
            raise Refused(str(error)) from None
        number, free = 1, name
        while free in self.names:
            number += 1
            free = f"{name}-{number}"
        self.names.add(free)
        return free


def _key(record: Record) -> tuple[str, str]:
    """Return what tells runs apart, wherever they are: the id that a run was made with, and when."""
    return str(record.get("merged_from", record["id"])), record["created"]


def _content(record: Record) -> str | None:
    return (record.get("data") or {}).get("hash")


def _recipe(record: Record) -> str:
    """Return a recipe's name, that of the function where it is in a file."""
    return record["experiment"]["recipe"].rpartition(":")[2]


def _listed(hashes: Iterable[str]) -> str:
    return ", ".join(f"{content[:8]}…" for content in sorted(hashes))


def _name_here(record: Record, identifier: str) -> str:
    match = _FOLDER.fullmatch(record["folder"])
    stem = match[1] if match else plain(record["folder"]) or "run"
    return f"{stem}-{match[2] if match else created(record).strftime('%Y%m%d-%H%M%S')}-{identifier}"


def _fingerprint(folder: Path | str | None, recipe: str) -> str | None:
    """Return what a run folder's copy of a recipe is but for comments; it is parsed, not executed."""
    try:
        return read_recipe(Path(folder, runs.RECIPE), recipe).fingerprint if folder else None
    except (InputError, RecursionError, MemoryError):
        return None


def _copy_run(run: _Folder, copy: Path) -> None:
    for name in run.sizes:
        with open(run.source / name, "rb", opener=atomic.no_link) as source, open(copy / name, "xb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    incoming.refuse_damaged(copy)
    copied = runs.load(copy)
    copied.update(id=run.arrival.ids[0][1], folder=run.arrival.here, merged_from=_key(copied.record)[0])


def _write_table(table: _Table, copy: Path) -> None:
    run_tables.write(copy, table.records, *(lambda r, i=i: table.epochs[r["id"]][i] for i in (0, 1)))
