import itertools
import json
from pathlib import Path

import pytest
from made_up_sweep import decide, record, records, sweep, verdict, with_epochs

from kerasrun.analysis import decisions

SPREAD = (0.000, 0.002, -0.001, 0.001, -0.002)
BETTER = {"better": "optimizer=adam", "than": "optimizer=sgd"}
GOOD = {"at_least_as_good": "optimizer=adam", "than": "optimizer=sgd"}
EQUAL = {"equal": ["optimizer=adam", "optimizer=sgd"]}


def apart(difference, spread=1.0):
    """Return values for which adam is better than sgd by a difference, which varies a little over five seeds."""
    return {
        "sgd": [0.85 + s for s in SPREAD],
        "adam": [0.85 + s + difference + spread * d for s, d in zip(SPREAD, SPREAD[::-1], strict=True)],
        "momentum": [0.80 + 2 * s for s in SPREAD],
    }


@pytest.mark.parametrize(
    ("difference", "spread", "better", "good", "equal"),
    [
        (0.030, 1, "supported", "supported", "contradicted"),
        (0.004, 1, "supported", "supported", "undecided"),  # it may be less than matters
        (0.001, 0.1, "supported", "supported", "supported"),  # too small to matter
        (0.000, 1, "contradicted", "supported", "supported"),  # equal within the margin
        (0.003, 4, "undecided", "supported", "undecided"),
        (0.000, 8, "undecided", "undecided", "undecided"),
        (-0.004, 1, "contradicted", "undecided", "undecided"),
        (-0.030, 1, "contradicted", "contradicted", "contradicted"),
        (0.001, 0, "contradicted", "supported", "supported"),  # the same in every seed, within the margin
        (0.030, 0, "undecided", "supported", "undecided"),  # the same in every seed: five signs are too few
        (0, 0, "contradicted", "supported", "supported"),  # identical
    ],
)
def test_the_interval_against_the_margin_decides(difference, spread, better, good, equal):
    values = apart(difference, spread)
    assert verdict(BETTER, values)[0] == better
    assert verdict(GOOD, values)[0] == good
    assert verdict(EQUAL, values)[0] == equal


def test_the_words_carry_the_numbers():
    said = verdict(BETTER, apart(0.03))[1]
    assert said == (
        "better: +0.0300 [0.0280, 0.0320], p < 0.001; val_accuracy at the last epoch, margin 0.005; 5 seeds"
    )
    said = verdict(BETTER, apart(0.003, 4))[1]
    assert said.startswith("no difference shown: up to 0.011 better or 0.005 worse (9 to ")
    assert "seeds would settle 0.005)" in said
    assert "at most 0.0030 worse" in verdict(GOOD, apart(0.003, 4))[1]


@pytest.mark.parametrize(("by", "percent"), [(0.004, "0.4 %"), (0.29, "29 %"), (5, "500 %")])
def test_a_ratio_that_is_asked_for_is_said_with_all_its_digits(by, percent):
    said = verdict({**BETTER, "metric": "val_loss", "by": by, "margin": 0.001}, apart(0.03))[1]
    assert f"; asked for {percent};" in said


@pytest.mark.parametrize(("by", "expected"), [(0.02, "supported"), (0.03, "undecided"), (0.04, "contradicted")])
def test_by_takes_the_place_of_nothing(by, expected):
    found, said = verdict({**BETTER, "by": by}, apart(0.03))
    assert found == expected
    assert f"asked for {by:g}" in said


def test_by_is_a_ratio_where_the_margin_is_one():
    values = {"sgd": [0.5, 0.51, 0.49, 0.5, 0.52], "adam": [0.75, 0.755, 0.74, 0.75, 0.765]}  # losses 0.5 and 0.25
    for by, expected in ((0.8, "supported"), (1.2, "contradicted")):
        assert verdict({**BETTER, "metric": "val_loss", "by": by}, values)[0] == expected


def test_a_loss_is_better_when_it_is_lower():
    assert verdict({**BETTER, "metric": "val_loss"}, apart(0.03))[0] == "supported"
    assert verdict({**BETTER, "metric": "val_loss"}, apart(-0.03))[0] == "contradicted"


def test_one_seed_never_decides():
    for table in (BETTER, GOOD, EQUAL):
        found, said = verdict(table, apart(0.3), seeds=1)
        assert found == "undecided"
        assert said.startswith("undecided (one seed)")


def test_fewer_seeds_than_planned_decide_nothing_yet():
    values = apart(0.3) | {"sgd": [0.85, 0.85, 0.85]}
    assert verdict(BETTER, values) == ("undecided", "undecided so far: 3 of 5 seeds")
    assert verdict({**BETTER, "than": "optimizer=momentum"}, values)[0] == "supported", "its runs are all there"


def test_more_seeds_than_planned_change_nothing_without_extend():
    values = {name: [*v, *([0.1] * 5)] for name, v in apart(0.03).items()}
    its_sweep = sweep(BETTER, seeds=10)
    [decision], _ = decide(its_sweep, records(its_sweep, values), planned=5)
    assert (decision.verdict, decision.look.n) == ("supported", 5)


def test_an_order_holds_when_every_step_does_and_falls_with_one():
    order = {"order": ["optimizer=adam", "optimizer=sgd", "optimizer=momentum"]}
    assert verdict(order, apart(0.03))[0] == "supported"
    assert verdict(order, apart(0.003, 4))[0] == "undecided"
    found, said = verdict(order, apart(-0.03))
    assert found == "contradicted"
    assert said.startswith("1 of 2 parts hold")


def test_all_others_are_compared_with_the_first():
    table = {"at_least_as_good": "optimizer=adam", "than": "all"}
    assert verdict(table, apart(0.0))[0] == "supported"
    assert verdict(table, apart(0.0, 8))[0] == "undecided"
    assert verdict(table, apart(-0.03))[0] == "contradicted"


def test_claims_of_one_file_share_the_error_and_parts_of_one_claim_do_not():
    values = {"sgd": [0.850, 0.852, 0.849, 0.851, 0.848], "adam": [0.861, 0.856, 0.853, 0.868, 0.852]}
    alone, _ = verdict(BETTER, values)
    assert alone == "supported"  # p = 0.037
    hopeless = {"better": "optimizer=momentum", "than": "optimizer=sgd"}
    its_sweep = sweep(BETTER, hopeless)
    found, _ = decide(its_sweep, records(its_sweep, values | {"momentum": [0.86, 0.84, 0.85, 0.87, 0.83]}))
    assert [d.verdict for d in found] == ["undecided", "undecided"]
    assert found[0].findings[0].numbers["p_adjusted"] == pytest.approx(2 * found[0].findings[0].numbers["p"])
    its_sweep = sweep({**GOOD}, {"order": ["optimizer=adam", "optimizer=sgd"]})
    found, _ = decide(its_sweep, records(its_sweep, values))
    assert [d.verdict for d in found] == ["supported", "supported"]


def test_a_claim_that_cannot_be_decided_yet_counts_in_the_family():
    its_sweep = sweep(BETTER, {"better": "optimizer=momentum", "than": "optimizer=sgd"})
    found, _ = decide(its_sweep, records(its_sweep, apart(0.03) | {"momentum": []}))
    assert found[0].verdict == "supported"
    assert found[0].findings[0].numbers["p_adjusted"] == pytest.approx(2 * found[0].findings[0].numbers["p"])


def test_settings_that_are_left_free_are_averaged_within_a_seed():
    values = {
        (o, a): [v + (0.05 if a == "relu" else 0.0) for v in vs]
        for o, vs in apart(0.03).items()
        for a in ("relu", "tanh")
    }
    its_sweep = sweep(BETTER, {**BETTER, "for_each": "activation"}, activations=("relu", "tanh"))
    found, _ = decide(its_sweep, records(its_sweep, values))
    assert [d.verdict for d in found] == ["supported", "supported"]
    assert "mean over 2 other settings" in found[0].words
    assert (found[0].findings[0].numbers["n"], len(found[1].findings)) == (5, 2)


def test_a_diverged_run_is_counted_and_only_seeds_where_both_learned_are_compared():
    values = apart(0.03)
    values["sgd"][4] = None
    found, said = verdict(BETTER, values)
    assert found == "supported"
    assert "in the 4 seeds where both learned; 0 and 1 of 5 runs failed (Fisher p = 1)" in said
    assert "; with failures as guessing: +0.1796 [" in said


def test_who_fails_more_often_is_not_better():
    values = apart(0.03)
    values["adam"][4] = None
    found, said = verdict(BETTER, values)
    assert found == "undecided"
    assert "the one that does better failed more often" in said
    values = apart(-0.03)
    values["sgd"][4] = None
    assert verdict(BETTER, values)[0] == "undecided", "worse where both learned, but it failed less often"
    values = apart(0.0)
    values["sgd"][4] = None
    assert verdict(EQUAL, values)[0] == "undecided"


def test_a_side_that_failed_throughout_counts_as_guessing():
    found, said = verdict(BETTER, apart(0.0) | {"sgd": [None] * 5})
    assert found == "supported"
    assert said.startswith("better: +0.75")
    assert "0 and 5 of 5 runs failed (Fisher p = 0.0079); with failures as guessing;" in said
    assert verdict(BETTER, apart(0.0) | {"adam": [None] * 5})[0] == "contradicted"
    assert verdict(BETTER, {"sgd": [None] * 5, "adam": [None] * 5})[1].startswith("no run of either side learned")


def test_one_seed_in_which_both_learned_is_no_comparison_either():
    learned_once = [0.8, None, None, None, None, None, None]
    found, said = verdict(BETTER, {"adam": [0.88 + i / 1000 for i in range(7)], "sgd": learned_once}, seeds=7)
    assert found == "supported"
    assert said.startswith("better: +0.68")
    assert "0 and 6 of 7 runs failed (Fisher p = 0.0047); with failures as guessing;" in said
    found, said = verdict(BETTER, {"adam": learned_once[::-1], "sgd": learned_once}, seeds=7)
    assert found == "undecided"
    assert "6 and 6 of 7 runs failed" in said


def test_a_moment_that_a_run_never_came_to_leaves_the_claim_open(tmp_path):
    its_sweep = sweep({**BETTER, "at": 12})
    runs = [with_epochs(tmp_path, r, loss=[0.5], val_accuracy=[0.8]) for r in records(its_sweep, apart(0.03))]
    [decision], looks = decide(its_sweep, runs)
    assert (decision.verdict, looks) == ("undecided", [])
    assert "10 runs without val_accuracy at epoch 12 (" in decision.words


def test_runs_on_other_data_are_not_compared():
    its_sweep = sweep(BETTER)
    runs = records(its_sweep, apart(0.03))
    runs[0] = runs[0] | {"data": {**runs[0]["data"], "hash": "other"}}
    [decision], _ = decide(its_sweep, runs)
    assert decision.words.startswith("the data changed between its runs")


def test_the_best_epoch_on_the_split_that_chose_it_is_called_optimistic():
    said = verdict({**BETTER, "at": "best"}, apart(0.03))[1]
    assert "val_accuracy at the best epoch (chosen on the same examples: optimistic)" in said
    said = verdict({**BETTER, "split": "test"}, apart(0.03))[1]
    assert "test_accuracy at the best epoch, margin 0.005; 5 seeds; decided on the test part" in said


def curves(tmp_path, its_sweep, epochs):
    """Return runs whose accuracy reaches 0.9 in an epoch by optimizer, for each seed; 0: never."""
    found = []
    for run in records(its_sweep, {name: [0.85] * len(e) for name, e in epochs.items()}):
        optimizer, _, seed = run["id"].split("/")
        first = epochs[optimizer][int(seed)]
        accuracy = [0.9 if first and e >= first else 0.8 for e in range(1, 11)]
        found.append(with_epochs(tmp_path, run, loss=[1 - a for a in accuracy], val_accuracy=accuracy))
    return found


@pytest.mark.parametrize(
    ("epochs", "share", "expected"),
    [
        ([3, 4, 2, 5, 3], 0.5, "supported"),  # Wilson 0.57 to 1
        ([3, 4, 2, 5, 0], 0.5, "undecided"),
        ([0, 0, 0, 0, 0], 0.5, "contradicted"),
        ([3, 4, 2, 5, 3], 0.6, "undecided"),
    ],
)
def test_a_share_of_seeds_reaches_a_target(tmp_path, epochs, share, expected):
    reaches = {"reaches": "optimizer=adam", "target": "val_accuracy=0.9", "share": share}
    fails = {"fails": "optimizer=adam", "target": "val_accuracy=0.9", "share": 1 - share}
    its_sweep = sweep(reaches, fails)
    found, _ = decide(its_sweep, curves(tmp_path, its_sweep, {"adam": epochs}))
    opposite = {"supported": "contradicted", "contradicted": "supported"}
    assert [d.verdict for d in found] == [expected, opposite.get(expected, expected)]
    assert f"{sum(map(bool, epochs))} of 5 reached val_accuracy=0.9: a share of 0." in found[0].words


def test_a_lasting_target_must_hold_to_the_end(tmp_path):
    once = {"reaches": "optimizer=adam", "target": "val_accuracy=0.9"}
    its_sweep = sweep(once, {**once, "at": "last5"}, {**once, "at": "last"})
    found, _ = decide(its_sweep, curves(tmp_path, its_sweep, {"adam": [7, 8, 9, 7, 8]}))
    assert [d.verdict for d in found] == ["supported", "contradicted", "supported"]


def test_many_seeds_pass_one_half_by_a_hair(tmp_path):
    its_sweep = sweep({"reaches": "optimizer=adam", "target": "val_accuracy=0.9"}, seeds=50)
    for hits, expected in ((32, "supported"), (31, "undecided")):
        runs = curves(tmp_path / str(hits), its_sweep, {"adam": [3] * hits + [0] * (50 - hits)})
        assert decide(its_sweep, runs)[0][0].verdict == expected


def test_no_convergence_is_a_failure_and_so_is_divergence(tmp_path):
    its_sweep = sweep({"fails": "optimizer=sgd"}, {"fails": "optimizer=adam"})
    flat = {"loss": [2.31, 2.30, 2.30], "val_accuracy": [0.1, 0.11, 0.1]}
    guessing = {"loss": 2.3, "val_accuracy": 0.1}
    runs = records(its_sweep, {"adam": [0.9] * 5})
    runs += [with_epochs(tmp_path, r, **flat) for r in records(its_sweep, {"sgd": [0.1] * 4}, last=guessing)]
    runs.append(records(its_sweep, {"sgd": [None] * 5})[4])
    found, _ = decide(its_sweep, runs)
    assert [d.verdict for d in found] == ["supported", "contradicted"]
    assert found[0].words.startswith("5 of 5 failed (4 no convergence, 1 diverged): a share of 0.57 to 1.00")


def test_fewer_epochs_to_a_target_are_better(tmp_path):
    table = {"reaches": "optimizer=adam", "before": "optimizer=sgd", "target": "val_accuracy=0.9"}
    its_sweep = sweep(table, {**table, "by": 0.5}, {**table, "by": 3})
    found, _ = decide(its_sweep, curves(tmp_path, its_sweep, {"adam": [2, 3, 2, 3, 2], "sgd": [6, 7, 5, 7, 6]}))
    assert [d.verdict for d in found] == ["supported", "supported", "contradicted"]
    assert "epochs until val_accuracy=0.9" in found[0].words


def test_who_never_reached_the_target_is_counted_with_all_its_epochs(tmp_path):
    table = {"reaches": "optimizer=adam", "before": "optimizer=sgd", "target": "val_accuracy=0.9"}
    its_sweep = sweep(table, {**table, "by": 0.5}, {**table, "reaches": "optimizer=sgd", "before": "optimizer=adam"})
    found, _ = decide(its_sweep, curves(tmp_path, its_sweep, {"adam": [2, 3, 2, 4, 2], "sgd": [0, 7, 0, 7, 6]}))
    assert [d.verdict for d in found] == ["supported", "undecided", "contradicted"]
    assert found[0].findings[0].numbers["mean"] == pytest.approx((10 + 7 + 10 + 7 + 6 - 13) / 5)
    assert "0 and 2 of 5 runs did not reach it" in found[0].words
    assert "a ratio needs that every run reaches the target" in found[1].words


def test_who_reaches_a_target_less_often_is_not_faster(tmp_path):
    table = {"reaches": "optimizer=adam", "before": "optimizer=sgd", "target": "val_accuracy=0.9"}
    its_sweep = sweep(table)
    epochs = {"adam": [2, 2, 2, 3, 2, 2, 3, 2, 2, 0], "sgd": [7, 9, 8, 9, 9, 8, 7, 9, 9, 9]}
    its_sweep = sweep(table, seeds=10)
    [decision], _ = decide(its_sweep, curves(tmp_path, its_sweep, epochs))
    assert decision.verdict == "undecided"
    assert "failed more often" in decision.words


def test_seconds_count_only_where_runs_had_the_machine_to_themselves():
    table = {"faster": "optimizer=adam", "than": "optimizer=sgd"}
    its_sweep = sweep(table)
    times = {"adam": [1.0, 1.05, 0.98, 1.02, 1.0], "sgd": [2.0, 2.1, 1.9, 2.05, 2.0]}

    def runs(**changes):
        return [
            r | {"seconds": {"epoch": times[r["id"].split("/")[0]][r["experiment"]["seed"]]}} | changes
            for r in records(its_sweep, {name: [0.9] * 5 for name in times})
        ]

    [decision], _ = decide(its_sweep, runs())
    assert decision.verdict == "supported"
    assert "better: +99." in decision.words
    for changes, reason in (
        ({"others_busy": 1.1}, "runs shared the machine (others kept up to 1.1 cores busy)"),
        ({"others_busy": None}, "its runs do not tell whether they had the machine to themselves"),
    ):
        [decision], _ = decide(its_sweep, runs(**changes))
        assert decision.verdict == "undecided"
        assert decision.words.startswith(reason)
    [decision], _ = decide(its_sweep, [*runs()[:-1], runs(threads=2)[-1]])
    assert decision.words.startswith("its runs had different numbers of threads (1, 2)")


def test_seconds_to_a_target_are_those_of_the_timing_file(tmp_path):
    its_sweep = sweep({"faster": "optimizer=adam", "than": "optimizer=sgd", "to": "val_accuracy=0.9"})
    [decision], _ = decide(its_sweep, curves(tmp_path, its_sweep, {"adam": [2, 3, 2, 3, 2], "sgd": [6, 7, 5, 7, 6]}))
    assert decision.verdict == "supported"
    assert "seconds until val_accuracy=0.9" in decision.words


def test_a_run_that_ended_before_the_other_one_was_there_says_nothing_about_the_time_to_a_target(tmp_path):
    its_sweep = sweep({"faster": "optimizer=adam", "than": "optimizer=sgd", "to": "val_accuracy=0.9"})
    made = curves(tmp_path, its_sweep, {"adam": [2, 3, 2, 3, 2], "sgd": [0, 0, 0, 0, 0]})
    [decision], _ = decide(its_sweep, made)
    assert decision.verdict == "supported"  # ten epochs were not enough where two or three were
    for run in made:
        if run["id"].startswith("sgd"):  # ten epochs, in less time than the other's two
            timing = "".join(f"{epoch},0.1\n" for epoch in range(1, 11))
            Path(run["path"], "timing.csv").write_text(f"epoch,seconds\n{timing}")
    [decision], _ = decide(its_sweep, made)
    assert decision.verdict == "undecided"
    assert "5 runs ended without val_accuracy=0.9 in less time than the other side's took" in decision.words


def test_a_run_that_diverged_after_it_had_been_there_did_not_end_at_the_target(tmp_path):
    its_sweep = sweep({"reaches": "optimizer=adam", "target": "val_accuracy=0.9", "at": "last"})
    made = curves(tmp_path, its_sweep, {"adam": [2, 2, 2, 2, 2]})
    assert decide(its_sweep, made)[0][0].verdict == "supported"
    [decision], _ = decide(its_sweep, [run | {"status": "diverged"} for run in made])
    assert decision.words.startswith("0 of 5 reached")


def test_bitwise_equality_is_asked_of_all_planned_seeds(tmp_path):
    same = {"equal": ["optimizer=adam", "optimizer=sgd"], "within": "bitwise", "seeds": 10}
    its_sweep = sweep(same)
    made = curves(tmp_path, its_sweep, {"adam": [2, 2, 2, 2, 2], "sgd": [2, 2, 2, 2, 2]})
    [decision], _ = decide(its_sweep, made)
    assert (decision.verdict, decision.words[:14]) == ("undecided", "5 of 10 pairs ")


def test_shares_of_runs_on_changed_data_decide_nothing(tmp_path):
    its_sweep = sweep({"reaches": "optimizer=adam", "target": "val_accuracy=0.9"})
    made = curves(tmp_path, its_sweep, {"adam": [2, 2, 2, 2, 2]})
    made[0] = made[0] | {"data": {**made[0]["data"], "hash": "another"}}
    [decision], _ = decide(its_sweep, made)
    assert (decision.verdict, decision.words[:20]) == ("undecided", "the data changed bet")


def test_the_gap_needs_training_metrics_of_the_epochs_end():
    its_sweep = sweep({**BETTER, "metric": "gap:accuracy"})
    runs = records(its_sweep, apart(0.03))
    [decision], _ = decide(its_sweep, runs)
    assert "10 runs without gap:accuracy at the last epoch" in decision.words
    [decision], _ = decide(its_sweep, [r | {"last": {**r["last"], "train_accuracy": 0.95}} for r in runs])
    assert decision.verdict == "supported"


def test_numbers_are_plain_json_and_rows_name_every_part():
    its_sweep = sweep(
        {"order": ["optimizer=adam", "optimizer=sgd", "optimizer=momentum"], "says": "best first"}, BETTER
    )
    found, _ = decide(its_sweep, records(its_sweep, apart(0.03)))
    numbers = json.loads(json.dumps([decision.numbers for decision in found], allow_nan=False))
    assert [part["part"] for part in numbers[0]["parts"]] == ["adam > sgd", "sgd > momentum"]
    columns, rows = decisions.shown(found)
    assert columns == ("claim", "verdict", "numbers")
    assert [row[:2] for row in rows] == [
        ("best first", "supported"), ("· adam > sgd", "supported"), ("· sgd > momentum", "supported"),
        ("better: adam against sgd", "supported"),
    ]  # fmt: skip
    assert decisions.summary(found, []) == ["2 supported; 2 decided at 5%: expect up to 0.1 false ones"]
    columns, cells = decisions.exact(found)
    assert dict(zip(columns, cells[1], strict=True))["kind"] == "better"


def test_what_all_parts_are_about_is_named_once():
    its_sweep = sweep({"at_least_as_good": "optimizer=adam", "than": "all"})
    found, _ = decide(its_sweep, records(its_sweep, apart(0.03)))
    assert [row[0] for row in decisions.shown(found)[1]] == [
        "at least as good: adam against sgd; adam against momentum",
        "· against sgd",
        "· against momentum",
    ]


def test_only_the_newest_run_of_a_cell_counts_and_runs_of_other_sweeps_do_not():
    its_sweep = sweep(BETTER)
    newest = records(its_sweep, apart(0.03))
    older = [record(replace_cell, 0.1) for replace_cell in its_sweep.cells]
    foreign = [r | {"experiment_hash": None} for r in older]
    [decision], _ = decide(its_sweep, [*foreign, *newest, *older])
    assert decision.findings[0].numbers["mean"] == pytest.approx(0.03)


def test_runs_that_did_not_end_are_missing():
    its_sweep = sweep(BETTER)
    runs = records(its_sweep, apart(0.03))
    for status in ("running", "interrupted", "failed", "pruned"):
        [decision], _ = decide(its_sweep, [runs[0] | {"status": status}, *runs[1:]])
        assert decision.words == "undecided so far: 0 of 5 seeds"


def layered(its_sweep, gradients):
    """Return records of runs whose hidden layers had these gradients at the start, the output layer's last; by seed."""
    found = records(its_sweep, {"adam": [0.9] * 5, "sgd": [0.9] * 5})
    for one in found:
        values = gradients[int(one["id"].rpartition("/")[2])]
        names = [f"dense_{i}" for i in range(len(values))]
        one["health"] = {
            "layer": names, "kind": ["dense"] * len(names), "units": [100] * len(names), "activation": names,
            "start": {"gradient": values, "loss": [2.3] * len(names)}, "end": {"gradient": values[::-1]},
        }  # fmt: skip
    return found


def test_a_number_about_layers_is_held_against_its_bounds():
    falling = [[1e-4 * f, 1e-3, 1e-2, 1e-1, 1.0, 2.0] for f in (1.0, 1.1, 0.9, 1.2, 1.0)]
    verdicts = {}
    for metric, bounds in {
        "health:gradient:first/last": {"below": 1e-3},
        "health:gradient:last": {"below": 0.5},
        "health:gradient:max/min": {"above": 1e3, "below": 1e4},
        "health:factor": {"below": 0.6},
        "health:loss": {"above": 2.0},
    }.items():
        its_sweep = sweep({"has": "optimizer=adam", "metric": metric, **bounds}, health=True)
        [decision], looks = decide(its_sweep, layered(its_sweep, falling))
        verdicts[metric] = decision.verdict, decision.words
        assert len(looks) == 1
    assert [found for found, _ in verdicts.values()] == [
        "supported", "contradicted", "undecided", "supported", "supported",
    ]  # fmt: skip
    assert verdicts["health:gradient:first/last"][1].startswith("asked for below 0.001: 0.000104 [9.08e-05, 0.000119];")
    assert verdicts["health:gradient:last"][1] == (
        "asked for below 0.5: 1 in every seed; health:gradient:last at the start; 5 seeds"
    )


def test_a_number_is_needed_from_every_run_and_one_seed_decides_nothing():
    table = {"has": "optimizer=adam", "metric": "health:saturated:max", "below": 0.6}
    its_sweep = sweep(table, health=True)
    [decision], _ = decide(its_sweep, layered(its_sweep, [[1.0, 2.0]] * 5))
    assert decision.verdict == "undecided"
    assert decision.words.startswith("5 of 5 runs without a number (adam/relu/0, adam/relu/1")
    table["metric"] = "health:gradient:first/last"
    [decision], _ = decide(its_sweep := sweep(table, health=True), layered(its_sweep, [[None, 2.0, 8.0, 1.0]] * 5))
    assert decision.words.startswith("5 of 5 runs without a number"), "the second layer is not the first"
    its_sweep = sweep({"has": "optimizer=adam", "above": 0.5}, seeds=1)
    [decision], looks = decide(its_sweep, records(its_sweep, {"adam": [0.9]}))
    assert (decision.verdict, looks) == ("undecided", [])
    assert decision.words.startswith("asked for above 0.5: undecided (one seed): 0.9")


def test_the_last_epoch_of_layers_is_their_end_and_failures_do_not_count_there():
    table = {**BETTER, "metric": "health:gradient:first", "at": "last", "margin": 0.1}
    its_sweep = sweep(table, health=True)
    its_records = layered(its_sweep, [[1.0, 2.0, 8.0 * f] for f in (1.0, 1.1, 0.9, 1.2, 1.0)])
    for one in its_records:
        one["status"] = "diverged"
        seed = int(one["id"][-1])
        one["health"]["end"]["gradient"][0] /= 2 + 0.1 * seed if "adam" in one["id"] else 1
    [decision], _ = decide(its_sweep, its_records)
    assert decision.verdict == "supported"
    assert "health:gradient:first at the last epoch, margin 10 %" in decision.words


def test_layers_after_some_steps_are_neither_those_of_the_start_nor_of_the_end():
    table = {"has": "optimizer=adam", "metric": "health:factor", "at": "step=100", "below": 0.6}
    its_sweep = sweep(table, health=True)
    its_records = layered(its_sweep, [[1.0] * 6] * 5)
    [decision], _ = decide(its_sweep, its_records)
    assert decision.words.startswith("5 of 5 runs without a number")
    for seed, one in enumerate(its_records):
        one["health"]["step100"] = {"gradient": [(0.3 + 0.01 * (seed % 5)) ** -i for i in range(6)]}
    [decision], _ = decide(its_sweep, its_records)
    assert decision.verdict == "supported"
    assert decision.words.endswith("health:factor after 100 steps; 5 seeds")


def test_any_number_can_have_bounds():
    found = verdict({"has": "optimizer=adam", "above": 0.87}, apart(0.03))
    assert found == ("supported", "asked for above 0.87: 0.88 [0.877, 0.883]; val_accuracy at the last epoch; 5 seeds")
    assert verdict({"has": "optimizer=adam", "below": 0.87}, apart(0.03))[0] == "contradicted"
    assert verdict({"has": "optimizer=adam", "below": 0.8805}, apart(0.03))[0] == "undecided"


def rated(its_sweep, largest):
    """Return records of a sweep over learning rates: optimizer -> the largest rate at which it learns, by seed."""
    found = []
    for cell in its_sweep.cells:
        rate, most = cell.setting["learning_rate"], largest[cell.setting["optimizer"]][cell.seed]
        run = record(cell, 0.9 if rate <= most else None)
        run["experiment"]["learning_rate"] = rate
        found.append(run)
    return found


RATES = (0.01, 0.1, 1.0, 10.0)


@pytest.mark.parametrize(
    ("adam", "more", "expected"),
    [
        ([1.0, 10.0, 1.0, 1.0, 1.0], {}, "supported"),
        ([1.0, 10.0, 1.0, 1.0, 1.0], {"by": 2.0}, "supported"),
        ([1.0, 10.0, 1.0, 1.0, 1.0], {"by": 199.0}, "contradicted"),
        ([0.1, 0.1, 0.1, 0.01, 0.1], {}, "undecided"),
        ([0.0, 0.1, 0.1, 0.01, 0.1], {}, "undecided"),
    ],
)
def test_what_a_setting_stands_is_the_largest_value_up_to_which_every_run_learns(adam, more, expected):
    table = {"stands": "optimizer=adam", "than": "optimizer=sgd", "over": "learning_rate", **more}
    its_sweep = sweep(table, activations=RATES, over="learning_rate", optimizers=("sgd", "adam"))
    [decision], _ = decide(its_sweep, rated(its_sweep, {"sgd": [0.1] * 4 + [0.01], "adam": adam}))
    assert decision.verdict == expected, decision.words
    if not adam[0]:
        assert decision.words.startswith("not even the smallest learning_rate does with seed 0")
    else:
        assert "largest learning_rate up to which every run learns, margin 2 %" in decision.words


def test_parameters_and_epochs_are_numbers_that_a_run_has():
    table = {"has": "optimizer=adam", "metric": "parameters", "above": 7849, "below": 7851}
    its_sweep = sweep(table, {**table, "metric": "epochs_run", "above": 0, "below": 1000})
    made = records(its_sweep, apart(0.03), parameters=7850)
    for run, epochs in zip(made, itertools.cycle((3, 4, 5))):
        run["epochs_run"] = epochs
    [parameters, epochs], _ = decide(its_sweep, made)
    assert (parameters.verdict, parameters.words) == (
        "supported", "asked for above 7,849 and below 7,851: 7,850 in every seed; parameters; 5 seeds",
    )  # fmt: skip
    assert epochs.verdict == "supported"


def test_the_parts_that_decide_are_told_in_one_line():
    order = {"order": ["optimizer=adam", "optimizer=sgd", "optimizer=momentum"]}
    its_sweep = sweep(order, {**BETTER, "than": "all"})
    made = records(its_sweep, apart(0.0, 1))
    [order, better], _ = decide(its_sweep, made)
    assert order.verdict == "contradicted"
    assert decisions.told(order).startswith("1 of 2 parts hold;")
    assert decisions.told(order).count(" · ") == 1
    assert " · adam > sgd: equal within ±0.005: " in decisions.told(order)
    assert " · against sgd: equal within ±0.005: " in decisions.told(better)
    [alone], _ = decide(sweep(BETTER), made)
    assert decisions.told(alone) == alone.words


def test_of_many_parts_that_decide_the_first_three_are_told():
    everything = {
        "has": ["optimizer=sgd", "optimizer=momentum", "optimizer=adam"],
        "above": 0.5,
        "for_each": "activation",
    }
    its_sweep = sweep(everything, activations=("relu", "tanh"))
    [decision], _ = decide(its_sweep, records(its_sweep, apart(0.0, 1)))
    assert decision.verdict == "supported"
    assert decisions.told(decision).count("asked for above 0.5") == 3
    assert decisions.told(decision).endswith(" · and 3 more")
