"""`kerasrun plot` on made-up runs: what is chosen, where it is written, what is refused."""

import json
import sys

import pytest
from typer.testing import CliRunner

from kerasrun.cli.app import app
from kerasrun.errors import InputError


@pytest.fixture
def results(tmp_path):
    for number, (optimizer, seed) in enumerate([("adam", 0), ("adam", 1), ("sgd", 0), ("sgd", 1)]):
        folder = tmp_path / f"digits-dense-20261121-10150{number}-abcd{'wxyz'[number]}"
        folder.mkdir()
        value = 0.9 - number / 10
        record = {
            "format": 1, "id": folder.name[-5:], "status": "finished", "created": f"2026-11-21T10:15:0{number}+00:00",
            "experiment": {
                "dataset": "digits", "recipe": "dense", "knobs": {}, "optimizer": optimizer, "seed": seed,
                "epochs": 2, "patience": None,
            },
            "data": {"hash": "h", "synthetic": False}, "epochs_run": 2, "recipe_sha256": "r",
            "last": {"loss": 0.3, "val_accuracy": value}, "best": {"loss": 0.3, "val_accuracy": value},
            "test": {"accuracy": 0.77},
        }  # fmt: skip
        (folder / "run.json").write_text(json.dumps(record))
        (folder / "metrics.csv").write_text(f"epoch,loss,val_accuracy\n1,0.5,0.5\n2,0.3,{value}\n")
    return tmp_path


def invoke(results, *words):
    return CliRunner().invoke(app, ["plot", "--results", str(results), *words])


def test_without_a_file_it_draws_in_the_terminal(results):
    lines = invoke(results).stdout.splitlines()
    assert lines[0] == "digits · val_accuracy · mean and 95 % interval"
    assert [line.split()[:2] for line in lines[-2:]] == [["A", "adam"], ["B", "sgd"]]


def test_a_run_that_is_named_is_drawn_alone(results):
    lines = invoke(results, "abcdz", "--metric", "train_loss").stdout.splitlines()
    assert lines[0] == "digits · loss of run abcdz"
    assert lines[-1].startswith("A  training")


def test_kind_by_and_where_are_those_of_compare(results):
    said = invoke(results, "--kind", "bars", "--by", "seed", "--where", "optimizer=sgd", "--at", "last").stdout
    assert said.startswith("digits · val_accuracy at the last epoch (2)\n\nseed=0  0.7000\n")
    assert invoke(results, "--kind", "heat", "--by", "optimizer,seed").stdout.splitlines()[2] == "optimizer ↓  seed →"
    assert len(invoke(results, "--runs").stdout.split("\n\n")[-1].splitlines()) == 4


def test_a_file_is_written_in_the_form_that_its_name_says(results, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'kerasrun[plot]'")
    for form, begin in (("png", b"\x89PNG"), ("svg", b"<?xml")):
        file = tmp_path / f"picture.{form}"
        result = invoke(results, "-o", str(file))
        assert (result.stdout, result.stderr.splitlines()[0]) == ("", f"wrote {file}")
        assert file.read_bytes().startswith(begin)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "x.pdf"], "unknown kind of file 'pdf'.*\nknown: png, svg"),
        (["-o", "picture"], "unknown kind of file 'picture'"),
        (["--metric", "val_acuracy"], "did you mean 'val_accuracy'"),
        (["--metric", "test_accuracy"], "needs --test"),
        (["abcdq"], "no run 'abcdq'"),
        (["--kind", "heat"], "choose two: --by a,b"),
    ],
)
def test_wrong_words_are_answered(results, words, message):
    error = invoke(results, *words).exception
    assert isinstance(error, InputError)
    with pytest.raises(InputError, match=message):
        raise error


def test_a_missing_extra_is_said_in_one_line_and_no_file_is_left(results, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    error = invoke(results, "-o", str(tmp_path / "x.svg")).exception
    assert str(error) == "pictures need matplotlib: pip install 'kerasrun[plot]'"
    assert not (tmp_path / "x.svg").exists()


def test_no_runs_at_all_is_said(tmp_path):
    assert "holds no runs yet" in str(invoke(tmp_path).exception)
