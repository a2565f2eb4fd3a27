"""Many runs at once: every record of a results folder in a fraction of a second, and a run by its name.

    scan(results)           all records, the newest first, and what could not be read
    find(results, "kqz")    the folder of one run

The only module that knows the index: a file `.index-1.json` in the results folder that keeps what was read, together
with the time, size and inode of the file it was read from. A record whose run.json differs in one of them is read anew;
an index that is damaged or was not written by this version is not used. Deleting it costs one slow call.
"""

from __future__ import annotations

import gc
import json
import os
import re
import stat
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from kerasrun import run_folder
from kerasrun.errors import InputError, closest
from kerasrun.run_record import LARGEST, Fault, Record, created, parse

RECORD, INDEX = "run.json", ".index-1.json"
Signature = tuple[int, ...]  # modified and changed (ns), size, inode

_HEAD = b"kerasrun index 1 "  # then the crc32 of all that follows the first line
_FOLDER = re.compile(r".+-\d{8}-\d{6}-[a-z]{5}")  # a name that only a run's folder bears
_SETTLED = 2_000_000_000  # ns; a file younger than this may change again without a new time (FAT counts in 2 s)
_WORTH_WRITING = 50  # the index is written when at least one run in so many has changed
_FEW = 4  # a column is kept as numbers of its values when each value stands in it more often than this


class Damaged(NamedTuple):
    """A run folder that cannot be read, and why; as text, the line for the user."""

    folder: str
    reason: str

    def __str__(self) -> str:
        return f"skipped {self.folder}: {self.reason}"


@dataclass(frozen=True)
class Scan:
    """What a results folder holds.

    Args:
        records: what each run.json says, with "folder" as it is now and "path", the newest first; parts that are equal
            are shared between records, so copy before changing one.
        damaged: the folders that were skipped.
        others: the names of the folders that are no runs.
    """

    records: list[Record] = field(default_factory=list)
    damaged: list[Damaged] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def scan(results: Path, *, indexed: bool = True) -> Scan:
    """Read every run of a results folder; one that says "running" and that no process works on reads "interrupted".

    Args:
        results: folder of all runs; one that does not exist holds none.
        indexed: use the folder's index and write it; not that of somebody else, which may say what no run.json does.

    Raises:
        InputError: `results` is no folder or cannot be read.
    """
    with collector_at_rest():
        now = time.time_ns()
        index = _read_index(results) if indexed else {}
        kept: dict[str, tuple[Signature, Record]] = {}
        damaged: list[Damaged] = []
        others: list[str] = []
        fresh = 0
        place = str(results)
        for name in _folders(results):
            try:
                signature = _signature(os.lstat(f"{place}/{name}/{RECORD}"))
                known = index.get(name)
                if known and known[0] == signature:
                    kept[name] = known
                else:
                    kept[name] = _read(results, name)
                    fresh += 1
            except FileNotFoundError:
                others.append(name)
                if _FOLDER.fullmatch(name) and not run_folder.is_locked(results / name):
                    damaged.append(Damaged(_printable(name), f"missing: it holds no {RECORD}"))
            except NotADirectoryError:
                continue
            except OSError as error:
                damaged.append(Damaged(_printable(name), f"{RECORD} cannot be read: {error.strerror}"))
            except Fault as fault:
                damaged.append(Damaged(_printable(name), f"{RECORD} {fault}"))
        if indexed and (fresh + len(index.keys() - kept.keys())) * _WORTH_WRITING > len(kept):
            _write_index(results, {n: pair for n, pair in kept.items() if now - pair[0][0] > _SETTLED})
        return Scan(_finished(results, kept), sorted(damaged), others)


def find(results: Path, name: str) -> Path:
    """Return the folder of a run, a damaged one too.

    Args:
        results: folder of all runs.
        name: an id, a folder's name, a beginning of either that only one run has, "last", or a number counted from the
            newest, "1".

    Raises:
        InputError: no run, or several, go by that name; or it is a path.
    """
    if not name or len(name) > 255 or name in (".", "..") or any(c in name for c in "/\\\0"):
        raise InputError(
            f"{ascii(name[:80])} is no run's name\nname a run by its id, its folder's name, last, or 1 for the newest"
        )
    found = scan(results)
    ids: dict[str, list[str]] = {}
    for record in found.records:
        ids.setdefault(record["id"], []).append(record["folder"])
    folders = [record["folder"] for record in found.records]
    everything = [*folders, *(d.folder for d in found.damaged)]
    for candidates in _readings(name, ids, folders, everything):
        if len(candidates) == 1:
            return _inside(results, candidates[0])
        if candidates:
            shown = ", ".join([*candidates[:4], *(["…"] if len(candidates) > 4 else [])])
            raise InputError(f"'{name}' can be {len(candidates)} runs: {shown}\nwrite more of the name, or the id")
    if not everything:
        raise InputError(f"{results} holds no runs yet\nkerasrun train digits makes one")
    if name.isdecimal():
        raise InputError(f"there is no run {name}: {results} holds {len(folders)}, and 1 is the newest")
    near = closest(name, [*ids, *everything])
    suggestion = f"; did you mean '{near}'?" if near else ""
    raise InputError(f"no run '{_printable(name)}' in {results}{suggestion}\nkerasrun runs lists them all")


def _readings(name: str, ids: dict[str, list[str]], folders: list[str], everything: list[str]) -> Iterator[list[str]]:
    """Yield the folders that a name can mean, one way of reading it after the other."""
    yield [name] if name in everything else []
    yield ids.get(name, [])
    if name == "last":
        yield folders[:1]
    if name.isascii() and name.isdecimal():
        number = int(name)
        yield folders[number - 1 : number] if number else []
    by_id = [folder for identifier, those in ids.items() if identifier.startswith(name) for folder in those]
    yield list(dict.fromkeys([*by_id, *(folder for folder in everything if folder.startswith(name))]))


def _inside(results: Path, folder: str) -> Path:
    path = results / folder
    if not path.resolve().is_relative_to(results.resolve()):
        raise InputError(f"{path} leads out of the results folder")
    return path


def _folders(results: Path) -> list[str]:
    try:
        with os.scandir(results) as entries:
            return [entry.name for entry in entries if entry.name[0] != "." and entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"results folder {results} cannot be read: {error.strerror}") from None


def _signature(found: os.stat_result) -> Signature:
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


def _read(results: Path, name: str) -> tuple[Signature, Record]:
    """Return a run's record with the signature of the file that was read.

    Raises:
        Fault: the record cannot be used.
        OSError: the file cannot be read.
    """
    path = f"{results}/{name}/{RECORD}"
    found = os.lstat(path)
    if not name.isprintable():
        raise Fault("lies in a folder whose name holds unreadable characters; rename it")
    if not stat.S_ISREG(found.st_mode):
        raise Fault("is no plain file")
    if found.st_size > LARGEST:
        raise Fault(f"has {found.st_size:,} bytes, which no record has")
    with open(path, "rb") as file:
        content = file.read(LARGEST + 1)
    return _signature(found), parse(content)


def _finished(results: Path, kept: dict[str, tuple[Signature, Record]]) -> list[Record]:
    """Return the records with folder, path and status as they are now, the newest first."""
    order: list[tuple[datetime, int, str, Record]] = []
    for name, (signature, record) in kept.items():
        if record["status"] == "running" and not run_folder.is_locked(results / name):
            with suppress(OSError, Fault):  # it may have finished between the reading and the test of the lock
                signature, record = _read(results, name)
            if record["status"] == "running":
                record["status"] = "interrupted"
        record["folder"], record["path"] = name, f"{results}/{name}"
        order.append((created(record), signature[0], name, record))
    order.sort(key=lambda item: item[:3], reverse=True)
    return [item[3] for item in order]


def _read_index(results: Path) -> dict[str, tuple[Signature, Record]]:
    """Return what the index holds: a run.json's signature and record by folder; nothing where it cannot be used."""
    found: dict[str, tuple[Signature, Record]] = {}
    try:
        with open(f"{results}/{INDEX}", "rb") as file:
            head, body = file.readline(), file.read()
        if head != _head(body):
            return {}
        for names, signatures, keys, columns in json.loads(body):
            records = _joined(keys, columns, len(names))
            for name, signature, record in zip(names, zip(*signatures, strict=True), records, strict=True):
                found[name] = (signature, record)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}
    return found


def _write_index(results: Path, runs: dict[str, tuple[Signature, Record]]) -> None:
    """Replace the index; a folder that cannot be written does without one."""
    alike: dict[Any, list[str]] = {}
    for name, (_, record) in runs.items():
        alike.setdefault(_shape(record), []).append(name)
    content = []
    for names in alike.values():
        signatures, records = zip(*[runs[name] for name in names], strict=True)
        columns = [_packed([record[key] for record in records]) for key in records[0]]
        content.append([names, [*zip(*signatures, strict=True)], [*records[0]], columns])
    temporary = f"{results}/{INDEX}.{os.getpid()}"
    try:
        body = json.dumps(content, separators=(",", ":")).encode()
        with open(temporary, "xb") as file:
            file.write(_head(body) + body)
        os.replace(temporary, f"{results}/{INDEX}")
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)


def _shape(value: Any) -> Any:
    """Return the keys of a record and of all that lies in it; records of one shape are kept as columns."""
    return tuple((key, _shape(part)) for key, part in value.items()) if isinstance(value, dict) else None


def _packed(values: list[Any]) -> list[Any]:
    """Return a column as it is kept: one value for all, numbers of a few values, columns of a column, or each value."""
    texts = [repr(value) for value in values]  # tells 1, 1.0 and True apart
    distinct = dict(zip(texts, values, strict=True))
    if len(distinct) == 1:
        return ["one", values[0]]
    if len(distinct) * _FEW < len(values):
        numbers = {text: number for number, text in enumerate(distinct)}
        return ["few", [*distinct.values()], [numbers[text] for text in texts]]
    if isinstance(values[0], dict):
        return ["parts", [*values[0]], [_packed([value[key] for value in values]) for key in values[0]]]
    return ["each", values]


def _unpacked(column: list[Any], count: int) -> list[Any]:
    kind = column[0]
    if kind == "one":
        return [column[1]] * count
    if kind == "few":
        return [column[1][number] for number in column[2]]
    return _joined(column[1], column[2], count) if kind == "parts" else column[1]


def _joined(keys: list[str], columns: list[list[Any]], count: int) -> list[dict[str, Any]]:
    """Return rows as dicts: what is the same for all is copied at once, the rest is filled in column by column."""
    same = {key: column[1] for key, column in zip(keys, columns, strict=True) if column[0] == "one"}
    template = dict.fromkeys(keys) | same
    rows = [template.copy() for _ in range(count)]
    for key, column in zip(keys, columns, strict=True):
        if key not in same:
            for row, value in zip(rows, _unpacked(column, count), strict=True):
                row[key] = value
    return rows


def _head(body: bytes) -> bytes:
    return _HEAD + b"%08x\n" % zlib.crc32(body)


def _printable(name: str) -> str:
    return name if name.isprintable() else ascii(name)


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Keep the garbage collector from walking a growing heap again and again: it doubles the time of 10,000 records."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
