"""A small convolutional network for images, as a Sequential list."""

import keras

from kerasrun.layers import activate, pieces


def cnn(task, *, filters=(16, 32), kernel_size=3, hidden=(256,), activation="relu", initializer="glorot_uniform",
        dropout=0.0, batch_norm=False, l1=0.0, l2=0.0):  # fmt: skip
    """Stack convolutions, each followed by 2×2 max pooling, and fully connected layers on top of them.

    The pattern of LeNet (LeCun et al. 1998) with ReLU and max pooling; the defaults are a study's network for CIFAR-100
    (325,956 parameters). Grey images get a channel axis. Batch normalization stands before each activation, dropout
    after each fully connected layer. `l1` and `l2` penalize the kernels, not the biases.
    """
    penalty = keras.regularizers.L1L2(l1, l2) if l1 or l2 else None
    kernels = {"kernel_initializer": initializer, "kernel_regularizer": penalty}
    layers = [keras.Input(task.input_shape, dtype=task.input_dtype)]
    if len(task.input_shape) == 2:
        layers.append(keras.layers.Reshape((*task.input_shape, 1)))  # (height, width) -> (height, width, 1)
    for count in filters:
        layers.append(pieces(activation, keras.layers.Conv2D, count, kernel_size, **kernels))
        if batch_norm:
            layers.append(keras.layers.BatchNormalization())
        layers.append(activate(activation))
        layers.append(keras.layers.MaxPooling2D(2))
    layers.append(keras.layers.Flatten())
    for units in hidden:
        layers.append(pieces(activation, keras.layers.Dense, units, **kernels))
        if batch_norm:
            layers.append(keras.layers.BatchNormalization())
        layers.append(activate(activation))
        if dropout:
            layers.append(keras.layers.Dropout(dropout))
    layers.append(keras.layers.Dense(task.num_outputs, activation=task.output_activation, **kernels))
    return keras.Sequential(layers)
