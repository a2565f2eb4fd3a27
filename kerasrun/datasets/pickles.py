"""Pickled arrays of known origin, read without the power to run anything.

CIFAR's batches and the word lists of IMDB and Reuters are stored as pickles. The unpickler here can rebuild NumPy
arrays, lists, numbers and texts, and refuses every other name, so that a tampered file cannot execute code.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from typing import Any

import numpy as np
from numpy._core import multiarray

from kerasrun.npz_header import array_header

_ALLOWED = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): multiarray._reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): multiarray._reconstruct,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no array needs")
        return _ALLOWED[module, name]


def load(content: bytes) -> Any:
    """Return the object in a pickle; bytes of Python 2 stay bytes.

    Raises:
        pickle.UnpicklingError: the pickle asks for anything but arrays.
    """
    return _Unpickler(io.BytesIO(content), encoding="bytes").load()


def load_npz(content: bytes) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file, arrays of lists among them.

    Raises:
        pickle.UnpicklingError: an array's pickle asks for anything but arrays.
        zipfile.BadZipFile: the file is no archive.
    """
    arrays = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            member = io.BytesIO(archive.read(name))
            arrays[name.removesuffix(".npy")] = _array(member)
    return arrays


def _array(member: io.BytesIO) -> np.ndarray:
    _, _, dtype = array_header(member)
    if dtype.hasobject:
        return load(member.read())
    member.seek(0)
    return np.lib.format.read_array(member, allow_pickle=False)
