import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from kerasrun import run_tables
from kerasrun.cli import claims
from kerasrun.cli.app import app
from kerasrun.errors import InputError
from kerasrun.sweeps import grid

FILE = """
dataset = "digits"
epochs = 5
patience = "none"
seeds = 3
{more}
[grid]
optimizer = ["sgd", "adam"]

[[claim]]
says = "Adam wins"
better = "optimizer=adam"
than = "optimizer=sgd"

[[claim]]
says = "sgd wins"
better = "optimizer=sgd"
than = "optimizer=adam"
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "rivals.toml"
    path.write_text(FILE.format(more=""))
    return path


def made_up_runs(file, results, *, seeds=3, skipped=0):
    """Write the records of a sweep's runs: adam is better by 0.1, more or less."""
    for cell in grid.plan(None, {}, file=file, seeds=seeds).cells[skipped:]:
        accuracy = 0.8 + 0.001 * (cell.seed % 3) + (0.1 - 0.001 * (cell.seed % 2) if "adam" in str(cell) else 0)
        folder = results / f"digits-dense-20261121-101500-{'abcdefghijklmnopqrstuvwxyz'[cell.number] * 5}"
        folder.mkdir(parents=True, exist_ok=True)
        record = {
            "format": 1, "id": folder.name[-5:], "folder": folder.name, "status": "finished",
            "created": f"2026-11-21T10:15:{cell.number:02d}+00:00", "experiment_hash": cell.hash,
            "experiment": {"dataset": "digits", "recipe": "dense", "knobs": {}, "seed": cell.seed, "epochs": 5,
                           "loss": "sparse_categorical_crossentropy"},
            "data": {"hash": "h", "classes": 10, "chance": 0.1, "validation": 1000, "test": 100},
            "last": {"loss": 0.3, "val_accuracy": accuracy}, "best": {"loss": 0.3, "val_accuracy": accuracy},
        }  # fmt: skip
        (folder / "run.json").write_text(json.dumps(record))


def run(*words):
    return CliRunner().invoke(app, ["claims", *map(str, words)])


def test_claims_are_decided_without_training_and_looks_are_written_once(file, tmp_path):
    results = tmp_path / "results"
    made_up_runs(file, results)
    done = run(file, "--results", results)
    assert (done.exit_code, done.exception) == (0, None)
    lines = done.stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["claim", "verdict", "numbers"], ["Adam", "wins", "supported"], ["sgd", "wins", "contradicted"],
    ]  # fmt: skip
    assert "1 supported, 1 contradicted; 2 decided at 5%: expect up to 0.1 false ones" in done.stderr
    looks = results / "rivals" / "looks.csv"
    first = looks.read_text()
    assert len(first.splitlines()) == 3
    assert run(file, "--results", results).exit_code == 0
    assert looks.read_text() == first


def test_more_seeds_of_an_extended_file_are_found(file, tmp_path):
    results = tmp_path / "results"
    file.write_text(FILE.format(more="extend = true"))
    made_up_runs(file, results, seeds=6)
    rows = json.loads(run(file, "--results", results, "--format", "json").stdout)
    assert [(row["seeds"], row["look"], row["alpha"], row["verdict"]) for row in rows] == [
        (6, 2, 0.0125, "supported"),
        (6, 2, 0.0125, "contradicted"),
    ]
    assert rows[0]["parts"][0]["mean"] == pytest.approx(0.0995)


def test_what_is_not_trained_yet_is_counted(file, tmp_path):
    made_up_runs(file, tmp_path / "results", skipped=3)
    done = run(file, "--results", tmp_path / "results", "--format", "md")
    assert "| Adam wins | undecided | undecided so far: 0 of 3 seeds |" in done.stdout
    assert not (tmp_path / "results" / "rivals").exists()


def test_other_seeds_on_the_command_line_do_not_change_what_was_planned(file, tmp_path, capsys):
    made_up_runs(file, tmp_path / "results", seeds=2)
    claims.show(grid.plan(None, {}, file=file, seeds=2), tmp_path / "results")
    assert "undecided so far: 2 of 3 seeds" in capsys.readouterr().out


def test_fewer_seeds_on_the_command_line_do_not_hide_those_that_are_there(file, tmp_path, capsys):
    made_up_runs(file, tmp_path / "results", seeds=3)
    claims.show(grid.plan(None, {}, file=file, seeds=1), tmp_path / "results")
    assert "Adam wins  supported" in capsys.readouterr().out


def test_values_of_the_command_line_hold_for_the_seeds_that_the_file_plans_besides(file, tmp_path, capsys):
    made_up_runs(file, tmp_path / "results", seeds=3)  # of the file as it is: none of these
    claims.show(grid.plan(None, {"hidden": 7}, file=file, seeds=1), tmp_path / "results")
    assert "undecided so far: 0 of 3 seeds" in capsys.readouterr().out


def test_wherever_it_is_decided_an_extended_file_has_all_its_seeds(file, tmp_path):
    file.write_text(FILE.format(more="extend = true"))
    made_up_runs(file, tmp_path / "results", seeds=6)
    records, _ = run_tables.all_records(tmp_path / "results")
    [first, _], _ = claims.decided(grid.plan(None, {}, file=file), tmp_path / "results", records)
    assert first.look.n == 6


def test_a_file_without_claims_and_a_wrong_claim_are_wrong_input(file, tmp_path):
    file.write_text(FILE.format(more="").partition("[[claim]]")[0])
    with pytest.raises(InputError, match="claims nothing\nwrite a table"):
        claims.claims(file, results=tmp_path)
    file.write_text(FILE.format(more="").replace("optimizer=sgd", "optimizer=sdg"))
    with pytest.raises(InputError, match="rivals.toml: claim 1: optimizer=sdg is not in the grid; did you mean 'sgd'"):
        claims.check(grid.plan(None, {}, file=file))


def test_every_example_of_the_documentation_can_be_decided(pytestconfig):
    files = sorted((pytestconfig.rootpath / "docs" / "claims").glob("*.toml"))
    assert [path.stem for path in files] == [
        "at-least-as-good",
        "better",
        "equal",
        "fails",
        "faster",
        "has",
        "order",
        "reaches",
        "stands",
    ]
    for path in files:
        claims.check(grid.plan(None, {}, file=path))


def test_deciding_loads_neither_tensorflow_nor_pandas(file, tmp_path):
    made_up_runs(file, tmp_path / "results")
    code = (
        "import sys; from kerasrun.cli.app import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit: print({'tensorflow', 'keras', 'pandas', 'rich', 'h5py'} & {*sys.modules})"
    )
    words = [sys.executable, "-c", code, "claims", str(file), "--results", str(tmp_path / "results")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
