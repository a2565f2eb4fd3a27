"""Exact resume: all that decides how a training goes on, in one file, and back into a model that was just built.

Keras saves the state of noise generators nowhere, and its callbacks begin anew in every process. The order of the
batches is a pure function of seed and epoch, so nothing of it has to be kept.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field, fields
from typing import Any

import keras
import numpy as np

from kerasrun import atomic
from kerasrun.errors import InputError
from kerasrun.runs import Run
from kerasrun.training.callbacks import BestModel, Progress, Rate

# What a callback counts; EarlyStopping and ReduceLROnPlateau reset theirs when a training begins
COUNTERS: dict[type, tuple[str, ...]] = {
    keras.callbacks.EarlyStopping: ("best", "wait", "best_epoch", "stopped_epoch"),
    keras.callbacks.ReduceLROnPlateau: ("best", "wait", "cooldown_counter"),
    BestModel: ("best", "epoch"),
    Rate: ("base",),
}
ARRAYS = ("weights", "optimizer", "metrics")  # what of a state is arrays


@dataclass(frozen=True)
class State:
    """A training at the end of an epoch, or between two blocks of one.

    Args:
        epochs: finished epochs.
        blocks: finished blocks of the epoch after them.
        stopped: whether a callback has ended the training.
        rows: the rows of metrics.csv.
        seconds: of each finished epoch.
        counters: what each callback counts, in the order of the callbacks; None where nothing is known of one.
        weights: all variables of the model: weights, moving averages, noise generators.
        optimizer: all variables of the optimizer: steps, learning rate, moments, loss scale.
        metrics: the running means, where the state lies inside an epoch.
    """

    epochs: int
    blocks: int
    stopped: bool
    rows: list[dict[str, float]]
    seconds: list[float]
    counters: list[dict[str, Any] | None]
    weights: list[np.ndarray] = field(repr=False)
    optimizer: list[np.ndarray] = field(repr=False)
    metrics: list[np.ndarray] = field(repr=False)


def capture(model: keras.Model, progress: Progress, callbacks: list[keras.callbacks.Callback], blocks: int) -> bytes:
    """Return the state of a training as bytes.

    Args:
        model: being trained.
        progress: its finished epochs.
        callbacks: those that count something, in their order.
        blocks: finished blocks of the running epoch; 0 at the end of an epoch.
    """
    metrics = model.metrics_variables if blocks else []
    return pack(
        State(
            epochs=len(progress.rows),
            blocks=blocks,
            stopped=bool(model.stop_training),
            rows=progress.rows,
            seconds=progress.seconds,
            counters=[_counter(callback) for callback in callbacks],
            weights=_copies(model.variables),
            optimizer=_copies(_optimizer_variables(model)),
            metrics=_copies(metrics),
        )
    )


def put_back(state: State, model: keras.Model, callbacks: list[keras.callbacks.Callback]) -> None:
    """Put a state back into a built model and its callbacks.

    Raises:
        InputError: the model has other variables than the state.
    """
    _assign(model.variables, state.weights, "model")
    _assign(_optimizer_variables(model), state.optimizer, "optimizer")
    _put_back_counters(state, callbacks)


def keeps_state(callback: keras.callbacks.Callback) -> bool:
    """Tell whether what a callback counts goes on in another process."""
    return hasattr(callback, "get_state") or isinstance(callback, tuple(COUNTERS))


def _put_back_counters(state: State, callbacks: list[keras.callbacks.Callback]) -> None:
    # the last of them, early stopping, is not there without patience, which may come and go between two processes
    for callback, counter in zip(callbacks, state.counters, strict=False):
        if counter is not None and hasattr(callback, "set_state"):
            callback.set_state(counter)
        elif counter is not None:
            for name, value in counter.items():
                setattr(callback, name, value)


def pack(state: State) -> bytes:
    """Return a state as bytes: the sha256 of what follows, then one NumPy array after another, the first of them JSON.

    A zip, as np.savez writes it, takes three times as long.
    """
    values = {f.name: getattr(state, f.name) for f in fields(state) if f.name not in ARRAYS}
    values["arrays"] = {name: len(getattr(state, name)) for name in ARRAYS}
    buffer = io.BytesIO()
    np.save(buffer, np.frombuffer(json.dumps(values).encode(), dtype=np.uint8))
    for name in ARRAYS:
        for array in getattr(state, name):
            np.save(buffer, array, allow_pickle=False)
    return atomic.sealed(buffer.getvalue())


def unpack(content: bytes) -> State:
    """Return the state that `pack` wrote.

    Raises:
        ValueError: a single bit differs.
    """
    buffer = io.BytesIO(atomic.unsealed(content))
    values = json.loads(np.load(buffer, allow_pickle=False).tobytes())
    arrays = {
        name: [np.load(buffer, allow_pickle=False) for _ in range(count)]
        for name, count in values.pop("arrays").items()
    }
    return State(**values | arrays)


def last_state(run: Run) -> State | None:
    """Return a run's last state, or the one before it where the last is damaged; None where there is none.

    Raises:
        InputError: there are states, and all of them are damaged.
    """
    damaged = []
    for name, content in run.read_states():
        try:
            state = unpack(content)
        except (ValueError, KeyError, TypeError, OSError) as error:
            damaged.append(f"{run.folder / name}: damaged: {error}")
            run.log(damaged[-1])
        else:
            return state
    if damaged:
        raise InputError(
            "\n".join([*damaged[:2], "the run cannot go on; metrics.csv and best.keras are kept; train anew"])
        )
    return None


class Restorer(keras.callbacks.Callback):
    """Puts a state back when `fit` has begun: stands last, after the callbacks have reset themselves.

    Args:
        state: what to put back; None for a training from the start.
        callbacks: all callbacks before this one, in their order.
    """

    def __init__(self, state: State | None, callbacks: list[keras.callbacks.Callback]) -> None:
        super().__init__()
        self.state, self.callbacks = state, callbacks
        self._epoch = 0

    def on_train_begin(self, logs: Any = None) -> None:
        """Put back the variables and the callbacks' counters."""
        if self.state is not None:
            put_back(self.state, self.model, self.callbacks)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Put back the running means, which `fit` has just reset, where the state lies inside the epoch."""
        self._epoch = epoch
        if self.state is not None and epoch == self.state.epochs and self.state.blocks:
            _assign(self.model.metrics_variables, self.state.metrics, "metrics")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Put back the counters once more: the blocks that were passed over were counted again."""
        if self.state is not None and batch + 1 == self.state.blocks and self._epoch == self.state.epochs:
            _put_back_counters(self.state, self.callbacks)


def _copies(variables: list[Any]) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def _optimizer_variables(model: keras.Model) -> list[Any]:
    return model.optimizer.variables if model.optimizer else []


def _counter(callback: keras.callbacks.Callback) -> dict[str, Any] | None:
    if hasattr(callback, "get_state"):
        return callback.get_state()
    names = next((names for kind, names in COUNTERS.items() if isinstance(callback, kind)), None)
    if names is None:
        return None
    values = {name: getattr(callback, name) for name in names}
    return {n: v if v is None or isinstance(v, int) else float(v) for n, v in values.items()}


def _assign(variables: list[Any], arrays: list[np.ndarray], whose: str) -> None:
    shapes = [tuple(variable.shape) for variable in variables]
    if shapes != [array.shape for array in arrays]:
        raise InputError(
            f"the saved state does not fit the {whose} that the recipe builds now\n"
            "the recipe or the versions have changed since; train anew, or resume with what the run was made with"
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
