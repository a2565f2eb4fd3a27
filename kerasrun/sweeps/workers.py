"""How many workers a sweep has, and which devices they use."""

from __future__ import annotations

import math
import os
import re
import shutil
from collections.abc import Sequence
from typing import NamedTuple

from kerasrun import environment
from kerasrun.errors import InputError, shown
from kerasrun.experiment import Experiment
from kerasrun.sweeps.grid import Cell

_MOST = 1024
# Bytes that a worker needs for itself beside the data, which may be copied once (for a loss's form, by a callback); the
# built-in recipes were seen to need 80 to 190 MiB at the end of an epoch (benchmarks/sweep.py)
_RUN = 500 << 20


class Crew(NamedTuple):
    """The workers of a sweep.

    Args:
        workers: how many train at a time.
        sharing: among how many the cores are shared, whether or not so many are needed for what is left.
        gpus: the devices that they take turns with, as CUDA_VISIBLE_DEVICES names them.
    """

    workers: int
    sharing: int
    gpus: list[str]


def choose(written: int | str, cells: Sequence[Cell], left: int | None = None) -> Crew:
    """Return the workers for a sweep.

    "auto" is one for each GPU, else as many as the memory bears, up to one for each core where the cells do not ask for
    more threads. That serves convolutions, too: an epoch of the CNN took 0.95 s of processor time with one thread,
    1.16 s with two, and what cannot be shared comes on top. Threads change the last digits: among how many workers the
    cores are shared depends on what is asked for and on the machine, not on what is left to train or on other programs.

    Args:
        written: a number, or "auto".
        cells: of the whole sweep.
        left: how many of them are to be trained; all without.

    Raises:
        InputError: neither a number nor auto.
    """
    gpus = _gpus(cells)
    if written != "auto":
        if not str(written).isdecimal() or not 1 <= int(written) <= _MOST:
            raise InputError(f"workers={shown(written)}: write how many, from 1 to {_MOST}, or auto")
        return Crew(int(written), int(written), gpus)
    threads = max(cell.experiment.threads or 1 for cell in cells)
    need = max(_need(cell.experiment) for cell in cells)
    sharing = max(1, min(len(gpus) or environment.cores() // threads, environment.memory() // need))
    count = min(sharing, environment.free_memory() // need, len(cells) if left is None else left)
    return Crew(max(1, count), sharing, gpus)


def _need(experiment: Experiment) -> int:
    """Return the memory that a worker needs for a run, in bytes, by the size of its data."""
    entry = experiment.entry
    bits = int(re.sub(r"\D", "", entry.raw_dtype) or 32)
    return _RUN + math.prod(length or 1 for length in entry.task.input_shape) * bits // 8 * (entry.train + entry.test)


def _gpus(cells: Sequence[Cell]) -> list[str]:
    """Return the GPUs that TensorFlow finds; it is loaded (elsewhere) only where there is a driver."""
    wanted = any(cell.experiment.device != "cpu" for cell in cells)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if not wanted or visible in ("", "-1") or shutil.which("nvidia-smi") is None:
        return []
    found = len(environment.tensorflow_devices().get("gpus", []))
    return (visible.split(",") if visible else [str(number) for number in range(found)])[:found]
