"""The recipes for texts, and what the study says of word vectors."""

import keras
import numpy as np
import pytest

import kerasrun
from kerasrun.experiment import resolve
from kerasrun.training.network import architecture, build_network

TEXTS = "synthetic:imdb(length=12, num_words=50)"


def test_two_texts_of_one_word_become_two_rows_of_one_vector():
    """The example of Keras's documentation and of the study: [[4], [20]] -> (2, 1, size)."""
    experiment = resolve(TEXTS, {"recipe": "embedding", "size": 2})
    words = build_network(experiment, experiment.entry.task).layers[0](np.array([[4], [20]]))
    assert words.shape == (2, 1, 2)


def test_word_vectors_need_not_be_the_first_layer_in_keras_3():
    numbers = keras.Input((3,), dtype="int32")
    network = keras.Model(numbers, keras.layers.Embedding(9, 4)(keras.layers.Reshape((3, 1))(numbers)))
    assert network(np.array([[1, 2, 8]])).shape == (1, 3, 1, 4)


@pytest.mark.parametrize(("cell", "parameters"), [("lstm", 4 * (6 * (8 + 6) + 6)), ("gru", 3 * (6 * (8 + 6) + 2 * 6))])
def test_a_recurrent_layer_reads_the_vectors(cell, parameters):
    experiment = resolve(TEXTS, {"recipe": "recurrent", "cell": cell, "units": 6, "size": 8})
    network = build_network(experiment, experiment.entry.task)
    assert network.layers[1].count_params() == parameters
    assert architecture(network) == "12-6-1"


def test_padding_is_passed_over():
    experiment = resolve(TEXTS, {"recipe": "recurrent"})
    network = build_network(experiment, experiment.entry.task)
    text = np.zeros((1, 12), "int32")
    text[0, -3:] = [5, 6, 7]
    np.testing.assert_allclose(network(text), network(text[:, -3:]), rtol=1e-5)


@pytest.mark.parametrize("dataset", [TEXTS, "digits"])  # words, and the rows of an image
def test_every_loop_trains_a_recurrent_network_to_the_same_bytes(tmp_path, dataset):
    given = {"recipe": "recurrent", "units": 5, "epochs": 2, "limit": 60, "dropout": 0.2}
    runs = [kerasrun.train(dataset, results=tmp_path, loop=loop, **given) for loop in ("plain", "resident", "stream")]
    assert len({(run.folder / "metrics.csv").read_bytes() for run in runs}) == 1
