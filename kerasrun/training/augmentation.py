"""Augmentation in front of a network: layers of the model that is trained, and of no other.

The saved model has none of them, and evaluations leave images as they are. Mixup needs the labels, too: a loss of both
labels, each by its share, which is the loss of mixed labels for every loss that is linear in them, as cross-entropies
are; any form of labels will do, and metrics count the label of the larger share.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from kerasrun import layers
from kerasrun.layers.augment import Mixup, neighbour
from kerasrun.literals import parse_call
from kerasrun.training import seeds


def made(calls: Sequence[str], seed: int) -> list[keras.layers.Layer]:
    """Return the layers that canonical calls name, each with a stream of random numbers of its own.

    Args:
        calls: as `flip(direction=horizontal)`, in their order.
        seed: the run's seed.
    """
    found = []
    for call in calls:
        name, arguments = parse_call(call)
        found.append(getattr(layers, name.capitalize())(**arguments, name=f"augment_{name}"))
    seeds.restart(found, seed)
    return found


class MixingModel(keras.Model):
    """A functional model whose images a layer mixes, and whose loss mixes accordingly.

    Args:
        mixup: the layer, which is one of the model's.
    """

    def __init__(self, *args: Any, mixup: Mixup, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mixup = mixup

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Return the loss of the labels and of the neighbours' labels, by their shares."""
        if training:
            share: Any = self.mixup.share
            ops = keras.ops
            own = ops.ones_like(share) if sample_weight is None else ops.cast(sample_weight, "float32")
            # twice as many terms, of which the loss takes the mean
            sample_weight = 2 * ops.concatenate([share * own, (1 - share) * neighbour(own)])
            y, y_pred = ops.concatenate([y, neighbour(y)]), ops.concatenate([y_pred, y_pred])
        return super().compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training)
