import json
import zipfile
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasrun
from kerasrun import datasets
from kerasrun.errors import RunFailed
from kerasrun.experiment import resolve
from kerasrun.inputs import recorded
from kerasrun.training import inputs as layers
from kerasrun.training import model as models

SMALL = {"hidden": "8", "epochs": 3, "patience": None, "learning_rate": 0.05}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A table with numbers, dates, categories, empty cells and names that Keras would not take."""
    draw = np.random.default_rng(0)
    lines = ["price €,a/b,when,color,size (cm),y"]
    for i in range(120):
        price = "" if i % 9 == 0 else f"{draw.normal():.3f}"
        color = "" if i % 11 == 0 else ["red", "grün", "blue"][i % 3]
        lines.append(f"{price},{draw.normal():.3f},2024-0{i % 9 + 1}-11,{color},{'SML'[i % 3]},{['no', 'yes'][i % 2]}")
    file = tmp_path_factory.mktemp("tables") / "my table.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def run(path, tmp_path_factory):
    return kerasrun.train(
        str(path), results=tmp_path_factory.mktemp("results"), target="y", missing="indicator", **SMALL
    )


def raw(data, rows):
    """Return rows of the file as the saved model takes them."""
    return {key: data.inputs.sample[column.name][rows] for key, column in data.inputs.keys.items()}


def as_tensors(cells):
    return {key: tf.constant(values.tolist(), shape=(len(values), 1)) for key, values in cells.items()}


@pytest.mark.parametrize("missing", ["median", "mean", "indicator", "drop"])
def test_the_layers_make_of_raw_cells_what_was_made_of_the_arrays(path, missing):
    data = datasets.load(resolve(str(path), {"target": "y", "missing": missing}))
    layers.check(data.inputs, data.train.x)
    spoilt = data.train.x.copy()
    spoilt[3, -1] += 1
    with pytest.raises(RunFailed, match=r"column 'size \(cm\)' do not give what training row 3"):
        layers.check(data.inputs, spoilt)


def test_what_the_network_receives_is_scaled_numbers_and_a_one_for_each_category(path):
    data = datasets.load(resolve(str(path), {"target": "y", "missing": "median"}))
    front = layers.front(data.inputs, "standardize", data.train.x, "float32")
    received = front(data.train.x).numpy()
    assert received.shape[1:] == (data.inputs.features,) == (3 + 4 + 3,)
    np.testing.assert_allclose(received[:, :3].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(received[:, :3].std(axis=0), 1, atol=1e-5)
    assert (received[:, 3:7].sum(axis=1) == 1).all()
    unknown = data.train.x[:1].copy()
    unknown[0, 3:] = data.inputs.tokens
    assert (front(unknown).numpy()[0, 3:] == 0).all()


def test_compiled_with_xla_the_network_receives_the_same(path):
    data = datasets.load(resolve(str(path), {"target": "y", "missing": "median"}))
    x = data.train.x.copy()
    x[0, 3:] = data.inputs.tokens
    compiled = tf.function(layers.front(data.inputs, "none", x, "float32", jit=True), jit_compile=True)
    np.testing.assert_array_equal(compiled(tf.constant(x)), layers.front(data.inputs, "none", x, "float32")(x))


@pytest.mark.parametrize("scale", ["none", "minmax", "l2"])
def test_scaling_touches_numbers_alone(path, scale):
    data = datasets.load(resolve(str(path), {"target": "y", "missing": "median"}))
    received = layers.front(data.inputs, scale, data.train.x, "float32")(data.train.x).numpy()
    assert set(np.unique(received[:, 3:])) == {0, 1}
    if scale == "none":
        np.testing.assert_array_equal(received[:, :3], data.train.x[:, :3])


def test_categories_alone_and_numbers_alone_make_networks(tmp_path):
    lines = "".join(f"{'xyz'[i % 3]},{'uv'[i % 2]},{i % 2}\n" for i in range(40))
    (tmp_path / "c.csv").write_text("a,b,y\n" + lines)
    (tmp_path / "n.csv").write_text("a,b,y\n" + "".join(f"{i / 7},{i % 5},{i % 2}\n" for i in range(40)))
    for name, width in (("c.csv", 5), ("n.csv", 2)):
        experiment = resolve(str(tmp_path / name), {"target": "y", "hidden": "4"})
        data = datasets.load(experiment)
        built = models.build(experiment, data.task, data.train.x, data.train.y, inputs=data.inputs)
        assert built.network.input_shape == (None, width)


def test_the_saved_model_takes_raw_cells_and_says_what_was_predicted(run):
    data = datasets.load(run.experiment)
    model = run.model()
    assert {tensor.name for tensor in model.inputs} == {"price €", "a_b", "when", "color", "size (cm)"}
    said = model(as_tensors(raw(data, slice(None)))).numpy()
    trained = model.layers[-1]  # takes the arrays
    np.testing.assert_allclose(said, trained(data.train.x[: len(said)]), rtol=1e-5)
    predicted = (trained(data.test.x).numpy()[:, 0] > 0.5).astype(np.uint8)
    np.testing.assert_array_equal(np.load(run.folder / "predictions.npz")["test_best"], predicted)


def test_columns_may_be_called_as_keras_calls_what_it_computes(tmp_path):
    names = ["where", "where_1", "isnan_2", "cast_3", "get_item", "concatenate", "kerasrun_0", "greater", "add_1"]
    draw = np.random.default_rng(0)
    rows = [
        [*("" if draw.random() < 0.1 else f"{draw.normal():.3f}" for _ in names[:6]), *draw.choice(["a", "b"], 3)]
        for _ in range(80)
    ]
    lines = [",".join([*row, "ny"[i % 2]]) for i, row in enumerate(rows)]
    (tmp_path / "t.csv").write_text("\n".join([",".join([*names, "y"]), *lines]) + "\n")
    run = kerasrun.train(
        str(tmp_path / "t.csv"), results=tmp_path, target="y", missing="indicator", epochs=1, hidden="2"
    )
    assert {*run.model().input} == {*names}


def test_the_saved_model_is_made_of_keras_layers_alone_and_knows_empty_and_new_cells(run):
    model = keras.models.load_model(run.folder / "best.keras", safe_mode=True)
    cells = {"price €": [[np.nan]], "a_b": [[0.5]], "when": [[3.0]], "color": [["violet"]], "size (cm)": [["XXL"]]}
    assert np.isfinite(model({key: tf.constant(cell) for key, cell in cells.items()}).numpy()).all()
    config = json.loads(zipfile.ZipFile(run.folder / "best.keras").read("config.json"))
    modules = {layer["module"] for layer in config["config"]["layers"]}
    assert all(module.startswith("keras") and "kerasrun" not in module for module in modules)


def test_what_a_prediction_has_to_know_is_recorded(run):
    data = datasets.load(run.experiment)
    assert recorded(run.record["inputs"]) == data.inputs
    assert (run.record["task"]["kind"], run.record["task"]["classes"]) == ("binary", ["no", "yes"])
    when = next(column for column in data.inputs.columns if column.kind == "date")
    assert (when.date, when.origin) == ("ISO8601", 19733)


def test_a_saved_model_that_says_otherwise_fails_the_run(run):
    data = datasets.load(run.experiment)
    feeder = type("Feeder", (), {"predict": lambda self, x: np.full((len(x), 1), 0.123, np.float32)})()
    with pytest.raises(RunFailed, match="does not predict from raw rows"):
        layers.check_saved(run, data, feeder)


def test_a_resumed_run_is_the_run_that_was_not_interrupted(path, tmp_path):
    given = {"target": "y", "missing": "indicator", **SMALL}
    whole = kerasrun.train(str(path), results=tmp_path, **{**given, "epochs": 5})
    part = kerasrun.train(str(path), results=tmp_path, **given)
    resumed = kerasrun.resume(part.id, results=tmp_path, epochs=5)
    assert (resumed.folder / "metrics.csv").read_bytes() == (whole.folder / "metrics.csv").read_bytes()
    assert kerasrun.verify(part.id, results=tmp_path).equal


def test_a_regression_predicts_in_the_targets_own_units(tmp_path):
    (tmp_path / "t.csv").write_text(
        "a,c,y\n" + "".join(f"{i / 7},{'xyz'[i % 3]},{1000 + 3 * i}.5\n" for i in range(80))
    )
    run = kerasrun.train(str(tmp_path / "t.csv"), results=tmp_path / "r", target="y", **{**SMALL, "epochs": 30})
    said = run.model()({"a": tf.constant([[2.0]]), "c": tf.constant([["x"]])}).numpy()
    assert 900 < said[0, 0] < 1200
    assert (run.record["task"]["kind"], run.record["task"]["classes"]) == ("regression", None)


def test_pandas_can_be_read_with_while_keras_is_loaded(path, tmp_path):
    import os
    import subprocess
    import sys

    words = ["train", str(path), "--target", "y", "--missing", "drop", "--epochs", "1", "--results", str(tmp_path)]
    program = f"import sys; sys.argv = ['kerasrun', *{words!r}]; from kerasrun.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ})
    assert done.returncode == 0, done.stderr
    assert "my table.csv: 120 rows × 6 columns, comma-separated, utf-8" in done.stderr
    assert "when (ISO8601)" in done.stderr


def test_slashes_in_names_make_no_two_inputs_one():
    columns = recorded({"columns": [{"name": name, "kind": "number", "values": []} for name in ("a/b", "a_b")]})
    assert [*columns.keys] == ["a_b", "a_b_"]
    assert replace(columns, sample={}) == columns
