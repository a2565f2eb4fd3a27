"""A run that was killed and resumed has the files of a run that was never interrupted.

Each experiment is chosen so that dropout and batch normalization take part, and so that early stopping or the plateau
schedule act after the interruption: otherwise the test would prove nothing.
"""

import os

import numpy as np
import pytest

import kerasrun
from kerasrun import run_index, runs
from kerasrun.errors import InputError, RunInUse

GIVEN = {
    "epochs": 8, "limit": 120, "hidden": "16", "dropout": 0.3, "batch_norm": True, "learning_rate": 0.02, "patience": 4,
    "schedule": "plateau(patience=0, factor=0.5)",
}  # fmt: skip
MODELS = {
    "dense": ("digits", GIVEN),
    "cnn": ("digits", {**GIVEN, "recipe": "cnn", "filters": "4-8", "kernel_size": 2}),
    "mixed precision": ("digits", {**GIVEN, "precision": "mixed_float16"}),
    "embedding": ("synthetic:imdb(length=12)", {"epochs": 5, "limit": 120, "dropout": 0.3, "learning_rate": 0.02}),
}


def in_a_child(work):
    """Run `work` in a forked child and return its exit code: TensorFlow's state, and a death, stay there."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def train(results, dataset="digits", **given):
    os.environ["KERASRUN_FAIL"] = given.pop("fail", "")
    return in_a_child(lambda: kerasrun.train(dataset, results=results, **given))


def resume(results, **given):
    os.environ["KERASRUN_FAIL"] = ""
    return in_a_child(lambda: kerasrun.resume(results=results, **given))


def only_run(results):
    return runs.load(run_index.find(results, "last"))


def assert_same(run, other):
    assert (run.folder / "metrics.csv").read_bytes() == (other.folder / "metrics.csv").read_bytes()
    for name in ("status", "best_epoch", "best", "last", "test", "epochs_run"):
        assert run.record[name] == other.record[name], name
    for name, array in np.load(other.folder / "predictions.npz").items():
        np.testing.assert_array_equal(np.load(run.folder / "predictions.npz")[name], array)
    ours, theirs = in_a_grandchild(run), in_a_grandchild(other)
    assert ours == theirs


def in_a_grandchild(run):
    """Return the bytes of the best weights, loaded in a child of its own."""
    read, write = os.pipe()
    if os.fork() == 0:
        import hashlib

        digest = hashlib.sha256(b"".join(w.tobytes() for w in run.model().get_weights())).digest()
        os.write(write, digest)
        os._exit(0)
    os.wait()
    os.close(write)
    return os.read(read, 32)


@pytest.fixture(scope="module", autouse=True)
def keras_is_loaded_before_forking():
    """Import TensorFlow once, and run nothing in it: children can then be forked and train."""
    import kerasrun.training.train  # noqa: F401


@pytest.fixture(scope="module", params=MODELS)
def whole(request, tmp_path_factory):
    dataset, given = MODELS[request.param]
    results = tmp_path_factory.mktemp("whole")
    assert train(results, dataset, **given) == 0
    return dataset, given, only_run(results)


@pytest.mark.parametrize("fail", ["rename:4", "fsync:9", "write:14"])
def test_a_run_killed_at_a_commit_and_resumed_equals_a_whole_one(whole, tmp_path, fail):
    dataset, given, expected = whole
    assert train(tmp_path, dataset, fail=fail, **given) == 99
    assert only_run(tmp_path).status == "interrupted"
    assert resume(tmp_path) == 0
    assert_same(only_run(tmp_path), expected)
