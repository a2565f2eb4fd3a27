"""Which device and how many threads a training gets; decided before TensorFlow touches any of them.

`--threads auto` is a pure function of the model and the number of cores, because threads change the last digits.
"""

from __future__ import annotations

import math
import subprocess
from dataclasses import dataclass

import keras
import tensorflow as tf

from kerasrun import environment
from kerasrun.errors import InputError
from kerasrun.experiment import Experiment
from kerasrun.task import Task
from kerasrun.training.network import outline

# Below this many multiplications a step (forward, whole batch), one thread is as fast as several (benchmarks/)
ONE_THREAD = 50_000_000
# Two of TensorFlow's graph rewritings depend on whether the batch size is known while tracing: a division by a constant
# becomes a product, sums are regrouped. Without them all loops give the same bits: seen with batch normalization, layer
# normalization and a last batch of 22. They bought no speed that could be measured.
SAME_IN_ALL_LOOPS = {"constant_folding": False, "arithmetic_optimization": False}
_determined = False  # whether a training of this process asked for deterministic operations


@dataclass(frozen=True)
class Setting:
    """What a training runs on.

    Args:
        device: "cpu" or "gpu".
        threads: threads for one operation, as TensorFlow really has them.
        multiplications: of one example's forward pass.
        jit: whether steps are compiled with XLA.
        free_bytes: memory that the device has left for data.
        notes: lines for the user.
    """

    device: str
    threads: int
    multiplications: int
    jit: bool
    free_bytes: int
    notes: tuple[str, ...] = ()


def prepare(experiment: Experiment, task: Task | None = None) -> Setting:
    """Choose device and threads and tell TensorFlow.

    Args:
        experiment: what to train.
        task: the data's, where it is known: a table's width follows from its training part.

    Raises:
        InputError: a GPU is wanted and there is none, or this process uses one and the CPU is wanted; the recipe cannot
            be built, or its weights do not fit in memory.
    """
    gpus = tf.config.get_visible_devices("GPU")
    if experiment.device == "gpu" and not gpus:
        raise InputError(f"device=gpu: {_why_no_gpu()}\nuse device=cpu or device=auto")
    device = "gpu" if gpus and experiment.device != "cpu" else "cpu"
    prepare_as(None, device)
    _set_determinism(experiment.deterministic)
    network = outline(experiment, task)
    _refuse_too_large(network)
    multiplications = forward_multiplications(network)
    jit, uncompiled = _jit(experiment.jit, network, device)
    cores = max(environment.cores() // environment.workers, 1)
    wanted = experiment.threads or automatic_threads(network, experiment.batch_size, cores, jit=jit)
    threads, late = _set_threads(wanted)
    free = _free_gpu_bytes() if device == "gpu" else environment.free_memory()
    return Setting(device, threads, multiplications, jit, free, (*late, *uncompiled))


def prepare_as(threads: int | None, device: str | None) -> None:
    """Set TensorFlow up as a run's record has it, for the same last digits.

    Args:
        threads: for one operation; None leaves them to TensorFlow.
        device: "cpu" keeps a GPU out of it; with all else, one that is there is used.

    Raises:
        InputError: "cpu", and this process already uses the GPU.
    """
    if device == "cpu":
        try:
            tf.config.set_visible_devices([], "GPU")
        except RuntimeError:
            raise InputError("device=cpu: this process already uses the GPU\ndo it in a fresh process") from None
        tf.config.optimizer.set_experimental_options(SAME_IN_ALL_LOOPS)
    if threads:
        _set_threads(threads)


def _set_determinism(wanted: bool) -> None:
    """Switch deterministic operations on, or off where an earlier training of this process switched them on."""
    global _determined
    if wanted:
        tf.config.experimental.enable_op_determinism()
    elif _determined:
        from tensorflow.python.framework.config import disable_op_determinism  # has no public name

        disable_op_determinism()
    _determined = wanted


def _refuse_too_large(network: keras.Model) -> None:
    """Refuse a network whose weights and gradients alone are more than the memory; the system would kill the process.

    Raises:
        InputError: it is.
    """
    parameters, memory = network.count_params(), environment.memory()
    if 2 * 4 * parameters > memory:
        raise InputError(
            f"out of memory: {parameters:,} parameters and their gradients need {2 * 4 * parameters / 1e9:,.0f} GB, "
            f"this machine has {memory / 1e9:,.0f} GB\nmake the layers smaller"
        )


def automatic_threads(network: keras.Model, batch_size: int, cores: int, *, jit: bool) -> int:
    """Return 1 for small dense networks, all cores for convolutions, large networks and blocks compiled with XLA.

    Args:
        network: built, if only symbolically.
        batch_size: examples a step.
        cores: usable cores.
        jit: whether blocks are compiled; 784-100-10 took 0.27 s an epoch with two threads then, 0.35 s with one.
    """
    small = forward_multiplications(network) * batch_size < ONE_THREAD
    return 1 if small and not jit and not _convolves(network) else cores


def forward_multiplications(network: keras.Model) -> int:
    """Return the multiplications of one example's forward pass through dense, convolutional and recurrent layers."""
    total = 0
    for layer in network._flatten_layers(include_self=False):
        kernels = [weight for weight in layer.weights if "kernel" in weight.name] if not layer._layers else []
        if kernels:
            total += sum(math.prod(kernel.shape) for kernel in kernels) * _positions(layer)
    return total


def _positions(layer: keras.layers.Layer) -> int:
    """Return at how many places of one example a layer's kernel is applied."""
    shape = getattr(getattr(layer, "output", None), "shape", None)
    return math.prod(size or 1 for size in shape[1:-1]) if shape is not None else 1


def _convolves(network: keras.Model) -> bool:
    return any("Conv" in type(layer).__name__ for layer in network._flatten_layers())


def _jit(wanted: bool | None, network: keras.Model, device: str) -> tuple[bool, tuple[str, ...]]:
    """Return whether to compile with XLA: on a GPU unless refused, as Keras does; on the CPU only when asked."""
    if device == "gpu":
        return wanted is not False, ()
    if wanted and _convolves(network):  # seen on two cores: an epoch of the CNN of 0.5 s took 4.6 s compiled
        return False, ("jit: convolutions on the CPU are not compiled; XLA makes them several times slower there",)
    return bool(wanted), ()


def _free_gpu_bytes() -> int:
    """Return the first GPU's free memory, or 4 GiB where the driver's tool does not say."""
    query = ["nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, check=True, timeout=10)
        return int(done.stdout.split()[0]) * 2**20
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return 4 * 2**30


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
    if tf.config.list_physical_devices("GPU"):
        return "an earlier training of this process has hidden it; a fresh process sees it"
    if not tf.test.is_built_with_cuda():
        return "this TensorFlow is built without CUDA"
    return "TensorFlow finds no GPU (is a driver installed, and kerasrun with its extra: pip install 'kerasrun[gpu]'?)"
