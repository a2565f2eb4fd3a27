"""`kerasrun step`: one training step of a small network with every number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from kerasrun.cli import console, words
from kerasrun.errors import InputError
from kerasrun.experiment import resolve

if TYPE_CHECKING:
    from kerasrun.training.step import LayerStep, Step

MOST = 10  # examples, inputs or units that fit into a line


@words.with_settings
def step(subject: words.Words = None, *, options: dict[str, Any]) -> None:
    """Show all numbers of one step of gradient descent.

    Weighted sums, outputs, deltas, gradients and new weights.

    kerasrun step xor hidden=2
    """
    dataset, file, given = words.split(subject or [], options)
    experiment = resolve(dataset, given, file=file)
    from kerasrun import datasets

    data = datasets.load(experiment)
    from kerasrun.training.step import first_step

    made = first_step(experiment, data)
    sizes = (*made.inputs.shape, *(layer.weights.shape[1] for layer in made.layers))
    if max(sizes) > MOST:
        raise InputError(
            f"{max(sizes)} examples, inputs or units are too many to be shown; at most {MOST}\n"
            "take fewer: batch_size=4 hidden=4, or a dataset such as xor or iris"
        )
    console.say(*_lines(made, experiment.loss))


def _lines(step: Step, loss: str) -> Iterator[str]:
    yield f"one step of gradient descent on {len(step.inputs)} examples, rate {step.rate:g}, loss {loss}"
    yield ""
    yield from _matrix("inputs", step.inputs, "example", "input")
    yield from _matrix("targets", step.targets, "example", "output")
    for layer in step.layers:
        yield from _forward(layer)
    yield f"loss {step.loss:.6f}, the mean over the examples"
    yield ""
    for layer in reversed(step.layers):
        yield from _backward(layer, last=layer is step.layers[-1])
    yield from _update(step)
    yield f"loss {step.loss_after:.6f} after the step"
    yield f"Keras's own step comes to the same weights; the largest difference is {step.apart:.1e}"


def _forward(layer: LayerStep) -> Iterator[str]:
    units = layer.weights.shape[1]
    yield f"{layer.name}: {units} {layer.activation} unit{'s' if units > 1 else ''}"
    yield from _matrix("weights", layer.weights, "input", "unit")
    yield from _row("bias", layer.bias)
    yield from _matrix(
        f"sums = inputs · weights{'' if layer.bias is None else ' + bias'}", layer.sums, "example", "unit"
    )
    yield from _matrix(f"outputs = {layer.activation}(sums)", layer.outputs, "example", "unit")


def _backward(layer: LayerStep, *, last: bool) -> Iterator[str]:
    of = "the loss" if last else "the deltas behind, through their weights,"
    yield f"{layer.name}: backwards from {of} by the chain rule"
    yield from _matrix("delta = derivative of the loss by the sums", layer.delta, "example", "unit")
    yield from _matrix("gradient of the weights = inputsᵀ · delta", layer.weights_gradient, "input", "unit")
    yield from _row("gradient of the bias = sum of delta", layer.bias_gradient)


def _update(step: Step) -> Iterator[str]:
    yield f"new = old − {step.rate:g} × gradient"
    for layer in step.layers:
        yield from _matrix(f"{layer.name}: new weights", layer.new_weights, "input", "unit")
        yield from _row(f"{layer.name}: new bias", layer.new_bias)


def _row(title: str, numbers: Any) -> Iterator[str]:
    """Yield what `_matrix` does of one number a unit, and nothing where there are none."""
    if numbers is not None:
        yield from _matrix(title, numbers[None], "", "unit")


def _matrix(title: str, numbers: Any, row: str, column: str) -> Iterator[str]:
    """Yield a title and the numbers below it, rows and columns counted from 1, and an empty line."""
    heads = [f"{column} {i + 1}" for i in range(numbers.shape[1])]
    width = max(10, *map(len, heads))
    yield f"  {title}"
    yield " " * 14 + "".join(head.rjust(width) for head in heads)
    for number, values in enumerate(numbers, start=1):
        yield f"    {f'{row} {number}' if row else '':<10}" + "".join(_cells(values, width))
    yield ""


def _cells(values: Sequence[float], width: int) -> Iterator[str]:
    return (f"{value:.6f}".rjust(width) for value in values)
