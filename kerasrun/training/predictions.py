"""What a model says of every validation and test example, for comparisons image by image."""

from __future__ import annotations

import numpy as np

from kerasrun.datasets import Data
from kerasrun.training.loop import Feeder


def predictions(feeder: Feeder, data: Data, which: str) -> dict[str, np.ndarray]:
    """Return the model's answers with the present weights.

    Args:
        feeder: of the model.
        data: its validation and test parts are predicted.
        which: "last" or "best", the end of the arrays' names.

    Returns:
        For each part: `<part>_rows` int64 (n,) ids; `<part>_labels` what is right, as in the data; `<part>_<which>` the
        class number, int (n,), or the value, float32 (n, outputs).
    """
    arrays = {}
    for name in ("validation", "test"):
        part = getattr(data, name)
        output = feeder.predict(part.x)
        arrays[f"{name}_rows"] = part.rows
        arrays[f"{name}_labels"] = part.y
        arrays[f"{name}_{which}"] = answers(output, data.task.kind)
    return arrays


def answers(output: np.ndarray, kind: str) -> np.ndarray:
    """Return class numbers (binary: cut at 0.5) or, for regression, the values themselves.

    Args:
        output: float32 (n, outputs), the model's output.
        kind: the task's kind.
    """
    if kind == "regression":
        return output.astype(np.float32)
    classes = output.argmax(axis=1) if kind == "multiclass" else (output[:, 0] > 0.5).astype(int)
    return classes.astype(np.uint8 if classes.max(initial=0) < 256 else np.int32)
