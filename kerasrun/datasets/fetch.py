"""The files of Keras's datasets: where they lie, whether they are right, and how a missing one is fetched.

The folder is Keras's own (KERAS_HOME, else ~/.keras), so that what Keras has fetched is never fetched again. A cached
file is checked by its hash at every reading and never changed or deleted, even where the hash is wrong.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from kerasrun.errors import DataUnavailable, DiskError

if TYPE_CHECKING:
    from kerasrun.catalog import DatasetEntry, Download

_PATIENCE = 30  # seconds without any answer from a server
_CHUNK = 1 << 20


def folder() -> Path:
    """Return the folder in which Keras keeps the files of its datasets."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser() / "datasets"


def cached(entry: DatasetEntry) -> bool:
    """Return whether all files of a dataset are in the cache; their content is not looked at."""
    return bool(entry.downloads) and all(present(download) for download in entry.downloads)


def read(entry: DatasetEntry) -> list[bytes]:
    """Return the content of a dataset's files, in the catalog's order, each checked; missing ones are fetched first.

    Raises:
        DataUnavailable: a file is damaged, or missing and cannot be fetched, or there is none to fetch.
        DiskError: a fetched file cannot be stored.
    """
    if not entry.downloads:
        raise DataUnavailable(
            f"{entry.name} is fetched from nowhere: kerasrun datasets add {entry.name} FILE.npz\n"
            f"a file with {entry.train:,} training and {entry.test:,} test images"
        )
    missing = [download for download in entry.downloads if not present(download)]
    for download in missing:
        _fetch(entry, download, missing)
    return [_checked(entry, download) for download in entry.downloads]


def present(download: Download) -> Path | None:
    """Return where a file lies: under Keras's name for it or the one that it has at its source."""
    candidates = (folder() / download.file, folder() / Path(download.url).name)
    return next((path for path in candidates if path.is_file()), None)


def _checked(entry: DatasetEntry, download: Download) -> bytes:
    path = present(download) or folder() / download.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataUnavailable(f"{path}: cannot be read ({error.strerror})") from error
    found = hashlib.sha256(content).hexdigest()
    if found != download.hash:
        raise DataUnavailable(
            f"{path}: damaged, or another file: sha256 {found}, expected {download.hash}\n"
            f"move it away, then it is fetched again from {download.url}\n"
            f"your own copy of the data goes by: kerasrun datasets add {entry.name} FILE.npz"
        )
    return content


def _fetch(entry: DatasetEntry, download: Download, missing: Sequence[Download]) -> None:
    """Bring one file into the cache. A file with a wrong hash is deleted and asked for once more."""
    target = folder() / download.file
    print(f"fetching {download.file} ({_megabytes(download.bytes)}) from {download.url}", file=sys.stderr)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskError(
            f"{target.parent}: cannot be made ({error.strerror}); set KERAS_HOME to another folder"
        ) from error
    found = ""
    for _ in range(2):
        temporary = _temporary(target)
        try:
            found = _receive(download, temporary)
            if found == download.hash:
                temporary.replace(target)
                return
        except _CannotStore as error:
            raise DiskError(f"{target}: {error}") from error
        except (OSError, HTTPException) as error:
            raise _unavailable(entry, missing, getattr(error, "reason", None) or error) from error
        finally:
            temporary.unlink(missing_ok=True)
    raise _unavailable(entry, missing, f"twice a file with the wrong hash {found}")


class _CannotStore(Exception):
    """A fault of the disk, as opposed to one of the network; both are OSError."""


def _temporary(target: Path) -> Path:
    try:
        handle, name = tempfile.mkstemp(prefix=f"{target.name}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise DiskError(f"{target.parent}: cannot be written ({error.strerror})") from error
    os.close(handle)
    return Path(name)


def _receive(download: Download, temporary: Path) -> str:
    """Write what the server sends, at most twice the announced size, and return its hash."""
    digest = hashlib.sha256()
    received = 0
    with urllib.request.urlopen(download.url, timeout=_PATIENCE) as answer, temporary.open("wb") as file:
        while received <= 2 * download.bytes + _CHUNK and (chunk := answer.read(_CHUNK)):
            digest.update(chunk)
            received += len(chunk)
            try:
                file.write(chunk)
            except OSError as error:
                raise _CannotStore(error.strerror) from error
    return digest.hexdigest()


def _unavailable(entry: DatasetEntry, missing: Sequence[Download], reason: object) -> DataUnavailable:
    first, more = missing[0], len(missing) - 1
    size = _megabytes(sum(download.bytes for download in missing))
    files = Path(first.url).name + (f" and {more} more" if more else "")
    where = first.url if not more else first.url.rsplit("/", 1)[0] + "/"
    return DataUnavailable(
        f"{entry.name} is not cached and cannot be fetched: {files} ({size}) from {where} ({reason})\n"
        f"put a copy into {(folder() / first.file).parent}/, or: kerasrun datasets add {entry.name} FILE.npz\n"
        f"instead, without a download: {_instead(entry)}"
    )


def _instead(entry: DatasetEntry) -> str:
    """Return the dataset that would do without any download."""
    if entry.task.vocabulary_size is not None:
        return f"synthetic:{entry.name} (made-up texts; no real ones are bundled)"
    if entry.task.kind == "regression":
        return "diabetes (442 patients, bundled)"
    return "digits (1,797 images of 8 × 8, bundled)"


def _megabytes(size: int) -> str:
    return f"{max(size / 1e6, 0.1):.1f} MB" if size < 1e7 else f"{size / 1e6:.0f} MB"
