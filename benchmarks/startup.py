"""Where the seconds of `kerasrun train digits --epochs 1` go: one process, phase after phase, as a Markdown table.

python -m benchmarks.startup
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Train once and print what each phase took."""
    phases = [("Python starts", _since_process_start())]

    def phase(name: str, work):
        start = time.perf_counter()
        result = work()
        phases.append((name, time.perf_counter() - start))
        return result

    phase("import the command line (typer)", lambda: import_module("kerasrun.cli.app"))
    experiment_module = import_module("kerasrun.experiment")
    experiment = phase("find and check every value", lambda: experiment_module.resolve("digits", {"epochs": 1}))
    from kerasrun import datasets, environment, runs

    environment.hidden_from_keras = ("pandas", "sklearn")
    with tempfile.TemporaryDirectory() as folder:
        run = phase("make the run folder", lambda: runs.start(experiment, Path(folder)))
        data = phase("read the data (import scikit-learn)", lambda: datasets.load(experiment))
        phase("import Keras and TensorFlow", lambda: import_module("kerasrun.training"))
        train = import_module("kerasrun.training.train")
        events: dict[str, float] = {}
        start = time.perf_counter()
        train.train(
            experiment, run, data, watch=lambda e: events.setdefault(type(e).__name__, time.perf_counter() - start)
        )
        phases.append(("build, seed, compile", events["Started"]))
        phases.append(("trace and train one epoch, validate", events["Epoch"] - events["Started"]))
        phases.append(("commit, predict, test", events["Ended"] - events["Epoch"]))
    print(
        f"| phase | seconds |\n| --- | ---: |\n{''.join(f'| {name} | {took:.2f} |{chr(10)}' for name, took in phases)}",
        end="",
    )
    print(f"| all | {sum(took for _, took in phases):.2f} |")


def _since_process_start() -> float:
    """Return the seconds since this process was started, by the kernel's count."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
