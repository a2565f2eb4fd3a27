"""Rosenblatt's unit with a differentiable threshold."""

import keras


def perceptron(task, *, initializer="glorot_uniform"):
    """Build one unit that separates the inputs by a line (a hyperplane): it learns AND, OR and NAND, never XOR.

    Rosenblatt 1958; its limit: Minsky and Papert 1969. The output is cut at 0.5.
    """
    return keras.Sequential(
        [
            keras.Input(task.input_shape, dtype=task.input_dtype),
            keras.layers.Flatten(),
            keras.layers.Dense(task.num_outputs, activation=task.output_activation, kernel_initializer=initializer),
        ]
    )
