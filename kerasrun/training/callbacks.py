"""What happens between batches and between epochs: rates, the best model, stopping, commits, signals.

Keras's own callbacks, subclassed only where a trap is closed. In the resident and stream loops a callback's "batch" is
a block of steps: its number counts blocks and its logs are the running means up to the block's end.
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import keras
import numpy as np

from kerasrun import schedules
from kerasrun.errors import Interrupted, RunFailed
from kerasrun.experiment import Experiment
from kerasrun.runs import Run
from kerasrun.training.saved_models import save_model

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Diverged(RunFailed):
    """The loss became infinite or not a number; a result, not a fault of the program."""


@dataclass
class Progress:
    """What a training has done so far; complete at every commit.

    Args:
        rows: one a finished epoch: epoch (from 1), loss, metrics, the same with val_ in front, learning_rate.
        seconds: of each finished epoch, validation included.
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def metrics_csv(self) -> str:
        """Return metrics.csv: each number in the shortest text that reads back as the same float32."""
        if not self.rows:
            return ""
        lines = [",".join(self.rows[0])]
        for row in self.rows:
            lines.append(",".join(str(v) if k == "epoch" else str(np.float32(v)) for k, v in row.items()))
        return "\n".join(lines) + "\n"

    def timing_csv(self) -> str:
        """Return timing.csv: epoch, seconds."""
        lines = [f"{row['epoch']},{seconds:.4f}" for row, seconds in zip(self.rows, self.seconds, strict=True)]
        return "\n".join(["epoch,seconds", *lines]) + "\n"


class Rate(keras.callbacks.Callback):
    """Sets the learning rate of each epoch before its first step.

    Args:
        schedule: canonical text.
        epochs: all epochs of the run.
    """

    def __init__(self, schedule: str, epochs: int) -> None:
        super().__init__()
        self.schedule, self.epochs = schedule, epochs
        self.base: float | None = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set the rate; the optimizer's own rate is where every schedule starts."""
        if self.schedule.partition("(")[0] in ("constant", "plateau"):
            return
        if self.base is None:
            self.base = float(self.model.optimizer.learning_rate)
        self.model.optimizer.learning_rate = schedules.learning_rate(self.schedule, self.base, epoch, self.epochs)


class BestModel(keras.callbacks.ModelCheckpoint):
    """Remembers the weights of the best epoch; they are written at commits, whole or not at all.

    Keras's own writes straight into the file (a kill leaves it unreadable) and keeps a first NaN as the best for ever.
    """

    def __init__(self, monitor: str, mode: str) -> None:
        super().__init__("best.keras", monitor=monitor, mode=mode, save_best_only=True)
        self.weights: list[np.ndarray] | None = None
        self.epoch = 0
        self.unsaved = False

    def _save_model(self, epoch: int, batch: int | None, logs: dict[str, float]) -> None:
        if math.isfinite(logs[self.monitor]) and self._should_save_model(epoch, batch, logs, self.filepath):
            self.weights, self.epoch, self.unsaved = self.model.get_weights(), epoch + 1, True


class Recorder(keras.callbacks.Callback):
    """Keeps the rows and commits the run.

    A commit is made when 20 times the cost of the last one has passed, at the last epoch, when a callback ends the
    training and when a signal came; inside an epoch once it has lasted a minute.

    Args:
        run: where to commit.
        best: the best model's callback, called before this one.
        guard: knows of signals, called before this one.
        experiment: what is trained; names the columns.
        capture: returns the state to commit as bytes, given the finished blocks of the running epoch.
    """

    INSIDE_EPOCH_SECONDS = 60.0

    def __init__(
        self, run: Run, best: BestModel, guard: Guard, experiment: Experiment, capture: Callable[[int], bytes]
    ) -> None:
        super().__init__()
        self.run, self.best, self.guard, self.experiment, self.capture = run, best, guard, experiment, capture
        measured = ["loss", *experiment.metric_names]
        self.columns = [*measured, *(f"val_{name}" for name in measured)]
        self.progress = Progress()
        self.passed_over = (0, 0)  # epoch and blocks of it that an earlier process has done
        self._at, self._stop_wanted = 0, False
        self._committed_at, self._cost = time.monotonic(), 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the rate of the epoch's first step and the time."""
        self._at = epoch
        self._rate = float(self.model.optimizer.learning_rate) if self.model.optimizer else 0.0
        self._began = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Commit between two blocks of a long epoch; let a callback that wants to stop wait for the epoch's end."""
        if (self._at, batch) < self.passed_over:
            return
        if self.model.stop_training:  # Keras would log the part of the epoch as if it were whole
            self.model.stop_training, self._stop_wanted = False, True
        if self._stop_wanted:
            return
        if time.monotonic() - self._committed_at >= max(self.INSIDE_EPOCH_SECONDS, 20 * self._cost):
            self.commit(blocks=batch + 1)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Add the epoch's row; commit when it is time."""
        self.model.stop_training = self.model.stop_training or self._stop_wanted
        row = {name: float((logs or {})[name]) for name in self.columns}
        self.progress.rows.append({"epoch": epoch + 1, **row, "learning_rate": self._rate})
        self.progress.seconds.append(time.monotonic() - self._began)
        if self.experiment.save_every and (epoch + 1) % self.experiment.save_every == 0:
            self.run.write_epoch(epoch + 1, lambda path: save_model(self.model, path))
        last = epoch + 1 == self.experiment.epochs or self.model.stop_training or self.guard.signal_number is not None
        if last or time.monotonic() - self._committed_at >= 20 * self._cost:
            self.commit()

    def commit(self, blocks: int = 0) -> None:
        """Write the best model, the tables, the state (the one commit point) and the record, in this order."""
        start = time.monotonic()
        self.write_tables()
        self.run.write_state(self.capture(blocks))
        self.run.update(**self.summary())
        self._committed_at = time.monotonic()
        self._cost = max(self._committed_at - start, 0.8 * self._cost)  # without a better model, it is far less

    def write_tables(self) -> None:
        """Write the best model and the tables, which must not lag behind a state."""
        if self.best.unsaved and self.best.weights is not None:
            self._write_best(self.best.weights)
        self.run.write_tables(self.progress.metrics_csv(), self.progress.timing_csv())

    def summary(self) -> dict[str, Any]:
        """Return what the record says of the epochs so far."""
        rows = [{name: short(value) for name, value in row.items()} for row in self.progress.rows]
        best = next((row for row in rows if row["epoch"] == self.best.epoch), None)
        return {
            "epochs_run": len(rows),
            "best_epoch": self.best.epoch or None,
            "best": best and {name: value for name, value in best.items() if name != "epoch"},
            "last": {name: value for name, value in rows[-1].items() if name != "epoch"} if rows else None,
        }

    def _write_best(self, weights: list[np.ndarray]) -> None:
        present = self.model.get_weights()
        self.model.set_weights(weights)
        try:
            self.run.write_best(lambda path: save_model(self.model, path))
        finally:
            self.model.set_weights(present)
        self.best.unsaved = False


class Guard(keras.callbacks.Callback):
    """Stops at once where the loss is not finite, and at the end of the epoch where a signal asks for it.

    Keras goes on with NaN to the last epoch; a signal kills it at once, in the middle of a save.
    The first SIGINT, SIGTERM or SIGHUP ends the training after the epoch, the second one after the block.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self.say = say
        self.signal_number: int | None = None
        self.again = False
        self._epoch = 0
        self._before: dict[int, Any] = {}

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Remember the epoch, for messages."""
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Stop after a block whose loss is not finite, or at the second signal."""
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise Diverged(f"loss became {_word(loss)} in epoch {self._epoch}")
        if self.again:
            raise Interrupted("", self.signal_number or signal.SIGINT)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Stop where a validation metric is not finite."""
        for name, value in (logs or {}).items():
            if not math.isfinite(float(value)):
                raise Diverged(f"{name} became {_word(float(value))} in epoch {epoch + 1}")

    def __enter__(self) -> Guard:
        try:
            self._before = {number: signal.signal(number, self._receive) for number in SIGNALS}
        except ValueError:  # not in the main thread: signals are somebody else's
            self._before = {}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.again = self.signal_number is not None
        self.signal_number = number
        if not self.again:
            self.say(f"Finishing epoch {self._epoch} (once more stops now; epoch {self._epoch - 1} is saved).")


class EndOfEpoch(keras.callbacks.Callback):
    """Ends the training after the epoch in which a signal came; stands last, when everything has seen the epoch."""

    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self.guard = guard

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Raise Interrupted where a signal came."""
        if self.guard.signal_number is not None:
            raise Interrupted("", self.guard.signal_number)


def early_stopping(experiment: Experiment) -> list[keras.callbacks.Callback]:
    """Return Keras's EarlyStopping, or nothing where patience is none; BestModel keeps the weights."""
    if experiment.patience is None:
        return []
    monitor, mode = experiment.monitored
    return [
        keras.callbacks.EarlyStopping(
            monitor=monitor, mode=mode, patience=experiment.patience, min_delta=experiment.min_delta
        )
    ]


def rates(experiment: Experiment) -> list[keras.callbacks.Callback]:
    """Return the callbacks that change the learning rate."""
    plateau = schedules.plateau_arguments(experiment.schedule)
    if plateau is None:
        return [Rate(experiment.schedule, experiment.epochs)]
    monitor, mode = experiment.monitored
    return [keras.callbacks.ReduceLROnPlateau(monitor=monitor, mode=mode, min_delta=0.0, **plateau)]


def short(value: float) -> float:
    """Return the number whose shortest text reads back as the same float32: 0.001, not 0.0010000000474974513."""
    return value if isinstance(value, int) else float(str(np.float32(value)))


def _word(value: float) -> str:
    return "NaN" if math.isnan(value) else "infinite"
