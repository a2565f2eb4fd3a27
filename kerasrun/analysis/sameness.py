"""Whether two runs are the same to the last bit: every number of every epoch, and the best weights where both are here.

A .keras file carries a date, so that its bytes say nothing; the arrays in it do.
"""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from kerasrun.analysis import moments
from kerasrun.analysis.columns import Record
from kerasrun.errors import InputError
from kerasrun.runs import BEST

if TYPE_CHECKING:
    import numpy as np

_WEIGHTS = "model.weights.h5"
_CONTAINERS = ("sequential", "functional", "model")  # what a network is built as is no difference between its weights


def difference(one: Record, other: Record) -> str:
    """Return the first difference of two runs in words, or nothing where there is none.

    Raises:
        InputError: a file of a run is damaged.
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
    return _of_weights(one, other)


def has_weights(record: Record) -> bool:
    """Tell whether a run's best weights are at hand."""
    return "path" in record and Path(record["path"], BEST).is_file()


def _of_weights(one: Record, other: Record) -> str:
    if not (has_weights(one) and has_weights(other)):
        return ""
    first, second = _weights(Path(one["path"], BEST)), _weights(Path(other["path"], BEST))
    if first.keys() != second.keys():
        return f"other layers: {', '.join(sorted(first.keys() ^ second.keys())[:3])}"
    unequal = [name for name, array in first.items() if array.tobytes() != second[name].tobytes()]
    return f"best weights of {unequal[0]}" if unequal else ""


def _weights(path: Path) -> dict[str, np.ndarray]:
    """Return every array of a saved model by its layer's path."""
    import h5py  # type: ignore[import-untyped]

    found: dict[str, np.ndarray] = {}

    def keep(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found["/".join("model" if part in _CONTAINERS else part for part in name.split("/"))] = item[()]

    try:
        with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read(_WEIGHTS))) as file:
            file.visititems(keep)
    except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: damaged: {error}") from None
    return found
