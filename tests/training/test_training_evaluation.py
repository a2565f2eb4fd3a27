"""An evaluation gives the numbers that the training wrote down, and says so."""

import csv
import io

import numpy as np
import pytest
from typer.testing import CliRunner

import kerasrun
from kerasrun import runs
from kerasrun.cli.app import app
from kerasrun.datasets import labelled
from kerasrun.errors import InputError
from kerasrun.trained import trained
from kerasrun.training.evaluation import evaluate


def invoke(results, *words):
    return CliRunner().invoke(app, ["evaluate", "--results", str(results), *words])


@pytest.mark.parametrize("name", ["images", "numbers", "table", "prices"])
def test_loss_and_metrics_are_those_of_the_record_to_the_last_digit(trained_runs, name):
    run = kerasrun.load_run(name, results=trained_runs)
    known = trained(run)
    for part, recorded in (("test", run.record["test"]), ("validation", run.record["best"])):
        examples = labelled.own_part(run, known, part)
        found = evaluate(run, known, examples.x, examples.y)
        prefix = "val_" if part == "validation" else ""
        for metric, value in found.measured.items():
            assert np.float32(value) == np.float32(recorded[prefix + metric]), (part, metric)
    kept = np.load(run.folder / runs.PREDICTIONS)["validation_best"]
    said = found.outputs if known.kind == "regression" else found.outputs.argmax(axis=1)
    if known.kind == "binary":
        said = found.outputs[:, 0] > 0.5
    np.testing.assert_array_equal(kept, said)


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_it_is_so_with_one_hot_labels_regularizers_and_more_metrics(tmp_path, loss):
    run = kerasrun.train(
        "iris", results=tmp_path, loss=loss, epochs=2, hidden="4", l2=0.1, metrics="top_k_categorical_accuracy(k=2)"
    )
    known = trained(run)
    examples = labelled.own_part(run, known, "test")
    found = evaluate(run, known, examples.x, examples.y).measured
    assert {name: np.float32(value) for name, value in found.items()} == {
        name: np.float32(value) for name, value in run.record["test"].items()
    }


@pytest.mark.parametrize(("trained_on", "given"), [((20, 2), (20,)), ((20,), (20, 2))])
def test_another_number_of_values_to_predict_is_refused_not_spread(tmp_path, trained_on, given):
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    for name, shape in (("old", trained_on), ("new", given)):
        np.savez(tmp_path / f"{name}.npz", x=x, y=np.resize(x.ravel(), shape))
    run = kerasrun.train(str(tmp_path / "old.npz"), results=tmp_path, epochs=1, hidden="2")
    known = trained(run)
    examples = labelled.file(str(tmp_path / "new.npz"), known)
    with pytest.raises(InputError, match=f"run {run.id} predicts {len(trained_on)} for each example"):
        evaluate(run, known, examples.x, examples.y)


def test_the_command_shows_the_tables_and_compares_with_the_record(trained_runs):
    said = invoke(trained_runs, "images")
    assert said.stdout.startswith("digits · run ")
    for title in ("confusion matrix", "classes", "calibration: probability of the predicted class"):
        assert f"\n\n{title}" in said.stdout
    assert said.stderr.endswith("equal to the run's record\n")
    said = invoke(trained_runs, "prices", "--part", "validation")
    assert "validation part · " in said.stdout
    assert "\n\nresiduals: predicted - true\n" in said.stdout
    assert said.stderr.endswith("equal to the run's record\n")


def test_another_record_is_said_to_be_another(trained_runs, tmp_path):
    run = kerasrun.load_run("table", results=trained_runs)
    (tmp_path / run.folder.name).mkdir()
    for file in run.folder.iterdir():
        (tmp_path / run.folder.name / file.name).write_bytes(file.read_bytes())
    copy = kerasrun.load_run("table", results=tmp_path)
    copy.update(test={**copy.record["test"], "accuracy": 0.123}, versions={**copy.record["versions"], "numpy": "1.0"})
    said = invoke(tmp_path, "table").stderr
    assert "not equal to the run's record: accuracy" in said
    assert "numpy 1.0 → " in said


def test_a_file_is_evaluated_as_the_data_was_trained_on(trained_runs, tmp_path):
    out = tmp_path / "out.csv"
    said = invoke(trained_runs, "table", "--data", str(trained_runs / "grades.csv"), "-o", str(out))
    assert "record" not in said.stderr
    rows = [*csv.DictReader(io.StringIO(out.read_text()))]
    support = {row["row"]: row["value"] for row in rows if (row["section"], row["column"]) == ("classes", "support")}
    assert support["(macro mean)"] == "150"
    assert "'=high" in support


def test_a_picture_is_written(trained_runs, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'kerasrun[plot]'")
    for name, file in (("images", "a.png"), ("numbers", "b.svg")):
        said = invoke(trained_runs, name, "-o", str(tmp_path / file))
        assert (said.stdout, said.stderr) == ("", f"wrote {tmp_path / file}\n")
        assert (tmp_path / file).stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["table", "-o", "x.pdf"], "unknown kind of file 'pdf'.*\nknown: csv, json, md, png, svg"),
        (["table", "--data", "digits"], "it takes a table"),
        (["nothing"], "no run 'nothing'"),
    ],
)
def test_wrong_words_to_evaluate_are_answered(trained_runs, words, message):
    error = invoke(trained_runs, *words).exception
    assert isinstance(error, InputError)
    with pytest.raises(InputError, match=message):
        raise error
