"""Reading .npz files of unknown origin: no pickles, sizes checked before anything is read, faults named."""

from __future__ import annotations

import errno
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from kerasrun import environment
from kerasrun.errors import InputError
from kerasrun.npz_header import DAMAGED, array_header


def read(path: Path, names: tuple[str, ...] | None = None) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file.

    Args:
        path: the file.
        names: the arrays to read where they are there; all by default.

    Raises:
        InputError: no such file, not an .npz, damaged, holds Python objects, or is larger than half of the memory.
    """
    with _opened(path) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        wanted = {name: info for name, info in members.items() if names is None or name in names}
        _check_sizes(path, archive, wanted)
        return {name: _array(archive, info) for name, info in wanted.items()}


def names(path: Path) -> set[str]:
    """Return the names of a file's arrays.

    Raises:
        InputError: as `read`.
    """
    with _opened(path) as archive:
        return {name.removesuffix(".npy") for name in archive.namelist()}


def stream(path: Path, name: str, size: int) -> Iterator[np.ndarray]:
    """Yield an array's rows in slices of about `size` bytes, at least one row each.

    The whole is in memory only where it is stored by columns, as NumPy stores what pandas's `to_numpy` returns.

    Raises:
        InputError: as `read`; or the array has no rows.
    """
    with _opened(path) as archive, archive.open(f"{name}.npy") as member:
        shape, by_columns, dtype = array_header(member)
        _refuse_objects(path, name, dtype)
        if not shape:
            raise InputError(f"{path}: {name} is a single value; rows are needed")
        row = int(np.prod(shape[1:], dtype=object)) * dtype.itemsize
        if row > largest():
            raise InputError(f"{path}: a row of {name} would take {row / 2**30:.1f} GiB, more than half of the memory")
        left, rows = shape[0], max(1, size // max(1, row))
        if by_columns:
            x = read(path, (name,))[name]
            yield from (x[start : start + rows] for start in range(0, left, rows))
            return
        while left:
            count = min(rows, left)
            content = member.read(count * row)
            if len(content) < count * row:
                raise EOFError(f"{name} ends before its last row")
            yield np.frombuffer(content, dtype).reshape(count, *shape[1:])
            left -= count


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a file, and name what is wrong with it."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        if error.errno == errno.EINVAL:  # a position outside the file
            raise _damaged(path, error) from error
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    except DAMAGED as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path}: damaged, or no .npz file ({error})\nwrite it anew with numpy.savez(FILE, x_train=…, y_train=…)"
    )


def largest() -> int:
    """Return how many bytes of arrays one file may hold: half of the memory."""
    return environment.memory() // 2


def _check_sizes(path: Path, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> None:
    total = 0
    for name, info in members.items():
        with archive.open(info) as member:
            shape, _, dtype = array_header(member)
        _refuse_objects(path, name, dtype)
        total += int(np.prod(shape, dtype=object)) * dtype.itemsize
    if total > largest():
        raise InputError(
            f"{path}: its arrays would take {total / 2**30:.1f} GiB, more than half of the memory "
            f"({largest() / 2**30:.1f} GiB)\nstore fewer examples, or a smaller dtype as uint8 or float32"
        )


def _refuse_objects(path: Path, name: str, dtype: np.dtype) -> None:
    if dtype.hasobject:
        raise InputError(
            f"{path}: {name} holds Python objects (dtype object), which are never loaded from a file\n"
            "store numbers in one array of one shape; texts of different lengths cut or padded to one length"
        )


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(info) as member:
        return np.lib.format.read_array(member, allow_pickle=False)
