"""Orthonormal kernels at the scale of He's initialization."""

import math

import keras


@keras.saving.register_keras_serializable(package="kerasrun")
class OrthonormalHe(keras.initializers.Orthogonal):
    """Draw an orthonormal matrix times the gain that keeps the signal's size through rectifiers.

    Saxe et al. 2014 for the matrix, He et al. 2015 (section 2.2) for the gain √(2 / (1 + slope²)).

    Args:
        negative_slope: of leaky ReLU; 0 for ReLU.
        seed: an int, or None to be drawn.
    """

    def __init__(self, negative_slope=0.0, seed=None):
        super().__init__(gain=math.sqrt(2 / (1 + negative_slope**2)), seed=seed)
        self.negative_slope = negative_slope

    def get_config(self):
        """Return what the initializer is made again from."""
        return {"negative_slope": self.negative_slope, "seed": super().get_config()["seed"]}
