"""A learning-rate range test: the rate grows from step to step, and the loss tells where learning begins and ends.

Smith 2017, "Cyclical learning rates", section 3.3; the rate grows exponentially, as in Howard and Gugger's fastai.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from kerasrun.datasets import Data
from kerasrun.errors import InputError
from kerasrun.experiment import Experiment
from kerasrun.training import devices, seeds
from kerasrun.training import model as models

MEMORY = 0.9  # of the loss before, in the running mean
TOO_MUCH = 4.0  # times the lowest loss: learning has ended


@dataclass(frozen=True)
class RangeTest:
    """What a range test found.

    Args:
        rates: of each step, rising.
        losses: running mean of the batches' losses, corrected for its beginning.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def lowest(self) -> float:
        """The rate at which the loss was lowest; above it, learning ends."""
        return self.rates[int(np.argmin(self.losses))]

    @property
    def suggested(self) -> float:
        """A third of that, rounded to one digit: a rate that many steps have to bear must be smaller than one's limit.

        Seen with 784-100-10 on Fashion-MNIST: 0.1 to 0.2 for sgd, 0.02 to 0.04 with momentum, 0.002 to 0.006 for adam.
        """
        return float(f"{self.lowest / 3:.0e}")


def find_rate(experiment: Experiment, data: Data, *, low: float, high: float, steps: int) -> RangeTest:
    """Train with a rate that grows exponentially, until the loss explodes.

    Args:
        experiment: what is trained; its rate and schedule play no part.
        data: its data.
        low: the first rate.
        high: the last rate, if it comes to that.
        steps: how many rates.

    Raises:
        InputError: as `models.build`, or the first batch has no finite loss.
    """
    setting = devices.prepare(experiment, data.task)
    built = models.build(experiment, data.task, data.train.x, data.train.y, inputs=data.inputs, jit=setting.jit)
    rates, losses = [], []
    mean, best = 0.0, math.inf
    for number, (rate, loss) in enumerate(
        _steps(built.model, experiment, data, np.geomspace(low, high, steps)), start=1
    ):
        mean = MEMORY * mean + (1 - MEMORY) * loss
        smooth = mean / (1 - MEMORY**number)
        if not math.isfinite(smooth) or smooth > best + (TOO_MUCH - 1) * abs(best):  # a loss may be negative
            break
        best = min(best, smooth)
        rates.append(rate)
        losses.append(smooth)
    if not rates:
        raise InputError(
            f"loss={experiment.loss} of the first batch is not a number before any step\nkerasrun check says more"
        )
    return RangeTest(tuple(rates), tuple(losses))


def _steps(model: keras.Model, experiment: Experiment, data: Data, rates: np.ndarray) -> Iterator[tuple[float, float]]:
    """Make a step at each rate; yield the rate and the batch's loss before the step."""
    train = tf.function(model.train_step, reduce_retracing=True)
    arrays = models.arrays(data, data.train, experiment)
    batches = _batches(experiment, data)
    for rate in rates:
        model.optimizer.learning_rate = rate
        rows = next(batches)
        model.reset_metrics()  # or the loss would be a mean over all steps
        yield float(rate), float(train(tuple(tf.constant(array[rows]) for array in arrays))["loss"])


def _batches(experiment: Experiment, data: Data) -> Iterator[np.ndarray]:
    """Yield the rows of one whole batch after the other, in the order of the training."""
    examples = len(data.train.x) * data.passes
    size, epoch = min(experiment.batch_size, examples), 0
    while True:
        order = seeds.batch_order(experiment.seed, epoch, len(data.train.x), data.passes)
        yield from (order[start : start + size] for start in range(0, examples - size + 1, size))
        epoch += 1
