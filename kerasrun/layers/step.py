"""The threshold of McCulloch and Pitts (1943) and Rosenblatt (1958)."""

import keras


@keras.saving.register_keras_serializable(package="kerasrun")
class Step(keras.layers.Layer):
    """Return 1 where the input is above 0, else 0.

    Its gradient is 0 everywhere, so a network cannot learn through it; weights are set by hand.

    Shapes: any -> the same.
    """

    def call(self, inputs):
        """Return zeros and ones of the input's dtype."""
        return keras.ops.cast(inputs > 0, inputs.dtype)

    def compute_output_shape(self, input_shape):
        """Return the input's shape."""
        return input_shape
