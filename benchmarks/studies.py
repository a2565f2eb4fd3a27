"""The benchmarks themselves: each returns rows for one table. Every measurement is a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.measure import FLOOR, RIVALS, once
from benchmarks.workloads import WORKLOADS, Workload, at_hand
from kerasrun import compile_cache

Row = dict[str, Any]


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Args:
        rounds: how often each measurement is repeated, the rivals taking turns.
        epochs: of a training; the first, which compiles, is left out of the medians.
        words: only workloads whose names hold one of these; all where empty.
    """

    rounds: int
    epochs: int
    words: tuple[str, ...] = ()


def epochs(effort: Effort) -> Iterator[Row]:
    """Yield seconds per epoch of every rival: A B C and again A B C."""
    for workload in _workloads(effort):
        for turn in range(effort.rounds):
            for rival in RIVALS:
                if "CNN" in workload.name and rival.endswith("--jit"):
                    continue  # see the benchmark "jit"
                if rival == FLOOR and not workload.name.startswith("dense"):
                    continue
                yield from _training(workload, effort, turn, rival)


def command(effort: Effort) -> Iterator[Row]:
    """Yield the seconds of a whole command, of the same in a Keras script, and of importing Keras alone."""
    dataset = at_hand("fashion-mnist")
    for turn in range(effort.rounds):
        with tempfile.TemporaryDirectory() as folder:
            words = ["train", dataset, "--optimizer", "rmsprop", "--epochs", "5", "--results", folder]
            yield {"what": "kerasrun train", "turn": turn, **_command(words, Path(folder))}
            yield {"what": "kerasrun train --jit", "turn": turn, **_command([*words, "--jit"], Path(folder))}
            if dataset == "fashion-mnist":  # the script knows no made-up data
                script = [sys.executable, str(Path(__file__).parent / "rivals" / "script.py"), folder]
                yield {"what": "Keras script", "turn": turn, "seconds": _timed(script)}
            yield {"what": "import keras", "turn": turn, "seconds": _timed([sys.executable, "-c", "import keras"])}


def answers(effort: Effort) -> Iterator[Row]:
    """Yield the seconds of commands that train nothing."""
    for turn in range(3 if effort.rounds == 1 else 10):
        for words in (["--help"], ["recipes"], ["train", "fashion-mnits"]):
            yield {"what": "kerasrun " + " ".join(words), "turn": turn, "seconds": _timed(_kerasrun(words))}


def scaling(effort: Effort) -> Iterator[Row]:
    """Yield seconds per epoch against examples, layers and units, one thread."""
    first = replace(WORKLOADS["dense, batch 32"], dataset=at_hand("fashion-mnist"))
    sizes = [("examples", n, replace(first, limit=n)) for n in (1000, 3000, 12000, 48000)]
    sizes += [("layers of 100", n, replace(first, hidden=(100,) * n, limit=12000)) for n in (1, 2, 4, 8)]
    sizes += [("units", n, replace(first, hidden=(n,), limit=12000)) for n in (32, 64, 128, 256, 512, 1024)]
    for turn in range(effort.rounds):
        for what, size, workload in sizes:
            rows = _training(workload, effort, turn, "kerasrun", threads=1)
            yield from ({**row, "what": what, "size": size} for row in rows)


def memory(effort: Effort) -> Iterator[Row]:
    """Yield the largest memory of a training, of one with next to no data, and of importing Keras."""
    first = replace(WORKLOADS["dense, batch 32"], dataset=at_hand("fashion-mnist"))
    for turn in range(effort.rounds):
        for rival in ("kerasrun", "kerasrun --jit", "model.fit, arrays"):
            for workload in (replace(first, dataset="digits"), first):
                peak = once(rival, workload, 2)["peak_bytes"]
                yield {"rival": rival, "dataset": workload.dataset, "turn": turn, "bytes": peak}
        yield {"rival": "import keras", "dataset": "", "turn": turn, "bytes": _imported_bytes()}


def threads(effort: Effort) -> Iterator[Row]:
    """Yield seconds per epoch with one thread and with all, from small networks to large ones."""
    dense = replace(WORKLOADS["dense, batch 32"], dataset=at_hand("fashion-mnist"), limit=12000)
    hidden = [(32,), (100,), (300,), (1000,), (2000,), (100, 100, 100), (300, 300, 300), (1000, 1000, 1000)]
    workloads = [replace(dense, hidden=h, limit=3000 if sum(h) > 500 else 12000) for h in hidden]
    workloads += [replace(w, dataset=at_hand(w.dataset), limit=2048) for w in (WORKLOADS["CNN, batch 32"],)]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for turn in range(effort.rounds):
        for workload in workloads:
            for batch in (32, 128):
                for count in (1, cores):
                    sized = replace(workload, batch=batch)
                    rows = _training(sized, effort, turn, "kerasrun", threads=count)
                    shape = f"{workload.recipe} {'-'.join(map(str, workload.hidden))}"
                    yield from ({**row, "network": shape, "batch": batch, "threads": count} for row in rows)


def jit(effort: Effort) -> Iterator[Row]:
    """Yield seconds per epoch, the first one apart, without XLA, compiled, and compiled with the programs at hand."""
    text = replace(WORKLOADS["embedding, batch 32"], limit=2048)
    dense, dropout = WORKLOADS["dense, batch 32"], WORKLOADS["dense + dropout + batch norm, batch 32"]
    cnn = replace(WORKLOADS["CNN, batch 32"], limit=1024)
    for turn in range(effort.rounds):
        for workload in (dense, dropout, text, replace(text, name="LSTM, batch 32", recipe="lstm"), cnn):
            at_home = replace(workload, dataset=at_hand(workload.dataset))
            yield from _training(at_home, effort, turn, "kerasrun")
            with _empty_compile_cache():
                for again in (False, True):
                    settings = {"convolutions": True} if workload is cnn else {}
                    rows = _training(at_home, effort, turn, "kerasrun --jit", **settings)
                    yield from ({**row, "again": again} for row in rows)


@contextmanager
def _empty_compile_cache() -> Iterator[None]:
    """Let the trainings of a block share compiled programs, but none from before."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TF_XLA_FLAGS"] = f"{compile_cache.SWITCH}{folder}"
        try:
            yield
        finally:
            del os.environ["TF_XLA_FLAGS"]


STUDIES: dict[str, Callable[[Effort], Iterator[Row]]] = {
    "epochs": epochs,
    "command": command,
    "answers": answers,
    "scaling": scaling,
    "memory": memory,
    "threads": threads,
    "jit": jit,
}


def _workloads(effort: Effort) -> list[Workload]:
    chosen = [w for w in WORKLOADS.values() if not effort.words or any(word in w.name for word in effort.words)]
    return [replace(workload, dataset=at_hand(workload.dataset)) for workload in chosen]


def _training(workload: Workload, effort: Effort, turn: int, rival: str, **settings: Any) -> Iterator[Row]:
    """Yield one row an epoch."""
    found = once(rival, workload, effort.epochs, **settings)
    print(f"  {workload.name} · {rival} · {found['seconds'][-1]:.3f} s", file=sys.stderr, flush=True)
    reached = {name: round(found[name], 5) for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
    about = {"workload": workload.name, "dataset": workload.dataset, "rival": rival, "turn": turn, **reached}
    for epoch, seconds in enumerate(found["seconds"], start=1):
        yield {**about, "epoch": epoch, "seconds": round(seconds, 5)}


def _command(words: list[str], folder: Path) -> Row:
    """Run `kerasrun train`; return its seconds and, from the run's record, those of the training."""
    before = set(folder.glob("*/run.json"))
    seconds = _timed(_kerasrun(words))
    (written,) = set(folder.glob("*/run.json")) - before
    return {"seconds": seconds, "training": round(json.loads(written.read_text())["seconds"]["training"], 3)}


def _kerasrun(words: list[str]) -> list[str]:
    return [sys.executable, "-m", "kerasrun", *words]


def _timed(words: list[str]) -> float:
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    began = time.perf_counter()
    subprocess.run(words, capture_output=True, env=quiet, check=False)
    return round(time.perf_counter() - began, 4)


def _imported_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    code = "import keras, resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout) * unit
