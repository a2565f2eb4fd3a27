"""An exported model answers in its own runtime as best.keras does, or it is not there."""

import json

import numpy as np
import pytest
from small_tables import table_rows, write_table
from typer.testing import CliRunner

import kerasrun
from kerasrun.cli import export as command
from kerasrun.cli.app import app
from kerasrun.errors import InputError, RunFailed
from kerasrun.runs import sha256
from kerasrun.training import export as exports

ENDINGS = {"keras": ".keras", "savedmodel": "", "onnx": ".onnx", "litert": ".tflite"}
CORES = [("images", "savedmodel"), ("images", "onnx"), ("images", "litert"), ("prices", "onnx")]


def invoke(results, *words):
    return CliRunner().invoke(app, ["export", "--results", str(results), *map(str, words)])


def exported(results, folder, run, form):
    """Export a run's model and return its path and its description."""
    for package in command._NEEDS.get(form, ()):
        pytest.importorskip(package)
    path = folder / f"model{ENDINGS[form]}"
    said = invoke(results, run, "--to", form, "-o", path)
    assert said.exception is None, said.exception
    assert f"wrote {path} and {path.name}.json" in said.stdout
    return path, json.loads(path.with_name(f"{path.name}.json").read_text())


@pytest.mark.parametrize(("run", "form"), [*(("table", form) for form in ENDINGS), *CORES])
def test_each_form_is_compared_in_its_runtime_before_it_is_written(trained_runs, tmp_path, run, form):
    path, about = exported(trained_runs, tmp_path, run, form)
    assert {p.name for p in tmp_path.iterdir()} == {path.name, f"{path.name}.json"}
    checked = about["checked"]
    assert checked["in"].rpartition(" ")[0] == exports.RUNTIMES[form]
    assert 0 < checked["examples"] <= 100
    assert checked["largest_difference"] <= 1e-4 * checked["largest_output"]
    if form == "keras":
        best = kerasrun.load_run(run, results=trained_runs).folder / "best.keras"
        assert about["files"] == {"model.keras": sha256(best)}


def test_an_onnx_file_takes_the_array_that_its_description_explains(trained_runs, tmp_path):
    path, about = exported(trained_runs, tmp_path, "table", "onnx")
    import onnxruntime

    rows = []
    for row in table_rows(20):
        cells, numbers = dict(zip(["id", "size", "color", "weight", "grade"], row, strict=True)), []
        for place in about["array"]:
            cell = cells[place["column"]]
            if place["kind"] == "category":
                numbers.append(place["values"].get(cell, place["any_other"]))
            elif place["kind"] == "number":
                numbers.append(float(cell) if cell != "" else place["empty_becomes"])
            else:
                numbers.append(float(cell == ""))
        rows.append(numbers)
    (said,) = onnxruntime.InferenceSession(path).run(None, {"input": np.array(rows, np.float32)})
    new = write_table(tmp_path / "new.csv", table_rows(20))
    words = ["predict", "table", str(new), "--results", str(trained_runs), "--format", "json"]
    expected = json.loads(CliRunner().invoke(app, words).stdout)
    np.testing.assert_allclose(said[:, 0], [row["probability of low"] for row in expected], atol=1e-6)


def test_a_saved_models_signature_takes_columns_of_any_name(tmp_path):
    import tensorflow as tf

    path = write_table(tmp_path / "t.csv", table_rows(), head="id,size (cm),größe,größe?,grade")
    kerasrun.train(
        str(path), results=tmp_path, name="odd", target="grade", missing="median", epochs=1, hidden="4", patience=None
    )
    folder, about = exported(tmp_path, tmp_path, "odd", "savedmodel")
    assert {each["name"]: each["column"] for each in about["inputs"]} == {
        "size__cm_": "size (cm)", "gr__e": "größe", "gr__e_": "größe?",
    }  # fmt: skip
    cells = {"size__cm_": tf.constant([[3.0]]), "gr__e": tf.constant([["red"]]), "gr__e_": tf.constant([[np.nan]])}
    (said,) = tf.saved_model.load(str(folder)).signatures["serving_default"](**cells).values()
    assert 0 < said.numpy()[0, 0] < 1
    assert {*about["files"]} >= {"model/saved_model.pb", "model/variables/variables.index"}


def test_texts_go_into_a_saved_model_as_they_are_and_into_onnx_as_numbers(tmp_path):
    rows = [f'"{("good", "bad")[i % 2]}, {i} films!",{i % 2}' for i in range(120)]
    path = write_table(tmp_path / "reviews.csv", [[row] for row in rows], head="text,label")
    kerasrun.train(
        str(path), results=tmp_path, name="reviews", target="label", text="text", epochs=1, size=2, patience=None
    )
    _, about = exported(tmp_path, tmp_path, "reviews", "savedmodel")
    assert about["inputs"] == [{"name": "text", "dtype": "string", "shape": [None, 1]}]
    assert "array" not in about
    _, about = exported(tmp_path, tmp_path, "reviews", "onnx")
    assert {"good", "bad", "films"} <= {*about["array"]["numbers"]}
    assert about["checked"]["examples"] == 24


def test_litert_takes_one_text_at_a_time_from_a_recurrent_network(tmp_path):
    kerasrun.train(
        "synthetic:imdb(num_words=50, length=6)", results=tmp_path, name="words", recipe="recurrent", epochs=1,
        limit=120, units=3, size=2, patience=None,
    )  # fmt: skip
    _, about = exported(tmp_path, tmp_path, "words", "litert")
    assert about["inputs"] == [{"name": "input", "dtype": "int32", "shape": [1, 6]}]
    assert about["checked"]["examples"] > 1


def test_litert_computes_in_32_bits_what_was_trained_in_16(tmp_path):
    kerasrun.train(
        "digits", results=tmp_path, name="half", precision="mixed_float16", epochs=1, limit=100, patience=None
    )
    _, about = exported(tmp_path, tmp_path, "half", "litert")
    assert about["checked"]["largest_difference"] < 0.01


def test_a_model_that_answers_otherwise_leaves_what_was_there(trained_runs, tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "_answers", lambda *_: np.full((100, 10), 0.1))
    (tmp_path / "model.keras").write_text("old")
    for path, form in ((tmp_path / "model.keras", "keras"), (tmp_path / "model", "savedmodel")):
        error = invoke(trained_runs, "images", "--to", form, "-o", path).exception
        assert isinstance(error, RunFailed)
        assert "does not answer as best.keras: they differ by up to" in str(error)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("model.keras", "old")]


def test_a_model_that_cannot_be_converted_is_said_in_a_line(trained_runs, tmp_path, monkeypatch):
    def fail(*_):
        raise ValueError("no such operation\nand much more")

    monkeypatch.setattr(exports, "_write", fail)
    error = invoke(trained_runs, "images", "--to", "savedmodel", "-o", tmp_path / "model").exception
    assert isinstance(error, RunFailed)
    assert str(error).startswith("savedmodel: the model cannot be converted or run: no such operation\n")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "onnx", "-o", "model.tflite"], "unknown kind of file 'tflite'.*\nknown: onnx"),
        (["--to", "savedmodel", "-o", "{here}"], "is there already; a SavedModel is a new folder"),
        (["--to", "keras", "-o", "{here}/none/model.keras"], "none: there is no such folder"),
    ],
)
def test_wrong_words_to_export_are_answered(trained_runs, tmp_path, words, message):
    with pytest.raises(InputError, match=message):
        raise invoke(trained_runs, "table", *(word.format(here=tmp_path) for word in words)).exception


def test_a_missing_package_is_named_with_its_extra(trained_runs, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    error = invoke(trained_runs, "table", "--to", "onnx", "-o", tmp_path / "model.onnx").exception
    assert isinstance(error, InputError)
    assert str(error) == "--to onnx needs tf2onnx and onnxruntime\npip install 'kerasrun[export]'"
