"""This program, through its Python interface: what `kerasrun train` calls."""

from __future__ import annotations

import tempfile
from typing import Any

import kerasrun
from benchmarks.outcome import Outcome
from benchmarks.workloads import Workload


def train(workload: Workload, epochs: int, *, convolutions: bool = False, **settings: Any) -> Outcome:
    """Train with a complete record of the run; settings are kerasrun's own: jit, threads, loop.

    Args:
        workload: what to train.
        epochs: how long.
        convolutions: compile them, too, which the program refuses to do on a CPU.
        **settings: of the experiment.
    """
    if convolutions:
        from kerasrun.training import devices

        devices._convolves = lambda network: False
    with tempfile.TemporaryDirectory() as results:
        run = kerasrun.train(workload.dataset, results=results, epochs=epochs, **workload.given(), **settings)
        rows = [line.split(",") for line in (run.folder / "timing.csv").read_text().splitlines()[1:]]
        last = run.record["last"]
    notes = {"threads": run.record["threads"], "training": run.record["seconds"]["training"]}
    seconds = [float(seconds) for _, seconds in rows]
    name = next(key for key in last if key.endswith("accuracy") and not key.startswith("val_"))
    return Outcome(seconds, last["loss"], last[name], last["val_loss"], last[f"val_{name}"], notes)
