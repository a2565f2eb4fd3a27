"""One training on tiny data: what it keeps, what it refuses, and that its numbers mean what they say."""

import json

import numpy as np
import pandas as pd
import pytest

import kerasrun
from kerasrun import datasets
from kerasrun.errors import InputError
from kerasrun.experiment import resolve

SMALL = {"epochs": 2, "limit": 100, "hidden": "8"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return kerasrun.train("digits", results=tmp_path_factory.mktemp("results"), **{**SMALL, "epochs": 6})


def csv(run):
    return (run.folder / "metrics.csv").read_bytes()


def recipe_file(folder, body, name="mine"):
    path = folder / f"{name}.py"
    path.write_text(
        f"import keras\n\n\ndef {name}(task):\n" + "\n".join(f"    {line}" for line in body.splitlines()) + "\n"
    )
    return str(path)


def test_the_metrics_file_has_one_row_an_epoch_in_a_stable_order_of_columns(run):
    assert list(run.metrics) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"]
    assert list(run.metrics["epoch"]) == [1, 2, 3, 4, 5, 6]


def test_every_number_reads_back_as_the_same_float32(run):
    texts = pd.read_csv(run.folder / "metrics.csv", dtype=str)["val_loss"]
    assert [str(np.float32(text)) for text in texts] == list(texts)


def test_the_record_says_how_it_ended_and_what_was_best(run):
    record = json.loads((run.folder / "run.json").read_text())
    rows = run.metrics
    best = rows.loc[rows["val_loss"].idxmin()]
    assert record["status"] == "finished"
    assert record["best_epoch"] == int(best["epoch"])
    assert record["best"]["val_loss"] == pytest.approx(best["val_loss"])
    assert record["parameters"] == 64 * 8 + 8 + 8 * 10 + 10
    assert record["architecture"] == "64-8-10"
    assert record["origins"]["hidden"] == "command"
    assert record["origins"]["batch_size"] == "default"
    counts = np.bincount(datasets.load(run.experiment).validation.y)
    assert (record["data"]["classes"], record["data"]["chance"]) == (10, counts.max() / counts.sum())
    assert record["others_busy"] is None or record["others_busy"] >= 0


def test_the_saved_model_takes_raw_data_and_gives_the_best_epochs_loss(run):
    data = datasets.load(run.experiment)
    probabilities = run.model().predict(data.validation.x, verbose=0)
    loss = -np.log(probabilities[np.arange(len(probabilities)), data.validation.y]).mean()
    assert loss == pytest.approx(run.record["best"]["val_loss"], rel=1e-4)


def test_the_test_metrics_are_those_of_the_best_weights(run):
    data = datasets.load(run.experiment)
    answers = run.model().predict(data.test.x, verbose=0).argmax(axis=1)
    assert (answers == data.test.y).mean() == pytest.approx(run.record["test"]["accuracy"])
    kept = np.load(run.folder / "predictions.npz")
    np.testing.assert_array_equal(kept["test_best"], answers)
    np.testing.assert_array_equal(kept["test_rows"], data.test.rows)
    np.testing.assert_array_equal(kept["test_labels"], data.test.y)


def test_the_same_experiment_gives_the_same_bytes(run, tmp_path):
    again = kerasrun.train("digits", results=tmp_path, **{**SMALL, "epochs": 6})
    assert csv(again) == csv(run)
    assert again.id != run.id
    assert again.record["identity"] == run.record["identity"]


def test_another_seed_gives_other_numbers_on_the_same_split(run, tmp_path):
    other = kerasrun.train("digits", results=tmp_path, seed=1, **{**SMALL, "epochs": 6})
    assert csv(other) != csv(run)
    rows = [np.load(r.folder / "predictions.npz")["validation_rows"] for r in (run, other)]
    np.testing.assert_array_equal(*rows)


@pytest.mark.parametrize(
    ("dataset", "recipes", "knobs"),
    [
        ("digits", ["dense", "dense_functional", "dense_add"], {"hidden": "8-8", "dropout": 0.2, "batch_norm": True}),
        ("digits", ["cnn", "cnn_functional"], {"filters": "4-8", "kernel_size": 2, "hidden": "8", "dropout": 0.2}),
    ],
)
def test_a_network_built_another_way_gives_the_same_bytes(tmp_path, dataset, recipes, knobs):
    runs = [kerasrun.train(dataset, results=tmp_path, recipe=r, epochs=2, limit=100, **knobs) for r in recipes]
    assert len({csv(run) for run in runs}) == 1
    assert len({run.record["best_weights"] for run in runs}) == 1
    other = kerasrun.train(dataset, results=tmp_path, recipe=recipes[0], epochs=2, limit=100, seed=1, **knobs)
    assert other.record["best_weights"] != runs[0].record["best_weights"]


def test_a_training_in_half_precision_leaves_the_callers_precision_alone(tmp_path):
    import keras

    run = kerasrun.train("digits", results=tmp_path, epochs=1, limit=100, precision="mixed_float16", hidden="4")
    assert "mixed_float16" in {layer.dtype_policy.name for layer in run.model()._flatten_layers()}
    assert keras.config.dtype_policy().name == "float32"


def test_a_dropout_in_between_leaves_the_other_layers_initial_weights_alone():
    from kerasrun.training.model import build

    def weights(**knobs):
        experiment = resolve("digits", {"hidden": "8-8", **knobs})
        data = datasets.load(experiment)
        network = build(experiment, data.task, data.train.x, data.train.y).network
        return {w.path.removeprefix(f"{network.name}/"): w.numpy() for w in network.trainable_weights}

    plain, noisy, normalized = weights(), weights(dropout=0.5), weights(batch_norm=True)
    for path, kernel in plain.items():
        np.testing.assert_array_equal(kernel, noisy[path])
        np.testing.assert_array_equal(kernel, normalized[path])
    assert not np.array_equal(plain["dense_1/kernel"][:8, :8], plain["dense/kernel"][:8, :8])


def test_a_seed_of_the_recipes_own_stays_and_is_recorded(tmp_path):
    body = """return keras.Sequential([keras.Input(task.input_shape), keras.layers.Flatten(),
    keras.layers.Dense(4, kernel_initializer=keras.initializers.GlorotUniform(seed=7)),
    keras.layers.Dropout(0.5, seed=3),
    keras.layers.Dense(task.num_outputs, activation="softmax")])"""
    run = kerasrun.train("digits", results=tmp_path, recipe=recipe_file(tmp_path, body), epochs=1, limit=50)
    assert run.record["own_seeds"] == ["dense/kernel", "dropout"]


def test_a_network_that_diverges_stops_at_once_and_keeps_no_nan_as_best(tmp_path):
    run = kerasrun.train("digits", results=tmp_path, optimizer="sgd(learning_rate=1e30)", **SMALL)
    assert run.status == "diverged"
    assert run.record["error"]["message"] in ("loss became NaN in epoch 1", "loss became infinite in epoch 1")
    assert run.record["best_epoch"] is None
    assert not (run.folder / "best.keras").exists()


def test_early_stopping_ends_the_run_and_keeps_the_best_epoch(tmp_path):
    run = kerasrun.train("digits", results=tmp_path, epochs=60, limit=60, hidden="32", patience=1, learning_rate=0.05)
    rows = run.metrics
    assert run.status == "stopped"
    assert len(rows) < 60
    assert run.record["best_epoch"] == int(rows.loc[rows["val_loss"].idxmin(), "epoch"]) < len(rows)


def test_a_schedule_sets_the_rate_of_each_epoch(tmp_path):
    run = kerasrun.train(
        "digits", results=tmp_path, schedule="exponential(rate=0.5)", learning_rate=0.01, **{**SMALL, "epochs": 3}
    )
    assert list(run.metrics["learning_rate"]) == [0.01, 0.005, 0.0025]


def test_a_plateau_lowers_the_rate(tmp_path):
    given = {"schedule": "plateau(patience=0, factor=0.1)", "min_delta": 0, "learning_rate": 1e-30, "optimizer": "sgd"}
    run = kerasrun.train("digits", results=tmp_path, **given, **{**SMALL, "epochs": 4})
    assert run.metrics["learning_rate"].iloc[-1] < 1e-31


def test_regular_saving_keeps_the_model_of_every_nth_epoch(tmp_path):
    run = kerasrun.train("digits", results=tmp_path, save_every=2, **{**SMALL, "epochs": 5})
    assert sorted(path.name for path in run.folder.glob("epoch-*")) == ["epoch-0002.keras", "epoch-0004.keras"]
    from keras.saving import load_model

    load_model(run.folder / "epoch-0004.keras")


def test_regression_metrics_are_in_the_targets_own_units(tmp_path):
    run = kerasrun.train("diabetes", results=tmp_path, epochs=3, hidden="8")
    data = datasets.load(run.experiment)
    predicted = run.model().predict(data.validation.x, verbose=0)
    assert np.abs(predicted - data.validation.y).mean() == pytest.approx(run.record["best"]["val_mae"], rel=1e-4)
    assert run.record["best"]["val_mae"] > 10  # disease progression is a number from 25 to 346
    assert run.record["best"]["val_loss"] < 5  # of the standardized target


@pytest.mark.parametrize("scale", ["none", "standardize", "minmax", "l1", "l2", "l2_all"])
def test_the_saved_model_holds_its_scaling(tmp_path, scale):
    run = kerasrun.train("wine", results=tmp_path, epochs=1, scale=scale)
    data = datasets.load(run.experiment)
    x = data.train.x.astype("float64")
    expected = {
        "none": x,
        "standardize": (x - x.mean(0)) / x.std(0),
        "minmax": (x - x.min(0)) / (x.max(0) - x.min(0)),
        "l1": x / np.abs(x).sum(1, keepdims=True),
        "l2": x / np.linalg.norm(x, axis=1, keepdims=True),
        "l2_all": x / np.linalg.norm(x),
    }[scale]
    model = run.model()
    scaled = model.get_layer("scale")(data.train.x) if scale != "none" else data.train.x
    np.testing.assert_allclose(np.asarray(scaled), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_a_row_of_zeros_stays_a_row_of_zeros():
    from kerasrun.layers import RowNorm

    rows = np.array([[0, 0], [3, 4]], dtype="uint8")
    np.testing.assert_allclose(RowNorm(2)(rows), [[0, 0], [0.6, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(RowNorm(1)(rows), [[0, 0], [3 / 7, 4 / 7]], rtol=1e-6)


def test_ten_outputs_for_a_hundred_classes_are_refused_and_nothing_is_left(tmp_path):
    body = """return keras.Sequential([keras.Input(task.input_shape), keras.layers.Flatten(),
    keras.layers.Dense(10, "softmax")])"""
    with pytest.raises(InputError, match=r"recipe 'mine' ends in 10 outputs; synthetic:cifar100 has 100 classes"):
        kerasrun.train("synthetic:cifar100", results=tmp_path / "r", recipe=recipe_file(tmp_path, body), limit=200)
    assert list((tmp_path / "r").iterdir()) == []


def test_a_linear_output_for_classes_is_refused(tmp_path):
    body = "return keras.Sequential([keras.Input(task.input_shape), keras.layers.Flatten(), keras.layers.Dense(10)])"
    with pytest.raises(InputError, match="ends in the activation linear; digits needs softmax"):
        kerasrun.train("digits", results=tmp_path / "r", recipe=recipe_file(tmp_path, body))


def test_a_recipe_that_raises_is_named_with_its_line(tmp_path):
    with pytest.raises(
        InputError, match=r"recipe 'mine' raised ZeroDivisionError: division by zero\n.*mine.py, line 6"
    ):
        kerasrun.train("digits", results=tmp_path / "r", recipe=recipe_file(tmp_path, "a = 0\nreturn 1 / a"))
    assert list((tmp_path / "r").iterdir()) == []


def test_a_recipe_that_returns_no_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="returned int, not a keras.Model"):
        kerasrun.train("digits", results=tmp_path / "r", recipe=recipe_file(tmp_path, "return 3"))


def test_labels_outside_the_classes_are_refused_before_the_first_step(tmp_path):
    x, y = np.zeros((40, 3), "float32"), np.array([0, 1] * 20)
    x[:, 0] = y
    np.savez(tmp_path / "mine.npz", x_train=x, y_train=y, x_test=x[:6], y_test=np.array([0, 1, 0, 1, 0, 9]))
    with pytest.raises(InputError, match="9"):
        kerasrun.train(str(tmp_path / "mine.npz"), results=tmp_path / "r", jit=True)


def test_the_users_own_callback_sees_epochs_and_logs(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import keras\n\n\nclass Notes(keras.callbacks.Callback):\n"
        "    def __init__(self, file):\n        super().__init__()\n"
        "        self.file = file\n\n    def on_epoch_end(self, epoch, logs):\n"
        "        with open(self.file, 'a') as notes:\n"
        "            notes.write(f'{epoch} {sorted(logs)}\\n')\n"
    )
    notes = tmp_path / "notes.txt"
    kerasrun.train("digits", results=tmp_path / "r", callbacks=[f"{path}:Notes(file='{notes}')"], **SMALL)
    logs = "['accuracy', 'loss', 'val_accuracy', 'val_loss']"
    assert notes.read_text().splitlines() == [f"0 {logs}", f"1 {logs}"]


def test_a_callback_that_is_none_of_keras_3_is_refused(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("class Old:\n    pass\n")
    with pytest.raises(InputError, match=r"is no keras.callbacks.Callback"):
        kerasrun.train("digits", results=tmp_path / "r", callbacks=[f"{path}:Old"])
    path.write_text("from tensorflow.python.keras.callbacks import EarlyStopping\n")
    with pytest.raises(InputError, match=r"tensorflow.python.keras is not Keras 3: derive it from keras.callbacks"):
        kerasrun.train("digits", results=tmp_path / "r", callbacks=[f"{path}:EarlyStopping"])


def test_an_initializer_object_gives_each_layer_weights_of_its_own(tmp_path):
    experiment = resolve("digits", {"hidden": "16-16-16", "initializer": "random_normal(stddev=0.5)"})
    from kerasrun.training.model import build

    data = datasets.load(experiment)
    kernels = [w.numpy() for w in build(experiment, data.task, data.train.x, data.train.y).network.trainable_weights][
        0::2
    ]
    assert kernels[1].std() == pytest.approx(0.5, rel=0.2)
    assert not np.array_equal(kernels[1], kernels[2])


def test_a_gpu_that_is_not_there_is_refused_with_the_reason(tmp_path):
    with pytest.raises(InputError, match="device=gpu: "):
        kerasrun.train("digits", results=tmp_path / "r", device="gpu")
    assert list((tmp_path / "r").iterdir()) == []


def test_a_perceptron_learns_and(tmp_path):
    run = kerasrun.train("and", results=tmp_path)
    outputs = run.model().predict(np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32"), verbose=0)[:, 0]
    assert list(outputs > 0.5) == [False, False, False, True]
    assert len(run.metrics) == 50


def test_packages_that_keras_need_not_load_can_be_imported_afterwards():
    import subprocess
    import sys

    program = (
        "import sys; from kerasrun import environment; environment.hidden_from_keras = ('pandas', 'sklearn')\n"
        "import kerasrun.training; print('pandas' in sys.modules, 'sklearn' in sys.modules)\n"
        "import pandas, sklearn; print(pandas.DataFrame([1]).size)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["False", "False", "1"], done.stderr


def test_a_test_loss_that_is_not_finite_is_left_out_of_the_record_and_told(tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 3)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    np.savez(tmp_path / "mine.npz", x_train=x / 1000, y_train=y, x_test=x[:6] * 1e17, y_test=y[:6])
    said = []
    run = kerasrun.train(
        str(tmp_path / "mine.npz"), results=tmp_path / "r", epochs=1, hidden="4",
        watch=lambda event: said.append(getattr(event, "text", "")),
    )  # fmt: skip
    assert run.status == "finished"
    assert "loss" not in run.record["test"]
    assert run.record["test"]["mae"] > 1e17
    assert "test_loss is infinite, and not recorded" in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"optimizer": "adam(clipnorm=1)", "clip_norm": 1}, "optimizer adam.*: Only one of `clipnorm`"),
        ({"optimizer": "adam(gradient_accumulation_steps=1)"}, "optimizer adam.*: .*must be an integer >= 2"),
        ({"loss": "categorical_crossentropy", "metrics": "f1_score(threshold=1)"}, "metric f1_score.*a Python float"),
        ({"loss": "huber(reduction=foo)"}, "loss huber.*Expected one of"),
    ],
)
def test_an_argument_that_keras_refuses_is_refused_in_its_words(tmp_path, given, said):
    dataset = "diabetes" if "huber" in given.get("loss", "") else "digits"
    with pytest.raises(InputError, match=f"^{said}") as refused:
        kerasrun.train(dataset, results=tmp_path, **SMALL, **given)
    assert len(str(refused.value).splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_network_with_nothing_to_train_whose_loss_is_not_finite_has_diverged(tmp_path):
    body = """inputs = keras.Input(task.input_shape)
large = keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(1e30), trainable=False)
return keras.Model(inputs, large(inputs))"""
    run = kerasrun.train("diabetes", results=tmp_path / "r", recipe=recipe_file(tmp_path, body))
    assert (run.status, run.record["error"]["message"]) == ("diverged", "loss became infinite in epoch 0")
    assert run.record["best_epoch"] is None
