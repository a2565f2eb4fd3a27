"""Maxout against numbers worked out by hand, and as a value of a recipe's activation."""

import keras
import numpy as np
import pytest

import kerasrun
from kerasrun.errors import InputError
from kerasrun.experiment import resolve
from kerasrun.layers import Maxout, Pieces, activate, pieces
from kerasrun.training.network import architecture, build_network


def test_maxout_takes_the_largest_of_the_pieces_of_each_unit():
    rows = np.array([[1.0, 5.0, 2.0, -4.0], [0.0, -1.0, -3.0, -2.0]], "float32")  # 2 pieces of 2 units
    np.testing.assert_array_equal(Maxout(2)(rows), [[2, 5], [0, -1]])
    images = np.stack([rows, -rows])[None]  # (1, 2, 2, 4)
    np.testing.assert_array_equal(Maxout(2)(images)[0, 1], [[-1, 4], [3, 2]])


def test_pieces_lie_side_by_side_and_their_maximum_is_that_of_the_layers_by_themselves():
    layer = pieces({"class_name": "Maxout", "config": {"pieces": 3}}, keras.layers.Dense, 4)
    x = np.random.default_rng(0).normal(size=(5, 7)).astype("float32")
    together = Maxout(3)(layer(x))
    by_hand = np.max([x @ part.kernel.numpy() + part.bias.numpy() for part in layer.parts], axis=0)
    np.testing.assert_allclose(together, by_hand, rtol=1e-5)
    assert layer.compute_output_shape((None, 7)) == (None, 12)


def test_other_activations_leave_the_layer_as_it_is():
    assert type(pieces("relu", keras.layers.Dense, 4)) is keras.layers.Dense
    assert type(activate("relu")) is keras.layers.Activation


def test_each_piece_has_weights_of_its_own_from_the_fans_of_one_piece():
    experiment = resolve("digits", {"activation": "maxout", "hidden": "300", "initializer": "xavier"})
    from kerasrun.datasets import load
    from kerasrun.training.model import build

    data = load(experiment)
    network = build(experiment, data.task, data.train.x, data.train.y).network
    first, second = (part.kernel.numpy() for part in network.layers[1].parts)
    assert not np.array_equal(first, second)
    assert abs(first).max() == pytest.approx(np.sqrt(6 / (64 + 300)), rel=0.01)


def test_maxout_is_a_value_of_the_activation_of_every_recipe_with_one(tmp_path):
    given = {"activation": "maxout(pieces=3)", "epochs": 1, "limit": 60, "results": tmp_path}
    run = kerasrun.train("digits", hidden="8", batch_norm=True, dropout=0.1, **given)
    assert run.record["architecture"] == "64-3·8-10"
    twins = [kerasrun.train("digits", recipe=r, hidden="8", **given) for r in ("dense_add", "dense_functional")]
    assert len({(twin.folder / "metrics.csv").read_bytes() for twin in twins}) == 1
    convolved = kerasrun.train("digits", recipe="cnn", filters="4", kernel_size=2, hidden="8", **given)
    assert convolved.record["architecture"] == "8×8-3·4-3·8-10"


def test_a_saved_maxout_network_loads_and_predicts_the_same(tmp_path):
    run = kerasrun.train("digits", results=tmp_path, activation="maxout", hidden="8", epochs=1, limit=60)
    model = run.model()
    x = np.random.default_rng(0).integers(0, 17, (4, 8, 8)).astype("float32")
    scaled = model.get_layer("scale")(x).numpy().reshape(4, 64)
    inner = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    parts = next(layer for layer in inner.layers if isinstance(layer, Pieces)).parts
    hidden = np.max([scaled @ part.kernel.numpy() + part.bias.numpy() for part in parts], axis=0)
    last = inner.layers[-1]
    sums = hidden @ last.kernel.numpy() + last.bias.numpy()
    shares = np.exp(sums - sums.max(1, keepdims=True))
    np.testing.assert_allclose(model(x), shares / shares.sum(1, keepdims=True), rtol=1e-4)


def test_features_that_are_not_whole_pieces_are_refused(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import keras\n\n\ndef mine(task, *, activation='maxout(pieces=3)'):\n"
        "    return keras.Sequential([keras.Input(task.input_shape), keras.layers.Flatten(),\n"
        "        keras.activations.get(activation), keras.layers.Dense(10, 'softmax')])\n"
    )
    with pytest.raises(InputError, match="64 features are not 3 pieces of equal size"):
        build_network(resolve("digits", {"recipe": str(path)}), resolve("digits", {}).entry.task)


def test_the_architecture_tells_pieces():
    experiment = resolve("digits", {"activation": "maxout", "hidden": "20-30"})
    assert architecture(build_network(experiment, experiment.entry.task)) == "64-2·20-2·30-10"
