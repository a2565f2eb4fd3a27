"""One training, from the experiment to the finished run: the sentence that the whole program is about."""

from __future__ import annotations

import hashlib
import math
import time
import traceback
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasrun import compile_cache, environment
from kerasrun.continuation import differences, made_with
from kerasrun.datasets import Data
from kerasrun.environment import versions
from kerasrun.errors import DiskError, Interrupted, KerasrunError, Pruned, RunFailed
from kerasrun.experiment import Experiment, identity, to_record
from kerasrun.layers import lsuv
from kerasrun.run_record import FINAL
from kerasrun.runs import BEST, ENDED, ERROR, MODEL, RECIPE, Run, now
from kerasrun.training import devices, inputs, network, saved_models
from kerasrun.training import model as models
from kerasrun.training.callbacks import (
    BestModel,
    Diverged,
    EndOfEpoch,
    Guard,
    Progress,
    Recorder,
    early_stopping,
    rates,
    short,
    word,
)
from kerasrun.training.events import Ended, Notice, Reporter, Started, Watch
from kerasrun.training.loop import Arrays, Feeder, Plan, choose_loop, steps_per_block
from kerasrun.training.measuring import EARLY_STEPS, Measuring
from kerasrun.training.own_code import own_callback
from kerasrun.training.predictions import predictions
from kerasrun.training.snapshot import Restorer, State, capture, keeps_state, put_back

UNSAVED = (DiskError, Interrupted)  # what is since the last commit is lost


def train(
    experiment: Experiment,
    run: Run,
    data: Data,
    *,
    state: State | None = None,
    resuming: bool = False,
    watch: Watch | None = None,
) -> Run:
    """Train an experiment into its run folder.

    Args:
        experiment: what to train.
        run: its folder, locked.
        data: what `datasets.load(experiment)` returned.
        state: where an earlier process stopped; None for a training from the start.
        resuming: whether the folder is that of an earlier process, which is kept whatever happens.
        watch: is told what happens, for showing it.

    Returns:
        The run, finished, stopped by patience, or diverged.

    Raises:
        InputError: something was wrong before the first step; the folder of a new run is removed.
        Interrupted: a signal came; the run can be continued from its last commit.
        RunFailed, DiskError: the training failed; the folder keeps status and error.
    """
    tell = watch or (lambda event: None)
    clock = time.monotonic()
    before = made_with(run)
    try:
        prepared = _prepare(experiment, run, data, fresh=state is None)
    except BaseException:
        if not resuming:
            run.discard()
        raise
    notes = (
        *environment.warnings(run.folder),
        *data.notes,
        *prepared.setting.notes,
        *(_note_resuming(run, state, before, prepared.own_callbacks) if resuming else ()),
    )
    tell(Started(run, data, prepared.feeder.plan, notes))
    began = environment.clock()
    with Guard(lambda text: tell(Notice(text))) as guard:
        outcome = _fit(prepared, experiment, run, guard, state, tell)
    measured = prepared.measuring.summary() if prepared.measuring else {}
    done = {} if isinstance(outcome.error, UNSAVED) else outcome.recorder.summary()
    ending: dict[str, Any] = {**done, **measured, "others_busy": environment.others_busy(began)}
    best = outcome.recorder.best.weights
    if outcome.status in ENDED and best is not None:
        is_last = ending["best_epoch"] == ending["epochs_run"] and outcome.status != "diverged"
        ending["best_weights"] = _digest(best)
        tested = _finish(prepared.feeder, best, data, experiment, run, is_last=is_last)
        ending["test"] = {name: value for name, value in tested.items() if math.isfinite(value)}
        for name in [name for name in tested if name not in ending["test"]]:
            tell(Notice(f"test_{name} is {word(tested[name])}, and not recorded"))
        try:
            inputs.check_saved(run, data, prepared.feeder)
        except RunFailed as fault:
            outcome = replace(outcome, status="failed", error=fault)
    ending["error"] = {"message": _one_line(outcome.error)} if outcome.error else None
    if prepared.setting.jit:
        compile_cache.seal()
    ending["seconds"] = _seconds(run, outcome, time.monotonic() - clock)
    with suppress(DiskError) if isinstance(outcome.error, DiskError) else nullcontext():
        if outcome.status == "failed":
            run.write({ERROR: "".join(traceback.format_exception(outcome.error))})
        run.finish(outcome.status, **ending)
    if outcome.status in FINAL:
        run.drop_states()  # after the record, or a kill in between would train all again
    _raise(outcome, run, experiment, saved=guard.saved)
    tell(Ended(run))
    return run


def _note_resuming(
    run: Run, state: State | None, before: dict[str, Any], callbacks: list[keras.callbacks.Callback]
) -> list[str]:
    """Record that another process goes on with the run; return what the user should know of it.

    Args:
        run: prepared for going on.
        state: where it goes on; None for the start.
        before: what `made_with` said before it was prepared.
        callbacks: the user's own.
    """
    done = state.epochs if state else 0
    changed = differences(run, before)
    if state:
        names = run.record["experiment"]["callbacks"]
        forgetting = [name for name, callback in zip(names, callbacks, strict=True) if not keeps_state(callback)]
        changed += [f"callback {name} has no get_state and begins anew; the resume is not exact" for name in forgetting]
    entry = {"at": now(), "epochs": done, "versions": versions(), "differences": changed}
    run.update(resumed=[*run.record.get("resumed", []), entry])
    (run.folder / ERROR).unlink(missing_ok=True)
    return [f"resumed after epoch {done}", *changed]


@dataclass(frozen=True)
class _Prepared:
    """All that exists before the first step."""

    feeder: Feeder
    setting: devices.Setting
    own_callbacks: list[keras.callbacks.Callback]
    measuring: Measuring | None


@dataclass(frozen=True)
class _Outcome:
    """How the steps ended: the status, the error where there is one, and the seconds they took."""

    status: str
    error: BaseException | None
    recorder: Recorder
    seconds: float


def _prepare(experiment: Experiment, run: Run, data: Data, *, fresh: bool) -> _Prepared:
    """Choose the device, build the model, put the data before it, and write down what is known."""
    setting = devices.prepare(experiment, data.task)
    train_part, validation_part = (models.arrays(data, part, experiment) for part in (data.train, data.validation))
    built = models.build(
        experiment, data.task, data.train.x, data.train.y, inputs=data.inputs, jit=setting.jit, fresh=fresh
    )
    plan, notes = _plan(experiment, built.model, train_part, data.passes, setting, run)
    setting = replace(setting, notes=(*setting.notes, *notes, *lsuv.warnings(built.lsuv)))
    callbacks = [own_callback(reference) for reference in experiment.callbacks]
    feeder = Feeder(built.model, train_part, validation_part, plan, experiment.seed)
    _record_start(run, experiment, data, setting, plan, built)
    wanted = experiment.evaluate_train or experiment.health or plan.every
    return _Prepared(feeder, setting, callbacks, Measuring(experiment, feeder, data) if wanted else None)


def _fit(
    prepared: _Prepared, experiment: Experiment, run: Run, guard: Guard, state: State | None, tell: Watch
) -> _Outcome:
    """Train to the end, or to whatever ends it before."""
    feeder, model = prepared.feeder, prepared.feeder.model
    best = BestModel(*experiment.monitored)
    measuring = [prepared.measuring] if prepared.measuring else []
    counting = [*rates(experiment), *measuring, *prepared.own_callbacks, guard, best, *early_stopping(experiment)]
    recorder = Recorder(
        run, best, guard, experiment, prepared.measuring,
        lambda blocks: capture(model, recorder.progress, counting, blocks),
    )  # fmt: skip
    if state is not None:
        recorder.progress = Progress(list(state.rows), list(state.seconds))
        if (run.folder / BEST).exists():  # a best epoch after the state will be trained again, to the same weights
            best.weights = saved_models.saved_weights(model, run.folder / BEST)
            run.note_best()
        recorder.passed_over = (state.epochs, state.blocks)
        guard.saved = state.epochs
    reporter = Reporter(tell, feeder.plan, recorder)
    callbacks = [*counting, recorder, reporter, EndOfEpoch(guard, recorder), Restorer(state, counting)]
    began = time.monotonic()
    error: BaseException | None = None
    try:
        trains = bool(model.trainable_variables)
        if state is not None and (state.stopped or state.epochs >= experiment.epochs or not trains):
            put_back(state, model, counting)
            model.stop_training = state.stopped
        elif not trains:
            recorder.set_model(model)
            for callback in measuring:
                callback.on_epoch_begin(0)
            recorder.add_untrained(feeder.evaluate(feeder.train), feeder.evaluate(feeder.validation))
        else:
            epochs, blocks = (state.epochs, state.blocks) if state else (0, 0)
            feeder.fit(epochs=experiment.epochs, callbacks=callbacks, first_epoch=epochs, first_block=blocks)
        status = "stopped" if model.stop_training else "finished"
    except Exception as fault:
        error = fault
        status = {Diverged: "diverged", Interrupted: "interrupted", Pruned: "pruned"}.get(type(fault), "failed")
    if not isinstance(error, UNSAVED):
        recorder.write_tables()  # without a state where a fault came in the middle of an epoch
    return _Outcome(status, error, recorder, time.monotonic() - began)


def _digest(weights: list[np.ndarray]) -> str:
    """Return the sha256 of weights, in hexadecimal: a .keras file holds a date, so that its bytes tell nothing."""
    digest = hashlib.sha256()
    for array in weights:
        digest.update(f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _finish(
    feeder: Feeder, best: list[np.ndarray], data: Data, experiment: Experiment, run: Run, *, is_last: bool
) -> dict[str, float]:
    """Keep what the last and the best weights predict, and evaluate the test part once, with the best weights."""
    kept = predictions(feeder, data, "last")
    feeder.model.set_weights(best)
    if is_last:
        kept |= {name.replace("_last", "_best"): array for name, array in kept.items()}
    else:
        kept |= predictions(feeder, data, "best")
    run.write_predictions(kept)
    measured = feeder.evaluate(models.arrays(data, data.test, experiment))
    return {name: short(measured[name]) for name in ("loss", *experiment.metric_names)}


def _seconds(run: Run, outcome: _Outcome, total: float) -> dict[str, float]:
    """Return the run's seconds over all its processes: in all, in training, and the median epoch's."""
    before = run.record.get("seconds") or {"total": 0.0, "training": 0.0}
    epoch = float(np.median(outcome.recorder.progress.seconds or [0.0]))
    return {"total": before["total"] + total, "training": before["training"] + outcome.seconds, "epoch": epoch}


def _raise(outcome: _Outcome, run: Run, experiment: Experiment, *, saved: int) -> None:
    """Raise what the caller must know of a training that did not come to its end."""
    error = outcome.error
    if isinstance(error, Interrupted):
        text = f"Interrupted after epoch {saved} of {experiment.epochs}. Continue: kerasrun resume {run.id}"
        raise Interrupted(text, error.exit_code - 128)
    if outcome.status == "failed":
        if isinstance(error, KerasrunError):
            raise error
        raise RunFailed(f"{_one_line(error)}\nsee {run.folder / ERROR}") from error


def _plan(
    experiment: Experiment, model: keras.Model, train: Arrays, passes: int, setting: devices.Setting, before: Run
) -> tuple[Plan, tuple[str, ...]]:
    """Choose the loop and cut the epoch; a resumed run keeps its blocks. Also return lines for the user."""
    size = sum(array.nbytes for array in train)
    loop, notes = choose_loop(experiment.loop, model, size, setting.free_bytes)
    block, marks = before.record.get("block"), tuple(before.record.get("marks", ()))
    if block is None:
        marks = EARLY_STEPS if experiment.health else ()
        block = 1 if loop == "plain" else steps_per_block(setting.multiplications, experiment.batch_size)
    if block > 1 and experiment.callbacks:
        notes = (*notes, f"callbacks: a batch in the {loop} loop is a block of {block} steps; epochs are epochs")
    plan = Plan(loop, len(train[0]), experiment.batch_size, passes, block, setting.jit, marks=marks)
    if experiment.validate_every:
        plan = replace(plan, every=max(1, round(experiment.validate_every * plan.steps)))
    return plan, notes


def _record_start(
    run: Run, experiment: Experiment, data: Data, setting: devices.Setting, plan: Plan, built: models.Built
) -> None:
    """Write down all that is known when the first step is about to be made."""
    monitor, mode = experiment.monitored
    asked = to_record(experiment)
    if experiment.recipe.startswith(f"{(run.folder / RECIPE).resolve()}:"):  # the copy, used in place of its original
        asked["recipe"] = run.record["experiment"]["recipe"]
    run.write({MODEL: network.summary(built.model)})
    sizes = {"train": len(data.train.x), "validation": len(data.validation.x), "test": len(data.test.x)}
    found = {"hash": data.content_hash, **sizes, **_guessing(data), "synthetic": data.synthetic}
    if data.skipped:
        found["skipped"] = [list(file) for file in data.skipped]
    run.update(
        status="running",
        ended=None,
        experiment=asked,
        experiment_hash=identity(experiment, ""),
        identity=identity(experiment, data.content_hash),
        data=found,
        task=_task(data),
        inputs=data.inputs.record() if data.inputs else None,
        parameters=built.network.count_params(),
        architecture=network.architecture(built.network),
        own_seeds=built.own_seeds,
        **({"lsuv": built.lsuv} if built.lsuv else {}),
        monitor=monitor,
        direction=mode,
        loop=plan.loop,
        block=plan.block,
        **({"marks": plan.marks} if plan.marks else {}),
        jit=plan.jit,
        threads=setting.threads,
        device=setting.device,
        notes=list(data.notes),
    )


def _task(data: Data) -> dict[str, Any]:
    """Return what a prediction has to know: the kind, the classes' names, shape and dtype of one example."""
    names = data.task.class_names and [*data.task.class_names]
    shape, dtype = [*data.train.x.shape[1:]], str(data.train.x.dtype)
    return {"kind": data.task.kind, "classes": names, "shape": shape, "dtype": dtype}


def _guessing(data: Data) -> dict[str, Any]:
    """Return the number of classes, and the validation accuracy of always guessing the most frequent one."""
    if not data.task.num_classes:
        return {}
    return {
        "classes": data.task.num_classes,
        "chance": float(np.bincount(data.validation.y).max() / len(data.validation.y)),
    }


def _one_line(error: BaseException | None) -> str:
    """Return an error in one line; TensorFlow's begin with the node, and end with a graph's trace."""
    text = str(error).strip() or type(error).__name__
    if isinstance(error, KerasrunError):
        return text.splitlines()[0]
    if isinstance(error, MemoryError | tf.errors.ResourceExhaustedError) or "RESOURCE_EXHAUSTED" in text:
        return f"out of memory: the model or the batch size is too big for this machine ({text.splitlines()[0][:200]})"
    return f"{type(error).__name__}: {text.splitlines()[0][:300]}"
