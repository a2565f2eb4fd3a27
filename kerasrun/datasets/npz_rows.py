"""The examples of an .npz file, to be predicted: slice by slice; a file that is stored by rows may exceed memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from os.path import expanduser
from pathlib import Path

from kerasrun.datasets import npz
from kerasrun.datasets.rows import BYTES, Chunk, Rows, fitting, fitting_labels
from kerasrun.errors import InputError
from kerasrun.trained import Trained

_PARTS = {"x": "y", "x_test": "y_test", "x_val": "y_val", "x_validation": "y_validation", "x_train": "y_train"}


def opened(given: str, trained: Trained, *, labelled: bool, keep: Sequence[str]) -> Rows:
    """Return the examples of x, else of each of x_train, x_val, x_test; with labels of x, else of x_test alone.

    Raises:
        InputError: no .npz, damaged, or no such arrays.
    """
    path = Path(expanduser(given.strip()))
    held = npz.names(path)
    found = [x for x in _PARTS if x in held and (not labelled or _PARTS[x] in held)]
    if not found:
        needed = "x and y, or x_test and y_test" if labelled else "x, or x_test"
        raise InputError(f"{path}: holds {', '.join(sorted(held)) or 'nothing'}; wanted are {needed}")
    found = found[:1] if labelled or found[0] == "x" else found[::-1]
    several = len(found) > 1
    notes = [f"labels are those of {_PARTS[found[0]]}"] if labelled and found[0] != "x" else []
    return Rows(
        ("row", "part") if several else ("row",),
        chain.from_iterable(_chunks(path, name, trained, labelled=labelled, several=several) for name in found),
        notes,
    )


def _chunks(path: Path, name: str, trained: Trained, *, labelled: bool, several: bool) -> Iterator[Chunk]:
    labels = npz.read(path, (_PARTS[name],))[_PARTS[name]] if labelled else None
    where, part, start = f"{path}, {name}", name.partition("_")[2], 0
    for x in npz.stream(path, name, BYTES):
        if labels is not None and start + len(x) > len(labels):
            raise InputError(f"{path}: {name} has more rows than {_PARTS[name]} ({len(labels):,})")
        y = None if labels is None else fitting_labels(labels[start : start + len(x)], trained, where, start)
        rows = [*range(start, start + len(x))]
        yield Chunk(fitting(x, trained, where, start), (rows, [part] * len(x)) if several else (rows,), y)
        start += len(x)
    if labels is not None and start != len(labels):
        raise InputError(f"{path}: {name} has {start:,} rows, {_PARTS[name]} has {len(labels):,}")
