"""Examples to predict, chunk by chunk, from whatever holds them; one reader a kind of input.

A reader is a module of this package with `opened(given, trained, *, labelled, keep) -> Rows`. To add a kind: let
`own_data.source_of` recognize it, write its reader, and name it in READERS.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module

import numpy as np

from kerasrun import catalog, own_data
from kerasrun.errors import InputError, shown
from kerasrun.trained import Trained

READERS = {  # kind of input -> its reader, and the kind of data of the models that it feeds
    "tables": ("table_rows", "tables"),
    "texts": ("text_rows", "texts"),
    "images": ("image_rows", "arrays"),
    "npz": ("npz_rows", "arrays"),
    "named": ("named_rows", "arrays"),
}
BYTES = 16 << 20  # of a chunk's inputs, about


@dataclass(frozen=True)
class Chunk:
    """Some examples, in the order of the input.

    Args:
        x: (n, …) as the model was trained on, before any scaling.
        ids: what tells the examples apart: (n,) each, in the order of `Rows.ids`.
        y: int32 (n,) class numbers or float32 (n, outputs); None where no labels were asked for.
    """

    x: np.ndarray
    ids: tuple[Sequence, ...]
    y: np.ndarray | None = None


@dataclass
class Rows:
    """An input that is open.

    Args:
        ids: names of the columns that tell examples apart; the first one is their number.
        chunks: the examples; to be read once.
        notes: lines for the user; more come while the chunks are read.
    """

    ids: tuple[str, ...]
    chunks: Iterator[Chunk]
    notes: list[str] = field(default_factory=list)


def opened(given: str | Sequence[str], trained: Trained, *, labelled: bool = False, keep: Sequence[str] = ()) -> Rows:
    """Open an input as the model takes it; what can be checked without reading it all is checked.

    Args:
        given: a file's path, a folder's, or a dataset's name; or the paths of several images.
        trained: the model.
        labelled: the right answers are needed, too.
        keep: further columns of a table that go into the ids.

    Raises:
        InputError: no such input, or one of another kind than the model takes.
    """
    every = [given] if isinstance(given, str) else [*given]
    every = [place(each) for each in every]
    given, source = every[0], own_data.source_of(every[0])
    if len(every) > 1 and any(own_data.source_of(each) is not own_data.IMAGES for each in every):
        raise InputError(f"{len(every)} inputs, of which one is no image; several at once can only be images")
    kind = source.name if source else "npz" if given.strip().endswith(".npz") else "named"
    if keep and kind != "tables":
        raise InputError(f"--keep: {shown(given)} is no table; only columns of a table can be kept")
    if trained.source == "texts" and (kind == "tables" or own_data.is_folder(given)):
        kind = "texts"
    reader, fed = READERS.get(kind, ("", kind))
    if fed != trained.source or not reader:
        wanted = {
            "arrays": f"arrays of shape {trained.shape}: an .npz file with x, a dataset's name, or images",
            "tables": f"a table ({', '.join(own_data.TABLE_ENDINGS)})",
            "texts": f"a table with a column of texts ({', '.join(own_data.TABLE_ENDINGS)}), or a folder of .txt files",
        }
        raise InputError(
            f"{shown(given)}: run {trained.run} was trained on other data; it takes {wanted[trained.source]}"
        )
    what = every if reader == "image_rows" else given
    return import_module(f"kerasrun.datasets.{reader}").opened(what, trained, labelled=labelled, keep=keep)


def place(given: str) -> str:
    """Return an input, or the path of the registered copy of a table that it names, however that is spelled."""
    return str(own_data.copy_of(given.strip().lower().replace("_", "-")) or given)


def fitting(x: np.ndarray, trained: Trained, where: str, first: int = 0) -> np.ndarray:
    """Return examples in the dtype that the model takes.

    Args:
        x: (n, …) as stored.
        trained: the model.
        where: file or dataset, for error texts.
        first: the number of the first example.

    Raises:
        InputError: another shape, numbers of another kind, one that is not finite, or a word that training had not.
    """
    if x.shape[1:] != trained.shape:
        raise InputError(f"{where}: examples of shape {x.shape[1:]}; run {trained.run} was trained on {trained.shape}")
    fits = (
        x.dtype == "uint8"
        if trained.dtype == "uint8"
        else x.dtype.kind in ("iu" if trained.dtype == "int32" else "fiub")
    )
    if not fits:
        raise InputError(
            f"{where}: examples of dtype {x.dtype}; run {trained.run} was trained on {trained.dtype}\n"
            "store them in the same units and dtype"
        )
    if trained.dtype == "int32":
        _refuse_unknown_words(x, trained, where, first)
    x = x.astype(trained.dtype, copy=False)
    if x.dtype.kind == "f" and not (finite := np.isfinite(x)).all():
        row, *position = (int(i) for i in np.argwhere(~finite)[0])
        at = f"column {position[0]}" if len(position) == 1 else f"position {tuple(position)}"
        raise InputError(f"{where}: row {first + row}, {at} holds {x[row, *position]}; a network needs a number")
    return x


def _refuse_unknown_words(x: np.ndarray, trained: Trained, where: str, first: int) -> None:
    dataset = trained.settings["dataset"]
    words = catalog.dataset(dataset)[0].task.vocabulary_size
    if words is not None and (outside := (x < 0) | (x >= words)).any():
        row, *position = (int(i) for i in np.argwhere(outside)[0])
        raise InputError(
            f"{where}: word number {x[row, *position]} in row {first + row}, column {position[0]}; run {trained.run} "
            f"knows the numbers 0 to {words - 1}\nnumber the words as {dataset} does, where 2 is any other word"
        )


def fitting_labels(y: np.ndarray, trained: Trained, where: str, first: int = 0) -> np.ndarray:
    """Return labels as int32 (n,) class numbers or float32 (n, outputs).

    Raises:
        InputError: one that is none of the classes, or no finite number.
    """
    if trained.kind == "regression":
        if y.dtype.kind not in "iubf":
            raise InputError(f"{where}: values to predict of dtype {y.dtype}; numbers are needed")
        y = y.reshape(len(y), -1).astype(np.float32)
        if not (finite := np.isfinite(y).all(axis=1)).all():
            raise InputError(
                f"{where}: the value to predict in row {first + int(np.argmin(finite))} is no finite number"
            )
        return y
    if y.shape not in ((len(y),), (len(y), 1)) or y.dtype.kind not in "iubf":
        raise InputError(f"{where}: labels of shape {y.shape} and dtype {y.dtype}; class numbers (n,) are needed")
    y = y.reshape(-1)
    right = (y >= 0) & (y < len(trained.classes)) & (y % 1 == 0)
    if not right.all():
        row = int(np.argmin(right))
        raise InputError(
            f"{where}: label {y[row]:g} in row {first + row} is none of the classes 0 to {len(trained.classes) - 1}"
        )
    return y.astype(np.int32)
