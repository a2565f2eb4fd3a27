"""The network of recipe dense, written with the Functional API."""

from typing import Literal

import keras

from kerasrun.layers import activate, pieces


def dense_functional(task, *, hidden=(100,), activation="relu", initializer="glorot_uniform", dropout=0.0,
                     batch_norm: Literal[False, True, "after"] = False, l1=0.0, l2=0.0):  # fmt: skip
    """Call each fully connected layer on the output of the one before.

    The same layers in the same order as in recipe dense, so that equal seeds give equal numbers. The Functional API
    (`keras.Model(inputs, outputs)`) is what networks with branches need; this one shows it where nothing else differs.
    """
    penalty = keras.regularizers.L1L2(l1, l2) if l1 or l2 else None
    inputs = keras.Input(task.input_shape, dtype=task.input_dtype)
    x = keras.layers.Flatten()(inputs)
    for units in hidden:
        x = pieces(activation, keras.layers.Dense, units, kernel_initializer=initializer, kernel_regularizer=penalty)(x)
        if batch_norm is True:
            x = keras.layers.BatchNormalization()(x)
        x = activate(activation)(x)
        if batch_norm == "after":
            x = keras.layers.BatchNormalization()(x)
        if dropout:
            x = keras.layers.Dropout(dropout)(x)
    outputs = keras.layers.Dense(
        task.num_outputs,
        activation=task.output_activation,
        kernel_initializer=initializer,
        kernel_regularizer=penalty,
    )(x)
    return keras.Model(inputs, outputs)
