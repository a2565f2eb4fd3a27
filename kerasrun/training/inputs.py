"""From a table's cells, or texts, to what a network receives, as Keras's own layers: part of the saved model.

Two stages. The look-ups (texts to numbers of categories, empty cells to their filling) were applied to the arrays once,
before training; `saved_form` makes the same of layers, in front of the trained model. What a step computes itself is
the scaling of numbers, and a 1 for each category: `front`. Of texts, the first stage is all.

FeatureSpace would do both, but its `adapt` took 4 s for 20,000 rows of 20 columns; the facts are known without it.
"""

from __future__ import annotations

from contextlib import suppress

import keras
import numpy as np
import tensorflow as tf

from kerasrun.datasets import Data
from kerasrun.errors import InputError, RunFailed
from kerasrun.inputs import InputColumn, Inputs, TableInputs, TextInputs
from kerasrun.runs import Run
from kerasrun.texts.tokens import SPLIT, STANDARDIZE
from kerasrun.training import scaling
from kerasrun.training.loop import Feeder


def front(
    inputs: Inputs | None, scale: str, x: np.ndarray, input_dtype: str, *, jit: bool = False
) -> keras.layers.Layer | None:
    """Return the layer that turns an example of the array into what the recipe receives, or None where it is the same.

    Args:
        inputs: how the array was made of data of one's own; None for other data.
        scale: none, unit, standardize, minmax, l1, l2 or l2_all; of numbers alone.
        x: the training part's inputs, (n, …).
        input_dtype: what the recipe receives.
        jit: whether steps are compiled with XLA, which has no CategoryEncoding; it fuses the comparisons that are slow
            without it (120 values: 0.7 times the rows per second).

    Raises:
        InputError: the scaling does not fit the data.
    """
    if not isinstance(inputs, TableInputs) or not inputs.categories:
        return scaling.input_layer(scale, x, input_dtype)
    cells = keras.Input(x.shape[1:], dtype="float32")
    count = len(inputs.names) - len(inputs.categories)
    parts = []
    if count:
        layer = scaling.input_layer(scale, x[:, :count], "float32")
        parts.append(layer(cells[:, :count]) if layer else cells[:, :count])
    tokens = keras.ops.cast(cells[:, count:], "int32")  # the last value is none of the known: no 1 anywhere
    if jit:
        parts.append(keras.ops.multi_hot(tokens, inputs.tokens + 1)[:, : inputs.tokens])
    else:
        encoding = keras.layers.CategoryEncoding(
            num_tokens=inputs.tokens + 1, output_mode="multi_hot", dtype="float32", name="categories"
        )
        parts.append(encoding(tokens)[:, : inputs.tokens])
    together = keras.layers.Concatenate(dtype="float32", name="features")(parts) if count else parts[0]
    return keras.Model(cells, together, name="prepare")


def saved_form(model: keras.Model, inputs: Inputs) -> keras.Model:
    """Return the model that takes a table's cells, a dict of columns, float32 or string (n, 1) each, or texts (n, 1).

    Args:
        model: takes rows of the array.
        inputs: how the array was made.
    """
    cells, rows = lookups(inputs)
    return keras.Model(cells, model(rows))


def array_form(model: keras.Model, inputs: Inputs | None) -> keras.Model:
    """Return the model that takes rows of the array: what `saved_form` was given.

    Raises:
        InputError: the model is not one that `saved_form` made.
    """
    if inputs is None:
        return model
    last = model.layers[-1]
    if not isinstance(last, keras.Model) or last.input_shape != (None, *inputs.shape):
        raise InputError("best.keras is not made of look-ups in front of a network; it is not the run's own model")
    return last


def lookups(inputs: Inputs) -> tuple[dict[str, keras.KerasTensor] | keras.KerasTensor, keras.KerasTensor]:
    """Return symbolic inputs, one for each column or one of texts, and the array's rows that are made of them."""
    if isinstance(inputs, TextInputs):
        return _of_texts(inputs)
    for _ in inputs.columns:
        cells, rows = _of_cells(inputs)
        with suppress(ValueError):  # a column is called as an operation is; made once more, that has another number
            keras.Function(cells, rows)
            return cells, rows
    return _of_cells(inputs)


def _of_texts(inputs: TextInputs) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Return an input of texts, string (n, 1), and their numbers, int32 (n, length)."""
    texts = keras.Input((1,), dtype="string", name="text")
    layer = keras.layers.TextVectorization(
        standardize=STANDARDIZE, split=SPLIT[inputs.tokens], ngrams=inputs.ngrams, name="words",
        output_sequence_length=inputs.length, vocabulary=[*inputs.vocabulary],
    )  # fmt: skip
    return texts, keras.ops.cast(layer(texts), "int32")


def _of_cells(inputs: TableInputs) -> tuple[dict[str, keras.KerasTensor], keras.KerasTensor]:
    """Return an input for each column, and the array's rows that are made of them, float32 (n, width)."""
    cells = {
        key: keras.Input((1,), dtype="string" if column.kind == "category" else "float32", name=key)
        for key, column in inputs.keys.items()
    }
    by_name = {column.name: cells[key] for key, column in inputs.keys.items()}
    parts = []
    if inputs.numbers:
        raw = _together([by_name[column.name] for column in inputs.numbers])
        empty = keras.ops.isnan(raw)
        fillings = np.array([np.nan if c.fill is None else c.fill for c in inputs.numbers], dtype=np.float32)
        parts.append(raw if np.isnan(fillings).all() else keras.ops.where(empty, fillings, raw))
        parts += [keras.ops.cast(empty[:, i : i + 1], "float32") for i in inputs.indicators]
    start = 0
    for number, column in enumerate(inputs.categories):
        name = f"kerasrun_{number}"
        while name in cells:
            name += "_"
        parts.append(_token(column, by_name[column.name], name, start, inputs.tokens))
        start += len(column.values)
    return cells, _together(parts)


def check(inputs: Inputs, x: np.ndarray) -> None:
    """Compare what the layers make of some training rows with the array that is trained on.

    Args:
        inputs: how the array was made; its sample is of the first rows.
        x: the training part.

    Raises:
        RunFailed: they differ; a fault of this program.
    """
    made = keras.Model(*lookups(inputs))(_tensors(inputs)).numpy()
    if not np.array_equal(made, x[: len(made)], equal_nan=True):
        row, column = np.argwhere(made != x[: len(made)])[0]
        what = f"column '{inputs.names[column]}'" if isinstance(inputs, TableInputs) else f"token {column} of the texts"
        raise RunFailed(
            f"the layers of {what} do not give what training row {row} was made into\n"
            "this is a fault of kerasrun; please report it with the file's first lines"
        )


def check_saved(run: Run, data: Data, feeder: Feeder) -> None:
    """Compare what the saved model says of some raw rows with what the trained one says of their arrays.

    Args:
        run: its best.keras is loaded.
        data: of one's own, with a sample.
        feeder: of the trained model, with its best weights.

    Raises:
        RunFailed: they differ by more than last digits, or the file cannot be loaded.
    """
    if data.inputs is None:
        return
    try:
        said = run.model()(_tensors(data.inputs)).numpy()
    except InputError as error:
        raise RunFailed(str(error)) from error
    expected = feeder.predict(data.train.x[: len(said)])
    if not np.allclose(said, expected, rtol=1e-3, atol=1e-4 * max(1.0, float(np.abs(expected).max()))):
        raise RunFailed("best.keras does not predict from raw rows what the trained network does from its arrays")


def _tensors(inputs: Inputs) -> dict[str, tf.Tensor] | tf.Tensor:
    """Return the sample as the saved model takes it; Keras takes no strings from NumPy."""
    if isinstance(inputs, TextInputs):
        return tf.constant(inputs.sample, shape=(len(inputs.sample), 1))
    columns = {key: inputs.sample[column.name] for key, column in inputs.keys.items()}
    return {key: tf.constant(cells.tolist(), shape=(len(cells), 1)) for key, cells in columns.items()}


def _token(column: InputColumn, cells: keras.KerasTensor, name: str, start: int, unknown: int) -> keras.KerasTensor:
    """Return the numbers of a column's values, float32 (n, 1); a look-up gives 0 for what it does not know."""
    lookup = keras.layers.StringLookup(vocabulary=list(column.values), num_oov_indices=1, name=name)
    code = lookup(cells)
    return keras.ops.cast(keras.ops.where(code > 0, code + (start - 1), unknown), "float32")


def _together(parts: list[keras.KerasTensor]) -> keras.KerasTensor:
    return parts[0] if len(parts) == 1 else keras.ops.concatenate(parts, axis=-1)
