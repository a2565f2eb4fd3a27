"""The long suite: `python -m tests.faults.long [--minutes 12]` writes docs/reliability.md.

Random SIGKILLs over four kinds of model until the time is up (200 are the target) and 50 random SIGINTs, each run
compared value for value with one that was never interrupted; every failpoint of a six-epoch run; 8 × 100 starts;
20 repeats under load.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from multiprocessing import util
from pathlib import Path

from kerasrun import environment, runs

from .children import MODELS, TIMEOUT, any_file, broken, command, go_on, only_run, resume, same, train, until

FARTHEST = 43  # operations of a kind; a six-epoch run that commits each epoch has 40
ROOT = Path(__file__).parents[2]
FAULTS = (ROOT / "tests" / "faults" / "rows.txt").read_text().splitlines()


def main():
    """Run all parts and write the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=12, help="for the random kills")
    options.add_argument("--kills", type=int, default=200, help="stop the random kills after so many")
    options.add_argument("--out", type=Path, default=ROOT / "docs" / "reliability.md")
    given = options.parse_args()
    util.get_temp_dir()  # multiprocessing takes its own away when Python ends
    folder = Path(tempfile.mkdtemp(prefix="kerasrun-long-"))
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)  # what killed children leave behind goes with it
    rows = []
    try:
        expected = {model: _whole(folder, model) for model in MODELS}
        for part in (_starts, _repeats, _failpoints):
            rows += part(folder, expected)
            print(*rows[-1], sep=" | ", flush=True)
        for number, enough in ((signal.SIGINT, 50), (signal.SIGKILL, given.kills)):
            rows += _signals(number, folder, expected, given.minutes * 60, enough)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    given.out.parent.mkdir(exist_ok=True)
    given.out.write_text(_page(rows))
    print(f"written: {given.out}")
    sys.exit(any(row[-1] for row in rows))


def _whole(folder, model):
    results = folder / f"whole {model}"
    code, said = train(results, model)
    assert code == 0, said
    return only_run(results)


def _signals(signal_number, folder, expected, seconds, enough):
    """Signal and resume runs at random moments, two at a time; a row for each kind of model."""
    end, found = time.monotonic() + seconds, {model: [0, 0, 0] for model in MODELS}  # signals, runs, mismatches
    what = signal_number.name

    def chain(number):
        models = list(MODELS)
        moments = random.Random(time.time_ns() + number)
        turn = number
        while time.monotonic() < end and sum(sent for sent, *_ in found.values()) < enough:
            model, turn = models[turn % len(models)], turn + 1
            results = folder / f"{what} {number} {turn}"
            sent, code, apart = _signalled(signal_number, results, model, moments, expected[model])
            found[model][0] += sent
            found[model][1] += 1
            found[model][2] += code != 0 or bool(apart)
            print(f"{model}: {sent} × {what}, exit code {code}, {apart or 'equal'}", flush=True)
            shutil.rmtree(results, ignore_errors=True)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(chain, range(2)))
    return [
        (f"random {what}s, {model}", f"{sent} in {number} runs", f"{wrong} of {number} runs differ", wrong)
        for model, (sent, number, wrong) in found.items()
    ]


def _signalled(number, results, model, moments, expected):
    """Train and signal until the run has ended or eight are sent; return how many, last exit code, differences."""
    child, sent, faults = go_on(results, model, change="slow_epochs"), 0, []
    while sent < 8:
        until(any_file(results, "model.txt"), timeout=30)
        child.process.join(moments.uniform(0.0, 4.0))
        if not child.process.is_alive():
            break
        child.signal(number)
        code = child.wait()
        if number == signal.SIGINT:  # what a kill leaves behind is whole, too, but may lie between two commits
            faults += broken(results) + ([child.said[-300:]] if code not in (0, 130) else [])
        sent += 1
        child = go_on(results, model, change="slow_epochs")
    code = child.wait()
    return sent, code, faults + (same(only_run(results), expected) if code == 0 else [child.said[-300:]])


def _failpoints(folder, expected):
    """End a six-epoch run before each write, fsync and rename, and resume it."""
    words = [word for word in MODELS["dense"] if not word.startswith("epochs")] + ["epochs=6"]
    results = folder / "six"
    assert command("train", *words, "--results", results, change="commit_always")[0] == 0
    whole, done, wrong = only_run(results), 0, []

    def one(point):
        results = folder / f"fail {point}"
        code, said = command("train", *words, "--results", results, change="commit_always", KERASRUN_FAIL=point)
        if code == 0:
            return None
        if not any(results.glob("*/run.json")):
            return code == 99  # before there was a run
        code, said = resume(results, change="commit_always")
        apart = same(only_run(results), whole) if code == 0 else [said]
        shutil.rmtree(results)
        return apart == []

    with ThreadPoolExecutor(2) as pool:
        points = [f"{kind}:{number}" for number in range(1, FARTHEST) for kind in ("write", "fsync", "rename")]
        for point, good in zip(points, pool.map(one, points), strict=True):
            done += good is not None
            if good is False:
                wrong.append(point)
                print(f"{point} differs", flush=True)
    differ = f"{len(wrong)} differ {' '.join(wrong)}".strip()
    return [("every failpoint of a six-epoch run", f"{done} points", differ, len(wrong))]


def _starts(folder, expected):
    """Start 100 runs in each of eight processes at once."""
    program = (
        "import sys; from pathlib import Path; from kerasrun import runs; from kerasrun.experiment import resolve\n"
        "e = resolve('xor', {})\nfor _ in range(100):\n    runs.start(e, Path(sys.argv[1])).release()"
    )
    results = folder / "starts"
    starters = [subprocess.Popen([sys.executable, "-c", program, str(results)]) for _ in range(8)]
    codes = [starter.wait(TIMEOUT) for starter in starters]
    names = {runs.load(path).id for path in results.iterdir()}
    wrong = 800 - len(names) + sum(map(bool, codes))
    return [("8 × 100 concurrent starts", f"{len(names)} distinct names", f"{wrong} missing", wrong)]


def _repeats(folder, expected):
    """Train the same 20 times while other processes keep every core busy."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(environment.cores())]
    try:
        tables = set()
        for number in range(20):
            results = folder / f"repeat {number}"
            assert train(results, "dense")[0] == 0
            tables.add(sha256((only_run(results).folder / runs.METRICS).read_bytes()).hexdigest())
    finally:
        for process in busy:
            process.kill()
            process.wait()
    return [
        ("20 repeats under load", f"{len(tables)} distinct metrics.csv", f"{len(tables) - 1} differ", len(tables) - 1)
    ]


def _page(rows):
    made, machine = environment.versions(), environment.hardware()
    lines = [
        "# Reliability", "",
        "Written by `python -m tests.faults.long`; what is promised is in the table of rows below.", "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC · " + " · ".join(map(" ".join, made.items())),
        f"· {machine['processor']}, {machine['cores']} cores shared with other work · {machine['system']}", "",
        "After each signal the run was resumed until it ended; metrics.csv was compared byte for byte, best weights, "
        "final state, predictions and record value for value with those of a run that was never interrupted. "
        "Each epoch was given 0.2 s more, and committed; a signal came up to 4 s after the process had its model, in"
        " any phase, some before the first commit. A run got at most eight. After each SIGINT every file was whole,"
        " and metrics.csv and state had the same epochs.", "",
        "| what | how often | result |", "| --- | --- | --- |",
        *(f"| {what} | {how_often} | {result} |" for what, how_often, result, _ in rows), "",
    ]  # fmt: skip
    for what, target in (("SIGKILL", 200), ("SIGINT", 50)):
        sent = sum(int(row[1].split()[0]) for row in rows if row[0].startswith(f"random {what}"))
        lines += [f"{what} in all: {sent}; the target is {target}.", ""]
    lines += ["## The seventy rows", ""]
    lines += ["| row | fault | shown by |", "| --- | --- | --- |"]
    return "\n".join([*lines, *map(row, FAULTS)]) + "\n"


def row(line):
    """Return a line of rows.txt as one of the page's table, with the tests that are named after the row."""
    number, fault, where = line.split("|")
    if where.strip():
        return f"| {number} | {fault} | {where} |"
    tests = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tests += [f"`{name}`" for name in tests_of(path) if int(number) in _numbers(name)]
    return f"| {number} | {fault} | {'<br>'.join(tests) or 'none'} |"


def tests_of(path):
    """Return the names of a file's tests."""
    return re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)


def _numbers(name):
    """Return the rows that a test's name names: test_row_16_and_17_… those two."""
    found = re.match(r"test_rows?_(\d+)(?:_and_(\d+))?", name)
    return {int(number) for number in found.groups() if number} if found else set()


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    main()
