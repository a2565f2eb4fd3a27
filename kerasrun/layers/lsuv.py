"""Layer-sequential unit-variance initialization, driven by data (Mishkin and Matas 2015, All you need is a good init).

A kernel begins orthonormal; then, layer after layer in the order of the forward pass, it is divided by the standard
deviation of the layer's outputs on one batch, so that every layer hands on a signal of variance 1.
"""

import keras
import numpy as np

from kerasrun.errors import InputError

TOLERANCE = 0.02  # of the variance; all three as in the authors' tools/extra/lsuv_init.py
MOST_ROUNDS = 20
BATCH = 128
INPUT_VARIANCE = (0.1, 10.0)  # outside of it, the first kernels become large or small enough to fail
_SMALLEST_VARIANCE = 1e-12
_LAYERS = (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)


@keras.saving.register_keras_serializable(package="kerasrun")
class LSUV(keras.initializers.Orthogonal):
    """Draw an orthonormal matrix, and mark the layer for `rescale`."""

    def __init__(self, seed=None):
        super().__init__(seed=seed)

    def get_config(self):
        """Return what the initializer is made again from."""
        return {"seed": super().get_config()["seed"]}


def marked(network):
    """Return the fully connected and convolutional layers whose kernels LSUV initializes; recurrent ones are skipped.

    Args:
        network: a built model.
    """
    layers = [layer for layer in network._flatten_layers() if isinstance(layer, _LAYERS)]
    return [layer for layer in layers if isinstance(layer.kernel_initializer, LSUV)]


def rescale(network, batch):
    """Divide each marked layer's kernel until its outputs before the non-linearity have variance 1.

    One number over batch, height, width and channels. On one batch the outputs are linear in the kernel, so a single
    round does it. Dropout and other noise are off. The layers are met in the order in which the network calls them.

    Args:
        network: a built model; kernels drawn, biases 0.
        batch: (n, …), scaled as the network receives it, n from 64 on.

    Returns:
        One dict a layer, in the order of the forward pass: layer (its path in the network, because the pieces of each
        maxout have the same names), rounds, variance (afterwards).

    Raises:
        InputError: a layer's outputs do not vary, or are not finite.
    """
    done: dict = {}
    layers = marked(network)
    try:
        for layer in layers:
            # past Keras's tracking of attributes: the layer is built, and the method comes back in a moment
            object.__setattr__(layer, "call", _rescaling(layer, layer.call, done))
        network(batch, training=False)
    finally:
        for layer in layers:
            layer.__dict__.pop("call", None)
    return [{"layer": path.removeprefix(f"{network.name}/"), **found} for path, found in done.items()]


def warnings(rows):
    """Return a line for each layer that was still off after the last round.

    Args:
        rows: as `rescale` returns them.
    """
    words = "initializer=lsuv: after {rounds} rounds the outputs of {layer} have variance {variance:.3g}"
    return [words.format(**row) for row in rows if abs(row["variance"] - 1) > TOLERANCE]


def _rescaling(layer, call, done):
    """Return a layer's call that rescales the kernel the first time, then goes on with it."""

    def rescale_and_call(inputs, *arguments, **named):
        if layer.path not in done:
            rounds, variance = 0, _variance(layer, call, inputs)
            while abs(variance - 1) > TOLERANCE and rounds < MOST_ROUNDS:
                layer.kernel.assign(layer.kernel / np.sqrt(variance))
                rounds, variance = rounds + 1, _variance(layer, call, inputs)
            done[layer.path] = {"rounds": rounds, "variance": variance}
        return call(inputs, *arguments, **named)

    return rescale_and_call


def _variance(layer, call, inputs):
    """Return the variance of a layer's outputs before its activation."""
    activation = layer.activation
    object.__setattr__(layer, "activation", None)
    try:
        outputs = np.asarray(call(inputs), "float64")
    finally:
        object.__setattr__(layer, "activation", activation)
    variance = float(outputs.var())
    if not _SMALLEST_VARIANCE <= variance < float("inf"):
        raise InputError(
            f"initializer=lsuv: the outputs of layer {layer.path} have variance {variance:g}\n"
            "it needs inputs that vary and a network that lets them through; try --scale standardize or activation=relu"
        )
    return variance
