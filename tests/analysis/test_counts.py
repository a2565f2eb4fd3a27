import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kerasrun.analysis.counts import fisher, holm, mcnemar, sign_flip, wilson

# Fisher 1935, The Design of Experiments, section 21: Darwin's maize, crossed minus selfed, in eighths of an inch
MAIZE = (49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48)

counts = st.integers(0, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3
        (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718),
    ],
)  # fmt: skip
def test_wilson_gives_the_published_intervals(k, n, low, high):
    assert wilson(k, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_by_hand():
    # 4 of 4, z² = 3.8415: high = 1, low = 4 / (4 + 3.8415) = 0.5101
    assert wilson(4, 4) == pytest.approx((4 / (4 + 1.959964**2), 1.0), abs=1e-6)
    assert wilson(0, 0) == (0.0, 1.0)


@given(counts, st.sampled_from([0.9, 0.95, 0.99]))
def test_wilson_agrees_with_scipy_and_holds_the_share(count, level):
    k, n = count
    low, high = wilson(k, n, level)
    assert 0 <= low <= high <= 1
    if n:
        theirs = stats.binomtest(k, n).proportion_ci(level, method="wilson")
        assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
        assert low - 1e-12 <= k / n <= high + 1e-12


def test_fisher_of_the_lady_tasting_tea():
    # Fisher 1935, section 8: all four cups right has probability 1/70; both tails 2/70. Three right: (16 + 1)/70, twice
    assert fisher(4, 4, 0, 4) == pytest.approx(2 / 70)
    assert fisher(3, 4, 1, 4) == pytest.approx(34 / 70)
    assert fisher(5, 5, 5, 5) == 1


@given(counts, counts)
def test_fisher_agrees_with_scipy(one, other):
    (k1, n1), (k2, n2) = one, other
    p = fisher(k1, n1, k2, n2)
    assert 0 < p <= 1
    assert p == pytest.approx(stats.fisher_exact([[k1, n1 - k1], [k2, n2 - k2]]).pvalue, rel=1e-9)


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_the_binomial_test_of_the_images_that_only_one_gets_right(only_a, only_b):
    p = mcnemar(only_a, only_b)
    assert p == mcnemar(only_b, only_a)
    theirs = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert p == pytest.approx(theirs, rel=1e-9)


def test_mcnemar_by_hand_and_never_0():
    assert mcnemar(1, 9) == pytest.approx(2 * (1 + 10) / 2**10)
    assert mcnemar(0, 5000) > 0


def test_sign_flip_of_the_maize_is_fishers():
    # Fisher counts 863 of the 2^15 sums at least as large as 314, and as many on the other side
    assert sign_flip(MAIZE) == pytest.approx(2 * 863 / 2**15)


def test_sign_flip_agrees_with_scipy_and_needs_six():
    values = [0.4, -0.1, 0.7, 0.3, 0.2, 0.6, -0.3]
    theirs = stats.permutation_test((values,), lambda x: abs(x.sum()), permutation_type="samples",
                                    alternative="greater", vectorized=False, n_resamples=math.inf)  # fmt: skip
    assert sign_flip(values) == pytest.approx(theirs.pvalue)
    assert sign_flip(values[:5]) is None
    assert sign_flip([1.0] * 6) == 2 / 2**6
    with pytest.raises(ValueError, match="not finite"):
        sign_flip([math.nan] * 6)


def test_sign_flip_of_many_is_drawn_and_the_same_each_time():
    values = [0.1 * i - 0.9 for i in range(25)]
    p = sign_flip(values)
    assert p == sign_flip(values)
    assert p == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.01)
    assert sign_flip([1.0] * 40) > 0


def test_holm_by_hand():
    # sorted 0.005·4, 0.01·3, 0.03·2, 0.04·1 = 0.02, 0.03, 0.06, 0.04; the last may not be below the one before
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(st.lists(st.floats(1e-300, 1), max_size=12))
def test_holm_lies_between_the_single_p_and_bonferronis(ps):
    for p, adjusted in zip(ps, holm(ps), strict=True):
        assert p <= adjusted <= min(1.0, p * len(ps)) * (1 + 1e-12)


@pytest.mark.parametrize("wrong", [lambda: wilson(6, 5), lambda: fisher(-1, 5, 0, 5), lambda: mcnemar(-1, 0)])
def test_what_is_no_count_is_refused(wrong):
    with pytest.raises(ValueError, match="is no count"):
        wrong()
