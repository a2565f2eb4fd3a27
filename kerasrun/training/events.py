"""What happens in a training, told to whoever watches: shown by the command line, passed on by a sweep's workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from kerasrun.datasets import Data
from kerasrun.runs import Run
from kerasrun.training.callbacks import Recorder
from kerasrun.training.loop import Plan


@dataclass(frozen=True)
class Started:
    """All is ready; the first step comes next."""

    run: Run
    data: Data
    plan: Plan
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """Some steps of an epoch (from 1) are done; logs are the running means."""

    epoch: int
    steps: int
    logs: dict[str, float]


@dataclass(frozen=True)
class Epoch:
    """An epoch is done and validated; metrics_csv is the table so far."""

    row: dict[str, float]
    seconds: float
    best: bool
    metrics_csv: str


@dataclass(frozen=True)
class Notice:
    """A line for the user in the middle of a training."""

    text: str


@dataclass(frozen=True)
class Ended:
    """The run is finished and its record complete."""

    run: Run


Event = Started | Block | Epoch | Notice | Ended
Watch = Callable[[Event], None]


class Reporter(keras.callbacks.Callback):
    """Tells what happens to whoever watches."""

    def __init__(self, tell: Watch, plan: Plan, recorder: Recorder) -> None:
        super().__init__()
        self.tell, self.plan, self.recorder = tell, plan, recorder
        self._epoch = 1

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Remember the epoch."""
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Tell of a block."""
        self.tell(
            Block(self._epoch, self.plan.ends[batch], {name: float(value) for name, value in (logs or {}).items()})
        )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Tell of an epoch."""
        progress = self.recorder.progress
        is_best = self.recorder.best.epoch == epoch + 1
        self.tell(Epoch(progress.rows[-1], progress.seconds[-1], is_best, progress.metrics_csv()))
