"""A recipe for the benchmark of XLA: a recurrent text classifier."""

import keras


def lstm(task, *, size=16, units=32):
    """Look up a vector for each word and read them in order."""
    return keras.Sequential(
        [
            keras.Input(task.input_shape, dtype=task.input_dtype),
            keras.layers.Embedding(task.vocabulary_size, size),
            keras.layers.LSTM(units),
            keras.layers.Dense(task.num_outputs, activation=task.output_activation),
        ]
    )
