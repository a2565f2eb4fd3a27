"""The real datasets that come with scikit-learn: digits, iris, wine, breast-cancer, diabetes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasrun.datasets.parts import Unsplit, whole

if TYPE_CHECKING:
    from kerasrun.catalog import DatasetEntry


def read(entry: DatasetEntry, arguments: Mapping[str, Any]) -> Unsplit:
    """Return a bundled dataset in the units in which it was measured; none has a test part of its own.

    digits: float32 (1797, 8, 8), 0 to 16; the others float32 (n, columns).
    """
    from sklearn import datasets

    if entry.name == "diabetes":
        bunch = datasets.load_diabetes(scaled=False)  # the scaled version has seen the examples that are held out
    else:
        bunch = getattr(datasets, f"load_{entry.name.replace('-', '_')}")()
    images = entry.name == "digits"
    x = (bunch.images if images else bunch.data).astype(np.float32)
    if entry.task.kind == "regression":
        y = bunch.target.astype(np.float32).reshape(-1, 1)
        return Unsplit(entry.task, entry.name, whole(x, y), columns=bunch.feature_names)
    names = entry.task.class_names or tuple(str(name) for name in bunch.target_names)
    task = replace(entry.task, class_names=names)
    columns = None if images else [str(name) for name in bunch.feature_names]
    return Unsplit(task, entry.name, whole(x, bunch.target.astype(np.int32)), columns=columns)
