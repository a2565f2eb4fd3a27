"""From a recipe to a compiled model: build, seed, check against the task, scale, compile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from kerasrun import objects, settings
from kerasrun.datasets import Data, Part
from kerasrun.errors import InputError
from kerasrun.experiment import Experiment
from kerasrun.inputs import Inputs
from kerasrun.layers import Mixup, lsuv
from kerasrun.task import LabelForm, Task, keras_metric, label_form
from kerasrun.training import augmentation, saved_models, scaling, seeds
from kerasrun.training import inputs as table_inputs
from kerasrun.training.network import build_network


@dataclass(frozen=True)
class Built:
    """A compiled model and what is worth knowing of it.

    Args:
        model: takes raw data, gives predictions in the target's own units; compiled.
        network: what the recipe returned; it is the model itself where nothing had to be scaled.
        own_seeds: weights and layers that keep a seed which the recipe itself set.
        lsuv: of each layer that LSUV rescaled: layer, rounds, variance.
    """

    model: keras.Model
    network: keras.Model
    own_seeds: list[str]
    lsuv: list[dict[str, Any]] = field(default_factory=list)


def build(
    experiment: Experiment, task: Task, x: np.ndarray, y: np.ndarray, *, inputs: Inputs | None = None,
    jit: bool = False, fresh: bool = True,
) -> Built:  # fmt: skip
    """Build, seed, check, scale and compile the model of an experiment.

    Args:
        experiment: what to build.
        task: the dataset's task.
        x: the training part's raw inputs, (n, …), for fitting the scaling.
        y: the training part's targets, (n, outputs) for regression.
        inputs: how x was made of data of one's own; the saved model takes the table's cells, or the texts.
        jit: what Keras's own compiled step does; the resident and the stream loop compile by themselves.
        fresh: whether these are the weights to begin with; where a state is put back, data decides none of them.

    Raises:
        InputError: the recipe raises, its output does not fit the task, the scaling cannot be put in front of it, LSUV
            finds no signal, or Keras refuses an argument of optimizer, loss or metric.
    """
    keras.utils.clear_session()  # names of layers start anew: dense, dense_1 …
    keras.utils.set_random_seed(experiment.seed)  # for whatever a recipe draws by itself
    with _policy(experiment.precision):
        with seeds.recorded_initializers() as initializers:
            network = build_network(experiment, task)
        own_seeds = seeds.redraw(network, experiment.seed, initializers)
        front = table_inputs.front(inputs, experiment.scale, x, task.input_dtype, jit=jit)
        rescaled = _rescaled(network, front, experiment, x) if fresh and lsuv.marked(network) else []
        moments = scaling.target_moments(y) if experiment.scale_target == "standardize" else None
        back = scaling.output_layer(*moments) if moments else None
        model = _wired(network, front, back, x)
        if experiment.augment:
            unchanging, changing = model, augmentation.made(experiment.augment, experiment.seed)
            model = _wired(network, front, back, x, changing)
            saved_models.save_as(model, unchanging)
        if inputs is not None:
            table_inputs.check(inputs, x)
            saved_models.save_as(model, table_inputs.saved_form(saved_models.bare(model), inputs))
        measured = measures(experiment.loss, experiment.metrics, task, moments)
        model.compile(optimizer=_optimizer(experiment), jit_compile=jit, **measured)
    return Built(model, network, own_seeds, rescaled)


@contextmanager
def _policy(precision: str) -> Iterator[None]:
    """Let layers be made in a precision for the duration of a block; afterwards it is the caller's own again."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def measures(
    loss: str, metrics: Sequence[str], task: Task, moments: tuple[np.ndarray, np.ndarray] | None
) -> dict[str, Any]:
    """Return loss and metrics as Keras's `compile` takes them.

    Args:
        loss: canonical text of the loss.
        metrics: canonical texts of the metrics.
        task: the task.
        moments: mean and deviation that targets are standardized by; None where they are not.
    """
    parsed = objects.parse("loss", loss)
    form, built = label_form(task, parsed.name), parsed.build()
    return {
        "loss": scaling.StandardizedLoss(built, *moments) if moments else built,
        "metrics": [_metric(metric, task, form) for metric in metrics],
    }


def labels(y: np.ndarray, task: Task, loss: str) -> np.ndarray:
    """Return labels in the form that a loss wants.

    Args:
        y: int32 (n,) class numbers, or float32 (n, outputs) for regression.
        task: the task.
        loss: canonical text of the loss.

    Returns:
        int32 (n,), or float32 (n, classes) one-hot, or float32 (n, outputs).
    """
    form = label_form(task, objects.parse("loss", loss).name)
    if form == "class_number":
        return y
    if form == "one_hot":
        return np.eye(task.num_outputs, dtype=np.float32)[y]
    return y.astype(np.float32).reshape(len(y), -1)


def arrays(data: Data, part: Part, experiment: Experiment) -> tuple[np.ndarray, ...]:
    """Return inputs, labels in the loss's form and, where the training part has them, weights: what is trained on.

    Args:
        data: of the experiment.
        part: one of its parts.
        experiment: whose loss and class weights count.
    """
    y = labels(part.y, data.task, experiment.loss)
    if part is not data.train:
        return part.x, y
    weights = example_weights(part.y, data.task.num_classes or 0, part.weights, experiment.class_weights)
    return (part.x, y) if weights is None else (part.x, y, weights)


def example_weights(
    y: np.ndarray, classes: int, weights: np.ndarray | None, class_weights: str | None
) -> np.ndarray | None:
    """Return each training example's weight, float32 (n,), or None where all count the same.

    Args:
        y: int32 (n,) class numbers.
        classes: number of classes; a small training part need not hold all of them.
        weights: the data's own weights, (n,).
        class_weights: "balanced" (n / (classes * count), as in scikit-learn) or "0=1,1=5"; others weigh 1.
    """
    if class_weights is None:
        return weights
    counts = np.bincount(y, minlength=classes)
    if class_weights == "balanced":
        by_class = len(y) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    else:
        by_class = np.ones(classes)
        for label, weight in settings.weights_by_class(class_weights).items():
            by_class[label] = weight
    combined = by_class[y] * (1.0 if weights is None else weights)
    return combined.astype(np.float32)


def _rescaled(network: keras.Model, front: Any, experiment: Experiment, x: np.ndarray) -> list[dict[str, Any]]:
    """Give the layers that LSUV initializes outputs of variance 1, on a batch of the training part, scaled."""
    generator = np.random.default_rng(seeds.derive(experiment.seed, "weights", "lsuv/batch"))
    batch = x[np.sort(generator.permutation(len(x))[: lsuv.BATCH])]
    low, high = lsuv.INPUT_VARIANCE
    if experiment.scale == "none" and x.dtype.kind != "i" and not low <= (variance := float(batch.var())) <= high:
        raise InputError(
            f"initializer=lsuv wants inputs of variance 1 or so ({low:g} to {high:g}); theirs is {variance:.3g}\n"
            "add --scale standardize"
        )
    return lsuv.rescale(network, batch if front is None else front(batch))


def _wired(network: keras.Model, front: Any, back: Any, x: np.ndarray, changing: Sequence[Any] = ()) -> keras.Model:
    """Put the scaling in front of a network, then layers that change images in training; its inverse at the end."""
    if front is None and back is None and not changing:
        return network
    own_step = _refuse_own_step(network)
    inputs = keras.Input(x.shape[1:], dtype=str(x.dtype))
    outputs = front(inputs) if front else inputs
    for layer in (*changing, network, *([back] if back else [])):
        outputs = layer(outputs)
    if changing and isinstance(changing[-1], Mixup):
        if own_step:
            raise InputError(
                f"augment: {type(network).__name__} has a train_step of its own, which mixup cannot change"
            )
        return augmentation.MixingModel(inputs, outputs, mixup=changing[-1])
    return type(network)(inputs, outputs) if own_step else keras.Model(inputs, outputs)


def _refuse_own_step(network: keras.Model) -> bool:
    """Tell whether a network has a train_step of its own; refuse one that wiring it anew would drop."""
    own_step = type(network).train_step is not keras.Model.train_step
    if own_step and (isinstance(network, keras.Sequential) or not _is_functional(network)):
        raise InputError(
            f"{type(network).__name__} has a train_step of its own, which a layer in front of it would drop\n"
            "use scale=none scale_target=none with float32 inputs and no augment, or make it a Functional model"
        )
    return own_step


def _is_functional(network: keras.Model) -> bool:
    return any(base.__name__ == "Functional" for base in type(network).__mro__)


def _optimizer(experiment: Experiment) -> keras.optimizers.Optimizer:
    parsed = objects.parse("optimizer", experiment.optimizer)
    named = {"learning_rate": experiment.learning_rate, "global_clipnorm": experiment.clip_norm}
    given = {**dict(parsed.arguments), **{name: value for name, value in named.items() if value is not None}}
    return objects.KerasObject("optimizer", parsed.name, tuple(given.items())).build()


def _metric(metric: str, task: Task, form: LabelForm) -> keras.metrics.Metric:
    parsed = objects.parse("metric", metric)
    named = {**dict(parsed.arguments), "name": settings.column(metric)}
    if parsed.name in ("f1_score", "fbeta_score"):  # Keras gives one of each class, and takes the only unit for certain
        named = {"average": "macro", **({"threshold": 0.5} if task.kind == "binary" else {}), **named}
    return objects.KerasObject(
        "metric", keras_metric(task, form, parsed.name, parsed.arguments), tuple(named.items())
    ).build()
