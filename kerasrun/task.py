"""What a dataset asks of a network: its output layer, its default loss and metrics, and which losses fit it.

Pure data; knows no Keras. The form that labels take (class numbers, one-hot rows, numbers) follows from the loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
# what compares the outputs of one example with each other: of a single one it is NaN, 0 or its sign
_AMONG_OUTPUTS = {"cosine_similarity", "pearson_correlation", "concordance_correlation"}


@dataclass(frozen=True)
class Task:
    """What one dataset asks of a network.

    Args:
        kind: "binary" (one sigmoid unit), "multiclass" (softmax over the classes) or "regression" (linear units).
        name: the dataset's name.
        input_shape: shape of one example as the recipe receives it, without the batch axis; None where it varies.
        input_dtype: dtype of an example as the recipe receives it: "float32", or "int32" for word numbers.
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


def is_image(shape: Sequence[int | None]) -> bool:
    """Tell whether examples of a shape are images: (height, width) or (height, width, 1, 3 or 4)."""
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))


def fitting_losses(task: Task) -> list[str]:
    """Return the canonical names of the losses that fit a task, sorted."""
    on_numbers = _ON_NUMBERS if task.num_outputs > 1 else _ON_NUMBERS - _AMONG_OUTPUTS
    by_kind = {"regression": on_numbers, "binary": _ON_PROBABILITIES, "multiclass": _ON_ONE_HOT | _ON_CLASS_NUMBERS}
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


_RENAMED = {  # what a metric is called for labels of one form, where Keras has several
    ("accuracy", "class_number"): "sparse_categorical_accuracy",
    ("accuracy", "one_hot"): "categorical_accuracy",
    ("accuracy", "number"): "binary_accuracy",
    ("top_k_categorical_accuracy", "class_number"): "sparse_top_k_categorical_accuracy",
}
_METRICS_ON_CLASS_NUMBERS = {
    "sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy", "sparse_categorical_crossentropy",
}  # fmt: skip
_METRICS_ON_NUMBERS = {
    "mae", "mse", "rmse", "r2", "mean_absolute_percentage_error", "mean_squared_logarithmic_error", "log_cosh_error",
    "cosine_similarity", "poisson", "pearson_correlation", "concordance_correlation",
}  # fmt: skip
_NOT_ON_PROBABILITIES = {
    "mean", "sum", "mean_metric_wrapper", "mean_relative_error", "io_u", "mean_io_u", "binary_io_u", "one_hot_io_u",
    "one_hot_mean_io_u", "sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy", "r2", "accuracy",
    "sparse_categorical_crossentropy", "mean_squared_logarithmic_error", "mean_absolute_percentage_error",
    "pearson_correlation", "concordance_correlation",
}  # fmt: skip
_SEVERAL_CLASSES_ONLY = {
    "categorical_accuracy",
    "top_k_categorical_accuracy",
    "categorical_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
}


def keras_metric(task: Task, form: LabelForm, name: str, arguments: Sequence[tuple[str, Any]] = ()) -> str:
    """Return what Keras calls a metric for this task and form of labels: accuracy -> sparse_categorical_accuracy.

    Args:
        task: the task.
        form: the form of the labels, from `label_form`.
        name: canonical name of a metric.
        arguments: the metric's; axis=0 compares the examples of a batch, output by output.

    Raises:
        InputError: the metric says nothing about such labels; the message says what would.
    """
    renamed = _RENAMED.get((name, form), name) if task.kind != "regression" else name
    among = _AMONG_OUTPUTS if task.num_outputs == 1 and ("axis", 0) not in arguments else set()
    if task.kind == "regression":
        fits = renamed in _METRICS_ON_NUMBERS - among
    elif form == "class_number":
        fits = renamed in _METRICS_ON_CLASS_NUMBERS
    else:
        fits = renamed not in _NOT_ON_PROBABILITIES and not (task.kind == "binary" and renamed in _SEVERAL_CLASSES_ONLY)
    if fits:
        return renamed
    if form == "class_number" and renamed not in _NOT_ON_PROBABILITIES:
        remedy = "it needs one-hot labels: add --loss categorical_crossentropy"
    elif task.kind == "regression" and name in among:
        remedy = f"it compares the outputs of one example, here a single one; {name}(axis=0) compares examples"
    elif task.kind == "regression":
        remedy = f"fitting: {', '.join(sorted(_METRICS_ON_NUMBERS - among))}"
    else:
        remedy = "fitting: accuracy, auc, precision, recall, f1_score and others for probabilities"
    raise InputError(f"metric '{name}' does not fit {task.name}, a {task.kind} task\n{remedy}")
