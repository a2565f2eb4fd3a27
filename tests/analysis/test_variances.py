"""Variance between splits, between seeds, and of images: hand-worked, and found again in made-up runs."""

import random

import pytest

from kerasrun.analysis.variances import table


def rows(values, images=100):
    return {source: (deviation, share) for source, deviation, share in table(values, images)}


def test_a_hand_worked_table():
    # means of splits 0.5 and 0.7, of seeds 0.5 and 0.7, nothing left over: mean squares 0.04, 0.04, 0
    found = rows({0: {0: 0.4, 1: 0.6}, 1: {0: 0.6, 1: 0.8}})
    assert found["split"] == (pytest.approx(0.02**0.5), pytest.approx(0.5))
    assert found["seed, alike on every split"] == (pytest.approx(0.02**0.5), pytest.approx(0.5))
    assert found["seed, of its own on each split"] == (pytest.approx(0), pytest.approx(0))
    images = "images: sampling error of 100; a part of the split's, known from 2 splits"
    assert found[images] == (pytest.approx(0.0024**0.5), None)
    assert found["mean of 2 seeds on one split, over other seeds"][0] == pytest.approx(0.1)
    assert found["mean of 2 seeds on one split, over other splits, too"][0] == pytest.approx(0.03**0.5)


def test_deviations_that_went_in_come_out_again():
    chance = random.Random(0)
    split, seed = [chance.gauss(0, 0.02) for _ in range(60)], [chance.gauss(0, 0.01) for _ in range(60)]
    values = {a: {b: 0.8 + split[a] + seed[b] + chance.gauss(0, 0.005) for b in range(60)} for a in range(60)}
    found = [deviation for _, deviation, _ in table(values, 12_000)]
    assert found[:3] == pytest.approx([0.02, 0.01, 0.005], rel=0.2)


def test_only_seeds_that_every_split_has_count():
    complete = {0: {0: 0.4, 1: 0.6}, 1: {0: 0.6, 1: 0.8}}
    assert table({0: {**complete[0], 2: 0.1}, 1: complete[1]}, 100) == table(complete, 100)
    with pytest.raises(ValueError, match="two splits and two seeds"):
        table({0: {0: 0.4, 1: 0.6}, 1: {1: 0.6, 2: 0.8}}, 100)
    with pytest.raises(ValueError, match="two splits"):
        table({}, 100)
