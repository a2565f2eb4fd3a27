import csv
import io
import json
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from kerasrun import catalog
from kerasrun.cli.app import app
from kerasrun.errors import InputError


@pytest.fixture(autouse=True)
def homes(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("KERASRUN_HOME", str(tmp_path / "own"))
    return tmp_path


def said(*words):
    done = CliRunner().invoke(app, ["datasets", *map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def statuses():
    return {row["dataset"]: row["status"] for row in json.loads(said("--format", "json"))}


def test_every_dataset_is_listed_with_shape_counts_size_and_status():
    lines = said().splitlines()
    assert [line.split()[0] for line in lines[1:]] == [*catalog.datasets()]
    cifar = next(line for line in lines if line.startswith(" cifar100"))
    assert cifar.split()[:9] == ["cifar100", "multiclass", "32×32×3", "100", "50,000", "10,000", "169", "MB", "not"]


def test_a_dataset_without_a_test_part_shows_none_and_a_bundled_one_no_size():
    digits = next(line for line in said().splitlines() if line.startswith(" digits"))
    assert digits.split()[:6] == ["digits", "multiclass", "8×8", "10", "1,797", "bundled"]


def test_a_cached_dataset_is_recognised_by_its_file(homes):
    assert statuses()["mnist"] == "not cached"
    (homes / "keras" / "datasets").mkdir(parents=True)
    (homes / "keras" / "datasets" / "mnist.npz").touch()
    assert statuses()["mnist"] == "cached"


def test_csv_holds_plain_numbers():
    (iris,) = (row for row in csv.DictReader(io.StringIO(said("--format", "csv"))) if row["dataset"] == "iris")
    assert (iris["train"], iris["bytes"], iris["classes"]) == ("150", "0", "3")


def test_a_registered_copy_is_said_to_be_registered(homes):
    housing = {
        "x_train": np.zeros((16512, 8), "float32"), "y_train": np.zeros(16512, "float32"),
        "x_test": np.zeros((4128, 8), "float32"), "y_test": np.zeros(4128, "float32"),
    }  # fmt: skip
    np.savez(homes / "mine.npz", **housing)
    text = said("add", "california_housing", homes / "mine.npz")
    assert str(homes / "own" / "datasets" / "california-housing.npz") in text
    assert "kerasrun train california-housing" in text
    assert statuses()["california-housing"] == "registered"


def test_a_copy_that_is_another_dataset_is_refused(homes):
    np.savez(homes / "mine.npz", x_train=np.zeros((4, 8)), y_train=np.zeros(4))
    with pytest.raises(InputError, match=r"mine\.npz"):
        said("add", "california-housing", homes / "mine.npz")
    assert statuses()["california-housing"] == "not cached"


def test_an_unknown_dataset_names_the_closest_one(homes):
    with pytest.raises(InputError, match="did you mean 'cifar100'"):
        said("add", "cifar1000", homes / "mine.npz")


def test_a_missing_file_and_an_unknown_word_are_exit_code_2(homes):
    for words, text in ((["add", "mnist", "no.npz"], "no.npz"), (["ad"], "unknown command 'ad'; did you mean 'add'?")):
        command = [sys.executable, "-m", "kerasrun", "datasets", *words]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (2, "")
        assert text in done.stderr
        assert done.stderr.count("\n") <= 3


def test_a_table_is_looked_at_before_training(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,color,y\n" + "".join(f"{i / 7:.2f},{'xyz'[i % 3]},{i % 2}\n" for i in range(60)))
    done = CliRunner().invoke(app, ["datasets", "profile", str(path), "--target", "y", "--kinds", "a=category"])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["column", "kind", "empty", "different", "values"]
    assert [line.split()[:2] for line in lines[1:]] == [["a", "category"], ["color", "category"], ["y", "number"]]
    assert "t.csv: 60 rows × 3 columns" in done.stderr
    assert "target y: binary" in done.stderr
    found = CliRunner().invoke(app, ["datasets", "profile", str(path), "--no-header", "--format", "json"])
    assert [row["column"] for row in json.loads(found.stdout)] == ["1", "2", "3"]
