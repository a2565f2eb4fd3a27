"""Whether what somebody else wrote can be taken: plain files of a sensible size, and whole."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from pathlib import Path

from kerasrun import atomic, run_check, run_tables
from kerasrun.errors import InputError, shown
from kerasrun.run_record import Record, created

LARGEST = {".keras": 8 << 30, ".npz": 8 << 30, ".py": 1 << 20}  # bytes of one file, by its ending
LARGEST_TEXT = 256 << 20  # bytes of any other file, and of what a table's epochs unpack to

_MOST_FILES = 10_000  # of a run


class Refused(Exception):
    """Why a run or a table is not taken."""


def sizes(folder: Path) -> dict[str, int]:
    """Return the size of each file of a run that is to be copied, in bytes; locks and unfinished files are not.

    Raises:
        Refused: a link, a folder or another thing that is no plain file, or a file far larger than a run has.
    """
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name[0] != ".":
            found[path.name] = _size(path)
    if len(found) > _MOST_FILES:
        raise Refused(f"holds {len(found):,} files")
    return found


def refuse_damaged(folder: Path) -> None:
    """Refuse a run folder that `run_check` finds a damaged file in.

    Raises:
        Refused: the first of them.
    """
    for file, reason in run_check.check_run(folder):
        if not file.startswith(atomic.TEMPORARY):  # these are not copied
            raise Refused(f"{shown(file)}: {reason}")


def records(folder: Path) -> list[Record]:
    """Return the records of a table whose epochs can be read, the oldest run first.

    Raises:
        Refused: it is damaged, no plain file, or far larger than a table is.
    """
    try:
        _size(folder / run_tables.RUNS)
        found = sorted(run_tables.read(folder), key=created)
        for name in (run_tables.EPOCHS, run_tables.PROGRESS):
            if (folder / name).exists():
                _refuse_bomb(folder / name)
                run_tables.curves(folder, "", "", name)
    except (OSError, InputError) as error:
        raise Refused(str(error)) from None
    return found


def _refuse_bomb(path: Path) -> None:
    _size(path)
    try:
        with gzip.open(path) as file:
            while file.read(1 << 20):
                if file.tell() > LARGEST_TEXT:
                    raise Refused(f"{path.name} unpacks to more than {LARGEST_TEXT:,} bytes")
    except (OSError, EOFError, zlib.error) as error:
        raise Refused(f"{path.name} is damaged: {error}") from None


def _size(path: Path) -> int:
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise Refused(f"{shown(path.name)} is no plain file")
    if not os.access(path, os.R_OK):  # of another user
        raise Refused(f"{shown(path.name)} cannot be read: Permission denied")
    if found.st_size > LARGEST.get(path.suffix, LARGEST_TEXT):
        raise Refused(f"{shown(path.name)} has {found.st_size:,} bytes, more than such a file may have")
    return found.st_size
