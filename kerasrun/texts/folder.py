"""A folder of class folders of text files, perhaps below train/ and test/, as a table of one column."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kerasrun import class_folders, environment
from kerasrun.class_folders import TEXTS, Listing
from kerasrun.errors import InputError, shown
from kerasrun.tables import Column, Table, dialect
from kerasrun.tables.asked import Options
from kerasrun.tables.targets import Target, counted

COLUMN = "text"
SHARE = 4  # of the memory: texts take about as much as their files, tokens as much again


def opened(path: Path, options: Options) -> Table:
    """Return the texts of a folder; their rows count from 0.

    Args:
        path: the folder.
        options: `drop` names classes to leave out; `encoding`, `missing`.

    Raises:
        InputError: no class folders, an empty file, or one that is no text.
    """
    listing = _listed(path, options["drop"])
    names = [file.name for file in listing.files]
    if (size := sum(file.bytes for file in listing.files)) > environment.memory() // SHARE:
        raise InputError(f"{path}: {size:,} bytes of texts do not fit in memory\ntake a part of the files")
    contents, notes = read(path, names, options["encoding"])
    kept, more = _kept(path, names, contents, options["missing"])
    files, contents = [listing.files[i] for i in kept], [contents[i] for i in kept]
    if gone := sorted({file.part for file in listing.files} - {file.part for file in files}):
        raise InputError(f"{path}: every file of the {gone[0]} part is empty\nput texts into them, or remove the part")
    labels = np.array([file.label for file in files], np.int32)
    kind = "binary" if len(listing.classes) == 2 else "multiclass"
    target = Target(kind, listing.classes, labels, np.zeros(len(labels), bool), "")
    said = [
        f"{path.name}: {len(names):,} texts{_in_parts([file.part for file in files]) if listing.has_parts else ''}",
        f"classes: {kind}, {len(listing.classes)}: {counted(listing.classes, labels)}",
        *_of_train_alone(listing),
    ]
    digest = hashlib.sha256()
    for file, content in zip(files, contents, strict=True):
        for text in (file.part, listing.classes[file.label], file.name, content):
            digest.update(text.encode(errors="surrogatepass") + b"\0")
    return Table(
        path, options, (Column(COLUMN, "text", tuple(contents)),), np.arange(len(files), dtype=np.float32)[:, None],
        target, np.arange(len(files), dtype=np.int64), target.task(path.resolve().name, 1),
        (*said, *listing.notes, *notes, *more), digest.hexdigest(),
        parts=np.array([file.part for file in files]) if listing.has_parts else None,
        files=tuple(file.name for file in files),
    )  # fmt: skip


def like(path: Path, options: Options, classes: Sequence[str]) -> Table:
    """Return another folder, its classes numbered as they were in training.

    Raises:
        InputError: as `opened`, or a class is not known.
    """
    other = opened(path, {**options, "drop": ()})
    y = class_folders.known_labels(path, other.target.y, other.target.classes, classes)
    return replace(other, target=replace(other.target, classes=tuple(classes), y=y))


def read(path: Path, names: Sequence[str], encoding: str | None) -> tuple[list[str], list[str]]:
    """Return what text files hold, without space around it, and lines for the user.

    Args:
        path: the folder.
        names: of the files, below the folder.
        encoding: None to recognize it.

    Raises:
        InputError: a file cannot be read, or is no text in that encoding.
    """
    contents, guessed = [], []
    for name in names:
        file = path / name
        try:
            content = file.read_bytes()
        except OSError as error:
            raise InputError(f"{file}: {(error.strerror or str(error)).lower()}") from None
        found, guess = (encoding, False) if encoding else dialect.encoding_of(file, content)
        contents.append(dialect.decoded(file, content, found, whole=True).strip())
        guessed += [f"{name} ({found})"] if guess else []
    if not guessed:
        return contents, []
    some = f"{len(guessed):,} of {len(names):,} files, as {guessed[0]}"
    return contents, [f"no UTF-8, so that a guess is made: {some}; else --encoding cp949 …"]


def _listed(path: Path, without: Collection[str]) -> Listing:
    inside = [folder for folder in path.iterdir() if folder.is_dir()]
    if absent := [name for name in without if not any((at / name).is_dir() for at in (path, *inside))]:
        raise InputError(f"--drop: {path.name} has no class folder '{shown(absent[0])}'")
    return class_folders.listed(path, TEXTS, without)


def _of_train_alone(listing: Listing) -> list[str]:
    """Return a line on each class that the training part alone has, as texts without a label are often kept."""
    held = {part: {file.label for file in listing.files if file.part == part} for part in ("train", "test")}
    return [
        f"class '{name}' is in the training part alone; if these texts have no label: --drop {name}"
        for label, name in enumerate(listing.classes)
        if held["test"] and label not in held["test"]
    ]


def _in_parts(parts: list[str]) -> str:
    counts = [f"{part} {parts.count(part):,}" for part in ("train", "validation", "test") if part in parts]
    return f" ({', '.join(counts)})"


def _kept(path: Path, names: list[str], contents: list[str], missing: str) -> tuple[list[int], list[str]]:
    """Return the positions of the texts that are not empty, and a line on those that are.

    Raises:
        InputError: there are some, and nobody said what to do.
    """
    empty = [name for name, content in zip(names, contents, strict=True) if not content]
    if empty and missing == "error":
        raise InputError(
            f"{path}: {len(empty):,} of {len(names):,} files are empty (first: {empty[0]}); there is nothing to read\n"
            "mend them, or --missing drop leaves them out"
        )
    said = f"--missing drop: {len(empty):,} of {len(names):,} files are empty and left out"
    return [i for i, content in enumerate(contents) if content], [said] if empty else []
