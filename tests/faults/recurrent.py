"""A small recurrent recipe with noise in the input and in the state; a recipe in a user's file."""

import keras  # noqa: TID253 - a recipe


def recurrent(task, *, units: int = 8, dropout: float = 0.3):
    """Read an image row by row with a GRU."""
    inputs = keras.Input(task.input_shape, dtype=task.input_dtype)
    x = keras.layers.GaussianNoise(0.1)(inputs)
    x = keras.layers.GRU(units, dropout=dropout)(x)
    x = keras.layers.BatchNormalization()(x)
    return keras.Model(inputs, keras.layers.Dense(task.num_outputs, activation=task.output_activation)(x))
