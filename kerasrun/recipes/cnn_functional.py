"""The network of recipe cnn, written with the Functional API."""

import keras


def cnn_functional(task, *, filters=(16, 32), kernel_size=3, hidden=(256,), activation="relu",
                   initializer="glorot_uniform", dropout=0.0, batch_norm=False, l1=0.0, l2=0.0):  # fmt: skip
    """Call each convolution and each fully connected layer on the output of the one before.

    The same layers in the same order as in recipe cnn, so that equal seeds give equal numbers.
    """
    penalty = keras.regularizers.L1L2(l1, l2) if l1 or l2 else None
    inputs = keras.Input(task.input_shape, dtype=task.input_dtype)
    x = inputs
    if len(task.input_shape) == 2:
        x = keras.layers.Reshape((*task.input_shape, 1))(x)  # (height, width) -> (height, width, 1)
    for count in filters:
        x = keras.layers.Conv2D(count, kernel_size, kernel_initializer=initializer, kernel_regularizer=penalty)(x)
        if batch_norm:
            x = keras.layers.BatchNormalization()(x)
        x = keras.layers.Activation(activation)(x)
        x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Flatten()(x)
    for units in hidden:
        x = keras.layers.Dense(units, kernel_initializer=initializer, kernel_regularizer=penalty)(x)
        if batch_norm:
            x = keras.layers.BatchNormalization()(x)
        x = keras.layers.Activation(activation)(x)
        if dropout:
            x = keras.layers.Dropout(dropout)(x)
    outputs = keras.layers.Dense(
        task.num_outputs,
        activation=task.output_activation,
        kernel_initializer=initializer,
        kernel_regularizer=penalty,
    )(x)
    return keras.Model(inputs, outputs)
