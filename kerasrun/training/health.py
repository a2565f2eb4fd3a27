"""The health of a network, layer by layer, on a fixed batch: does the signal reach the end, the gradient the beginning?

One forward and one backward pass with the training's loss, dropout off, batch normalization on the statistics of the
batch. All variables are put back: a training that is measured gives the bits of one that is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasrun.datasets import Data
from kerasrun.experiment import Experiment
from kerasrun.layers import Maxout, Step
from kerasrun.training import model as models
from kerasrun.training.loop import Arrays
from kerasrun.training.seeds import fixed_examples

COLUMNS = (
    "step", "epoch", "layer", "kind", "units", "activation", "gradient", "kernel_gradient", "kernel_gradient_rms",
    "weights", "gradient_ratio", "update_ratio", "mean", "deviation", "zeros", "saturated", "dead", "loss",
)  # fmt: skip
Row = dict[str, Any]
LARGEST_BATCH = 1024
MEMORY = 2**30  # bytes that the outputs of all layers may take
FLAT = 0.01  # part of an activation's steepest slope below which a unit counts as saturated
_SLOPES: dict[str, Callable[[Any], Any]] = {  # from the output; the steepest is 1
    "sigmoid": lambda a: 4 * a * (1 - a),
    "tanh": lambda a: 1 - a * a,
}
_ACTIVATIONS = (
    keras.layers.Activation, keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.PReLU, keras.layers.ELU,
    keras.layers.Softmax, Maxout, Step,
)  # fmt: skip


class Health:
    """Measures a compiled model.

    Args:
        model: compiled, with its metrics and its optimizer built.
        batch: inputs and labels as the model is trained with, (n, …) each; not all of them where memory is short.
    """

    def __init__(self, model: keras.Model, batch: Arrays) -> None:
        self.model = model
        self.examples = _batch_size(model, len(batch[0]))
        self._batch = tuple(tf.constant(array[: self.examples]) for array in batch[:2])
        self._probes: list[_Probe] = []
        self._traced: Callable[[Any], Any] | None = None

    def measure(self, epoch: int | None, step: int | None = None) -> list[Row]:
        """Return a row for the input and one for each layer with a matrix of weights, in the order of their calls.

        gradient        RMS over examples and units of the derivative of an example's loss by what enters the
                        non-linearity: the delta of the chain rule
        kernel_gradient, weights    Frobenius norms; kernel_gradient_rms for comparing layers of different sizes
        gradient_ratio, update_ratio    gradient, and what the optimizer would do now, by the norm of the weights
        mean, deviation, zeros      of the outputs; the latter a share
        saturated       share of the outputs of sigmoid and tanh where the slope is below a hundredth of the steepest
        dead            share of ReLU units that give 0 for every example
        loss            of the batch, the same in every row

        Args:
            epoch: finished epochs; 0 before the first step, None inside an epoch.
            step: steps since the start, where they are known.

        Returns:
            Rows with the keys COLUMNS, numbers as float; None where a number has no meaning.
        """
        if self._traced is None:
            traced = tf.function(self._graph, autograph=False)
            self._traced = traced.get_concrete_function(tf.TensorSpec((), tf.float32))
        scale = float(self.model.optimizer.scale_loss(1.0))  # mixed precision multiplies, lest gradients become 0
        while True:
            loss, entering, measured, norms = self._traced(tf.constant(scale))
            if scale <= 1 or all(math.isfinite(numbers.get("gradient", 0.0)) for numbers in measured):
                break
            scale /= 2**5  # beyond float16's largest number; training lowers its own scale in the same way
        rows = [{"layer": "input", **entering}] if entering else []
        rows += [_row(*parts) for parts in zip(self._probes, measured, norms, strict=True)]
        common = {"step": step, "epoch": epoch, "loss": loss}
        return [{name: _plain({**row, **common}.get(name)) for name in COLUMNS} for row in rows]

    def _graph(self, scale: Any) -> tuple:
        """Return loss, moments of the network's inputs and the measures of each probe; put all variables back."""
        model, (x, y) = self.model, self._batch
        variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
        kept = [tf.identity(variable) for variable in variables]
        with tf.GradientTape(persistent=True) as tape, _watched(model, tape) as probes:
            loss = model._compile_loss(y, model(x, training=False))  # compute_loss would add the penalties
            scaled = scale * loss
            penalty = tf.add_n(model.losses) if model.losses else None
        self._probes = probes
        trained = model.trainable_weights
        deltas, gradients = tape.gradient(scaled, ([probe.before for probe in probes], trained))
        gradients = [None if gradient is None else tf.convert_to_tensor(gradient) / scale for gradient in gradients]
        penalties = tape.gradient(penalty, trained) if penalty is not None else [None] * len(trained)
        factor = self.examples / tf.cast(scale, tf.float64)
        measured = [probe.measures(delta, factor) for probe, delta in zip(probes, deltas, strict=True)]
        norms = [{"weights": _norm(probe.matrices)} for probe in probes]  # before the step that comes next
        steps = self._changes(gradients, penalties)
        changes = {id(w): (gradient, step) for w, gradient, step in zip(trained, gradients, steps, strict=True)}
        norms = [norm | probe.norms(changes) for norm, probe in zip(norms, probes, strict=True)]
        front = next((layer for layer in model.layers if layer.name in ("scale", "prepare")), None)
        entering = front(x) if front else x
        for variable, value in zip(variables, kept, strict=True):
            variable.assign(value)
        return loss, _moments(entering) if entering.dtype.is_floating else {}, measured, norms

    def _changes(self, gradients: list[Any], penalties: list[Any]) -> list[Any]:
        """Let the optimizer make a step; return the change of each weight."""
        optimizer, trained = self.model.optimizer, self.model.trainable_weights
        sums = [g if p is None else p if g is None else g + p for g, p in zip(gradients, penalties, strict=True)]
        pairs = [(optimizer.scale_loss(g), w) for g, w in zip(sums, trained, strict=True) if g is not None]
        before = [tf.identity(weight) for weight in trained]
        if pairs:
            optimizer.apply(*zip(*pairs, strict=True))
        return [tf.convert_to_tensor(weight) - value for weight, value in zip(trained, before, strict=True)]


def health_batch(experiment: Experiment, data: Data) -> Arrays:
    """Return inputs and labels, in the loss's form, of the training examples that all runs on one split measure."""
    rows = fixed_examples(experiment.split_seed, "health", len(data.train.x), LARGEST_BATCH)
    return data.train.x[rows], models.labels(data.train.y[rows], data.task, experiment.loss)


@dataclass
class _Probe:
    """One layer with a matrix of weights, and the tensors before and after its non-linearity."""

    layer: keras.layers.Layer
    before: Any = None
    after: Any = None
    activation: str = "linear"

    @property
    def matrices(self) -> list[Any]:
        """The layer's weights without biases and the like."""
        return [weight for weight in self.layer.weights if len(weight.shape) > 1]

    @property
    def description(self) -> Row:
        """What the layer is."""
        return {
            "layer": self.layer.name,
            "kind": type(self.layer).__name__.lower(),
            "units": int(self.after.shape[-1]),
            "activation": self.activation,
        }

    def measures(self, delta: Any, factor: Any) -> Row:
        """Return the gradient and what the outputs are like, as scalar tensors."""
        outputs = tf.cast(self.after, tf.float64)
        found = _moments(outputs) | {"zeros": _share(outputs == 0)}
        if delta is not None:
            found["gradient"] = factor * tf.sqrt(tf.reduce_mean(tf.square(tf.cast(delta, tf.float64))))
        if self.activation in _SLOPES:
            found["saturated"] = _share(_SLOPES[self.activation](outputs) < FLAT)
        if self.activation == "relu":
            found["dead"] = _share(tf.reduce_all(outputs == 0, axis=range(len(outputs.shape) - 1)))
        return found

    def norms(self, changes: dict[int, tuple[Any, Any]]) -> Row:
        """Return the Frobenius norms of gradient and step, as scalar tensors.

        Args:
            changes: gradient and change of each trained weight, by its id.
        """
        known = [changes[id(matrix)] for matrix in self.matrices if changes.get(id(matrix), (None,))[0] is not None]
        if not known:
            return {}
        gradients, steps = zip(*known, strict=True)
        gradient, size = _norm(gradients), sum(math.prod(array.shape) for array in gradients)
        return {"kernel_gradient": gradient, "kernel_gradient_rms": gradient / math.sqrt(size), "change": _norm(steps)}


@contextmanager
def _watched(model: keras.Model, tape: tf.GradientTape) -> Iterator[list[_Probe]]:
    """Let each layer tell what goes through it while a model is called; yields the probes in the order of the calls.

    Layers are looked at from outside, one by one; what a layer holds inside (a cell, the pieces of maxout) is its own.
    """
    called: list[_Probe] = []
    origin: dict[int, _Probe] = {}  # by the id of a tensor: the last layer with weights that it went through
    tensors: list[Any] = []  # kept alive, so that no id comes twice
    layers = [*_layers(model)]
    activations = {}

    def mark(output: Any, probe: _Probe) -> Any:
        first = tf.nest.flatten(output)[0]
        origin[id(first)] = probe
        tensors.append(first)
        return first

    def begin(probe: _Probe, tensor: Any) -> None:
        tape.watch(tensor)
        probe.before = probe.after = tensor

    def weighted(layer: Any, call: Callable) -> Callable:
        probe = _Probe(layer)
        name = _activation_name(vars(layer).get("activation"))
        if name != "linear":
            activations[layer] = original = layer.activation

            def activation(tensor: Any) -> Any:
                begin(probe, tensor)
                probe.activation, probe.after = name, original(tensor)
                return probe.after

            object.__setattr__(layer, "activation", activation)

        def spy(*arguments: Any, **named: Any) -> Any:
            output = call(*arguments, **named)
            first = mark(output, probe)
            if probe.before is None:
                begin(probe, first)
            if probe not in called:
                called.append(probe)
            return output

        return spy

    def other(layer: Any, call: Callable) -> Callable:
        name = _activation_name(layer if isinstance(layer, _ACTIVATIONS) else None)
        normalizes = isinstance(layer, keras.layers.BatchNormalization)

        def spy(*arguments: Any, **named: Any) -> Any:
            inputs = [part for part in tf.nest.flatten((arguments, named)) if id(part) in origin]
            probe = max((origin[id(part)] for part in inputs), key=called.index, default=None)
            begins = probe is not None and probe.activation == "linear" and name != "linear"
            if probe is not None and begins:
                begin(probe, inputs[0])
            output = call(*arguments, **(named | {"training": True} if normalizes else named))
            if probe is not None:
                first = mark(output, probe)
                if begins:
                    probe.activation, probe.after = name, first
            return output

        return spy

    try:
        for layer in layers:
            has_matrix = any(len(weight.shape) > 1 for weight in layer.weights) and not isinstance(layer, _ACTIVATIONS)
            spy = (weighted if has_matrix else other)(layer, layer.call)
            object.__setattr__(layer, "call", spy)  # past Keras's tracking: the method comes back in a moment
        yield called
    finally:
        for layer in layers:
            layer.__dict__.pop("call", None)
        for layer, original in activations.items():
            object.__setattr__(layer, "activation", original)


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yield a model's layers, those of inner models in their place."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        else:
            yield layer


def _activation_name(activation: Any) -> str:
    """Return the name of an activation, a function or a layer; "linear" where there is none."""
    if isinstance(activation, keras.layers.Activation):
        activation = activation.activation
    if activation is None:
        return "linear"
    name = getattr(activation, "__name__", None) or type(activation).__name__
    return {"LeakyReLU": "leaky_relu"}.get(name, name.lower())


def _batch_size(model: keras.Model, examples: int) -> int:
    """Return how many examples fit: 1024, or half of it and so on where the layers' outputs would fill the memory."""
    outputs = (getattr(getattr(layer, "output", None), "shape", ())[1:] for layer in _layers(model))
    bytes_each = 4 * sum(math.prod(size or 1 for size in shape) for shape in outputs)
    fitting = LARGEST_BATCH
    while fitting > 1 and fitting * bytes_each > MEMORY:
        fitting //= 2
    return min(fitting, examples)


def _row(probe: _Probe, measured: Row, norms: Row) -> Row:
    """Return a layer's row; ratios to weights that are all 0 have no meaning."""
    weights = float(norms["weights"])
    ratios = {"gradient_ratio": "kernel_gradient", "update_ratio": "change"}
    found = {name: float(norms[of]) / weights for name, of in ratios.items() if weights and of in norms}
    return probe.description | measured | norms | found


def _norm(arrays: Sequence[Any]) -> Any:
    return tf.sqrt(tf.add_n([tf.reduce_sum(tf.square(tf.cast(tf.convert_to_tensor(a), tf.float64))) for a in arrays]))


def _moments(tensor: Any) -> Row:
    tensor = tf.cast(tensor, tf.float64)
    return {"mean": tf.reduce_mean(tensor), "deviation": tf.math.reduce_std(tensor)}


def _share(truth: Any) -> Any:
    return tf.reduce_mean(tf.cast(truth, tf.float64))


def _plain(value: Any) -> Any:
    """Return a scalar tensor as the float whose shortest text reads back as the same float32; the rest as it is."""
    if isinstance(value, tf.Tensor | float):
        return float(str(np.float32(float(value))))
    return value
