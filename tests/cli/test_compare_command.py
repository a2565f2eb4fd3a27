"""`kerasrun compare` on made-up records: the table, its forms, and what is refused."""

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from kerasrun.cli.app import app
from kerasrun.errors import InputError


@pytest.fixture
def results(tmp_path):
    for number, (optimizer, accuracy) in enumerate([("adam", 0.91), ("rmsprop", 0.89)]):
        folder = tmp_path / f"digits-dense-20261121-10150{number}-abcd{'xy'[number]}"
        folder.mkdir()
        record = {
            "format": 1, "id": folder.name[-5:], "folder": folder.name, "status": "finished",
            "created": f"2026-11-21T10:15:0{number}+00:00", "ended": f"2026-11-21T10:16:0{number}+00:00",
            "experiment": {"dataset": "digits", "recipe": "dense", "knobs": {"hidden": [8]}, "optimizer": optimizer,
                           "patience": 3},
            "data": {"hash": "h", "train": 10, "validation": 3, "test": 3, "synthetic": False}, "parameters": 610,
            "epochs_run": 3, "best_epoch": 2, "monitor": "val_loss", "direction": "min",
            "best": {"loss": 0.4, "accuracy": 0.95, "val_loss": 0.5, "val_accuracy": accuracy},
            "last": {"loss": 0.3, "accuracy": 0.96, "val_loss": 0.6, "val_accuracy": accuracy - 0.01},
            "test": {"loss": 0.55, "accuracy": 0.77}, "seconds": {"total": 2.0, "training": 1.0, "epoch": 0.3},
        }  # fmt: skip
        (folder / "run.json").write_text(json.dumps(record))
    return tmp_path


def invoke(results, *words):
    return CliRunner().invoke(app, ["compare", "--results", str(results), *words], catch_exceptions=True)


def test_the_best_run_comes_first_and_only_what_differs_is_shown(results):
    lines = invoke(results).stdout.splitlines()
    assert lines[0] == "val_accuracy at the best epoch (optimistic: the best of 3 epochs)"
    assert lines[2].split()[:2] == ["run", "optimizer"]
    assert [line.split()[1] for line in lines[3:5]] == ["adam", "rmsprop"]
    assert "hidden" not in lines[2]
    assert "test_accuracy" not in lines[2]


def test_test_metrics_are_shown_only_when_asked_for(results):
    assert "0.7700" in invoke(results, "--test").stdout
    assert "0.77" not in invoke(results).stdout


def test_csv_and_json_hold_the_same_rows_with_every_digit(results):
    rows = list(csv.DictReader(io.StringIO(invoke(results, "--format", "csv").stdout)))
    objects = json.loads(invoke(results, "--format", "json").stdout)
    assert [float(row["val_accuracy"]) for row in rows] == [0.91, 0.89]
    assert [row["val_accuracy"] for row in objects] == [0.91, 0.89]


def test_a_file_is_written_whole(results, tmp_path):
    target = tmp_path / "table.md"
    invoke(results, "--format", "md", "-o", str(target))
    assert target.read_text().startswith("| run | optimizer |")


def test_a_damaged_run_is_named_and_the_rest_is_shown(results):
    folder = results / "digits-dense-20261121-101509-abcdz"
    folder.mkdir()
    (folder / "run.json").write_bytes(b'{"format": 1, "id"')
    result = invoke(results)
    assert "skipped digits-dense-20261121-101509-abcdz: run.json is torn" in result.stderr
    assert "rmsprop" in result.stdout


@pytest.mark.parametrize("words", [["--where", "optimiser=adam"], ["--sort", "val_acuracy"], ["--by", "optimzer"]])
def test_a_misspelt_column_is_an_error_with_the_closest_one(results, words):
    error = invoke(results, *words).exception
    assert isinstance(error, InputError)
    assert "did you mean" in str(error)


def test_no_runs_at_all_is_said_in_a_line(tmp_path):
    with pytest.raises(InputError, match="holds no runs yet"):
        raise invoke(tmp_path).exception
