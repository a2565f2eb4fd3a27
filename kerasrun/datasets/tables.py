"""A user's own table: split by rows, groups or time, then fitted on the training part and brought into one array."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kerasrun import own_data, tables
from kerasrun.datasets.parts import Part, Unsplit, aligned
from kerasrun.errors import InputError
from kerasrun.inputs import InputColumn, TableInputs
from kerasrun.tables import LARGEST_VOCABULARY, Column, Table

if TYPE_CHECKING:
    from kerasrun.catalog import DatasetEntry

_SHOWN = 8
UNKNOWN_TEXT = "(none of the categories in training)"
_SAMPLE = 100  # training rows whose raw cells are kept, to check the saved model with


def read(entry: DatasetEntry, arguments: Mapping[str, Any]) -> Unsplit:
    """Return what a table holds; empty cells and categories are dealt with by `fit`, once the parts are known.

    Raises:
        InputError: as `tables.describe`.
    """
    table = tables.take(own_data.path_of(entry.name), arguments)
    parts = {"train": _part(table)}
    if table.parts is not None:
        parts = {str(name): parts["train"].take(np.flatnonzero(table.parts == name)) for name in np.unique(table.parts)}
    by: Literal["class", "group", "time"] = "group" if arguments["group"] else "time" if arguments["time"] else "class"
    return Unsplit(
        table.task, str(table.path), parts["train"], parts.get("validation"), parts.get("test"), notes=table.notes,
        content_hash=table.sha256, fit=partial(_fit, replace(table, x=table.x[:0])), by=by, key=table.key,
    )  # fmt: skip


def read_part(path: Path, name: str, like: Unsplit) -> tuple[Part, str]:
    """Return the rows of --validation FILE or --test FILE, and the hash of all that the data is made of.

    Raises:
        InputError: a column is missing, or a cell is not of the kind that it has in the training file.
    """
    table = tables.read_like(path, like.fit.args[0])  # type: ignore[union-attr]
    if table.sha256 == like.content_hash:
        raise InputError(f"--{name} {path}: is the training file itself; a {name} part needs other rows")
    return _part(table), hashlib.sha256(f"{like.content_hash} {name} {table.sha256}".encode()).hexdigest()


def _part(table: Table) -> Part:
    return Part(table.x, table.target.y, table.rows, table.weights)


def _fit(table: Table, unsplit: Unsplit) -> Unsplit:
    """Find medians and categories in the training part, and bring all parts into the form that is trained on."""
    inputs, notes = _inputs(table, unsplit.train.x)
    parts = {name: replace(part, x=encoded(table.columns, inputs, part.x)) for name, part in unsplit.parts().items()}
    notes += [line for name, part in parts.items() if name != "train" for line in _unknown(inputs, part.x, name)]
    return replace(
        unsplit.having(parts), task=replace(unsplit.task, input_shape=(inputs.features,)), columns=inputs.names,
        inputs=inputs, fit=None, notes=(*unsplit.notes, *notes),
    )  # fmt: skip


def _inputs(table: Table, x: np.ndarray) -> tuple[TableInputs, list[str]]:
    """Return the facts of the training part's columns, and lines for the user."""
    notes: list[str] = []
    found = []
    for i, column in enumerate(table.columns):
        if column.kind == "category":
            values, note = _values(column, x[:, i])
            found.append(InputColumn(column.name, column.kind, values=values))
            notes += note
            continue
        fill, empty = None, np.isnan(x[:, i])
        if table.options["missing"] not in ("error", "drop"):
            cells = x[~empty, i]
            center = np.mean(cells, dtype=np.float64) if table.options["missing"] == "mean" else np.median(cells)
            fill = float(np.float32(center)) if len(cells) else 0.0
        indicator = table.options["missing"] == "indicator" and bool(empty.any())
        found.append(InputColumn(column.name, column.kind, column.date, column.origin, fill, indicator))
    numbers = sum(column.kind != "category" for column in found)
    categories = [f"{column.name} ({len(column.values)})" for column in found if column.kind == "category"]
    more = f" and {len(categories) - _SHOWN} more" if len(categories) > _SHOWN else ""
    notes.append(
        f"columns: {numbers} of numbers"
        + (f", {len(categories)} of categories: {', '.join(categories[:_SHOWN])}{more}" if categories else "")
    )
    sample = {column.name: _raw(column, x[:_SAMPLE, i]) for i, column in enumerate(table.columns)}
    return TableInputs(tuple(found), sample), notes


def _values(column: Column, cells: np.ndarray) -> tuple[tuple[str, ...], list[str]]:
    """Return the categories that the network is shown, sorted, and a line where some are not."""
    counts = np.bincount(np.where(np.isnan(cells), len(column.texts), cells).astype(np.int64))
    frequent = np.argsort(-counts, kind="stable")[:LARGEST_VOCABULARY]
    names = [*column.texts, ""]
    kept = tuple(sorted(names[code] for code in frequent if counts[code]))
    rest = int(np.count_nonzero(counts)) - len(kept)
    return kept, [f"{column.name}: the {len(kept):,} most frequent categories; {rest:,} more count as none"] * (
        rest > 0
    )


def _unknown(inputs: TableInputs, x: np.ndarray, part: str) -> list[str]:
    """Return a line on the categories that the training part does not have, as far as there are any."""
    codes = x[:, len(inputs.names) - len(inputs.categories) :]
    counts = zip(inputs.categories, (codes == inputs.tokens).sum(axis=0), strict=True)
    found = [f"{column.name} {count:,}" for column, count in counts if count]
    return [f"cells of the {part} part whose category training does not have: {', '.join(found[:_SHOWN])}"] * bool(
        found
    )


def _raw(column: Column, cells: np.ndarray) -> np.ndarray:
    """Return cells as the saved model takes them."""
    if column.kind != "category":
        return cells.copy()
    return np.array(["" if code != code else column.texts[int(code)] for code in cells], dtype=object)


def encoded(columns: Sequence[Column], inputs: TableInputs, x: np.ndarray) -> np.ndarray:
    """Return rows as they are trained on, float32 (n, width).

    Args:
        columns: of x, in any order; their texts in any order, too.
        inputs: the facts of the training part.
        x: float32 (n, columns), as `kinds.values` has them.
    """
    out = aligned((len(x), *inputs.shape), np.dtype(np.float32))
    position = {column.name: i for i, column in enumerate(columns)}
    numbers = [position[column.name] for column in inputs.numbers]
    for i, column in enumerate(inputs.numbers):
        cells = x[:, numbers[i]]
        out[:, i] = cells if column.fill is None else np.where(np.isnan(cells), np.float32(column.fill), cells)
    at = len(numbers)
    for i in inputs.indicators:
        out[:, at] = np.isnan(x[:, numbers[i]])
        at += 1
    start = 0
    for column in inputs.categories:
        texts = columns[position[column.name]].texts
        token = {value: start + i for i, value in enumerate(column.values)}
        tokens = [token.get(text, inputs.tokens) for text in (*texts, "")]  # the last is an empty cell's
        codes = x[:, position[column.name]]
        known = np.array([*tokens, inputs.tokens], dtype=np.float32)  # the last is UNKNOWN's, -1
        out[:, at] = known[np.where(np.isnan(codes), len(texts), codes).astype(np.int64)]
        start, at = start + len(column.values), at + 1
    return out


def decoded(inputs: TableInputs, x: np.ndarray) -> dict[str, np.ndarray]:
    """Return rows of the array as the saved model takes them, by column: float32 (n,) numbers, or texts (n,).

    What was made up for an empty cell stays, unless an indicator says where; a category that training does not have
    is a text that no category is.
    """
    cells = {}
    flags = dict(zip(inputs.indicators, range(len(inputs.numbers), len(inputs.names)), strict=False))
    for i, column in enumerate(inputs.numbers):
        values = x[:, i]
        cells[column.name] = np.where(x[:, flags[i]] == 1, np.float32(np.nan), values) if i in flags else values
    start = 0
    for i, column in enumerate(inputs.categories, start=len(inputs.names) - len(inputs.categories)):
        values = np.array([*column.values, UNKNOWN_TEXT], dtype=object)
        codes = x[:, i].astype(np.int64) - start
        cells[column.name] = values[np.where(x[:, i] == inputs.tokens, len(column.values), codes)]
        start += len(column.values)
    return cells
