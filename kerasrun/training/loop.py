"""How batches reach `model.fit`: three ways, the same mathematics.

    resident   the arrays lie on the device; `fit` counts blocks of steps, each block is one graph call
    stream     blocks too, but each batch is fetched from the host's arrays while the one before is computed
    plain      Keras's own function, one call a step: the reference that the other two equal to the last bit

Keras's own `train_step` and `test_step` do the work in all of them, so callbacks, metrics and history are `fit`'s.
Three details decide the speed: a static batch size in the traced function, logs dropped inside the loop, and no Python
generator behind the dataset that `fit` counts with.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasrun.datasets.parts import aligned
from kerasrun.datasets.stored import Stored
from kerasrun.errors import InputError
from kerasrun.training.seeds import batch_order

Arrays = tuple[np.ndarray, ...]  # (x, y) or (x, y, sample weights), equally long
LARGEST_EVALUATION_BATCH = 1024
EVALUATION_BYTES = 64 * 2**20
BLOCK_SECONDS = 0.2
_PIECE = 4  # evaluation batches that are read from the disk at a time
RESIDENT_SHARE = 0.4  # of the free memory that the training part may fill; the rest is the model's and its gradients'


@dataclass(frozen=True)
class Plan:
    """How an epoch's steps are cut: into blocks, so that progress, interruption and snapshots stay lively.

    Args:
        loop: "resident", "stream" or "plain".
        examples: number of training examples.
        batch_size: examples a step.
        passes: how often an epoch goes through the examples.
        block: steps a graph call at most; 1 for the plain loop.
        jit: whether whole blocks are compiled with XLA, or single steps in the stream and the plain loop.
        every: steps between two evaluations inside an epoch; None for none.
        marks: further steps that a block ends with, because something is measured there.
    """

    loop: str
    examples: int
    batch_size: int
    passes: int
    block: int
    jit: bool
    every: int | None = None
    marks: tuple[int, ...] = ()

    @property
    def steps(self) -> int:
        """Steps an epoch, the last of which may be smaller."""
        return math.ceil(self.examples * self.passes / self.batch_size)

    @functools.cached_property
    def ends(self) -> tuple[int, ...]:
        """The step that each block of an epoch ends with, counted from 1; the same blocks in every epoch."""
        inside = {*range(self.block, self.steps, self.block), *self.marks}
        if self.every:
            inside.update(range(self.every, self.steps, self.every))
        return (*sorted(step for step in inside if step < self.steps), self.steps)


def choose_loop(wanted: str, model: keras.Model, size: int, free_bytes: int) -> tuple[str, tuple[str, ...]]:
    """Return the loop to use, and a line for the user where it is not what could be expected.

    Args:
        wanted: "auto", "resident", "stream" or "plain".
        model: a class with a `fit` or a train function of its own goes the plain way.
        size: of the training part, in bytes.
        free_bytes: of the device.
    """
    own = [
        name for name in ("fit", "make_train_function") if getattr(type(model), name) is not getattr(keras.Model, name)
    ]
    if own and wanted != "plain":
        return "plain", (f"plain loop: {type(model).__name__} has a {own[0]} of its own",)
    if wanted != "auto":
        return wanted, ()
    if size <= RESIDENT_SHARE * free_bytes:
        return "resident", ()
    return "stream", (f"stream loop: the training part has {size / 2**30:.1f} GiB, {free_bytes / 2**30:.1f} are free",)


def evaluation_batch(x: np.ndarray) -> int:
    """Return the batch size of every evaluation: the largest power of two up to 1024 whose inputs stay under 64 MB.

    The same in all loops, because another one changes the last digits of the loss.
    """
    bytes_each = max(1, x[:1].nbytes)
    fitting = max(1, EVALUATION_BYTES // bytes_each)
    return min(LARGEST_EVALUATION_BATCH, 2 ** int(math.log2(fitting)))


def on_device(array: np.ndarray) -> tf.Tensor:
    """Return an array as a tensor on the device; on the CPU it is the same memory, which must not change any more."""
    if isinstance(array, Stored):
        array = array[:]
    if not array.size or tf.config.list_logical_devices("GPU"):
        return tf.constant(array)
    if not array.flags.c_contiguous or not array.flags.writeable or array.ctypes.data % 64:
        copy = aligned(array.shape, array.dtype)
        copy[...] = array
        array = copy
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())


def predictor(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from inputs (n, …) to a model's outputs with its present weights, float32 (n, outputs)."""
    forward = tf.function(functools.partial(model, training=False), autograph=False, reduce_retracing=True)

    def predict(x: np.ndarray) -> np.ndarray:
        batch = evaluation_batch(x)
        outputs = []
        for start in range(0, len(x), batch):
            rows = x[start : start + batch]
            filling = np.broadcast_to(x[:1], (batch - len(rows), *x.shape[1:]))  # one shape, so one trace
            outputs.append(forward(np.concatenate([rows, filling]) if len(filling) else rows))
        return np.concatenate(outputs).astype(np.float32)[: len(x)]

    return predict


def steps_per_block(multiplications: int, batch_size: int) -> int:
    """Return how many steps take about 0.2 s.

    Args:
        multiplications: of one example's forward pass, as `devices.forward_multiplications` counts them.
        batch_size: examples a step.
    """
    seconds = 1e-4 + 3 * multiplications * batch_size / 20e9  # forward and backward at 20 GFLOP/s, seen on two cores
    return max(1, round(BLOCK_SECONDS / seconds))


class Feeder:
    """Puts batches before a compiled model: prepares `fit` and evaluates.

    Args:
        model: compiled, and not yet trained.
        train: the training part.
        validation: the validation part.
        plan: how the steps are cut.
        seed: decides the order of the batches.

    Raises:
        InputError: a metric gives several numbers.
    """

    def __init__(self, model: keras.Model, train: Arrays, validation: Arrays, plan: Plan, seed: int) -> None:
        self.model, self.train, self.validation, self.plan, self.seed = model, train, validation, plan, seed
        self._build()

    def fit(
        self, *, epochs: int, callbacks: list[keras.callbacks.Callback], first_epoch: int = 0, first_block: int = 0
    ) -> None:
        """Train; validation after every epoch.

        Args:
            epochs: number of the last epoch, counted from 1.
            callbacks: Keras callbacks; their batches are blocks.
            first_epoch: epochs that are done already.
            first_block: blocks of the epoch after them that are done already.
        """
        prepare = {"resident": self._resident, "stream": self._stream, "plain": self._plain}[self.plan.loop]
        data = prepare(first_epoch, first_block)
        if first_block:
            self._pass_over(first_block)
        # with use_ema, `fit` would end by writing averages over the weights that were measured
        self.model.optimizer.finalize_variable_values = lambda variables: None
        self.model.fit(
            data,
            epochs=epochs,
            initial_epoch=first_epoch,
            steps_per_epoch=len(self.plan.ends),
            validation_data=self._counted(self.validation),
            validation_steps=1,
            shuffle=False,
            callbacks=callbacks,
            verbose=0,
        )

    def evaluate(self, part: Arrays) -> dict[str, float]:
        """Return loss and metrics of the model's present weights on a part."""
        return self.evaluator(part)()

    def evaluator(self, part: Arrays) -> Callable[[], dict[str, float]]:
        """Return a function that evaluates the model's weights of the moment on a part; running means are put back."""
        evaluation, means = self._evaluation(part), self.model.metrics_variables

        def evaluate() -> dict[str, float]:
            kept = [np.array(keras.ops.convert_to_numpy(variable)) for variable in means]
            self.model.reset_metrics()
            logs = {name: float(value) for name, value in evaluation(None).items()}
            for variable, value in zip(means, kept, strict=True):
                variable.assign(value)
            return logs

        return evaluate

    def _build(self) -> None:
        """Make the metrics' and the optimizer's variables, which cannot be made inside a graph's loop."""
        self.model.test_step(tuple(array[:1] for array in self.validation))
        for name, value in self.model.get_metrics_result().items():
            if np.ndim(value):
                raise InputError(
                    f"metric {name} gives {np.size(value)} numbers, and one is wanted\n"
                    "give it one threshold, or average=macro"
                )
        self.model.reset_metrics()
        if self.model.optimizer is not None:
            self.model.optimizer.build(self.model.trainable_variables)
        self._walk_evaluation = _walker(self.model, self.model.test_step, self.plan.jit)
        self.predict = predictor(self.model)
        self.model.test_function = self._evaluation(self.validation)

    def _counted(self, arrays: Arrays) -> tf.data.Dataset:
        """Return a dataset that `fit` counts with and never reads."""
        return tf.data.Dataset.from_tensors(tuple(array[:1] for array in arrays)).repeat()

    def _evaluation(self, part: Arrays) -> Callable[[Any], dict[str, tf.Tensor]]:
        """Return a test function that walks through a whole part."""
        batch, size = evaluation_batch(part[0]), len(part[0])
        if isinstance(part[0], Stored):
            return lambda _: self._evaluate_stored(part, batch)
        resident, order = tuple(on_device(array) for array in part), np.arange(size, dtype=np.int32)
        return lambda _: _walk_all(self._walk_evaluation, resident, order, batch)

    def _evaluate_stored(self, part: Arrays, batch: int) -> dict[str, tf.Tensor]:
        """Walk through a part of which a few batches at a time are read: the same batches as of one in memory."""
        logs: dict[str, tf.Tensor] = {}
        for start in range(0, len(part[0]), _PIECE * batch):
            piece = tuple(on_device(array[start : start + _PIECE * batch]) for array in part)
            logs = _walk_all(self._walk_evaluation, piece, np.arange(len(piece[0]), dtype=np.int32), batch)
        return logs

    def _pass_over(self, blocks: int) -> None:
        """Let the first calls of the train function do nothing: an earlier process has done these blocks."""
        self.model.make_train_function()
        train_function, left = self.model.train_function, iter(range(blocks))
        self.model.train_function = lambda iterator: (
            self.model.get_metrics_result() if next(left, None) is not None else train_function(iterator)
        )

    def _resident(self, first_epoch: int, first_block: int) -> tf.data.Dataset:
        walk = _walker(self.model, self.model.train_step, self.plan.jit)
        resident = tuple(on_device(array) for array in self.train)
        blocks = self._pieces(first_epoch, first_block, self.plan.ends)
        self.model.train_function = lambda _: _walk_all(walk, resident, next(blocks), self.plan.batch_size)
        return self._counted(self.train)

    def _stream(self, first_epoch: int, first_block: int) -> tf.data.Dataset:
        iterator = iter(self._batches(first_epoch, first_block).prefetch(tf.data.AUTOTUNE))
        walk = _streamer(self.model, self.model.train_step, self.plan, self.train)
        blocks = self._pieces(first_epoch, first_block, self.plan.ends)
        self.model.train_function = lambda _: walk(iterator, len(next(blocks)))
        return self._counted(self.train)

    def _plain(self, first_epoch: int, first_block: int) -> tf.data.Dataset:
        return self._batches(first_epoch, first_block)

    def _pieces(self, first_epoch: int, first_block: int, ends: Sequence[int]) -> Iterator[np.ndarray]:
        """Yield the indices of the steps up to each end, epoch after epoch, int32 (steps * batch,)."""
        size = self.plan.batch_size
        epoch, step = first_epoch, self.plan.ends[first_block - 1] if first_block else 0
        while True:
            order = batch_order(self.seed, epoch, self.plan.examples, self.plan.passes)
            for end in ends:
                if end > step:
                    yield order[step * size : end * size]
                    step = end
            epoch, step = epoch + 1, 0

    def _batches(self, first_epoch: int, first_block: int) -> tf.data.Dataset:
        """Return the batches of all epochs, gathered from the host's arrays in the order of each epoch."""
        kinds = [array.dtype for array in self.train]

        def gather(chosen: tf.Tensor) -> tuple[tf.Tensor, ...]:
            rows = tf.numpy_function(lambda i: [array[i] for array in self.train], [chosen], kinds)
            for tensor, array in zip(rows, self.train, strict=True):
                tensor.set_shape((None, *array.shape[1:]))
            return tuple(rows)

        indices = tf.data.Dataset.from_generator(
            lambda: self._pieces(first_epoch, first_block, range(1, self.plan.steps + 1)),
            output_signature=tf.TensorSpec((None,), tf.int32),
        )
        return indices.map(gather, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def _walker(model: keras.Model, step: Callable, jit: bool) -> Callable[..., dict[str, tf.Tensor]]:
    """Return a function that applies a Keras step to many batches in one graph call.

    It takes arrays on the device, (n, …) each, their indices, int32 (steps, batch), and the size of a batch, None for
    any: with an unknown one a step costs half as much again, but one trace serves every last batch.
    """

    @tf.function(jit_compile=jit, autograph=False)  # as Keras: its own steps are never rewritten
    def walk(arrays: tuple[tf.Tensor, ...], block: tf.Tensor) -> dict[str, tf.Tensor]:
        def body(i: tf.Tensor) -> tf.Tensor:
            step(tuple(tf.gather(array, block[i]) for array in arrays))  # its logs are dropped, and so pruned
            return i + 1

        tf.while_loop(lambda i: i < tf.shape(block)[0], body, [0], parallel_iterations=1)
        return model.get_metrics_result()

    traced: dict[int | None, Callable] = {}

    def run(arrays: tuple[tf.Tensor, ...], block: np.ndarray, size: int | None) -> dict[str, tf.Tensor]:
        if size not in traced:
            specs = tuple(tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in arrays)
            with _philox():
                traced[size] = walk.get_concrete_function(specs, tf.TensorSpec((None, size), tf.int32))
        return traced[size](arrays, tf.constant(block))

    return run


@contextmanager
def _philox() -> Iterator[None]:
    """Name dropout's generator while a step is traced: the same numbers, but XLA on a CPU draws them faster.

    Seen with dense 784-100-10, dropout 0.2, batch 32: an epoch of 12,000 images 1.0 s with "auto_select", 0.2 s so.
    """
    original = tf.nn.experimental.stateless_dropout
    tf.nn.experimental.stateless_dropout = functools.partial(original, rng_alg="philox")
    try:
        yield
    finally:
        tf.nn.experimental.stateless_dropout = original


def _walk_all(walk: Callable, arrays: tuple, indices: np.ndarray, batch: int) -> dict[str, tf.Tensor]:
    """Walk through whole batches, then through the smaller last one."""
    whole = len(indices) // batch * batch
    logs: dict[str, tf.Tensor] = {}
    if whole:
        logs = walk(arrays, indices[:whole].reshape(-1, batch), batch)
    if whole < len(indices):
        logs = walk(arrays, indices[whole:].reshape(1, -1), None)
    return logs


def _streamer(model: keras.Model, step: Callable, plan: Plan, arrays: Arrays) -> Callable:
    """Return a function of an iterator and a number of examples that takes their batches in one graph call."""

    def make(batch: tuple[tf.Tensor, ...]) -> None:
        with _philox():
            step(batch)

    if plan.jit:  # step by step: XLA can fetch no batch
        make = tf.function(make, jit_compile=True, autograph=False)

    def take(iterator: Any, size: int) -> None:
        batch = next(iterator)
        for tensor, array in zip(batch, arrays, strict=True):
            tensor.set_shape((size, *array.shape[1:]))
        make(batch)

    @tf.function(autograph=False)
    def whole(iterator: Any, steps: tf.Tensor) -> dict[str, tf.Tensor]:
        def body(i: tf.Tensor) -> tf.Tensor:
            take(iterator, plan.batch_size)
            return i + 1

        tf.while_loop(lambda i: i < steps, body, [0], parallel_iterations=1)
        return model.get_metrics_result()

    @tf.function(autograph=False)
    def smaller(iterator: Any) -> dict[str, tf.Tensor]:
        take(iterator, plan.examples * plan.passes % plan.batch_size)
        return model.get_metrics_result()

    def run(iterator: Any, examples: int) -> dict[str, tf.Tensor]:
        steps, rest = divmod(examples, plan.batch_size)
        logs = whole(iterator, tf.constant(steps)) if steps else {}
        return smaller(iterator) if rest else logs

    return run
