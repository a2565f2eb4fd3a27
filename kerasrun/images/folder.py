"""From a path and its options to a Folder: every file checked, all images of one size, decoded once and kept.

What was decoded lies in the data folder (KERASRUN_HOME, else ~/.kerasrun) under images/: one file of bytes, and one of
JSON that says what they are. It is read where the folder's files have the names, sizes and times that it was made of;
whoever deletes it loses the seconds of decoding.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from kerasrun import atomic, environment, task
from kerasrun.class_folders import File, Listing, listed
from kerasrun.dataset_table import DatasetEntry
from kerasrun.errors import InputError, shown
from kerasrun.images import decode
from kerasrun.images.decode import Broken, Decoded, Header
from kerasrun.own_data import IMAGE_ENDINGS
from kerasrun.task import Task

Options = Mapping[str, Any]  # of own_data.IMAGE_OPTIONS
_T = TypeVar("_T")
_FORM = 1  # of what is kept; another number makes older ones be made anew
_SHOWN = 4
_AT_A_TIME = 256  # files that are read before their pixels are written
_BY_FORMAT = {"PNG": (".png",), "JPEG": (".jpg", ".jpeg"), "GIF": (".gif",), "BMP": (".bmp",), "WEBP": (".webp",)}


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
        has_parts: whether the folder is divided into parts.
        shape: of one image: (height, width) or (height, width, 3).
        broken: name and reason of each file that gave no image.
        notes: lines for the user.
        sha256: of pixels, labels and parts.
        bytes: the file that holds the pixels.
    """

    path: Path
    options: Options
    classes: tuple[str, ...]
    names: tuple[str, ...]
    part: np.ndarray
    labels: np.ndarray
    digests: np.ndarray
    has_parts: bool
    shape: tuple[int, ...]
    broken: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    sha256: str
    bytes: Path

    @property
    def pixels(self) -> np.ndarray:
        """The images, uint8 (n, …), as they lie on the disk."""
        return np.memmap(self.bytes, np.uint8, "r", shape=(len(self.names), *self.shape))


_described: dict[tuple, DatasetEntry] = {}


def describe(path: Path, options: Options) -> tuple[DatasetEntry, Options]:
    """Return what a folder asks of a network, and the options.

    Raises:
        InputError: as `opened`.
    """
    key = (str(path), _changed(path), *sorted(options.items()))
    if key not in _described:
        folder = opened(path, options)
        count = Counter(folder.part.tolist())
        test = count["test"] if folder.has_parts else 0
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
    place = environment.home() / "images" / _place(path, options)
    made_of = _made_of(listing)
    facts = _kept(place, made_of) or _make(path, options, listing, place, made_of)
    return _folder(path, options, listing, place, facts)


def decoded(paths: Sequence[Path], size: tuple[int, int], shape: Sequence[int]) -> list[Decoded | Broken]:
    """Return some images, or why a file gives none.

    Args:
        paths: of the files.
        size: height and width to bring them to.
        shape: of one image, as in `Folder`.
    """
    decode.require()
    channels = 1 if len(shape) == 2 else 3
    with _quiet(), ThreadPoolExecutor(environment.cores()) as pool:
        return [*pool.map(lambda p: _attempt(p, lambda c: decode.decoded(c, size, channels)), paths)]


@dataclass(frozen=True)
class Seen:
    """What is known of one file that is an image.

    Args:
        header: what its first bytes say.
        digest: of its bytes; equal files have equal ones.
    """

    header: Header
    digest: str


def look(path: Path) -> tuple[Listing, dict[File, Seen | Broken]]:
    """Return the files of a folder and what is known of each, or what is wrong with it; nothing is kept.

    Raises:
        InputError: it is no folder of class folders.
    """
    listing = listed(path)
    decode.require()

    def seen(content: bytes) -> Seen:
        decode.decoded(content, (1, 1), 3)
        return Seen(decode.header(content), _digest(content))

    with _quiet(), ThreadPoolExecutor(environment.cores()) as pool:
        return listing, dict(_tried(pool, path, listing.files, seen))


def task_of(folder: Folder) -> Task:
    """Return the task of telling the classes of a folder apart."""
    name = folder.path.resolve().name
    if len(folder.classes) == 2:
        return task.binary(name, folder.shape, class_names=folder.classes)
    return task.multiclass(name, folder.shape, len(folder.classes), class_names=folder.classes)


def _folder(path: Path, options: Options, listing: Listing, place: Path, facts: dict[str, Any]) -> Folder:
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
    return Folder(
        path, options, listing.classes, tuple(file.name for file in files), np.array([f.part for f in files]), labels,
        np.array(facts["digests"]), listing.has_parts, tuple(facts["shape"]), broken, tuple(notes), facts["sha256"],
        place.with_suffix(".bytes"),
    )  # fmt: skip


def _make(path: Path, options: Options, listing: Listing, place: Path, made_of: str) -> dict[str, Any]:
    """Decode all files into `place`, and return what there is to know of them."""
    with _quiet(), ThreadPoolExecutor(environment.cores()) as pool:
        headers = dict(_tried(pool, path, listing.files, lambda content: decode.header(content)))
        found = [header for header in headers.values() if isinstance(header, Header)]
        size, notes = _size(path, options, found)
        channels = options["channels"] or (1 if found and all(header.grey for header in found) else 3)
        notes += _notes(headers, channels)
        broken = {file: error for file, error in headers.items() if isinstance(error, Broken)}
        digests: list[str] = []
        content_hash = hashlib.sha256()

        def fill(temporary: Path) -> None:
            with open(temporary, "wb", opener=atomic.no_link) as out:
                whole = [file for file in listing.files if file not in broken]
                tried = _tried(pool, path, whole, lambda c: (_digest(c), decode.decoded(c, size, channels).pixels))
                for file, one in tried:
                    if isinstance(one, Broken):
                        broken[file] = one
                        continue
                    digests.append(one[0])
                    content_hash.update(f"{file.part} {file.label} ".encode())
                    content_hash.update(one[1].tobytes())
                    out.write(one[1].tobytes())

        place.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_with(place.with_suffix(".bytes"), fill)
    shape = [*size] if channels == 1 else [*size, 3]
    content_hash.update(f"{shape} {listing.classes}".encode())
    named = [(file.name, str(broken[file])) for file in listing.files if file in broken]
    facts = {
        "made_of": made_of, "folder": str(path.resolve()), "shape": shape, "digests": digests, "notes": notes,
        "broken": named, "sha256": content_hash.hexdigest(),
    }  # fmt: skip
    atomic.write(place.with_suffix(".json"), json.dumps(facts))
    return facts


def _tried(
    pool: ThreadPoolExecutor, path: Path, files: Sequence[File], read: Callable[[bytes], _T]
) -> Iterator[tuple[File, _T | Broken]]:
    """Yield each file with what its content is read as, or what is wrong with it."""
    for start in range(0, len(files), _AT_A_TIME):
        some = files[start : start + _AT_A_TIME]
        yield from zip(some, pool.map(lambda file: _attempt(path / file.name, read), some), strict=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Pillow's warnings about damaged EXIF and large images; in all threads, so around all of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _attempt(path: Path, read: Callable[[bytes], _T]) -> _T | Broken:
    try:
        return read(path.read_bytes())
    except OSError as error:
        return Broken((error.strerror or str(error)).lower())
    except Broken as error:
        return error


def _size(path: Path, options: Options, found: Sequence[Header]) -> tuple[tuple[int, int], list[str]]:
    """Return height and width that all images are brought to, and a line where that changes some."""
    counts = Counter(header.size for header in found)
    if options["resize"]:
        height, width = map(int, options["resize"].split("x"))
        other = sum(count for size, count in counts.items() if size != (height, width))
        line = f"brought to {height}×{width}, sides stretched: {other:,} of {len(found):,} images"
        return (height, width), [line] * bool(other)
    if not counts:
        return (1, 1), []  # nothing is an image; the files are named as broken ones
    if len(counts) > 1:
        (most, times), *_ = counts.most_common(1)
        least, greatest = (f(counts, key=lambda size: size[0] * size[1]) for f in (min, max))
        raise InputError(
            f"{path}: images of {len(counts):,} sizes, {_by(least)} to {_by(greatest)} (most often {_by(most)}, "
            f"{times:,} of {len(found):,}); a network takes one\nbring them to one height and width: --resize 96x96"
        )
    return next(iter(counts)), []


def _notes(headers: Mapping[File, Header | Broken], channels: int) -> list[str]:
    """Return lines about images that are not what others are, or not what their names say."""
    found = {file: header for file, header in headers.items() if isinstance(header, Header)}
    grey = sum(header.grey for header in found.values())
    notes = []
    if channels == 3 and grey:
        notes.append(f"{grey:,} of {len(found):,} images are grey; they are taken as colour")
    elif channels == 1 and grey < len(found):
        notes.append(f"{len(found) - grey:,} of {len(found):,} images have colour; they are taken as grey")
    return notes + formats(found)


def formats(headers: Mapping[File, Header]) -> list[str]:
    """Return a line about files whose names say another format than they are of."""
    other = [f"{f.name} ({h.format})" for f, h in headers.items() if not f.name.lower().endswith(_BY_FORMAT[h.format])]
    return [f"of another format than their names say: {len(other):,}, as {shown(other[0])}"] if other else []


def _kept(place: Path, made_of: str) -> dict[str, Any] | None:
    """Return what is known of decoded images, where they were made of the same files."""
    try:
        facts = json.loads(place.with_suffix(".json").read_text())
        size = place.with_suffix(".bytes").stat().st_size
        whole = size == len(facts["digests"]) * int(np.prod(facts["shape"]))
        return facts if facts["made_of"] == made_of and whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _made_of(listing: Listing) -> str:
    """Return a hash of names, classes, sizes and times of a folder's files, and of what decodes them."""
    lines = [f"{_FORM} {decode.version()} {listing.classes}"]
    lines += [f"{file.part} {file.label} {file.bytes} {file.changed} {file.name}" for file in listing.files]
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


def _place(path: Path, options: Options) -> str:
    """Return the name of what is kept of a folder, read in one way."""
    read = f"{path.resolve()} {options['resize']} {options['channels']}"
    return hashlib.sha256(read.encode(errors="surrogateescape")).hexdigest()[:16]


def _changed(path: Path) -> tuple[int, ...]:
    """Return the times at which files were last added to a folder, or to folders in it, or taken away."""
    try:
        inner = [entry.path for entry in os.scandir(path) if entry.is_dir()]
        inner += [entry.path for folder in inner for entry in os.scandir(folder) if entry.is_dir()]
        return tuple(os.stat(each).st_mtime_ns for each in (str(path), *inner))
    except OSError:
        return ()  # which `listed` will put into words


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=12).hexdigest()


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"
