"""Scaling as a layer in front of the network and, for regression targets, its inverse behind it.

Fitted on the training part alone, computed in float32 whatever the precision, and saved with the model: training and
prediction cannot drift apart.
"""

from __future__ import annotations

import keras
import numpy as np

from kerasrun.datasets.stored import Stored
from kerasrun.errors import InputError
from kerasrun.layers import RowNorm


def input_layer(scale: str, x: np.ndarray, input_dtype: str) -> keras.layers.Layer | None:
    """Return the layer that turns raw inputs into what the recipe receives, or None where that is the same.

    Args:
        scale: none, unit, standardize, minmax, l1, l2 or l2_all. Images (two or more axes per example) are standardized
            and brought to 0 … 1 per channel, tables per column; a constant column becomes 0. l1 and l2 divide each row
            by its norm; l2_all divides everything by one, that of the whole training part.
        x: the training part's inputs, (n, …), raw.
        input_dtype: what the recipe receives.

    Raises:
        InputError: `unit`, which divides by 255, for inputs that are not uint8.
    """
    if scale == "none":
        return None if x.dtype == input_dtype else keras.layers.Rescaling(1.0, dtype="float32", name="scale")
    if scale == "unit":
        if x.dtype != np.uint8:
            raise InputError(
                f"scale=unit divides bytes by 255, but the inputs are {x.dtype}\nuse scale=minmax or standardize"
            )
        return keras.layers.Rescaling(1 / 255, dtype="float32", name="scale")
    if isinstance(x, Stored):
        raise InputError(f"scale={scale} looks at all images, which do not fit in memory; use scale=unit")
    if scale in ("l1", "l2"):
        return RowNorm(int(scale[1]), name="scale")
    if scale == "l2_all":
        norm = float(np.sqrt(np.square(x, dtype=np.float64).sum()))
        return keras.layers.Rescaling(1 / norm if norm else 1.0, dtype="float32", name="scale")
    center, width = _center_and_width(scale, x)
    axis = None if center.ndim == 0 else -1
    return keras.layers.Normalization(
        axis=axis, mean=center.tolist(), variance=np.square(width).tolist(), dtype="float32", name="scale"
    )


def target_moments(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation per target column, float64 (outputs,); a constant target has deviation 1."""
    mean, deviation = y.mean(axis=0, dtype=np.float64), y.std(axis=0, dtype=np.float64)
    return mean, np.where(deviation > 0, deviation, 1.0)


def output_layer(mean: np.ndarray, deviation: np.ndarray) -> keras.layers.Layer:
    """Return the layer that turns standardized predictions into the target's own units."""
    return keras.layers.Rescaling(deviation.tolist(), mean.tolist(), dtype="float32", name="unscale")


def moments_of(model: keras.Model) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and deviation that a model's last layer scales standardized predictions back with."""
    layer = model.get_layer("unscale")
    return np.asarray(layer.offset, np.float64), np.asarray(layer.scale, np.float64)


class StandardizedLoss(keras.losses.Loss):
    """A loss of standardized targets and predictions, computed from both in the target's own units.

    Args:
        loss: the loss to compute.
        mean: per target column, (outputs,).
        deviation: per target column, (outputs,), above 0.
    """

    def __init__(self, loss: keras.losses.Loss, mean: np.ndarray, deviation: np.ndarray) -> None:
        super().__init__(name=loss.name, reduction=loss.reduction)
        self.loss = loss
        self.mean, self.deviation = mean.astype("float32"), deviation.astype("float32")

    def call(self, y_true, y_pred):
        """Return the loss of each example, float32 (batch,)."""
        return self.loss.call((y_true - self.mean) / self.deviation, (y_pred - self.mean) / self.deviation)


def _center_and_width(scale: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what to subtract and what to divide by, per column (tables), per channel or as one number (images)."""
    axes = (0,) if x.ndim == 2 else None if x.ndim == 3 else tuple(range(x.ndim - 1))
    if scale == "minmax":
        center = x.min(axis=axes).astype(np.float64)
        width = x.max(axis=axes).astype(np.float64) - center
    else:
        center, width = x.mean(axis=axes, dtype=np.float64), x.std(axis=axes, dtype=np.float64)
    return np.asarray(center), np.where(width > 0, width, 1.0)
