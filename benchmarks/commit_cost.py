"""What committing costs: `python -m benchmarks.commit_cost`.

Targets: state and tables of a model of 100,000 parameters in under 15 ms (median), all commits of a training by default
under 5 % of its time. best.keras is counted apart: Keras's own format takes longer, and only better epochs write it.
Prints a table in Markdown; exit code 1 where a target is missed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import kerasrun
from kerasrun import environment
from kerasrun.training.callbacks import Recorder

LARGEST_MEDIAN, LARGEST_SHARE = 0.015, 0.05
TRAININGS = {  # 784-127-10 has 100,975 parameters; xor's epochs are the shortest there are
    "100,000 parameters, adam": ("synthetic:fashion-mnist", {"hidden": (127,), "epochs": 40, "limit": 12_000}),
    "1,000 parameters": ("digits", {"hidden": (16,), "epochs": 200}),
    "xor": ("xor", {"epochs": 400}),
}
SPENT: dict[str, list[float]] = defaultdict(list)


def main() -> None:
    """Train each of TRAININGS with a clock around what a commit does."""
    for name in ("commit", "_write_best"):
        _clock(Recorder, name)
    print("| training | commits | state and tables, median (least) ms | best.keras, median ms | share of the time |")
    print("| --- | --- | --- | --- | --- |")
    missed = []
    for what, (dataset, given) in TRAININGS.items():
        SPENT.clear()
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            run = kerasrun.train(dataset, results=folder, patience=None, **given)
        # the best model is written inside a commit, and capturing the state is part of it
        best = [seconds for seconds in SPENT["_write_best"] if seconds > 1e-4]  # else there was no better epoch
        ours = [all_ - best_ for all_, best_ in zip(SPENT["commit"], SPENT["best in commit"], strict=True)]
        share = sum(SPENT["commit"]) / run.record["seconds"]["training"]
        median = statistics.median(ours)
        numbers = (
            f"{1000 * median:.1f} ({1000 * min(ours):.1f}) | {1000 * statistics.median(best):.1f} | {100 * share:.1f} %"
        )
        print(f"| {what} | {len(ours)} | {numbers} |", flush=True)
        if share > LARGEST_SHARE or (what.startswith("100,000") and median > LARGEST_MEDIAN):
            missed.append(what)
    machine = environment.hardware()
    print(f"\n{machine['processor']}, {machine['cores']} cores, {environment.filesystem(Path.cwd())}")
    if missed:
        print(f"missed: {', '.join(missed)}")
    sys.exit(bool(missed))


def _clock(owner: type, name: str) -> None:
    original = getattr(owner, name)

    def clocked(self, *arguments, **named):
        before, began = sum(SPENT["_write_best"]), time.perf_counter()
        result = original(self, *arguments, **named)
        SPENT[name].append(time.perf_counter() - began)
        if name == "commit":
            SPENT["best in commit"].append(sum(SPENT["_write_best"]) - before)
        return result

    setattr(owner, name, clocked)


if __name__ == "__main__":
    main()
