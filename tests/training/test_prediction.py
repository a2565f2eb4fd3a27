"""Predictions are those of best.keras, row by row, whatever the input is read from and however it is cut."""

import csv
import io
import json
import os

import numpy as np
import pytest
import tensorflow as tf
from small_tables import table_rows, write_table
from typer.testing import CliRunner

import kerasrun
from kerasrun import atomic
from kerasrun.cli.app import app
from kerasrun.errors import InputError
from kerasrun.tables import dialect


def invoke(results, *words):
    return CliRunner().invoke(app, ["predict", "--results", str(results), *map(str, words)])


def read(path):
    return [*csv.DictReader(io.StringIO(path.read_text()))]


def saved_models_answers(run, rows):
    """Return what best.keras, loaded by itself, says of raw cells: float32 (n, 1)."""
    number, text = (lambda cell: float(cell) if cell != "" else np.nan), str
    kinds = {"size": (1, number), "color": (2, text), "weight": (3, number), "grade": (4, text)}
    model = run.model()
    names = [name for name in kinds if name in model.input]
    cells = {name: [[kinds[name][1](row[kinds[name][0]])] for row in rows] for name in names}
    return model({name: tf.constant(values) for name, values in cells.items()}).numpy()


def test_a_table_is_predicted_as_the_saved_model_predicts_its_cells(trained_runs, tmp_path, monkeypatch):
    monkeypatch.setattr(dialect, "BLOCK", 700)  # many chunks, of different sizes
    out = tmp_path / "out.csv"
    said = invoke(trained_runs, "table", trained_runs / "grades.csv", "-o", out)
    assert (said.stdout, said.stderr.splitlines()[0]) == ("", f"wrote {out}: 150 rows")
    rows = read(out)
    names = ["row", "id", "predicted", "probability", "probability of =high", "probability of low"]
    assert [*rows[0]] == names
    assert [row["row"] for row in rows] == [row["id"] for row in rows] == [str(i + 1) for i in range(150)]
    expected = saved_models_answers(kerasrun.load_run("table", results=trained_runs), table_rows())
    np.testing.assert_allclose([float(row["probability of low"]) for row in rows], expected[:, 0], atol=1e-6)
    low = expected[:, 0] > 0.5
    assert [row["predicted"] for row in rows] == ["low" if one else "'=high" for one in low]
    assert set(low) == {True, False}


def test_a_value_is_predicted_in_the_targets_own_units(trained_runs, tmp_path):
    invoke(trained_runs, "prices", trained_runs / "grades.csv", "-o", tmp_path / "out.csv", "--keep", "size,color")
    rows = read(tmp_path / "out.csv")
    assert [*rows[0]] == ["row", "id", "size", "color", "predicted"]
    expected = saved_models_answers(kerasrun.load_run("prices", results=trained_runs), table_rows())
    np.testing.assert_allclose([float(row["predicted"]) for row in rows], expected[:, 0], rtol=1e-5)


def test_a_column_of_numbers_that_the_model_takes_can_be_kept(trained_runs, tmp_path):
    new = write_table(tmp_path / "new.csv", [(7, "1.10", "red", "3.0", ""), (8, "20000000.5", "red", "", "")])
    invoke(trained_runs, "table", new, "-o", tmp_path / "out.csv", "--keep", "size,weight")
    kept = [(row["id"], row["size"], row["weight"]) for row in read(tmp_path / "out.csv")]
    assert kept == [("7", "1.1", "3"), ("8", "20000000.5", "")]


def test_arrays_and_a_dataset_are_predicted_alike(trained_runs, tmp_path):
    from sklearn.datasets import load_digits

    images = load_digits().images
    np.savez(tmp_path / "new.npz", x=images)
    invoke(trained_runs, "images", tmp_path / "new.npz", "-o", tmp_path / "a.csv")
    invoke(trained_runs, "images", "digits", "-o", tmp_path / "b.csv")
    one, other = read(tmp_path / "a.csv"), read(tmp_path / "b.csv")
    assert [row.pop("part") for row in other] == ["train"] * 1797
    assert one == other
    expected = kerasrun.load_run("images", results=trained_runs).model().predict(images.astype("float32"), verbose=0)
    found = [[float(row[f"probability of {i}"]) for i in range(10)] for row in one]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert [int(row["predicted"]) for row in one] == expected.argmax(axis=1).tolist()


def test_a_few_rows_go_to_the_screen(trained_runs, tmp_path):
    new = write_table(tmp_path / "new.csv", table_rows(3))
    said = invoke(trained_runs, "table", new)
    assert said.stdout.splitlines()[0].split()[:3] == ["row", "id", "predicted"]
    assert len(said.stdout.splitlines()) == 4
    rows = json.loads(invoke(trained_runs, "table", new, "--format", "json").stdout)
    assert [row["row"] for row in rows] == [1, 2, 3]
    assert rows[0]["probability of =high"] + rows[0]["probability of low"] == pytest.approx(1)
    assert "'=high" in invoke(trained_runs, "table", new, "--format", "csv").stdout


def test_too_many_rows_for_the_screen_are_refused_and_none_is_too_few(trained_runs, tmp_path):
    for given, run, message in (
        ("digits", "images", "more than 1,000 rows, too many for the screen\nwrite a file: -o out.csv"),
        (write_table(tmp_path / "none.csv", []), "table", "no row"),
    ):
        with pytest.raises(InputError, match=message):
            raise invoke(trained_runs, run, given).exception


def test_rows_for_the_screen_are_counted_over_all_chunks(trained_runs, tmp_path, monkeypatch):
    monkeypatch.setattr(dialect, "BLOCK", 700)
    monkeypatch.setattr("kerasrun.cli.predict._MOST", 100)
    said = invoke(trained_runs, "table", write_table(tmp_path / "new.csv", table_rows(100)))
    assert len(said.stdout.splitlines()) == 101
    said = invoke(trained_runs, "table", write_table(tmp_path / "new.csv", table_rows(101)))
    assert "more than 100 rows, too many for the screen" in str(said.exception)
    assert said.stdout == ""


def test_an_unknown_category_is_noted_and_a_wrong_cell_refused(trained_runs, tmp_path):
    rows = table_rows(20)
    rows[4] = (*rows[4][:2], "pink", *rows[4][3:])
    said = invoke(trained_runs, "table", write_table(tmp_path / "new.csv", rows))
    assert "column 'color': a cell of a category that training did not have (first: row 5 holds 'pink')" in said.stderr
    rows[7] = (8, "huge", *rows[7][2:])
    error = invoke(trained_runs, "table", write_table(tmp_path / "new.csv", rows)).exception
    assert "row 8 of column 'size' holds 'huge', the others numbers" in str(error)


def test_a_file_that_breaks_off_in_the_middle_leaves_the_old_predictions(trained_runs, tmp_path, monkeypatch):
    monkeypatch.setattr(dialect, "BLOCK", 700)
    rows = table_rows()
    rows[140] = (141, "huge", *rows[140][2:])
    out = tmp_path / "out.csv"
    out.write_text("old")
    error = invoke(trained_runs, "table", write_table(tmp_path / "new.csv", rows), "-o", out).exception
    assert "row 141" in str(error)
    assert out.read_text() == "old"
    assert not [name for name in os.listdir(tmp_path) if name.startswith(atomic.TEMPORARY)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["table", "x.csv", "-o", "out.txt"], "unknown kind of file 'txt'.*\nknown: csv"),
        (["table", "x.csv"], "x.csv: no such file or directory"),
        (["images", "x.csv"], "was trained on other data; it takes arrays"),
        (["nothing", "x.csv"], "no run 'nothing'"),
    ],
)
def test_wrong_words_to_predict_are_answered(trained_runs, words, message):
    with pytest.raises(InputError, match=message):
        raise invoke(trained_runs, *words).exception
