import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from kerasrun.analysis.statistics import Margin, differences, estimate, holm, is_share, usual_margin
from kerasrun.errors import InputError

# Student 1908, "The probable error of a mean": hours of sleep gained by ten patients from two drugs
SLEEP = (
    (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0),
    (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4),
)
# Fisher 1935, The Design of Experiments, section 17: Darwin's maize, crossed minus self-fertilized
MAIZE = (49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48)
POINT = Margin(0.005)

accuracies = st.floats(0, 1, width=32)
images = st.integers(0, 1000).map(lambda right: right / 1000)  # no tiny spreads, at which scipy underflows
finite = st.floats(-1e150, 1e150)


def by_seed(values, first=0):
    return dict(enumerate(values, first))


def difference(one, other, margin=POINT, direction="max", **options):
    (found,) = differences([(one, other)], margin=margin, direction=direction, **options)
    return found


def pair(values, least=2, most=12):
    return st.integers(least, most).flatmap(
        lambda n: st.tuples(*[st.lists(values, min_size=n, max_size=n).map(by_seed)] * 2)
    )


class TestDifference:
    def test_paired_t_of_students_sleep(self):
        # differences 1.2 2.4 1.3 1.3 0 1 1.8 0.8 4.6 1.4: mean 1.58, sd 1.23, t = 1.58 / (1.23 / √10) = 4.0621,
        # 9 degrees of freedom, p = 0.002833, interval 0.7001 to 2.4599 (as R's help page of t.test computes)
        found = difference(by_seed(SLEEP[1]), by_seed(SLEEP[0]))
        assert (found.method, found.n, found.seeds_left_out) == ("paired t", 10, ())
        assert (found.mean, found.sd, found.p) == pytest.approx((1.58, 1.229995, 0.002833), abs=1e-6)
        assert (found.low, found.high) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)
        assert found.correlation == pytest.approx(np.corrcoef(*SLEEP)[0, 1])

    def test_welch_of_students_sleep_as_two_groups(self):
        # t = -1.8608, 17.776 degrees of freedom, p = 0.07939, interval -3.3655 to 0.2055 (R's help page of t.test)
        found = difference(by_seed(SLEEP[0]), by_seed(SLEEP[1], first=10))
        assert (found.method, found.n, found.correlation) == ("Welch", 10, None)
        assert (found.mean, found.p) == pytest.approx((-1.58, 0.07939), abs=5e-6)
        assert (found.low, found.high) == pytest.approx((-3.365483, 0.205483), abs=1e-6)

    def test_paired_t_of_darwins_maize(self):
        # Fisher: mean 20.933, t = 2.148 with 14 degrees of freedom, p just below 0.05
        found = difference(by_seed(MAIZE), dict.fromkeys(range(15), 0.0))
        assert found.mean == pytest.approx(314 / 15)
        assert found.mean / (found.sd / math.sqrt(15)) == pytest.approx(2.148, abs=5e-4)
        assert found.p == pytest.approx(0.0497, abs=5e-5)

    @given(pair(images))
    def test_paired_t_agrees_with_scipy(self, groups):
        one, other = groups
        found = difference(one, other)
        assume(found.method == "paired t")
        theirs = stats.ttest_rel([*one.values()], [*other.values()])
        assert found.p == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-300)
        low, high = theirs.confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((low, high), rel=1e-6, abs=1e-9)
        low, high = theirs.confidence_interval(0.90)
        assert (found.tost_low, found.tost_high) == pytest.approx((low, high), rel=1e-6, abs=1e-9)

    @pytest.mark.filterwarnings("ignore:Precision loss")  # scipy's, where one group does not vary
    @given(st.lists(images, min_size=2, max_size=9), st.lists(images, min_size=2, max_size=9))
    def test_welch_agrees_with_scipy(self, a, b):
        found = difference(by_seed(a), by_seed(b, first=50))
        assume(found.method == "Welch")
        theirs = stats.ttest_ind(a, b, equal_var=False)
        assert found.p == pytest.approx(theirs.pvalue, rel=1e-5, abs=1e-300)
        low, high = theirs.confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((low, high), rel=1e-5, abs=1e-9)

    def test_seeds_that_partly_overlap_are_paired_on_the_common_ones_and_the_others_named(self):
        one, other = by_seed([0.8, 0.82, 0.85, 0.81]), by_seed([0.7, 0.75, 0.71, 0.9], first=2)
        found = difference(one, other)
        assert (found.method, found.n, found.seeds_left_out) == ("paired t", 2, (0, 1, 4, 5))
        assert found.mean == pytest.approx((0.85 - 0.7 + 0.81 - 0.75) / 2)

    def test_one_common_seed_of_several_is_never_filled_up_with_others(self):
        found = difference(by_seed([0.8, 0.82, 0.85]), by_seed([0.7, 0.75, 0.71], first=2))
        assert (found.method, found.n, found.p, found.low) == ("none", 1, None, None)
        assert found.mean == pytest.approx(0.85 - 0.7)

    @pytest.mark.parametrize("other", [{0: 0.7}, {1: 0.7}, {1: 0.7, 2: 0.9}])
    def test_one_seed_has_a_difference_but_no_interval(self, other):
        found = difference({0: 0.9}, other)
        assert (found.method, found.n, found.p, found.p_adjusted, found.low) == ("one seed", 1, None, None, None)
        assert found.mean == pytest.approx(0.9 - sum(other.values()) / len(other))

    def test_no_seeds_at_all(self):
        found = difference({}, {0: 0.7})
        assert (found.method, found.n, found.mean, found.p) == ("none", 0, None, None)

    def test_two_seeds_have_an_interval_of_one_degree_of_freedom(self):
        found = difference({0: 0.9, 1: 0.8}, {0: 0.85, 1: 0.77})  # differences 0.05, 0.03: mean 0.04, sd 0.014142
        half = 12.7062 * 0.0141421 / math.sqrt(2)
        assert (found.low, found.high) == pytest.approx((0.04 - half, 0.04 + half), abs=1e-5)
        assert found.correlation is None

    def test_identical_values_are_not_tested(self):
        found = difference(by_seed([0.8, 0.9, 0.85]), by_seed([0.8, 0.9, 0.85]))
        assert (found.method, found.mean, found.p, found.p_adjusted, found.low) == ("identical", 0, None, None, None)

    def test_the_same_difference_in_every_seed_has_the_p_of_its_signs(self):
        one = [0.8812, 0.8790, 0.8771, 0.8808, 0.8799]
        found = difference(by_seed(one), by_seed([value - 0.0011 for value in one]))  # not equal to the last bit
        assert (found.method, found.p, found.low, found.sd) == ("same difference", 2 * 2**-5, None, 0)
        assert found.mean == pytest.approx(0.0011)

    def test_other_seeds_that_are_all_at_chance_have_the_p_of_their_order(self):
        found = difference(by_seed([0.3] * 4), by_seed([0.1] * 5, first=4))
        assert (found.method, found.p, found.low) == ("same difference", 2 / math.comb(9, 4), None)
        assert difference(by_seed([0.1] * 4), by_seed([0.1] * 5, first=4)).method == "identical"

    def test_a_spread_below_the_resolution_is_taken_for_that_of_rounding(self):
        one, other = by_seed([0.80, 0.80, 0.80, 0.8002]), by_seed([0.79] * 4)
        assert difference(one, other, resolution=1e-3).sd == pytest.approx(1e-3 / math.sqrt(12))
        assert difference(one, other).sd == pytest.approx(1e-4)
        in_images = by_seed([8001 / 12000, 8003 / 12000, 8002 / 12000])
        shifted = by_seed([float(np.float32(value - 5 / 12000)) for value in in_images.values()])
        assert difference(in_images, shifted, resolution=1 / 12000).method == "same difference"

    @pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
    def test_what_is_not_finite_is_refused_even_for_one_seed(self, bad):
        with pytest.raises(ValueError, match="not finite"):
            difference({0: bad}, {0: 0.5})
        with pytest.raises(ValueError, match="not finite"):
            estimate([0.5, bad], metric="val_accuracy")

    def test_less_is_better_for_losses(self):
        one, other = by_seed([0.30, 0.31, 0.33]), by_seed([0.36, 0.37, 0.38])
        assert difference(one, other, direction="min").mean == pytest.approx(0.05667, abs=1e-5)
        assert difference(one, other, Margin(0.02, relative=True), "min").mean > 0

    def test_ratios_are_told_as_shares(self):
        # the other's loss is 1.1, 1.2, 1.3 times one's own: mean log 0.18003, so 19.73 % better
        one, other = by_seed([0.5, 0.4, 0.3]), by_seed([0.55, 0.48, 0.39])
        found = difference(one, other, Margin(0.02, relative=True), "min")
        logs = np.log([1.1, 1.2, 1.3])
        assert found.mean == pytest.approx(math.exp(logs.mean()) - 1)
        low, high = stats.t.interval(0.95, 2, logs.mean(), logs.std(ddof=1) / math.sqrt(3))
        assert found.low == pytest.approx(-(math.exp(-low) - 1))  # below 0: how much worse, in one's own terms
        assert found.high == pytest.approx(math.exp(high) - 1)
        assert found.sd == pytest.approx(logs.std(ddof=1))

    def test_a_ratio_of_what_is_not_above_0_is_none(self):
        found = difference(by_seed([0.0, 0.1]), by_seed([0.2, 0.3]), Margin(0.02, relative=True), "min")
        assert (found.method, found.n, found.mean, found.p) == ("none", 2, None, None)
        zeros = by_seed([0.0, 0.0])
        assert difference(zeros, zeros, Margin(0.02, relative=True), "min").method == "identical"

    @given(pair(st.floats(1e-8, 1e8)), st.floats(1e-3, 1e3))
    def test_a_ratio_does_not_know_the_unit(self, groups, unit):
        one, other = groups
        in_unit = [{seed: value * unit for seed, value in group.items()} for group in groups]
        margin = Margin(0.1, relative=True)
        mine, theirs = difference(one, other, margin, "min"), difference(*in_unit, margin, "min")
        if mine.method == theirs.method == "paired t":
            assert mine.p == pytest.approx(theirs.p, rel=1e-3, abs=1e-9)

    def test_limits_beyond_what_shares_can_be_are_cut_off(self):
        one, other = by_seed([0.99, 0.2]), by_seed([0.3, 0.1])
        assert difference(one, other).high > 1
        found = difference(one, other, bounded=True)
        assert (found.low, found.high) == (-1, 1)

    @given(pair(st.one_of(accuracies, finite)), st.booleans(), st.sampled_from(["min", "max"]), st.booleans())
    def test_whatever_the_values_the_numbers_are_numbers_and_alike_in_both_directions(
        self, groups, relative, direction, paired
    ):
        one, other = groups
        if not paired:
            other = {seed + 100: value for seed, value in other.items()}
        margin = Margin(0.01, relative)
        mine = difference(one, other, margin, direction)
        back = difference(other, one, margin, direction)
        numbers = (mine.mean, mine.low, mine.high, mine.p, mine.p_adjusted, mine.correlation, mine.sd, mine.tost_low)
        assert not any(number is not None and math.isnan(number) for number in numbers)
        assert mine.p is None or 0 < mine.p <= 1
        assert mine.method == back.method
        if mine.low is not None:
            assert mine.low <= mine.tost_low <= mine.mean <= mine.tost_high <= mine.high
            assert (back.low, back.mean, back.high) == pytest.approx((-mine.high, -mine.mean, -mine.low), rel=1e-9)
            assert math.isfinite(mine.low)
            assert mine.p == pytest.approx(back.p)


class TestFamily:
    FAMILY = [(by_seed([0.80 + gain, 0.81 + gain * 1.5, 0.83 + gain]), by_seed([0.80, 0.815, 0.82])) for gain in
              (0.001, 0.02, 0.05)]  # fmt: skip

    def test_ps_are_holms_and_intervals_bonferronis(self):
        found = differences(self.FAMILY, margin=POINT, direction="max")
        assert [one.p_adjusted for one in found] == holm([one.p for one in found])
        assert {one.level for one in found} == {1 - 0.05 / 3}
        alone = difference(*self.FAMILY[2], alpha=0.05 / 3)
        assert (found[2].low, found[2].high) == pytest.approx((alone.low, alone.high))

    def test_what_was_identical_counts_in_the_family_and_one_seed_does_not(self):
        same = by_seed([0.8, 0.9, 0.7])
        found = differences([*self.FAMILY, (same, same), ({0: 0.3}, {0: 0.2})], margin=POINT, direction="max")
        assert {one.level for one in found} == {1 - 0.05 / 4}
        assert found[3].p_adjusted is found[4].p_adjusted is None
        assert min(one.p_adjusted / one.p for one in found[:3]) >= 1
        assert max(one.p_adjusted / one.p for one in found[:3]) == pytest.approx(4)

    def test_equivalence_is_tested_at_5_per_cent_each(self):
        found = differences(self.FAMILY, margin=POINT, direction="max")[0]
        alone = difference(*self.FAMILY[0])
        assert (found.tost_low, found.tost_high) == (alone.tost_low, alone.tost_high)

    @given(st.lists(pair(accuracies, most=5), max_size=6))
    def test_an_interval_without_0_is_always_a_difference_shown(self, pairs):
        found = differences(pairs, margin=POINT, direction="max")
        for one in found:
            if one.low is not None and (one.low > 0 or one.high < 0):
                assert one.p_adjusted < 0.05 + 1e-9
            if one.low is not None and len(pairs) == 1:  # no correction: the two say the same
                assert (one.low > 0 or one.high < 0) == (one.p_adjusted < 0.05) or abs(one.p - 0.05) < 1e-9

    def test_no_pairs_are_no_differences(self):
        assert differences([], margin=POINT, direction="max") == []


class TestEstimate:
    def test_the_interval_is_students(self):
        values = [0.8812, 0.8790, 0.8771, 0.8808, 0.8799]
        found = estimate(values, metric="val_accuracy")
        low, high = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
        assert (found.n, found.mean, found.scale) == (5, pytest.approx(0.8796), "linear")
        assert (found.low, found.high) == pytest.approx((low, high))
        assert found.sd == pytest.approx(np.std(values, ddof=1))

    def test_sleep_by_hand(self):
        # mean 0.75, sd 1.78901, half the interval 2.26216 · 1.78901 / √10 = 1.27978
        found = estimate(SLEEP[0], metric="hours_gained_r2")
        assert (found.low, found.high) == pytest.approx((0.75 - 1.27978, 0.75 + 1.27978), abs=1e-5)

    def test_losses_are_symmetric_as_ratios(self):
        found = estimate([0.30, 0.33, 0.36], metric="val_loss")
        half = stats.t.ppf(0.975, 2) * 0.03 / math.sqrt(3) / 0.33
        assert found.scale == "log"
        assert (found.low, found.high) == pytest.approx((0.33 * math.exp(-half), 0.33 * math.exp(half)))
        assert estimate([-0.1, 0.3], metric="val_loss").scale == "linear"

    @pytest.mark.parametrize("values", [[0.99, 0.995, 0.985], [0.2, 0.9], [1.0, 1.0, 0.9999], [0.0, 0.0, 0.1]])
    def test_shares_near_their_limits_are_on_log_odds(self, values):
        found = estimate(values, metric="val_accuracy")
        mean, sd, n = np.mean(values), np.std(values, ddof=1), len(values)
        half = stats.t.ppf(0.975, n - 1) * sd / math.sqrt(n) / (mean * (1 - mean))
        odds = math.log(mean / (1 - mean))
        assert found.scale == "log_odds"
        assert (found.low, found.high) == pytest.approx(
            (1 / (1 + math.exp(half - odds)), 1 / (1 + math.exp(-half - odds)))
        )

    def test_r2_is_cut_off_at_1_and_may_be_below_0(self):
        found = estimate([0.99, 0.4], metric="val_r2")
        assert (found.scale, found.high) == ("linear", 1.0)
        assert found.low < 0

    def test_shares_near_chance_are_on_log_odds(self):
        values = [0.101, 0.099, 0.103, 0.100]
        assert estimate(values, metric="val_accuracy").scale == "linear"
        assert estimate(values, metric="val_accuracy", chance=0.1).scale == "log_odds"

    @pytest.mark.parametrize("value", [0.1, 1.0, 0.0])
    def test_values_that_do_not_vary_have_no_interval(self, value):
        found = estimate([value] * 5, metric="val_accuracy")
        assert (found.n, found.mean, found.low, found.high, found.sd) == (5, value, None, None, 0)

    def test_one_seed_has_no_interval_and_none_no_mean(self):
        found = estimate([0.8], metric="val_accuracy")
        assert (found.n, found.mean, found.low, found.sd) == (1, 0.8, None, None)
        with pytest.raises(ValueError, match="at least one"):
            estimate([], metric="val_accuracy")

    @given(st.lists(accuracies, min_size=2, max_size=20), st.sampled_from([0.9, 0.95, 0.999]))
    def test_the_interval_of_a_share_holds_the_mean_and_stays_a_share(self, values, level):
        found = estimate(values, metric="val_accuracy", level=level)
        if found.low is not None:
            assert 0 <= found.low <= found.mean <= found.high <= 1

    @given(st.lists(finite, min_size=2, max_size=8), st.sampled_from(["val_loss", "seconds", "r2"]))
    def test_whatever_the_values_an_interval_is_finite_and_holds_the_mean(self, values, metric):
        found = estimate(values, metric=metric, level=0.999)
        if found.low is not None:
            assert found.low <= found.mean <= found.high
            assert math.isfinite(found.low)


def test_usual_margins():
    assert usual_margin("val_accuracy") == usual_margin("test_auc") == usual_margin("val_r2") == Margin(0.005)
    assert usual_margin("val_loss") == usual_margin("mae") == Margin(0.02, relative=True)
    assert usual_margin("epoch_seconds") == usual_margin("seconds") == Margin(0.10, relative=True)
    assert is_share("val_sparse_top_k_categorical_accuracy")
    assert not is_share("val_r2")


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
def test_a_margin_below_0_is_refused(value):
    with pytest.raises(InputError, match="0 or more"):
        Margin(value)
