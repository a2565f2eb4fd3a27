"""Maxout: the largest of several linear pieces as the non-linearity (Goodfellow et al. 2013)."""

import keras


@keras.saving.register_keras_serializable(package="kerasrun")
class Maxout(keras.layers.Layer):
    """Take the maximum over groups of features.

    Args:
        pieces: how many groups there are; feature i of the output is the largest of features i, i + n, i + 2n …

    Shapes: (…, pieces * n) -> (…, n).
    """

    def __init__(self, pieces=2, **kwargs):
        super().__init__(**kwargs)
        self.pieces = pieces

    def build(self, input_shape):
        """Check that the features are whole pieces."""
        if input_shape[-1] % self.pieces:
            raise ValueError(f"maxout: {input_shape[-1]} features are not {self.pieces} pieces of equal size")

    def call(self, inputs):
        """Return the largest piece of each unit."""
        grouped = keras.ops.reshape(inputs, (*keras.ops.shape(inputs)[:-1], self.pieces, -1))
        return keras.ops.max(grouped, axis=-2)

    def compute_output_shape(self, input_shape):
        """Return the input's shape with as many features as one piece has."""
        return (*input_shape[:-1], input_shape[-1] // self.pieces)

    def get_config(self):
        """Return what the layer is made again from."""
        return super().get_config() | {"pieces": self.pieces}


@keras.saving.register_keras_serializable(package="kerasrun")
class Pieces(keras.layers.Layer):
    """Apply several layers to the same input and lay their outputs side by side.

    Each piece keeps its own kernel, so initializers see the fan-in and fan-out of one piece.

    Args:
        parts: layers of equal output shapes (…, n), such as Dense or Conv2D.

    Shapes: as one layer's, but (…, len(parts) * n).
    """

    def __init__(self, parts, **kwargs):
        super().__init__(**kwargs)
        self.parts = [keras.layers.deserialize(piece) if isinstance(piece, dict) else piece for piece in parts]

    def build(self, input_shape):
        """Make the weights of every piece."""
        for piece in self.parts:
            if not piece.built:  # those of a saved model are
                piece.build(input_shape)

    def call(self, inputs):
        """Return the pieces' outputs, one after the other along the last axis."""
        return keras.ops.concatenate([piece(inputs) for piece in self.parts], axis=-1)

    def compute_output_shape(self, input_shape):
        """Return one piece's output shape with the features of all."""
        shape = self.parts[0].compute_output_shape(input_shape)
        return (*shape[:-1], len(self.parts) * shape[-1])

    def get_config(self):
        """Return what the layer is made again from."""
        return super().get_config() | {"parts": [keras.layers.serialize(piece) for piece in self.parts]}


def pieces(activation, layer, *arguments, **named):
    """Return a layer before its activation: one of its kind or, for maxout, as many as there are pieces.

    Args:
        activation: as Keras takes it: a name, a config or an object.
        layer: a class, such as keras.layers.Dense.
        *arguments: of the layer.
        **named: of the layer.
    """
    count = _number_of_pieces(activation)
    if count is None:
        return layer(*arguments, **named)
    return Pieces([layer(*arguments, name=f"piece_{i}", **named) for i in range(count)])


def activate(activation):
    """Return an activation as a layer; Keras's own Activation takes none that changes the shape, as maxout does."""
    if _number_of_pieces(activation) is None:
        return keras.layers.Activation(activation)
    return keras.activations.get(activation)


def _number_of_pieces(activation):
    """Return the pieces of maxout, None for any other activation."""
    if isinstance(activation, dict) and activation.get("class_name") == "Maxout":
        return activation["config"]["pieces"]
    return activation.pieces if isinstance(activation, Maxout) else None
