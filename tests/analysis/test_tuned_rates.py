"""The best rate of each setting, by made-up losses; and what the best of some rates is expected to be."""

from itertools import combinations
from statistics import fmean

import pytest
from made_up_runs import run

from kerasrun.analysis.columns import MISSING
from kerasrun.analysis.groups import Group
from kerasrun.analysis.tuned_rates import Tried, expected_best, table, tried


def at(*values):
    """Return a rate that was tried with seeds 0, 1, …: accuracies, None where the run diverged."""
    losses = {seed: float("inf") if value is None else 1 - value for seed, value in enumerate(values)}
    return Tried(losses, {seed: value or 0.1 for seed, value in enumerate(values)})


def test_the_best_rate_has_the_lowest_mean_loss_and_is_counted_over_seeds():
    adam = {0.001: at(0.8, 0.9, 0.8), 0.01: at(0.86, 0.86, 0.86), 0.1: at(0.85, 0.85, 0.85), 1.0: at(0.95, None, 0.95)}
    sgd = {0.01: at(0.5, 0.5, 0.5), 0.1: at(0.5, 0.5, 0.5)}
    first, second = table({"sgd": sgd, "adam": adam})
    assert first[:5] == ("adam", 0.01, pytest.approx(0.86), "0 of 3 seeds", "0.01 to 0.1")
    assert second[:5] == ("sgd", 0.01, 0.5, "3 of 3 seeds", "0.01 to 0.1"), "of equals the smaller rate"
    assert second[5:] == (0.5, 0.5, *[None] * 7), "three rates were not tried"


def test_groups_at_the_optimizers_own_rate_are_passed_over():
    rates = [0.001, 0.01, 0.1, 1.0, None, MISSING]
    groups = [Group({"optimizer": "sgd", "learning_rate": rate}, [run(n, 0.8)]) for n, rate in enumerate(rates)]
    found = tried(groups)
    assert {name: [*its_rates] for name, its_rates in found.items()} == {"sgd": rates[:4]}
    assert len(table(found)) == 1
    assert tried(groups[1:]) == {}, "three rates"


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_the_expected_best_is_the_mean_over_all_choices(k):
    values = [0.3, 0.9, 0.5, 0.7, 0.5]
    assert expected_best(values, k) == pytest.approx(fmean(max(chosen) for chosen in combinations(values, k)))
