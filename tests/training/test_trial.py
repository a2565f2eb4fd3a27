"""One batch alone: a network that can learn learns it by heart, one that cannot is found out."""

import math

import numpy as np
import pytest

from kerasrun import datasets
from kerasrun.experiment import resolve
from kerasrun.training.trial import MOST_STEPS, Trial, try_out


def trial(dataset, **given):
    experiment = resolve(dataset, {"limit": 200, **given} if dataset == "digits" else given)
    return try_out(experiment, datasets.load(experiment))


def test_a_network_that_can_learn_learns_one_batch_by_heart_and_stops_early():
    found = trial("digits", hidden="64", learning_rate=0.01)
    assert found.learned(math.log(10))
    assert found.losses[-1] < 0.05
    assert found.steps < MOST_STEPS
    assert found.examples == 32
    low, high = found.outputs
    assert 0 < low < 0.1 < high < 1
    assert [row["layer"] for row in found.layers] == ["input", "dense", "dense_1"]


def test_a_network_whose_gradients_vanish_does_not():
    found = trial("digits", hidden="16x10", activation="sigmoid")
    assert not found.learned(math.log(10))
    assert found.steps == MOST_STEPS


def test_a_loss_that_only_came_down_to_that_of_guessing_is_none_that_was_learned():
    found = trial("digits", scale="none", initializer="normal(stddev=10)", optimizer="sgd(learning_rate=1e-12)")
    assert found.losses[0] > 100
    assert not found.learned(math.log(10))


@pytest.mark.parametrize("dataset", ["diabetes", "xor"])
def test_numbers_and_truth_tables_are_learned_too(dataset):
    assert trial(dataset, optimizer="adam(learning_rate=0.05)").learned(None)


def test_a_loss_below_zero_is_learned_by_falling_further():
    found = trial("iris", loss="cosine_similarity", hidden="16", optimizer="adam(learning_rate=0.05)")
    assert found.losses[0] < 0
    assert found.steps == MOST_STEPS
    assert found.losses[-1] < -0.9
    assert found.learned(None)
    still = trial("iris", loss="cosine_similarity", hidden="16", optimizer="sgd(learning_rate=1e-9)")
    assert still.steps == MOST_STEPS
    assert not still.learned(None)
    assert not still.still_falls


def test_a_loss_that_is_no_number_from_the_start_is_not_taken_for_a_network_with_nothing_to_train():
    found = trial("diabetes", loss="poisson", hidden="4")  # of standardized outputs, half of them below zero
    assert math.isnan(found.losses[0])
    assert found.steps
    assert not found.learned(None)


@pytest.mark.parametrize(
    ("losses", "learned"),
    [((2.0, 0.3), False), ((2.0, 0.1), True), ((2.0, -0.1), True), ((-0.6, -0.65), False), ((-0.6, -0.67), True),
     ((0.0, 0.0), False), ((0.0, -0.1), True)],
)  # fmt: skip
def test_learned_is_a_tenth_of_the_first_loss_or_a_tenth_below_one_that_is_not_positive(losses, learned):
    assert Trial([], (0.0, 1.0), 32, 25, losses).learned(None) == learned


def test_a_rate_that_is_far_too_high_ends_the_trial():
    found = trial("digits", optimizer="sgd(learning_rate=1e30)")
    assert not np.isfinite(found.losses[-1]) or found.losses[-1] > found.losses[0]
    assert not found.learned(math.log(10))


def test_a_network_with_nothing_to_train_makes_no_step():
    assert trial("xor", recipe="xor_by_hand").steps == 0
