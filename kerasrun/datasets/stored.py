"""Examples that stay on the disk: what a training reads of an array, read from a file when it is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np


class Stored:
    """Some rows of a memory-mapped file, in an order of their own.

    Args:
        base: the file, (n, …).
        rows: int64, (m,): which, in which order.
    """

    def __init__(self, base: np.ndarray, rows: np.ndarray) -> None:
        self.base, self.rows = base, rows
        self.dtype, self.shape, self.ndim = base.dtype, (len(rows), *base.shape[1:]), base.ndim
        self.nbytes = len(rows) * base[:1].nbytes

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, chosen: Any) -> np.ndarray:
        """Return the examples at some positions, read into memory."""
        return np.asarray(self.base[self.rows[chosen]])

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        """Refuse to be read as a whole by accident; `[:]` does it on purpose."""
        raise TypeError("examples on the disk are read in slices")
