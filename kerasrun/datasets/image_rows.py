"""Image files to be predicted: a folder with all that is in it, or single files; decoded chunk by chunk.

They feed every model of images in bytes, one that was trained on Fashion-MNIST as well as one's own folder's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os.path import expanduser
from pathlib import Path

import numpy as np

from kerasrun import images
from kerasrun.class_folders import all_below, known_labels
from kerasrun.datasets.rows import BYTES, Chunk, Rows
from kerasrun.errors import InputError, shown
from kerasrun.images import Broken
from kerasrun.trained import Trained

_SHOWN = 5


def opened(given: Sequence[str], trained: Trained, *, labelled: bool, keep: Sequence[str]) -> Rows:
    """Return the images of a folder, or image files; with labels those of a folder of class folders.

    Raises:
        InputError: no such file or folder, no image in it, or a model that takes something else.
    """
    height, width, *colours = trained.shape if len(trained.shape) in (2, 3) else (0, 0, 0)
    if trained.dtype != "uint8" or colours not in ([], [3]):
        raise InputError(
            f"{shown(given[0])}: images; run {trained.run} was trained on {trained.dtype} of shape {trained.shape}"
        )
    options = {"resize": f"{height}x{width}", "channels": 3 if colours else 1}
    if labelled:
        return _labelled(Path(expanduser(given[0].strip())), trained, options)
    paths, notes = _paths(given)
    rows = Rows(("file",), iter(()), notes)
    rows.chunks = _chunks(paths, trained, (height, width), notes)
    return rows


def _labelled(path: Path, trained: Trained, options: dict) -> Rows:
    folder = images.opened(path, {**options, "skip_broken": trained.settings.get("skip_broken", False)})
    labels = known_labels(folder.path, folder.labels, folder.classes, trained.classes)
    size = _chunk_size(trained)

    def chunks() -> Iterator[Chunk]:
        for start in range(0, len(labels), size):
            rows = slice(start, start + size)
            yield Chunk(np.array(folder.pixels[rows]), (folder.names[rows],), labels[rows])

    return Rows(("file",), chunks(), [*folder.notes])


def _paths(given: Sequence[str]) -> tuple[list[tuple[str, Path]], list[str]]:
    """Return name and path of each image, and lines for the user."""
    found: list[tuple[str, Path]] = []
    notes: list[str] = []
    for text in given:
        path = Path(expanduser(text.strip()))
        if not path.is_dir():
            if not path.is_file():
                raise InputError(f"{path}: no such file or folder")
            found.append((images.readable(text.strip()), path))
            continue
        names, more = all_below(path)
        if not names:
            raise InputError(f"{path}: holds no image")
        found += [(images.readable(name), path / name) for name in names]
        notes += more
    return found, notes


def _chunks(
    paths: Sequence[tuple[str, Path]], trained: Trained, size: tuple[int, int], notes: list[str]
) -> Iterator[Chunk]:
    count, broken, other = _chunk_size(trained), [], 0
    for start in range(0, len(paths), count):
        some = paths[start : start + count]
        names, pixels = [], []
        for (name, _), image in zip(some, images.decoded([p for _, p in some], size, trained.shape), strict=True):
            if isinstance(image, Broken):
                broken.append(f"{shown(name)} ({image})")
                continue
            names.append(name)
            pixels.append(image.pixels)
            other += image.size != size
        if names:
            yield Chunk(np.stack(pixels), (names,))
    if other:
        notes.append(f"brought to {size[0]}×{size[1]}, sides stretched: {other:,} of {len(paths):,} images")
    if broken:
        more = f" and {len(broken) - _SHOWN} more" if len(broken) > _SHOWN else ""
        notes.append(f"WARNING: left out, no image can be read: {', '.join(broken[:_SHOWN])}{more}")


def _chunk_size(trained: Trained) -> int:
    return max(1, BYTES // int(np.prod(trained.shape)))
