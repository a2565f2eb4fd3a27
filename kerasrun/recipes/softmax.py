"""The smallest classifier: one layer from the inputs to the outputs."""

import keras


def softmax(task, *, initializer="glorot_uniform", l1=0.0, l2=0.0):
    """Connect every input to every output, without a hidden layer.

    With softmax outputs this is multinomial logistic regression, with one sigmoid unit logistic regression, with a
    linear unit linear regression: the baseline that a deeper network has to beat.
    """
    penalty = keras.regularizers.L1L2(l1, l2) if l1 or l2 else None
    return keras.Sequential(
        [
            keras.Input(task.input_shape, dtype=task.input_dtype),
            keras.layers.Flatten(),
            keras.layers.Dense(
                task.num_outputs,
                activation=task.output_activation,
                kernel_initializer=initializer,
                kernel_regularizer=penalty,
            ),
        ]
    )
