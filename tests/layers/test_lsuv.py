"""LSUV against its definition (Mishkin and Matas 2015), worked by hand where that can be done."""

import json

import keras
import numpy as np
import pytest

import kerasrun
from kerasrun.datasets import load
from kerasrun.errors import InputError
from kerasrun.experiment import resolve
from kerasrun.layers import LSUV, lsuv
from kerasrun.training.model import build


def variances(network, batch):
    """Return the variance of each marked layer's outputs before its activation, by models that end there."""
    found = []
    for layer in network.layers:
        for part in getattr(layer, "parts", [layer]):
            if part in lsuv.marked(network):
                x = keras.Model(network.inputs, layer.input)(batch).numpy()
                spatial = part.kernel.ndim == 4
                sums = keras.ops.conv(x, part.kernel, padding="same") if spatial else x @ part.kernel.numpy()
                found.append(float(np.var(np.asarray(sums, "float64") + part.bias.numpy())))
    return found


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "elu", "maxout"])
@pytest.mark.parametrize("recipe", ["dense", "fitnet"])
def test_every_layer_hands_on_variance_one_before_its_activation(recipe, activation):
    knobs = {"hidden": "50x4"} if recipe == "dense" else {"size": 8, "width": 0.25, "dropout": 0.2}
    dataset = "digits" if recipe == "dense" else "synthetic:cifar10"
    given = {"recipe": recipe, "activation": activation, "initializer": "lsuv", "scale": "standardize", "limit": 200}
    experiment = resolve(dataset, {**given, **knobs})
    data = load(experiment)
    built = build(experiment, data.task, data.train.x, data.train.y)
    rng = np.random.default_rng(kerasrun.training.seeds.derive(0, "weights", "lsuv/batch"))
    rows = np.sort(rng.permutation(len(data.train.x))[:128])
    batch = built.model.get_layer("scale")(data.train.x[rows])
    found = variances(built.network, batch)
    assert len(found) == len(built.lsuv) == len(lsuv.marked(built.network))
    assert all(0.98 <= variance <= 1.02 for variance in found), found
    assert {layer["rounds"] for layer in built.lsuv} <= {0, 1}
    assert len({layer["layer"] for layer in built.lsuv}) == len(built.lsuv)
    assert lsuv.warnings(built.lsuv) == []


def test_a_layer_that_never_settles_is_told_by_name(monkeypatch):
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, kernel_initializer=LSUV(1), name="restless")])
    monkeypatch.setattr(lsuv, "MOST_ROUNDS", 0)
    [said] = lsuv.warnings(lsuv.rescale(network, 10 * np.eye(3, dtype="float32")))
    assert said.startswith("initializer=lsuv: after 0 rounds the outputs of restless have variance ")


def test_each_kernel_is_an_orthonormal_one_times_one_number_and_biases_stay():
    given = {"hidden": "30-20", "limit": 200}
    ours, plain = (resolve("digits", {**given, "initializer": name}) for name in ("lsuv", "orthogonal"))
    data = load(ours)
    rescaled, drawn = (build(e, data.task, data.train.x, data.train.y).network for e in (ours, plain))
    for ratio in (a.numpy() / b.numpy() for a, b in zip(rescaled.weights[0::2], drawn.weights[0::2], strict=True)):
        np.testing.assert_allclose(ratio, ratio.flat[0], rtol=1e-4)
        assert ratio.flat[0] != 1
    assert not any(bias.numpy().any() for bias in rescaled.weights[1::2])


def test_a_linear_network_worked_by_hand():
    """Inputs of variance 4 keep it through an orthonormal matrix: the kernel is halved; the next one stays."""
    network = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(2, kernel_initializer=LSUV(1)),
            keras.layers.Dense(2, kernel_initializer=LSUV(2)),
        ]
    )
    before = [layer.kernel.numpy() for layer in network.layers]
    batch = np.array([[2.0, 2.0], [2.0, -2.0], [-2.0, 2.0], [-2.0, -2.0]], "float32")
    first, second = lsuv.rescale(network, batch)
    np.testing.assert_allclose(network.layers[0].kernel, before[0] / 2, rtol=1e-6)
    np.testing.assert_allclose(network.layers[1].kernel, before[1], rtol=1e-6)
    assert (first["rounds"], second["rounds"]) == (1, 0)
    assert first["variance"] == pytest.approx(1)


def test_layers_come_in_the_order_of_the_forward_pass_not_of_their_making():
    late, early = (
        keras.layers.Dense(5, kernel_initializer=LSUV(i), name=name) for i, name in enumerate(("late", "early"))
    )
    inputs = keras.Input((5,))
    network = keras.Model(inputs, late(keras.layers.ReLU()(early(inputs))))
    batch = np.random.default_rng(0).normal(size=(64, 5)).astype("float32")
    assert [row["layer"] for row in lsuv.rescale(network, batch)] == ["early", "late"]
    assert late.call.__self__ is late  # the layers are as they were


def test_layers_of_other_initializers_and_recurrent_ones_are_left_alone():
    experiment = resolve("synthetic:imdb(length=12)", {"recipe": "recurrent", "initializer": "lsuv", "limit": 100})
    data = load(experiment)
    built = build(experiment, data.task, data.train.x, data.train.y)
    assert [row["layer"] for row in built.lsuv] == ["dense"]


def test_inputs_far_from_variance_one_are_refused_with_the_remedy():
    experiment = resolve("synthetic:fashion-mnist", {"initializer": "lsuv", "scale": "none", "limit": 100})
    data = load(experiment)
    with pytest.raises(InputError, match="wants inputs of variance 1 or so.*\nadd --scale standardize"):
        build(experiment, data.task, data.train.x, data.train.y)


def test_a_layer_without_a_signal_is_named():
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, kernel_initializer=LSUV(1), name="deaf")])
    with pytest.raises(InputError, match="the outputs of layer .*deaf have variance 0"):
        lsuv.rescale(network, np.zeros((64, 3), "float32"))


def test_the_record_tells_rounds_and_variances_and_the_model_can_be_loaded(tmp_path):
    run = kerasrun.train("digits", results=tmp_path, initializer="lsuv", hidden="20-20", epochs=1, limit=200)
    rows = json.loads((run.folder / "run.json").read_text())["lsuv"]
    assert [row["layer"] for row in rows] == ["dense", "dense_1", "dense_2"]
    assert all(row["rounds"] == 1 and abs(row["variance"] - 1) < 0.02 for row in rows)
    assert run.model().count_params() == run.record["parameters"]


def test_resuming_does_not_rescale_again():
    experiment = resolve("digits", {"hidden": "8", "initializer": "lsuv", "limit": 100})
    data = load(experiment)
    again = build(experiment, data.task, data.train.x, data.train.y, fresh=False)
    kernel = again.network.weights[0].numpy()
    assert again.lsuv == []
    np.testing.assert_allclose(kernel.T @ kernel, np.eye(8), atol=1e-5)
