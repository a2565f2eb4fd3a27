"""From a path and its options to a table: columns chosen and named, the target taken out, empty cells dealt with.

`describe` says what the table asks of a network and keeps it in memory until `take` hands it over: a file is read once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from kerasrun.dataset_table import DatasetEntry
from kerasrun.errors import InputError
from kerasrun.own_data import PARTS
from kerasrun.tables import asked, kinds, reader, targets
from kerasrun.tables.asked import Options, argument, listed
from kerasrun.tables.empty import filled, refuse_empty
from kerasrun.tables.kinds import Column
from kerasrun.task import Task

LARGEST_VOCABULARY = 1000  # categories of one column that a network is shown; the most frequent ones


@dataclass(frozen=True)
class Table:
    """A table that a network can be trained on, but for empty cells and the categories' numbers.

    Args:
        path: of the file.
        options: how it was read, in canonical form.
        columns: the input columns.
        x: float32 (n, columns), as `kinds.values` has them; NaN where empty.
        target: what is to be predicted of the n rows; its y has their order.
        rows: int64 (n,), each row's number in the file, from 1.
        task: what the table asks of a network.
        notes: lines for the user.
        sha256: of the file's text and of which rows are used, where some are not.
        weights: float32 (n,), or None.
        key: float64 (n,): equal values stay together (options["group"]), or rows are ordered by it
            (options["time"]); None where neither was asked for.
        parts: (n,) of "train", "validation", "test", or None.
        files: what each row is called, where it is a file.
    """

    path: Path
    options: Options
    columns: tuple[Column, ...]
    x: np.ndarray
    target: targets.Target
    rows: np.ndarray
    task: Task
    notes: tuple[str, ...]
    sha256: str
    weights: np.ndarray | None = None
    key: np.ndarray | None = None
    parts: np.ndarray | None = None
    files: tuple[str, ...] = ()

    @property
    def of_text(self) -> bool:
        """Whether it is one column of texts to read."""
        return self.columns[0].kind == "text"


_described: dict[tuple, tuple[DatasetEntry, Options]] = {}
_last: dict[tuple, Table] = {}  # one table at most, which is read but not yet taken


def opened(path: Path, options: Options) -> Table:
    """Return a table as it is read for the first time.

    Raises:
        InputError: as `describe`.
    """
    names = reader.names(path, asked.wanted(options, ()))
    options = asked.spelled(path, names, options)
    raw = reader.read(path, asked.wanted(options, names))
    target = targets.target(path, raw.columns[options["target"]], options["task"])
    columns, left_out = _inputs(path, raw, options)
    width = sum(min(len(column.texts), LARGEST_VOCABULARY) or 1 for column in columns)
    task = target.task(_stem(path), width)
    notes = [raw.says, target.note]
    if options.get("text"):
        others = [n for n in names if n not in raw.columns]
        notes += [f"left out: {listed(others, 8)}; with --text, the other columns are not read"] if others else []
    elif left_out:
        notes.append(f"left out: {', '.join(left_out)}; --kinds COLUMN=category or =number keeps one")
    if found := [f"{column.name} ({column.date})" for column in columns if column.kind == "date"]:
        notes.append(f"dates, as days: {', '.join(found)}")
    return _assembled(path, raw, {**options, "task": target.kind}, columns, target, task, notes)


def describe(
    path: Path, options: Options, read: Callable[[Path, Options], Table] = opened
) -> tuple[DatasetEntry, Options]:
    """Return what a table asks of a network, and the options in canonical form, the kind of task among them.

    Args:
        path: of the file.
        options: how it is to be read.
        read: reads it.

    Raises:
        InputError: the file is no table, a column that an option names is not there, a cell has no meaning, or no row
            of the training part can be used.
    """
    key = _key(path, options)
    if key not in _described:
        table = read(path, options)
        if table.parts is not None and "train" not in table.parts:
            raise InputError(
                f"{path}: nothing is left to train on: each example of the training part is empty or has an empty cell"
                "\nfill them in, or put others into the training part"
            )
        source, scale = ("texts", "none") if table.of_text else ("tables", "standardize")
        entry = DatasetEntry(
            str(path.resolve()), source, f"the {source} of {path.name}", table.task, table.task.input_dtype,
            len(table.rows), 0, scale,
        )  # fmt: skip
        _last.clear()
        _last[_key(path, table.options)] = table
        _described[key] = _described[_key(path, table.options)] = entry, table.options
    return _described[key]


def take(path: Path, options: Options, read: Callable[[Path, Options], Table] = opened) -> Table:
    """Return a table; it is not kept any longer. The arguments are those of `describe`.

    Raises:
        InputError: as `describe`.
    """
    table = _last.pop(_key(path, options), None)
    return read(path, options) if table is None else table


def read_like(path: Path, table: Table) -> Table:
    """Return another file with the columns, categories and classes of a table.

    Raises:
        InputError: a column is missing, or a cell is not of its column's kind.
    """
    options = table.options
    names = reader.names(path, asked.wanted(options, ()))
    needed = [options["target"], *(column.name for column in table.columns)]
    if absent := [name for name in needed if name not in names]:
        raise InputError(f"{path}: has no column {listed(absent)}, which {table.path.name} has")
    raw = reader.read(path, asked.wanted(options, names, table.columns))
    target = targets.known(path, raw.columns[options["target"]], table.target)
    weights = options["sample_weight"] if options["sample_weight"] in names else None
    options = {**options, "sample_weight": weights, "group": None, "time": None, "split": None}
    columns = table.columns
    if table.of_text:
        columns = (replace(columns[0], texts=tuple(raw.columns[columns[0].name].texts)),)
    return _assembled(path, raw, options, columns, target, table.task)


def _assembled(
    path: Path, raw: reader.Raw, options: Options, columns: tuple[Column, ...], target: targets.Target, task: Task,
    notes: Iterable[str] = (),
) -> Table:  # fmt: skip
    """Put the columns side by side, without the rows that cannot be used."""
    for column in columns:
        kinds.check_form(path, raw.columns[column.name], column)
    keep, more = _usable(path, raw, options, columns, target)
    rows = np.flatnonzero(keep)
    every = len(rows) == len(keep)

    def kept(array: Any) -> Any:
        return array if every or array is None else array[rows]

    weights = key = parts = None
    if options["sample_weight"]:
        weights = _exact(path, raw, options["sample_weight"], "sample_weight", keep)
    if option := next((name for name in ("group", "time") if options[name]), None):
        key = _exact(path, raw, options[option], option, keep)
    if options["split"]:
        parts = _parts(path, raw.columns[options["split"]], keep)
    content = raw.sha256 if every else hashlib.sha256(raw.sha256.encode() + rows.tobytes()).hexdigest()
    x = np.empty((len(rows), len(columns)), np.float32)
    for i, column in enumerate(columns):
        x[:, i] = kept(kinds.values(path, raw.columns[column.name], column))
        raw.columns[column.name].cells = np.zeros(0)  # its memory is free again
    return Table(
        path, options, columns, x, replace(target, y=kept(target.y), absent=kept(target.absent)), rows + 1, task,
        (*notes, *more), content, weights, key, parts,
    )  # fmt: skip


def _usable(
    path: Path, raw: reader.Raw, options: Options, columns: tuple[Column, ...], target: targets.Target
) -> tuple[np.ndarray, list[str]]:
    """Return which rows can be used, bool (rows,), and lines about what happens to empty cells.

    Raises:
        InputError: there are empty cells and nobody said what to do.
    """
    empty = {column.name: raw.columns[column.name].empty for column in columns}
    notes = []
    blank = target.absent & np.logical_and.reduce([*empty.values()])
    if blank.any():
        notes.append(f"{int(blank.sum()):,} rows without any cell are left out")
        empty = {name: cells & ~blank for name, cells in empty.items()}
        target = replace(target, absent=target.absent & ~blank)
    counts = {name: int(cells.sum()) for name, cells in empty.items() if cells.any()}
    if options["missing"] == "error":
        refuse_empty(empty, counts, raw.rows, of_text=bool(options.get("text")))
        if target.absent.any():
            count, row = int(target.absent.sum()), int(np.argmax(target.absent)) + 1
            raise InputError(
                f"the target '{options['target']}' is empty in {count:,} of {raw.rows:,} rows (first: row {row})\n"
                "nothing can be made up for it: --missing drop, median, mean or indicator leaves these rows out"
            )
    keep = ~(target.absent | blank)
    if target.absent.any():
        notes.append(f"{int(target.absent.sum()):,} rows without a target are left out")
    if options["missing"] == "drop":
        for cells in empty.values():
            keep &= ~cells
        if counts:
            lost = int(np.logical_or.reduce([*empty.values()]).sum())
            notes.append(f"--missing drop: {lost:,} of {raw.rows:,} rows have an empty cell and are left out")
    elif counts:
        texts = [column.kind == "category" for column in columns if column.name in counts]
        notes.append(f"empty cells: {_counted(counts)}; {filled(options['missing'], texts)}")
    if (target.absent | blank).all():
        raise InputError(f"{path}: no row has a target: the column '{options['target']}' is empty")
    if not keep.any():
        most = argument(max(counts, key=counts.__getitem__))
        raise InputError(f"{path}: every row has an empty cell\nchoose --missing median, or --drop {most}")
    return keep, notes


def _inputs(path: Path, raw: reader.Raw, options: Options) -> tuple[tuple[Column, ...], list[str]]:
    """Return the input columns, and each other column with the reason why it is left out."""
    if text := options.get("text"):
        return (Column(text, "text", tuple(raw.columns[text].texts)),), []
    apart = {options[name] for name in asked.APART}
    wanted = dict(pair.rpartition("=")[::2] for pair in options["kinds"])
    found: list[Column] = []
    left_out = []
    for name, column in raw.columns.items():
        if name not in apart:
            kind = kinds.column(path, column, wanted.get(name))
            if isinstance(kind, str):
                left_out.append(f"{name} ({kind})")
            else:
                found.append(kind)
    if not found:
        raise InputError(f"{path}: no column is left to learn from\nleft out: {', '.join(left_out) or 'none'}")
    return tuple(found), left_out


def _parts(path: Path, raw: reader.RawColumn, keep: np.ndarray) -> np.ndarray:
    """Return the part that each row that is kept is said to belong to."""
    named = [PARTS.get(text.lower()) for text in raw.texts]
    empty = (raw.empty & keep).any()
    if raw.form != "texts" or empty or None in named or "train" not in named:
        held = listed(raw.texts) if raw.texts else raw.form
        raise InputError(
            f"{path}: --split {raw.name}: each row must say train, validation or test, and some train\n"
            f"the column holds {held}{' and empty cells' if empty else ''}"
        )
    return np.array(named)[raw.cells[keep]]


def _exact(path: Path, raw: reader.Raw, name: str, option: str, keep: np.ndarray) -> np.ndarray:
    """Return the kept rows of a column that is no input: numbers, days or codes of texts, float64 (n,), none empty."""
    column, given = raw.columns[name], f"--{option.replace('_', '-')} {name}"
    if (empty := column.empty & keep).any():
        raise InputError(f"{path}: {given}: the cell in row {np.argmax(empty) + 1} is empty")
    if column.form != "texts" or option == "group":
        return column.cells[keep].astype(np.float64)
    try:
        found = kinds.column(path, column, "date" if option == "time" else "number")
    except InputError as error:  # its remedies are those of an input column
        raise InputError(f"{str(error).splitlines()[0]}\nmend it, or leave {given} out") from None
    if isinstance(found, str):
        raise InputError(f"{path}: {given}: {found}")
    return kinds.values(path, column, found)[keep].astype(np.float64)


def _stem(path: Path) -> str:
    name = path.name.removesuffix(".gz")
    return name.rpartition(".")[0] or name


def _key(path: Path, options: Options) -> tuple:
    try:
        folders = path.glob("**/") if path.is_dir() else ()
        found = [place.stat() for place in (path, *folders)]  # those of folders change with names and number of files
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    return str(path.resolve()), *((s.st_mtime_ns, s.st_size) for s in found), *sorted(options.items())


def _counted(counts: Mapping[str, int]) -> str:
    return listed([f"{name} {count:,}" for name, count in sorted(counts.items(), key=lambda item: -item[1])])
