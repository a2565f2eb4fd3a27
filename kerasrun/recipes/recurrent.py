"""A network that reads a sequence step by step."""

from typing import Literal

import keras


def recurrent(task, *, cell: Literal["lstm", "gru"] = "lstm", units=32, size=16, initializer="glorot_uniform",
              dropout=0.0):  # fmt: skip
    """Read a sequence with an LSTM or GRU layer and classify its last state: the order of the words counts.

    Hochreiter and Schmidhuber 1997; Cho et al. 2014. Texts go through word vectors of length `size`, and padding is
    passed over; other inputs are sequences of numbers, (steps, features), as the rows of an image. `initializer` is
    that of the input kernels; `dropout` stands before the output layer.
    """
    layers = [keras.Input(task.input_shape, dtype=task.input_dtype)]
    if task.vocabulary_size:
        layers.append(keras.layers.Embedding(task.vocabulary_size, size, mask_zero=True))  # (words,) -> (words, size)
    kind = keras.layers.LSTM if cell == "lstm" else keras.layers.GRU
    layers.append(kind(units, kernel_initializer=initializer))
    if dropout:
        layers.append(keras.layers.Dropout(dropout))
    layers.append(
        keras.layers.Dense(task.num_outputs, activation=task.output_activation, kernel_initializer=initializer)
    )
    return keras.Sequential(layers)
