"""Reading .npz files of unknown origin: no pickles, sizes checked before anything is read, faults named."""

from __future__ import annotations

import errno
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

from kerasrun import environment
from kerasrun.errors import InputError

_DAMAGED = (zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError, SyntaxError, struct.error)


def read(path: Path, names: tuple[str, ...] | None = None) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file.

    Args:
        path: the file.
        names: the arrays to read where they are there; all by default.

    Raises:
        InputError: no such file, not an .npz, damaged, holds Python objects, or is larger than half of the memory.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            wanted = {name: info for name, info in members.items() if names is None or name in names}
            _check_sizes(path, archive, wanted)
            return {name: _array(archive, info) for name, info in wanted.items()}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        if error.errno == errno.EINVAL:  # a position outside the file
            raise _damaged(path, error) from error
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    except _DAMAGED as error:
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
        shape, dtype = _header(archive, info)
        if dtype.hasobject:
            raise InputError(
                f"{path}: {name} holds Python objects (dtype object), which are never loaded from a file\n"
                "store numbers in one array of one shape; texts of different lengths cut or padded to one length"
            )
        total += int(np.prod(shape, dtype=object)) * dtype.itemsize
    if total > largest():
        raise InputError(
            f"{path}: its arrays would take {total / 2**30:.1f} GiB, more than half of the memory "
            f"({largest() / 2**30:.1f} GiB)\nstore fewer examples, or a smaller dtype as uint8 or float32"
        )


def _header(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[tuple[int, ...], np.dtype]:
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        read_header = np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(member)
        return shape, dtype


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(info) as member:
        return np.lib.format.read_array(member, allow_pickle=False)
