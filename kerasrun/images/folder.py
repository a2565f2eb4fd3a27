"""From a path and its options to a Folder: every file checked, all images of one size."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasrun import environment, task
from kerasrun.class_folders import Listing, listed
from kerasrun.dataset_table import DatasetEntry
from kerasrun.errors import InputError, shown
from kerasrun.images import decode, kept
from kerasrun.images.decode import Broken, Decoded
from kerasrun.own_data import IMAGE_ENDINGS, PARTS
from kerasrun.task import Task

Options = Mapping[str, Any]  # of own_data.IMAGE_OPTIONS
_SHOWN = 4


@dataclass(frozen=True)
class Folder:
    """A folder of images, decoded.

    Args:
        path: of the folder.
        options: how it was read.
        classes: their names; class numbers are their positions.
        names: of the images, relative to the folder.
        part: (n,) of "train", "validation", "test".
        labels: int32 (n,) class numbers.
        digests: of the files' bytes, (n,); equal files have equal ones.
        shape: of one image: (height, width) or (height, width, 3).
        broken: name and reason of each file that gave no image.
        notes: lines for the user.
        sha256: of pixels, labels and parts.
        pixels: uint8 (n, …), as they lie on the disk.
    """

    path: Path
    options: Options
    classes: tuple[str, ...]
    names: tuple[str, ...]
    part: np.ndarray
    labels: np.ndarray
    digests: np.ndarray
    shape: tuple[int, ...]
    broken: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    sha256: str
    pixels: np.ndarray


_described: dict[tuple, DatasetEntry] = {}


def describe(path: Path, options: Options) -> tuple[DatasetEntry, Options]:
    """Return what a folder asks of a network, and the options.

    Raises:
        InputError: as `opened`.
    """
    key = (str(path), _changed(path), *sorted(options.items()))
    if key not in _described:
        folder = opened(path, options)
        test = Counter(folder.part.tolist())["test"]
        _described[key] = DatasetEntry(
            str(path.resolve()), "images", f"the images of {path.name}", task_of(folder), "uint8",
            len(folder.names) - test, test, "unit", "cnn",
        )  # fmt: skip
    return _described[key], options


def opened(path: Path, options: Options) -> Folder:
    """Return a folder's images; they are decoded where that has not been done.

    Raises:
        InputError: no folder of class folders, a file that is no image unless `skip_broken`, images of different sizes
            without `resize`, or none is left of a class.
        DiskError: what is decoded cannot be kept.
    """
    if path.name.lower().endswith(IMAGE_ENDINGS) and not path.is_dir():
        raise InputError(f"{path}: a single image; a folder is wanted with a folder for each class")
    listing = listed(path)
    decode.require()
    facts, pixels = kept.images(path, options["resize"], options["channels"], listing)
    return _folder(path, options, listing, facts, pixels)


def decoded(paths: Sequence[Path], size: tuple[int, int], shape: Sequence[int]) -> list[Decoded | Broken]:
    """Return some images, or why a file gives none.

    Args:
        paths: of the files.
        size: height and width to bring them to.
        shape: of one image, as in `Folder`.
    """
    decode.require()
    channels = 1 if len(shape) == 2 else 3
    with kept.quiet(), ThreadPoolExecutor(environment.cores()) as pool:
        return [*pool.map(lambda p: kept.attempt(p, lambda c: decode.decoded(c, size, channels)), paths)]


def task_of(folder: Folder) -> Task:
    """Return the task of telling the classes of a folder apart."""
    name = folder.path.resolve().name
    if len(folder.classes) == 2:
        return task.binary(name, folder.shape, class_names=folder.classes)
    return task.multiclass(name, folder.shape, len(folder.classes), class_names=folder.classes)


def _folder(path: Path, options: Options, listing: Listing, facts: dict[str, Any], pixels: Path) -> Folder:
    broken = tuple((name, reason) for name, reason in facts["broken"])
    notes = [*listing.notes, *facts["notes"]]
    if broken and not options["skip_broken"]:
        said = [f"{shown(name)} ({reason})" for name, reason in broken[:_SHOWN]]
        more = f" and {len(broken) - _SHOWN} more" if len(broken) > _SHOWN else ""
        count = f"{len(broken)} of {len(listing.files):,} files"
        raise InputError(
            f"{path}: {count} give no image: {', '.join(said)}{more}\nremove them, or leave them out: --skip-broken"
        )
    bad = dict(broken)
    files = [file for file in listing.files if file.name not in bad]
    labels = np.array([file.label for file in files], np.int32)
    train = np.array([file.part == "train" for file in files])
    if empty := [c for i, c in enumerate(listing.classes) if not (train & (labels == i)).any()]:
        raise InputError(f"{path}: no file of class '{shown(empty[0])}' gives an image")
    if empty := sorted({file.part for file in listing.files} - {file.part for file in files}):
        raise InputError(f"{path}: no file of the {empty[0]} part gives an image")
    shape = tuple(facts["shape"])
    return Folder(
        path, options, listing.classes, tuple(readable(file.name) for file in files), np.array([f.part for f in files]),
        labels, np.array(facts["digests"]), shape, broken, tuple(notes), facts["sha256"],
        np.memmap(pixels, np.uint8, "r", shape=(len(files), *shape)),
    )  # fmt: skip


def readable(name: str) -> str:
    """Return a file's name as text that can be written, whatever its bytes are."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def _changed(path: Path) -> tuple[int, ...]:
    """Return the times at which files were last added to a folder, its parts and classes, or taken away."""
    try:
        inner = [entry for entry in os.scandir(path) if entry.is_dir()]
        parts = [entry.path for entry in inner if entry.name.lower() in PARTS]
        below = [entry.path for part in parts for entry in os.scandir(part) if entry.is_dir()]
        return tuple(os.stat(each).st_mtime_ns for each in (str(path), *(entry.path for entry in inner), *below))
    except OSError:
        return ()  # which `listed` will put into words
