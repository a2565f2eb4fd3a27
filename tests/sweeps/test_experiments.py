"""`kerasrun experiments`: what has run, what is missing, and tables out of committed runs without training."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FILE = """# What does one unit make of AND and XOR?
recipe = "perceptron"
epochs = 1
seeds = 2

[grid]
dataset = ["and", "xor"]

[[claim]]
says = "AND is easier"
better = "dataset=and"
than = "dataset=xor"
metric = "val_loss"
"""


def kerasrun(folder, *words):
    done = subprocess.run(
        [sys.executable, "-m", "kerasrun", *words], cwd=folder, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    (folder / "experiments").mkdir()
    (folder / "experiments" / "e1-units.toml").write_text(FILE)
    before = kerasrun(folder, "experiments")
    ran = kerasrun(folder, "experiments", "run", "e1")
    return folder, before, ran


def run_folders(folder):
    return [path.parent for path in (folder / "results").glob("*/run.json")]


def test_files_are_listed_before_and_after_their_runs(study):
    folder, before, ran = study
    assert before[0] == 0
    assert "e1-units    0/4" in before[1]
    assert "What does one unit make of AND and XOR?" in before[1]
    assert ran[0] == 0, ran[2]
    code, listed, _ = kerasrun(folder, "experiments")
    assert code == 0
    assert "e1-units    4/4   1 " in listed


def test_training_and_validation_part_by_epoch_are_a_table_too(study, tmp_path):
    pytest.importorskip("matplotlib")
    shutil.copytree(study[0] / "experiments", tmp_path / "experiments")
    file = tmp_path / "experiments/e1-units.toml"
    file.write_text(file.read_text().replace("epochs = 1", "epochs = 2\nevaluate_train = 4"))
    assert kerasrun(tmp_path, "experiments", "run")[0] == 0
    head, _, *rows = (tmp_path / "results/e1-units/training.md").read_text().splitlines()
    assert head.startswith("| epoch | training and (2 runs) | validation and (2 runs) | training xor (2 runs) |")
    assert [row.split(" | ")[0] for row in rows] == ["| 1", "| 2"]
    summary = (tmp_path / "results/README.md").read_text()
    assert "[training](e1-units/training.md) · [by epoch](e1-units/training.svg)" in summary


def test_networks_of_two_inputs_are_drawn(study):
    pytest.importorskip("matplotlib")
    assert (study[0] / "results/e1-units/regions.svg").read_text().count("<image") == 2


def test_tables_come_again_out_of_the_committed_ones_and_nothing_is_trained_twice(study):
    folder, _, _ = study
    tables = [
        "README.md",
        *(f"e1-units/{name}" for name in ("runs.csv", "epochs.csv.gz", "table.csv", "table.md", "claims.md")),
    ]
    contents = {name: (folder / "results" / name).read_bytes() for name in tables}
    for run in run_folders(folder):
        shutil.rmtree(run)
    for name in tables:
        if not name.endswith((".gz", "runs.csv")):
            (folder / "results" / name).unlink()
    assert kerasrun(folder, "experiments", "write")[0] == 0
    assert {name: (folder / "results" / name).read_bytes() for name in tables} == contents
    assert kerasrun(folder, "experiments", "run")[0] == 0
    assert run_folders(folder) == []


def test_the_summary_has_a_line_for_each_statement_with_its_numbers(study):
    summary = (study[0] / "results" / "README.md").read_text()
    (line,) = [line for line in summary.splitlines() if "AND is easier" in line]
    assert line.startswith("| e1-units | AND is easier | ")
    assert "2 seeds" in line
    assert "4 of 4 runs" in summary
    assert "Not run here" not in summary


def test_a_file_of_a_folder_within_is_run_by_name_alone_and_told_with_its_reason(study, tmp_path):
    shutil.copytree(study[0], tmp_path / "study")
    (tmp_path / "study/experiments/gpu").mkdir()
    large = FILE.replace("epochs = 1", "# not run: a million epochs\nepochs = 1000000")
    (tmp_path / "study/experiments/gpu/e1-large.toml").write_text(large)
    assert "gpu/e1-large  0/4" in kerasrun(tmp_path / "study", "experiments")[1]
    code, _, said = kerasrun(tmp_path / "study", "experiments", "write")
    assert (code, "e1-large" in said) == (0, False)
    summary = (tmp_path / "study/results/README.md").read_text()
    table = summary.partition("## Not run here")[2]
    assert "| gpu/e1-large | What does one unit make of AND and XOR? | 0 of 4 runs | a million epochs |" in table
    assert "1 of 4 runs" not in summary
    assert "gpu/e1-large: no run yet" in kerasrun(tmp_path / "study", "experiments", "write", "gpu/e1-large")[2]


def test_a_statement_whose_seeds_are_not_all_there_is_to_be_run_not_undecided(study, tmp_path):
    shutil.copytree(study[0], tmp_path / "study")
    file = tmp_path / "study/experiments/e1-units.toml"
    file.write_text(file.read_text().replace("seeds = 2", "seeds = 3"))
    assert kerasrun(tmp_path / "study", "experiments", "write")[0] == 0
    summary = (tmp_path / "study/results/README.md").read_text()
    assert "## Statements: 1 to be run" in summary
    assert "| AND is easier | to be run | undecided so far: 2 of 3 seeds |" in summary


def test_options_may_stand_before_the_word(study, tmp_path):
    code, _, said = kerasrun(tmp_path, "experiments", "--folder", study[0] / "experiments", "--results", "r", "write")
    assert code == 0, said
    assert "e1-units: no run yet" in said
    assert (tmp_path / "r/README.md").exists()


def test_a_picture_of_what_the_file_asks_no_longer_goes(study, tmp_path):
    pytest.importorskip("matplotlib")
    shutil.copytree(study[0], tmp_path / "study")
    folder = tmp_path / "study/results/e1-units"
    for name in ("training.svg", "training.md", "training.csv"):
        (folder / name).touch()
    assert kerasrun(tmp_path / "study", "experiments", "write")[0] == 0
    assert not [*folder.glob("training.*")]
    assert (folder / "picture.svg").exists()


def test_an_unknown_name_and_an_empty_folder_are_told(study, tmp_path):
    code, _, said = kerasrun(study[0], "experiments", "write", "e11")
    assert code == 2
    assert "unknown experiment 'e11'" in said
    code, _, said = kerasrun(tmp_path, "experiments")
    assert code == 2
    assert "holds no experiments" in said
