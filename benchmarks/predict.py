"""Predict many rows of a table in bounded memory: `python -m benchmarks.predict`, `--rows 100000` for a try.

A table of 20 columns (16 of numbers, 4 of categories) is made up, a network is trained on its first 5,000 rows, and
`kerasrun predict` writes the predictions of all rows to a file, in a process of its own. Its peak memory is measured
for a tenth of the rows, too: what does not grow with the rows is TensorFlow's. Targets: the million rows take at most
300 MB more than the tenth. Prints a table in Markdown; exit code 1 where the target is missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import kerasrun
from benchmarks.__main__ import about

LARGEST_GROWTH = 300e6  # bytes
CATEGORIES = ("red", "green", "blue", "white", "black")


def main() -> None:
    """Make the tables, train, predict, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    print("| rows | file | seconds | rows/s | peak memory |\n| ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        here = Path(folder)
        kerasrun.train(str(_table(here / "train.csv", 5_000)), target="y", results=here / "results", epochs=2)
        peaks = [_measured(here, count) for count in (rows // 10, rows)]
    missed = peaks[1] - peaks[0] > LARGEST_GROWTH
    print("\nseconds with start-up, memory of the whole process")
    print(f"{(peaks[1] - peaks[0]) / 1e6:.0f} MB more for ten times the rows: {'missed' if missed else 'met'}")
    print(f"\n<sub>{about()}</sub>")
    sys.exit(missed)


def _measured(folder: Path, rows: int) -> int:
    """Predict a table of so many rows, print a line, and return the peak memory in bytes."""
    table = _table(folder / f"{rows}.csv", rows)
    words = [sys.executable, "-m", "kerasrun", "predict", "last", str(table), "-o", str(folder / "out.csv")]
    began = time.perf_counter()
    with subprocess.Popen([*words, "--results", str(folder / "results")], stderr=subprocess.DEVNULL) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    with (folder / "out.csv").open("rb") as file:
        written = sum(1 for _ in file) - 1
    if child.returncode or written != rows:
        raise SystemExit(f"{written:,} of {rows:,} rows were written, exit code {child.returncode}")
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    size = table.stat().st_size / 1e6
    print(f"| {rows:,} | {size:,.0f} MB | {seconds:.1f} | {rows / seconds:,.0f} | {peak / 1e6:,.0f} MB |", flush=True)
    table.unlink()
    return peak


def _table(path: Path, rows: int) -> Path:
    """Write a table of 16 columns of numbers, 4 of categories and a target of two classes."""
    random = np.random.default_rng(0)
    names = [*(f"n{i}" for i in range(16)), *(f"c{i}" for i in range(4)), "y"]
    with path.open("w") as file:
        file.write(",".join(names) + "\n")
        for start in range(0, rows, 10_000):
            count = min(10_000, rows - start)
            numbers = random.normal(size=(count, 16)).round(4)
            words = random.choice(CATEGORIES, size=(count, 4))
            answers = np.where(numbers[:, 0] + numbers[:, 1] > (words[:, 0] == "red"), "yes", "no")
            cells = np.column_stack([numbers.astype(str), words, answers])
            file.write("\n".join(map(",".join, cells.tolist())) + "\n")
    return path


if __name__ == "__main__":
    main()
