"""What to know of a folder of images before training: classes, sizes, colours, broken and repeated files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from kerasrun import environment
from kerasrun.class_folders import File, Listing, listed
from kerasrun.errors import shown
from kerasrun.images import decode, kept
from kerasrun.images.decode import Broken, Header
from kerasrun.images.kept import formats

_PARTS = ("train", "validation", "test")
_SHOWN = 10
_UNEQUAL = 10  # times as many images of the largest class as of the smallest


@dataclass(frozen=True)
class _Seen:
    """What is known of one file that is an image.

    Args:
        header: what its first bytes say.
        digest: of its bytes; equal files have equal ones.
    """

    header: Header
    digest: str


@dataclass(frozen=True)
class Profile:
    """What is known of a folder.

    Args:
        says: how many images there are of how many classes.
        head: names of the columns.
        rows: one for each class: its images, in each part where there are parts.
        remarks: lines on sizes, colours, broken and repeated files.
    """

    says: str
    head: tuple[str, ...]
    rows: list[tuple[str | int, ...]]
    remarks: list[str]


def profile(path: Path) -> Profile:
    """Return what is known of a folder; every file is decoded once, and nothing is kept.

    Raises:
        InputError: it is no folder of class folders.
    """
    listing, seen = _look(path)
    whole = {file: one for file, one in seen.items() if isinstance(one, _Seen)}
    counts = Counter((file.label, file.part) for file in whole)
    parts = [part for part in _PARTS if any(file.part == part for file in listing.files)]
    rows: list[tuple[str | int, ...]] = [
        (name, *(counts[i, part] for part in parts)) for i, name in enumerate(listing.classes)
    ]
    of_class = [counts[i, "train"] for i in range(len(listing.classes))]
    remarks = [*listing.notes, *_sizes([one.header for one in whole.values()])]
    remarks += formats({file: one.header for file, one in whole.items()})
    broken = [f"{shown(file.name)} ({one})" for file, one in seen.items() if isinstance(one, Broken)]
    if broken:
        remarks.append(f"files without an image: {len(broken):,}, {_listed(broken)}; --skip-broken leaves them out")
    if max(of_class) > _UNEQUAL * min(of_class):
        remarks.append(f"classes have {min(of_class):,} to {max(of_class):,} images: class_weights=balanced")
    remarks += _repeated(whole, listing.classes)
    says = f"{path.name}: {len(whole):,} images of {len(listing.classes):,} classes"
    return Profile(says, ("class", *(parts if listing.has_parts else ("images",))), rows, remarks)


def _look(path: Path) -> tuple[Listing, dict[File, _Seen | Broken]]:
    """Return the files of a folder and what is known of each, or what is wrong with it; nothing is kept.

    Raises:
        InputError: it is no folder of class folders.
    """
    listing = listed(path)
    decode.require()

    def seen(content: bytes) -> _Seen:
        decode.decoded(content, (1, 1), 3)
        return _Seen(decode.header(content), kept.digest(content))

    with kept.quiet(), ThreadPoolExecutor(environment.cores()) as pool:
        return listing, dict(kept.tried(pool, path, listing.files, seen))


def _sizes(headers: Sequence[Header]) -> list[str]:
    sizes = Counter(header.size for header in headers)
    grey = sum(header.grey for header in headers)
    found = ", ".join(f"{height}×{width} ({count:,})" for (height, width), count in sizes.most_common(4))
    more = f" and {len(sizes) - 4:,} more; --resize is needed" if len(sizes) > 4 else ""
    more = more or ("; --resize is needed" if len(sizes) > 1 else "")
    colours = "colour" if not grey else "grey" if grey == len(headers) else f"colour, {grey:,} of them grey"
    return [f"sizes: {found}{more}", f"channels: {colours}"] if headers else []


def _repeated(whole: dict[File, _Seen], classes: Sequence[str]) -> list[str]:
    """Return lines about files of the same bytes: in two parts, in two classes, in one of both."""
    same: dict[str, list[File]] = defaultdict(list)
    for file, one in whole.items():
        same[one.digest].append(file)
    groups = [files for files in same.values() if len(files) > 1]
    lines = []
    for what, differ in (
        ("parts", lambda file: file.part),
        ("classes", lambda file: classes[file.label]),
    ):
        found = [files for files in groups if len({differ(file) for file in files}) > 1]
        if found:
            first, *_, last = found[0]
            lines.append(
                f"WARNING: in two {what}, byte for byte: {len(found):,}, as {shown(first.name)} = {shown(last.name)}"
            )
    if groups:
        lines.append(f"repeated files, byte for byte: {sum(len(files) - 1 for files in groups):,}")
    return lines


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(texts[:_SHOWN]) + (f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else "")
