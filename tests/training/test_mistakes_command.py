"""The worst mistakes are those of best.keras, by the rows of the data, with what the rows hold."""

import csv
import io
import json
import shutil

import numpy as np
import pytest
from small_tables import table_rows
from typer.testing import CliRunner

import kerasrun
from kerasrun import datasets, runs
from kerasrun.cli.app import app
from kerasrun.errors import InputError


def invoke(results, *words):
    return CliRunner().invoke(app, ["mistakes", "--results", str(results), *map(str, words)])


def test_images_are_drawn_with_what_they_are_and_what_they_were_taken_for(trained_runs):
    run = kerasrun.load_run("images", results=trained_runs)
    part = datasets.load(run.experiment).test
    probability = run.model().predict(part.x, verbose=0)
    wrong = np.flatnonzero(probability.argmax(axis=1) != part.y)
    worst = wrong[np.argmax(probability[wrong].max(axis=1))]
    said = invoke(trained_runs, "images", "-n", 1).stdout
    head, *lines = said.splitlines()
    assert head.endswith(f"test part · 1 of {len(wrong)} errors in {len(part)} examples, the surest first")
    assert " ".join(" ".join(lines).split()).endswith(
        f"row {part.rows[worst]}: {part.y[worst]} taken for {probability[worst].argmax()} "
        f"({probability[worst].max():.0%})"
    )
    assert any("█" in line for line in lines)
    assert len(invoke(trained_runs, "images").stdout.split("taken")) == 1 + min(20, len(wrong))


def test_rows_of_a_table_are_shown_as_they_are_in_the_file(trained_runs, tmp_path):
    out = tmp_path / "out.csv"
    said = invoke(trained_runs, "table", "--part", "validation", "-n", 1000, "-o", out)
    assert said.stderr == f"wrote {out}\n"
    found = [*csv.DictReader(io.StringIO(out.read_text()))]
    run = kerasrun.load_run("table", results=trained_runs)
    kept = np.load(run.folder / runs.PREDICTIONS)
    wrong = kept["validation_rows"][kept["validation_best"] != kept["validation_labels"]]
    assert {int(row["row"]) for row in found} == set(wrong.tolist())
    assert len(found) > 1
    confidence = [float(row["confidence"]) for row in found]
    assert confidence == sorted(confidence, reverse=True)
    assert min(confidence) >= 0.5
    for row in found:
        _, size, color, weight, grade = table_rows()[int(row["row"]) - 1]
        assert (row["color"], row["true"].lstrip("'")) == (color, grade)
        assert row["weight"] == ("" if weight == "" else str(float(weight)))
        assert float(row["size"]) == float(size)


def test_of_a_regression_the_largest_residuals_are_shown_without_a_model(trained_runs, tmp_path, monkeypatch):
    monkeypatch.setattr("kerasrun.runs.Run.model", None)
    rows = json.loads(invoke(trained_runs, "numbers", "-n", 5, "--format", "json").stdout)
    kept = np.load(kerasrun.load_run("numbers", results=trained_runs).folder / runs.PREDICTIONS)
    largest = np.sort(np.abs(kept["test_best"] - kept["test_labels"])[:, 0])[::-1][:5]
    np.testing.assert_allclose([abs(row["residual"]) for row in rows], largest, rtol=1e-5)
    assert rows[0]["input"].endswith(" …")


def test_without_the_data_the_errors_are_listed_all_the_same(trained_runs, tmp_path):
    run = kerasrun.load_run("table", results=trained_runs)
    shutil.copytree(run.folder, tmp_path / run.folder.name)
    copy = kerasrun.load_run("table", results=tmp_path)
    copy.update(experiment={**copy.record["experiment"], "dataset": str(tmp_path / "gone.csv")})
    said = invoke(tmp_path, "table", "--format", "csv")
    assert said.stdout.splitlines()[0] == "row,true,predicted"
    assert len(said.stdout.splitlines()) > 1
    assert "gone.csv: no such file or directory: examples are not shown" in said.stderr


def test_a_picture_of_images_is_written_and_of_other_examples_refused(trained_runs, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'kerasrun[plot]'")
    invoke(trained_runs, "images", "-n", 3, "-o", tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="the examples are no images; choose csv, json or md"):
        raise invoke(trained_runs, "table", "-o", tmp_path / "out.svg").exception


def test_a_run_without_predictions_is_refused(trained_runs, tmp_path):
    run = kerasrun.load_run("table", results=trained_runs)
    shutil.copytree(run.folder, tmp_path / run.folder.name)
    (tmp_path / run.folder.name / runs.PREDICTIONS).unlink()
    with pytest.raises(InputError, match="predictions.npz: no such file"):
        raise invoke(tmp_path, "table").exception
