"""A network that computes XOR with weights set by hand; there is nothing to train."""

import keras


def xor_by_hand(task, *, unit_activation="step", factor=1.0, output_bias=-1.0):
    """Compute XOR as AND(NAND, OR): what one unit cannot separate, two layers can (Minsky and Papert 1969).

    The output is 1 where its weighted sum is above 0. With unit_activation=sigmoid the sums are too small for clear
    answers: the outputs are 0.555, 0.614, 0.614 and 0.555. `factor` multiplies all weights and biases; with factor=10
    and output_bias=-1.5 the sigmoid gives the truth table, too.
    """

    def layer(kernel, bias):
        kernel, bias = ([[factor * number for number in row] for row in rows] for rows in (kernel, [bias]))
        return keras.layers.Dense(
            len(bias[0]),
            activation=unit_activation,
            kernel_initializer=keras.initializers.Constant(kernel),
            bias_initializer=keras.initializers.Constant(bias[0]),
            trainable=False,
        )

    return keras.Sequential(
        [
            keras.Input(task.input_shape, dtype=task.input_dtype),
            layer([[-2.0, 2.0], [-2.0, 2.0]], [3.0, -1.0]),  # NAND and OR
            layer([[1.0], [1.0]], [output_bias]),  # AND
        ]
    )
