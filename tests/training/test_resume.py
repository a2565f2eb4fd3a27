"""A run that was killed and resumed has the files of a run that was never interrupted.

Each experiment is chosen so that dropout and batch normalization take part, and so that early stopping or the plateau
schedule act after the interruption: otherwise the test would prove nothing.
"""

import multiprocessing
import os

import numpy as np
import pytest
from small_tables import table_rows, write_table

import kerasrun
from kerasrun import run_index, runs
from kerasrun.errors import InputError

GIVEN = {
    "epochs": 8, "limit": 120, "hidden": "16", "dropout": 0.3, "batch_norm": True, "learning_rate": 0.05, "patience": 4,
    "min_delta": 0.05, "schedule": "plateau(patience=0, factor=0.5)",
}  # fmt: skip
MODELS = {
    "dense": ("digits", GIVEN),
    "cnn": ("digits", {**GIVEN, "recipe": "cnn", "filters": "4-8", "kernel_size": 2}),
    "augmented": ("digits", {**GIVEN, "augment": "flip,shift,rotate,crop,cutout,mixup"}),
    "mixed precision": ("digits", {**GIVEN, "precision": "mixed_float16"}),
    "embedding": ("synthetic:imdb(length=12)", {"epochs": 5, "limit": 120, "dropout": 0.3, "learning_rate": 0.02}),
}


def in_a_child(work, *arguments):
    """Run `work` in a process forked from a server that has loaded Keras and run nothing; return its exit code."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["kerasrun.training.train"])
    child = context.Process(target=work, args=arguments)
    child.start()
    child.join()
    return child.exitcode


def _train(results, dataset, fail, given):
    from kerasrun.training.callbacks import Recorder

    os.environ["KERASRUN_FAIL"], Recorder.LARGEST_SHARE = fail, 1e9  # a commit each epoch
    kerasrun.train(dataset, results=results, **given)


def _resume(results, given):
    kerasrun.resume(results=results, **given)


def _same_model(folder, other):
    weights = [runs.load(path).model().get_weights() for path in (folder, other)]
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def train(results, dataset="digits", *, fail="", **given):
    return in_a_child(_train, results, dataset, fail, given)


def resume(results, **given):
    return in_a_child(_resume, results, given)


def only_run(results):
    return runs.load(run_index.find(results, "last"))


def assert_same(run, other):
    assert (run.folder / "metrics.csv").read_bytes() == (other.folder / "metrics.csv").read_bytes()
    for name in ("status", "best_epoch", "best", "last", "test", "epochs_run"):
        assert run.record[name] == other.record[name], name
    for name, array in np.load(other.folder / "predictions.npz").items():
        np.testing.assert_array_equal(np.load(run.folder / "predictions.npz")[name], array)
    assert in_a_child(_same_model, run.folder, other.folder) == 0


@pytest.fixture(scope="module", params=MODELS)
def whole(request, tmp_path_factory):
    dataset, given = MODELS[request.param]
    results = tmp_path_factory.mktemp("whole")
    assert train(results, dataset, **given) == 0
    return dataset, given, only_run(results)


@pytest.mark.parametrize("fail", ["rename:best.keras:1", "rename:state.npz:3", "write:timing.csv:4"])
def test_a_run_killed_at_a_commit_and_resumed_equals_a_whole_one(whole, tmp_path, fail):
    dataset, given, expected = whole
    assert train(tmp_path, dataset, fail=fail, **given) == 99
    assert only_run(tmp_path).status == "interrupted"
    assert resume(tmp_path) == 0
    assert_same(only_run(tmp_path), expected)


def _refuse_fewer_epochs(results):
    with pytest.raises(InputError, match="epochs are done already"):
        kerasrun.resume(results=results, epochs=2)


def test_fewer_epochs_than_are_done_are_refused_and_the_run_stays_what_it_is(tmp_path):
    assert train(tmp_path, fail="write:timing.csv:5", **GIVEN) == 99
    before = only_run(tmp_path).record
    assert in_a_child(_refuse_fewer_epochs, tmp_path) == 0
    assert only_run(tmp_path).record == before


@pytest.mark.parametrize(("before", "after"), [(3, None), (None, 3)])
def test_patience_may_come_and_go_with_further_epochs(tmp_path, before, after):
    kerasrun.train("digits", results=tmp_path, epochs=2, limit=60, hidden="4", patience=before)
    run = kerasrun.resume(results=tmp_path, epochs=3, patience=after)
    assert (run.status, len(run.metrics)) == ("finished", 3)


def test_a_run_that_is_asked_for_more_epochs_never_says_that_they_are_done(tmp_path):
    kerasrun.train("digits", results=tmp_path, epochs=1, limit=60, hidden="4")
    seen = set()
    for number in (1, 2, 3):
        assert in_a_child(_resume_killed, tmp_path, f"rename:run.json:{number}") == 99
        run = only_run(tmp_path)
        seen.add((run.status, run.record["experiment"]["epochs"]))
    assert seen == {("finished", 1), ("interrupted", 9)}


def _resume_killed(results, fail):
    os.environ["KERASRUN_FAIL"] = fail
    kerasrun.resume(results=results, epochs=9)


def test_a_callback_that_begins_anew_is_named_in_the_record(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import keras\n\n\nclass Forgets(keras.callbacks.Callback):\n    pass\n\n\n"
        "class Keeps(keras.callbacks.Callback):\n    def get_state(self):\n        return {}\n\n"
        "    def set_state(self, state):\n        pass\n"
    )
    given = {"callbacks": [f"{path}:Forgets", f"{path}:Keeps"], "epochs": 1, "limit": 60, "hidden": "4"}
    kerasrun.train("digits", results=tmp_path / "r", **given)
    run = kerasrun.resume(results=tmp_path / "r", epochs=2)
    assert run.record["resumed"][0]["differences"] == [
        f"callback {path}:Forgets has no get_state and begins anew; the resume is not exact"
    ]


def test_a_recipe_whose_copy_was_used_keeps_its_name_in_the_record(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import keras\n\n\ndef wide(task):\n    return keras.Sequential([keras.Input(task.input_shape),\n"
        "        keras.layers.Flatten(), keras.layers.Dense(task.num_outputs, activation='softmax')])\n"
    )
    first = kerasrun.train("digits", results=tmp_path / "r", recipe=f"{path}:wide", epochs=1, limit=60)
    path.write_text(path.read_text() + "# a remark\n")
    run = kerasrun.resume(results=tmp_path / "r", epochs=2)
    assert run.record["experiment"]["recipe"] == first.record["experiment"]["recipe"] == f"{path}:wide"


def test_a_table_whose_record_is_a_commit_behind_its_best_model_goes_on(tmp_path):
    table = str(write_table(tmp_path / "grades.csv", table_rows()))
    given = {"target": "grade", "missing": "median", "epochs": 2, "hidden": "8", "learning_rate": 0.05}
    assert train(tmp_path / "whole", table, **given) == 0
    assert train(tmp_path / "killed", table, fail="rename:run.json:4", **given) == 99
    run = only_run(tmp_path / "killed")
    assert (run.record["epochs_run"], len(run.metrics)) == (1, 2)
    assert run.record["files"]["best.keras"] != runs.sha256(run.folder / "best.keras")
    assert resume(tmp_path / "killed") == 0
    assert_same(only_run(tmp_path / "killed"), only_run(tmp_path / "whole"))
