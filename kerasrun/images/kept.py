"""What was decoded is kept: it lies in the data folder (KERASRUN_HOME, else ~/.kerasrun) under images/.

A file of JSON for each folder and way of reading it, and a file of pixels. They are used where the folder's files have
the names, sizes and times that they were made of; whoever deletes them loses the seconds of decoding.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from kerasrun import atomic, environment
from kerasrun.class_folders import File, Listing
from kerasrun.errors import DiskError, InputError, shown
from kerasrun.images import decode
from kerasrun.images.decode import Broken, Header

_T = TypeVar("_T")
_FORM = 2  # of what is kept; another number makes older ones be made anew
_AT_A_TIME = 256  # files that are read before their pixels are written
_BY_FORMAT = {"PNG": (".png",), "JPEG": (".jpg", ".jpeg"), "GIF": (".gif",), "BMP": (".bmp",), "WEBP": (".webp",)}
_whole: set[tuple] = set()  # files of pixels whose sum was right, with their sizes and times


def images(path: Path, resize: str | None, channels: int | None, listing: Listing) -> tuple[dict[str, Any], Path]:
    """Return what there is to know of a folder's images, and the file that holds their pixels.

    Args:
        path: of the folder.
        resize: height and width to bring them to, as "96x128"; None where all have one size.
        channels: 1 or 3; None for 1 where all are grey.
        listing: the folder's files.

    Returns:
        shape (of one image), digests (of the files), notes, broken (names and reasons), sha256 (of pixels, labels and
        parts); and a file of bytes, (n, *shape).

    Raises:
        InputError: they differ in size, and nobody said what to bring them to.
        DiskError: nothing can be kept.
    """
    read = hashlib.sha256(f"{path.resolve()} {resize} {channels}".encode(errors="surrogateescape")).hexdigest()[:16]
    made_of = _made_of(listing)
    about = environment.home() / "images" / f"{read}.json"
    pixels = about.with_name(f"{read}-{made_of[:16]}.bytes")
    facts = _known(about, pixels, made_of)
    if facts is None:
        facts = _make(path, resize, channels, listing, made_of, pixels)
        atomic.write(about, json.dumps(facts))
        for older in about.parent.glob(f"{read}-*.bytes"):
            if older != pixels:
                older.unlink(missing_ok=True)
    return facts, pixels


def _known(about: Path, pixels: Path, made_of: str) -> dict[str, Any] | None:
    """Return what is known of images that are kept, where they are of the same files and undamaged."""
    try:
        facts = json.loads(about.read_text())
        status = pixels.stat()
        sign = (str(pixels), status.st_size, status.st_mtime_ns, facts["written"])
        if facts["made_of"] != made_of:
            return None
        if sign not in _whole:
            with open(pixels, "rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != facts["written"]:
                    return None
            _whole.add(sign)
        return facts
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _make(
    path: Path, resize: str | None, channels: int | None, listing: Listing, made_of: str, pixels: Path
) -> dict[str, Any]:
    """Decode all files into one, and return what there is to know of them."""
    with quiet(), ThreadPoolExecutor(environment.cores()) as pool:
        headers = dict(tried(pool, path, listing.files, lambda content: decode.header(content)))
        found = [header for header in headers.values() if isinstance(header, Header)]
        size, notes = _size(path, resize, found)
        channels = channels or (1 if found and all(header.grey for header in found) else 3)
        notes += _notes(headers, channels)
        broken = {file: error for file, error in headers.items() if isinstance(error, Broken)}
        digests: list[str] = []
        content_hash, written = hashlib.sha256(), hashlib.sha256()

        def fill(temporary: Path) -> None:
            with open(temporary, "wb", opener=atomic.no_link) as out:
                whole = [file for file in listing.files if file not in broken]
                both = tried(pool, path, whole, lambda c: (digest(c), decode.decoded(c, size, channels).pixels))
                for file, one in both:
                    if isinstance(one, Broken):
                        broken[file] = one
                        continue
                    digests.append(one[0])
                    content_hash.update(f"{file.part} {file.label} ".encode())
                    for use in (content_hash.update, written.update, out.write):
                        use(one[1].tobytes())

        _folder_for(pixels)
        atomic.write_with(pixels, fill)
    shape = [*size] if channels == 1 else [*size, 3]
    content_hash.update(f"{shape} {listing.classes}".encode())
    named = [(file.name, str(broken[file])) for file in listing.files if file in broken]
    return {
        "made_of": made_of, "folder": str(path.resolve()), "shape": shape, "digests": digests, "notes": notes,
        "broken": named, "sha256": content_hash.hexdigest(), "written": written.hexdigest(),
    }  # fmt: skip


def _folder_for(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskError(
            f"{path.parent}: cannot be made ({error.strerror}); decoded images are kept there\n"
            "name another folder: KERASRUN_HOME=/where/there/is/room"
        ) from error


def tried(
    pool: ThreadPoolExecutor, path: Path, files: Sequence[File], read: Callable[[bytes], _T]
) -> Iterator[tuple[File, _T | Broken]]:
    """Yield each file with what its content is read as, or what is wrong with it."""
    for start in range(0, len(files), _AT_A_TIME):
        some = files[start : start + _AT_A_TIME]
        yield from zip(some, pool.map(lambda file: attempt(path / file.name, read), some), strict=True)


def quiet() -> warnings.catch_warnings:
    """Silence Pillow's warnings about damaged EXIF and large images; in all threads, so around all of them."""
    return warnings.catch_warnings(action="ignore")


def attempt(path: Path, read: Callable[[bytes], _T]) -> _T | Broken:
    """Return what a file's content is read as, or what is wrong with it."""
    try:
        return read(path.read_bytes())
    except OSError as error:
        return Broken((error.strerror or str(error)).lower())
    except Broken as error:
        return error


def _size(path: Path, resize: str | None, found: Sequence[Header]) -> tuple[tuple[int, int], list[str]]:
    """Return height and width that all images are brought to, and a line where that changes some."""
    counts = Counter(header.size for header in found)
    if resize:
        height, width = map(int, resize.split("x"))
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


def _made_of(listing: Listing) -> str:
    """Return a hash of names, classes, sizes and times of a folder's files, and of what decodes them."""
    lines = [f"{_FORM} {decode.version()} {listing.classes}"]
    lines += [f"{file.part} {file.label} {file.bytes} {file.changed} {file.name}" for file in listing.files]
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


def digest(content: bytes) -> str:
    """Return what tells a file's bytes from others."""
    return hashlib.blake2b(content, digest_size=12).hexdigest()


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"
