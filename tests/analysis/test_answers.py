import numpy as np

from kerasrun.analysis.answers import answers


def test_a_class_stands_beside_its_probability_and_those_of_all_classes():
    found = answers(np.array([[0.1, 0.7, 0.2], [0.5, 0.25, 0.25]], np.float32), "multiclass", ("a", "b", "c"))
    assert found == {
        "predicted": ["b", "a"], "probability": ["0.7", "0.5"], "probability of a": ["0.1", "0.5"],
        "probability of b": ["0.7", "0.25"], "probability of c": ["0.2", "0.25"],
    }  # fmt: skip


def test_one_sigmoid_unit_gives_the_probability_of_both_classes():
    found = answers(np.array([[0.25], [0.75]], np.float32), "binary", ("no", "yes"))
    assert found["predicted"] == ["no", "yes"]
    assert found["probability"] == ["0.75", "0.75"]
    assert found["probability of yes"] == ["0.25", "0.75"]


def test_numbers_read_back_as_the_same_float32():
    outputs = np.random.default_rng(0).normal(size=(100, 1)).astype(np.float32) * 1e5
    texts = answers(outputs, "regression", ())["predicted"]
    assert [np.float32(text) for text in texts] == outputs[:, 0].tolist()
    assert max(map(len, texts)) < 12


def test_several_values_are_numbered():
    assert [*answers(np.zeros((1, 2), np.float32), "regression", ())] == ["predicted 0", "predicted 1"]
