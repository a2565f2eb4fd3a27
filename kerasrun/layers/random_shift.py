"""Images moved at random, each by an amount of its own."""

import keras


@keras.saving.register_keras_serializable(package="kerasrun")
class RandomShift(keras.layers.Layer):
    """Move each image by a random number of whole pixels, up to `pixels` in each direction; zeros come in.

    What "padded by 4, random crop" of the CIFAR literature does (Lin et al. 2014; He et al. 2016). Keras's RandomCrop
    draws one crop for a whole batch. Only in training.

    Args:
        pixels: how far at most.
        seed: an int, or None to be drawn.

    Shapes: (batch, height, width, channels) -> the same.
    """

    def __init__(self, pixels=4, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.pixels, self.seed = pixels, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        """Return the images, moved in training."""
        if not training:
            return inputs
        batch, (height, width) = keras.ops.shape(inputs)[0], inputs.shape[1:3]
        moves = keras.random.randint((2, batch, 1), 0, 2 * self.pixels + 1, seed=self.seed_generator)
        edge = (self.pixels, self.pixels)
        padded = keras.ops.pad(inputs, ((0, 0), edge, edge, (0, 0)))
        rows, columns = moves[0] + keras.ops.arange(height), moves[1] + keras.ops.arange(width)
        taken = keras.ops.take_along_axis(padded, rows[:, :, None, None], axis=1)
        return keras.ops.take_along_axis(taken, columns[:, None, :, None], axis=2)

    def compute_output_shape(self, input_shape):
        """Return the input's shape."""
        return input_shape

    def get_config(self):
        """Return what the layer is made again from."""
        return super().get_config() | {"pixels": self.pixels, "seed": self.seed}
