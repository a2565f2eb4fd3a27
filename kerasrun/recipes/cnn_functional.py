"""The network of recipe cnn, written with the Functional API."""

import keras

from kerasrun.layers import activate, pieces


def cnn_functional(task, *, filters=(16, 32), kernel_size=3, hidden=(256,), activation="relu",
                   initializer="glorot_uniform", dropout=0.0, batch_norm=False, l1=0.0, l2=0.0):  # fmt: skip
    """Call each convolution and each fully connected layer on the output of the one before.

    The same layers in the same order as in recipe cnn, so that equal seeds give equal numbers.
    """
    penalty = keras.regularizers.L1L2(l1, l2) if l1 or l2 else None
    kernels = {"kernel_initializer": initializer, "kernel_regularizer": penalty}
    inputs = keras.Input(task.input_shape, dtype=task.input_dtype)
    x = inputs
    if len(task.input_shape) == 2:
        x = keras.layers.Reshape((*task.input_shape, 1))(x)  # (height, width) -> (height, width, 1)
    for count in filters:
        x = pieces(activation, keras.layers.Conv2D, count, kernel_size, **kernels)(x)
        if batch_norm:
            x = keras.layers.BatchNormalization()(x)
        x = activate(activation)(x)
        x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Flatten()(x)
    for units in hidden:
        x = pieces(activation, keras.layers.Dense, units, **kernels)(x)
        if batch_norm:
            x = keras.layers.BatchNormalization()(x)
        x = activate(activation)(x)
        if dropout:
            x = keras.layers.Dropout(dropout)(x)
    outputs = keras.layers.Dense(task.num_outputs, activation=task.output_activation, **kernels)(x)
    return keras.Model(inputs, outputs)
