import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kerasrun import run_folder, runs
from kerasrun.cli.app import app
from kerasrun.errors import InputError, RunInUse

METRICS = "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate\n1,0.9,0.5,0.8,0.6,0.01\n2,0.7,0.6,0.75,0.65,0.01\n"


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASRUN_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


def make(results, identifier, *, minute=0, metrics=METRICS, **changes):
    """Write a run folder as a finished training leaves it; `changes` go into the record."""
    folder = results / f"digits-dense-20261121-10{minute:02d}00-{identifier}"
    folder.mkdir(parents=True)
    record = {
        "format": 1, "id": identifier, "folder": folder.name, "status": "finished",
        "created": f"2026-11-21T10:{minute:02d}:00+00:00", "ended": f"2026-11-21T10:{minute:02d}:09+00:00",
        "experiment": {
            "dataset": "digits", "recipe": "dense", "knobs": {"hidden": [300, 100], "activation": "relu"},
            "optimizer": "adam", "epochs": 2, "patience": None, "seed": 0,
        },
        "origins": {"recipe": "dataset", "hidden": "command", "activation": "default", "optimizer": "file"},
        "recipe_sha256": "1" * 64, "versions": {"python": "3.11.7", "keras": "3.15.1"},
        "hardware": {"processor": "Abacus", "cores": 2, "memory": 8_000_000_000, "system": "Linux"},
        "git": {"commit": "c" * 40, "dirty": True}, "identity": "2" * 64,
        "data": {"hash": "d" * 64, "train": 1150, "validation": 288, "test": 359, "synthetic": False},
        "parameters": 12345, "architecture": "64-300-100-10", "monitor": "val_loss", "direction": "min",
        "loop": "resident", "threads": 1, "device": "cpu", "jit": False, "epochs_run": 2, "best_epoch": 2,
        "best": {"loss": 0.7, "accuracy": 0.6, "val_loss": 0.75, "val_accuracy": 0.65},
        "last": {"loss": 0.7, "accuracy": 0.6, "val_loss": 0.75, "val_accuracy": 0.65},
        "test": {"loss": 0.77, "accuracy": 0.64}, "seconds": {"total": 9.04, "training": 7.0, "epoch": 3.5},
        "files": {"best.keras": "b" * 64}, "error": None,
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps({**record, **changes}))
    for name, content in (("metrics.csv", metrics), ("timing.csv", "epoch,seconds\n"), ("recipe.py", "#\n")):
        (folder / name).write_text(content)
    return folder


def invoke(*words, answer=None):
    return CliRunner().invoke(app, ["runs", *map(str, words)], input=answer, catch_exceptions=False)


def said(*words):
    done = invoke(*words)
    assert done.exit_code == 0
    return done.stdout


def changed(**settings):
    experiment = {"dataset": "digits", "recipe": "dense", "knobs": {"hidden": [300, 100], "activation": "relu"}}
    return {**experiment, "optimizer": "adam", "epochs": 2, "patience": None, "seed": 0, **settings}


def test_runs_are_listed_newest_first_with_their_best_value(results):
    make(results, "aaaaa", minute=1)
    make(results, "bbbbb", minute=2, status="stopped")
    head, newest, oldest = said().splitlines()
    assert head.split()[:4] == ["n", "run", "status", "created"]
    assert head.split()[4:] == ["dataset", "recipe", "epochs", "best", "monitor", "value", "s"]
    assert newest.split()[:3] == ["1", "bbbbb", "stopped"]
    assert oldest.split()[:3] == ["2", "aaaaa", "finished"]
    assert oldest.split()[5:] == ["digits", "dense", "2", "2", "val_loss", "0.7500", "9.0"]


def test_a_run_that_has_only_begun_is_listed_without_numbers(results):
    folder = make(results, "aaaaa", status="running")
    record = json.loads((folder / "run.json").read_text())
    unknown = ("epochs_run", "best_epoch", "best", "last", "monitor", "seconds", "test", "parameters", "loop")
    (folder / "run.json").write_text(json.dumps({name: v for name, v in record.items() if name not in unknown}))
    with run_folder.lock(folder):
        row = said().splitlines()[1].split()
        assert row[:3] + row[5:] == ["1", "aaaaa", "running", "digits", "dense"]
        assert "no epoch was completed" in said("show", "aaaaa")
    assert said().splitlines()[1].split()[2] == "interrupted"


def test_a_damaged_run_is_named_and_the_others_are_listed(results):
    make(results, "aaaaa")
    broken = make(results, "bbbbb", minute=1)
    (broken / "run.json").write_text('{"id": "bb')
    done = invoke()
    assert done.exit_code == 0
    assert [line.split()[1] for line in done.stdout.splitlines()[1:]] == ["aaaaa"]
    assert broken.name in done.stderr


def test_no_runs_yet_is_no_error(results):
    done = invoke()
    assert (done.exit_code, done.stdout) == (0, "")
    assert f"no runs in {results} yet" in done.stderr
    assert not results.exists()


def test_the_list_can_be_had_as_json(results):
    make(results, "aaaaa")
    (row,) = json.loads(said("--format", "json"))
    assert (row["run"], row["value"], row["s"]) == ("aaaaa", 0.75, 9.0)


def test_a_run_is_shown_with_settings_origins_results_machine_and_files(results):
    folder = make(results, "aaaaa")
    text = said("show", "aaaaa")
    rows = [line.split() for line in text.splitlines()]
    assert rows[0] == ["aaaaa", "finished", str(folder)]
    assert ["hidden", "300-100", "command"] in rows
    assert ["optimizer", "adam", "file"] in rows
    assert ["best", "epoch", "(2,", "val_loss", "min)", "0.7000", "0.6000", "0.7500", "0.6500"] in rows
    assert ["test", "(best", "weights)", "0.7700", "0.6400"] in rows
    assert "1,150 train · 288 validation · 359 test" in text
    assert "python 3.11.7 · keras 3.15.1" in text
    assert f"git {'c' * 12} with changes" in text
    assert ["best.keras", "missing"] in rows
    assert ["recipe.py", "2", "bytes"] in rows


def test_the_error_of_a_failed_run_is_shown(results):
    make(results, "aaaaa", status="diverged", error={"message": "loss became NaN in epoch 2"})
    assert "error: loss became NaN in epoch 2" in said("show", "last")


def test_the_record_can_be_had_as_json(results):
    folder = make(results, "aaaaa")
    assert json.loads(said("show", "aaaaa", "--json")) == json.loads((folder / "run.json").read_text())


def test_runs_that_differ_in_settings_software_and_data_are_told_apart(results):
    make(results, "aaaaa")
    other = {"knobs": {"hidden": [], "activation": "relu"}, "optimizer": "sgd(learning_rate=0.1)"}
    versions, data = {"python": "3.11.7", "keras": "3.16.0"}, {"hash": "e" * 64, "train": 1150}
    make(results, "bbbbb", minute=1, experiment=changed(**other), versions=versions, data=data, threads=2)
    rows = [line.split() for line in said("diff", "aaaaa", "bbbbb").splitlines()]
    assert rows[0] == ["part", "name", "aaaaa", "bbbbb"]
    assert ["setting", "hidden", "300-100", "none"] in rows
    assert ["setting", "optimizer", "adam", "sgd(learning_rate=0.1)"] in rows
    assert ["version", "keras", "3.15.1", "3.16.0"] in rows
    assert ["data", "hash", "d" * 12, "e" * 12] in rows
    assert ["training", "threads", "1", "2"] in rows
    assert not [row for row in rows if row[1] in ("activation", "python", "epochs")]


@pytest.mark.parametrize(
    ("metrics", "verdict"),
    [
        (METRICS, "equal byte for byte (2 epochs)"),
        (METRICS.replace("0.75", "0.76"), "first difference in epoch 2, val_loss: 0.75 and 0.76"),
        (METRICS + "3,0.6,0.7,0.7,0.7,0.01\n", "equal for 2 epochs, where aaaaa ends; the other has 3"),
        (METRICS.splitlines()[0] + "\n", "equal for 0 epochs, where bbbbb ends; the other has 2"),
        (METRICS.replace("\n", "\r\n"), "equal numbers (2 epochs), written differently"),
        (METRICS.replace("accuracy", "auc"), "other columns: accuracy only in aaaaa"),
        (METRICS[:-6], "first difference in epoch 2, learning_rate: 0.01 and None"),
        ("\x00\xff", "equal for 0 epochs, where bbbbb ends; the other has 2"),
    ],
)
def test_the_first_difference_in_the_metrics_is_named(results, metrics, verdict):
    make(results, "aaaaa")
    make(results, "bbbbb", minute=1, metrics=metrics)
    text = said("diff", "aaaaa", "bbbbb")
    assert text.startswith("same settings, data, software and machine\nmetrics.csv: ")
    assert verdict in text


def test_metrics_that_are_missing_are_said_to_be(results):
    make(results, "aaaaa")
    (make(results, "bbbbb", minute=1) / "metrics.csv").unlink()
    assert "metrics.csv: missing in bbbbb" in said("diff", "1", "2")


def test_a_run_is_removed_after_a_yes_and_kept_after_anything_else(results):
    folder = make(results, "aaaaa")
    done = invoke("rm", "last", answer="\n")
    assert (done.exit_code, done.stdout) == (0, "")
    assert str(folder) in done.stderr
    assert "nothing was removed" in done.stderr
    assert folder.exists()
    assert invoke("rm", "last", answer="y\n").exit_code == 0
    assert not folder.exists()


def test_nobody_to_answer_is_wrong_input(results):
    folder = make(results, "aaaaa")
    with pytest.raises(InputError, match="--yes"):
        invoke("rm", "aaaaa", answer="")
    assert folder.exists()


def test_numbers_of_several_runs_mean_the_list_as_it_was_before(results):
    folders = [make(results, name, minute=minute) for minute, name in enumerate(("aaaaa", "bbbbb", "ccccc"))]
    said("rm", "1", "2", "bbbbb", "--yes")
    assert [folder.exists() for folder in folders] == [True, False, False]


def test_one_run_in_use_keeps_all_from_being_removed(results):
    folders = [make(results, name, minute=minute) for minute, name in enumerate(("aaaaa", "bbbbb"))]
    with run_folder.lock(folders[0]), pytest.raises(RunInUse, match=folders[0].name):
        said("rm", "bbbbb", "aaaaa", "--yes")
    assert all((folder / "run.json").exists() for folder in folders)


def test_states_of_ended_runs_are_removed_and_nothing_else(results):
    folders = [make(results, "aaaaa"), make(results, "bbbbb", minute=1, status="interrupted")]
    for folder in folders:
        (folder / "state.npz").write_bytes(bytes(1500))
        (folder / "state.prev.npz").write_bytes(bytes(500))
    kept = {path.name for path in folders[0].iterdir()} - {"state.npz", "state.prev.npz"}
    assert said("slim") == "2.0 kB freed in 1 run\n"
    assert {path.name for path in folders[0].iterdir()} - {".lock"} == kept
    assert (folders[1] / "state.npz").exists()
    assert said("slim") == "0 bytes freed in 0 runs\n"


def test_the_state_of_a_run_that_has_not_ended_is_kept(results):
    folder = make(results, "bbbbb", status="running", ended=None)
    (folder / "state.npz").write_bytes(bytes(1500))
    with pytest.raises(InputError, match="bbbbb has not ended"):
        said("slim", "bbbbb")
    with run_folder.lock(folder), pytest.raises(RunInUse):
        said("slim", "bbbbb")
    assert (folder / "state.npz").exists()


def test_an_unknown_name_removes_nothing(results):
    folder = make(results, "aaaaa")
    with pytest.raises(InputError, match="zzzzz"):
        said("rm", "aaaaa", "zzzzz", "--yes")
    assert folder.exists()


def test_of_a_link_only_the_link_is_removed(results, tmp_path):
    folder = make(tmp_path / "elsewhere", "aaaaa")
    results.mkdir()
    link = results / folder.name
    link.symlink_to(folder)
    runs.remove([link])
    assert not link.is_symlink()
    assert (folder / "run.json").exists()
    assert not (folder / ".lock").exists()


def test_the_folder_of_a_run_is_printed(results):
    folder = make(results, "aaaaa")
    assert said("path", "aaa") == f"{folder}\n"


def test_the_results_folder_may_be_named_before_or_after_the_command(results, tmp_path):
    make(results, "aaaaa")
    folder = make(tmp_path / "other", "bbbbb")
    assert Path(said("--results", tmp_path / "other", "path", "last").strip()) == folder
    assert Path(said("path", "last", "--results", tmp_path / "other").strip()) == folder


def test_a_run_in_use_and_an_unknown_one_have_their_exit_codes(results):
    folder = make(results, "aaaaa")
    with run_folder.lock(folder):
        for name, code in (("aaaaa", 75), ("zzzzz", 2)):
            command = [sys.executable, "-m", "kerasrun", "runs", "rm", name, "--yes"]
            done = subprocess.run(command, capture_output=True, text=True)
            assert (done.returncode, done.stdout) == (code, "")
            assert done.stderr.count("\n") <= 3


def test_a_damaged_run_can_be_removed_by_its_folder(results):
    make(results, "aaaaa")
    broken = make(results, "bbbbb", minute=1)
    (broken / "run.json").write_text("")
    said("rm", broken.name, "--yes")
    assert not broken.exists()


def test_what_lies_outside_the_results_folder_is_never_removed(results, tmp_path):
    make(results, "aaaaa")
    outside = make(tmp_path / "elsewhere", "bbbbb")
    (results / outside.name).symlink_to(outside)
    for name in ("../elsewhere", f"../elsewhere/{outside.name}", str(outside), outside.name, ".."):
        with pytest.raises(InputError):
            said("rm", name, "--yes")
    assert (outside / "run.json").exists()
