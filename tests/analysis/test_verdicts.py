import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from kerasrun.analysis.statistics import Difference, Margin, differences
from kerasrun.analysis.verdicts import seeds_needed, verdict

POINT = Margin(0.005)
TWO_PER_CENT = Margin(0.02, relative=True)
SIDES = {"better": "worse", "worse": "better"}


def made(mean, half, *, tost=None, p=None, n=5, sd=0.004, relative=False, level=0.95, **changes):
    """Return a difference whose interval is mean ± half; shown where that does not hold 0."""
    tost = half * 0.75 if tost is None else tost
    p = p if p is not None else 0.01 if abs(mean) > half else 0.2
    values = {
        "n": n, "mean": mean, "low": mean - half, "high": mean + half, "p": p, "p_adjusted": p, "correlation": 0.5,
        "sd": sd, "method": "paired t", "seeds_left_out": (), "tost_low": mean - tost, "tost_high": mean + tost,
        "relative": relative, "level": level,
    }  # fmt: skip
    return Difference(**(values | changes))


@pytest.mark.parametrize(
    ("mean", "half", "kind", "words"),
    [
        (0.0241, 0.0031, "better", "better"),
        (0.0091, 0.0060, "better_uncertain", "better by 0.0091; it may be less than matters (0.005)"),
        (0.0031, 0.0020, "better_small", "better by 0.0031, too small to matter"),
        (0.0011, 0.0020, "equal", "equal within ±0.005"),
        (-0.0011, 0.0020, "equal", "equal within ±0.005"),
        (-0.0031, 0.0020, "worse_small", "worse by 0.0031, too small to matter"),
        (-0.0091, 0.0060, "worse_uncertain", "worse by 0.0091; it may be less than matters (0.005)"),
        (-0.0241, 0.0031, "worse", "worse"),
    ],
)
def test_every_row_of_the_table(mean, half, kind, words):
    found = verdict(made(mean, half), POINT)
    assert (found.kind, found.words) == (kind, words)


def test_nothing_shown_says_how_large_it_may_still_be_and_what_would_settle_it():
    found = verdict(made(0.0030, 0.0052, sd=0.0042), POINT)
    assert found.kind == "none"
    assert found.words == ("no difference shown: up to 0.008 better or 0.002 worse (6 to 23 seeds would settle 0.005)")
    assert seeds_needed(0.0042, 5, 0.005)[2] == 23


def test_ratios_are_told_in_per_cent():
    assert verdict(made(0.031, 0.02, relative=True), TWO_PER_CENT).words == (
        "better by 3.1 %; it may be less than matters (2 %)"
    )
    assert verdict(made(0.001, 0.002, relative=True), TWO_PER_CENT).words == "equal within ±2 %"
    found = verdict(made(0.03, 0.05, sd=0.04, relative=True), TWO_PER_CENT)
    assert re.fullmatch(
        r"no difference shown: up to 8.0 % better or 2.0 % worse \(\d+ to \d+ seeds would settle 2 %\)", found.words
    )


def test_what_is_left_open_is_told_finely_enough_to_be_seen_beside_the_margin():
    found = verdict(made(0.0021, 0.0111, sd=0.009), Margin(0.01))
    assert found.words.startswith("no difference shown: up to 0.013 better or 0.009 worse (")
    assert found.words.endswith(" seeds would settle 0.01)")


def test_a_small_part_of_the_margin_is_not_told_as_0():
    assert "or 0.0002 worse" in verdict(made(0.0040, 0.0042, tost=0.0041), POINT).words
    assert "or 0.0000" not in verdict(made(0.0040, 0.00400001, tost=0.004), POINT).words
    assert "more than 1,000 %" in verdict(made(3.0, 50.0, relative=True), TWO_PER_CENT).words


def test_equivalence_is_looked_at_before_a_difference_of_uncertain_size():
    shown_but_small = made(0.0030, 0.0025, tost=0.0019)  # low > 0, 0.0055 above the margin, 90 % interval inside it
    assert verdict(shown_but_small, POINT).kind == "better_small"
    assert verdict(made(0.0030, 0.0025, tost=0.0021), POINT).kind == "better_uncertain"


def test_holm_decides_where_the_wider_interval_reaches_0():
    found = verdict(made(0.0080, 0.0090, p=0.04), POINT)
    assert found.kind == "better_uncertain"
    assert "Holm" in found.words
    assert verdict(made(0.0080, 0.0090, p=0.06), POINT).kind == "none"


def test_a_spent_error_budget_needs_a_smaller_p():
    assert verdict(made(0.02, 0.01, p=0.02), POINT).kind == "better"
    assert verdict(made(0.02, 0.01, p=0.02), POINT, alpha=0.0125).kind == "none"


def compared(one, other, margin=POINT, **options):
    (found,) = differences([(dict(enumerate(one)), other)], margin=margin, direction="max", **options)
    return verdict(found, margin)


@pytest.mark.parametrize(
    ("gain", "n", "kind", "words"),
    [
        (0.0, 5, "identical", "identical in all 5 seeds"),
        (0.01, 6, "same_better", "better: the same difference in every seed (0.0100)"),
        (-0.01, 6, "same_worse", "worse: the same difference in every seed (0.0100)"),
        (0.01, 5, "none", "no difference shown: better by 0.0100 in every seed, but 5 seeds are too few to tell"),
        (0.001, 5, "equal", "equal within ±0.005"),
        (0.001, 6, "better_small", "better by 0.0010, too small to matter"),
        (0.001, 4, "none", "no difference shown: better by 0.0010 in every seed, but 4 seeds are too few to tell"),
    ],
)
def test_the_same_difference_in_every_seed_is_judged_by_its_signs(gain, n, kind, words):
    values = [0.8 + 0.01 * (seed % 3) for seed in range(n)]
    found = compared([value + gain for value in values], dict(enumerate(values)))
    assert (found.kind, found.words) == (kind, words)


@pytest.mark.parametrize(
    ("one", "other", "kind", "words"),
    [
        ([0.9], {0: 0.5}, "one_seed", "undecided (one seed)"),
        ([0.9, 0.8], {1: 0.5, 2: 0.4}, "one_seed", "undecided (one seed in common)"),
        ([0.9, 0.8], {}, "no_result", "no result"),
    ],
)
def test_too_few_seeds_decide_nothing(one, other, kind, words):
    found = compared(one, other)
    assert (found.kind, found.words) == (kind, words)


def test_a_ratio_of_zeros_is_no_result():
    (found,) = differences([({0: 0.0, 1: 0.1}, {0: 1.0, 1: 1.0})], margin=TWO_PER_CENT, direction="min")
    assert verdict(found, TWO_PER_CENT).words == "no result: a ratio needs values above 0"


def test_an_absolute_margin_does_not_judge_a_ratio():
    with pytest.raises(ValueError, match="absolute margin"):
        verdict(made(0.1, 0.05, relative=True), POINT)


class TestProperties:
    pairs = st.integers(2, 8).flatmap(
        lambda n: st.tuples(*[st.lists(st.floats(0.5, 1, width=32), min_size=n, max_size=n)] * 2)
    )

    @given(pairs, st.floats(0, 0.2), st.booleans())
    def test_swapping_the_settings_mirrors_the_verdict(self, values, size, relative):
        margin = Margin(size, relative)
        a, b = (dict(enumerate(group)) for group in values)
        there, back = (differences([both], margin=margin, direction="max")[0] for both in ((a, b), (b, a)))
        mirrored = re.sub("better|worse", lambda side: SIDES[side.group()], verdict(there, margin).kind)
        assert verdict(back, margin).kind == mirrored

    @given(pairs, st.floats(1e-4, 0.1), st.floats(1, 10))
    def test_a_larger_margin_never_makes_more_of_a_difference(self, values, size, factor):
        a, b = (dict(enumerate(group)) for group in values)
        (found,) = differences([(a, b)], margin=POINT, direction="max")
        size_of = {"better": 3, "worse": 3, "better_uncertain": 2, "worse_uncertain": 2, "none": 2, "same_better": 3,
                   "same_worse": 3, "better_small": 1, "worse_small": 1, "equal": 1, "identical": 1}  # fmt: skip
        small, large = verdict(found, Margin(size)).kind, verdict(found, Margin(size * factor)).kind
        assert size_of[large] <= size_of[small]
        assert small.split("_")[0] == large.split("_")[0] or "same" in small or {small, large} == {"none", "equal"}

    @given(pairs, st.floats(0, 0.2), st.booleans())
    def test_what_is_not_shown_is_never_called_equal_or_not_different(self, values, size, relative):
        margin = Margin(size, relative)
        a, b = (dict(enumerate(group)) for group in values)
        (found,) = differences([(a, b)], margin=margin, direction="max")
        kind, words = (lambda v: (v.kind, v.words))(verdict(found, margin))
        assert "significant" not in words
        assert "nan" not in words
        if kind == "none":
            assert words.startswith("no difference shown: ")
            assert "equal" not in words
        else:
            assert "no difference" not in words

    @given(pairs, st.floats(1e-4, 0.2))
    def test_equal_is_two_one_sided_tests_at_5_per_cent(self, values, size):
        a, b = values
        (found,) = differences([(dict(enumerate(a)), dict(enumerate(b)))], margin=POINT, direction="max")
        assume(found.method == "paired t")
        d = [x - y for x, y in zip(a, b, strict=True)]
        above = stats.ttest_1samp(d, -size, alternative="greater").pvalue
        below = stats.ttest_1samp(d, size, alternative="less").pvalue
        assume(abs(max(above, below) - 0.05) > 1e-6)
        assert (verdict(found, Margin(size)).kind in ("equal", "better_small", "worse_small")) == (
            max(above, below) < 0.05
        )


class TestSeedsNeeded:
    @pytest.mark.parametrize(("effect", "n"), [(0.2, 199), (0.5, 34), (0.8, 15)])
    def test_the_usual_sizes_of_an_effect(self, effect, n):
        # Cohen 1988, Statistical Power Analysis: small, medium, large; one sample, 80 %, 5 % two-sided
        assert seeds_needed(1.0, 1000, effect)[0] == n

    @pytest.mark.parametrize(("sd", "margin", "alpha"), [(0.5, 0.3, 0.05), (0.8, 1, 0.05 / 6), (0.2, 0.3, 0.05)])
    def test_n_is_the_smallest_that_shows_the_margin_four_times_in_five(self, sd, margin, alpha):
        def power(n):
            t, shift = stats.t.ppf(1 - alpha / 2, n - 1), margin * math.sqrt(n) / sd
            return stats.nct.sf(t, n - 1, shift) + stats.nct.cdf(-t, n - 1, shift)

        n = seeds_needed(sd, 10, margin, alpha=alpha)[0]
        assert power(n) >= 0.8 > power(n - 1)

    def test_the_range_comes_from_the_uncertainty_of_the_sd(self):
        n, least, most = seeds_needed(0.5, 5, 0.5)
        low, high = (0.5 * math.sqrt(4 / stats.chi2.ppf(share, 4)) for share in (0.9, 0.1))
        assert (n, least, most) == (10, seeds_needed(low, 1000, 0.5)[0], seeds_needed(high, 1000, 0.5)[0])
        assert least < n < most
        assert seeds_needed(0.5, 50, 0.5)[2] < most

    @pytest.mark.parametrize(("sd", "n", "margin"), [(0.5, 2, 0.5), (0.0, 5, 0.5), (0.5, 5, 0.0)])
    def test_nothing_is_said_below_three_seeds_or_without_sd_or_margin(self, sd, n, margin):
        assert seeds_needed(sd, n, margin) is None

    def test_very_many_and_very_few(self):
        assert seeds_needed(1.0, 5, 1e-4)[0] == pytest.approx((1.959964 + 0.841621) ** 2 * 1e8, rel=1e-3)
        assert seeds_needed(1e-6, 5, 1.0)[0] == 2
        words = verdict(made(0.001, 0.1, sd=0.9), POINT).words
        assert words.endswith("(more than 1,000 seeds would settle 0.005)")

    def test_seeds_that_are_there_already_are_not_asked_for(self):
        words = verdict(made(0.0030, 0.0032, n=20, sd=0.0068, tost=0.0026), POINT).words
        most = int(re.search(r"(\d+) seeds would settle", words).group(1))
        assert most > 20
        words = verdict(made(0.0030, 0.0032, n=40, sd=0.004, tost=0.0026), POINT).words
        assert words.endswith("(a difference of 0.005 would probably have shown)")

    def test_the_next_look_has_the_level_of_the_interval(self):
        words = [verdict(made(0.003, 0.0052, sd=0.0042, level=level), POINT).words for level in (0.95, 1 - 0.05 / 6)]
        most = [int(re.search(r"(\d+) seeds would settle", text).group(1)) for text in words]
        assert most[1] > most[0]
