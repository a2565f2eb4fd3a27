"""Experiment: everything that decides one training, in one frozen dataclass, and how its values are found.

The only module that knows which settings exist, their defaults, their ranges and where a value came from. Values are
found in the order default < dataset < file < command and checked before TensorFlow is loaded.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kerasrun import augmentations, catalog, experiment_file, objects, own_data, settings, task
from kerasrun.errors import InputError, shown, unknown
from kerasrun.literals import format_call
from kerasrun.recipe_files import fingerprint
from kerasrun.schedules import parse_schedule

Origin = str  # "default", "dataset", "file" or "command"


def _setting(default: Any, read: Callable[[str, Any], Any], help: str, *, identity: bool = True) -> Any:
    """Declare a setting: its default, how a written value is read, its help line, and whether it decides the result."""
    return field(default=default, metadata={"read": read, "help": help, "identity": identity})


@dataclass(frozen=True)
class Experiment:
    """Everything that decides one training.

    Every field but the first three and `origins` is a setting: the same name on the command line, in TOML and here.

    Args:
        dataset: a dataset's canonical name with arguments, or the path of a file.
        recipe: a recipe's name, or "file.py:function".
        knobs: every knob of the recipe with its value.
        options: how data of one's own is read: every option of its source; in records among the settings.
        origins: where each value came from: "default", "dataset", "file" or "command".
    """

    dataset: str
    recipe: str
    knobs: Mapping[str, Any]
    scale: str = _setting(
        "auto",
        settings.choice("auto", "none", "unit", "standardize", "minmax", "l1", "l2", "l2_all"),
        "none, unit, standardize, minmax, l1, l2 or l2_all: a layer in front, fitted on the training part",
    )
    scale_target: str = _setting(
        "auto", settings.choice("auto", "none", "standardize"), "none or standardize: scaling of regression targets"
    )
    optimizer: str = _setting(
        "adam", settings.keras_object("optimizer"), "any Keras optimizer, as adam or 'sgd(learning_rate=0.1)'"
    )
    learning_rate: float | None = _setting(
        None, settings.optional(settings.positive_number), "the optimizer's rate; its own default without"
    )
    schedule: str = _setting(
        "constant",
        lambda name, value: parse_schedule(value),
        "rate over the epochs: constant, step, drops, exponential, cosine or plateau",
    )
    loss: str = _setting("auto", settings.auto_or_object("loss"), "any Keras loss that fits the task")
    metrics: tuple[str, ...] = _setting((), settings.keras_objects("metric"), "further metrics, separated by commas")
    epochs: int = _setting(20, settings.whole_number(1), "passes over the training part")
    batch_size: int = _setting(32, settings.whole_number(1), "examples per step")
    patience: int | None = _setting(
        3, settings.optional(settings.whole_number(0)), "epochs without improvement before stopping early, or none"
    )
    min_delta: float = _setting(0.0, settings.number_from(0.0), "smallest change that counts as an improvement")
    monitor: str = _setting("val_loss", settings.text, "what the best epoch is judged by; NAME:max or NAME:min")
    clip_norm: float | None = _setting(
        None, settings.optional(settings.positive_number), "limit of the gradients' global norm"
    )
    class_weights: str | None = _setting(
        None, settings.optional(settings.class_weights), "weights of classes in training: balanced or 0=1,1=5"
    )
    augment: tuple[str, ...] = _setting(
        (), augmentations.read, "images changed at random in training: flip, shift, rotate, crop, cutout, mixup"
    )
    validation: float | str = _setting(
        0.2, settings.fraction_or_path, "part of the training examples held out for validation, or a file"
    )
    test: float | str = _setting(
        0.2, settings.fraction_or_path, "part held out for testing where the data has no test part, or a file"
    )
    split_seed: int = _setting(0, settings.whole_number(0), "decides which examples are held out")
    limit: int | None = _setting(
        None,
        settings.optional(settings.whole_number(1)),
        "use this many training examples, the other parts in proportion",
    )
    seed: int = _setting(
        0, settings.whole_number(0, 2**32 - 1), "decides initial weights, order of the batches and dropout"
    )
    precision: str = _setting(
        "float32",
        settings.choice("float32", "mixed_float16", "mixed_bfloat16"),
        "float32, mixed_float16 or mixed_bfloat16",
    )
    jit: bool | None = _setting(None, settings.optional(settings.boolean), "compile with XLA; on a GPU Keras decides")
    loop: str = _setting(
        "auto",
        settings.choice("auto", "resident", "stream", "plain"),
        "how batches reach the model: resident, stream or plain",
        identity=False,
    )
    threads: int | None = _setting(
        None,
        settings.automatic(settings.whole_number(1, 1024)),
        "threads for one operation; auto by model and cores",
        identity=False,
    )
    device: str = _setting("auto", settings.choice("auto", "cpu", "gpu"), "where to train: cpu or gpu", identity=False)
    deterministic: bool = _setting(
        False, settings.boolean, "ask TensorFlow for deterministic operations (for a GPU)", identity=False
    )
    evaluate_train: int | None = _setting(
        None,
        settings.optional(settings.whole_number(1)),
        "after each epoch, also evaluate N training examples without dropout: columns train_loss …",
    )
    validate_every: float | None = _setting(
        None, settings.optional(settings.share), "also evaluate after each such part of an epoch, as 0.1: progress.csv"
    )
    health: bool = _setting(
        False, settings.boolean, "measure gradients, weights and outputs layer by layer, every epoch: health.csv"
    )
    save_every: int | None = _setting(
        None, settings.optional(settings.whole_number(1)), "also keep the model of every N-th epoch", identity=False
    )
    callbacks: tuple[str, ...] = _setting((), settings.texts, "own callbacks, as my_callbacks.py:Histogram")
    options: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)

    @property
    def entry(self) -> catalog.DatasetEntry:
        """The dataset's entry in the catalog."""
        return catalog.dataset(self.dataset, self.options)[0]

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics' columns in the order of the metrics file, without the loss."""
        return tuple(settings.column(metric) for metric in self.metrics)

    @property
    def monitored(self) -> tuple[str, str]:
        """The monitored column and its direction, "max" or "min"."""
        name, _, direction = self.monitor.partition(":")
        return name, direction or settings.direction(name)


@functools.cache
def setting_fields() -> dict[str, dataclasses.Field]:
    """Return the settings by name, in the order of their declaration."""
    return {f.name: f for f in dataclasses.fields(Experiment) if "read" in f.metadata}


def resolve(
    dataset: str | None,
    given: Mapping[str, Any],
    *,
    file: Path | None = None,
    written: Mapping[str, Any] | None = None,
) -> Experiment:
    """Find every value of an experiment and check it, without loading TensorFlow.

    Args:
        dataset: name (with arguments) or path of the data; None where the file says it.
        given: settings, "recipe" and knobs by name, as text or typed; they go before the file.
        file: an experiment's TOML file.
        written: what the file says, where it has been read.

    Raises:
        InputError: a name, value or combination that cannot be; before anything slow.
    """
    written = dict(experiment_file.read(file) if file and written is None else written or {})
    in_file = written.pop("dataset", None)
    origin = "command" if dataset is not None else "file"
    if dataset is None and in_file is None:
        raise InputError(
            f"{file or 'the experiment'}: names no dataset\n"
            'write dataset = "fashion-mnist", or another name, in its first lines'
        )
    subject = str(in_file if dataset is None else dataset)
    command = {name.replace("-", "_"): value for name, value in given.items()}
    source = catalog.source(subject, {**written, **command})
    recipe = catalog.recipe(str({"recipe": source.recipe, **written, **command}["recipe"]))
    layers: dict[Origin, Mapping[str, Any]] = {
        "dataset": {"recipe": source.recipe, **_own_values(source, recipe)},
        "file": written,
        "command": command,
    }
    _refuse_unknown(layers, recipe, source)
    values, origins = _settle(layers, recipe, source)
    knobs = {name: values.pop(name) for name in recipe.knobs}
    entry, arguments = catalog.dataset(subject, {name: values.pop(name) for name in source.options})
    experiment = Experiment(
        dataset=catalog.canonical(entry, arguments),
        recipe=recipe.reference,
        knobs=knobs,
        options=arguments if source.options else {},
        origins={"dataset": origin, **origins},
        **values,
    )
    return _complete(experiment, entry)


def identity(experiment: Experiment, data_hash: str) -> str:
    """Return the sha256 of everything that decides the result: equal identities ask for equal numbers.

    `adam`, `adam(learning_rate=0.001)` and `adam` beside learning_rate=0.001 are one and the same.

    Args:
        experiment: the experiment.
        data_hash: sha256 of the dataset's content.
    """
    recipe = catalog.recipe(experiment.recipe)
    kept = {name for name, f in setting_fields().items() if f.metadata["identity"]}
    values = {name: value for name, value in to_record(experiment).items() if name in kept}
    if not values["augment"]:
        del values["augment"]  # as of runs before there was such a setting
    if experiment.callbacks:
        values["callback_sources"] = [_source(callback) for callback in experiment.callbacks]
    values |= {"dataset": experiment.dataset, "data": data_hash, "knobs": dict(experiment.knobs), **experiment.options}
    values |= {"recipe": recipe.name, "source": recipe.fingerprint}
    values |= {"optimizer": _with_rate(experiment.optimizer, experiment.learning_rate), "learning_rate": None}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def to_record(experiment: Experiment) -> dict[str, Any]:
    """Return an experiment as plain JSON values, without the origins."""
    apart = ("origins", "options")
    record = {f.name: getattr(experiment, f.name) for f in dataclasses.fields(experiment) if f.name not in apart}
    return json.loads(json.dumps(record | {"knobs": dict(experiment.knobs), **experiment.options}))


def from_record(record: Mapping[str, Any], origins: Mapping[str, Origin]) -> Experiment:
    """Return the experiment that `to_record` wrote down.

    Raises:
        InputError: the record holds a setting or value that this version does not know.
    """
    values = {name: value for name, value in record.items() if name not in ("dataset", "knobs")}
    experiment = resolve(record["dataset"], {**values, **record["knobs"]})
    return dataclasses.replace(experiment, origins=dict(origins))


def _source(callback: str) -> str:
    """Return the hash of a callback's file as syntax; "" where there is none, which the training refuses."""
    try:
        return fingerprint(Path(callback.partition(":")[0]).read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return ""


def _with_rate(optimizer: str, learning_rate: float | None) -> str:
    """Return an optimizer with the rate among its arguments, and without those that are Keras's defaults."""
    parsed = objects.parse("optimizer", optimizer)
    given = dict(parsed.arguments) | ({} if learning_rate is None else {"learning_rate": learning_rate})
    defaults = objects.known("optimizer")[parsed.name]
    return format_call(parsed.name, {n: given[n] for n in defaults if n in given and given[n] != defaults[n]})


def _own_values(source: catalog.Source, recipe: catalog.RecipeEntry) -> dict[str, Any]:
    """Return a dataset's own values of settings and, for the recipes that come with the program, of knobs."""
    built_in = recipe.path.parent == catalog.recipe(source.recipe).path.parent
    kept = {*setting_fields(), *source.options}
    return {name: value for name, value in source.settings.items() if built_in or name in kept}


def _refuse_unknown(
    layers: Mapping[Origin, Mapping[str, Any]], recipe: catalog.RecipeEntry, source: catalog.Source
) -> None:
    known = [*setting_fields(), *source.options, "recipe"]
    if clash := sorted({"dataset", *known} & set(recipe.knobs) - {"augment"}):  # a recipe may augment by itself
        raise InputError(f"recipe '{recipe.name}': knob '{clash[0]}' bears the name of a setting; rename it")
    for name, value in {**layers["file"], **layers["command"]}.items():
        if name not in known and name not in recipe.knobs:
            if name in own_data.options():
                if settings.is_word(value, "none"):
                    continue  # as if it were not given
                raise InputError(f"{name}: an option of {_whose(name)}, not of this dataset")
            raise unknown(f"setting or knob of recipe {recipe.name}", name, [*recipe.knobs, *known])


def _whose(option: str) -> str:
    """Return what kind of data has an option."""
    if option in own_data.TABLE_OPTIONS:
        return "files and folders of one's own"
    return "texts (--text COLUMN of a table, or a folder)" if option in own_data.TEXT_OPTIONS else "images"


def _settle(
    layers: Mapping[Origin, Mapping[str, Any]], recipe: catalog.RecipeEntry, source: catalog.Source
) -> tuple[dict, dict]:
    """Return each setting's and knob's value, and where it came from."""
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for name in ["recipe", *recipe.knobs, *source.options, *setting_fields()]:
        origins[name] = next((o for o in ("command", "file", "dataset") if name in layers[o]), "default")
        if name == "recipe":
            continue
        if origins[name] != "default":
            values[name] = _read(name, layers[origins[name]][name], recipe, source)
        elif name in recipe.knobs:
            if recipe.knobs[name].required:
                raise InputError(f"recipe '{recipe.name}' needs {name}=…")
            values[name] = recipe.knobs[name].default
        else:
            values[name] = (source.options.get(name) or setting_fields()[name]).default
    return values, origins


def _read(name: str, value: Any, recipe: catalog.RecipeEntry, source: catalog.Source) -> Any:
    if name in recipe.knobs:
        return recipe.knobs[name].parse(value)
    if name in source.options:
        return source.options[name].read(name, value)
    return setting_fields()[name].metadata["read"](name, value)


def _complete(experiment: Experiment, entry: catalog.DatasetEntry) -> Experiment:
    """Fill in what follows from the dataset, and refuse combinations that cannot be."""
    the_task = entry.task
    loss = the_task.loss if experiment.loss == "auto" else experiment.loss
    form = task.label_form(the_task, objects.parse("loss", loss).name)
    settings.refuse_logits(loss, the_task.output_activation)
    metrics = tuple(dict.fromkeys([*the_task.metrics, *experiment.metrics]))
    for parsed in (objects.parse("metric", metric) for metric in metrics):
        task.keras_metric(the_task, form, parsed.name, parsed.arguments)
    settings.refuse_equal_columns(metrics)
    scale_target = experiment.scale_target
    if scale_target == "auto":
        scale_target = "standardize" if the_task.kind == "regression" else "none"
    elif scale_target == "standardize" and the_task.kind != "regression":
        raise InputError(f"scale_target=standardize: {the_task.name} has classes, not numbers, as targets")
    if experiment.class_weights and the_task.kind == "regression":
        raise InputError(f"class_weights: {the_task.name} is a regression task and has no classes")
    settings.check_classes(experiment.class_weights, the_task.num_classes)
    scale = entry.scale if experiment.scale == "auto" else experiment.scale
    if scale != "none" and the_task.vocabulary_size:
        raise InputError(f"scale={scale}: the inputs of {the_task.name} are word numbers, which cannot be scaled")
    if experiment.augment and (the_task.vocabulary_size or not task.is_image(the_task.input_shape)):
        raise InputError(
            f"augment={','.join(experiment.augment)}: changes images; the inputs of {the_task.name} are none, "
            f"their shape is {the_task.input_shape}"
        )
    experiment = dataclasses.replace(experiment, loss=loss, metrics=metrics, scale=scale, scale_target=scale_target)
    settings.check_rate(experiment.optimizer, experiment.learning_rate)
    return dataclasses.replace(experiment, monitor=_monitor(experiment))


def _monitor(experiment: Experiment) -> str:
    """Return the monitor in its canonical spelling: the direction only where it is not the column's own."""
    names = ["loss", *experiment.metric_names]
    columns = [*names, *(f"val_{name}" for name in names)]
    name, colon, direction = experiment.monitor.partition(":")
    name = name.replace("-", "_")
    if name not in columns:
        raise unknown("monitor", name, columns)
    if colon and direction not in ("max", "min"):
        raise InputError(f"monitor '{shown(experiment.monitor)}': the direction is max or min, as in {name}:max")
    return name if direction in ("", settings.direction(name)) else f"{name}:{direction}"
