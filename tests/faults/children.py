"""Commands in processes of their own that can be killed, interrupted, limited and changed; and how runs are compared.

A child is forked from a server that has loaded Keras and run nothing: 0.3 s in place of 6. It gets the command line as
`kerasrun` would, writes what it says into files, and its exit code is the command's.
"""

import io
import json
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np

from kerasrun import atomic, run_check, run_index, runs

TIMEOUT = 240  # seconds; nothing here takes ten on a machine of its own
# The rate falls in all of them; the dense one ends by its epochs, the others by early stopping: see `whole`
GIVEN = [
    "limit=120", "hidden=16", "dropout=0.3", "batch_norm=true", "schedule=plateau(patience=0, factor=0.5)",
]  # fmt: skip
STOPPING = ["epochs=8", "learning_rate=0.05", "patience=4", "min_delta=0.05"]
RECURRENT = f"{Path(__file__).parent / 'recurrent.py'}:recurrent"
MODELS = {
    "dense": ["digits", *GIVEN, "epochs=8", "learning_rate=0.05", "patience=4"],
    "convolutional": ["digits", *GIVEN, *STOPPING, "recipe=cnn", "filters=4-8", "kernel_size=2"],
    "recurrent": [
        "digits", *[word for word in GIVEN if word[:6] not in ("hidden", "batch_")], f"recipe={RECURRENT}",
        "epochs=10", "learning_rate=0.1", "patience=3", "min_delta=0.15",
    ],
    "mixed precision": ["digits", *GIVEN, *STOPPING, "precision=mixed_float16"],
}  # fmt: skip


class Child:
    """A command that runs in a process of its own.

    Args:
        words: of the command line.
        change: name of a function in `changes.py`, called before the command.
        environment: variables of the child.
    """

    def __init__(self, *words, change=None, **environment):
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["kerasrun.training.train", "kerasrun.cli.app"])
        self.out = Path(f"{_scratch()}/{time.monotonic_ns()}")
        words = [str(word) for word in words]
        self.process = context.Process(target=_work, args=(words, change, environment, str(self.out)))
        self.process.start()

    def signal(self, number):
        """Send a signal, if the child still lives.

        A child that has just ended is called alive until the server that forked it has told its exit code.
        """
        if self.process.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    def until(self, happened):
        """Wait until `happened()` is true or the child has ended."""
        until(lambda: happened() or not self.process.is_alive(), pause=0.0005)

    def wait(self, timeout=TIMEOUT):
        """Return the exit code; a child that does not end is killed, and the test fails."""
        self.process.join(timeout)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
            raise AssertionError(f"did not end within {timeout} s; it said:\n{self.said}")
        return self.process.exitcode

    @property
    def said(self):
        """What it wrote to stdout and stderr."""
        return self.out.read_text(errors="replace") if self.out.exists() else ""


def command(*words, change=None, **environment):
    """Run a command to its end; return exit code and what it said."""
    child = Child(*words, change=change, **environment)
    return child.wait(), child.said


def train(results, model, *words, change=None, **environment):
    """Train one of MODELS; return exit code and what was said."""
    return command("train", *MODELS[model], *words, "--results", results, change=change, **environment)


def resume(results, *words, change=None, **environment):
    """Resume the last run; return exit code and what was said."""
    return command("resume", *words, "--results", results, change=change, **environment)


def go_on(results, model, **more):
    """Start to resume the newest run, or to train a model where there is no run yet; return the child."""
    words = ["resume"] if any_file(results, "run.json")() else ["train", *MODELS[model]]
    return Child(*words, "--results", results, **more)


def only_run(results):
    """Return the newest run."""
    return runs.load(run_index.find(Path(results), "last"))


def until(happened, timeout=TIMEOUT, pause=0.002):
    """Wait until `happened()` is true; return whether it was in time."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if happened():
            return True
        time.sleep(pause)
    return False


def any_file(results, pattern):
    """Return a condition: whether a run folder holds a file of this pattern."""
    return lambda: any(Path(results).glob(f"*/{pattern}"))


def same(run, expected):
    """Return in what two runs' results differ: a list of names, empty where they are equal value for value."""
    apart = []
    if (run.folder / runs.METRICS).read_bytes() != (expected.folder / runs.METRICS).read_bytes():
        apart.append(runs.METRICS)
    names = ("status", "best_epoch", "best", "last", "test", "epochs_run", "identity")
    apart += [name for name in names if run.record.get(name) != expected.record.get(name)]
    ours, theirs = (np.load(each.folder / runs.PREDICTIONS) for each in (run, expected))
    apart += [f"predictions {name}" for name in theirs.files if not _equal(ours[name], theirs[name])]
    ours, theirs = weights(run.folder / runs.BEST), weights(expected.folder / runs.BEST)
    apart += [f"weights {name}" for name in {*ours, *theirs} if not _equal(ours.get(name), theirs.get(name))]
    if (expected.folder / runs.STATE).exists():
        ours, theirs = state(run.folder), state(expected.folder)
        apart += [f"state {name}" for name in {*ours, *theirs} if not _equal(ours.get(name), theirs.get(name))]
    return apart


def broken(results):
    """Return what is not whole in the newest run's folder, or is ahead of the state; nothing where there is no run."""
    if not any_file(results, "run.json")():
        return []
    run, damaged = only_run(results), run_check.check(Path(results))[1]
    found = [damage for damage in damaged if "left by a process" not in damage.reason]
    if (run.folder / runs.STATE).exists():
        rows = (run.folder / runs.METRICS).read_text().count("\n") - 1
        done = state(run.folder)["epochs"]
        found += [f"{rows} rows, {done} epochs in the state"] if rows != done else []
    return found


def weights(path):
    """Return the weights in a .keras file by name."""
    import h5py

    found = {}
    with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        file.visititems(lambda name, it: found.update({name: it[()]}) if isinstance(it, h5py.Dataset) else None)
    return found


def state(folder, name=runs.STATE):
    """Return what a state holds, the seconds apart."""
    content = io.BytesIO(atomic.unsealed((folder / name).read_bytes()))
    values = json.loads(np.load(content).tobytes())
    del values["seconds"]
    arrays = [(what, number) for what, count in values["arrays"].items() for number in range(count)]
    return values | {f"{what} {number}": np.load(content) for what, number in arrays}


def _equal(one, other):
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return type(one) is type(other) and one == other


def _scratch():
    folder = Path(tempfile.gettempdir()) / f"kerasrun-faults-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    return folder


def _work(words, change, environment, out):
    """Be the command, in the child; a Ctrl-C is heard once it is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.environ.update(environment)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if change:
        from . import changes

        getattr(changes, change)()
    sys.argv = ["kerasrun", *words]
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    from kerasrun.cli.app import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        main()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it has ended
        sys.stdout.flush()
        sys.stderr.flush()


def limit_files(size):
    """Let no file of this process grow beyond some bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
