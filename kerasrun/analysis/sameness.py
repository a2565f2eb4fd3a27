"""Whether two runs are the same to the last bit: every number of every epoch, and the best weights."""

from __future__ import annotations

import math

from kerasrun.analysis import moments
from kerasrun.analysis.columns import Record


def difference(one: Record, other: Record) -> str:
    """Return the first difference of two runs in words, or nothing where there is none.

    Raises:
        InputError: a table of epochs is damaged.
    """
    first, second = (moments.curves(record) for record in (one, other))
    names = [[name for name in curves if name != "seconds"] for curves in (first, second)]
    if names[0] != names[1]:
        return f"other columns: {', '.join(sorted({*names[0]} ^ {*names[1]})) or 'in another order'}"
    lengths = [len(first["epoch"]), len(second["epoch"])] if names[0] else [0, 0]
    for epoch in range(min(lengths)):
        for name in names[0]:
            a, b = first[name][epoch], second[name][epoch]
            if a != b and not (math.isnan(a) and math.isnan(b)):
                return f"{name} {a:.9g} and {b:.9g} in epoch {epoch + 1}"
    if lengths[0] != lengths[1]:
        return f"{lengths[0]} and {lengths[1]} epochs"
    digests = {record.get("best_weights") for record in (one, other)}
    return "best weights" if len(digests) > 1 and all(digests) else ""
