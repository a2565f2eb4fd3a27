"""A table of 1 million rows × 20 columns: seconds and memory to read it, rows per second to train on it.

    python -m benchmarks.tables                  about 5 minutes on two cores, 250 MB of disk
    python -m benchmarks.tables --rows 50000     to see that it works

The table has 10 columns of numbers, 8 of categories (4 to 40 values), a date and a truth value; the rival is the
resident loop on 20 columns of float32 in an .npz. Each line is a process of its own; of an epoch's seconds (validation
included) the median is taken, without the first. The aim is at least half of the rival's rows per second.
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
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

SIZES = (4, 5, 6, 8, 10, 12, 20, 40)  # categories of each column of texts
CHUNK = 100_000  # rows that are made and written at once


def main() -> None:
    """Make the files, measure each in a process of its own, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch", type=int, default=32)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table, arrays = Path(folder) / "table.csv", Path(folder) / "arrays.npz"
        _make(table, arrays, given.rows)
        size = table.stat().st_size
        asked: dict[str, dict[str, Any]] = {
            "read alone": {"work": "read", "path": str(table)},
            "table": {"work": "train", "path": str(table), "settings": {"target": "y"}},
            "arrays": {"work": "train", "path": str(arrays), "settings": {}},
        }
        found = {
            name: _measured({**work, "epochs": given.epochs, "batch": given.batch}) for name, work in asked.items()
        }
    print(f"{given.rows:,} rows × 20 columns, {size / 1e6:,.0f} MB, batch {given.batch}, dense 100\n")
    print("| | read (s) | MB/s | epoch (s) | rows/s | share of arrays | peak memory (MB) |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, row in found.items():
        speed = f"{size / 1e6 / row['read']:,.0f}" if name != "arrays" else ""
        rate = row.get("rate")
        trained = f"{row['epoch']:.2f} | {rate:,.0f} | {rate / found['arrays']['rate']:.2f}" if rate else " | | "
        print(f"| {name} | {row['read']:.2f} | {speed} | {trained} | {row['peak'] / 1e6:,.0f} |")


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


def _measured(request: dict[str, Any]) -> dict[str, float]:
    """Do what a request says in a process of its own; return seconds, rows per second and peak bytes."""
    words = [sys.executable, "-m", "benchmarks.tables", "--request", json.dumps(request)]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **quiet})
    if done.returncode:
        raise RuntimeError("\n".join(done.stderr.splitlines()[-5:]))
    return json.loads(done.stdout.splitlines()[-1])


def _work(request: dict[str, Any]) -> dict[str, float]:
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
    found = {"read": time.perf_counter() - start}
    from kerasrun import runs, train_run

    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        train_run(
            experiment, runs.start(experiment, Path(folder)), data=data,
            watch=lambda event: seconds.append(event.seconds) if type(event).__name__ == "Epoch" else None,
        )  # fmt: skip
    epoch = median(seconds[1:])
    return {**found, "epoch": epoch, "rate": len(data.train) / epoch, "peak": _peak()}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--request"]:
        print(json.dumps(_work(json.loads(sys.argv[2]))))
    else:
        main()
