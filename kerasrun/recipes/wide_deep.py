"""A network with two paths from the inputs to the outputs, as a Functional model."""

import keras

from kerasrun.layers import activate, pieces


def wide_deep(task, *, hidden=(100, 100), activation="relu", initializer="glorot_uniform", dropout=0.0, l1=0.0,
              l2=0.0):  # fmt: skip
    """Join the inputs themselves (the wide path) with what hidden layers make of them (the deep path).

    The wide path learns simple rules straight from the inputs, the deep one generalizes (Cheng et al. 2016). Two paths
    cannot be written as a list of layers. `l1` and `l2` penalize the kernels, not the biases.
    """
    penalty = keras.regularizers.L1L2(l1, l2) if l1 or l2 else None
    inputs = keras.Input(task.input_shape, dtype=task.input_dtype)
    wide = keras.layers.Flatten()(inputs)
    deep = wide
    for units in hidden:
        deep = pieces(
            activation, keras.layers.Dense, units, kernel_initializer=initializer, kernel_regularizer=penalty
        )(deep)
        deep = activate(activation)(deep)
        if dropout:
            deep = keras.layers.Dropout(dropout)(deep)
    outputs = keras.layers.Dense(
        task.num_outputs,
        activation=task.output_activation,
        kernel_initializer=initializer,
        kernel_regularizer=penalty,
    )(keras.layers.Concatenate()([wide, deep]))
    return keras.Model(inputs, outputs)
