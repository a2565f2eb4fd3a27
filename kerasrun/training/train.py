"""One training, from the experiment to the finished run: the sentence that the whole program is about."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from kerasrun.datasets import Data, Part
from kerasrun.errors import Interrupted, KerasrunError, RunFailed
from kerasrun.experiment import Experiment, identity
from kerasrun.runs import ERROR, MODEL, Run
from kerasrun.training import devices, network
from kerasrun.training import model as models
from kerasrun.training.callbacks import (
    BestModel,
    Diverged,
    EndOfEpoch,
    Guard,
    Recorder,
    early_stopping,
    own_callbacks,
    rates,
    short,
)
from kerasrun.training.loop import Arrays, Feeder, Plan, steps_per_block
from kerasrun.training.predictions import predictions


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
    """An epoch is done and validated."""

    row: dict[str, float]
    seconds: float
    best: bool


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


def train(experiment: Experiment, run: Run, data: Data, *, watch: Watch | None = None) -> Run:
    """Train an experiment into a run folder that was just started.

    Args:
        experiment: what to train.
        run: its folder, locked.
        data: what `datasets.load(experiment)` returned.
        watch: is told what happens, for showing it.

    Returns:
        The run, finished, stopped by patience, or diverged.

    Raises:
        InputError: something was wrong before the first step; the folder is removed.
        Interrupted: a signal came; the run can be continued from its last commit.
        RunFailed, DiskError: the training failed; the folder keeps status and error.
    """
    tell = watch or (lambda event: None)
    clock = time.monotonic()
    try:
        setting = devices.prepare(experiment)
        train_part, validation_part = _arrays(data, data.train, experiment), _arrays(data, data.validation, experiment)
        built = models.build(experiment, data.task, data.train.x, data.train.y)
        plan = _plan(experiment, data, setting)
        callbacks = own_callbacks(experiment.callbacks)
        feeder = Feeder(built.model, train_part, validation_part, plan, experiment.seed)
        _record_start(run, experiment, data, setting, plan, built)
    except BaseException:
        run.discard()
        raise
    tell(Started(run, data, plan, (*data.notes, *setting.notes)))
    with Guard(lambda text: tell(Notice(text))) as guard:
        best = BestModel(*experiment.monitored)
        recorder = Recorder(run, best, experiment)
        stopping = early_stopping(experiment)
        reporter = _Reporter(tell, plan, recorder)
        order = [*rates(experiment), *callbacks, guard, best, *stopping, recorder, reporter, EndOfEpoch(guard)]
        began = time.monotonic()
        status, error = _fit(feeder, experiment, order, run)
        training = time.monotonic() - began
    recorder.commit()
    seconds = {"training": training, "epoch": float(np.median(recorder.progress.seconds or [0.0]))}
    if isinstance(error, Interrupted):
        run.finish("interrupted", seconds={**seconds, "total": time.monotonic() - clock})
        done = len(recorder.progress.rows)
        raise Interrupted(f"Interrupted after epoch {done} of {experiment.epochs}.", error.exit_code - 128)
    if status == "failed":
        message = _one_line(error)
        run.write_text(ERROR, "".join(traceback.format_exception(error)))
        run.finish("failed", error={"message": message}, seconds={**seconds, "total": time.monotonic() - clock})
        raise (
            error if isinstance(error, KerasrunError) else RunFailed(f"{message}\nsee {run.folder / ERROR}")
        ) from error
    test = _finish(feeder, best, data, experiment, run) if best.weights is not None else None
    run.finish(
        status,
        test=test,
        error={"message": str(error)} if error else None,
        seconds={**seconds, "total": time.monotonic() - clock},
        **recorder.summary(),
    )
    tell(Ended(run))
    return run


def _fit(feeder: Feeder, experiment: Experiment, callbacks: list, run: Run) -> tuple[str, BaseException | None]:
    """Train; return the status that the run ends with, and the error where there is one."""
    try:
        feeder.fit(epochs=experiment.epochs, callbacks=callbacks)
    except Diverged as error:
        return "diverged", error
    except Interrupted as error:
        return "interrupted", error
    except Exception as error:
        return "failed", error
    return ("stopped" if feeder.model.stop_training else "finished"), None


def _finish(feeder: Feeder, best: BestModel, data: Data, experiment: Experiment, run: Run) -> dict[str, float]:
    """Keep what the last and the best weights predict, and evaluate the test part once, with the best weights."""
    kept = predictions(feeder.model, data, "last")
    feeder.model.set_weights(best.weights)
    kept |= predictions(feeder.model, data, "best")
    run.write_predictions(kept)
    measured = feeder.evaluate(_arrays(data, data.test, experiment))
    return {name: short(measured[name]) for name in ("loss", *experiment.metric_names)}


def _arrays(data: Data, part: Part, experiment: Experiment) -> Arrays:
    """Return inputs, labels in the loss's form, and weights where the training part has them."""
    y = models.labels(part.y, data.task, experiment.loss)
    if part is not data.train:
        return part.x, y
    weights = models.example_weights(part.y, part.weights, experiment.class_weights)
    return (part.x, y) if weights is None else (part.x, y, weights)


def _plan(experiment: Experiment, data: Data, setting: devices.Setting) -> Plan:
    loop = "resident" if experiment.loop == "auto" else experiment.loop
    block = 1 if loop == "plain" else steps_per_block(setting.multiplications, experiment.batch_size)
    return Plan(loop, len(data.train.x), experiment.batch_size, data.passes, block, bool(experiment.jit))


def _record_start(
    run: Run, experiment: Experiment, data: Data, setting: devices.Setting, plan: Plan, built: models.Built
) -> None:
    """Write down all that is known when the first step is about to be made."""
    monitor, mode = experiment.monitored
    run.write_text(MODEL, network.summary(built.model))
    sizes = {"train": len(data.train.x), "validation": len(data.validation.x), "test": len(data.test.x)}
    run.update(
        identity=identity(experiment, data.content_hash),
        data={"hash": data.content_hash, **sizes, "synthetic": data.synthetic},
        parameters=built.network.count_params(),
        architecture=network.architecture(built.network),
        own_seeds=built.own_seeds,
        monitor=monitor,
        direction=mode,
        loop=plan.loop,
        jit=plan.jit,
        threads=setting.threads,
        device=setting.device,
        notes=list(data.notes),
    )


def _one_line(error: BaseException | None) -> str:
    """Return an error in one line; TensorFlow's begin with the node, and end with a graph's trace."""
    text = str(error).strip() or type(error).__name__
    if "OOM" in text or "allocat" in text.lower():
        return f"out of memory: the model or the batch size is too big for this machine ({text.splitlines()[0][:200]})"
    return f"{type(error).__name__}: {text.splitlines()[0][:300]}"


class _Reporter(keras.callbacks.Callback):
    """Tells what happens to whoever watches."""

    def __init__(self, tell: Watch, plan: Plan, recorder: Recorder) -> None:
        super().__init__()
        self.tell, self.plan, self.recorder = tell, plan, recorder
        self._epoch = 1

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        steps = min((batch + 1) * self.plan.block, self.plan.steps)
        self.tell(Block(self._epoch, steps, {name: float(value) for name, value in (logs or {}).items()}))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        progress = self.recorder.progress
        self.tell(Epoch(progress.rows[-1], progress.seconds[-1], self.recorder.best.epoch == epoch + 1))
