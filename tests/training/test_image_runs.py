"""A folder of images, trained on, and what its model is for: evaluate, predict, mistakes, resume, verify."""

import csv
import shutil
import sys
from contextlib import suppress

import numpy as np
import pytest

import kerasrun
from kerasrun import runs
from kerasrun.cli import main
from kerasrun.datasets import images
from kerasrun.training import loop
from kerasrun.training.check_data import check_data

FILES = [f"{part}/{name}/{i:02}.png" for part in ("train", "test") for name in ("cat", "dog") for i in range(24)]
SMALL = {"filters": "4", "hidden": "8", "kernel_size": 2, "patience": None}


@pytest.fixture
def said(monkeypatch, capsys):
    """Return a function that runs a command and returns what it wrote."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["kerasrun", *map(str, words)])
        with suppress(SystemExit):
            main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return captured.out + captured.err

    return run


def train(folder, results, **given):
    return kerasrun.train(str(folder), results=results, **{**SMALL, "epochs": 4, "learning_rate": 0.02, **given})


def test_a_folder_is_trained_and_its_model_evaluated_asked_and_looked_at(image_folder, tmp_path, said):
    folder, results = image_folder(FILES), tmp_path / "results"
    run = kerasrun.train(str(folder), recipe="softmax", scale="standardize", epochs=10, results=results)
    assert run.record["task"] == {"kind": "binary", "classes": ["cat", "dog"], "shape": [8, 6, 3], "dtype": "uint8"}
    assert run.record["test"]["accuracy"] > 0.9  # dogs are brighter

    evaluated = said("evaluate", run.id, "--results", results)
    assert "equal to the run's record" in evaluated
    elsewhere = said("evaluate", run.id, "--results", results, "--data", folder / "test", "--format", "json")
    assert str(run.record["test"]["accuracy"])[:6] in elsewhere

    out = tmp_path / "out.csv"
    said("predict", run.id, folder / "test", "-o", out, "--results", results)
    with open(out, newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["file", "predicted", "probability", "probability of cat", "probability of dog"]
    assert {row["file"] for row in rows} == {name.removeprefix("test/") for name in FILES if name.startswith("test")}
    right = np.mean([row["file"].startswith(row["predicted"]) for row in rows])
    assert right == pytest.approx(run.record["test"]["accuracy"])
    one = said("predict", run.id, folder / "test/cat/03.png", folder / "test/dog/04.png", "--results", results)
    assert "03.png" in one
    assert "04.png" in one


def test_mistakes_are_named_by_their_files(image_folder, tmp_path, said):
    run = train(image_folder(FILES), tmp_path / "results", epochs=1, learning_rate=1e-9)
    wrong = said("mistakes", run.id, "--results", tmp_path / "results", "-n", "3", "--format", "csv").splitlines()
    assert wrong[0] == "row,true,predicted,confidence,of the true class,file"
    row, true, *_, name = wrong[1].split(",")
    assert name.startswith(f"test/{true}/")
    assert [name for name in FILES if name.startswith("test")][int(row) - 48] in [line.split(",")[-1] for line in wrong]


def test_a_run_on_a_folder_is_resumed_and_verified(image_folder, tmp_path, said):
    folder = image_folder(FILES)
    whole = train(folder, tmp_path / "whole", augment="flip,shift,mixup", epochs=5)
    part = train(folder, tmp_path / "part", augment="flip,shift,mixup", epochs=3)
    again = kerasrun.resume(part.id, results=tmp_path / "part", epochs=5)
    assert (again.folder / "metrics.csv").read_bytes() == (whole.folder / "metrics.csv").read_bytes()
    assert "equal byte for byte" in said("verify", whole.id, "--results", tmp_path / "whole")
    (folder / "train/cat/00.png").unlink()
    with pytest.raises(kerasrun.errors.InputError, match="has changed since the run began"):
        kerasrun.resume(part.id, results=tmp_path / "part", epochs=6)
    shutil.rmtree(folder)
    with pytest.raises(kerasrun.errors.InputError, match="no such folder"):
        kerasrun.resume(part.id, results=tmp_path / "part", epochs=6)


def test_images_on_the_disk_give_the_numbers_of_those_in_memory(image_folder, tmp_path, monkeypatch):
    folder = image_folder(FILES)
    monkeypatch.setattr(loop, "LARGEST_EVALUATION_BATCH", 8)
    monkeypatch.setattr(loop, "_PIECE", 2)
    given = {"augment": "flip", "evaluate_train": 10, "epochs": 2}
    tables = {(train(folder, tmp_path, **given).folder / "metrics.csv").read_bytes()}
    monkeypatch.setattr(images, "largest", lambda: 100)
    for way in ("auto", "stream", "plain"):
        run = train(folder, tmp_path, loop=way, **given)
        tables.add((run.folder / "metrics.csv").read_bytes())
        assert np.load(run.folder / "predictions.npz")["test_rows"].tolist() == [*range(48, 96)]
    assert len(tables) == 1
    looked_at = [*check_data(kerasrun.datasets.load(kerasrun.experiment.resolve(str(folder), {})))]
    assert any("evenly spread, are looked at" in finding.value for finding in looked_at)
    with pytest.raises(kerasrun.errors.InputError, match="do not fit in memory; use scale=unit"):
        train(folder, tmp_path, scale="standardize")


def test_a_folder_and_the_same_arrays_give_the_same_numbers(image_folder, tmp_path):
    folder = image_folder(FILES)
    data = kerasrun.datasets.load(kerasrun.experiment.resolve(str(folder), {}))
    whole = {"train": np.concatenate([data.train.x, data.validation.x]), "test": data.test.x}
    order = np.argsort(np.concatenate([data.train.rows, data.validation.rows]))
    labels = np.concatenate([data.train.y, data.validation.y])
    np.savez(
        tmp_path / "same.npz",
        x_train=whole["train"][order],
        y_train=labels[order],
        x_test=whole["test"],
        y_test=data.test.y,
    )
    made = [train(each, tmp_path / "results", recipe="cnn", epochs=2) for each in (folder, tmp_path / "same.npz")]
    assert len({(run.folder / "metrics.csv").read_bytes() for run in made}) == 1


def test_skipped_files_are_in_the_record(image_folder, tmp_path):
    run = train(
        image_folder({**dict.fromkeys(FILES), "train/cat/x.png": b""}), tmp_path / "r", epochs=1, skip_broken=True
    )
    assert runs.load(run.folder).record["data"]["skipped"] == [["train/cat/x.png", "empty"]]
    assert "left out, no image can be read: train/cat/x.png (empty)" in run.record["notes"]


def test_a_sweep_reads_a_folder(image_folder, tmp_path):
    made = kerasrun.sweep(
        str(image_folder(FILES)),
        seeds=2,
        augment=[[], ["flip"]],
        results=tmp_path / "r",
        workers=1,
        epochs=1,
        **SMALL,
    )
    assert not made.failed
    assert len(made.runs) == 4
