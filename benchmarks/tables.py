"""A table of 1 million rows × 20 columns: seconds and memory to read it, rows per second to train on it.

    python -m benchmarks.tables                  about 6 minutes on two cores, 250 MB of disk
    python -m benchmarks.tables --rows 50000     to see that it works

The table has 10 columns of numbers, 8 of categories (4 to 40 values), a date and a truth value; the rival is the
resident loop on 20 columns of float32 in an .npz. Each measurement is a process of its own, and the two take turns; of
an epoch's seconds (validation included) the median is taken, without each process's first. The aim is at least half of
the rival's rows per second. Seconds of the processor stand beside those on the wall: other work does not change them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.__main__ import about

SIZES = (4, 5, 6, 8, 10, 12, 20, 40)  # categories of each column of texts
CHUNK = 100_000  # rows that are made and written at once
AIM = 0.5


def main() -> None:
    """Make the files, measure each in a process of its own, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {"read alone": [], "table": [], "arrays": []}
    with tempfile.TemporaryDirectory() as folder:
        table, arrays = Path(folder) / "table.csv", Path(folder) / "arrays.npz"
        _make(table, arrays, given.rows)
        size = table.stat().st_size
        asked: dict[str, dict[str, Any]] = {
            "read alone": {"work": "read", "path": str(table)},
            "table": {"work": "train", "path": str(table), "settings": {"target": "y"}},
            "arrays": {"work": "train", "path": str(arrays), "settings": {}},
        }
        for _ in range(given.rounds):
            for name, work in asked.items():
                found[name].append(_measured({**work, "epochs": given.epochs, "batch": given.batch}))
    print(f"{given.rows:,} rows × 20 columns, {size / 1e6:,.0f} MB, batch {given.batch}, dense 100\n")
    print("| | read (s) | MB/s | epoch (s) | of the processor (s) | rows/s | peak memory (MB) |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, turns in found.items():
        read = median(turn["read"] for turn in turns)
        speed = f"{size / 1e6 / read:,.0f}" if name != "arrays" else ""
        trained = " | | "
        if "rows" in turns[0]:
            seconds, worked = ([s for turn in turns for s in turn[key]] for key in ("seconds", "worked"))
            trained = f"{_spread(seconds)} | {_spread(worked)} | {turns[0]['rows'] / median(seconds):,.0f}"
        print(f"| {name} | {read:.2f} | {speed} | {trained} | {max(turn['peak'] for turn in turns) / 1e6:,.0f} |")
    pairs = [*zip(found["table"], found["arrays"], strict=True)]
    wall, processor = (
        [median(arrays[key]) / median(table[key]) for table, arrays in pairs] for key in ("seconds", "worked")
    )
    met = "met" if median(wall) >= AIM else "missed"
    print(f"\nshare of the arrays' rows per second: {_spread(wall)}, by the processor's seconds {_spread(processor)}")
    print(f"aim {AIM}: {met}\n\n<sub>{about()}</sub>")


def _spread(values: list[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def _make(table: Path, arrays: Path, rows: int) -> None:
    """Write the same number of rows as a CSV of mixed columns and as arrays of float32."""
    import pandas as pd

    draw = np.random.default_rng(0)
    for start in range(0, rows, CHUNK):
        count = min(CHUNK, rows - start)
        numbers = draw.normal(size=(count, 10)).round(4)
        frame = pd.DataFrame(numbers, columns=[f"x{i}" for i in range(10)])
        for i, size in enumerate(SIZES):
            frame[f"c{i}"] = np.array([f"value {code}" for code in range(size)])[draw.integers(0, size, count)]
        frame["day"] = np.datetime64("2020-01-01") + draw.integers(0, 2000, count).astype("timedelta64[D]")
        frame["flag"] = draw.integers(0, 2, count).astype(bool)
        frame["y"] = (numbers[:, 0] + numbers[:, 1] + draw.normal(size=count) > 0).astype(int)
        frame.to_csv(table, mode="a", header=start == 0, index=False)
    x = draw.normal(size=(rows, 20)).astype(np.float32)
    np.savez(arrays, x=x, y=(x[:, 0] + x[:, 1] + draw.normal(size=rows) > 0).astype(np.int32))


def _measured(request: dict[str, Any]) -> dict[str, Any]:
    """Do what a request says in a process of its own; return seconds, rows and peak bytes."""
    words = [sys.executable, "-m", "benchmarks.tables", "--request", json.dumps(request)]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **quiet})
    if done.returncode:
        raise RuntimeError("\n".join(done.stderr.splitlines()[-5:]))
    return json.loads(done.stdout.splitlines()[-1])


def _work(request: dict[str, Any]) -> dict[str, Any]:
    """Read, or read and train, in this process."""
    import pandas  # noqa: F401  its import is no reading

    from kerasrun import datasets
    from kerasrun.experiment import resolve

    given = {"epochs": request["epochs"], "batch_size": request["batch"], "patience": None}
    start = time.perf_counter()
    if request["work"] == "read":
        from kerasrun import own_data, tables

        options = {name: option.default for name, option in own_data.TABLE_OPTIONS.items()}
        tables.describe(Path(request["path"]), {**options, "target": "y"})
        return {"read": time.perf_counter() - start, "peak": _peak()}
    experiment = resolve(request["path"], {**given, **request["settings"]})
    data = datasets.load(experiment)
    found: dict[str, Any] = {"read": time.perf_counter() - start}
    from kerasrun import runs, train_run

    marks: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        train_run(
            experiment, runs.start(experiment, Path(folder)), data=data,
            watch=lambda e: marks.append((e.seconds, time.process_time())) if type(e).__name__ == "Epoch" else None,
        )  # fmt: skip
    worked = [after - before for (_, before), (_, after) in pairwise(marks)]
    return {**found, "seconds": [s for s, _ in marks[1:]], "worked": worked, "rows": len(data.train), "peak": _peak()}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--request"]:
        print(json.dumps(_work(json.loads(sys.argv[2]))))
    else:
        main()
