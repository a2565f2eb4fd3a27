"""Images changed at random in training: each image by an amount of its own, nothing outside of training.

Keras's own layers for this were tried first (3.15): RandomTranslation, RandomRotation and MixUp cannot be compiled with
XLA, and RandomCrop draws one crop for a whole batch. Each layer here has one stream of random numbers, as Dropout has;
compiled with XLA it draws other numbers, as Dropout does.

All take float32 (batch, height, width) or (batch, height, width, channels) and return the same; what comes in from
outside of an image is 0.
"""

import keras
import numpy as np
import tensorflow as tf


class _Augment(keras.layers.Layer):
    """What all of them share: a stream of random numbers, a channel axis, and that nothing happens outside of training.

    Args:
        seed: an int, or None to be drawn.
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images, training=False):
        """Return the images, changed in training."""
        if not training:
            return images
        channels = images if len(images.shape) == 4 else images[..., None]
        changed = self.change(channels)
        return changed if len(images.shape) == 4 else changed[..., 0]

    def drawn(self, images, count):
        """Return random numbers of each image, float32 (count, batch), in [0, 1)."""
        seed = tf.cast(self.seed_generator.next(), tf.int32)  # by the name of Philox, XLA draws faster on a CPU
        return tf.random.stateless_uniform((count, tf.shape(images)[0]), seed, alg="philox")

    def compute_output_shape(self, input_shape):
        """Return the input's shape."""
        return input_shape

    def get_config(self):
        """Return what the layer is made again from."""
        return super().get_config() | {"seed": self.seed}


@keras.saving.register_keras_serializable(package="kerasrun")
class Flip(_Augment):
    """Mirror half of the images.

    Args:
        direction: "horizontal", "vertical" or "both", each with probability 1/2.
    """

    def __init__(self, direction="horizontal", **kwargs):
        super().__init__(**kwargs)
        self.direction = direction

    def change(self, images):
        """Return the images, some of them mirrored."""
        mirrored = (self.drawn(images, 2) < 0.5)[:, :, None, None, None]
        if self.direction in ("horizontal", "both"):
            images = tf.where(mirrored[0], images[:, :, ::-1], images)
        if self.direction in ("vertical", "both"):
            images = tf.where(mirrored[1], images[:, ::-1], images)
        return images

    def get_config(self):
        """Return what the layer is made again from."""
        return super().get_config() | {"direction": self.direction}


@keras.saving.register_keras_serializable(package="kerasrun")
class Shift(_Augment):
    """Move each image by whole pixels, up or down and sideways (the padded crop of He et al. 2016).

    Args:
        amount: how far at most, as a part of height and width.
    """

    def __init__(self, amount=0.1, **kwargs):
        super().__init__(**kwargs)
        self.amount = amount

    def change(self, images):
        """Return the images, moved."""
        height, width = images.shape[1:3]
        down, right = tf.unstack(self.drawn(images, 2)[:, :, None])
        rows = tf.range(height) + self._whole(down, height)
        columns = tf.range(width) + self._whole(right, width)
        taken = tf.gather(images, tf.clip_by_value(rows, 0, height - 1), axis=1, batch_dims=1)
        taken = tf.gather(taken, tf.clip_by_value(columns, 0, width - 1), axis=2, batch_dims=1)
        inside = _inside(rows, height)[:, :, None] & _inside(columns, width)[:, None, :]
        return tf.where(inside[..., None], taken, 0.0)

    def _whole(self, numbers, side):
        most = round(self.amount * side)
        return tf.cast(tf.floor(numbers * (2 * most + 1)), tf.int32) - most

    def get_config(self):
        """Return what the layer is made again from."""
        return super().get_config() | {"amount": self.amount}


@keras.saving.register_keras_serializable(package="kerasrun")
class Rotate(_Augment):
    """Turn each image about its centre.

    Args:
        degrees: how far at most, to either side.
    """

    def __init__(self, degrees=15.0, **kwargs):
        super().__init__(**kwargs)
        self.degrees = degrees

    def change(self, images):
        """Return the images, turned; pixels are interpolated between four."""
        height, width = images.shape[1:3]
        angle = (self.drawn(images, 1)[0, :, None, None] * 2 - 1) * np.float32(np.deg2rad(self.degrees))
        down = tf.range(height, dtype=tf.float32)[None, :, None] - (height - 1) / 2
        right = tf.range(width, dtype=tf.float32)[None, None, :] - (width - 1) / 2
        rows = down * tf.cos(angle) - right * tf.sin(angle) + (height - 1) / 2
        columns = down * tf.sin(angle) + right * tf.cos(angle) + (width - 1) / 2
        return _sampled(images, rows, columns)

    def get_config(self):
        """Return what the layer is made again from."""
        return super().get_config() | {"degrees": self.degrees}


@keras.saving.register_keras_serializable(package="kerasrun")
class Crop(_Augment):
    """Cut a window out of each image and bring it to the full size again (Szegedy et al. 2015, of one shape).

    Args:
        least: the smallest window, as a part of height and width; sizes from there to the whole are equally likely.
    """

    def __init__(self, least=0.8, **kwargs):
        super().__init__(**kwargs)
        self.least = least

    def change(self, images):
        """Return windows of the images, enlarged; pixels are interpolated between four."""
        height, width = images.shape[1:3]
        size, top, left = tf.unstack(self.drawn(images, 3)[:, :, None])
        size = self.least + (1 - self.least) * size
        rows = tf.range(height, dtype=tf.float32) * size + top * (1 - size) * (height - 1)
        columns = tf.range(width, dtype=tf.float32) * size + left * (1 - size) * (width - 1)
        images = tf.einsum("bih,bhwc->biwc", _between(rows, height), images)
        return tf.einsum("bjw,biwc->bijc", _between(columns, width), images)

    def get_config(self):
        """Return what the layer is made again from."""
        return super().get_config() | {"least": self.least}


@keras.saving.register_keras_serializable(package="kerasrun")
class Cutout(_Augment):
    """Put a square of zeros anywhere on each image; it may hang over the edge (DeVries and Taylor 2017).

    Args:
        size: of the square, as a part of the image's shorter side.
    """

    def __init__(self, size=0.25, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def change(self, images):
        """Return the images with a square of zeros each."""
        height, width = images.shape[1:3]
        length = max(1, round(self.size * min(height, width)))
        covered = []
        for numbers, side in zip(tf.unstack(self.drawn(images, 2)), (height, width), strict=True):
            start = tf.cast(tf.floor(numbers * side), tf.int32)[:, None] - length // 2
            covered.append(_inside(tf.range(side) - start, length))
        return tf.where((covered[0][:, :, None] & covered[1][:, None, :])[..., None], 0.0, images)

    def get_config(self):
        """Return what the layer is made again from."""
        return super().get_config() | {"size": self.size}


@keras.saving.register_keras_serializable(package="kerasrun")
class Mixup(_Augment):
    """Mix each image with its neighbour in the batch, whose order is random (Zhang et al. 2018).

    The part of the image itself, the larger of Beta(alpha, alpha) and its complement, is left in `share`, (batch,), for
    whoever computes the loss in the same step: share * loss(own label) + (1 - share) * loss(the neighbour's label).

    Args:
        alpha: the larger, the more even the mixtures.
    """

    def __init__(self, alpha=0.2, **kwargs):
        super().__init__(**kwargs)
        self.alpha = alpha
        self.share = None

    def change(self, images):
        """Return the mixtures."""
        from scipy.special import betaincinv  # by quantiles, because XLA draws no gamma numbers

        quantiles = betaincinv(self.alpha, self.alpha, (np.arange(_QUANTILES) + 0.5) / _QUANTILES)
        shares = tf.constant(np.maximum(quantiles, 1 - quantiles), tf.float32)
        self.share = tf.gather(shares, tf.cast(self.drawn(images, 1)[0] * _QUANTILES, tf.int32))
        share = self.share[:, None, None, None]
        return share * images + (1 - share) * neighbour(images)

    def get_config(self):
        """Return what the layer is made again from."""
        return super().get_config() | {"alpha": self.alpha}


_QUANTILES = 4096


def neighbour(batch):
    """Return what each example of a batch is mixed with: the one before it."""
    return tf.roll(batch, 1, axis=0)


def _inside(positions, size):
    return (positions >= 0) & (positions < size)


def _between(positions, size):
    """Return how much each of `size` pixels counts at positions between them, float32 (batch, positions, size)."""
    return tf.nn.relu(1 - tf.abs(positions[:, :, None] - tf.range(size, dtype=tf.float32)))


def _sampled(images, rows, columns):
    """Return images at positions between pixels, bilinear, 0 outside.

    Args:
        images: float32 (batch, height, width, channels).
        rows: float32 (batch, height, width).
        columns: likewise.
    """
    _, height, width, channels = images.shape
    flat = tf.reshape(images, (-1, height * width, channels))
    top, left = tf.floor(rows), tf.floor(columns)
    out = 0.0
    for row, row_weight in ((top, top + 1 - rows), (top + 1, rows - top)):
        for column, weight in ((left, left + 1 - columns), (left + 1, columns - left)):
            weight = tf.where(_inside(row, height) & _inside(column, width), weight * row_weight, 0.0)
            index = tf.clip_by_value(row, 0, height - 1) * width + tf.clip_by_value(column, 0, width - 1)
            index = tf.reshape(tf.cast(index, tf.int32), (-1, height * width))
            pixels = tf.reshape(tf.gather(flat, index, axis=1, batch_dims=1), (-1, height, width, channels))
            out += weight[..., None] * pixels
    return out
