"""A run's best model in the form of another runtime: loaded in it and compared before it gets its name.

Keras 3.15 alone does not do: no input of its SavedModels may be called "size (cm)", its ONNX files ask for the numbers
of a Normalization layer as inputs, and LiteRT knows neither look-ups nor CategoryEncoding, nor a recurrent layer for
any number of examples. So ONNX and LiteRT get the network behind the look-ups, with such layers written out.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasrun import atomic
from kerasrun.datasets import tables
from kerasrun.errors import RunFailed
from kerasrun.inputs import InputColumn, TableInputs
from kerasrun.runs import BEST, Run
from kerasrun.trained import Trained
from kerasrun.training import inputs, quiet
from kerasrun.training.saved_models import OwnClass, load_model

RUNTIMES = {"keras": "keras", "savedmodel": "tensorflow", "onnx": "onnxruntime", "litert": "ai-edge-litert"}
_TOLERANCE, _COARSE = 1e-4, 3e-2  # of the largest output; of the 16-bit precisions, whose numbers have three digits
Cells = Mapping[str, np.ndarray]  # the inputs of a model by name, (n, …) each


@dataclass(frozen=True)
class Exported:
    """A model that was exported, and how it was checked.

    Args:
        inputs: dtype and shape (the batch first, None where it may be any) of its inputs, by name.
        columns: the columns of a table that the inputs take, by name; empty where they take an array.
        outputs: numbers that it gives for one example.
        runtime: package and version that ran it.
        examples: how many were compared.
        deviation: the largest difference from what best.keras says.
        largest: the largest output, in absolute value.
    """

    inputs: dict[str, tuple[str, tuple[int | None, ...]]]
    columns: dict[str, InputColumn]
    outputs: int
    runtime: str
    examples: int
    deviation: float
    largest: float


def export(
    run: Run,
    trained: Trained,
    form: str,
    path: Path,
    x: np.ndarray,
    *,
    texts: Sequence[str] = (),
    recipe: str | Path | None = None,
) -> Exported:
    """Write best.keras in another form; where that does not answer as best.keras does, nothing is written.

    Args:
        run: the run.
        trained: what its record says.
        form: a key of RUNTIMES.
        path: the file, or the new folder of a SavedModel.
        x: examples to compare on, (n, …) as the model was trained on.
        texts: the same as they are written, where the model takes texts.
        recipe: as in `Run.model`.

    Raises:
        InputError: as `Run.model`.
        RunFailed: the model cannot be converted, or the exported one answers otherwise.
        DiskError: the file cannot be written.
    """
    with tf.device("CPU:0"):  # where the other runtimes compute
        model = run.model(recipe=recipe)
        given, columns = _inputs(trained, x, texts)
        expected = _ask(model, given)
        if form == "savedmodel":
            model, given, columns = _plainly_named(model, given, columns)
        elif form in ("onnx", "litert"):
            model, given, columns = _written_out(inputs.array_form(model, trained.inputs)), {"input": x}, {}
        own = Path(str(recipe).partition(":")[0]) if recipe else run.own_recipe()
        tolerance = _TOLERANCE if trained.settings["precision"] == "float32" else _COARSE
        seen: list[tuple[int | None, float]] = []

        def fill(temporary: Path) -> None:
            batch, said = _tried(form, model, given, temporary, run, own)
            seen.append((batch, _deviation(form, said, expected, tolerance)))

        (atomic.write_folder if form == "savedmodel" else atomic.write_with)(path, fill)
    batch, deviation = seen[0]
    asked = {name: (_dtype(array), (batch, *array.shape[1:])) for name, array in given.items()}
    version = f"{RUNTIMES[form]} {metadata.version(RUNTIMES[form])}"
    return Exported(asked, columns, expected.shape[1], version, len(x), deviation, float(np.abs(expected).max()))


def _tried(
    form: str, model: keras.Model, given: Cells, path: Path, run: Run, recipe: Path | None
) -> tuple[int | None, np.ndarray]:
    """Write the model, and ask it in its runtime; what either says of itself is not shown.

    Raises:
        RunFailed: one of them cannot.
    """
    with quiet():
        try:
            batch = _write(form, model, given, path, run)
            return batch, _answers(form, path, given, batch, recipe)
        except OSError:  # a full disk has a message of its own
            raise
        except Exception as error:  # they raise whatever their parts raise
            fault = error
    reason = (str(fault).strip().splitlines() or [type(fault).__name__])[0][:200]
    raise RunFailed(f"{form}: the model cannot be converted or run: {reason}\nothers: {', '.join(RUNTIMES)}") from fault


def _inputs(trained: Trained, x: np.ndarray, texts: Sequence[str]) -> tuple[Cells, dict[str, InputColumn]]:
    """Return examples as best.keras takes them: raw cells of a table and their columns, texts, or the array."""
    if texts:
        return {"text": np.array(texts, dtype=object).reshape(-1, 1)}, {}
    if not isinstance(trained.inputs, TableInputs):
        return {"input": x}, {}
    cells = tables.decoded(trained.inputs, x)
    return {key: cells[c.name].reshape(-1, 1) for key, c in trained.inputs.keys.items()}, {**trained.inputs.keys}


def _ask(model: keras.Model, given: Cells) -> np.ndarray:
    return np.asarray(model(_as_taken(model, _tensors(given)), training=False))


def _as_taken(model: keras.Model, values: Mapping[str, Any]) -> Any:
    return values if isinstance(model.input, dict) else next(iter(values.values()))


def _tensors(given: Cells) -> dict[str, tf.Tensor]:
    return {name: tf.constant(array.tolist() if array.dtype == object else array) for name, array in given.items()}


def _dtype(array: np.ndarray) -> str:
    return "string" if array.dtype == object else str(array.dtype)


def _plainly_named(
    model: keras.Model, given: Cells, columns: dict[str, InputColumn]
) -> tuple[keras.Model, Cells, dict[str, InputColumn]]:
    """Return the model with inputs that a signature can have: letters, digits and _."""
    names: dict[str, str] = {}
    for key in given:
        name = re.sub(r"[^A-Za-z0-9_]", "_", key)
        name = name if re.match("[A-Za-z]", name) else f"input_{name}"
        while name in names.values():
            name += "_"
        names[key] = name
    taken = {n: keras.Input(given[k].shape[1:], dtype=_dtype(given[k]), name=n) for k, n in names.items()}
    renamed = keras.Model(taken, model(_as_taken(model, {key: taken[name] for key, name in names.items()})))
    return renamed, {n: given[k] for k, n in names.items()}, {n: columns[k] for k, n in names.items() if k in columns}


class _Ones(keras.layers.Layer):
    """CategoryEncoding's multi_hot, made of comparisons."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def call(self, tokens):
        """Return float32 (n, count)."""
        return keras.ops.multi_hot(tokens, self.count)


def _written_out(model: keras.Model) -> keras.Model:
    """Return the network with the same weights and without what converters do not know."""
    if not getattr(model, "inputs", None):
        return model
    network = keras.Model(model.inputs[0], model.outputs[0])
    return keras.models.clone_model(network, clone_function=_known, recursive=True)


def _known(layer: keras.Operation) -> keras.Operation:
    if isinstance(layer, keras.layers.CategoryEncoding):
        return _Ones(layer.num_tokens)
    if isinstance(layer, keras.layers.Normalization):  # its tensors would become inputs
        layer.mean, layer.variance = np.asarray(layer.mean), np.asarray(layer.variance)
    if getattr(layer, "compute_dtype", None) in ("float16", "bfloat16"):  # of which LiteRT multiplies no matrices
        layer.dtype_policy = "float32"
    return layer


def _write(form: str, model: keras.Model, given: Cells, path: Path, run: Run) -> int | None:
    """Write the model, and return how many examples it takes at a time; None for any number."""
    if form == "keras":
        shutil.copyfile(run.folder / BEST, path)
        return None
    if form == "savedmodel":
        model.export(path, verbose=False)
        return None
    shape, dtype = given["input"].shape[1:], given["input"].dtype
    signature = [keras.InputSpec(shape=(None, *shape), dtype=dtype, name="input")]
    if form == "onnx":
        model.export(path, format="onnx", verbose=False, input_signature=signature)
        return None
    only = {"format": "litert", "verbose": False, "target_spec": {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}}
    try:
        model.export(path, input_signature=signature, **only)
        return None
    except Exception:  # a loop over a sequence: LiteRT wants to know the size of what it keeps
        signature = [keras.InputSpec(shape=(1, *shape), dtype=dtype, name="input")]
        model.export(path, input_signature=signature, **only)
        return 1


def _answers(form: str, path: Path, given: Cells, batch: int | None, recipe: Path | None) -> np.ndarray:
    """Return what an exported model says in its own runtime, (n, outputs)."""
    if form == "keras":
        return _ask(_loaded(path, recipe), given)
    if form == "savedmodel":
        (said,) = tf.saved_model.load(str(path)).signatures["serving_default"](**_tensors(given)).values()
        return said.numpy()
    if form == "onnx":
        import onnxruntime

        return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, dict(given))[0]
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(path)).get_signature_runner("serving_default")
    x = given["input"]
    size = batch or len(x)
    return np.concatenate([*(next(iter(runner(input=x[i : i + size]).values())) for i in range(0, len(x), size))])


def _loaded(path: Path, recipe: Path | None) -> keras.Model:
    try:
        return load_model(path)
    except OwnClass:
        return load_model(path, recipe=recipe)


def _deviation(form: str, said: np.ndarray, expected: np.ndarray, tolerance: float) -> float:
    """Return the largest difference.

    Raises:
        RunFailed: it is too large, or not a number.
    """
    largest = float(np.abs(expected).max())
    deviation = float(np.abs(said.astype(np.float64) - expected).max()) if said.shape == expected.shape else np.inf
    if not deviation <= tolerance * largest + 1e-7:
        raise RunFailed(
            f"the exported {form} model does not answer as best.keras: they differ by up to {deviation:.2g}, "
            f"of outputs up to {largest:.4g}\nnothing was written; try another form: {', '.join(RUNTIMES)}"
        )
    return deviation
