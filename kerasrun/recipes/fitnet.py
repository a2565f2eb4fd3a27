"""FitNet-17: a deep, thin convolutional network without batch normalization."""

import keras

from kerasrun.layers import Maxout, RandomShift, activate, pieces


def fitnet(task, *, size=32, width=1.0, depth=1.0, activation="relu", dense_pieces=5, initializer="glorot_uniform",
           dropout=0.2, decay=5e-4, augment=False):  # fmt: skip
    """Stack 17 convolutions in three groups, and two fully connected layers: hard to train without good first weights.

    "FitNet4" of Mishkin and Matas 2015 (All you need is a good init), after Romero et al. 2015: 1,276,806 parameters on
    CIFAR-10, and 2,742,102 with activation=maxout, where each convolution has 2 pieces and the layer of 500 has
    `dense_pieces`. `size` is the side of the images that enter; larger ones are averaged down. `width` multiplies the
    number of units of every layer; `depth` is the part of each group's convolutions that stays. `decay` is Caffe's
    weight decay, twice the L2 penalty in Keras, of kernels alone. `augment` moves images by up to 4 pixels and mirrors
    half of them. The paper trains with it, `sgd(momentum=0.9)` and batch 128.
    """
    penalty = keras.regularizers.L2(decay / 2) if decay else None
    kernels = {"kernel_initializer": initializer, "kernel_regularizer": penalty}
    layers = [keras.Input(task.input_shape, dtype=task.input_dtype)]
    if len(task.input_shape) == 2:
        layers.append(keras.layers.Reshape((*task.input_shape, 1)))  # (height, width) -> (height, width, 1)
    if task.input_shape[0] >= 2 * size:
        layers.append(keras.layers.AveragePooling2D(task.input_shape[0] // size))
    if augment:
        layers += [RandomShift(4), keras.layers.RandomFlip("horizontal")]
    if dropout:
        layers.append(keras.layers.Dropout(dropout))
    for group in ((32, 32, 32, 48, 48), 6 * (80,), 6 * (128,)):
        for filters in group[-max(1, round(depth * len(group))) :]:
            layers.append(
                pieces(activation, keras.layers.Conv2D, _scaled(filters, width), 3, padding="same", **kernels)
            )
            layers.append(activate(activation))
        layers.append(keras.layers.GlobalMaxPooling2D() if group[0] == 128 else keras.layers.MaxPooling2D(2))
        if dropout:
            layers.append(keras.layers.Dropout(dropout))
    if isinstance(keras.activations.get(activation), Maxout):
        activation = Maxout(dense_pieces)
    layers.append(pieces(activation, keras.layers.Dense, _scaled(500, width), **kernels))
    layers.append(activate(activation))
    if dropout:
        layers.append(keras.layers.Dropout(dropout))
    layers.append(keras.layers.Dense(task.num_outputs, activation=task.output_activation, **kernels))
    return keras.Sequential(layers)


def _scaled(units, width):
    return max(4, 4 * round(units * width / 4))
