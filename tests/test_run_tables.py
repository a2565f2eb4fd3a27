"""Committed tables of runs: a record comes back as it was, and what is damaged is named."""

import gzip
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kerasrun import run_tables
from kerasrun.errors import InputError

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="."), min_size=1, max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def record(number=0, **changes):
    return {
        "format": 1, "id": "abcd" + "efghij"[number], "folder": f"digits-dense-{number}", "status": "finished",
        "created": f"2026-11-21T10:15:0{number}+00:00",
        "experiment": {"dataset": "digits", "recipe": "dense", "knobs": {"hidden": [100], "activation": "relu"},
                       "optimizer": "sgd(learning_rate=0.1)", "learning_rate": None, "seed": number},
        "best": {"loss": 0.1, "val_accuracy": 0.123456789}, "data": {"hash": "h", "synthetic": False},
        "seconds": {"total": 8.93}, **changes,
    }  # fmt: skip


def run_folder(results, made):
    folder = results / made["folder"]
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(made))


def no_curves(made):
    return {}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(knobs=st.dictionaries(NAMES, VALUES, max_size=4), more=st.dictionaries(st.text(max_size=6), VALUES, max_size=3))
def test_a_record_comes_back_as_it_was(tmp_path, knobs, more):
    made = record(error=more)
    made["experiment"]["knobs"] = knobs
    run_tables.write(tmp_path / "study", [made, record(1, best=None)], no_curves)
    first, second = run_tables.read(tmp_path / "study")
    assert first == made | {"table": str(tmp_path / "study")}
    assert second["best"] is None
    assert "error" not in second


@pytest.mark.parametrize(
    "text", ["0.1", "true", "null", "", " a", "=cmd", "-1", "a\nb", '"a"', "[", "NaN", "1e9", "é,;"]
)
def test_texts_that_look_like_something_else_stay_texts(tmp_path, text):
    run_tables.write(tmp_path, [record(git=text)], no_curves)
    assert run_tables.read(tmp_path)[0]["git"] == text
    assert ",=cmd" not in (tmp_path / "runs.csv").read_text()


def test_the_table_is_readable_and_names_no_place_on_a_machine(tmp_path):
    made = record(results="/home/x/results", path="/home/x/results/a", files={"best.keras": "0"}, checksum="1")
    run_tables.write(tmp_path, [made], no_curves)
    head, row = (tmp_path / "runs.csv").read_text().splitlines()
    assert "experiment.knobs.activation" in head
    assert ",relu,[100],null,sgd(learning_rate=0.1),dense,0," in row
    assert "/home" not in row


def test_the_order_of_a_records_keys_does_not_show(tmp_path):
    made = record()
    made["experiment"]["knobs"] = {"dropout": 0.0, **made["experiment"]["knobs"]}
    other = {name: made[name] for name in sorted(made, reverse=True)}
    other["experiment"] = {name: made["experiment"][name] for name in sorted(made["experiment"])}
    for name, one in (("a", made), ("b", other)):
        run_tables.write(tmp_path / name, [one], no_curves)
    assert (tmp_path / "a/runs.csv").read_bytes() == (tmp_path / "b/runs.csv").read_bytes()


def test_epochs_come_back_with_every_digit_and_files_are_the_same_each_time(tmp_path):
    columns = {record(0)["id"]: {"epoch": [1.0, 2.0], "loss": [0.1, 1 / 3], "seconds": [0.5, 1.25]},
               record(1)["id"]: {"epoch": [1.0], "val_mae": [2.0]}}  # fmt: skip
    made = [record(0), record(1), record(2)]
    for name in ("a", "b"):
        run_tables.write(tmp_path / name, made, lambda r: columns.get(r["id"], {}))
    assert run_tables.curves(tmp_path / "a", made[0]["id"], made[0]["created"]) == columns[made[0]["id"]]
    assert run_tables.curves(tmp_path / "a", made[1]["id"], made[1]["created"]) == columns[made[1]["id"]]
    assert run_tables.curves(tmp_path / "a", made[2]["id"], made[2]["created"]) == {}
    assert (tmp_path / "a/epochs.csv.gz").read_bytes() == (tmp_path / "b/epochs.csv.gz").read_bytes()


def test_runs_of_folders_and_tables_are_there_once_the_newest_first(tmp_path):
    run_folder(tmp_path, record(1))
    run_tables.write(tmp_path / "study", [record(0), record(1), record(2)], no_curves)
    records, damaged = run_tables.all_records(tmp_path)
    assert [r["id"][-1] for r in records] == ["g", "f", "e"]
    assert ["path" in r for r in records] == [False, True, False]
    assert damaged == []


def test_a_copied_folder_counts_once_and_is_named(tmp_path):
    run_folder(tmp_path, record(0))
    run_folder(tmp_path, record(0, folder="a-copy"))
    records, damaged = run_tables.all_records(tmp_path)
    assert len(records) == 1
    assert {d.folder for d in damaged} | {records[0]["folder"]} == {"digits-dense-0", "a-copy"}
    assert "counted once" in str(damaged[0])


def test_an_empty_results_folder_holds_nothing(tmp_path):
    assert run_tables.all_records(tmp_path / "nowhere") == ([], [])


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda text: text.rpartition(",")[0], r"runs.csv: row 2 has \d+ cells, the head has \d+"),
        (lambda text: text.replace("finished", "finnished"), "runs.csv: row 1 holds an unknown status"),
        (lambda text: text.replace("2026-11-21T10:15:02", "yesterday"), "runs.csv: row 2 holds no time"),
        (lambda text: "", "runs.csv cannot be read"),
        (lambda text: "\x00", "runs.csv"),
    ],
)
def test_a_damaged_table_is_named_with_file_and_row_and_the_rest_is_read(tmp_path, change, line):
    run_folder(tmp_path, record(0))
    run_tables.write(tmp_path / "study", [record(1), record(2)], no_curves)
    path = tmp_path / "study/runs.csv"
    path.write_text(change(path.read_text()))
    records, damaged = run_tables.all_records(tmp_path)
    assert [r["id"] for r in records] == [record(0)["id"]]
    assert len(damaged) == 1
    with pytest.raises(InputError, match=line):
        run_tables.read(tmp_path / "study")
    assert str(damaged[0]).startswith("skipped study: runs.csv")


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzip.compress(b"id,created,loss\nabcde,2026\n"), b""],
    ids=["no gzip", "a column missing", "empty"],
)
def test_damaged_epochs_are_named(tmp_path, content):
    run_tables.write(tmp_path, [record()], no_curves)
    (tmp_path / "epochs.csv.gz").write_bytes(content)
    with pytest.raises(InputError, match=r"epochs.csv.gz(: row 1| cannot be read)"):
        run_tables.curves(tmp_path, "abcde", "2026")
