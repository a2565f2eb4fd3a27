"""`kerasrun compare` on made-up records: the table, its forms, and what is refused."""

import csv
import io
import json

import pytest
from typer.testing import CliRunner

import kerasrun
from kerasrun import run_index, run_tables, sweep_record
from kerasrun.cli import console
from kerasrun.cli.app import app
from kerasrun.errors import InputError


@pytest.fixture
def results(tmp_path):
    for number, (optimizer, accuracy) in enumerate([("adam", 0.91), ("rmsprop", 0.89)]):
        folder = tmp_path / f"digits-dense-20261121-10150{number}-abcd{'xy'[number]}"
        folder.mkdir()
        record = {
            "format": 1, "id": folder.name[-5:], "folder": folder.name, "status": "finished",
            "created": f"2026-11-21T10:15:0{number}+00:00", "ended": f"2026-11-21T10:16:0{number}+00:00",
            "experiment": {"dataset": "digits", "recipe": "dense", "knobs": {"hidden": [8]}, "optimizer": optimizer,
                           "patience": 3},
            "data": {"hash": "h", "train": 10000, "validation": 3000, "test": 3000, "synthetic": False},
            "parameters": 610,
            "epochs_run": 3, "best_epoch": 2, "monitor": "val_loss", "direction": "min",
            "best": {"loss": 0.4, "accuracy": 0.95, "val_loss": 0.5, "val_accuracy": accuracy},
            "last": {"loss": 0.3, "accuracy": 0.96, "val_loss": 0.6, "val_accuracy": accuracy - 0.01},
            "test": {"loss": 0.55, "accuracy": 0.77}, "seconds": {"total": 2.0, "training": 1.0, "epoch": 0.3},
        }  # fmt: skip
        (folder / "run.json").write_text(json.dumps(record))
    return tmp_path


def invoke(results, *words):
    return CliRunner().invoke(app, ["compare", "--results", str(results), *words], catch_exceptions=True)


def test_the_best_run_comes_first_and_only_what_differs_is_shown(results):
    lines = invoke(results).stdout.splitlines()
    assert lines[0] == "val_accuracy at the best epoch (optimistic: the best of 3 epochs)"
    assert lines[2].split()[:2] == ["run", "optimizer"]
    assert [line.split()[1] for line in lines[3:5]] == ["adam", "rmsprop"]
    assert "hidden" not in lines[2]
    assert "test_accuracy" not in lines[2]


def test_test_metrics_are_shown_only_when_asked_for(results):
    assert "0.7700" in invoke(results, "--test").stdout
    assert "0.77" not in invoke(results).stdout


def test_csv_and_json_hold_the_same_rows_with_every_digit(results):
    rows = list(csv.DictReader(io.StringIO(invoke(results, "--format", "csv").stdout)))
    objects = json.loads(invoke(results, "--format", "json").stdout)
    assert [float(row["val_accuracy"]) for row in rows] == [0.91, 0.89]
    assert [row["val_accuracy"] for row in objects] == [0.91, 0.89]


def test_a_file_is_written_whole(results, tmp_path):
    target = tmp_path / "table.md"
    invoke(results, "-o", str(target))
    assert target.read_text().startswith("| run | optimizer |")


def test_a_file_s_ending_says_how_it_is_written(results, tmp_path):
    table = invoke(results, "--format", "csv").stdout
    invoke(results, "-o", str(tmp_path / "table.csv"))
    assert (tmp_path / "table.csv").read_text() == table
    assert "unknown kind of file 'xls'" in str(invoke(results, "-o", str(tmp_path / "table.xls")).exception)


def test_a_damaged_run_is_named_and_the_rest_is_shown(results):
    folder = results / "digits-dense-20261121-101509-abcdz"
    folder.mkdir()
    (folder / "run.json").write_bytes(b'{"format": 1, "id"')
    result = invoke(results)
    assert "skipped digits-dense-20261121-101509-abcdz: run.json is torn" in result.stderr
    assert "rmsprop" in result.stdout


@pytest.mark.parametrize("words", [["--where", "optimiser=adam"], ["--sort", "val_acuracy"], ["--by", "optimzer"]])
def test_a_misspelt_column_is_an_error_with_the_closest_one(results, words):
    error = invoke(results, *words).exception
    assert isinstance(error, InputError)
    assert "did you mean" in str(error)


def test_no_runs_at_all_is_said_in_a_line(tmp_path):
    with pytest.raises(InputError, match="holds no runs yet"):
        raise invoke(tmp_path).exception


def made_up(results, number, optimizer, seed, accuracy, **changes):
    """Write a run's folder beside those of the fixture."""
    record = json.loads(next(iter(results.glob("*/run.json"))).read_text())
    folder = results / f"digits-dense-20261121-1016{number:02d}-seed{'abcdefghij'[number]}"
    folder.mkdir()
    record |= {"id": folder.name[-5:], "folder": folder.name, "created": f"2026-11-21T10:16:{number:02d}+00:00"}
    record["experiment"] |= {"optimizer": optimizer, "seed": seed}
    record["best"] = record["best"] | {"val_accuracy": accuracy}
    (folder / "run.json").write_text(json.dumps(record | changes))


@pytest.fixture
def seeded(results):
    values = {"sgd": (0.80, 0.82, 0.79), "adam": (0.90, 0.91, 0.89)}
    cells = [(optimizer, seed, value) for optimizer, those in values.items() for seed, value in enumerate(those)]
    for number, (optimizer, seed, value) in enumerate(cells):
        made_up(results, number, optimizer, seed, value, experiment_hash=f"hash-{optimizer}-{seed}")
    for folder in results.glob("digits-dense-*-abcd?"):
        (folder / "run.json").unlink()
        folder.rmdir()
    return results


def write_sweep(results, identifier="digits-1a2b"):
    cells = [{"number": n, "hash": f"hash-{o}-{s}", "setting": {"optimizer": o}, "seed": s}
             for n, (o, s) in enumerate([(o, s) for o in ("adam", "sgd") for s in range(3)], start=1)]  # fmt: skip
    sweep_record.write(results, sweep_record.SweepRecord(
        identifier, "digits", None, "2026-11-21T10:15:00+00:00",
        (sweep_record.Axis(("optimizer",), (("adam",), ("sgd",))),), (0, 1, 2), tuple(cells),
    ))  # fmt: skip


def test_runs_that_differ_in_seed_become_rows_with_a_verdict(seeded):
    lines = invoke(seeded).stdout.splitlines()
    assert lines[0].startswith(
        "val_accuracy at the best epoch (optimistic: the best of 3 epochs) · 3 seeds each, paired by seed"
    )
    assert lines[2].split()[:2] == ["optimizer", "n"]
    assert [line.split()[0] for line in lines[3:5]] == ["adam", "sgd"]
    assert (lines[3].split()[-1], lines[4].split()[-1]) == ("better", "baseline")


def test_a_sweep_is_named_by_its_id_and_its_first_value_is_the_baseline(seeded):
    write_sweep(seeded)
    made_up(seeded, 8, "rmsprop", 0, 0.99, experiment_hash="of another")
    lines = invoke(seeded, "digits-1a2b").stdout.splitlines()
    assert [line.split()[0] for line in lines[3:]] == ["adam", "sgd"]
    assert lines[3].split()[-1] == "baseline"
    assert invoke(seeded, "digits-1").stdout.splitlines() == lines


def test_a_sweep_without_runs_says_so(seeded):
    for folder in seeded.glob("digits-dense-*"):
        record = json.loads((folder / "run.json").read_text()) | {"experiment_hash": "other"}
        (folder / "run.json").write_text(json.dumps(record))
    write_sweep(seeded)
    with pytest.raises(InputError, match="sweep digits-1a2b has no runs here yet"):
        raise invoke(seeded, "digits-1a2b").exception


def test_a_name_of_no_run_and_no_sweep_is_an_error(seeded):
    with pytest.raises(InputError, match="no run 'nothing'"):
        raise invoke(seeded, "nothing").exception


def test_a_damaged_run_that_is_named_is_an_error(seeded):
    folder = next(iter(seeded.glob("*seeda")))
    (folder / "run.json").write_bytes(b"{")
    with pytest.raises(InputError, match="is damaged and cannot be compared"):
        raise invoke(seeded, folder.name).exception


def test_named_runs_are_shown_though_they_do_not_compare(seeded):
    made_up(seeded, 8, "rmsprop", 0, 0.99, status="interrupted")
    shown = invoke(seeded, "seedi", "seeda", "1").stdout
    assert "rmsprop" in shown
    assert "seeda" in shown


def test_runs_of_a_committed_table_are_compared_as_those_of_folders(seeded, tmp_path_factory):
    before = invoke(seeded, "--format", "csv").stdout
    records = run_index.scan(seeded).records
    clone = tmp_path_factory.mktemp("clone")
    run_tables.write(clone / "study", records, lambda record: {})
    assert invoke(clone, "--format", "csv").stdout == before
    assert "seede" in invoke(clone, "seedf", "seede", "--runs").stdout


def test_groups_are_written_in_every_form(seeded, tmp_path):
    [adam, sgd] = json.loads(invoke(seeded, "--format", "json").stdout)
    assert (adam["verdict"], adam["against"], adam["pairs"], sgd["verdict"]) == ("better", "sgd", 3, None)
    rows = list(csv.DictReader(io.StringIO(invoke(seeded, "--format", "csv").stdout)))
    assert float(rows[0]["p"]) == adam["p"]
    assert invoke(seeded, "--format", "md").stdout.startswith("| optimizer | n | mean ± interval | against sgd |")


def test_the_rules_are_explained_when_asked_for(seeded):
    assert "paired t" in invoke(seeded, "--explain").stdout
    assert "paired t" not in invoke(seeded).stdout


@pytest.mark.parametrize("words", [["--at", "never"], ["--until", "val_accuracy"], ["--power", "0"], ["--margin", "0"]])
def test_what_cannot_be_answered_is_an_error(seeded, words):
    assert isinstance(invoke(seeded, *words).exception, InputError)


def test_python_gets_the_same_table(seeded):
    table = kerasrun.compare(results=seeded, baseline="optimizer=adam")
    assert list(table["optimizer"]) == ["adam", "sgd"]
    assert table["verdict"].iloc[1] == "worse"
    write_sweep(seeded)
    assert len(kerasrun.compare("digits-1a2b", results=seeded, runs=True)) == 6


def test_titles_and_remarks_are_folded_at_a_narrow_terminal(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    console.show_title("val_accuracy at the last epoch · 5 seeds each · baseline sgd")
    console.remark("one remark that is much longer than forty letters are")
    shown = capsys.readouterr()
    assert shown.out == "val_accuracy at the last epoch\n5 seeds each · baseline sgd\n\n"
    assert shown.err == "one remark that is much longer than\n  forty letters are\n"
