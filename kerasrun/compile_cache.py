"""What XLA compiled, kept for the next process: a compiled epoch of a small network starts two seconds earlier.

TensorFlow keeps the programs itself and compares the whole program before it uses one. What it does not look at is
done here. Programs hold instructions of one processor and one version, so each has a folder of its own. A disk that is
full ends the training; a program that was cut short even looks to `fit` like the end of the data (both seen with
TensorFlow 2.21). So room is asked for first, and a program is used again only if its checksum was written after it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kerasrun import atomic, environment
from kerasrun.errors import DiskError

LARGEST = 64 * 2**20  # bytes of all programs, some hundreds of them; the oldest go first
LEAST_FREE = 2**30  # bytes that the disk must have left
SWITCH = "--tf_xla_persistent_cache_directory="
_UNSEALED_SECONDS = 600.0  # so long a running training may take from compiling to its end; older ones were killed


def use() -> None:
    """Tell TensorFlow where programs are kept; before it is imported, and unless the user has told it already."""
    flags = os.environ.get("TF_XLA_FLAGS", "")
    place = folder()
    if SWITCH in flags or any(mark.isspace() for mark in str(place)):  # the flags are separated by blanks
        return
    try:
        place.mkdir(parents=True, exist_ok=True)
        _tidy(place)
        if not os.access(place, os.W_OK) or shutil.disk_usage(place).free < LEAST_FREE:
            return
    except OSError:
        return
    # On a GPU its own compiler's programs would lie there too; never tried, so only those of the CPU.
    os.environ["TF_XLA_FLAGS"] = f"{flags} {SWITCH}{place} --tf_xla_persistent_cache_device_types=CPU".strip()


def seal() -> None:
    """Write the checksum of each new program, after a training that used them."""
    for path in _programs(folder()):
        if not _seal(path).exists():
            with suppress(OSError, DiskError):
                atomic.write(_seal(path), _checksum(path))


def folder() -> Path:
    """Return the folder of this processor's and this TensorFlow's programs."""
    made_by = [environment.versions()["tensorflow"], *environment.instructions()]
    return environment.home() / "compiled" / hashlib.sha256(" ".join(made_by).encode()).hexdigest()[:12]


def _programs(place: Path) -> Iterator[Path]:
    """Yield the programs, the newest first."""
    with suppress(FileNotFoundError):
        yield from sorted(place.glob("*.pb"), key=lambda path: path.stat().st_mtime_ns, reverse=True)


def _tidy(place: Path) -> None:
    """Remove what is damaged, what a killed process left behind, and what is too much."""
    total = 0
    for path in _programs(place):
        total += path.stat().st_size
        if total > LARGEST or not _is_sound(path):
            path.unlink(missing_ok=True)
            _seal(path).unlink(missing_ok=True)


def _is_sound(path: Path) -> bool:
    if not _seal(path).exists():
        return time.time() - path.stat().st_mtime < _UNSEALED_SECONDS and path.stat().st_size > 0
    return _seal(path).read_text() == _checksum(path)


def _seal(path: Path) -> Path:
    return path.with_suffix(".crc32")


def _checksum(path: Path) -> str:
    return f"{zlib.crc32(path.read_bytes()):08x}\n"
