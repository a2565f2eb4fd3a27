"""The classes that a run predicted for its validation examples, as its folder keeps them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from kerasrun.analysis.moments import At, Record
from kerasrun.runs import PREDICTIONS

if TYPE_CHECKING:
    import numpy as np


def validation(record: Record, at: At) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return row ids, labels and predicted classes of the validation examples, each (n,)."""
    if "path" not in record or at.kind not in ("best", "last"):
        return None
    import numpy

    try:
        with numpy.load(Path(record["path"], PREDICTIONS), allow_pickle=False) as kept:
            rows, labels, said = (kept[f"validation_{name}"] for name in ("rows", "labels", at.kind))
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    return (rows, labels, said) if rows.shape == labels.shape == said.shape else None
