import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'kerasrun[plot]'")

from kerasrun.analysis import evaluation_pictures  # noqa: E402

LABELS = np.arange(30) % 3
PROBABILITY = np.eye(3, dtype=np.float32)[(LABELS + (np.arange(30) % 7 == 0)) % 3] * 0.7 + 0.1


def test_a_classifier_is_drawn_with_the_names_and_counts_of_its_classes():
    picture = evaluation_pictures.classification(
        "a title", LABELS, PROBABILITY, ["red", "$x^2$", "<b>"], "svg"
    ).decode()
    for text in (
        "a title",
        ">red<",
        "$x^2$",
        "&lt;b&gt;",
        "probability of the predicted class",
        "expected calibration",
    ):
        assert text in picture
    assert evaluation_pictures.classification("t", LABELS, PROBABILITY, "abc", "png").startswith(b"\x89PNG")


def test_many_classes_are_drawn_without_names():
    probability = np.eye(100, dtype=np.float32)
    picture = evaluation_pictures.classification("t", np.arange(100), probability, [f"c{i}" for i in range(100)], "svg")
    assert b">c50<" not in picture


@pytest.mark.parametrize("targets", [1, 2])
def test_a_regression_is_drawn_as_predictions_and_residuals(targets):
    true = np.random.default_rng(0).normal(size=(50, targets))
    picture = evaluation_pictures.regression("t", true, true + 1, "svg").decode()
    assert "residual: predicted - true" in picture
    assert ("output 1" in picture) == (targets == 2)


def test_equal_evaluations_are_equal_files():
    one, other = (evaluation_pictures.regression("t", np.eye(2), np.eye(2), "svg") for _ in range(2))
    assert one == other


@pytest.mark.parametrize(("count", "channels"), [(0, 1), (1, 3), (7, 1)])
def test_images_are_drawn_in_a_grid_with_their_captions(count, channels):
    images = np.ones((count, 6, 5, channels), np.float32)
    picture = evaluation_pictures.grid("a title", images, [f"row {i}: <a>" for i in range(count)], "svg").decode()
    assert picture.count("<image") == count
    assert picture.count("&lt;a&gt;") == count
    assert "a title" in picture
