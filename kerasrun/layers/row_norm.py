"""Each example divided by its own norm; an example of zeros stays as it is."""

import keras


@keras.saving.register_keras_serializable(package="kerasrun")
class RowNorm(keras.layers.Layer):
    """Divide each example by its L1 or L2 norm over all its values.

    Args:
        order: 1 for the sum of the absolute values, 2 for the Euclidean norm.

    Shapes: (batch, …) of any dtype -> the same shape, float32; the norm of a row is then 1, or 0 for a row of zeros.
    """

    def __init__(self, order, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        if order not in (1, 2):
            raise ValueError(f"order={order!r} must be 1 or 2")
        self.order = order

    def call(self, inputs):
        """Return the scaled examples."""
        inputs = keras.ops.cast(inputs, "float32")
        axes = tuple(range(1, len(inputs.shape)))
        magnitude = keras.ops.abs(inputs) if self.order == 1 else keras.ops.square(inputs)
        norm = keras.ops.sum(magnitude, axis=axes, keepdims=True)
        if self.order == 2:
            norm = keras.ops.sqrt(norm)
        return keras.ops.divide_no_nan(inputs, norm)

    def compute_output_shape(self, input_shape):
        """Return the input's shape."""
        return input_shape

    def get_config(self):
        """Return what the layer is made again from."""
        config = super().get_config()
        del config["dtype"]
        return config | {"order": self.order}
