"""Which device and how many threads a training gets; decided before TensorFlow touches any of them.

`--threads auto` is a pure function of the model and the number of cores, because threads change the last digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import tensorflow as tf

from kerasrun import environment
from kerasrun.errors import InputError
from kerasrun.experiment import Experiment
from kerasrun.training.network import outline

# Below this many multiplications a step (forward, whole batch), one thread is as fast as several (benchmarks/)
ONE_THREAD = 50_000_000
# Two of TensorFlow's graph rewritings depend on whether the batch size is known while tracing: a division by a constant
# becomes a product, sums are regrouped. Without them all loops give the same bits: seen with batch normalization, layer
# normalization and a last batch of 22. They bought no speed that could be measured.
SAME_IN_ALL_LOOPS = {"constant_folding": False, "arithmetic_optimization": False}


@dataclass(frozen=True)
class Setting:
    """What a training runs on.

    Args:
        device: "cpu" or "gpu".
        threads: threads for one operation, as TensorFlow really has them.
        multiplications: of one example's forward pass.
        notes: lines for the user.
    """

    device: str
    threads: int
    multiplications: int
    notes: tuple[str, ...] = ()


def prepare(experiment: Experiment) -> Setting:
    """Choose device and threads and tell TensorFlow.

    Raises:
        InputError: a GPU is wanted and there is none, or the recipe cannot be built.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if experiment.device == "gpu" and not gpus:
        raise InputError(f"device=gpu: {_why_no_gpu()}\nuse device=cpu or device=auto")
    device = "gpu" if gpus and experiment.device != "cpu" else "cpu"
    if gpus and device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    if device == "cpu":
        tf.config.optimizer.set_experimental_options(SAME_IN_ALL_LOOPS)
    if experiment.deterministic:
        tf.config.experimental.enable_op_determinism()
    network = outline(experiment)
    multiplications = forward_multiplications(network)
    wanted = experiment.threads or automatic_threads(network, experiment.batch_size, environment.cores())
    threads, notes = _set_threads(wanted)
    return Setting(device, threads, multiplications, notes)


def automatic_threads(network: keras.Model, batch_size: int, cores: int) -> int:
    """Return 1 for small dense networks, all cores for convolutions and large networks.

    Args:
        network: built, if only symbolically.
        batch_size: examples a step.
        cores: usable cores.
    """
    convolutions = any("Conv" in type(layer).__name__ for layer in network._flatten_layers())
    small = forward_multiplications(network) * batch_size < ONE_THREAD
    return 1 if small and not convolutions else cores


def forward_multiplications(network: keras.Model) -> int:
    """Return the multiplications of one example's forward pass through dense, convolutional and recurrent layers."""
    total = 0
    for layer in network._flatten_layers(include_self=False):
        kernels = [weight for weight in layer.weights if "kernel" in weight.name] if not layer._layers else []
        if kernels:
            total += sum(_size(kernel.shape) for kernel in kernels) * _positions(layer)
    return total


def _positions(layer: keras.layers.Layer) -> int:
    """Return at how many places of one example a layer's kernel is applied."""
    shape = getattr(layer, "output", None)
    inner = [size or 1 for size in shape.shape[1:-1]] if hasattr(shape, "shape") else []
    return _size(inner)


def _size(shape) -> int:
    size = 1
    for length in shape:
        size *= int(length)
    return size


def _set_threads(wanted: int) -> tuple[int, tuple[str, ...]]:
    try:
        tf.config.threading.set_intra_op_parallelism_threads(wanted)
        tf.config.threading.set_inter_op_parallelism_threads(wanted)
    except RuntimeError:  # an earlier training of this process has started TensorFlow
        present = tf.config.threading.get_intra_op_parallelism_threads() or environment.cores()
        if present != wanted:
            return present, (f"threads={wanted} comes too late: TensorFlow is already running with {present}",)
        return present, ()
    return wanted, ()


def _why_no_gpu() -> str:
    if not tf.test.is_built_with_cuda():
        return "this TensorFlow is built without CUDA"
    return "TensorFlow finds no GPU (is a driver installed, and kerasrun with its extra: pip install 'kerasrun[gpu]'?)"
