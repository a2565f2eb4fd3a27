"""Where the seconds of `kerasrun train digits --epochs 1` go: one process, phase after phase, as a Markdown table.

python -m benchmarks.startup

Seconds of the processor are shown beside those on the wall: on a machine that others use, they say more.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


def main() -> None:
    """Train once and print what each phase took."""
    phases = [("Python starts", _since_process_start(), time.process_time())]

    def phase(name: str, work: Callable[[], Any]) -> Any:
        start, worked = time.perf_counter(), time.process_time()
        result = work()
        phases.append((name, time.perf_counter() - start, time.process_time() - worked))
        return result

    phase("read the command line (typer, pydantic)", _read_command_line)
    experiment_module = import_module("kerasrun.experiment")
    experiment = phase("find and check every value", lambda: experiment_module.resolve("digits", {"epochs": 1}))
    from kerasrun import datasets, environment, runs

    environment.hidden_from_keras = ("pandas", "sklearn")
    with tempfile.TemporaryDirectory() as folder:
        run = phase("make the run folder", lambda: runs.start(experiment, Path(folder)))
        data = phase("read the data (import scikit-learn)", lambda: datasets.load(experiment))
        phase("import Keras and TensorFlow", lambda: import_module("kerasrun.training"))
        train = import_module("kerasrun.training.train")
        events = {"": (time.perf_counter(), time.process_time())}
        train.train(
            experiment, run, data,
            watch=lambda event: events.setdefault(type(event).__name__, (time.perf_counter(), time.process_time())),
        )  # fmt: skip
        for name, first, last in (
            ("build, seed, compile", "", "Started"),
            ("trace and train one epoch, validate", "Started", "Epoch"),
            ("commit, predict, test", "Epoch", "Ended"),
        ):
            phases.append((name, events[last][0] - events[first][0], events[last][1] - events[first][1]))
    print("| phase | seconds | of the processor |\n| --- | ---: | ---: |")
    for name, seconds, worked in (*phases, ("all", sum(p[1] for p in phases), sum(p[2] for p in phases))):
        print(f"| {name} | {seconds:.2f} | {worked:.2f} |")


def _read_command_line() -> None:
    import typer

    from kerasrun.cli.app import app

    command: Any = typer.main.get_command(app)
    with command.make_context("kerasrun", ["train", "digits", "--epochs", "1"]) as context:
        command.get_command(context, "train").make_context("train", ["digits", "--epochs", "1"], parent=context)


def _since_process_start() -> float:
    """Return the seconds since this process was started, by the kernel's count."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
