"""A folder of class folders of text files, perhaps below train/ and test/, as a table of one column."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasrun.errors import InputError
from kerasrun.tables import Column, Table, dialect
from kerasrun.tables.asked import Options, listed
from kerasrun.tables.table import PARTS
from kerasrun.tables.targets import Target, counted

COLUMN = "text"
ENDING = ".txt"


@dataclass(frozen=True)
class File:
    """One text: its path below the folder, its class, and its part; "" where it lies in none."""

    name: str
    label: str
    part: str


def files(path: Path) -> list[File]:
    """Return the text files of a folder, sorted by their paths; hidden ones are passed over."""
    found = sorted(file.relative_to(path) for file in path.rglob(f"*{ENDING}") if file.is_file())
    return [_placed(file) for file in found if not any(part.startswith(".") for part in file.parts)]


def text(path: Path, encoding: str | None) -> tuple[str, bool]:
    """Return what a text file holds, without space around it, and whether its encoding is a guess.

    Raises:
        InputError: it cannot be read, or is no text in that encoding.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    found, guessed = (encoding, False) if encoding else dialect.encoding_of(path, content)
    return dialect.decoded(path, content, found, whole=True).strip(), guessed


def read(path: Path, options: Options, *, most: int) -> Table:
    """Return the texts of a folder; the row of a text is its place among `files`, from 1.

    Args:
        path: the folder.
        options: `drop` names classes to leave out; `encoding`, `missing`.
        most: bytes of all files.

    Raises:
        InputError: no class folders, one class alone, an empty file, or one that is no text.
    """
    found, notes = _chosen(path, options)
    if (size := sum((path / file.name).stat().st_size for _, file in found)) > most:
        raise InputError(f"{path}: {size:,} bytes of texts do not fit in memory\ntake a part of the files")
    contents, digest, guessed = [], hashlib.sha256(), []
    for _, file in found:
        content, is_guess = text(path / file.name, options["encoding"])
        digest.update(f"{file.name}\0{len(content)}\0{content}".encode(errors="surrogatepass"))
        contents.append(content)
        guessed += [file.name] * is_guess
    if guessed:
        notes.append(
            f"{len(guessed):,} files are no UTF-8 and read as {dialect.WESTERN} (a guess; first: {guessed[0]}); "
            "else --encoding cp949 …"
        )
    kept = _kept(path, [file.name for _, file in found], contents, options, notes)
    found, contents = [found[i] for i in kept], [contents[i] for i in kept]
    classes = tuple(sorted({file.label for _, file in found}))
    labels = np.array([classes.index(file.label) for _, file in found], np.int32)
    kind = "binary" if len(classes) == 2 else "multiclass"
    notes.insert(1, f"classes: {kind}, {len(classes)}: {counted(classes, labels)}")
    target = Target(kind, classes, labels, np.zeros(len(labels), bool), "")
    parts = np.array([file.part for _, file in found])
    return Table(
        path, options, (Column(COLUMN, "text", tuple(contents)),),
        np.arange(len(contents), dtype=np.float32).reshape(-1, 1), target,
        np.array([row for row, _ in found], np.int64), target.task(path.resolve().name, 1), tuple(notes),
        digest.hexdigest(), parts=parts if parts.any() else None,
    )  # fmt: skip


def _placed(file: Path) -> File:
    """Return a file with the class folder, and the part's folder around it, that it lies in."""
    *folders, _ = file.parts
    part = PARTS.get(folders[0].lower(), "") if folders else ""
    inside = folders[1:] if part else folders
    return File(str(file), inside[0] if inside else "", part)


def _chosen(path: Path, options: Options) -> tuple[list[tuple[int, File]], list[str]]:
    """Return the files to read, each with its row, and lines for the user."""
    every = [*enumerate(files(path), 1)]
    found = [(row, file) for row, file in every if file.label and file.label not in options["drop"]]
    labels = sorted({file.label for _, file in found})
    if absent := [name for name in options["drop"] if name not in {file.label for _, file in every}]:
        raise InputError(f"--drop: {path.name} has no class folder '{absent[0]}'\nclass folders: {listed(labels, 30)}")
    if len(labels) < 2:
        what = f"one class folder only, '{labels[0]}'" if labels else "no class folders"
        raise InputError(
            f"{path}: {what} with {ENDING} files\n"
            "put the texts into a folder for each class: neg/ and pos/, or train/neg/, test/neg/ …"
        )
    parts = {part: {file.label for _, file in found if file.part == part} for part in {f.part for _, f in found}}
    if len(parts) > 1 and ("" in parts or "train" not in parts):
        outside = next(file.name for _, file in found if file.part == min(parts))
        raise InputError(f"{path}: some texts lie in train/ or test/, others do not (as {outside})\nmove them there")
    notes = [f"{path.name}: {len(found):,} {ENDING} files in {len(labels)} class folders" + _in_parts(found)]
    if stray := len([file for _, file in every if not file.label]):
        notes.append(f"{stray:,} {ENDING} files in no class folder are left out")
    elsewhere = set[str]().union(*(held for part, held in parts.items() if part != "train"))
    notes += [
        f"class '{label}' is in train/ alone, as texts without a label are; --drop {label} leaves it out"
        for label in labels
        if elsewhere and label not in elsewhere
    ]
    return found, notes


def _in_parts(found: list[tuple[int, File]]) -> str:
    names = [file.part for _, file in found]
    counts = [f"{part} {names.count(part):,}" for part in ("train", "validation", "test") if part in names]
    return f": {', '.join(counts)}" if counts else ""


def _kept(path: Path, names: list[str], contents: list[str], options: Options, notes: list[str]) -> list[int]:
    """Return the positions of the texts that are not empty; say what becomes of those that are."""
    empty = [name for name, content in zip(names, contents, strict=True) if not content]
    if empty and options["missing"] == "error":
        raise InputError(
            f"{path}: {len(empty):,} of {len(names):,} files are empty (first: {empty[0]}); there is nothing to read\n"
            "mend them, or --missing drop leaves them out"
        )
    if empty:
        notes.append(f"--missing drop: {len(empty):,} of {len(names):,} files are empty and left out")
    return [i for i, content in enumerate(contents) if content]
