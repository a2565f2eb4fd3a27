"""A few steps before a long run: what the network gives at its start, and whether it can learn a single batch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from kerasrun.datasets import Data
from kerasrun.experiment import Experiment
from kerasrun.training import devices, seeds
from kerasrun.training import model as models
from kerasrun.training.health import Health, Row, health_batch

MOST_STEPS, EVERY = 500, 25
LEARNED, DONE = 0.1, 0.01  # of the first loss, or of that of knowing nothing; LEARNED below one that is negative


@dataclass(frozen=True)
class Trial:
    """What a trial found.

    Args:
        layers: the rows of health.csv at the start.
        outputs: smallest and largest output on that batch, with the initial weights.
        examples: of the batch that was learned.
        steps: made on it.
        losses: on it, without dropout: before the first step, then every EVERY steps.
    """

    layers: list[Row]
    outputs: tuple[float, float]
    examples: int
    steps: int
    losses: tuple[float, ...]

    def learned(self, ignorance: float | None) -> bool:
        """Tell whether the batch was learned by heart; `ignorance` is the loss of knowing nothing, if there is one."""
        begin = min(self.losses[0], ignorance or math.inf)
        return min(self.losses) < (LEARNED * begin if begin > 0 else begin - LEARNED * abs(begin))

    @property
    def still_falls(self) -> bool:
        """Whether the loss had at least halved and went on falling."""
        return 0 < self.losses[0] > 2 * self.losses[-1] and self.losses[-1] < self.losses[-2]


def try_out(experiment: Experiment, data: Data) -> Trial:
    """Measure the network at its start, then train it on one batch alone until it knows it, or 500 steps have passed.

    Images are not changed: of a batch that is another one at each step, nothing is learned by heart.

    Args:
        experiment: what is to be trained.
        data: its data.

    Raises:
        InputError: as `models.build`.
    """
    setting = devices.prepare(experiment, data.task)
    experiment = replace(experiment, augment=())
    built = models.build(experiment, data.task, data.train.x, data.train.y, inputs=data.inputs, jit=setting.jit)
    model = built.model
    model.optimizer.build(model.trainable_variables)
    x, y = health_batch(experiment, data)
    layers = Health(model, (x, y)).measure(0)
    outputs = np.asarray(model(tf.constant(x), training=False))
    rows = seeds.batch_order(experiment.seed, 0, len(data.train.x))[: experiment.batch_size]
    labels = models.labels(data.train.y[rows], data.task, experiment.loss)
    batch = tf.constant(data.train.x[rows]), tf.constant(labels)
    train, test = (tf.function(step) for step in (model.train_step, model.test_step))
    losses: list[float] = []
    for step in range(MOST_STEPS + 1):
        if step % EVERY == 0:
            model.reset_metrics()
            losses.append(float(test(batch)["loss"]))
            if 0 <= losses[-1] <= DONE * min(losses[0], 1.0) or (step and not math.isfinite(losses[-1])):
                break
        if not model.trainable_variables:
            break
        train(batch)
    return Trial(layers, (float(outputs.min()), float(outputs.max())), len(rows), step, tuple(losses))
