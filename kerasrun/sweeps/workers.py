"""How many workers a sweep has, and which devices they use."""

from __future__ import annotations

import math
import os
import re
import shutil
from collections.abc import Sequence

from kerasrun import environment
from kerasrun.errors import InputError, shown
from kerasrun.experiment import Experiment
from kerasrun.sweeps.grid import Cell

MOST = 1024
# What a worker needs beside the server's memory that it shares, in bytes; measured with benchmarks/sweep.py:
_RUN = 400 << 20
_COPIES = 3  # of the data: as they are split, as the device has them, and on the way


def choose(written: int | str, cells: Sequence[Cell]) -> tuple[int, list[str]]:
    """Return the number of workers, and the GPUs that they take turns with, as CUDA_VISIBLE_DEVICES names them.

    Args:
        written: a number, or "auto": one for each GPU, else as many as the cores and the free memory bear, counting
            one thread for each where the cells do not say.
        cells: what is to be trained.

    Raises:
        InputError: neither.
    """
    gpus = _gpus(cells)
    if written != "auto":
        if not str(written).isdecimal() or not 1 <= int(written) <= MOST:
            raise InputError(f"workers={shown(written)}: write how many, from 1 to {MOST}, or auto")
        return int(written), gpus
    threads = max((cell.experiment.threads or 1 for cell in cells), default=1)
    cores = len(gpus) or environment.cores() // threads
    need = max((_need(cell.experiment) for cell in cells), default=1)
    return max(1, min(cores, environment.free_memory() // need, len(cells))), gpus


def _need(experiment: Experiment) -> int:
    """Return the memory that a worker needs for a run, in bytes, by the size of its data."""
    entry = experiment.entry
    example = math.prod(length or 1 for length in entry.task.input_shape) * int(re.sub(r"\D", "", entry.raw_dtype)) // 8
    return _RUN + _COPIES * example * (entry.train + entry.test)


def _gpus(cells: Sequence[Cell]) -> list[str]:
    """Return the GPUs that TensorFlow finds; it is loaded (elsewhere) only where there is a driver."""
    wanted = any(cell.experiment.device != "cpu" for cell in cells)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if not wanted or visible in ("", "-1") or shutil.which("nvidia-smi") is None:
        return []
    found = len(environment.tensorflow_devices().get("gpus", []))
    return (visible.split(",") if visible else [str(number) for number in range(found)])[:found]
