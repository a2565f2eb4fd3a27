"""A folder of images: split by file, then its pixels read, or left on the disk where they do not fit in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasrun import environment, images
from kerasrun.class_folders import known_labels
from kerasrun.datasets.parts import Part, Unsplit, aligned
from kerasrun.datasets.stored import Stored
from kerasrun.errors import InputError, shown
from kerasrun.images import Folder

if TYPE_CHECKING:
    from kerasrun.catalog import DatasetEntry


@dataclass
class _Files:
    """The folders that the parts are from, one after the other; a part's rows count through all of them."""

    folders: list[Folder] = field(default_factory=list)

    def add(self, folder: Folder) -> int:
        """Add a folder and return the row of its first image."""
        start = sum(len(known.names) for known in self.folders)
        self.folders.append(folder)
        return start

    @property
    def names(self) -> tuple[str, ...]:
        """What the images are called: below the first folder, of others with the folder's name."""
        first, *others = self.folders
        return (*first.names, *(f"{folder.path.name}/{name}" for folder in others for name in folder.names))

    def pixels(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the file that the images of a part lie in, and their positions there."""
        start = 0
        for folder in self.folders:
            if rows[0] < start + len(folder.names):
                return folder.pixels, rows - start
            start += len(folder.names)
        raise IndexError(rows[0])


def largest() -> int:
    """Return how many bytes of images are held in memory: half of it; more of them are read from the disk each time."""
    return environment.memory() // 2


def read(entry: DatasetEntry, arguments: Mapping[str, Any]) -> Unsplit:
    """Return what a folder holds; its pixels are read by `fit`, once the parts are known.

    Raises:
        InputError: as `images.opened`.
    """
    folder = images.opened(Path(entry.name), arguments)
    files = _Files()
    files.add(folder)
    parts = {str(name): _part(folder, np.flatnonzero(folder.part == name)) for name in np.unique(folder.part)}
    notes = folder.notes
    if folder.broken:
        said = ", ".join(f"{shown(name)} ({reason})" for name, reason in folder.broken[:4])
        more = f" and {len(folder.broken) - 4} more" if len(folder.broken) > 4 else ""
        notes = (f"left out, no image can be read: {said}{more}", *notes)
    return Unsplit(
        images.task_of(folder), str(folder.path), parts["train"], parts.get("validation"), parts.get("test"),
        notes=notes, content_hash=folder.sha256, fit=partial(_fit, files), skipped=folder.broken,
    )  # fmt: skip


def read_part(path: Path, name: str, like: Unsplit) -> tuple[Part, str]:
    """Return the images of --validation FOLDER or --test FOLDER, and the hash of all that the data is made of.

    Raises:
        InputError: as `images.opened`; or a class that the training folder does not have.
    """
    files: _Files = like.fit.args[0]  # type: ignore[union-attr]
    first = files.folders[0]
    height, width, *colours = first.shape
    options = {**first.options, "resize": f"{height}x{width}", "channels": 3 if colours else 1}
    folder = images.opened(path.expanduser(), options)
    if folder.path.resolve() == first.path.resolve():
        raise InputError(f"--{name} {path}: is the training folder itself; a {name} part needs other images")
    labels = known_labels(folder.path, folder.labels, folder.classes, first.classes)
    start = files.add(folder)
    part = _part(replace(folder, labels=labels), np.arange(len(labels)), start)
    return part, hashlib.sha256(f"{like.content_hash} {name} {folder.sha256}".encode()).hexdigest()


def _part(folder: Folder, positions: np.ndarray, start: int = 0) -> Part:
    rows = positions.astype(np.int64) + start
    return Part(rows, folder.labels[positions], rows)


def _fit(files: _Files, unsplit: Unsplit) -> Unsplit:
    """Put the pixels in the place of the row numbers, and report files that lie in two parts."""
    size = sum(len(part) for part in unsplit.parts().values()) * int(np.prod(files.folders[0].shape))
    parts = {}
    for name, part in unsplit.parts().items():
        pixels, positions = files.pixels(part.rows)
        x: Any = Stored(pixels, positions)
        if size <= largest():
            x = np.take(pixels, positions, axis=0, out=aligned(x.shape, x.dtype))
        parts[name] = replace(part, x=x)
    notes = (*unsplit.notes, *_repeated(files, unsplit))
    return replace(unsplit.having(parts), fit=None, files=files.names, notes=notes)


def _repeated(files: _Files, unsplit: Unsplit) -> list[str]:
    """Return a line for each held-out part that shares files with the training part, byte for byte."""
    digests = np.concatenate([folder.digests for folder in files.folders])
    train = {digests[row]: row for row in unsplit.train.rows.tolist()}
    names, notes = files.names, []
    for name, part in unsplit.parts().items():
        twice = [row for row in part.rows.tolist() if digests[row] in train]
        if name != "train" and twice:
            same = names[train[digests[twice[0]]]]
            notes.append(
                f"WARNING: {len(twice):,} of {len(part):,} images of the {name} part lie in the training part, too, "
                f"byte for byte (as {shown(names[twice[0]])} = {shown(same)})"
            )
    return notes
