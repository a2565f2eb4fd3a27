"""What sweeps cost: `python -m benchmarks.sweep [PART …] [--quick]`. Prints tables in Markdown.

table    7 optimizers × 5 seeds × 10 epochs on Fashion-MNIST in one command, against a shell loop over a plain Keras
         script, of which one run an optimizer is measured and the rest inferred; target: 10 times faster
workers  runs a minute with one worker and with two, from the first run's beginning to the last one's end, small dense
         networks and convolutions (which take all cores that there are for a worker); target: 1.8 times, dense
memory   what a worker has for itself beside the memory that it shares with the server, at its largest
recheck  the command again when its 1,000 runs are finished; target: under a second

Fashion-MNIST is taken where Keras's cache has it, else made-up data. The machine should have nothing else to do.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kerasrun
from kerasrun import catalog, datasets, environment, runs
from kerasrun.experiment import to_record
from kerasrun.sweeps import grid
from kerasrun.sweeps.events import Begun, Ended, Epoch, Event

OPTIMIZERS = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "nadam"]
SCRIPT = Path(__file__).parent / "rivals" / "loop_script.py"
QUIET = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}


def main() -> None:
    """Measure the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="a small part of each, to see that it works")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    machine = environment.hardware()
    print(f"{machine['processor']}, {machine['cores']} cores, load {os.getloadavg()[0]:.1f}, data {_dataset()}")
    for name in given.parts or PARTS:
        print(f"\n{name}\n", flush=True)
        for line in PARTS[name](quick=given.quick):
            print(line, flush=True)


def table(*, quick: bool) -> Iterator[str]:
    """Measure the optimizers' table in one command, and the loop that it replaces."""
    seeds, epochs, optimizers = (1, 1, OPTIMIZERS[:2]) if quick else (5, 10, OPTIMIZERS)
    loop = [_seconds([sys.executable, str(SCRIPT), name, "0", str(epochs)]) for name in optimizers]
    with tempfile.TemporaryDirectory() as folder:
        words = [f"optimizer={','.join(optimizers)}", f"epochs={epochs}", "patience=none", "--seeds", str(seeds)]
        sweep = _seconds(_command("sweep", _dataset(), *words, "--results", folder))
    count = len(optimizers) * seeds
    yield "| way | runs | seconds |\n| --- | ---: | ---: |"
    yield f"| a shell loop, {len(loop)} runs measured, the other seeds inferred | {count} | {sum(loop) * seeds:.0f} |"
    yield f"| kerasrun sweep | {count} | {sweep:.1f} |"
    yield f"| ratio | | {sum(loop) * seeds / sweep:.1f} |"


def workers(*, quick: bool) -> Iterator[str]:
    """Measure runs a minute with one worker and with two."""
    count = 4 if quick else 12
    yield "| networks | runs | 1 worker: runs a minute | 2 workers | ratio |\n| --- | ---: | ---: | ---: | ---: |"
    for name, given in {
        "dense": {"epochs": 1 if quick else 5},
        "convolutions": {"recipe": "cnn", "epochs": 1, "limit": 2_000 if quick else 12_000},
    }.items():
        rates = [_rate(number, count, **given) for number in (1, 2)]
        yield f"| {name} | {count} | {rates[0]:.1f} | {rates[1]:.1f} | {rates[1] / rates[0]:.2f} |"


def _rate(number: int, count: int, **given: Any) -> float:
    """Return runs a minute, the start of the server left out."""
    times: list[float] = []

    def watch(event: Event) -> None:
        if isinstance(event, Begun | Ended):
            times.append(time.monotonic())

    with tempfile.TemporaryDirectory() as folder:
        kerasrun.sweep(_dataset(), seeds=count, workers=number, results=folder, watch=watch, patience=None, **given)
    return 60 * count / (times[-1] - times[0])


def memory(*, quick: bool) -> Iterator[str]:
    """Measure what workers have for themselves, beside their data."""
    yield "| dataset | recipe | data, MiB | a worker's own memory, MiB |\n| --- | --- | ---: | ---: |"
    for dataset, recipe in ((_dataset(), "dense"), (_dataset(), "cnn"), ("synthetic:cifar10", "cnn")):
        own: list[float] = []
        folders: dict[int, Path] = {}
        with tempfile.TemporaryDirectory() as folder:

            def watch(event: Event, results: Path = Path(folder), own: list[float] = own, at: dict = folders) -> None:
                if isinstance(event, Begun):
                    at[event.cell.number] = results / event.folder
                elif isinstance(event, Epoch):
                    own.append(_own_memory(int((at[event.cell.number] / ".lock").read_text())))

            kerasrun.sweep(
                dataset, recipe=recipe, epochs=2, limit=4_000 if quick else None, results=folder, watch=watch, seeds=1
            )
        data = datasets.load(grid.plan(dataset, {"recipe": recipe}).cells[0].experiment)
        size = sum(part.x.nbytes for part in (data.train, data.validation, data.test)) / 2**20
        yield f"| {dataset} | {recipe} | {size:.0f} | {max(own):.0f} |"


def _own_memory(process: int) -> float:
    """Return the MiB that a process shares with no other."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def recheck(*, quick: bool) -> Iterator[str]:
    """Measure the command that finds all its runs finished."""
    axes = {
        "optimizer": OPTIMIZERS[:4],
        "activation": ["relu", "tanh", "elu", "selu", "sigmoid"],
        "hidden": [*range(5, 15)],
    }
    seeds = 1 if quick else 5
    with tempfile.TemporaryDirectory() as folder:
        sweep = grid.plan(_dataset(), axes, seeds=seeds)
        _made_up(sweep, Path(folder))
        time.sleep(2.5)  # files younger than 2 s are not indexed
        words = [f"{name}={','.join(map(str, values))}" for name, values in axes.items()]
        command = _command("sweep", _dataset(), *words, "--seeds", str(seeds), "--results", folder)
        first, *times = [_seconds(command) for _ in range(6)]
    yield f"| {len(sweep.cells):,} finished runs | seconds |\n| --- | ---: |"
    yield f"| for the first time (the data are read, the index is made) | {first:.2f} |"
    spread = f"{min(times):.2f} – {max(times):.2f}"
    yield f"| after that, median (least – most) of 5 | {statistics.median(times):.2f} ({spread}) |"


def _made_up(sweep: grid.Sweep, results: Path) -> None:
    """Write the folders of a sweep's runs as if they were finished."""
    data = {"hash": datasets.load(sweep.cells[0].experiment).content_hash, "train": 48_000}
    first = runs.start(sweep.cells[0].experiment, results)
    record = {**first.record, "status": "finished", "data": data, "epochs_run": 20, "best_epoch": 20}
    first.discard()
    values = {"loss": 0.3, "val_loss": 0.35, "val_accuracy": 0.87}
    for cell in sweep.cells:
        folder = results / f"fashion-mnist-dense-20260101-101500-{cell.number:05d}"
        folder.mkdir()
        its = {"id": f"{cell.number:05d}", "experiment": to_record(cell.experiment), "experiment_hash": cell.hash}
        runs.Run(folder, {**record, **its}).update(best=values, last=values, folder=folder.name)


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "kerasrun", *words]


def _seconds(command: list[str]) -> float:
    start = time.monotonic()
    subprocess.run(command, check=True, capture_output=True, env=QUIET)
    return time.monotonic() - start


def _dataset() -> str:
    cached = datasets.status(catalog.dataset("fashion-mnist")[0]) in ("cached", "registered")
    return "fashion-mnist" if cached else "synthetic:fashion-mnist"


PARTS = {"table": table, "workers": workers, "memory": memory, "recheck": recheck}

if __name__ == "__main__":
    main()
