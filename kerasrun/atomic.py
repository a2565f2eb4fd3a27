"""Files that are either the old one or the new one, whatever happens: temporary name, sync, rename, sync of the folder.

The only module that writes files which must survive a kill.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kerasrun.errors import DiskError

TEMPORARY = ".tmp."  # in the middle of the name of every unfinished file: .tmp.<pid>.<name>


def write(path: Path, content: bytes | str) -> None:
    """Replace a file by new content.

    Raises:
        DiskError: the disk is full, the quota is used up or the file cannot be written; the old file is untouched.
    """

    def fill(temporary: Path) -> None:
        with open(temporary, "wb", opener=no_link) as file:
            file.write(content.encode() if isinstance(content, str) else content)

    write_with(path, fill)


def write_with(path: Path, fill: Callable[[Path], None]) -> None:
    """Replace a file by whatever `fill` writes to the temporary path that it is given (with the same ending).

    Raises:
        DiskError: as `write`.
    """
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}.{path.name}")
    with _named_faults(path):
        try:
            _failpoint("write")
            temporary.unlink(missing_ok=True)  # left by a killed process of the same number, or a link to elsewhere
            fill(temporary)
            _failpoint("fsync")
            _sync(temporary)
            _failpoint("rename")
            temporary.replace(path)
            _sync(path.parent)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise


def write_folder(path: Path, fill: Callable[[Path], None]) -> None:
    """Make a folder that holds whatever `fill` writes, without folders of its own, to the temporary one it is given.

    Raises:
        DiskError: as `write`; or there is such a folder already. Nothing is left of what was written.
    """
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}.{path.name}")
    with _named_faults(path):
        try:
            _failpoint("write")
            temporary.mkdir()
            fill(temporary)
            _failpoint("fsync")
            for written in (*temporary.iterdir(), temporary):
                _sync(written)
            _failpoint("rename")
            temporary.rename(path)
            _sync(path.parent)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


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


def _failpoint(kind: str) -> None:
    """End the process before the n-th operation that KERASRUN_FAIL=kind:n names, as a power cut would; for tests."""
    wanted = os.environ.get("KERASRUN_FAIL")
    if not wanted:
        return
    _count[kind] = _count.get(kind, 0) + 1
    if wanted == f"{kind}:{_count[kind]}":
        os._exit(99)
