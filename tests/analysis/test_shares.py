import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun.analysis.shares import shares
from kerasrun.errors import InputError


def points(grid):
    """Return an array (points …, seeds) as point -> seed -> value."""
    return {cell: dict(enumerate(grid[cell].tolist())) for cell in itertools.product(*map(range, grid.shape[:-1]))}


def by_axis(found):
    return {row.axis: row for row in found}


def hand_worked():
    """Return 2 × 2 points × 3 seeds.

    Points 2, 6 / 8, 8: mean 6; first axis ∓2, second ∓1, interaction −1 +1 +1 −1. Seeds −1, 0, +1. Left over: +1 −1 0
    over the seeds, with signs + − + − over the points.
    """
    signs = np.array([[1, -1], [1, -1]])[..., None]
    return np.array([[2.0, 6], [8, 8]])[..., None] + np.array([-1, 0, 1]) + signs * np.array([1, -1, 0])


def test_two_by_two_by_three_by_hand():
    # sums of squares, 12 values: first 12·4 = 48, second 12·1 = 12, interaction 12·1 = 12, seeds 4·2 = 8,
    # left over 4·2 = 8 with 3·2 = 6 degrees of freedom: mean square 4/3; all 88. ω² = (SS − df·4/3) / (88 + 4/3):
    # 48 − 4/3 = 140/3, 12 − 4/3 = 32/3, seeds 8 − 8/3 = 16/3, left over 12·4/3 = 48/3, all over 268/3
    found = by_axis(shares(points(hand_worked()), ("first", "second")))
    assert list(found) == ["first", "second", "interactions", "seed", "left over"]
    wanted = {"first": 140, "second": 32, "interactions": 32, "seed": 16, "left over": 48}
    assert {name: row.first for name, row in found.items()} == pytest.approx(
        {name: share / 268 for name, share in wanted.items()}
    )
    assert found["first"].total == pytest.approx((140 + 32) / 268)
    assert found["second"].total == pytest.approx((32 + 32) / 268)
    assert all(row.low is None for row in found.values())  # three seeds are too few


def test_ishigamis_function_has_its_published_shares():
    # Ishigami and Homma 1990, f = sin x + 7 sin² y + 0.1 z⁴ sin x on (−π, π)³; first order 0.314, 0.442, 0;
    # total 0.558, 0.442, 0.244 (Saltelli et al. 2008, Global Sensitivity Analysis, section 4)
    axis = (np.arange(24) + 0.5) / 24 * 2 * math.pi - math.pi
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    grid = np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)
    found = by_axis(shares(points(np.stack([grid, grid], axis=-1)), "xyz"))
    assert [found[name].first for name in "xyz"] == pytest.approx([0.3139, 0.4424, 0.0], abs=0.006)
    assert [found[name].total for name in "xyz"] == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.006)
    assert found["interactions"].first == pytest.approx(0.2437, abs=0.006)
    assert [found[name].first for name in ("seed", "left over")] == pytest.approx([0, 0], abs=1e-12)


def test_an_axis_that_does_nothing_has_no_share_on_average():
    random = np.random.default_rng(0)
    plain, omega = [], []
    for _ in range(200):
        grid = random.standard_normal((4, 3, 5)) + 2 * np.arange(3)[:, None]
        found = by_axis(shares(points(grid), ("idle", "busy")))
        omega.append(found["idle"].first)
        centred = grid - grid.mean()
        plain.append(15 * (centred.mean(axis=(1, 2)) ** 2).sum() / (centred**2).sum())
    assert np.mean(omega) < 0.6 * np.mean(plain)  # floored at 0, so not quite 0
    assert np.mean(omega) < 0.01


@given(st.integers(0, 10**6), st.floats(0.01, 100), st.floats(-1000, 1000))
def test_shares_add_up_and_know_neither_unit_nor_order(seed, unit, origin):
    random = np.random.default_rng(seed)
    grid = random.standard_normal((3, 2, 4)) + 3 * random.standard_normal((3, 1, 1))
    found = shares(points(grid), ("a", "b"))
    assert 1 - 1e-9 <= sum(row.first for row in found) <= 1.5  # floors only add
    assert all(0 <= row.first <= row.total <= 1 for row in found)
    again = shares(points(unit * grid[::-1, :, ::-1] + origin), ("a", "b"))
    assert [row.first for row in again] == pytest.approx([row.first for row in found], abs=1e-6)
    swapped = by_axis(shares(points(grid.swapaxes(0, 1)), ("b", "a")))
    assert [swapped[row.axis].total for row in found] == pytest.approx([row.total for row in found])


def test_five_seeds_have_intervals():
    random = np.random.default_rng(1)
    grid = random.standard_normal((3, 2, 5)) + 3 * np.arange(3)[:, None, None]
    first = shares(points(grid), ("a", "b"))[0]
    assert 0 <= first.low < first.first < first.high <= 1
    assert shares(points(grid[..., :4]), ("a", "b"))[0].low is None


def test_the_intervals_cover():
    random, hits = np.random.default_rng(2), 0
    for _ in range(300):
        grid = random.standard_normal((3, 2, 6)) + np.array([-1, 0, 1])[:, None, None]
        row = shares(points(grid), ("a", "b"))[0]
        hits += row.low <= (2 / 3) / (2 / 3 + 1) <= row.high
    assert hits / 300 > 0.95 - 4 * math.sqrt(0.05 * 0.95 / 300)


def test_one_axis_has_no_interactions():
    found = by_axis(shares(points(hand_worked()[0]), ("only",)))
    assert found["interactions"].first == pytest.approx(0)
    assert found["only"].first == pytest.approx(found["only"].total)


LABELS = (("sgd", "adam", "rmsprop"), ("relu", "tanh"))


def gappy(*gaps):
    grid = points(np.random.default_rng(0).standard_normal((3, 2, 5)))
    for *cell, seed in gaps:
        del grid[tuple(cell)][seed]
    return grid


def test_missing_cells_are_named_and_the_largest_complete_part_offered():
    with pytest.raises(InputError) as raised:
        shares(gappy((1, 0, 3), (1, 1, 3)), ("optimizer", "activation"), labels=LABELS)
    assert str(raised.value).splitlines() == [
        "shares of variance need a full grid; 2 of 30 runs are missing or have no result: "
        "optimizer=adam activation=relu seed=3, optimizer=adam activation=tanh seed=3",
        "its largest complete part (24 runs) leaves out seed=3",
    ]


def test_many_missing_cells_are_counted():
    gaps = [(1, 0, seed) for seed in range(5)] + [(1, 1, seed) for seed in range(4)]
    with pytest.raises(InputError, match=r"9 of 30 .* seed=2 and 6 more\n.*\(20 runs\) leaves out optimizer=2$"):
        shares(gappy(*gaps), ("optimizer", "activation"))


@given(st.sets(st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 3)), min_size=1, max_size=12))
def test_what_is_offered_is_complete_and_nothing_complete_is_larger(gaps):
    grid = points(np.random.default_rng(0).standard_normal((3, 2, 4)))
    for *cell, seed in gaps:
        del grid[tuple(cell)][seed]
    sizes = [
        len(one) * len(two) * len(seeds)
        for one, two, seeds in itertools.product(*(list(subsets(range(n))) for n in (3, 2, 4)))
        if len(one) * len(two) > 1 and len(seeds) > 1 and not gaps & set(itertools.product(one, two, seeds))
    ]
    try:
        shares(grid, ("a", "b"))
    except InputError as error:
        text = str(error)
        assert f"({max(sizes)} runs)" in text if sizes else "part" not in text
    else:  # a value or a seed that is missing everywhere is none of the grid's
        whole = ((8, 12, 6)[axis] for axis in range(3))
        assert any(max(Counter(gap[axis] for gap in gaps).values()) == size for axis, size in enumerate(whole))


def subsets(values):
    return itertools.chain.from_iterable(itertools.combinations(values, n) for n in range(1, len(values) + 1))


@pytest.mark.parametrize(
    ("grid", "match"),
    [
        (np.ones((3, 2, 5)), "all values are equal"),
        (np.arange(6.0).reshape(3, 2, 1), "two seeds"),
        (np.arange(5.0).reshape(1, 1, 5), "two points"),
    ],
)
def test_where_nothing_can_be_shared_out_it_is_said(grid, match):
    with pytest.raises(InputError, match=match):
        shares(points(grid), ("a", "b"))


def test_no_values_at_all_are_refused():
    with pytest.raises(InputError, match="two seeds"):
        shares({}, ("a", "b"))


def test_what_is_not_finite_is_refused():
    grid = hand_worked()
    grid[0, 0, 0] = math.nan
    with pytest.raises(ValueError, match="not finite"):
        shares(points(grid), ("a", "b"))
