import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.calibration import calibration_curve

from kerasrun.analysis import scores


def some(classes, count=200, seed=0):
    """Return labels and probabilities that know something of them."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, count)
    outputs = random.exponential(size=(count, classes)) + 2 * np.eye(classes)[labels] * random.random((count, 1))
    return labels, (outputs / outputs.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_the_confusion_matrix_is_that_of_scikit_learn(classes):
    labels, probability = some(classes)
    said = probability.argmax(axis=1)
    expected = metrics.confusion_matrix(labels, said, labels=range(classes))
    np.testing.assert_array_equal(scores.confusion(labels, said, classes), expected)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_precision_recall_f1_support_and_their_means_are_those_of_scikit_learn(pairs):
    labels, said = np.array(pairs).T
    found = scores.by_class(scores.confusion(labels, said, 5))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = metrics.precision_recall_fscore_support(labels, said, labels=range(5), zero_division=0)
        present = np.union1d(labels, said)
        means = {
            name: metrics.precision_recall_fscore_support(labels, said, labels=present, average=name, zero_division=0)
            for name in ("macro", "weighted")
        }
    for score, precision, recall, f1, support in zip(found, *expected, strict=True):
        assert (score.precision or 0, score.recall or 0, score.f1 or 0) == pytest.approx((precision, recall, f1))
        assert score.support == support
    for name, mean in scores.averages(found).items():
        assert (mean.precision, mean.recall, mean.f1) == pytest.approx(means[name][:3])


def test_what_cannot_be_known_is_none_and_not_zero():
    never_said, never_there, neither = scores.by_class(np.array([[0, 2, 0], [0, 0, 0], [0, 0, 0]]))
    assert (never_said.precision, never_said.recall, never_said.f1, never_said.support) == (None, 0, 0, 2)
    assert (never_there.precision, never_there.recall, never_there.f1, never_there.support) == (0, None, 0, 0)
    assert (neither.precision, neither.recall, neither.f1) == (None, None, None)


@pytest.mark.parametrize("bins", [5, 10])
def test_reliability_is_the_calibration_curve_of_scikit_learn(bins):
    labels, probability = some(2, count=500)
    came, said = calibration_curve(labels, probability[:, 1], n_bins=bins)
    found = scores.reliability(probability[:, 1], labels == 1, bins)
    assert [each.came for each in found] == pytest.approx(came)
    assert [each.said for each in found] == pytest.approx(said)
    assert sum(each.count for each in found) == 500


def test_the_ends_and_the_limits_of_bins_belong_to_one_bin_each():
    found = scores.reliability(np.array([0.0, 0.5, 1.0, 0.50001]), np.array([False, True, True, True]), 2)
    assert [(each.low, each.high, each.count) for each in found] == [(0, 0.5, 2), (0.5, 1, 2)]


def test_the_calibration_error_is_the_mean_distance_weighted_by_the_counts():
    bins = [scores.Bin(0.0, 0.5, 30, 0.2, 0.3), scores.Bin(0.5, 1.0, 10, 0.9, 0.5)]
    assert scores.calibration_error(bins) == pytest.approx((30 * 0.1 + 10 * 0.4) / 40)


def test_perfect_predictions_have_no_calibration_error_and_no_brier_score():
    labels = np.array([0, 1, 2, 1])
    sure = np.eye(3, dtype=np.float32)[labels]
    assert scores.calibration_error(scores.reliability(sure.max(axis=1), labels == sure.argmax(axis=1))) == 0
    assert scores.brier(sure, labels) == 0


@pytest.mark.parametrize("classes", [2, 4])
def test_the_brier_score_is_that_of_scikit_learn(classes):
    labels, probability = some(classes)
    given_ = probability[:, 1] if classes == 2 else probability / probability.sum(axis=1, keepdims=True, dtype=float)
    wanted = {} if classes == 2 else {"labels": range(classes)}
    expected = metrics.brier_score_loss(labels, given_, scale_by_half=classes == 2, **wanted)
    assert scores.brier(probability, labels) == pytest.approx(expected, rel=1e-5)


def test_one_sigmoid_unit_is_two_probabilities():
    both = scores.probabilities(np.array([[0.25], [0.5], [0.75]], np.float32), "binary")
    assert both.tolist() == [[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]]
    assert both.argmax(axis=1).tolist() == [0, 0, 1]  # 0.5 is the first class, as in predictions.npz
