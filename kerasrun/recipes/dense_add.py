"""The network of recipe dense, built layer by layer with add()."""

from typing import Literal

import keras

from kerasrun.layers import activate, pieces


def dense_add(task, *, hidden=(100,), activation="relu", initializer="glorot_uniform", dropout=0.0,
              batch_norm: Literal[False, True, "after"] = False, l1=0.0, l2=0.0):  # fmt: skip
    """Add the fully connected layers to a Sequential model one after another.

    The same layers in the same order as in recipe dense, so that equal seeds give equal numbers.
    """
    penalty = keras.regularizers.L1L2(l1, l2) if l1 or l2 else None
    model = keras.Sequential()
    model.add(keras.Input(task.input_shape, dtype=task.input_dtype))
    model.add(keras.layers.Flatten())
    for units in hidden:
        model.add(
            pieces(activation, keras.layers.Dense, units, kernel_initializer=initializer, kernel_regularizer=penalty)
        )
        if batch_norm is True:
            model.add(keras.layers.BatchNormalization())
        model.add(activate(activation))
        if batch_norm == "after":
            model.add(keras.layers.BatchNormalization())
        if dropout:
            model.add(keras.layers.Dropout(dropout))
    model.add(
        keras.layers.Dense(
            task.num_outputs,
            activation=task.output_activation,
            kernel_initializer=initializer,
            kernel_regularizer=penalty,
        )
    )
    return model
