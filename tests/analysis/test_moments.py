"""A run's value at a moment: from its record where that is enough, from its epochs otherwise."""

from pathlib import Path

import pytest

from kerasrun import run_tables
from kerasrun.analysis.moments import At, curves, parse_at, progress, reached, value
from kerasrun.errors import InputError

ROWS = [(0.9, 0.5, 0.60), (0.7, 0.6, 0.70), (0.5, 0.7, 0.80), (0.4, 0.8, 0.75), (0.3, 0.9, 0.81)]


@pytest.fixture
def record(tmp_path):
    lines = [f"{i},{loss},{accuracy},{val}" for i, (loss, accuracy, val) in enumerate(ROWS, start=1)]
    (tmp_path / "metrics.csv").write_text("\n".join(["epoch,loss,accuracy,val_accuracy", *lines]) + "\n")
    (tmp_path / "timing.csv").write_text("epoch,seconds\n1,2.0\n2,1.0\n3,1.0\n4,1.0\n5,1.0\n")
    return {
        "id": "abcde", "created": "2026-11-21T10:15:00+00:00", "status": "finished", "path": str(tmp_path),
        "format": 1, "experiment": {"dataset": "digits", "recipe": "dense", "knobs": {}},
        "best": {"loss": 0.5, "val_accuracy": 0.8}, "last": {"loss": 0.3, "val_accuracy": 0.81},
        "test": {"accuracy": 0.78}, "seconds": {"total": 9.0, "epoch": 1.0},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("last", At("last"), "at the last epoch"),
        ("last3", At("last3"), "mean of the last 3 epochs"),
        (" best", At("best"), "at the best epoch"),
        ("12", At("epoch", 12), "at epoch 12"),
        ("seconds=1.5", At("seconds", 1.5), "after 1.5 s of training"),
    ],
)
def test_moments_are_read_and_said(text, at, words):
    assert parse_at(text) == at
    assert str(at) == words


@pytest.mark.parametrize(
    "text", ["", "first", "0", "-1", "1.5", "seconds=", "seconds=none", "seconds=-1", "last=3", "true"]
)
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(InputError, match="write last, last3, best, an epoch as 12, or seconds=30"):
        parse_at(text)


@pytest.mark.parametrize(
    ("metric", "at", "expected"),
    [
        ("val_accuracy", "last", 0.81),
        ("val_accuracy", "best", 0.8),
        ("val_accuracy", "last3", (0.80 + 0.75 + 0.81) / 3),
        ("val_accuracy", "4", 0.75),
        ("val_accuracy", "6", None),
        ("val_accuracy", "seconds=4.5", 0.80),
        ("val_accuracy", "seconds=1", None),
        ("val_accuracy", "seconds=6", 0.81),
        ("val_accuracy", "seconds=6.5", None),
        ("train_loss", "last", 0.3),
        ("train_loss", "2", 0.7),
        ("loss", "best", 0.5),
        ("test_accuracy", "last", 0.78),
        ("seconds", "last3", 9.0),
        ("epoch_seconds", "last", 1.0),
        ("val_f1", "last", None),
        ("val_f1", "2", None),
    ],
)
def test_a_value_is_that_of_its_moment(record, metric, at, expected):
    assert value(record, metric, parse_at(at)) == pytest.approx(expected)


@pytest.mark.parametrize("status", ["diverged", "failed", "pruned", "interrupted", "running"])
def test_a_run_that_came_to_no_end_has_no_value(record, status):
    record["status"] = status
    assert [value(record, "val_accuracy", parse_at(at)) for at in ("last", "2", "seconds=4")] == [None] * 3


def test_last_and_best_need_no_file(record):
    del record["path"]
    assert value(record, "val_accuracy", parse_at("last")) == 0.81
    assert value(record, "val_accuracy", parse_at("last3")) is None


def test_a_target_counts_when_the_next_epoch_confirms_it(record):
    assert reached(record, "val_accuracy", 0.7, "max") == (2, 3.0)
    assert reached(record, "val_accuracy", 0.8, "max") == (None, None)
    assert reached(record, "val_accuracy", 0.75, "max") == (3, 4.0)
    assert reached(record, "train_loss", 0.5, "min") == (3, 4.0)
    assert reached(record, "train_loss", 0.3, "min") == (None, None)


@pytest.fixture
def watched(record):
    """A run that was evaluated every half epoch."""
    Path(record["path"], "progress.csv").write_text(
        "step,epoch,val_accuracy,train_loss\n5,0.5,0.4,0.9\n10,1.0,0.6,0.8\n15,1.5,0.7,0.5\n20,2.0,0.7,0.4\n"
    )
    record["experiment"]["validate_every"] = 0.5
    return record


def test_a_target_within_an_epoch_counts_with_the_time_until_then(watched):
    assert reached(watched, "val_accuracy", 0.6, "max") == (1.0, 2.0)
    assert reached(watched, "val_accuracy", 0.7, "max") == (1.5, 2.5)
    assert reached(watched, "train_loss", 0.5, "min") == (1.5, 2.5)
    assert reached(watched, "train_loss", 0.4, "min") == (None, None), "nothing confirms the last"


def test_what_was_evaluated_within_epochs_comes_again_out_of_a_table(watched, tmp_path):
    run_tables.write(tmp_path / "study", [watched], curves, progress)
    [again] = run_tables.read(tmp_path / "study")
    assert progress(again) == progress(watched)
    assert reached(again, "val_accuracy", 0.7, "max") == (1.5, 2.5)
    del watched["experiment"]["validate_every"]
    run_tables.write(tmp_path / "study", [watched], curves, progress)
    assert not (tmp_path / "study/progress.csv.gz").exists()


def test_epochs_of_a_table_are_those_of_the_folder(record, tmp_path):
    run_tables.write(tmp_path / "study", [record], curves)
    [again] = run_tables.read(tmp_path / "study")
    assert curves(again) == curves(record)
    assert value(again, "val_accuracy", parse_at("seconds=4.5")) == 0.80


def test_without_times_epochs_are_still_there(record, tmp_path):
    (tmp_path / "timing.csv").unlink()
    assert reached(record, "val_accuracy", 0.7, "max") == (2, None)
    assert value(record, "val_accuracy", parse_at("seconds=3")) is None


def test_a_table_of_epochs_that_is_one_commit_behind_ends_where_both_end(record, tmp_path):
    (tmp_path / "timing.csv").write_text("epoch,seconds\n1,2.0\n2,1.0\n")
    assert {len(column) for column in curves(record).values()} == {2}


@pytest.mark.parametrize(("content", "message"), [("epoch,loss\n1,0.5\n2,x\n", "row 2"), ("epoch,loss\n1\n", "row 1")])
def test_a_damaged_file_is_named_with_the_row(record, tmp_path, content, message):
    (tmp_path / "metrics.csv").write_text(content)
    with pytest.raises(InputError, match=f"metrics.csv: {message} is torn"):
        value(record, "loss", parse_at("1"))
    (tmp_path / "metrics.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read"):
        curves(record)


def test_a_run_without_an_epoch_has_no_curves(record, tmp_path):
    (tmp_path / "metrics.csv").write_text("")
    assert curves(record) == {}
