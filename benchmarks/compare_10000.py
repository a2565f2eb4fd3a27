"""How long does it take to compare 10,000 runs, the first time and after that?

    python benchmarks/compare_10000.py [--runs 10000] [--keep FOLDER]

Writes made-up run folders, then times the scan (cold: no index; warm: the index is checked against every folder), the
comparison of what was read, and the whole command in a process of its own. Budget on two cores: the command under 6 s
cold, under 1 s after that. "Cold" means without the index; the files themselves are still in the system's cache.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from kerasrun import run_index
from kerasrun.analysis.compare import compare

METRICS = ("loss", "accuracy", "val_loss", "val_accuracy")


def main() -> None:
    """Make the runs, time every step, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--keep", type=Path, help="make the runs here and leave them")
    arguments = parser.parse_args()
    print(
        f"{arguments.runs:,} runs · {processor()} · {os.cpu_count()} cores · Python {platform.python_version()}", end=""
    )
    print("".join(f" · {name} {metadata.version(name)}" for name in ("pandas", "rich", "typer")))
    with tempfile.TemporaryDirectory() as temporary:
        results = arguments.keep or Path(temporary)
        make_runs(results, arguments.runs)
        time.sleep(2.5)  # files younger than 2 s are not indexed
        report(results)


def report(results: Path) -> None:
    """Print the seconds of each step; of those that can be repeated, the best and the worst of five."""
    index = results / run_index.INDEX
    index.unlink(missing_ok=True)
    show("scan, cold", [seconds(lambda: run_index.scan(results))])
    print(f"{'index':42} {index.stat().st_size / 1e6:8.1f} MB")
    show("scan, warm", [seconds(lambda: run_index.scan(results)) for _ in range(5)])
    records = run_index.scan(results).records
    for name, options in {
        "compare, 80 settings over 125 seeds": {},
        "compare --runs": {"runs": True},
        "compare --by optimizer,hidden": {"by": "optimizer,hidden"},
        "compare --where optimizer=adam": {"where": "optimizer=adam"},
        "compare --all-columns": {"all_columns": True},
    }.items():
        show(name, [seconds(lambda o=options: compare(records, **o)) for _ in range(5)])
    shown = compare(records, runs=True)
    show("… as a DataFrame (pandas already imported)", [seconds(lambda: shown.table) for _ in range(5)])
    show("import pandas", [run("-c", "import pandas") for _ in range(3)])
    command = ("-m", "kerasrun", "compare", "--results", str(results))
    index.unlink()
    show("kerasrun compare, cold", [run(*command)])
    show("kerasrun compare, warm", [run(*command) for _ in range(5)])
    show("kerasrun compare --runs, warm", [run(*command, "--runs") for _ in range(5)])
    show("kerasrun compare --by optimizer, warm", [run(*command, "--by", "optimizer") for _ in range(5)])
    show("kerasrun compare --format csv, warm", [run(*command, "--format", "csv") for _ in range(5)])


def show(name: str, times: list[float | None]) -> None:
    """Print one line: the best and the worst time."""
    known = [value for value in times if value is not None]
    worst = f" … {max(known):.2f}" if len(known) > 1 else ""
    print(f"{name:42} {min(known):8.2f}{worst} s" if known else f"{name:42} not available")


def seconds(call: Callable[[], object]) -> float:
    """Return the wall time of a call."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def run(*words: str) -> float | None:
    """Return the wall time of a Python process, or None where it fails."""
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, *words], capture_output=True)
    return time.perf_counter() - begin if done.returncode == 0 else None


def make_runs(results: Path, count: int) -> None:
    """Write run folders with a record each: 20 settings of layers, 4 optimizers, the rest seeds."""
    chance = random.Random(0)
    identifiers = chance.sample([a + b + c + d + e for a in "kqzt" for b in LETTERS for c in LETTERS for d in LETTERS
                                 for e in "aeiou"], count)  # fmt: skip
    for number, identifier in enumerate(identifiers):
        folder = (
            results
            / f"fashion-mnist-dense-20261121-{number // 3600:02d}{number // 60 % 60:02d}{number % 60:02d}-{identifier}"
        )
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps(record(number, folder.name, identifier, chance), indent=1))


LETTERS = "abcdefghijklmnopqrstuvwxyz"


def record(number: int, folder: str, identifier: str, chance: random.Random) -> dict[str, object]:
    """Return the made-up record of one run, as large as a real one."""
    knobs = {
        "hidden": [10 * (1 + number % 20)], "activation": "relu", "initializer": "glorot_uniform", "dropout": 0.0,
        "batch_norm": False, "l1": 0.0, "l2": 0.0,
    }  # fmt: skip
    experiment = {
        "dataset": "fashion-mnist", "recipe": "dense", "knobs": knobs, "scale": "unit", "scale_target": "none",
        "optimizer": ("adam", "rmsprop", "sgd(learning_rate=0.1)", "sgd(momentum=0.9)")[number // 20 % 4],
        "learning_rate": None, "schedule": "constant", "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"], "epochs": 20, "batch_size": 32, "patience": 3, "min_delta": 0.0, "monitor": "val_loss",
        "clip_norm": None, "class_weights": None, "validation": 0.2, "test": 0.2, "split_seed": 0, "limit": None,
        "seed": number // 80, "precision": "float32", "jit": None, "loop": "auto", "threads": None, "device": "auto",
        "deterministic": False, "save_every": None, "callbacks": [],
    }  # fmt: skip
    made = f"2026-11-21T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}+00:00"
    return {
        "format": 1, "id": identifier, "folder": folder, "status": "diverged" if number % 500 == 7 else "finished",
        "created": made, "ended": made, "identity": f"{chance.getrandbits(256):064x}", "experiment": experiment,
        "origins": dict.fromkeys([*experiment, *knobs], "default"), "recipe_sha256": "a" * 64,
        "data": {"hash": "b" * 64, "train": 48000, "validation": 12000, "test": 10000, "synthetic": False},
        "parameters": 79510, "epochs_run": 9, "best_epoch": chance.randrange(1, 10), "monitor": "val_loss",
        "direction": "min", "best": {name: chance.random() for name in METRICS},
        "last": {name: chance.random() for name in METRICS}, "test": {"loss": chance.random(), "accuracy": 0.8},
        "seconds": {"total": chance.uniform(5, 15), "training": 5.4, "epoch": 0.6}, "loop": "resident", "threads": 1,
        "device": "cpu", "versions": dict.fromkeys(("python", "kerasrun", "keras", "tensorflow", "numpy"), "3.13.1"),
        "hardware": {"processor": "made up", "cores": 2, "memory": 8 << 30, "system": "Linux"},
        "git": {"commit": "c" * 40, "dirty": False}, "files": {"best.keras": f"{chance.getrandbits(256):064x}"},
        "error": None,
    }  # fmt: skip


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
