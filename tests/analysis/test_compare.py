import csv
import io
import json
import subprocess
import sys

import pytest
from made_up_runs import run

from kerasrun.analysis.columns import matches
from kerasrun.analysis.compare import compare, to_text
from kerasrun.errors import InputError


def order(comparison):
    return [row["run"][0] for row in comparison.rows]


def notes(*records, **options):
    return "\n".join(compare(records, **options).notes)


def test_rows_are_runs_the_best_first_and_columns_are_what_differs():
    found = compare([run(0, 0.87), run(1, 0.89, optimizer="rmsprop", knobs={"hidden": [300, 100]}), run(2, 0.88)])
    assert order(found) == ["b", "c", "a"]
    assert found.columns == (
        "run", "optimizer", "hidden", "epochs_run", "best_epoch", "val_accuracy", "val_loss", "parameters", "seconds",
    )  # fmt: skip
    assert found.rows[0]["hidden"] == "300-100"
    assert found.rows[0]["val_accuracy"] == 0.89
    assert found.title == "val_accuracy at the best epoch (optimistic: the best of 9 epochs)"


def test_no_runs_give_an_empty_table():
    assert compare([]).rows == []
    assert len(compare([]).table) == 0


def test_the_table_is_a_data_frame_with_every_digit():
    table = compare([run(0, 0.123456789), run(1)]).table
    assert list(table["run"]) == ["bbbbb", "aaaaa"]
    assert table["val_accuracy"].iloc[1] == 0.123456789


def test_pandas_is_not_needed_for_the_rows():
    code = (
        "import sys, kerasrun.analysis.compare as c; c.compare([]); print({'pandas', 'numpy', 'rich'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_losses_and_errors_are_best_low_and_a_run_knows_its_monitors_direction():
    low, high = run(0, 0.8), run(1, 0.9)
    assert order(compare([low, high], metric="val_loss")) == ["b", "a"]
    values = [{"val_loss": 1, "val_mae": 3.0, "val_gain": 1}, {"val_loss": 2, "val_mae": 2.0, "val_gain": 2}]
    records = [run(i, best=best) for i, best in enumerate(values)]
    assert order(compare(records)) == ["b", "a"]
    assert compare(records).metric == "val_mae"
    assert order(compare(records, metric="val-gain")) == ["a", "b"]
    records[0] |= {"monitor": "val_gain", "direction": "max"}
    assert order(compare(records, metric="val_gain")) == ["b", "a"]


def test_any_column_sorts_rising_and_with_a_minus_falling_and_blanks_stay_last():
    records = [run(0, learning_rate=0.1), run(1), run(2, learning_rate=0.01, seconds={"total": 1})]
    assert order(compare(records, sort="learning-rate")) == ["c", "a", "b"]
    assert order(compare(records, sort="-learning_rate")) == ["a", "c", "b"]
    assert order(compare(records, sort="seconds"))[0] == "c"
    records[1] |= {"seconds": None}
    assert order(compare(records, sort="-seconds")) == ["a", "c", "b"]
    assert order(compare(records, sort="seconds")) == ["c", "a", "b"]


def test_a_column_that_sorts_is_shown():
    assert "epochs" in compare([run(0), run(1)], sort="epochs").columns


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sort": "optimiser"}, "unknown column to sort by 'optimiser'; did you mean 'optimizer'"),
        ({"metric": "val_acuracy"}, "unknown metric 'val_acuracy'; did you mean 'val_accuracy'"),
        ({"by": "optimizr"}, "unknown column to group by 'optimizr'; did you mean 'optimizer'"),
        ({"by": "optimizer", "sort": "maen"}, "unknown column to sort by 'maen'; did you mean 'mean'"),
        ({"by": "val_loss"}, "unknown column to group by"),
        ({"by": "seconds"}, "measured, not set"),
        ({"by": ","}, "names no column"),
        ({"where": "optimzer=adam"}, "unknown column 'optimzer'; did you mean 'optimizer'"),
        ({"where": "optimizer"}, "write COLUMN=VALUE"),
        ({"where": "optimizer="}, "write COLUMN=VALUE"),
        ({"where": "optimizer=adma"}, "no run has optimizer=adma; did you mean 'adam'.*\nvalues: adam"),
        ({"metric": "test_accuracy"}, "needs --test"),
        ({"sort": "test_loss"}, "needs --test"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_closest(options, message):
    with pytest.raises(InputError, match=message):
        compare([run(0), run(1)], **options)


def test_as_many_layers_as_can_be_asked_for_can_be_found_again():
    assert matches("hidden", [5] * 1000, "5x1000")
    assert not matches("hidden", [5] * 999, "5x1000")


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("optimizer=adam", "a"),
        ("optimizer=momentum", "c"),
        ("optimizer=sgd(momentum=.90)", "c"),
        ("optimizer=adam,adamw", "ab"),
        ("learning-rate=1e-2", "b"),
        ("learning_rate=none", "acd"),
        ("hidden=100x2", "b"),
        ("hidden=100", "ad"),
        ("hidden=none", "c"),
        ("layers=2", "b"),
        ("units=100", "abd"),
        ("dropout=0.50", "d"),
        ("dataset=digits", "abcd"),
        ("activation=leaky-relu", "d"),
        ("scale=none", "c"),
        ("jit=True", "d"),
        ("run=aaaaa", "a"),
        ("val_accuracy=0.9", "abcd"),
    ],
)
def test_conditions_compare_numbers_as_numbers_and_objects_as_names(condition, found):
    records = [
        run(0),
        run(1, optimizer="adamw", learning_rate=0.01, knobs={"hidden": [100, 100]}),
        run(2, optimizer="sgd(momentum=0.9)", knobs={"hidden": []}, scale="none"),
        run(3, optimizer="rmsprop", knobs={"dropout": 0.5, "activation": "leaky_relu"}, jit=True),
    ]
    assert sorted(order(compare(records, where=condition))) == [*found]


def test_several_conditions_all_hold():
    records = [run(0), run(1, batch_size=64), run(2, batch_size=64, seed=1)]
    assert order(compare(records, where=["batch_size=64", "seed=1"])) == ["c"]


def test_without_a_choice_the_newest_datasets_ended_runs_are_shown_and_the_others_counted():
    records = [
        run(0, dataset="iris"), run(1), run(2, status="stopped"), run(3, status="interrupted"),
        run(4, status="running", dataset="xor", best={}),
    ]  # fmt: skip
    found = compare(records)
    assert sorted(order(found)) == ["b", "c"]
    assert "status" not in found.columns
    assert (
        found.notes[0] == "left out: 1 run on other data (iris 1), 1 still running, 1 interrupted; --all includes them"
    )
    everything = compare(records, every=True)
    assert len(everything.rows) == 5
    assert {"status", "dataset"} <= {*everything.columns}


def test_when_nothing_has_ended_the_line_says_so():
    found = compare([run(0, status="running")])
    assert found.rows == []
    assert found.notes == ["left out: 1 still running; --all includes them"]


def test_a_condition_on_dataset_or_status_replaces_the_default_choice():
    records = [run(0, dataset="iris"), run(1), run(2, status="interrupted")]
    assert order(compare(records, where="dataset=iris")) == ["a"]
    assert order(compare(records, where="status=interrupted")) == ["c"]


@pytest.mark.parametrize("status", ["diverged", "failed", "pruned"])
def test_runs_without_a_result_stay_in_the_table_last_and_blank(status):
    found = compare([run(0, 0.99, status=status), run(1, 0.5)])
    assert order(found) == ["b", "a"]
    assert found.rows[1] | {"status": status, "val_accuracy": None, "val_loss": None} == found.rows[1]


def test_a_run_that_failed_before_its_first_epoch_is_shown():
    broken = {
        k: v for k, v in run(0, status="failed").items() if k not in ("best", "data", "seconds", "test", "parameters")
    }
    assert compare([broken, run(1)]).rows[1]["seconds"] is None
    assert compare([broken]).rows[0]["run"] == "aaaaa"
    assert compare([broken], by="optimizer").rows[0]["n"] == 0


@pytest.mark.parametrize("changes", [{"data": {"hash": "h", "synthetic": True}}, {"dataset": "synthetic:mnist"}])
def test_made_up_data_is_marked_in_every_table(changes):
    made_up = run(1, **changes)
    assert compare([made_up]).rows[0]["data"] == "synthetic"
    assert {row["data"] for row in compare([run(0), made_up], every=True).rows} == {"synthetic", "real"}
    assert compare([made_up], by="optimizer").rows[0]["data"] == "synthetic"
    assert [row["n"] for row in compare([run(0), made_up], by="optimizer", every=True).rows] == [1, 1]


def test_test_metrics_are_shown_on_request_only():
    assert not [name for name in compare([run(0)], all_columns=True).columns if name.startswith("test")]
    found = compare([run(0)], test=True)
    assert found.columns[-4:] == ("test_accuracy", "test_loss", "parameters", "seconds")
    assert "not for choosing" in notes(run(0), test=True, metric="test_accuracy")


def test_all_columns_shows_every_setting_and_what_follows_from_it():
    found = compare([run(0, knobs={"hidden": [50] * 10})], all_columns=True)
    assert {"folder", "created", "status", "epochs", "patience", "dropout", "layers", "train_loss"} <= {*found.columns}
    assert [found.rows[0][name] for name in ("hidden", "layers", "units", "learning_rate")] == ["50x10", 10, 50, "none"]


@pytest.mark.parametrize("at", ["last", "best"])
def test_a_training_metric_is_the_evaluated_one_where_a_run_has_it(at):
    with_dropout, evaluated = run(0, 0.8), run(1, 0.8)
    evaluated |= {part: {**evaluated[part], "train_accuracy": 0.95} for part in ("last", "best")}
    found = compare([with_dropout, evaluated], all_columns=True, at=at)
    assert {row["run"][0]: row["train_accuracy"] for row in found.rows} == {"a": 0.81, "b": 0.95}


def test_a_knob_that_only_one_recipe_has_is_no_difference():
    other = run(1, recipe="softmax")
    other["experiment"]["knobs"] = {}
    assert compare([run(0), other]).columns[1:3] == ("recipe", "epochs_run")
    found = compare([run(0, knobs={"dropout": 0.1}), run(2), other])
    assert {row["run"][0]: row["dropout"] for row in found.rows} == {"a": 0.1, "c": 0.0, "b": None}


def test_groups_by_several_columns_and_by_derived_ones():
    records = [run(0), run(1, knobs={"hidden": [100, 100]}), run(2, knobs={"hidden": [50]}, clip_norm=1)]
    assert len(compare(records, by=["layers", "units"]).rows) == 3
    assert len(compare(records, by="layers,optimizer").rows) == 2


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"split_seed": 1}, "not comparable with the rest: 1 run with another split (ccccc)"),
        ({"limit": 500}, "another split"),
        ({"data": {"hash": "other"}}, "not comparable with the rest: 1 run with other data (ccccc)"),
        ({"jit": True}, "jit differs (none, true): compare neither last digits nor seconds"),
        ({"precision": "mixed_float16"}, "precision differs"),
        ({"threads": 2}, "threads differ (1, 2)"),
        ({"recipe_sha256": "s"}, "recipe dense was changed between these runs (2 versions)"),
    ],
)
def test_what_makes_runs_hard_to_compare_is_said(changes, line):
    assert line in notes(run(0), run(1), run(2, **changes))
    assert line not in notes(run(0), run(1), run(2))


def test_losses_of_different_kinds_are_not_compared_in_silence():
    records = [run(0), run(1, loss="mean_squared_error")]
    assert "val_loss of different losses" in notes(*records, metric="val_loss")
    assert "different losses" not in notes(*records)


def test_one_seed_each_is_said_until_a_setting_has_two():
    assert "One seed each" in notes(run(0), run(1, optimizer="sgd"))
    assert "One seed each" not in notes(run(0), run(1, optimizer="sgd"), run(2, seed=1))
    assert "One seed each" not in notes(run(0))


def test_numbers_that_are_none_leave_a_blank():
    values = [float("inf"), 10**400, "0.9", True, None]
    records = [run(i, best={"val_accuracy": value}) for i, value in enumerate(values)]
    assert {row["val_accuracy"] for row in compare(records).rows} == {None}
    assert compare(records, by="optimizer").rows[0]["n"] == 0


def test_the_records_are_not_changed():
    records = [run(0), run(1, optimizer="sgd")]
    before = json.dumps(records)
    compare(records, by="optimizer", all_columns=True, test=True).table.sort_values("n")
    assert json.dumps(records) == before


def test_people_get_settings_as_written_and_programs_every_digit():
    found = compare([run(0, 0.123456789, learning_rate=0.001), run(1)])
    columns, cells = found.people
    shown = dict(zip(columns, cells[1], strict=True))
    assert (shown["learning_rate"], shown["s"], shown["best"]) == ("0.001", "8.9", 6)
    assert "parameters" not in columns
    assert "| aaaaa | 0.001 | 9 | 6 | 0.1235 | 0.8765 | 8.9 |" in to_text(columns, cells, "md")
    assert "aaaaa,0.001,9,6,0.123456789,0.876543211,7510,8.93" in to_text(*found.exact(), "csv")
    assert json.loads(to_text(*found.exact(), "json"))[1]["val_accuracy"] == 0.123456789


def test_a_difference_with_its_interval_is_a_number():
    for cell in ("+0.0241 [0.0210, 0.0272]", "-3.1 % [-8.3, 2.4]", "-3.6000 ± 0.4000", "-4 ± 1"):
        assert f"| {cell} |" in to_text(["a"], [[cell]], "md")
    for cell in ("+1+cmd", "-1 ± cmd"):
        assert f"'{cell}" in to_text(["a"], [[cell]], "md")


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_texts_that_a_spreadsheet_would_run_are_disarmed_in_csv_and_md(begin):
    cell = f"{begin}HYPERLINK(1)"
    [_, row] = csv.reader(io.StringIO(to_text(["a"], [[cell]], "csv"), newline=""))
    assert row == ["'" + cell.replace("\r", "\n")]
    assert "'" in to_text(["a"], [[cell]], "md").splitlines()[2]
    assert json.loads(to_text(["a"], [[cell]], "json")) == [{"a": cell}]


def test_negative_numbers_stay_numbers():
    assert to_text(["a", "b", "c"], [[-0.5, -3, "-1.5"]], "csv") == "a,b,c\n-0.5,-3,-1.5\n"
    assert "| -0.5000 | -3 | -1.5 |" in to_text(["a", "b", "c"], [[-0.5, -3, "-1.5"]], "md")


def test_a_run_named_like_a_formula_is_disarmed_on_its_way_out():
    found = compare([run(0, recipe="=cmd|' /C calc'!A0"), run(1)])
    assert "'=cmd" in to_text(*found.exact(), "csv")


def test_md_survives_bars_line_breaks_and_control_characters():
    lines = to_text(["a", "b"], [["x|y\n<b>\x1b[31m", None]], "md").splitlines()
    assert len(lines) == 3
    assert "x\\|y \\<b> [31m" in lines[2]


def test_texts_that_are_no_unicode_can_still_be_written():
    for form in ("csv", "json", "md"):
        to_text(["a"], [["\ud800"]], form).encode()


def test_json_without_rows_is_an_empty_list_and_holds_no_nan():
    assert json.loads(to_text(["a"], [], "json")) == []
    assert json.loads(to_text(["a"], [[float("nan")]], "json")) == [{"a": None}]


def test_an_unknown_format_is_wrong_input():
    with pytest.raises(InputError, match="unknown format 'cvs'; did you mean 'csv'"):
        to_text(["a"], [], "cvs")
