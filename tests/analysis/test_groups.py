"""Groups of runs over seeds: numbers against scipy, pairs, baselines, missing seeds, diverged runs."""

import math
import statistics
from dataclasses import replace

import numpy as np
import pytest
from made_up_runs import run, seeds
from scipy import stats

from kerasrun.analysis import amounts
from kerasrun.analysis.compare import compare
from kerasrun.errors import InputError
from kerasrun.sweep_record import Axis, SweepRecord

SGD = [0.8571, 0.8590, 0.8560, 0.8580, 0.8555]
ADAM = [0.8812, 0.8840, 0.8801, 0.8825, 0.8790]


def two(**changes):
    """Return five seeds of sgd, made first, and of adam."""
    return [*seeds(0, SGD, optimizer="sgd", **changes), *seeds(10, ADAM, optimizer="adam", **changes)]


def row(found, label="adam"):
    return next(r for r in found.rows if r["optimizer"] == label)


def notes(records, **asked):
    return "\n".join(compare(records, **asked).notes)


def sweep(*axes, **changes):
    return SweepRecord("digits-1a2b", "digits", None, "2026-11-21T10:00:00+00:00", axes, (0, 1), (), **changes)


def test_rows_are_groups_when_two_runs_differ_only_in_seed_the_best_first():
    found = compare(two())
    assert [r["optimizer"] for r in found.rows] == ["adam", "sgd"]
    assert len(compare(two(), runs=True).rows) == 10
    assert len(compare([*seeds(0, [0.8], optimizer="sgd"), *seeds(1, [0.9])]).rows) == 2
    assert "n" not in compare([run(0), run(1, optimizer="sgd")]).columns


def test_mean_and_interval_are_students():
    adam = row(compare(two()))
    low, high = stats.t.interval(0.95, 4, np.mean(ADAM), stats.sem(ADAM))
    assert (adam["n"], adam["mean"], adam["low"], adam["high"]) == pytest.approx((5, np.mean(ADAM), low, high))
    assert adam["sd"] == pytest.approx(np.std(ADAM, ddof=1))


def test_a_difference_is_paired_by_seed_with_its_interval_and_p():
    adam = row(compare(two()))
    expected = stats.ttest_rel(ADAM, SGD)
    interval = expected.confidence_interval(0.95)
    assert (adam["difference"], adam["p"]) == pytest.approx(
        (expected.statistic * stats.sem(np.subtract(ADAM, SGD)), expected.pvalue)
    )
    assert (adam["difference_low"], adam["difference_high"]) == pytest.approx((interval.low, interval.high))
    assert (adam["pairs"], adam["method"], adam["against"], adam["verdict"]) == (5, "paired t", "sgd", "better")


def test_pairs_are_of_equal_seeds_whatever_the_order_of_the_runs():
    again = two()
    assert compare(again[::-1]).rows == compare(again).rows


def test_a_family_is_corrected_by_holm_and_says_so():
    third = seeds(20, [0.8575, 0.8600, 0.8550, 0.8590, 0.8560], optimizer="rmsprop")
    found = compare([*two(), *third])
    ps = [stats.ttest_rel(ADAM, SGD).pvalue, stats.ttest_rel([r["best"]["val_accuracy"] for r in third], SGD).pvalue]
    assert row(found)["p_adjusted"] == pytest.approx(2 * ps[0])
    assert row(found, "rmsprop")["p_adjusted"] == pytest.approx(ps[1])
    assert "Holm-corrected" in found.title
    assert "Holm" not in compare(two()).title


def test_a_loss_is_better_when_lower_and_compared_as_a_ratio():
    found = compare(two(), metric="val_loss")
    ours, theirs = 1 - np.array(ADAM), 1 - np.array(SGD)
    adam = row(found)
    assert [r["optimizer"] for r in found.rows] == ["adam", "sgd"]
    assert adam["difference"] == pytest.approx(math.expm1(np.mean(np.log(theirs) - np.log(ours))))
    assert adam["p"] == pytest.approx(stats.ttest_rel(np.log(ours), np.log(theirs)).pvalue)
    assert adam["verdict"] == "better"
    assert "margin 2 %" in found.title
    assert row(compare(two(), metric="val_loss", baseline="optimizer=adam"), "sgd")["verdict"] == "worse"


def test_groups_without_a_common_seed_are_compared_by_welch_and_it_is_said():
    other = seeds(10, ADAM, optimizer="adam")
    for number, record in enumerate(other):
        record["experiment"]["seed"] = 5 + number
    found = compare([*seeds(0, SGD, optimizer="sgd"), *other])
    assert row(found)["method"] == "Welch"
    assert row(found)["p"] == pytest.approx(stats.ttest_ind(ADAM, SGD, equal_var=False).pvalue)
    assert "not paired (nothing in common: Welch's test)" in found.title


def test_of_unequal_seeds_the_common_ones_are_compared_and_the_missing_ones_named():
    records = [
        record for record in two() if record["experiment"]["seed"] < 3 or record["experiment"]["optimizer"] == "sgd"
    ]
    found = compare(records)
    assert row(found)["pairs"] == 3
    assert row(found)["p"] == pytest.approx(stats.ttest_rel(ADAM[:3], SGD[:3]).pvalue)
    assert "seeds missing: adam 3, 4. Differences are over the seeds that both have" in "\n".join(found.notes)
    assert "3 to 5 seeds each" in found.title


def test_rows_whose_runs_ended_after_different_epochs_say_between_which():
    records = [*seeds(0, SGD, optimizer="sgd"), *seeds(10, ADAM, optimizer="adam")]
    assert "epochs run" not in "\n".join(compare(records).notes)
    for record, epochs in zip(records, (3, 2, 5), strict=False):
        record["epochs_run"] = epochs
    assert "epochs run: sgd 2 to 9" in "\n".join(compare(records).notes)


def test_one_seed_each_decides_nothing():
    found = compare([run(0, 0.8, optimizer="sgd"), run(1, 0.9)], by="optimizer")
    assert (row(found)["verdict"], row(found)["p"], row(found)["low"]) == ("one_seed", None, None)
    assert "one seed each" in found.title
    assert "One seed each: other seeds may turn the order" in "\n".join(found.notes)


def test_of_one_setting_alone_there_is_a_mean_and_no_verdict():
    found = compare(seeds(0, SGD))
    assert (found.rows[0]["recipe"], found.rows[0]["n"], found.rows[0]["verdict"]) == ("dense", 5, None)
    assert "verdict" not in found.people[0]
    assert "baseline" not in found.title


def test_runs_at_chance_in_every_seed_are_identical_and_not_tested():
    records = [*seeds(0, [0.1] * 5, optimizer="sgd"), *seeds(10, [0.1] * 5)]
    adam = row(compare(records))
    assert (adam["verdict"], adam["words"], adam["p"], adam["low"]) == (
        "identical",
        "identical in all 5 seeds",
        None,
        None,
    )


def test_values_at_one_have_no_interval_beyond_one():
    found = compare([*seeds(0, [1.0, 1.0, 1.0, 0.99, 1.0], optimizer="sgd"), *seeds(10, [0.97] * 5)])
    assert row(found, "sgd")["high"] <= 1
    assert "mean [interval]" in found.people[0]


def test_a_diverged_run_is_counted_tested_and_never_averaged():
    records = [*seeds(0, SGD, optimizer="sgd"), *seeds(10, [None, None, *ADAM[2:]])]
    found = compare(records)
    adam = row(found)
    assert (adam["n"], adam["diverged"], adam["pairs"]) == (3, 2, 3)
    assert adam["mean"] == pytest.approx(np.mean(ADAM[2:]))
    said = "\n".join(found.notes)
    assert "adam: 2 of 5 diverged (share converged 0.60, 95 % 0.23 to 0.88; Fisher p = 0.44 against sgd)" in said
    assert stats.fisher_exact([[3, 2], [5, 0]]).pvalue == pytest.approx(0.44, abs=0.01)
    assert "conditional" in said
    assert "2 of 5" in found.people[1][0]
    assert "seeds missing" not in said


def test_a_diverged_run_scored_as_guessing_shows_how_much_the_conditional_mean_hides():
    records = [*seeds(0, SGD, optimizer="sgd"), *seeds(10, [None, *ADAM[1:]])]
    for record in records:
        record["data"]["chance"] = 0.1
    apart = np.mean([0.1, *ADAM[1:]]) - np.mean(SGD)
    assert f"scored as guessing, 0.1, it differs by {apart:+.4f}" in "\n".join(compare(records).notes)


def test_who_diverges_more_often_is_not_called_better():
    records = [*seeds(0, SGD, optimizer="sgd"), *seeds(10, [None, *ADAM[1:]])]
    assert row(compare(records))["verdict"] == "none"
    assert (
        row(compare(records))["words"]
        == "no verdict: better where both converged, but diverged 1 of 5, baseline 0 of 5"
    )
    other_way = compare(records, baseline="optimizer=adam")
    assert row(other_way, "sgd")["verdict"] == "none"
    fails_less = [*seeds(0, [None, *SGD[1:]], optimizer="sgd"), *seeds(10, ADAM)]
    assert row(compare(fails_less))["verdict"] == "better"


def test_a_setting_that_always_diverged_comes_last_with_its_counts():
    found = compare([*seeds(0, SGD, optimizer="sgd"), *seeds(10, [None] * 5)])
    assert [r["optimizer"] for r in found.rows] == ["sgd", "adam"]
    assert "· 5 seeds each, one split" in found.title
    assert "epochs" not in "".join(found.notes)
    assert (found.rows[1]["mean"], found.rows[1]["words"]) == (None, "diverged 5 of 5, baseline 0 of 5")


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_a_run_without_an_end_is_missing_and_to_be_trained(status):
    records = two()
    records[-1]["status"] = status
    said = notes(records, every=True)
    assert f"no result: 1 {status}; the same command again trains them" in said
    assert "seeds missing: adam 4." in said


def test_what_still_runs_and_what_was_pruned_is_not_to_be_trained_again():
    records = two()
    records[-1]["status"], records[-2]["status"] = "running", "pruned"
    said = notes(records, every=True).split("\n")
    assert "1 still running" in said
    assert "no result: 1 pruned" in said


def test_runs_that_the_sweep_still_lacks_are_counted():
    cells = tuple({"number": n, "hash": f"{n}", "setting": {}, "seed": 0} for n in range(12))
    records = [record | {"experiment_hash": f"{n}"} for n, record in enumerate(two())]
    asked = SweepRecord(
        "digits-1a2b", "digits", None, "2026", (Axis(("optimizer",), (("sgd",), ("adam",))),), (0, 1), cells
    )
    assert "2 of 12 runs of the sweep are not there yet; its command trains them" in compare(records, sweep=asked).notes


def test_of_a_repeated_run_the_newest_counts():
    found = compare([*two(), run(30, 0.5, optimizer="adam", seed=0)])
    assert row(found)["mean"] == pytest.approx(np.mean([0.5, *ADAM[1:]]))
    assert "1 run repeats another; the newest counts" in found.notes


def test_other_settings_within_the_rows_are_part_of_the_pair():
    records = []
    for number, (optimizer, activation) in enumerate(
        [("sgd", "relu"), ("sgd", "tanh"), ("adam", "relu"), ("adam", "tanh")]
    ):
        base = SGD if optimizer == "sgd" else ADAM
        values = [value - (0.2 if activation == "tanh" else 0) for value in base]
        records += seeds(10 * number, values, optimizer=optimizer, knobs={"activation": activation})
    found = compare(records, by="optimizer")
    adam = row(found)
    assert (adam["n"], adam["pairs"]) == (10, 10)
    assert adam["p"] == pytest.approx(stats.ttest_rel(ADAM * 2, SGD * 2).pvalue)
    assert "paired by activation and seed" in found.title
    assert "each row holds runs that differ in activation" in "\n".join(found.notes)
    assert "seeds missing: adam 1 (tanh seed 4)." in notes(records[:-1], by="optimizer")


def test_rows_by_depth_are_paired_by_width():
    records = []
    for number, hidden in enumerate([[10], [20], [10, 10], [20, 20]]):
        records += seeds(10 * number, [value + number / 100 for value in SGD], knobs={"hidden": hidden})
    found = compare(records, by="layers")
    assert [(r["layers"], r["n"], r["pairs"]) for r in found.rows] == [(2, 10, 10), (1, 10, None)]
    assert "paired by units and seed" in found.title


def test_a_setting_that_goes_along_with_the_rows_does_not_break_the_pairs():
    records = [*seeds(0, SGD, optimizer="sgd", learning_rate=0.1), *seeds(10, ADAM, learning_rate=0.001)]
    found = compare(records, by="optimizer")
    assert row(found)["pairs"] == 5
    assert "the rows differ in learning_rate, too" in found.notes


def test_the_baseline_is_as_asked_else_the_sweeps_first_value_else_the_first_run_made():
    assert row(compare(two()))["against"] == "sgd"
    assert row(compare(two(), baseline="optimizer=adam"), "sgd")["against"] == "adam"
    axis = Axis(("optimizer",), (("adam",), ("sgd",)))
    assert row(compare(two(), sweep=sweep(axis)), "sgd")["against"] == "adam"


def test_the_baseline_of_a_grid_is_its_first_cell():
    records = []
    for number, (optimizer, hidden) in enumerate([("adam", 10), ("adam", 20), ("sgd", 10), ("sgd", 20)]):
        records += seeds(10 * number, ADAM if number else SGD, optimizer=optimizer, knobs={"hidden": [hidden]})
    axes = Axis(("optimizer",), (("sgd",), ("adam",))), Axis(("hidden",), (([20],), ([10],)))
    found = compare(records, sweep=sweep(*axes))
    assert {r["against"] for r in found.rows} == {"sgd hidden=20", None}
    assert found.columns[:2] == ("optimizer", "hidden")


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ("optimizer", "--baseline 'optimizer' is no condition"),
        ("optimizer=rmsprop", "fits no row\nwrite one of: optimizer=adam · optimizer=sgd"),
        ("epochs=20", "the rows differ in optimizer"),
        ("optimiser=sgd", "did you mean 'optimizer'"),
        ("optimizer=sgd,adam", "--baseline 'adam' is no condition"),
    ],
)
def test_a_baseline_that_is_no_row_is_answered_with_the_rows(baseline, message):
    with pytest.raises(InputError, match=message):
        compare(two(), baseline=baseline)


def test_a_baseline_that_fits_two_rows_is_refused():
    records = [*two(), *seeds(20, ADAM, optimizer="adam", knobs={"hidden": [5]})]
    with pytest.raises(
        InputError, match="fits 2 rows\nwrite one of: optimizer=adam,hidden=5 · optimizer=adam,hidden=100"
    ):
        compare(records, baseline="optimizer=adam")


def test_rows_on_other_data_have_a_baseline_of_their_own():
    iris = [record | {"data": {"hash": "i", "validation": 30}} for record in two(dataset="iris")]
    for record in iris:
        record["id"] = "i" + record["id"][1:]
    found = compare([*two(), *iris], every=True)
    assert found.columns[:2] == ("dataset", "optimizer")
    assert {(r["dataset"], r["against"]) for r in found.rows if r["against"]} == {
        ("digits", "digits sgd"),
        ("iris", "iris sgd"),
    }


def test_the_margin_decides_between_better_and_equal():
    close = [*seeds(0, SGD, optimizer="sgd"), *seeds(10, [v + 0.001 + 0.0001 * (v == 0.8590) for v in SGD])]
    assert row(compare(close))["verdict"] == "better_small"
    assert row(compare(close, margin=0.0005))["verdict"] == "better"
    assert "margin 0.0005" in compare(close, margin=0.0005).title


@pytest.mark.parametrize(("metric", "columns"), [("seconds", "s"), ("epoch_seconds", "s")])
def test_times_are_compared_as_ratios(metric, columns):
    records = two()
    for number, record in enumerate(records):
        record["seconds"] = {"total": 10.0 + number % 5 + 20 * (number < 5), "epoch": 1.0 + 0.1 * number}
    found = compare(records, metric=metric)
    assert "margin 10 %" in found.title
    assert found.title.startswith(f"{metric} · ")
    assert row(found)["relative"]


def test_rows_can_be_ordered_by_other_columns():
    assert [r["optimizer"] for r in compare(two(), sort="-optimizer").rows] == ["sgd", "adam"]
    assert [r["optimizer"] for r in compare(two(), sort="-mean").rows] == ["sgd", "adam"]
    with pytest.raises(InputError, match="unknown column to sort by 'maen'; did you mean 'mean'"):
        compare(two(), sort="maen")


def test_a_moment_that_no_run_came_to_is_said():
    with pytest.raises(InputError, match="no run has val_accuracy at epoch 30\nthe longest has 9 epochs"):
        compare(two(), at="30")


def test_the_last_epoch_is_compared_at_a_fixed_budget_and_the_best_where_early_stopping_chose_it():
    assert compare(two()).title.startswith(
        "val_accuracy at the best epoch (optimistic: the best of 9 epochs) · 5 seeds each"
    )
    assert compare(two(patience=None)).title.startswith("val_accuracy at the last epoch (20) · ")
    fixed = two(patience=None)
    for record in fixed:
        record["last"] = record["last"] | {"val_accuracy": 0.5 + record["experiment"]["seed"] / 100}
    assert row(compare(fixed))["mean"] == pytest.approx(0.52)
    assert row(compare(fixed, at="best"))["mean"] == pytest.approx(np.mean(ADAM))


def test_a_sweeps_own_metric_and_moment_are_the_usual():
    axis = Axis(("optimizer",), (("sgd",), ("adam",)))
    assert compare(two(), sweep=sweep(axis, metric="val_loss", at="last")).title.startswith(
        "val_loss at the last epoch (20)"
    )
    assert compare(two(), sweep=sweep(axis, metric="val_loss"), metric="val_accuracy").metric == "val_accuracy"
    tested = compare(two(), sweep=sweep(axis, metric="test_accuracy"))
    assert tested.title.startswith("test_accuracy of the best weights · 5 seeds each")


def test_rows_of_a_sweep_have_the_values_of_its_grid_however_its_runs_are_written():
    records = two(learning_rate=None)
    cells = []
    for number, record in enumerate(records):
        rate = 0.01 if record["experiment"]["optimizer"] == "sgd" else 0.001
        record["experiment_hash"] = str(number)
        record["experiment"]["learning_rate"] = rate if number % 2 else None  # the optimizer's own rate, written or not
        setting = {"optimizer": record["experiment"]["optimizer"], "learning_rate": rate}
        cells.append({"hash": str(number), "setting": setting, "seed": record["experiment"]["seed"]})
    axis = Axis(("optimizer", "learning_rate"), (("sgd", 0.01), ("adam", 0.001)))
    found = compare(records, sweep=replace(sweep(axis), cells=tuple(cells)))
    assert [(r["optimizer"], r["learning_rate"], r["n"]) for r in found.rows] == [("adam", 0.001, 5), ("sgd", 0.01, 5)]
    assert "baseline sgd" in found.title


def test_exact_tables_have_every_digit_and_people_short_ones():
    found = compare(two())
    columns, cells = found.exact()
    assert dict(zip(columns, cells[0], strict=True))["mean"] == statistics.fmean(ADAM)
    names, people = found.people
    assert names == ("optimizer", "n", "mean ± interval", "against sgd", "p", "s/run", "verdict")
    assert people[0][2:5] == ["0.8814 ± 0.0024", "+0.0242 [0.0236, 0.0249]", "< 0.001"]
    assert people[1] == ["sgd", 5, "0.8571 ± 0.0018", None, None, "8.9", "baseline"]
    assert list(found.table["optimizer"]) == ["adam", "sgd"]


def r2(first, values, **changes):
    """Return one run a value of val_r2, with seeds 0, 1, …"""
    return [run(first + n, best={"val_r2": value}, seed=n, **changes) for n, value in enumerate(values)]


def test_an_interval_that_is_cut_off_is_written_with_both_limits():
    names, people = compare([*r2(0, [0.99, 0.4], optimizer="sgd"), *r2(10, [0.5, 0.6])]).people
    low = 0.695 - stats.t.ppf(0.975, 1) * 0.295
    assert names[2] == "mean [interval]"
    assert people[0][2] == f"0.6950 [{low:.4f}, 1.0000]"
    names, people = compare([*r2(0, [0.5, 0.52], optimizer="sgd"), *r2(10, [0.50, 0.51])]).people
    assert (names[2], people[0][2][:9]) == ("mean ± interval", "0.5100 ± ")


def test_small_losses_are_written_with_digits_enough_to_tell_them_apart():
    records = [run(n + 10 * rate, best={"val_mae": value * (1 + n / 100)}, seed=n, batch_size=rate + 1)
               for rate, value in enumerate((1.23e-5, 3.4e-5)) for n in range(2)]  # fmt: skip
    cells = [row[2] for row in compare(records).people[1]]
    assert [cell.split()[0] for cell in cells] == ["0.0000124", "0.0000342"]
    assert [amounts.decimals([value]) for value in (53.2, 0.5, 0.02, 0.0099, 0.0, None)] == [3, 4, 4, 5, 4, 4]


def test_a_long_baseline_does_not_widen_the_table():
    records = [*seeds(0, SGD, optimizer="sgd(learning_rate=0.1, momentum=0.9)"), *seeds(10, ADAM)]
    assert "against baseline" in compare(records).people[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("runs", "by"), ("runs", "power"), ("runs", "shares"), ("until", "at"), ("until", "sort"), ("power", "shares"),
        ("power", "sort"), ("shares", "sort"),
    ],
)  # fmt: skip
def test_questions_that_exclude_each_other_are_refused(one, other):
    with pytest.raises(InputError, match=f"--{one} and --{other} exclude each other"):
        compare(two(), **{one: "x", other: "y"})
