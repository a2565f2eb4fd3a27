"""A run's place: its name, its folder, made by one process alone, and the lock that says who works on it."""

from __future__ import annotations

import fcntl
import os
import random
import re
import string
import time
from datetime import datetime
from pathlib import Path
from typing import IO

from kerasrun import atomic
from kerasrun.errors import DiskError, InputError, RunInUse

LOCK = ".lock"
_TRIES = 5  # `is_locked` holds a lock for an instant, too
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def check_name(name: str) -> str:
    """Return a name that can be part of a folder's name.

    Raises:
        InputError: other characters than [A-Za-z0-9_.-], or more than 100 of them.
    """
    if not _NAME.fullmatch(name) or ".." in name:
        raise InputError(f"name {name[:120]!r} may hold letters, digits, _ . and - only, at most 100, no dot in front")
    return name


def plain(text: str) -> str:
    """Return a text with every character that a name may not hold replaced by a hyphen, and dots in a row by one."""
    return re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9_.]+", "-", text)).strip("-.")[:80]


def probe(results: Path, name: str | None = None) -> None:
    """Make sure that a run of this name can be written, before anything slow.

    Raises:
        InputError: the folder can neither be made nor written, or a name as in `start`.
    """
    if name is not None:
        check_name(name)
    try:
        results.mkdir(parents=True, exist_ok=True)
        atomic.write(results / f".probe-{os.getpid()}", "")
        (results / f".probe-{os.getpid()}").unlink()
    except (OSError, DiskError) as error:
        cause = error.__cause__ if isinstance(error, DiskError) else error
        reason = cause.strerror if isinstance(cause, OSError) else error
        raise InputError(
            f"results folder {results} cannot be written: {reason}\nchoose another one with --results FOLDER"
        ) from None


def new_folder(results: Path, stem: str) -> tuple[Path, str]:
    """Make a folder with an id that no other run here bears, whoever else starts runs at the same time.

    The folder is there before it looks for others of its id: of two processes with one id, at least one gives way.
    """
    for _ in range(1000):
        identifier = new_id()
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        folder = results / f"{stem}-{stamp}-{identifier}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise InputError(f"results folder {results} cannot be written: {error.strerror}") from None
        if len([*results.glob(f"*-{identifier}")]) == 1:
            return folder, identifier
        folder.rmdir()
    raise DiskError(f"{results}: no free name for a run")


def new_id() -> str:
    """Return five letters drawn at random."""
    return "".join(random.SystemRandom().choices(string.ascii_lowercase, k=5))


def lock(folder: Path) -> IO[bytes]:
    """Lock a run folder until the returned file is closed or the process ends, however it ends.

    Raises:
        RunInUse: another process holds the lock.
        InputError: the folder cannot be written, or the lock is a symbolic link.
    """
    try:
        file = open(folder / LOCK, "a+b", opener=atomic.no_link)  # noqa: SIM115 - open as long as the lock is held
    except OSError as error:
        reason = "is a symbolic link" if (folder / LOCK).is_symlink() else error.strerror
        raise InputError(f"{folder / LOCK}: {reason}; the run cannot be locked") from None
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            time.sleep(0.02)
    else:
        file.seek(0)
        holder = file.read().decode(errors="replace").strip()
        file.close()
        raise RunInUse(f"{folder.name} is being trained by process {holder or 'unknown'}") from None
    file.truncate(0)
    file.write(str(os.getpid()).encode())
    file.flush()
    return file


def is_locked(folder: Path) -> bool:
    """Tell whether a process is working on a run; of a lock that cannot be opened, none is."""
    try:
        with open(folder / LOCK, "rb", opener=_at_once) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _at_once(path: str, flags: int) -> int:
    """Open a file without waiting for somebody to write to it, should it be a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)
