"""How far a regression's predictions are from what came, in numbers; residual = predicted - true, in its own units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Residuals:
    """What the residuals of one target are like.

    Args:
        bias: their mean.
        mae: mean absolute value.
        rmse: root of the mean square.
        r2: share of the target's variance that the predictions explain; None where the target does not vary.
        quantiles: at QUANTILES.
    """

    bias: float
    mae: float
    rmse: float
    r2: float | None
    quantiles: tuple[float, ...]


def residuals(true: np.ndarray, predicted: np.ndarray) -> Residuals:
    """Return what the residuals of one target are like; both float (n,)."""
    true = true.astype(np.float64)
    apart = predicted.astype(np.float64) - true
    spread = float(np.square(true - true.mean()).sum())
    return Residuals(
        float(apart.mean()), float(np.abs(apart).mean()), float(np.sqrt(np.square(apart).mean())),
        1 - float(np.square(apart).sum()) / spread if spread else None,
        tuple(np.quantile(apart, QUANTILES).tolist()),
    )  # fmt: skip
