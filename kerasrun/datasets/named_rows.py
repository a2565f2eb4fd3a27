"""All examples of a named dataset, to be predicted, each once: of its training part, then of its test part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kerasrun import datasets
from kerasrun.datasets.rows import BYTES, Chunk, Rows, fitting, fitting_labels
from kerasrun.trained import Trained


def opened(given: str, trained: Trained, *, labelled: bool, keep: Sequence[str]) -> Rows:
    """Return the examples of a dataset as Keras has them; part and row (from 0) tell them apart."""
    whole = datasets.unsplit(given)
    parts = {"train": whole.train} if whole.same else whole.parts()

    def chunks() -> Iterator[Chunk]:
        for name, part in parts.items():
            size = max(1, BYTES // max(1, part.x[:1].nbytes))
            for start in range(0, len(part), size):
                rows = slice(start, start + size)
                x = fitting(part.x[rows], trained, f"{given}, {name} part", start)
                y = fitting_labels(part.y[rows], trained, given, start) if labelled else None
                yield Chunk(x, (part.rows[rows].tolist(), [name] * len(x)), y)

    return Rows(("row", "part"), chunks())
