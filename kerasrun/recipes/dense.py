"""A network of fully connected layers, as a Sequential list."""

from typing import Literal

import keras

from kerasrun.layers import activate, pieces


def dense(task, *, hidden=(100,), activation="relu", initializer="glorot_uniform", dropout=0.0,
          batch_norm: Literal[False, True, "after"] = False, l1=0.0, l2=0.0):  # fmt: skip
    """Stack fully connected hidden layers on the flattened input.

    The multilayer perceptron of the textbooks. Batch normalization (Ioffe and Szegedy 2015) stands before the
    activation, or after it where asked; dropout (Srivastava et al. 2014) comes last. `l1` and `l2` penalize the
    kernels, not the biases.
    """
    penalty = keras.regularizers.L1L2(l1, l2) if l1 or l2 else None
    layers = [keras.Input(task.input_shape, dtype=task.input_dtype), keras.layers.Flatten()]
    for units in hidden:
        layers.append(
            pieces(activation, keras.layers.Dense, units, kernel_initializer=initializer, kernel_regularizer=penalty)
        )
        if batch_norm is True:
            layers.append(keras.layers.BatchNormalization())
        layers.append(activate(activation))
        if batch_norm == "after":
            layers.append(keras.layers.BatchNormalization())
        if dropout:
            layers.append(keras.layers.Dropout(dropout))
    layers.append(
        keras.layers.Dense(
            task.num_outputs,
            activation=task.output_activation,
            kernel_initializer=initializer,
            kernel_regularizer=penalty,
        )
    )
    return keras.Sequential(layers)
