"""The kinds of data of one's own (tables, images …): how a path is recognized, and the options of how it is read.

An option is a setting of the experiment that only such data has: `--target price`, `target=price`, TOML, one column of
`compare`. What opens the data (`module`) has `describe(path, options) -> (DatasetEntry, options)`, canonical options
with what was inferred; kerasrun/datasets/<name>.py reads it. Nothing is opened here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import walk
from os.path import expanduser, isdir, splitext
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kerasrun import dataset_table, environment, settings
from kerasrun.errors import InputError, shown
from kerasrun.literals import parse_value

TABLE_ENDINGS = (".csv", ".tsv", ".tab", ".data", ".txt", ".parquet", ".pq")
IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp")
PARTS = {  # words for a part of the data
    "train": "train", "training": "train", "validation": "validation", "valid": "validation", "val": "validation",
    "dev": "validation", "test": "test", "testing": "test",
}  # fmt: skip


@dataclass(frozen=True)
class Option:
    """One option of how data is read.

    Args:
        default: its value where none is given; None for "not given".
        read: reads a written value.
        help: its line in --help.
        flag: whether the command line has it as --name/--no-name.
    """

    default: Any
    read: settings.Reader
    help: str
    flag: bool = False


@dataclass(frozen=True)
class Source:
    """How a dataset's name or path is understood, before anything is opened.

    Args:
        name: the module of kerasrun.datasets that reads it.
        recipe: the recipe that it is trained with by default.
        settings: its own defaults of settings and of the default recipe's knobs.
        options: the options that it has.
        module: what describes it, for data of one's own.
    """

    name: str
    recipe: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Option] = field(default_factory=dict)
    module: str = ""


def column(name: str, value: Any) -> str:
    """Read the name of one column; a column of a file without a header is named by its number."""
    return settings.text(name, str(value) if isinstance(value, int) and not isinstance(value, bool) else value)


def separator(name: str, value: Any) -> str:
    """Read what separates cells, as a word or as the character itself; return the character."""
    words = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
    character = words.get(str(value).strip().lower(), str(value))
    if len(character) != 1 or not character.isascii() or character in '\n\r"':
        raise InputError(f"{name}={shown(value)} must be comma, semicolon, tab, pipe or one ASCII character")
    return character


def columns(name: str, value: Any) -> tuple[str, ...]:
    """Read names or numbers of columns: separated by commas, or a list where a name holds a comma."""
    read = parse_value(value) if isinstance(value, str) and value.strip()[:1] in ("[", "(") else value
    read = [read] if isinstance(read, int) else read
    parts = read if isinstance(read, list | tuple) else settings.texts(name, read)
    return tuple(column(name, part) for part in parts)


def kinds(name: str, value: Any) -> tuple[str, ...]:
    """Read column=kind pairs, separated by commas."""
    pairs = [f"{k}={v}" for k, v in value.items()] if isinstance(value, Mapping) else columns(name, value)
    for pair in pairs:
        if pair.rpartition("=")[2] not in KINDS or "=" not in pair:
            raise InputError(f"{name}: '{shown(pair)}' is no column=kind, as zip=category\nkinds: {', '.join(KINDS)}")
    return tuple(sorted(pairs))


def size(name: str, value: Any) -> str:
    """Read height and width in pixels, as 96x128; one number is both."""
    match = re.fullmatch(r"(\d{1,5})(?:\s*[x×]\s*(\d{1,5}))?", str(value).strip().lower())
    height, width = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not height or not width:
        raise InputError(f"{name}={shown(value)} must be height and width in pixels, as 96x128")
    return f"{height}x{width}"


def channels(name: str, value: Any) -> int:
    """Read the number of channels: 1, grey, or 3, colour."""
    if str(value).strip() not in ("1", "3"):
        raise InputError(f"{name}={shown(value)} must be 1 (grey) or 3 (colour)")
    return int(value)


KINDS = ("number", "category", "date")
_COLUMN = settings.optional(column)
TABLE_OPTIONS = {
    "target": Option(None, _COLUMN, "tables: the column to predict"),
    "task": Option(
        None,
        settings.automatic(settings.choice("binary", "multiclass", "regression")),
        "tables: binary, multiclass or regression; follows from the target without",
    ),
    "missing": Option(
        "error",
        settings.choice("error", "median", "mean", "indicator", "drop"),
        "tables: what an empty cell becomes: median or mean of its column, indicator (median and a column that "
        "says so), or drop its row; error without",
    ),
    "na": Option((), columns, "tables: words for an empty cell besides NA and the like, as '?' or Insulin=0"),
    "drop": Option((), columns, "tables: columns to leave out"),
    "kinds": Option((), kinds, "tables: columns that are taken otherwise, as zip=category,day=number"),
    "group": Option(None, _COLUMN, "tables: column whose equal values stay in one part"),
    "split": Option(None, _COLUMN, "tables: column that says train, validation or test"),
    "time": Option(None, _COLUMN, "tables: column by which the latest rows are held out"),
    "sample_weight": Option(None, _COLUMN, "tables: column of each row's weight in training"),
    "header": Option(None, settings.optional(settings.boolean), "tables: whether the first line names the columns",
                     flag=True),
    "separator": Option(None, settings.optional(separator), "tables: comma, semicolon, tab, pipe or another character"),
    "encoding": Option(None, settings.optional(settings.text), "tables: of the text, as latin-1 or cp949"),
}  # fmt: skip

IMAGE_OPTIONS = {
    "resize": Option(None, settings.optional(size), "images: height and width in pixels, as 96x128; all have one size"),
    "channels": Option(None, settings.automatic(channels), "images: 1 (grey) or 3 (colour); grey where all are"),
    "skip_broken": Option(False, settings.boolean, "images: go on without files that cannot be read", flag=True),
}  # fmt: skip

_READ = {  # of texts that are to be read word by word
    "tokens": Option("words", settings.choice("words", "characters"), "texts: words or characters"),
    "ngrams": Option(1, settings.whole_number(1, 5), "texts: up to so many neighbours count as a word as well"),
    "vocabulary": Option(10_000, settings.whole_number(1), "texts: how many words are known, the most frequent ones"),
    "length": Option(None, settings.automatic(settings.whole_number(1)),
                     "texts: words of each; auto covers 95 % of the training texts"),
}  # fmt: skip
_OR_DROP = Option("error", settings.choice("error", "drop"), "")
TEXT_OPTIONS = {
    **TABLE_OPTIONS, "missing": _OR_DROP, **_READ,
    "text": Option(None, _COLUMN, "texts: the column of a table to read word by word"),
}  # fmt: skip
TEXT_FOLDER_OPTIONS = {
    "drop": TABLE_OPTIONS["drop"], "missing": _OR_DROP, "encoding": TABLE_OPTIONS["encoding"], **_READ,
}  # fmt: skip

TEXTS = Source("texts", "embedding", options=TEXT_OPTIONS, module="kerasrun.texts")
TEXT_FOLDERS = Source("texts", "embedding", options=TEXT_FOLDER_OPTIONS, module="kerasrun.texts")
TABLES = Source("tables", "dense", options=TABLE_OPTIONS, module="kerasrun.tables")
IMAGES = Source("images", "cnn", options=IMAGE_OPTIONS, module="kerasrun.images")
SOURCES = (TEXTS, TEXT_FOLDERS, TABLES, IMAGES)  # the last one's help is shown


def options() -> dict[str, Option]:
    """Return the options of all kinds of data by name."""
    return {name: option for source in SOURCES for name, option in source.options.items()}


def source_named(entry: dataset_table.DatasetEntry) -> Source:
    """Return how a named dataset is understood; some are tables of which the user has a copy."""
    own = {"tables": TABLES, "texts": TEXTS}.get(entry.source)
    if own is None:
        return Source(entry.source, entry.recipe, entry.settings)
    return replace(own, settings=entry.settings)


def copy_of(name: str) -> Path | None:
    """Return the registered copy of a table, which `kerasrun datasets add` has made; None where there is none."""
    if name not in dataset_table.entries():
        return None
    places = (environment.home() / "datasets" / f"{name}{ending}" for ending in (".csv", ".parquet"))
    return next((place for place in places if place.is_file()), None)


def path_of(name: str) -> Path:
    """Return the path that a dataset's name is, or that of its registered copy."""
    return copy_of(name) or Path(name)


def source_of(text: str, given: Mapping[str, Any] = MappingProxyType({})) -> Source | None:
    """Return the kind of data that a path names, or None where it is no path of data of one's own.

    A folder is one of images, or of texts. A dataset's name goes before a folder of that name; with a slash it is the
    folder.

    Args:
        text: the path.
        given: settings and options by name; a column of texts makes texts of a table.
    """
    path = text.strip().lower().removesuffix(".gz")
    if path.startswith("synthetic:"):
        return None
    if path.endswith(TABLE_ENDINGS):
        return TABLES if settings.is_word(given.get("text"), "none") else TEXTS
    if is_folder(text):
        return TEXT_FOLDERS if _holds_texts(expanduser(text.strip())) else IMAGES
    return IMAGES if path.endswith(IMAGE_ENDINGS) else None


def _holds_texts(folder: str) -> bool:
    """Tell whether the first file in a folder's folders that is a text or an image is a text."""
    for place, folders, files in walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        endings = {splitext(name)[1].lower() for name in files} if place != folder else set()
        if endings.intersection((".txt", *IMAGE_ENDINGS)):
            return endings.isdisjoint(IMAGE_ENDINGS)
    return False


def is_folder(text: str) -> bool:
    """Tell whether a text names a folder, and no dataset."""
    text = text.strip()
    named = text.lower().replace("_", "-") in dataset_table.entries()
    return "\0" not in text and isdir(expanduser(text)) and not (named and "/" not in text)
