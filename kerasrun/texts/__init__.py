"""Texts of one's own, to be read word by word: a column of a table, or a folder of class folders. Without TensorFlow.

tokens.py    what a text is cut into
folder.py    files as a table of one column

Either way they become a `tables.Table` whose one column holds texts.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from kerasrun import environment, tables
from kerasrun.dataset_table import DatasetEntry
from kerasrun.errors import InputError
from kerasrun.tables import Table, asked, reader
from kerasrun.tables.asked import Options
from kerasrun.texts import folder
from kerasrun.texts.tokens import tokens

__all__ = ["cells", "describe", "folder", "length_for", "take", "tokens"]

_COVERED = 0.95  # share of the training texts that are not cut
_LONGEST = 1000  # tokens, where nobody says otherwise
_LOOKED_AT = 1000  # texts, for a first idea of their length


def describe(path: Path, options: Options) -> tuple[DatasetEntry, Options]:
    """Return what texts ask of a network, and the options in canonical form, the kind of task among them.

    Vocabulary and length are those of the first texts, until the training part is known.

    Raises:
        InputError: as `tables.describe` and `folder.opened`.
    """
    return tables.describe(path, options, _opened)


def take(path: Path, options: Options) -> Table:
    """Return texts; they are not kept any longer.

    Raises:
        InputError: as `describe`.
    """
    return tables.take(path, options, _opened)


def cells(path: Path, options: Options) -> list[str]:
    """Return the texts of a table, one for each row; "" where empty.

    Raises:
        InputError: as `reader.read`.
    """
    names = reader.names(path, asked.wanted(options, ()))
    column = reader.read(path, asked.wanted(options, names)).columns[options["text"]]
    every = [*column.texts, ""]
    return [every[code] for code in column.cells]


def length_for(counts: np.ndarray) -> int:
    """Return the length that covers most texts of so many tokens each, int (n,)."""
    return max(1, min(_LONGEST, int(np.quantile(counts, _COVERED, method="inverted_cdf"))))


def _opened(path: Path, options: Options) -> Table:
    if path.is_dir():
        table = folder.opened(path, options)
    else:
        size = path.stat().st_size if path.is_file() else 0
        if size > environment.memory() // folder.SHARE:
            raise InputError(f"{path}: {size:,} bytes of texts do not fit in memory\ntake a part of the rows")
        table = tables.opened(path, options)
    some = table.columns[0].texts[:_LOOKED_AT]
    counts = np.array([len(tokens(text, options["tokens"], options["ngrams"])) for text in some])
    length = options["length"] or length_for(counts)
    task = replace(
        table.task, input_shape=(length,), input_dtype="int32", vocabulary_size=options["vocabulary"] + 2,
        sequence_length=length,
    )  # fmt: skip
    return replace(table, task=task)
