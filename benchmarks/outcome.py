"""What a training hands back to a benchmark."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Outcome:
    """Seconds of each epoch with its validation pass, and what the last epoch reached.

    Args:
        seconds: one number an epoch; the first holds the compilation.
        loss: mean training loss of the last epoch.
        accuracy: of training, likewise.
        val_loss: after the last epoch.
        val_accuracy: likewise.
        notes: whatever else a benchmark wants to know.
    """

    seconds: list[float]
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    notes: dict[str, float] = field(default_factory=dict)
