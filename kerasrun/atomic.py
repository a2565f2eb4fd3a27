"""Files that are either the old one or the new one, whatever happens: temporary name, sync, rename, sync of the folder.

Files that are replaced together are all written before the first of them is synced, and synced side by side: then a
journaling file system needs one or two commits of its journal in place of two a file.

The only module that writes files which must survive a kill.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from kerasrun.errors import DiskError

TEMPORARY = ".tmp."  # in the middle of the name of every unfinished file: .tmp.<pid>.<name>


def write(path: Path, content: bytes | str) -> None:
    """Replace a file by new content.

    Raises:
        DiskError: the disk is full, the quota is used up or the file cannot be written; the old file is untouched.
    """
    write_all(path.parent, {path.name: content})


def write_all(folder: Path, contents: Mapping[str, bytes | str]) -> None:
    """Replace files of one folder in their order, once all of the new ones are on the disk.

    Raises:
        DiskError: as `write`; where there is no room for one of them, all old files are untouched.
    """

    def fill(temporary: Path, content: bytes | str) -> None:
        with open(temporary, "wb", opener=no_link) as file:
            file.write(content.encode() if isinstance(content, str) else content)

    _replace(folder, {name: partial(fill, content=content) for name, content in contents.items()})


def write_with(path: Path, fill: Callable[[Path], object]) -> None:
    """Replace a file by whatever `fill` writes to the temporary path that it is given (with the same ending).

    Raises:
        DiskError: as `write`.
    """
    _replace(path.parent, {path.name: fill})


def write_folder(path: Path, fill: Callable[[Path], None]) -> None:
    """Make a folder that holds whatever `fill` writes to the temporary one that it is given.

    Raises:
        DiskError: as `write`; or there is such a folder already. Nothing is left of what was written.
    """
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}.{path.name}")
    with _named_faults(path):
        try:
            _failpoint("write", path)
            temporary.mkdir()
            fill(temporary)
            _failpoint("fsync", path)
            for written in (*temporary.rglob("*"), temporary):
                _sync(written)
            _failpoint("rename", path)
            temporary.rename(path)
            _sync(path.parent)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


@contextmanager
def keeping(path: Path, kept: Path) -> Iterator[None]:
    """Replace `kept` by what `path` was before the block; at no moment are both of them one and the same file."""
    temporary = kept.with_name(f"{TEMPORARY}{os.getpid()}.{kept.name}")
    temporary.unlink(missing_ok=True)
    try:
        os.link(path, temporary, follow_symlinks=False)
    except FileNotFoundError:  # there is none yet
        yield
        return
    except OSError:  # a file system without hard links
        write(temporary, path.read_bytes())
    try:
        yield
        temporary.replace(kept)
    finally:
        temporary.unlink(missing_ok=True)


def sealed(content: bytes) -> bytes:
    """Return a content with its sha256 in front."""
    return hashlib.sha256(content).digest() + content


def unsealed(content: bytes) -> bytes:
    """Return the content that `sealed` was given.

    Raises:
        ValueError: a single bit differs.
    """
    if hashlib.sha256(content[32:]).digest() != content[:32]:
        raise ValueError("its checksum does not fit its content")
    return content[32:]


def no_link(path: str, flags: int) -> int:
    """Open a file for `open(…, opener=no_link)`, unless it is a symbolic link: what is written stays in the folder."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


def remove_unfinished(folder: Path) -> None:
    """Delete the temporary files that a killed process left in a folder."""
    for path in folder.glob(f"{TEMPORARY}*"):
        path.unlink(missing_ok=True)


def _replace(folder: Path, fills: dict[str, Callable[[Path], object]]) -> None:
    temporaries = {folder / name: folder / f"{TEMPORARY}{os.getpid()}.{name}" for name in fills}
    try:
        for path, temporary in temporaries.items():
            with _named_faults(path):
                _failpoint("write", path)
                temporary.unlink(missing_ok=True)  # left by a killed process of the same number, or a link to elsewhere
                fills[path.name](temporary)
        _sync_all(temporaries)
        for path, temporary in temporaries.items():
            with _named_faults(path):
                _failpoint("rename", path)
                temporary.replace(path)
        with _named_faults(folder):
            _sync(folder)
    except BaseException:
        for temporary in temporaries.values():
            with suppress(OSError):
                temporary.unlink()
        raise


def _sync_all(temporaries: dict[Path, Path]) -> None:
    def sync(path: Path) -> None:
        with _named_faults(path):
            _sync(temporaries[path])

    for path in temporaries:
        _failpoint("fsync", path)
    if len(temporaries) == 1:
        sync(*temporaries)
        return
    from concurrent.futures import ThreadPoolExecutor  # which most commands have no use for

    with ThreadPoolExecutor(len(temporaries)) as pool:
        list(pool.map(sync, temporaries))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _named_faults(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskError(f"{path}: no space left on the disk; the file as it was before is kept") from error
        raise DiskError(
            f"{path}: cannot be written ({error.strerror or error}); the file as it was before is kept"
        ) from error


_count: dict[str, int] = {}


def _failpoint(kind: str, path: Path) -> None:
    """End the process as a kill would, before the n-th operation that KERASRUN_FAIL names; for tests.

    It is "write:n", "fsync:n" or "rename:n", or, of one file alone, "rename:state.npz:n".
    """
    wanted = os.environ.get("KERASRUN_FAIL")
    if not wanted:
        return
    for what in (kind, f"{kind}:{path.name}"):
        _count[what] = _count.get(what, 0) + 1
        if wanted == f"{what}:{_count[what]}":
            os._exit(99)
