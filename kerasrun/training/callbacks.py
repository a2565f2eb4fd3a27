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
from kerasrun.runs import METRICS, TIMING, Run
from kerasrun.training.measuring import Measuring
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
    _lines: list[str] = field(default_factory=list, repr=False)  # of metrics.csv, as far as they were asked for

    def metrics_csv(self) -> str:
        """Return metrics.csv: each number in the shortest text that reads back as the same float32."""
        if not self.rows:
            return ""
        for row in self.rows[len(self._lines) :]:
            self._lines.append(",".join(str(v) if k == "epoch" else str(np.float32(v)) for k, v in row.items()))
        return "\n".join([",".join(self.rows[0]), *self._lines]) + "\n"

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

    A commit is made at an epoch's end as long as all commits, with this one and the last one, stay within LARGEST_SHARE
    of the training's time, and inside an epoch after a minute without one; in any case at the last epoch and when a
    callback ends the training, and by EndOfEpoch after a signal. (A last commit may be slower than those before: 1 / 25
    keeps nearly all trainings below 5 %.)

    Args:
        run: where to commit.
        best: the best model's callback, called before this one.
        guard: is told what is saved.
        experiment: what is trained; names the columns.
        measuring: what is measured besides, if anything.
        capture: returns the state to commit as bytes, given the finished blocks of the running epoch.
    """

    LARGEST_SHARE = 1 / 25
    INSIDE_EPOCH_SECONDS = 60.0

    def __init__(
        self, run: Run, best: BestModel, guard: Guard, experiment: Experiment, measuring: Measuring | None,
        capture: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        super().__init__()
        self.run, self.best, self.guard, self.experiment = run, best, guard, experiment
        self.measuring, self.capture = measuring, capture
        measured = ["loss", *experiment.metric_names]
        self.columns = [*measured, *(f"val_{name}" for name in measured)]
        self.columns += [f"train_{name}" for name in measured if experiment.evaluate_train]
        self.progress = Progress()
        self.passed_over = (0, 0)  # epoch and blocks of it that an earlier process has done
        self._at, self._stop_wanted = 0, False
        self._created = self._committed_at = time.monotonic()
        self._spent, self._cost = 0.0, 0.05  # seconds; a first commit on a busy disk
        self._committed_rows = -1

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
        long_ago = time.monotonic() - self._committed_at >= self.INSIDE_EPOCH_SECONDS
        if long_ago and not self._stop_wanted and self._can_afford():
            self.commit(blocks=batch + 1)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Add the epoch's row; commit when it is time."""
        self.model.stop_training = self.model.stop_training or self._stop_wanted
        row = {name: float((logs or {})[name]) for name in self.columns}
        self.progress.rows.append({"epoch": epoch + 1, **row, "learning_rate": self._rate})
        spent = self.measuring.seconds if self.measuring else 0.0
        self.progress.seconds.append(time.monotonic() - self._began - spent)
        if self.experiment.save_every and (epoch + 1) % self.experiment.save_every == 0:
            self.run.write_epoch(epoch + 1, lambda path: save_model(self.model, path))
        if epoch + 1 == self.experiment.epochs or self.model.stop_training or self._can_afford():
            self.commit()

    def commit(self, blocks: int = 0) -> None:
        """Write the best model, the tables, the state (the one commit point) and the record, in this order."""
        start = time.monotonic()
        self._write_best(moved_on=blocks > 0 or self.best.epoch < len(self.progress.rows))
        self.run.commit(self._tables(), self.capture(blocks), **self.summary())
        self._committed_at, self._committed_rows = time.monotonic(), len(self.progress.rows)
        self.guard.saved = self._committed_rows
        took = self._committed_at - start
        self._spent, self._cost = self._spent + took, max(took, 0.8 * self._cost)  # far less without a better model

    def write_tables(self) -> None:
        """Write what the last commit has not: the best model and the rows of a training that goes on from no state."""
        self._write_best(moved_on=True)
        if self.measuring or self._committed_rows != len(self.progress.rows):
            self.run.write(self._tables())

    def add_untrained(self, train: dict[str, float], validation: dict[str, float]) -> None:
        """Add the one row of a network that has nothing to train, as epoch 0, and commit."""
        parts = {"": train, "val_": validation, "train_": train}
        logs = {f"{part}{name}": value for part, logs in parts.items() for name, value in logs.items()}
        self.guard.on_epoch_end(-1, logs)
        self.progress.rows.append({"epoch": 0, **{name: logs[name] for name in self.columns}, "learning_rate": 0.0})
        self.progress.seconds.append(0.0)
        self.best.weights, self.best.epoch, self.best.unsaved = self.model.get_weights(), 0, True
        self.commit()

    def summary(self) -> dict[str, Any]:
        """Return what the record says of the epochs so far."""
        rows = {row["epoch"]: row for row in self.progress.rows}

        def measured(epoch: float) -> dict[str, float] | None:
            if epoch not in rows:
                return None
            return {name: short(value) for name, value in rows[epoch].items() if name != "epoch"}

        best, last = self.best.epoch, max(rows, default=0)
        best_epoch = best if best in rows else None
        return {"epochs_run": last, "best_epoch": best_epoch, "best": measured(best), "last": measured(last)}

    def _tables(self) -> dict[str, str]:
        measured = self.measuring.tables() if self.measuring else {}
        return {METRICS: self.progress.metrics_csv(), TIMING: self.progress.timing_csv(), **measured}

    def _can_afford(self) -> bool:
        allowed = self.LARGEST_SHARE * (time.monotonic() - self._created)
        return self._spent + 2 * self._cost <= allowed

    def _write_best(self, *, moved_on: bool) -> None:
        """Save the best epoch's weights, unless they are; `moved_on` where they are no longer the model's."""
        if not self.best.unsaved or self.best.weights is None:
            return
        present = self.model.get_weights() if moved_on else []
        if moved_on:
            self.model.set_weights(self.best.weights)
        try:
            self.run.write_best(lambda path: save_model(self.model, path))
        finally:
            if moved_on:
                self.model.set_weights(present)
        self.best.unsaved = False


class Guard(keras.callbacks.Callback):
    """Stops at once where the loss is not finite, and at the end of the epoch where a signal asks for it.

    Keras goes on with NaN to the last epoch; a signal kills it at once, in the middle of a save.
    The first SIGINT, SIGTERM or SIGHUP ends the training after the epoch, and is answered after the block: a handler
    that writes may interrupt a line being written, which Python does not allow. The second one ends it after the block.

    Args:
        say: is told the answer.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self.say = say
        self.signal_number: int | None = None
        self.again = self._answered = False
        self.saved = 0  # epochs in the last commit
        self._epoch = 0
        self._before: dict[int, Any] = {}

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Remember the epoch, for messages."""
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Stop after a block whose loss is not finite, or at the second signal; answer the first."""
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise Diverged(f"loss became {word(loss)} in epoch {self._epoch}")
        if self.again:
            raise Interrupted("", self.signal_number or signal.SIGINT)
        if self.signal_number is not None and not self._answered:
            self._answered = True
            kept = f"epoch {self.saved} is saved" if self.saved else "nothing is saved yet"
            self.say(f"Finishing epoch {self._epoch} (once more stops now; {kept}).")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Stop where a validation metric is not finite."""
        for name, value in (logs or {}).items():
            if not math.isfinite(float(value)):
                raise Diverged(f"{name} became {word(float(value))} in epoch {epoch + 1}")

    def __enter__(self) -> Guard:
        try:
            heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]  # as under nohup
            self._before = {number: signal.signal(number, self._receive) for number in heard}
        except ValueError:  # not in the main thread: signals are somebody else's
            self._before = {}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.again = self.signal_number is not None
        self.signal_number = number


class EndOfEpoch(keras.callbacks.Callback):
    """Ends the training after the epoch in which a signal came; stands last, when everything has seen the epoch."""

    def __init__(self, guard: Guard, recorder: Recorder) -> None:
        super().__init__()
        self.guard, self.recorder = guard, recorder

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Commit and raise Interrupted where a signal came."""
        if self.guard.signal_number is not None:
            if self.guard.saved <= epoch:
                self.recorder.commit()
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


def word(value: float) -> str:
    """Return what a number that is not finite is called."""
    return "NaN" if math.isnan(value) else "infinite"
