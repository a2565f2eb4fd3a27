"""What is measured besides a training changes nothing, is the same in every loop, and goes on after a kill."""

import itertools
import multiprocessing
import os

import numpy as np
import pandas as pd
import pytest

import kerasrun
from kerasrun import datasets, run_index, runs
from kerasrun.runs import HEALTH, METRICS, PROGRESS
from kerasrun.training.seeds import fixed_examples

GIVEN = {"epochs": 3, "limit": 300, "hidden": "16", "dropout": 0.3, "batch_norm": True}
MEASURED = {"evaluate_train": 50, "validate_every": 0.3, "health": True}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    return kerasrun.train("digits", results=tmp_path_factory.mktemp("results"), **GIVEN, **MEASURED)


def read(run, name):
    return pd.read_csv(run.folder / name)


def test_a_measured_training_gives_the_bytes_of_one_that_is_not(measured, tmp_path):
    plain = kerasrun.train("digits", results=tmp_path, **GIVEN)
    ours = pd.read_csv(measured.folder / METRICS, dtype=str)
    theirs = pd.read_csv(plain.folder / METRICS, dtype=str)
    assert [*ours] == [*theirs][:5] + ["train_loss", "train_accuracy", "learning_rate"]
    pd.testing.assert_frame_equal(ours[[*theirs]], theirs)
    assert measured.record["test"] == plain.record["test"]
    assert not (plain.folder / PROGRESS).exists()
    assert not (plain.folder / HEALTH).exists()


@pytest.mark.parametrize("loop", ["plain", "stream"])
def test_every_loop_measures_the_same(measured, tmp_path, loop):
    run = kerasrun.train("digits", results=tmp_path, loop=loop, **GIVEN, **MEASURED)
    for name in (METRICS, PROGRESS, HEALTH):
        assert (run.folder / name).read_bytes() == (measured.folder / name).read_bytes()


def test_the_training_examples_are_evaluated_without_dropout_with_the_epochs_last_weights(measured):
    data = datasets.load(measured.experiment)
    rows = fixed_examples(0, "evaluate_train", len(data.train.x), 50)
    best = measured.record["best"]
    answers = measured.model().predict(data.train.x[rows], verbose=0)
    losses = -np.log(answers[np.arange(50), data.train.y[rows]])
    assert losses.mean() == pytest.approx(best["train_loss"], rel=1e-4)
    assert (answers.argmax(1) == data.train.y[rows]).mean() == pytest.approx(best["train_accuracy"])


def test_progress_has_a_row_for_each_part_of_an_epoch_and_ends_each_with_the_epochs_own(measured):
    rows, epochs = read(measured, PROGRESS), read(measured, METRICS)  # 300 examples are 10 steps
    assert list(rows["step"]) == [3, 6, 9, 10, 13, 16, 19, 20, 23, 26, 29, 30]
    assert list(rows["epoch"]) == [step / 10 for step in rows["step"]]
    assert [*rows][2:] == ["val_loss", "val_accuracy", "train_loss", "train_accuracy"]
    ends = rows[rows["step"] % 10 == 0].reset_index()
    for name in [*rows][2:]:
        assert list(ends[name]) == list(epochs[name])
    assert rows["val_loss"].is_monotonic_decreasing


def test_health_has_the_start_and_every_epoch(measured):
    rows = read(measured, HEALTH)
    assert list(rows["epoch"].unique()) == [0, 1, 2, 3]
    assert list(rows["step"].unique()) == [0, 10, 20, 30]
    assert list(rows["layer"][:3]) == ["input", "dense", "dense_1"]
    start = rows[rows["epoch"] == 0]["loss"].iloc[0]
    assert start == pytest.approx(np.log(10), rel=0.5)
    assert read(measured, METRICS)["train_loss"].iloc[-1] < start


def test_the_record_tells_start_and_end_of_each_layer(measured):
    from kerasrun.analysis.patient import layers_of

    rows = read(measured, HEALTH)
    for when, epoch in (("start", 0), ("end", 3)):
        told = layers_of(measured.record, when)
        expected = rows[(rows["epoch"] == epoch) & (rows["layer"] != "input")]
        for name in ("layer", "kind", "units", "activation", "gradient", "gradient_ratio", "mean", "loss"):
            assert [row[name] for row in told] == list(expected[name]), name
    assert measured.record["health"]["examples"] == 300
    assert layers_of({}, "start") == []


@pytest.mark.parametrize("loop", ["plain", "resident", "stream"])
def test_health_is_measured_after_10_and_100_steps_of_the_first_epoch(tmp_path, loop):
    from kerasrun.analysis.patient import layers_of

    given = {"limit": 1000, "batch_size": 8, "validate_every": 0.2, "loop": loop, "results": tmp_path}
    run = kerasrun.train("digits", epochs=2, health=True, **given)
    rows = read(run, HEALTH)
    assert [*zip(rows["step"], rows["epoch"].fillna(-1), strict=True)][::3] == [
        (0, 0), (10, -1), (100, -1), (125, 1), (250, 2),
    ]  # fmt: skip
    assert list(read(run, PROGRESS)["step"][:5]) == [25, 50, 75, 100, 125]
    for step in (10, 100):
        told = layers_of(run.record, f"step{step}")
        assert [row["gradient"] for row in told] == list(rows[rows["step"] == step]["gradient"])[1:]
    losses = [layers_of(run.record, when)[0]["loss"] for when in ("start", "step10", "step100", "end")]
    assert losses == sorted(losses, reverse=True)


def test_the_time_of_measuring_is_none_of_the_epochs(monkeypatch, tmp_path):
    clock = itertools.count(0, 1000)
    monkeypatch.setattr("kerasrun.training.measuring.monotonic", lambda: float(next(clock)))
    run = kerasrun.train("digits", results=tmp_path, health=True, **GIVEN)
    assert all(seconds < 0 for seconds in read(run, "timing.csv")["seconds"])  # 1000 s of each were spent on measuring


def _train(results, fail, inside):
    from kerasrun.training.callbacks import Recorder

    os.environ["KERASRUN_FAIL"], Recorder.LARGEST_SHARE = fail, 1e9  # commit each epoch, or each block
    Recorder.INSIDE_EPOCH_SECONDS = 0.0 if inside else 60.0
    kerasrun.train("digits", results=results, **GIVEN, **MEASURED)


def in_a_child(work, *arguments):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["kerasrun.training.train"])
    child = context.Process(target=work, args=arguments)
    child.start()
    child.join()
    return child.exitcode


def _resume(results):
    kerasrun.resume(results=results)


@pytest.mark.parametrize(
    ("fail", "inside"), [("rename:state.npz:2", False), ("rename:state.npz:3", True), ("rename:state.npz:9", True)]
)
def test_a_measured_run_goes_on_after_a_kill_between_epochs_or_inside_one(measured, tmp_path, fail, inside):
    assert in_a_child(_train, tmp_path, fail, inside) == 99
    assert in_a_child(_resume, tmp_path) == 0
    run = runs.load(run_index.find(tmp_path, "last"))
    for name in (METRICS, PROGRESS, HEALTH):
        assert (run.folder / name).read_bytes() == (measured.folder / name).read_bytes(), name
