"""What is said of empty cells: a network takes only numbers, and no gaps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kerasrun.errors import InputError
from kerasrun.tables.asked import argument

_SHOWN = 4


def refuse_empty(empty: Mapping[str, np.ndarray], counts: Mapping[str, int], rows: int, *, of_text: bool) -> None:
    """Refuse empty cells of which nobody said what becomes of them.

    Args:
        empty: bool (rows,) by column.
        counts: how many there are, of the columns that have some.
        rows: of the table.
        of_text: whether it is a column of texts to read.

    Raises:
        InputError: there are some; with counts, first rows and remedies.
    """
    if not counts:
        return
    first = {name: int(np.argmax(empty[name])) + 1 for name in counts}
    lost = int(np.logical_or.reduce([empty[name] for name in counts]).sum())
    worst = sorted(counts, key=lambda name: -counts[name])
    if len(counts) == 1:
        name = worst[0]
        plural = "s" if counts[name] > 1 else ""
        what = f"column '{name}' has {counts[name]:,} empty cell{plural} (first: row {first[name]})"
    else:
        listed = ", ".join(f"{name} {counts[name]:,} (first: row {first[name]})" for name in worst[:_SHOWN])
        more = f" and {len(worst) - _SHOWN} more" if len(worst) > _SHOWN else ""
        what = f"{len(counts)} columns have empty cells: {listed}{more}"
    if of_text:
        raise InputError(
            f"{what}; there is nothing to read\nmend it, or --missing drop (loses {lost:,} of {rows:,} rows)"
        )
    raise InputError(
        f"{what}; a network needs a number in every cell\n"
        f"choose one: --missing median · --missing drop (loses {lost:,} of {rows:,} rows) · --missing indicator · "
        f"--drop {argument(','.join(worst)) if len(worst) <= _SHOWN else 'COLUMN,…'}"
    )


def filled(missing: str, texts: list[bool]) -> str:
    """Return what becomes of empty cells, of texts and of numbers."""
    center = "mean" if missing == "mean" else "median"
    further = ", and a further column says where" if missing == "indicator" else ""
    numbers = [f"a number becomes the {center} of the training part{further}"] if not all(texts) else []
    return ", ".join([*numbers, *(["a text a category of its own"] if any(texts) else [])])
