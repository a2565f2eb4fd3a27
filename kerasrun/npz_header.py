"""What a user's .npz file asks of a network: shapes and dtypes from its headers, the kind of task from its labels.

Reads the labels and no more, and never a pickle. The examples themselves are read by kerasrun/datasets.
"""

from __future__ import annotations

import functools
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from kerasrun import task
from kerasrun.errors import InputError
from kerasrun.task import Task

_LARGEST_LABELS = 2**30  # bytes
DAMAGED = (  # what reading a damaged .npz raises
    zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError, SyntaxError, struct.error, KeyError,
)  # fmt: skip


@dataclass(frozen=True)
class NpzHeader:
    """What an .npz file holds.

    Args:
        task: what it asks of a network, named after the file.
        raw_dtype: "uint8" or "float32": the dtype of the examples as they are fed in.
        train: number of training examples.
        test: number of test examples, 0 for none.
    """

    task: Task
    raw_dtype: str
    train: int
    test: int


def read_header(path: Path) -> NpzHeader:
    """Return what an .npz file holds: x_train and y_train, or x and y, and x_test, y_test where there are.

    Raises:
        InputError: no such file, no .npz, no such arrays, objects or texts in them, or labels that fit no task.
    """
    try:
        status = path.stat()
        return _read(path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except DAMAGED as error:
        raise InputError(
            f"{path}: damaged, or not an .npz file ({error})\nwrite it with numpy.savez(FILE, x_train=…, y_train=…)"
        ) from None


def array_header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Return the shape of an array in an .npz file, whether it is stored by columns, and its dtype.

    Args:
        member: the open .npy file; it stands behind the header afterwards.

    Raises:
        ValueError: it is no such file.
    """
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
    return read(member)


@functools.lru_cache(maxsize=64)
def _read(path: Path, _changed: int, _size: int) -> NpzHeader:
    with zipfile.ZipFile(path) as archive:
        names = {member.removesuffix(".npy") for member in archive.namelist()}
        x, y = ("x_train", "y_train") if "x_train" in names else ("x", "y")
        if not {x, y} <= names:
            held = ", ".join(sorted(names)) or "nothing"
            raise InputError(f"{path}: holds {held}; wanted are x_train and y_train, or x and y")
        shape, dtype = _shape_and_dtype(path, archive, x)
        _check_examples(path, x, shape, dtype)
        labels = _labels(path, archive, y)
        if len(labels) != shape[0]:
            raise InputError(f"{path}: {x} has {shape[0]} rows, {y} has {len(labels)}")
        test = _shape_and_dtype(path, archive, "x_test")[0][:1] if {"x_test", "y_test"} <= names else (0,)
    raw_dtype = "uint8" if dtype == np.uint8 else "float32"
    return NpzHeader(_task(path, y, shape[1:], labels), raw_dtype, shape[0], test[0] if test else 0)


def _shape_and_dtype(path: Path, archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype]:
    with archive.open(f"{name}.npy") as member:
        shape, _, dtype = array_header(member)
    if dtype.hasobject:
        raise InputError(
            f"{path}: {name} holds Python objects (dtype object); object arrays (pickle) are never loaded\n"
            "store numbers in one array of one shape"
        )
    return shape, dtype


def _check_examples(path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if dtype.kind not in "buif":
        raise InputError(f"{path}: {name} has dtype {dtype}; a network takes only numbers (uint8, float32 …)")
    if len(shape) < 2 or 0 in shape:
        raise InputError(
            f"{path}: {name} has shape {shape}; wanted (examples, features) or (examples, height, width, …)"
        )


def _labels(path: Path, archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Return the labels, (n,) or (n, outputs)."""
    shape, dtype = _shape_and_dtype(path, archive, name)
    if dtype.kind not in "buif" or len(shape) not in (1, 2) or 0 in shape:
        raise InputError(
            f"{path}: {name} has shape {shape} and dtype {dtype}; wanted class numbers (n,) or numbers (n, outputs)"
        )
    if int(np.prod(shape, dtype=object)) * dtype.itemsize > _LARGEST_LABELS:
        raise InputError(f"{path}: {name} would take more than 1 GiB, too much for labels; its shape is {shape}")
    with archive.open(f"{name}.npy") as member:
        labels = np.lib.format.read_array(member, allow_pickle=False)
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels


def _task(path: Path, name: str, input_shape: tuple[int, ...], labels: np.ndarray) -> Task:
    """Return the task: whole numbers in one column are classes, other numbers are values to predict."""
    if labels.dtype.kind == "f":
        return task.regression(path.stem, input_shape, 1 if labels.ndim == 1 else labels.shape[1])
    if labels.ndim == 2:
        raise InputError(
            f"{path}: {name} has {labels.shape[1]} columns of whole numbers\n"
            f"for classes store their numbers, {name}.argmax(axis=1); for values to predict store float32"
        )
    lowest, classes = int(labels.min()), int(labels.max()) + 1
    if lowest < 0 or classes > max(len(labels), 2):
        raise InputError(
            f"{path}: {name} has whole numbers from {lowest} to {classes - 1} for {len(labels)} examples\n"
            "class numbers count from 0 without large gaps; store values to predict as float32"
        )
    if classes <= 2:
        return task.binary(path.stem, input_shape)
    return task.multiclass(path.stem, input_shape, classes)
