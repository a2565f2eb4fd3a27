"""What the server prepares and a child does: one cell's training. Importing this loads TensorFlow, and runs nothing."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import kerasrun
from kerasrun import atomic, datasets, environment, errors, runs
from kerasrun.datasets import Data
from kerasrun.errors import InputError, Pruned, RunFailed
from kerasrun.experiment import Experiment, from_record, identity
from kerasrun.sweeps import states
from kerasrun.sweeps.events import PRUNE, Errand, Tell, Work
from kerasrun.sweeps.grid import data_key
from kerasrun.training import (
    events,
    train,  # noqa: F401  so that not every child imports it again
)


class Trainings:
    """Turns errands into trainings; keeps the data of the last one, as errands come in groups of equal data.

    Args:
        say: is told what is said while data is read, as "fetching …".
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self._of: tuple[Any, ...] | None = None
        self._data: Data
        environment.record()  # what it keeps need not be found again in every child

    def prepare(self, errand: Errand) -> Work:
        """Read an experiment and its data.

        Raises:
            RunFailed: the recipe was changed: a fault of this cell, not of all that have its data.
            KerasrunError: the data cannot be had, or is none that a network can eat.
        """
        try:
            experiment = from_record(errand["experiment"], errand["origins"])
        except InputError as fault:
            raise RunFailed(str(fault)) from None
        if identity(experiment, "") != errand["hash"]:
            what = f"recipe '{experiment.recipe}'{' or a callback' if experiment.callbacks else ''}"
            raise RunFailed(f"{what} was changed while the sweep ran; the same command goes on")
        if data_key(experiment) != self._of:
            self._of = None
            self.__dict__.pop("_data", None)  # the last one's memory first
            with redirect_stderr(_Lines(self.say)):
                self._data = datasets.load(experiment)
            self._of = data_key(experiment)
        data = self._data
        return lambda tell: _train(errand, experiment, data, tell)


def _train(errand: Errand, experiment: Experiment, data: Data, tell: Tell) -> int:
    """Train one cell and return the exit code that `kerasrun train` would have."""
    if errand["gpu"] is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = errand["gpu"]

    hopeless = False

    def give_up(number: int, frame: object) -> None:
        nonlocal hopeless
        hopeless = True

    signal.signal(PRUNE, give_up)

    def watch(event: events.Event) -> None:
        if isinstance(event, events.Started):
            tell(event="started", notes=[] if errand["resume"] else list(event.notes))  # its record has the others
        elif isinstance(event, events.Epoch):
            tell(event="epoch", epoch=event.row["epoch"], row=event.row)
            if hopeless:
                raise Pruned

    results = Path(errand["results"])
    run = runs.load(results / errand["resume"]) if errand["resume"] else _started(experiment, results)
    tell(event="begun", folder=run.folder.name)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with open(run.folder / runs.LOG, "ab", opener=atomic.no_link) as log:
        for descriptor in (1, 2):
            os.dup2(log.fileno(), descriptor)
    if errand["resume"]:
        run = kerasrun.go_on(run, data=data, watch=watch)
    else:
        run = kerasrun.train_run(experiment, run, data=data, watch=watch)
    if not (run.folder / runs.LOG).stat().st_size:
        (run.folder / runs.LOG).unlink()
    return 1 if run.status == "diverged" else 0


def _started(experiment: Experiment, results: Path) -> runs.Run:
    """Make the folder of a new run, unless a process that knows nothing of this sweep is training the same.

    Raises:
        RunInUse: one is.
    """
    run = runs.start(experiment, results)
    if other := states.trained_elsewhere(run):
        run.discard()
        raise errors.RunInUse(f"{other} is being trained by another process")
    return run


class _Lines(io.TextIOBase):
    """A stream that passes on every line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self.say = say

    def write(self, text: str) -> int:
        """Pass on the lines of a text."""
        for line in filter(None, text.splitlines()):
            self.say(line)
        return len(text)
