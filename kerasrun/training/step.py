"""One step of plain gradient descent with every number, by the chain rule in float64, and as Keras makes it.

    sums = inputs · weights + bias        delta = derivative of the loss by the sums
    outputs = activation(sums)            gradient of the weights = inputsᵀ · delta
    new weight = weight − rate × gradient

All derivatives are those of the mean loss of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from kerasrun import schedules
from kerasrun.datasets import Data
from kerasrun.errors import InputError
from kerasrun.experiment import Experiment
from kerasrun.training import devices, scaling, seeds
from kerasrun.training import model as models
from kerasrun.training.callbacks import short

_ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "softmax": lambda z: (e := np.exp(z - z.max(axis=1, keepdims=True))) / e.sum(axis=1, keepdims=True),
}
_LOSSES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {  # of each example, (n,)
    "mean_squared_error": lambda a, y: np.square(a - y).mean(axis=1),
    "binary_crossentropy": lambda a, y: -(y * np.log(a) + (1 - y) * np.log(1 - a)).mean(axis=1),
    "categorical_crossentropy": lambda a, y: -(y * np.log(a)).sum(axis=1),
}


@dataclass(frozen=True)
class LayerStep:
    """What one layer does in a step.

    Args:
        name: the layer's.
        activation: linear, sigmoid, tanh, relu or softmax.
        weights, bias: before the step, (inputs, units) and (units,); no bias and nothing of it where there is none.
        sums, outputs, delta: of each example, (n, units).
        weights_gradient, bias_gradient: as weights and bias.
        new_weights, new_bias: after the step.
    """

    name: str
    activation: str
    weights: np.ndarray
    bias: np.ndarray | None
    sums: np.ndarray
    outputs: np.ndarray
    delta: np.ndarray
    weights_gradient: np.ndarray
    bias_gradient: np.ndarray | None
    new_weights: np.ndarray
    new_bias: np.ndarray | None


@dataclass(frozen=True)
class Step:
    """One step.

    Args:
        inputs: what the network receives, (n, features).
        targets: (n, outputs).
        loss: mean over the batch, before the step.
        loss_after: with the new weights.
        rate: the learning rate.
        layers: in the order of the forward pass.
        apart: the largest difference between a new weight here, in float64, and Keras's, in float32.
    """

    inputs: np.ndarray
    targets: np.ndarray
    loss: float
    loss_after: float
    rate: float
    layers: tuple[LayerStep, ...]
    apart: float


@dataclass(frozen=True)
class Dense:
    """One fully connected layer: name, activation, weights (inputs, units) and bias (units,), where it has one."""

    name: str
    activation: str
    weights: np.ndarray
    bias: np.ndarray | None


def first_step(experiment: Experiment, data: Data) -> Step:
    """Make the first step of a training and show all of it.

    Args:
        experiment: of a network of Dense layers, with plain sgd.
        data: what it trains on.

    Raises:
        InputError: another kind of layer, activation, loss or optimizer, weighted examples, or Keras's step is another.
    """
    if not experiment.optimizer.startswith("sgd") or "True" in experiment.optimizer or "decay" in experiment.optimizer:
        raise InputError(
            f"optimizer={experiment.optimizer}: a step is shown of plain gradient descent\nuse optimizer=sgd"
        )
    if experiment.class_weights or data.train.weights is not None:
        raise InputError("a step is shown of examples that count the same\nleave out class_weights and weights")
    devices.prepare(experiment, data.task)
    built = models.build(experiment, data.task, data.train.x, data.train.y, inputs=data.inputs)
    network, loss = _dense_layers(built.network), experiment.loss.removeprefix("sparse_")
    if loss not in _LOSSES:
        raise InputError(f"loss={experiment.loss}: a step is shown of {', '.join(_LOSSES)}")
    rows = np.sort(seeds.batch_order(experiment.seed, 0, len(data.train.x), data.passes)[: experiment.batch_size])
    x, y = data.train.x[rows], models.labels(data.train.y[rows], data.task, experiment.loss)
    inputs = x if built.model is built.network else keras.Model(built.model.inputs[0], _entering(built))(x)
    targets = np.eye(data.task.num_outputs)[y] if experiment.loss.startswith("sparse_") else y.reshape(len(y), -1)
    if experiment.scale_target == "standardize":
        mean, deviation = scaling.target_moments(data.train.y)
        targets = (targets - mean) / deviation
    base = short(float(built.model.optimizer.learning_rate))
    rate = schedules.learning_rate(experiment.schedule, base, 0, experiment.epochs)
    built.model.optimizer.learning_rate = rate
    inputs = np.asarray(inputs, "float64").reshape(len(x), -1)
    step = gradient_step(network, inputs, np.asarray(targets, "float64"), loss, rate)
    built.model.train_on_batch(x, y)
    return _compared(step, _dense_layers(built.network))


def gradient_step(network: Sequence[Dense], inputs: np.ndarray, targets: np.ndarray, loss: str, rate: float) -> Step:
    """Make one step of gradient descent by the chain rule.

    Args:
        network: its layers in order.
        inputs: (n, features).
        targets: (n, outputs).
        loss: mean_squared_error, binary_crossentropy (outputs of a sigmoid) or categorical_crossentropy (of a softmax).
        rate: the learning rate.
    """
    passed = _forward(network, inputs)
    delta = _last_delta(network[-1].activation, *passed[-1], targets, loss) / len(inputs)
    layers: list[LayerStep] = []
    for number in reversed(range(len(network))):
        layer, (sums, outputs) = network[number], passed[number]
        entering = passed[number - 1][1] if number else inputs
        weights_gradient, bias_gradient, new_bias = entering.T @ delta, None, None
        if layer.bias is not None:
            bias_gradient = delta.sum(axis=0)
            new_bias = layer.bias - rate * bias_gradient
        new_weights = layer.weights - rate * weights_gradient
        layers.insert(
            0,
            LayerStep(
                layer.name, layer.activation, layer.weights, layer.bias, sums, outputs, delta, weights_gradient,
                bias_gradient, new_weights, new_bias,
            ),
        )  # fmt: skip
        if number:
            before = network[number - 1].activation
            delta = _through(before, *passed[number - 1], delta @ layer.weights.T)
    after = [Dense(layer.name, layer.activation, layer.new_weights, layer.new_bias) for layer in layers]
    losses = [float(_LOSSES[loss](_forward(n, inputs)[-1][1], targets).mean()) for n in (network, after)]
    return Step(inputs, targets, losses[0], losses[1], rate, tuple(layers), 0.0)


def _forward(network: Sequence[Dense], inputs: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return sums and outputs of each layer."""
    passed = []
    for layer in network:
        sums = inputs @ layer.weights + (0 if layer.bias is None else layer.bias)
        inputs = _ACTIVATIONS[layer.activation](sums)
        passed.append((sums, inputs))
    return passed


def _last_delta(activation: str, sums: np.ndarray, outputs: np.ndarray, targets: np.ndarray, loss: str) -> np.ndarray:
    """Return the derivative of each example's loss by the last sums, (n, outputs)."""
    units = outputs.shape[1]
    if loss == "categorical_crossentropy" and activation == "softmax":
        return outputs - targets
    if loss == "binary_crossentropy" and activation == "sigmoid":
        return (outputs - targets) / units
    if loss == "mean_squared_error":
        return _through(activation, sums, outputs, 2 * (outputs - targets) / units)
    raise InputError(f"a step is not shown of {loss} of {activation} outputs")


def _through(activation: str, sums: np.ndarray, outputs: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Return the derivative by the sums from that by the outputs."""
    if activation == "softmax":
        return outputs * (gradient - (gradient * outputs).sum(axis=1, keepdims=True))
    slopes = {
        "linear": np.ones_like(sums), "sigmoid": outputs * (1 - outputs), "tanh": 1 - outputs**2, "relu": sums > 0,
    }  # fmt: skip
    return gradient * slopes[activation]


def _dense_layers(network: keras.Model) -> list[Dense]:
    """Return the Dense layers of a network with the activations that follow them."""
    found: list[Dense] = []
    for layer in network.layers:
        kind = type(layer).__name__
        activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
        if kind in ("InputLayer", "Flatten"):
            continue
        if (
            activation not in _ACTIVATIONS
            or kind not in ("Dense", "Activation")
            or (kind == "Activation" and (not found or found[-1].activation != "linear"))
        ):
            raise InputError(
                f"a step is shown of Dense layers with {', '.join(_ACTIVATIONS)}; {layer.name} is none of these\n"
                "try the recipe dense, without dropout and batch normalization"
            )
        if kind == "Dense":
            bias = np.asarray(layer.bias, "float64") if layer.use_bias else None
            found.append(Dense(layer.name, activation, np.asarray(layer.kernel, "float64"), bias))
        else:
            found[-1] = Dense(found[-1].name, activation, found[-1].weights, found[-1].bias)
    if network.losses:
        raise InputError("a step is shown of the loss alone\nleave out l1 and l2")
    return found


def _entering(built: models.Built) -> keras.KerasTensor:
    """Return what the network receives, behind the scaling."""
    front = built.model.layers[1]
    return built.model.inputs[0] if front is built.network else front.output


def _compared(step: Step, after: list[Dense]) -> Step:
    """Return the step with the largest difference to the weights that Keras came to; refuse one beyond rounding."""
    triples: list[tuple[Any, Any, Any]] = []
    for ours, theirs in zip(step.layers, after, strict=True):
        triples.append((ours.weights, ours.new_weights, theirs.weights))
        if ours.bias is not None:
            triples.append((ours.bias, ours.new_bias, theirs.bias))
    apart = max(float(abs(new - theirs).max()) for _, new, theirs in triples)
    moved = max(abs(new - old).max() for old, new, _ in triples)
    largest = max(abs(old).max() for old, *_ in triples)
    if not apart <= 1e-3 * moved + 1e-6 * largest:
        raise InputError(
            f"Keras's own step comes to other weights, by up to {apart:.1e}: it does something that is not shown here\n"
            "leave out what changes gradients, images or precision, as clip_norm"
        )
    return replace(step, apart=apart)
