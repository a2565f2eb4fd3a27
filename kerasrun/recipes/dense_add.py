"""The network of recipe dense, built layer by layer with add()."""

import keras


def dense_add(task, *, hidden=(100,), activation="relu", initializer="glorot_uniform", dropout=0.0, batch_norm=False,
              l1=0.0, l2=0.0):  # fmt: skip
    """Add the fully connected layers to a Sequential model one after another.

    The same layers in the same order as in recipe dense, so that equal seeds give equal numbers.
    """
    penalty = keras.regularizers.L1L2(l1, l2) if l1 or l2 else None
    model = keras.Sequential()
    model.add(keras.Input(task.input_shape, dtype=task.input_dtype))
    model.add(keras.layers.Flatten())
    for units in hidden:
        model.add(keras.layers.Dense(units, kernel_initializer=initializer, kernel_regularizer=penalty))
        if batch_norm:
            model.add(keras.layers.BatchNormalization())
        model.add(keras.layers.Activation(activation))
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
