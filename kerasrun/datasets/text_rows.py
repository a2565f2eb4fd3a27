"""Texts to be predicted: the rows of a table, block by block, or the files of a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from os.path import expanduser
from pathlib import Path

import numpy as np

from kerasrun import class_folders
from kerasrun.class_folders import TEXTS
from kerasrun.datasets import table_rows
from kerasrun.datasets.rows import Chunk, Rows
from kerasrun.datasets.texts import PADDING, UNKNOWN, numbered
from kerasrun.errors import InputError
from kerasrun.inputs import TextInputs
from kerasrun.tables import Column, asked, kinds, reader
from kerasrun.texts import folder
from kerasrun.trained import Trained

_FILES = 1000  # that are read together


def opened(given: str, trained: Trained, *, labelled: bool, keep: Sequence[str]) -> Rows:
    """Open a table or a folder; its texts are told apart by row and ids, or by the file's path below the folder.

    Args:
        given: the path.
        trained: the model.
        labelled: the target is needed, too: a column, or the class folder that a file lies in.
        keep: further columns of a table that go into the ids.

    Raises:
        InputError: there is no such column, or no file.
    """
    assert isinstance(trained.inputs, TextInputs)
    path, seen = Path(expanduser(given.strip())), _Seen(trained.inputs)
    if path.is_dir():
        return _folder(path, trained, seen, labelled=labelled)
    options = options_of(trained.settings)
    names = reader.names(path, asked.wanted(options, ()))
    target = options["target"] if labelled else None
    table_rows.refuse_absent(path, names, [options["text"], *([target] if target else [])], keep, trained)
    apart = {options[name] for name in (*asked.APART, "text")}
    kept = [n for n in names if n in keep or (kinds.NAMED_ID.fullmatch(n) and n not in apart)]
    rows = Rows(("row", *kept), iter(()))
    wanted = table_rows.wanted(options, names, [Column(options["text"], "text")], target, kept)
    rows.chunks = _chunks(path, wanted, options["text"], trained, target, kept, seen, rows.notes)
    return rows


def options_of(settings: Mapping) -> dict:
    """Return how a table is read; of a model that was trained on files, the texts stand in a column named text."""
    defaults = {"text": folder.COLUMN, "target": "label", "header": None, "separator": None, "na": (), "kinds": ()}
    return {**dict.fromkeys(asked.APART), **defaults, **settings, "drop": ()}


def _chunks(
    path: Path, wanted: reader.Wanted, text: str, trained: Trained, target: str | None, kept: Sequence[str],
    seen: _Seen, notes: list[str],
) -> Iterator[Chunk]:  # fmt: skip
    like = table_rows.like(trained)
    for block in reader.stream(path, wanted):
        found, before = table_rows.texts(block[text]), block[text].before
        y = None if target is None else table_rows.labels(path, block[target], like)
        ids = ([*range(before + 1, before + len(found) + 1)], *(table_rows.texts(block[name]) for name in kept))
        yield Chunk(seen.numbered(found, [f"row {row}" for row in ids[0]]), ids, y)
    notes += seen.lines()


def _folder(path: Path, trained: Trained, seen: _Seen, *, labelled: bool) -> Rows:
    if labelled:
        table = folder.like(path, {"missing": "error", **trained.settings}, trained.classes)
        names, contents, y = [*table.files], [*table.columns[0].texts], table.target.y
        return Rows(("file",), iter([Chunk(seen.numbered(contents, names), (names,), y)]), seen.lines())
    names, notes = class_folders.all_below(path, TEXTS)
    if not names:
        raise InputError(f"{path}: holds no text ({', '.join(TEXTS.endings)})")
    rows = Rows(("file",), iter(()), notes)

    def chunks() -> Iterator[Chunk]:
        for start in range(0, len(names), _FILES):
            some = names[start : start + _FILES]
            contents, more = folder.read(path, some, trained.settings["encoding"])
            rows.notes += more
            yield Chunk(seen.numbered(contents, some), (some,))
        rows.notes += seen.lines()

    rows.chunks = chunks()
    return rows


class _Seen:
    """What of the texts the model is shown."""

    def __init__(self, inputs: TextInputs) -> None:
        self.inputs = inputs
        self.tokens = self.unknown = self.nothing = 0
        self.first = ""

    def numbered(self, found: Sequence[str], names: Sequence[str]) -> np.ndarray:
        """Return texts as the model takes them, and count what it does not know of them."""
        x = numbered(self.inputs, found)
        self.tokens += int((x != PADDING).sum())
        self.unknown += int((x == UNKNOWN).sum())
        nothing = ~(x > UNKNOWN).any(axis=1)
        if nothing.any():
            self.first = self.first or names[int(np.argmax(nothing))]
            self.nothing += int(nothing.sum())
        return x

    def lines(self) -> list[str]:
        """Return lines for the user."""
        what = self.inputs.tokens
        lines = [f"{self.unknown / self.tokens:.1%} of the {what} are unknown to the model"] if self.unknown else []
        if self.nothing:
            lines.append(
                f"{self.nothing:,} texts hold no {what} that it knows (first: {self.first}); what it says of them is "
                "what it says of nothing"
            )
        return lines
