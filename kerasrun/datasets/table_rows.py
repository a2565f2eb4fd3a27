"""The rows of a table, to be predicted: read block by block, cells turned into what the network was trained on.

Columns are found by their names, in any order. What the network cannot know is named by column, row and value: a cell
that is empty or no number is refused, a category that training did not have counts as none and is noted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from os.path import expanduser
from pathlib import Path

import numpy as np

from kerasrun.datasets.rows import Chunk, Rows
from kerasrun.datasets.tables import encoded
from kerasrun.errors import InputError, closest, shown
from kerasrun.inputs import InputColumn, TableInputs
from kerasrun.tables import Column, asked, kinds, reader, targets
from kerasrun.tables.growing import RawColumn
from kerasrun.trained import Trained

_SHOWN = 6


def opened(given: str, trained: Trained, *, labelled: bool, keep: Sequence[str]) -> Rows:
    """Open a table; its rows are told apart by their number, from 1, and by columns that are named like ids.

    Args:
        given: the file's path.
        trained: the model.
        labelled: the target is needed, too.
        keep: further columns that go into the ids.

    Raises:
        InputError: the file is no table, or lacks a column.
    """
    assert isinstance(trained.inputs, TableInputs)
    path, options = Path(expanduser(given.strip())), trained.settings
    columns = [_known(column) for column in trained.inputs.columns]
    names = reader.names(path, asked.wanted(options, ()))
    target = options["target"] if labelled else None
    needed = [*(column.name for column in columns), *([target] if target else [])]
    refuse_absent(path, names, needed, keep, trained)
    apart = {*needed, *(options[name] for name in asked.APART)}
    kept = [n for n in names if n in keep or (kinds.NAMED_ID.fullmatch(n) and n not in apart)]
    as_trained = wanted(options, names, columns, target, kept)
    ignored = [name for name in names if name not in apart and name not in kept]
    notes = [f"columns that the model does not take: {asked.listed(ignored, _SHOWN)}"] if ignored else []
    rows = Rows(("row", *kept), iter(()), notes)
    rows.chunks = _chunks(path, as_trained, columns, trained, target, kept, notes)
    return rows


def _known(column: InputColumn) -> Column:
    """Return a column as the reader has it, with the categories of the training part; an empty cell is none of them."""
    return Column(column.name, column.kind, tuple(v for v in column.values if v), column.date, column.origin)


def refuse_absent(
    path: Path, names: Sequence[str], needed: Sequence[str], keep: Sequence[str], trained: Trained
) -> None:
    """Refuse a table without the columns that the model needs, or those that are to be kept.

    Raises:
        InputError: names them.
    """
    for name in keep:
        if name not in names:
            near = closest(name, names)
            raise InputError(
                f"--keep: {path.name} has no column '{shown(name)}'{f'; did you mean {near!r}?' if near else ''}\n"
                f"columns: {asked.listed(names, 30)}"
            )
    absent = [name for name in needed if name not in names]
    if absent:
        several = "columns" if len(absent) > 1 else "column"
        raise InputError(
            f"{path}: lacks the {several} {asked.listed(absent, _SHOWN)}, which run {trained.run} was trained with\n"
            f"columns of the file: {asked.listed(names, 30)}"
        )


def wanted(
    options: Mapping, names: Sequence[str], columns: Sequence[Column], target: str | None, kept: Sequence[str]
) -> reader.Wanted:
    """Return how the file is to be read: each column as it was in training."""
    as_text = {*kept, *(c.name for c in columns)}.difference(c.name for c in columns if c.kind == "number")
    as_text |= {pair.rpartition("=")[0] for pair in options["kinds"] if not pair.endswith("=number")} & {target}
    read = {*(column.name for column in columns), *kept, target}
    return reader.Wanted(
        options["header"], options["separator"], options["encoding"], tuple(options["na"]),
        texts=frozenset(as_text), exact=frozenset(as_text.union(kept, [target] if target else [])),
        skipped=frozenset(n for n in names if n not in read),
    )  # fmt: skip


def _chunks(
    path: Path, as_trained: reader.Wanted, columns: Sequence[Column], trained: Trained, target: str | None,
    kept: Sequence[str], notes: list[str],
) -> Iterator[Chunk]:  # fmt: skip
    assert isinstance(trained.inputs, TableInputs)
    unseen: dict[str, _Unseen] = {}
    judge = like(trained)
    for block in reader.stream(path, as_trained):
        before, count = block[columns[0].name].before, len(block[columns[0].name].cells)
        cells = np.empty((count, len(columns)), np.float32)
        for i, column in enumerate(columns):
            cells[:, i] = kinds.values(path, block[column.name], column)
            _note_unseen(block[column.name], column, cells[:, i], trained.inputs, unseen)
        _refuse_empty(path, cells, columns, trained.inputs, before)
        y = None if target is None else labels(path, block[target], judge)
        ids = ([*range(before + 1, before + count + 1)], *(texts(block[name]) for name in kept))
        yield Chunk(encoded(columns, trained.inputs, cells), ids, y)
    notes += [found.line(column) for column, found in unseen.items()]


def _refuse_empty(path: Path, cells: np.ndarray, columns: Sequence[Column], inputs: TableInputs, before: int) -> None:
    """Refuse a cell without a number in a column for which the training found nothing to put in its place."""
    facts = {column.name: column for column in inputs.numbers}
    for i, column in enumerate(columns):
        if column.kind == "category":
            continue
        refused = np.isinf(cells[:, i]) if facts[column.name].fill is not None else ~np.isfinite(cells[:, i])
        if refused.any():
            row = int(np.argmax(refused))
            what = "holds an infinite number" if np.isinf(cells[row, i]) else "is empty"
            raise InputError(
                f"{path}: row {before + row + 1} of column '{column.name}' {what}, which the network cannot take\n"
                "fill it in, or train with --missing median, mean or indicator"
            )


class _Unseen:
    """The cells of one column whose category training did not have."""

    def __init__(self, row: int, text: str) -> None:
        self.row, self.text, self.count = row, text, 0

    def line(self, column: str) -> str:
        cells = f"{self.count:,} cells" if self.count > 1 else "a cell"
        held = f"'{shown(self.text)}'" if self.text else "nothing"
        return (
            f"column '{column}': {cells} of a category that training did not have "
            f"(first: row {self.row} holds {held}); the network takes it for none of those it knows"
        )


def _note_unseen(
    raw: RawColumn, column: Column, cells: np.ndarray, inputs: TableInputs, unseen: dict[str, _Unseen]
) -> None:
    if column.kind != "category":
        return
    has_empty = any("" in found.values for found in inputs.categories if found.name == column.name)
    strange = cells == kinds.UNKNOWN
    if not has_empty:
        strange |= np.isnan(cells)
    if not strange.any():
        return
    row = int(np.argmax(strange))
    text = "" if raw.empty[row] else raw.texts[raw.cells[row]]
    unseen.setdefault(column.name, _Unseen(raw.before + row + 1, text)).count += int(strange.sum())


def like(trained: Trained) -> targets.Target:
    """Return the target that a model was trained on, without its examples."""
    return targets.Target(trained.kind, trained.classes, np.zeros(0), np.zeros(0), "")


def labels(path: Path, raw: RawColumn, like: targets.Target) -> np.ndarray:
    """Return a block of the target, int32 (n,) class numbers or float32 (n, 1).

    Raises:
        InputError: a cell is empty, or nothing that the model was trained on.
    """
    found = targets.known(path, raw, like)
    if found.absent.any():
        row = raw.before + int(np.argmax(found.absent)) + 1
        raise InputError(f"{path}: row {row} of the target '{raw.name}' is empty; nothing can be compared with it")
    return found.y


def texts(raw: RawColumn) -> list[str]:
    """Return a column's cells as they are written, (n,); "" where empty. A Parquet file has numbers and times, too."""
    if raw.form == "texts":
        return np.array([*raw.texts, ""], dtype=object)[raw.cells].tolist()
    if raw.form == "numbers":
        return ["" if v != v else str(int(v)) if v % 1 == 0 else repr(v) for v in raw.cells.tolist()]
    seconds = np.where(raw.empty, 0, np.round(raw.cells * 86400)).astype("datetime64[s]")
    texts = np.datetime_as_string(seconds).tolist()
    return ["" if empty else text.removesuffix("T00:00:00") for text, empty in zip(texts, raw.empty, strict=True)]
