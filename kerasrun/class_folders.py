"""Which images or texts a folder holds, and what the folders around them say: their part and their class.

photos/cat/1.jpg          class cat; parts are held out at random
photos/train/cat/1.jpg    part train, class cat; beside it validation (or val, valid, dev) and test
"""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasrun.errors import InputError, shown
from kerasrun.own_data import IMAGE_ENDINGS, PARTS

_SYSTEM = {"thumbs.db", "desktop.ini", "__macosx"}  # what other programs leave in folders; besides those with a dot
_SHOWN = 4


@dataclass(frozen=True)
class Kind:
    """What is looked for: how the names of such files end, and what one of them is called."""

    endings: tuple[str, ...]
    word: str

    def fits(self, path: Path) -> bool:
        """Return whether a file is one of them, by its name."""
        return path.name.lower().endswith(self.endings)


IMAGES, TEXTS = Kind(IMAGE_ENDINGS, "image"), Kind((".txt",), "text")


@dataclass(frozen=True)
class File:
    """A file.

    Args:
        name: its path below the folder, with slashes.
        part: "train" (also where there are no parts), "validation" or "test".
        label: the number of its class.
        bytes: its size.
        changed: when, in nanoseconds.
    """

    name: str
    part: str
    label: int
    bytes: int
    changed: int


@dataclass(frozen=True)
class Listing:
    """The files of a folder, in the order of part, class and name.

    Args:
        classes: their names, sorted; letters with accents in their composed form.
        files: the images or texts.
        has_parts: whether the folder is divided into parts.
        notes: lines for the user.
    """

    classes: tuple[str, ...]
    files: tuple[File, ...]
    has_parts: bool
    notes: tuple[str, ...]


def listed(folder: Path, kind: Kind = IMAGES, without: Collection[str] = ()) -> Listing:
    """Return the files of a folder of class folders, or of part folders with class folders.

    Args:
        folder: the folder.
        kind: what is looked for.
        without: class folders that are left out.

    Raises:
        InputError: there is no such folder, or its folders do not say of each file what it is.
    """
    inside = _folders(folder)
    parts = _parts(folder, inside)
    found = {part: _classes(path) for part, path in parts.items()} if parts else {"train": _classes(folder)}
    for part, folders in found.items():
        for name in without:
            folders.pop(name, None)
        _refuse_too_few(parts.get(part, folder), folders, kind, least=2 if part == "train" else 1)
    classes = tuple(sorted(found["train"]))
    for part, folders in found.items():
        _refuse_strange(folder, part, [*folders], classes)
    ignored: Counter[str] = Counter()
    outside: list[Path] = []
    files = []
    for part, folders in found.items():
        outside += [path for path in _files(parts.get(part, folder), deep=False) if kind.fits(path)]
        for label, name in enumerate(classes):
            inside_it = sorted(_found(folder, folders[name], kind, ignored) if name in folders else ())
            if not inside_it and part == "train":
                raise InputError(
                    f"{folder}: class folder '{shown(name)}' holds no {kind.word} ({', '.join(kind.endings)})\n"
                    f"remove it, or put {kind.word}s into it"
                )
            files += [File(written, part, label, *facts) for written, *facts in inside_it]
        if not files or files[-1].part != part:
            raise InputError(f"{parts[part]}: holds no {kind.word} in its class folders; remove it, or fill it")
    outside += [path for path in _files(folder, deep=False) if parts and kind.fits(path)]
    notes = _other_files(kind, ignored)
    if outside:
        notes.append(f"left out, in no class folder: {_named([path.name for path in outside])}")
    return Listing(classes, tuple(files), bool(parts), tuple(notes))


def all_below(folder: Path, kind: Kind = IMAGES) -> tuple[list[str], list[str]]:
    """Return the names of all such files in a folder and the folders in it, sorted, and lines for the user.

    Raises:
        InputError: one of them is a link to nothing.
    """
    ignored: Counter[str] = Counter()
    return sorted(name for name, *_ in _found(folder, folder, kind, ignored)), _other_files(kind, ignored)


def known_labels(folder: Path, labels: np.ndarray, found: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Return the labels of another folder as numbers of the classes of the training, int32 (n,).

    Args:
        folder: for the error text.
        labels: int (n,), positions in `found`.
        found: the folder's classes.
        classes: those of the training.

    Raises:
        InputError: the folder has a class that is none of them.
    """
    if strange := [name for name in found if name not in classes]:
        raise InputError(
            f"{folder}: class '{shown(strange[0])}' is none of those of the training\nknown: {', '.join(classes[:20])}"
        )
    return np.array([classes.index(name) for name in found], np.int32)[labels]


def _parts(folder: Path, inside: dict[str, Path]) -> dict[str, Path]:
    """Return the folders of the parts, in their order; none where the folders are classes."""
    known = {name: PARTS[name.lower()] for name in inside if name.lower() in PARTS}
    strange = [name for name in inside if name not in known]
    if strange and "train" in known.values() and len({*known.values()}) > 1:
        raise InputError(
            f"{folder}: beside the parts {_named([*known])} there is the folder {_named(strange)}, which is none\n"
            "move it elsewhere; if all of them are classes, rename those that are called like parts"
        )
    if strange or not inside:
        return {}
    if twice := [part for part, count in Counter(known.values()).items() if count > 1]:
        same = _named([name for name, part in known.items() if part == twice[0]])
        raise InputError(f"{folder}: the folders {same} are both the {twice[0]} part; rename or join them")
    if "train" not in known.values():
        raise InputError(f"{folder}: has the folders {_named([*inside])} but none named train")
    by_part = {part: inside[name] for name, part in known.items()}
    return {part: by_part[part] for part in ("train", "validation", "test") if part in by_part}


def _classes(folder: Path) -> dict[str, Path]:
    """Return the class folders by the names of their classes."""
    found: dict[str, Path] = {}
    spelled: dict[str, str] = {}
    for name, path in _folders(folder).items():
        if not name.isprintable() or any("\udc80" <= letter <= "\udcff" for letter in name):
            raise InputError(f"{folder}: the name of the folder '{shown(name)}' is no text (UTF-8); rename it")
        written = unicodedata.normalize("NFC", name)
        other = spelled.setdefault(written.casefold(), name)
        if other != name:
            raise InputError(
                f"{folder}: the class folders '{shown(other)}' and '{shown(name)}' differ only in how they are "
                "written\njoin them, or rename one"
            )
        found[written] = path
    return found


def _refuse_too_few(folder: Path, classes: dict[str, Path], kind: Kind, *, least: int) -> None:
    if len(classes) >= least:
        return
    if not classes:
        raise InputError(
            f"{folder}: holds no folder; each class needs one of its own with its {kind.word}s in it\n"
            f"as {folder.name}/cat/1{kind.endings[0]}, {folder.name}/dog/1{kind.endings[0]}"
        )
    name, path = next(iter(classes.items()))
    hint = f"is it {folder.name}/{name}/ that you mean?" if len(_folders(path)) > 1 else "two are needed to tell apart"
    raise InputError(f"{folder}: holds one class folder only, '{shown(name)}'; {hint}")


def _refuse_strange(folder: Path, part: str, found: Sequence[str], classes: Sequence[str]) -> None:
    """Refuse a class that training does not know."""
    by_letters = {name.casefold(): name for name in classes}
    for name in found:
        if name in classes:
            continue
        near = by_letters.get(name.casefold())
        hint = f"it is '{shown(near)}' in the training part; rename one" if near else f"known: {_named(classes)}"
        raise InputError(f"{folder}: the {part} part has class '{shown(name)}', which training does not have\n{hint}")


def _found(folder: Path, below: Path, kind: Kind, ignored: Counter[str]) -> Iterator[tuple[str, int, int]]:
    """Yield name, size and time of such files in a folder and all folders in it; count others by their ending."""
    for path in _files(below, deep=True):
        if not kind.fits(path):
            ignored[path.suffix.lower() or "no ending"] += 1
            continue
        try:
            status = path.stat()
        except OSError as error:
            raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None
        yield path.relative_to(folder).as_posix(), status.st_size, status.st_mtime_ns


def _other_files(kind: Kind, ignored: Counter[str]) -> list[str]:
    return [f"left out, by their names no {kind.word}s: {_counted(ignored)}"] if ignored else []


def _folders(folder: Path) -> dict[str, Path]:
    """Return the folders in a folder, sorted, by their names."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"{folder}: {(error.strerror or str(error)).lower()}; a folder is wanted") from None
    return {entry.name: Path(entry.path) for entry in entries if not _is_hidden(entry.name) and entry.is_dir()}


def _files(folder: Path, *, deep: bool) -> Iterator[Path]:
    """Yield the files in a folder that are not hidden; deep: those in its folders, too."""
    for at, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not _is_hidden(name)) if deep else []
        yield from (Path(at, name) for name in names if not _is_hidden(name))


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _SYSTEM


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(shown(name) for name in names[:_SHOWN]) + more


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {shown(ending)}" for ending, count in counts.most_common(_SHOWN))
