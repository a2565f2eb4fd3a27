"""From a recipe to a network: call it, check its output against the task, describe its layers."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from kerasrun import catalog, objects
from kerasrun.errors import InputError
from kerasrun.experiment import Experiment
from kerasrun.layers import Pieces
from kerasrun.task import Task
from kerasrun.training.own_code import execute


def outline(experiment: Experiment, task: Task | None = None) -> keras.Model:
    """Build the recipe's network symbolically: layers, shapes and parameters, but no weights and no device.

    TensorFlow runs no operation for it, so the number of threads can still be chosen afterwards.

    Raises:
        InputError: the recipe raises, or its output does not fit the task.
    """
    with keras.StatelessScope(initialize_variables=False):
        return build_network(experiment, task or experiment.entry.task)


def build_network(experiment: Experiment, task: Task) -> keras.Model:
    """Call the recipe and check what it returned.

    Raises:
        InputError: it raises, returns no model, or its output does not fit the task.
    """
    entry = catalog.recipe(experiment.recipe)
    with _named_faults(entry):
        network = getattr(execute(entry.path, "recipe"), entry.function)(task, **_arguments(entry, experiment.knobs))
    if not isinstance(network, keras.Model):
        raise InputError(f"recipe '{entry.name}' returned {type(network).__name__}, not a keras.Model")
    shape = getattr(network, "output_shape", None)
    if not network.built or not isinstance(shape, tuple):
        raise InputError(
            f"recipe '{entry.name}' returned a model without a known output shape\n"
            "begin it with keras.Input(task.input_shape, dtype=task.input_dtype) and give it one output"
        )
    if len(shape) != 2 or shape[1] != task.num_outputs:
        classes = f"{task.num_classes} classes" if task.num_classes else f"{task.num_outputs} target(s)"
        outputs = f"{shape[1]} outputs" if len(shape) == 2 else f"an output of shape {shape[1:]}"
        raise InputError(
            f"recipe '{entry.name}' ends in {outputs}; {task.name} has {classes}\n"
            "write the last layer as keras.layers.Dense(task.num_outputs, activation=task.output_activation)"
        )
    _check_last_activation(network, entry, task)
    return network


def layer_rows(network: keras.Model, depth: int = 0) -> list[tuple[str, str, str, int]]:
    """Return name, kind, output shape and parameters of each layer, those of inner models below their model.

    Args:
        network: a built model.
        depth: of the inner model; two spaces each before the name.
    """
    rows = []
    for layer in network.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        inner = isinstance(layer, keras.Model)
        output = getattr(getattr(layer, "output", None), "shape", None)
        shape = "?" if output is None else "×".join(str(size or "?") for size in output[1:]) or "1"
        rows.append(("  " * depth + layer.name, type(layer).__name__, shape, layer.count_params()))
        if inner:
            rows += layer_rows(layer, depth + 1)
    return rows


def summary(network: keras.Model) -> str:
    """Return the layers as a text table, with the sums of all and of the trainable parameters."""
    rows = [("layer", "kind", "output", "parameters")]
    rows += [(name, kind, shape, f"{count:,}") for name, kind, shape, count in layer_rows(network)]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [
        f"{n.ljust(widths[0])}  {k.ljust(widths[1])}  {s.rjust(widths[2])}  {c.rjust(widths[3])}" for n, k, s, c in rows
    ]
    trainable = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    return "\n".join([*lines, f"{network.count_params():,} parameters, {trainable:,} trainable"]) + "\n"


def architecture(network: keras.Model) -> str:
    """Return the sizes of input and weighted layers in a row, as 784-100-10 or 32×32×3-16-32-256-100."""
    layers = network._flatten_layers()
    inner = {id(part) for layer in layers for part in (*getattr(layer, "parts", ()), getattr(layer, "cell", None))}
    sizes = [size for layer in layers if id(layer) not in inner and (size := _size(layer))]
    convolves = any(hasattr(layer, "filters") for layer in layers)
    shape = network.input_shape[1:]
    separate = convolves or None in shape
    first = "×".join(str(size or "?") for size in shape) if separate else str(int(np.prod(shape)))
    return "-".join([first, *sizes])


def _size(layer: keras.layers.Layer) -> str | None:
    """Return a layer's units or filters, as 2·100 where they are pieces of maxout; None where it has none."""
    if isinstance(layer, Pieces):
        return f"{len(layer.parts)}·{_size(layer.parts[0])}"
    size = getattr(layer, "units", getattr(layer, "filters", None))
    return str(size) if isinstance(size, int) else None


def _check_last_activation(network: keras.Model, entry: catalog.RecipeEntry, task: Task) -> None:
    """Refuse an output layer whose activation is known and cannot serve the task, such as a linear one for classes."""
    last = network.layers[-1] if network.layers else None
    activation = getattr(getattr(last, "activation", None), "__name__", None)
    allowed = {"binary": {"sigmoid", "hard_sigmoid", "step"}, "multiclass": {"softmax", "sigmoid"}, "regression": None}
    fitting = allowed[task.kind]
    if activation is not None and fitting is not None and activation not in fitting:
        raise InputError(
            f"recipe '{entry.name}' ends in the activation {activation}; {task.name} needs {task.output_activation}\n"
            "write the last layer as keras.layers.Dense(task.num_outputs, activation=task.output_activation)"
        )


def _arguments(entry: catalog.RecipeEntry, knobs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the knobs as the recipe takes them: Keras objects as a name or as a config."""
    given = {}
    for name, value in knobs.items():
        family = entry.knobs[name].family
        given[name] = objects.parse(family, value).config if family and value is not None else value
    return given


@contextmanager
def _named_faults(entry: catalog.RecipeEntry) -> Iterator[None]:
    """Turn whatever a recipe raises into one message with file and line."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(entry.path)]
        place = f"{entry.path}, line {frames[-1].lineno}" if frames else str(entry.path)
        text = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"recipe '{entry.name}' raised {type(error).__name__}: {text}\n{place}") from error
