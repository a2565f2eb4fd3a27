"""Texts are trained on as numbers, and the saved model takes them as they are written."""

import csv
import io
import json
import os

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import kerasrun
from kerasrun import datasets
from kerasrun.cli.app import app
from kerasrun.datasets.texts import numbered
from kerasrun.errors import InputError, RunFailed
from kerasrun.inputs import TextInputs
from kerasrun.texts import tokens
from kerasrun.trained import trained
from kerasrun.training import inputs as layers

WORDS = [["훌륭한", "great", "clever"], ["지루한", "dull", "empty"]]
SMALL = {"epochs": 6, "patience": None, "learning_rate": 0.05, "size": 4}


def rows():
    return [(i, f"{WORDS[i % 2][i // 2 % 3]} film, the {i}th!", ["good", "bad"][i % 2]) for i in range(120)]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A results folder with the runs table, letters, order (an LSTM) and folder, and the data that they are from."""
    home = tmp_path_factory.mktemp("texts")
    with open(home / "reviews.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "text", "label"), *rows()])
    for number, text, label in rows():
        (home / "reviews" / label).mkdir(parents=True, exist_ok=True)
        (home / "reviews" / label / f"{number:03}.txt").write_text(text, encoding="utf-8")
    given = {"results": home, "text": "text", "target": "label", **SMALL}
    path = str(home / "reviews.csv")
    kerasrun.train(path, name="table", metrics="f1_score", **given)
    kerasrun.train(path, name="letters", tokens="characters", ngrams=3, **given)
    kerasrun.train(path, name="order", recipe="recurrent", units=4, **given)
    kerasrun.train(str(home / "reviews"), name="folder", results=home, **SMALL)
    return home


def invoke(home, *words):
    return CliRunner().invoke(app, [words[0], "--results", str(home), *map(str, words[1:])])


@settings(max_examples=25)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=6), st.sampled_from(["words", "characters"]),
       st.integers(1, 3), st.integers(1, 12))  # fmt: skip
def test_numbers_are_those_of_keras_own_layer(found, kind, ngrams, length):
    known = dict.fromkeys(token for text in found for token in tokens(text, kind, ngrams) if "\0" not in token)
    inputs = TextInputs(kind, ngrams, length, tuple([*known][:9]) or ("a",), tuple(found))
    texts, numbers = layers.lookups(inputs)
    made = keras.Model(texts, numbers)(tf.constant([[text] for text in found]))
    np.testing.assert_array_equal(made, numbered(inputs, found))


@pytest.mark.parametrize("name", ["table", "letters", "order", "folder"])
def test_the_saved_model_takes_texts_and_says_what_was_predicted(home, name):
    run = kerasrun.load_run(name, results=home)
    model = keras.models.load_model(run.folder / "best.keras", safe_mode=True)
    kept = np.load(run.folder / "predictions.npz")
    data = datasets.load(run.experiment)
    written = [rows()[row - 1][1] for row in data.test.rows]
    if name == "folder":
        written = [(home / "reviews" / data.files[row]).read_text() for row in data.test.rows]
    said = model(tf.constant([[text] for text in written])).numpy()[:, 0]
    assert ((said > 0.5) == kept["test_best"]).all()
    assert np.mean(kept["test_best"] == kept["test_labels"]) > 0.9
    assert np.isfinite(model(tf.constant([[""], ["nothing known"], ["!"]])).numpy()).all()


def test_the_record_names_task_and_inputs_and_the_vocabulary_is_in_the_model(home):
    run = kerasrun.load_run("table", results=home)
    known = trained(run)
    data = datasets.load(run.experiment)
    assert (known.source, known.inputs, known.shape) == ("texts", data.inputs, data.inputs.shape)
    assert "vocabulary" not in run.record["inputs"]
    assert 0 < run.record["test"]["f1_score"] <= 1


def test_a_model_without_its_vocabulary_is_said_to_be_damaged(home, tmp_path):
    import shutil

    run = kerasrun.load_run("table", results=home)
    copy = shutil.copytree(run.folder, tmp_path / run.folder.name)
    for content in (b"no zip", (kerasrun.load_run("folder", results=home).folder / "run.json").read_bytes()):
        (copy / "best.keras").write_bytes(content)
        with pytest.raises(InputError, match="damaged, or no model of texts"):
            trained(kerasrun.load_run(copy.name, results=tmp_path))


def test_layers_that_differ_fail_the_run(home):
    data = datasets.load(kerasrun.load_run("table", results=home).experiment)
    layers.check(data.inputs, data.train.x)
    spoilt = data.train.x.copy()
    spoilt[2, 1] += 1
    with pytest.raises(RunFailed, match="the layers of token 1 of the texts do not give what training row 2"):
        layers.check(data.inputs, spoilt)


@pytest.mark.parametrize("name", ["table", "order"])
def test_a_table_is_predicted_as_the_saved_model_says(home, tmp_path, name):
    new = tmp_path / "new.csv"
    new.write_text('id,text\n7,"a GREAT, great film"\n8,\n9,"dull\nand empty"\n10,unheard of\n', encoding="utf-8")
    said = invoke(home, "predict", name, new, "-o", tmp_path / "out.csv", "--keep", "text")
    found = [*csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text()))]
    assert [*found[0]] == ["row", "id", "text", "predicted", "probability", "probability of bad", "probability of good"]
    texts = ["a GREAT, great film", "", "dull\nand empty", "unheard of"]
    assert [row["text"] for row in found] == texts
    expected = kerasrun.load_run(name, results=home).model()(tf.constant([[text] for text in texts]))
    np.testing.assert_allclose([float(row["probability of good"]) for row in found], expected[:, 0], atol=1e-6)
    assert "44.4% of the words are unknown to the model" in said.stderr
    assert "2 texts hold no words that it knows (first: row 2)" in said.stderr


def test_a_folder_is_predicted_by_file_and_a_table_by_a_model_of_a_folder(home, tmp_path):
    invoke(home, "predict", "folder", home / "reviews" / "good", "-o", tmp_path / "a.csv")
    invoke(home, "predict", "folder", home / "reviews.csv", "-o", tmp_path / "b.csv")
    files, table = ([*csv.DictReader((tmp_path / name).open())] for name in ("a.csv", "b.csv"))
    assert [row["file"] for row in files][:2] == ["000.txt", "002.txt"]
    by_row = {int(row["row"]) - 1: row["predicted"] for row in table}
    assert [by_row[int(row["file"][:3])] for row in files] == [row["predicted"] for row in files]


def test_many_texts_are_read_block_by_block(home, tmp_path, monkeypatch):
    from kerasrun.tables import dialect

    invoke(home, "predict", "table", home / "reviews.csv", "-o", tmp_path / "a.csv")
    monkeypatch.setattr(dialect, "BLOCK", 500)
    invoke(home, "predict", "table", home / "reviews.csv", "-o", tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()


@pytest.mark.parametrize(("name", "data"), [("table", "reviews.csv"), ("folder", "reviews"), ("folder", "reviews.csv")])
def test_evaluations_of_a_file_and_of_the_runs_own_part(home, name, data):
    own = invoke(home, "evaluate", name)
    assert own.stderr.splitlines()[-1] == "equal to the run's record"
    assert "(macro mean)" in own.stdout
    whole = json.loads(invoke(home, "evaluate", name, "--data", home / data, "--format", "json").stdout)
    assert sum(cell["value"] for cell in whole if cell["section"] == "confusion") == 120


@pytest.mark.parametrize("data", ["reviews", "reviews.csv"])
def test_a_model_of_a_folder_is_compared_on_texts_of_either_form_before_it_is_exported(home, tmp_path, data):
    said = invoke(home, "export", "folder", "--to", "savedmodel", "-o", tmp_path / "model", "--data", home / data)
    assert said.exception is None, said.exception
    assert "answers 100 examples as best.keras does" in said.stdout


def test_mistakes_show_the_text_and_the_file(home, tmp_path):
    with open(tmp_path / "odd.csv", "w", newline="") as file:
        odd = [(i, text, label if i % 5 else "bad") for i, text, label in rows()]
        csv.writer(file).writerows([("id", "text", "label"), *odd])
    run = kerasrun.train(str(tmp_path / "odd.csv"), results=tmp_path, text="text", target="label", **SMALL)
    worst = json.loads(invoke(tmp_path, "mistakes", run.id, "--format", "json").stdout)
    assert worst
    assert all(row["text"] == odd[int(row["row"]) - 1][1] for row in worst)
    shown = invoke(home, "mistakes", "folder", "--format", "json")
    assert shown.exception is None
    assert all((home / "reviews" / row["file"]).read_text() == row["text"] for row in json.loads(shown.stdout))


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("table", "digits", r"it takes a table with a column of texts .*, or a folder of .txt files"),
        ("table", "{}/other.csv", "lacks the column text, which run"),
        ("folder", "{}/empty", r"holds no text \(.txt\)"),
    ],
)
def test_inputs_without_texts_are_refused(home, tmp_path, name, given, message):
    (tmp_path / "other.csv").write_text("id,body\n1,words\n")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=message):
        raise invoke(home, "predict", name, given.format(tmp_path)).exception


def test_a_resumed_run_of_texts_is_the_run_that_was_not_interrupted(home, tmp_path):
    given = {"results": tmp_path, "text": "text", "target": "label", **SMALL}
    whole = kerasrun.train(str(home / "reviews.csv"), **{**given, "epochs": 4})
    part = kerasrun.train(str(home / "reviews.csv"), **{**given, "epochs": 2})
    resumed = kerasrun.resume(part.id, results=tmp_path, epochs=4)
    assert (resumed.folder / "metrics.csv").read_bytes() == (whole.folder / "metrics.csv").read_bytes()
    assert kerasrun.verify(part.id, results=tmp_path).equal


def test_a_changed_text_is_noticed_by_resume(home, tmp_path):
    path = tmp_path / "changed.csv"
    path.write_bytes((home / "reviews.csv").read_bytes())
    run = kerasrun.train(str(path), results=tmp_path, text="text", target="label", **{**SMALL, "epochs": 1})
    path.write_text(path.read_text(encoding="utf-8").replace("great film", "Great film", 1), encoding="utf-8")
    os.utime(path, ns=(1, 1))
    with pytest.raises(InputError, match="changed"):
        kerasrun.resume(run.id, results=tmp_path, epochs=2)


def test_f1_is_one_number_and_cuts_at_one_half(home):
    run = kerasrun.load_run("table", results=home)
    kept = np.load(run.folder / "predictions.npz")
    true, said = kept["test_labels"] == 1, kept["test_best"] == 1
    precision, recall = (true & said).sum() / max(1, said.sum()), (true & said).sum() / true.sum()
    assert run.record["test"]["f1_score"] == pytest.approx(2 * precision * recall / (precision + recall), rel=1e-6)
