"""What is measured of each layer, against the chain rule worked out in NumPy."""

import keras
import numpy as np
import pytest

from kerasrun.datasets import load
from kerasrun.experiment import resolve
from kerasrun.layers import Maxout
from kerasrun.training import model as models
from kerasrun.training.health import COLUMNS, Health

RNG = np.random.default_rng(0)


def compiled(network, optimizer="sgd", loss="sparse_categorical_crossentropy"):
    network.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    network.optimizer.build(network.trainable_variables)
    return network


def batch(features=3, classes=2, examples=20):
    x = RNG.normal(size=(examples, features)).astype("float32")
    return x, RNG.integers(0, classes, examples).astype("int32")


def dense(*sizes, activation="tanh", features=3, classes=2, **named):
    layers = [keras.layers.Dense(size, activation=activation, **named) for size in sizes]
    return keras.Sequential([keras.Input((features,)), *layers, keras.layers.Dense(classes, "softmax", **named)])


def by_layer(rows):
    return {row["layer"]: row for row in rows}


def test_the_numbers_are_those_of_the_chain_rule():
    network, (x, y) = compiled(dense(4), keras.optimizers.SGD(0.5)), batch()
    rows = Health(network, (x, y)).measure(0)
    (w1, b1), (w2, b2) = (layer.get_weights() for layer in network.layers)
    z1 = x.astype("float64") @ w1 + b1
    a1 = np.tanh(z1)
    z2 = a1 @ w2 + b2
    p = np.exp(z2) / np.exp(z2).sum(1, keepdims=True)
    d2 = p - np.eye(2)[y]  # of each example's own loss
    d1 = d2 @ w2.T * (1 - a1**2)
    g1, g2 = x.T @ d1 / len(x), a1.T @ d2 / len(x)
    for row, d, g, w, a in zip(rows[1:], (d1, d2), (g1, g2), (w1, w2), (a1, p), strict=True):
        assert row["gradient"] == pytest.approx(np.sqrt((d**2).mean()), rel=1e-5)
        assert row["kernel_gradient"] == pytest.approx(np.linalg.norm(g), rel=1e-5)
        assert row["kernel_gradient_rms"] == pytest.approx(np.sqrt((g**2).mean()), rel=1e-5)
        assert row["weights"] == pytest.approx(np.linalg.norm(w), rel=1e-5)
        assert row["gradient_ratio"] == pytest.approx(np.linalg.norm(g) / np.linalg.norm(w), rel=1e-5)
        assert row["update_ratio"] == pytest.approx(0.5 * np.linalg.norm(g) / np.linalg.norm(w), rel=1e-4)
        assert row["mean"] == pytest.approx(a.mean(), abs=1e-6)
        assert row["deviation"] == pytest.approx(a.std(), rel=1e-5)
        assert row["loss"] == pytest.approx(-np.log(p[np.arange(len(y)), y]).mean(), rel=1e-5)
    assert (rows[1]["units"], rows[1]["activation"], rows[2]["activation"]) == (4, "tanh", "softmax")
    assert rows[0]["layer"] == "input"
    assert rows[0]["deviation"] == pytest.approx(x.std(), rel=1e-5)
    assert [*rows[0]] == list(COLUMNS)


def test_saturated_zero_and_dead_are_counted():
    network = compiled(dense(4, activation="relu"))
    kernel = network.layers[0].kernel.numpy()
    network.layers[0].set_weights([kernel, np.array([-100, -100, 0, 100], "float32")])
    first = Health(network, batch()).measure(0)[1]
    assert first["dead"] == 0.5
    assert 0.5 < first["zeros"] < 0.75
    assert first["saturated"] is None
    network = compiled(dense(4, activation="sigmoid"))
    network.layers[0].set_weights([0 * kernel, np.array([-8, 8, 0, 5], "float32")])
    first = Health(network, batch()).measure(0)[1]
    assert (first["saturated"], first["dead"]) == (0.5, None)  # sigmoid(5) still has 0.027 of its steepest slope


def test_weights_that_are_all_zero_have_no_ratios():
    rows = Health(compiled(dense(4, kernel_initializer="zeros")), batch()).measure(0)
    assert rows[1]["gradient"] == rows[1]["weights"] == 0
    assert rows[1]["gradient_ratio"] is rows[1]["update_ratio"] is None


def test_the_penalty_of_the_weights_is_no_part_of_the_gradient_but_of_the_step():
    plain, decayed = dense(4), dense(4, kernel_regularizer=keras.regularizers.L2(10.0))
    decayed.set_weights(plain.get_weights())
    data = batch()
    ours, theirs = (Health(compiled(network), data).measure(0)[1] for network in (decayed, plain))
    assert ours["kernel_gradient"] == theirs["kernel_gradient"]
    assert ours["loss"] == theirs["loss"]
    assert ours["update_ratio"] == pytest.approx(0.01 * 20, rel=0.05)  # the rate by twice the penalty


def normalized():
    inputs = keras.Input((3,))
    x = keras.layers.BatchNormalization()(keras.layers.Dense(5, name="first")(inputs))
    x = keras.layers.Dropout(0.5)(keras.layers.Activation("relu")(x))
    inner = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, "sigmoid", name="second")])
    x = keras.layers.Concatenate()([inner(x), inputs])
    return keras.Model(inputs, keras.layers.Dense(2, "softmax", name="last")(x))


def test_batch_normalization_works_on_the_batch_and_the_gradient_is_taken_behind_it():
    network, data = compiled(normalized()), batch(examples=50)
    rows = by_layer(Health(network, data).measure(0))
    assert [*rows] == ["input", "first", "second", "last"]
    z = data[0] @ network.get_layer("first").kernel.numpy()
    a = np.maximum((z - z.mean(0)) / np.sqrt(z.var(0) + 1e-3), 0)
    assert rows["first"]["activation"] == "relu"
    assert rows["first"]["mean"] == pytest.approx(a.mean(), rel=1e-4)
    assert 0 < rows["first"]["gradient"] < rows["last"]["gradient"]


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_measuring_changes_nothing(optimizer):
    network, data = compiled(normalized(), optimizer), batch()
    network.train_on_batch(*data)
    variables = [*network.variables, *network.optimizer.variables, *network.metrics_variables]
    before = [np.asarray(variable) for variable in variables]
    health = Health(network, data)
    assert health.measure(0) == health.measure(0)
    for variable, array in zip(variables, before, strict=True):
        np.testing.assert_array_equal(np.asarray(variable), array)
    assert network.get_layer("first").call.__self__ is network.get_layer("first")


def test_the_pieces_of_maxout_are_one_layer():
    from kerasrun.layers import pieces

    maxout = Maxout(2)
    network = keras.Sequential(
        [keras.Input((3,)), pieces(maxout, keras.layers.Dense, 6), maxout, keras.layers.Dense(2, "softmax")]
    )
    _, first, _ = Health(compiled(network), batch()).measure(0)
    assert (first["kind"], first["units"], first["activation"]) == ("pieces", 6, "maxout")
    kernels = [part.kernel.numpy() for part in network.layers[0].parts]
    assert first["weights"] == pytest.approx(np.linalg.norm(kernels), rel=1e-5)


@pytest.mark.parametrize(
    ("dataset", "given", "layers"),
    [
        ("synthetic:imdb(length=12)", {"recipe": "recurrent"}, ["embedding", "lstm", "dense"]),
        ("digits", {"recipe": "recurrent", "cell": "gru"}, ["input", "gru", "dense"]),
        ("digits", {"recipe": "cnn", "filters": "4", "kernel_size": 2, "hidden": "6"},
         ["input", "conv2d", "dense", "dense_1"]),
        ("diabetes", {"hidden": "6", "activation": "leaky_relu(negative_slope=0.1)"}, ["input", "dense", "dense_1"]),
        ("xor", {"recipe": "xor_by_hand"}, ["input", "dense", "dense_1"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_every_kind_of_network_has_numbers(dataset, given, layers, precision):
    experiment = resolve(dataset, {**given, "precision": precision, "limit": 100})
    data = load(experiment)
    model = models.build(experiment, data.task, data.train.x, data.train.y).model
    model.optimizer.build(model.trainable_variables)
    rows = Health(model, (data.train.x, models.labels(data.train.y, data.task, experiment.loss))).measure(0)
    assert [row["layer"] for row in rows] == layers
    for row in rows[layers[0] == "input" :]:
        assert all(np.isfinite(value) for value in row.values() if isinstance(value, float))
        assert row["weights"] > 0
        assert (row["update_ratio"] is None) == (given.get("recipe") == "xor_by_hand")
