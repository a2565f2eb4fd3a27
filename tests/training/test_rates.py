"""The range test suggests rates that learn, other ones for other optimizers, and says where it cannot."""

import pytest

import kerasrun
from kerasrun import datasets
from kerasrun.errors import InputError
from kerasrun.experiment import resolve
from kerasrun.training.rates import RangeTest, _batches, find_rate


def found(optimizer, low=1e-6, high=10.0, **given):
    experiment = resolve("digits", {"optimizer": optimizer, "hidden": "32", **given})
    return find_rate(experiment, datasets.load(experiment), low=low, high=high, steps=150)


def test_the_suggested_rate_learns_where_a_hundredth_and_a_hundredfold_do_not(tmp_path):
    rate = found("sgd").suggested
    accuracies = [
        kerasrun.train(
            "digits", optimizer=f"sgd(learning_rate={factor * rate!r})", hidden="32", epochs=3, results=tmp_path
        ).record["last"]["val_accuracy"]
        for factor in (0.01, 1, 100)
    ]
    assert accuracies[1] > 0.85
    assert accuracies[1] > max(accuracies[0], accuracies[2]) + 0.2


def test_adaptive_optimizers_bear_smaller_rates_than_gradient_descent():
    assert found("adam").lowest < 0.5 * found("sgd").lowest


def test_the_same_seed_gives_the_same_numbers_and_the_loss_is_that_of_batches():
    first, second = found("adam"), found("adam")
    assert first == second
    assert list(first.rates) == sorted(first.rates)
    assert min(first.losses) < 0.7 * first.losses[0]
    assert first != found("adam", seed=1)


def test_the_loss_is_the_weighted_one_that_is_trained():
    plain, weighted = found("adam"), found("adam", class_weights="0=10,1=10,2=10,3=10,4=10,5=10,6=10,7=10,8=10,9=10")
    assert weighted.losses[0] == pytest.approx(10 * plain.losses[0], rel=1e-4)


def test_a_truth_table_goes_by_batches_of_its_passes():
    experiment = resolve("xor", {"batch_size": 8})
    assert [len(rows) for rows, _ in zip(_batches(experiment, datasets.load(experiment)), range(3), strict=False)] == [
        8, 8, 8,
    ]  # fmt: skip


def test_the_rate_ends_where_the_loss_explodes():
    assert found("sgd", high=1e6).rates[-1] < 1e5


def test_a_loss_below_zero_does_not_end_the_test_at_once():
    experiment = resolve("iris", {"loss": "cosine_similarity", "hidden": "8", "optimizer": "adam"})
    found = find_rate(experiment, datasets.load(experiment), low=1e-5, high=1.0, steps=60)
    assert len(found.rates) == 60
    assert min(found.losses) < found.losses[0] - 0.1 < 0


def test_a_loss_that_is_no_number_before_any_step_is_said():
    experiment = resolve("diabetes", {"loss": "poisson", "hidden": "4"})
    with pytest.raises(InputError, match="loss=poisson of the first batch is not a number before any step"):
        find_rate(experiment, datasets.load(experiment), low=1e-6, high=1.0, steps=20)


@pytest.mark.parametrize(("lowest", "suggested"), [(0.3, 0.1), (0.031, 0.01), (0.0028, 0.0009)])
def test_a_third_of_the_best_rate_is_suggested_in_one_digit(lowest, suggested):
    assert RangeTest((0.001 * lowest, lowest, 10 * lowest), (2.0, 1.0, 3.0)).suggested == suggested
