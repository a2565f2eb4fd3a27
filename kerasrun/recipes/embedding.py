"""A text classifier: word vectors, pooled over the text, as a Sequential list."""

from typing import Literal

import keras

from kerasrun.layers import activate, pieces


def embedding(task, *, size=16, hidden=(), pooling: Literal["average", "max"] = "average", activation="relu",
              initializer="glorot_uniform", dropout=0.0):  # fmt: skip
    """Look up a vector for each word, pool the vectors over the text, and classify the result.

    The order of the words does not count, which makes it fast and hard to beat on topics and opinions (Joulin et al.
    2016). `size` is the length of a word's vector. `dropout` stands before the output layer.
    """
    layers = [
        keras.Input(task.input_shape, dtype=task.input_dtype),
        keras.layers.Embedding(task.vocabulary_size, size),  # (words,) -> (words, size)
        keras.layers.GlobalMaxPooling1D() if pooling == "max" else keras.layers.GlobalAveragePooling1D(),
    ]
    for units in hidden:
        layers.append(pieces(activation, keras.layers.Dense, units, kernel_initializer=initializer))
        layers.append(activate(activation))
    if dropout:
        layers.append(keras.layers.Dropout(dropout))
    layers.append(
        keras.layers.Dense(task.num_outputs, activation=task.output_activation, kernel_initializer=initializer)
    )
    return keras.Sequential(layers)
