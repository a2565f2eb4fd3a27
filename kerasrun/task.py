"""What a dataset asks of a network: its output layer, its default loss and metrics, and which losses fit it.

Pure data; knows no Keras. The form that labels take (class numbers, one-hot rows, numbers) follows from the loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kerasrun.errors import InputError

Kind = Literal["binary", "multiclass", "regression"]
LabelForm = Literal["class_number", "one_hot", "number"]

_ON_NUMBERS = {
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_logarithmic_error",
    "huber", "log_cosh", "poisson", "cosine_similarity",
}  # fmt: skip
_ON_PROBABILITIES = {
    "mean_squared_error", "mean_absolute_error", "huber", "log_cosh", "poisson", "hinge", "squared_hinge",
    "binary_crossentropy", "binary_focal_crossentropy", "dice", "tversky",
}  # fmt: skip
_ON_ONE_HOT = _ON_PROBABILITIES | {
    "categorical_crossentropy", "categorical_focal_crossentropy", "categorical_generalized_cross_entropy",
    "categorical_hinge", "kl_divergence", "cosine_similarity",
}  # fmt: skip
_ON_CLASS_NUMBERS = {"sparse_categorical_crossentropy"}


@dataclass(frozen=True)
class Task:
    """What one dataset asks of a network.

    Args:
        kind: "binary" (one sigmoid unit), "multiclass" (softmax over the classes) or "regression" (linear units).
        name: the dataset's name.
        input_shape: shape of one example as the recipe receives it, without the batch axis; a length that varies is None.
        input_dtype: dtype of an example as the recipe receives it, after scaling: "float32", or "int32" for word numbers.
        num_outputs: units of the output layer.
        output_activation: activation of the output layer.
        loss: default loss, by its canonical name.
        metrics: default metrics, by their canonical names.
        num_classes: number of classes; None for regression.
        class_names: the classes' names in the order of their numbers, if known.
        vocabulary_size: how many different words there are; None unless the input is a text.
        sequence_length: words per text; None unless the input is a text.
    """

    kind: Kind
    name: str
    input_shape: tuple[int | None, ...]
    input_dtype: str
    num_outputs: int
    output_activation: str
    loss: str
    metrics: tuple[str, ...]
    num_classes: int | None = None
    class_names: tuple[str, ...] | None = None
    vocabulary_size: int | None = None
    sequence_length: int | None = None


def binary(name: str, input_shape: tuple[int | None, ...], *, input_dtype: str = "float32",
           class_names: tuple[str, ...] | None = None, vocabulary_size: int | None = None,
           sequence_length: int | None = None) -> Task:  # fmt: skip
    """Return the task of telling two classes apart: one sigmoid unit, binary cross-entropy, accuracy."""
    return Task("binary", name, input_shape, input_dtype, 1, "sigmoid", "binary_crossentropy", ("accuracy",),
                2, class_names, vocabulary_size, sequence_length)  # fmt: skip


def multiclass(name: str, input_shape: tuple[int | None, ...], num_classes: int, *, input_dtype: str = "float32",
               class_names: tuple[str, ...] | None = None, vocabulary_size: int | None = None,
               sequence_length: int | None = None) -> Task:  # fmt: skip
    """Return the task of telling several classes apart: softmax, sparse categorical cross-entropy, accuracy."""
    return Task("multiclass", name, input_shape, input_dtype, num_classes, "softmax", "sparse_categorical_crossentropy",
                ("accuracy",), num_classes, class_names, vocabulary_size, sequence_length)  # fmt: skip


def regression(name: str, input_shape: tuple[int | None, ...], num_outputs: int = 1, *,
               input_dtype: str = "float32") -> Task:  # fmt: skip
    """Return the task of predicting numbers: linear units, mean squared error, mean absolute error."""
    return Task("regression", name, input_shape, input_dtype, num_outputs, "linear", "mean_squared_error", ("mae",))


def fitting_losses(task: Task) -> list[str]:
    """Return the canonical names of the losses that fit a task, sorted."""
    by_kind = {"regression": _ON_NUMBERS, "binary": _ON_PROBABILITIES, "multiclass": _ON_ONE_HOT | _ON_CLASS_NUMBERS}
    return sorted(by_kind[task.kind])


def label_form(task: Task, loss: str) -> LabelForm:
    """Return the form in which a loss wants the task's labels.

    Args:
        task: the task.
        loss: canonical name of a loss, without arguments.

    Returns:
        "class_number" (int, shape (n,)), "one_hot" (float32, (n, classes)) or "number" (float32, (n, outputs)).

    Raises:
        InputError: the loss does not fit the task; the message names those that do.
    """
    if loss not in fitting_losses(task):
        raise InputError(
            f"loss '{loss}' does not fit {task.name}, a {task.kind} task whose output is {task.num_outputs} "
            f"{task.output_activation} unit{'s' if task.num_outputs > 1 else ''}\n"
            f"fitting: {', '.join(fitting_losses(task))}"
        )
    if task.kind != "multiclass":
        return "number"
    return "class_number" if loss in _ON_CLASS_NUMBERS else "one_hot"
