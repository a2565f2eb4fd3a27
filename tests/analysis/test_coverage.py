"""A small version of `python -m benchmarks.coverage`; tolerances are four binomial standard errors."""

import math

import numpy as np
import pytest

from benchmarks import coverage
from kerasrun.analysis.verdicts import kind_of

DRAWS = 1500
SURE = 4 * math.sqrt(0.05 * 0.95 / DRAWS)


@pytest.mark.parametrize(("seeds", "correlation"), [(3, 0.94), (5, 0.5), (10, 0.15)])
def test_intervals_hold_the_truth_19_times_in_20(seeds, correlation):
    share = coverage.paired_coverage("normal", seeds, correlation, DRAWS, np.random.default_rng(1))
    assert share == pytest.approx(0.95, abs=SURE)


def test_heavy_tails_and_other_seeds_cost_little():
    random = np.random.default_rng(2)
    assert coverage.paired_coverage("t5", 5, 0.5, DRAWS, random) > 0.95 - SURE
    assert coverage.welch_coverage("normal", 5, DRAWS, random) == pytest.approx(0.95, abs=SURE)


def test_families_state_false_directions_and_equality_no_more_often_than_promised():
    random = np.random.default_rng(3)
    nothing = coverage.errors((0.0,) * 6, "normal", 5, 0.5, DRAWS, random)
    margin = coverage.errors((0.005,) * 6, "normal", 10, 0.15, DRAWS, random)
    assert 0.01 < nothing["direction"] < 0.05 + SURE
    assert margin["size"] < 0.05 + SURE
    assert 0.02 < margin["one equal"] < 0.05 + SURE
    assert margin["one contradicted"] < 0.05 + SURE


def test_without_a_correction_the_simulation_would_notice():
    random = np.random.default_rng(4)
    false = 0
    for _ in range(300):
        settings = coverage.draw([0.88] * 7, 5, "normal", 0.5, random)
        alone = [coverage.family([settings[0], setting])[0] for setting in settings[1:]]
        false += any(kind_of(one, coverage.MARGIN).startswith(("better", "worse")) for one in alone)
    assert false / 300 > 0.05 + 4 * math.sqrt(0.05 * 0.95 / 300)


def test_spending_the_error_budget_keeps_it_and_looking_again_without_does_not():
    random = np.random.default_rng(5)
    assert coverage.looks((5, 10, 20), 500, random, spend=True) < 0.05 + 4 * math.sqrt(0.05 * 0.95 / 500)
    assert coverage.looks((5, 10, 20), 500, random, spend=False) > 0.07
