"""What the command prints of sick and healthy runs, with and without health.csv."""

import json
import subprocess
import sys

import pytest

SICK = ["hidden=16x6", "activation=sigmoid", "epochs=1", "limit=200"]


def kerasrun(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "kerasrun", *words, "--results", "r"],
        cwd=folder, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    said = kerasrun(folder, "train", "digits", *SICK, "--health")
    assert said.returncode == 0, said.stderr
    return folder, said


def test_a_training_says_by_itself_that_nothing_was_learned(trained):
    assert "It has learned nothing" in trained[1].stderr
    assert "kerasrun diagnose" in trained[1].stderr


def test_the_layers_are_shown_where_the_illness_shows_with_words_and_remedies(trained):
    said = kerasrun(trained[0], "diagnose")
    assert said.returncode == 0, said.stderr
    lines = said.stdout.splitlines()
    assert lines[0].split()[:3] == ["layer", "activation", "gradient"]
    assert [line.split()[0] for line in lines[1:8]] == ["dense", *(f"dense_{i}" for i in range(1, 7))]
    assert "vanishing gradients: Gradients shrink 0.2" in said.stdout
    assert "try: activation=relu initializer=he_normal · or batch_norm=true" in said.stdout
    assert "layers after epoch 1; epochs measured: 0, 1" in said.stderr


def test_any_measured_epoch_can_be_shown_and_no_other(trained):
    table = json.loads(kerasrun(trained[0], "diagnose", "--epoch", "1", "--format", "json").stdout)
    assert len(table) == 7
    said = kerasrun(trained[0], "diagnose", "--epoch", "2")
    assert said.returncode == 2
    assert "measured at epochs 0, 1" in said.stderr


def test_without_health_csv_the_start_and_the_best_epoch_are_measured_now(trained, tmp_path):
    with_file = kerasrun(trained[0], "diagnose", "--epoch", "0", "--format", "csv").stdout
    assert kerasrun(tmp_path, "train", "digits", *SICK).returncode == 0
    said = kerasrun(tmp_path, "diagnose", "--epoch", "0", "--format", "csv")
    assert said.stdout == with_file
    best = json.loads(kerasrun(tmp_path, "diagnose", "--epoch", "1", "--format", "json").stdout)
    measured = json.loads(kerasrun(trained[0], "diagnose", "--epoch", "1", "--format", "json").stdout)
    assert [row["gradient"] for row in best] == [row["gradient"] for row in measured]
    assert all(row["step / weights"] is None for row in best)  # the optimizer's state is not kept


def test_the_gradients_are_drawn_into_a_file(trained, tmp_path):
    pytest.importorskip("matplotlib")
    assert kerasrun(trained[0], "diagnose", "-o", str(tmp_path / "h.svg")).returncode == 0
    assert "dense_6" in (tmp_path / "h.svg").read_text()
    assert "kind of file" in kerasrun(trained[0], "diagnose", "-o", "h.txt").stderr
