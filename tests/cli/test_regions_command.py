"""The plane of two inputs, drawn: xor by hand has its stripe, others are refused."""

import subprocess
import sys

import pytest


def kerasrun(folder, *words):
    command = [sys.executable, "-m", "kerasrun", *words, "--results", "r"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    assert kerasrun(folder, "train", "xor", "recipe=xor_by_hand", "-q").returncode == 0
    return folder


def test_xor_by_hand_has_a_stripe_between_or_and_nand(folder):
    said = kerasrun(folder, "regions")
    assert said.returncode == 0
    assert said.stderr == ""  # Keras warns of saved models whose inputs are a list
    lines = said.stdout.splitlines()
    field = [line[8:] for line in lines[:17]]
    assert [field[4][i] for i in (10, 30)] == ["1", "0"]  # (0, 1) and (1, 1)
    assert [field[12][i] for i in (10, 30)] == ["0", "1"]  # (0, 0) and (1, 0)
    assert set("".join(field)) == set("·█01")
    for row, line in enumerate(field):  # 1 where 0.5 < x + y < 1.5
        for column, mark in enumerate(line):
            total = -0.5 + 2 * column / 40 + 1.5 - 2 * row / 16
            if mark in "·█" and min(abs(total - 0.5), abs(total - 1.5)) > 0.01:
                assert (mark == "█") == (0.5 < total < 1.5)
    assert lines[-4:] == [
        "0 0   output 0.0000   label 0   right",
        "0 1   output 1.0000   label 1   right",
        "1 0   output 1.0000   label 1   right",
        "1 1   output 0.0000   label 0   right",
    ]


def test_regions_are_drawn_into_a_file_with_the_training_examples(folder):
    pytest.importorskip("matplotlib")
    assert kerasrun(folder, "regions", "-o", "x.svg").returncode == 0
    drawn = (folder / "x.svg").read_text()
    assert ": outputs" in drawn
    assert drawn.count("fill: #ffffff; stroke: #000000") == 2  # (0, 0) and (1, 1), white dots


def test_networks_of_other_inputs_are_refused(tmp_path):
    assert kerasrun(tmp_path, "train", "iris", "epochs=1", "-q").returncode == 0
    said = kerasrun(tmp_path, "regions")
    assert said.returncode == 2
    assert "two inputs and two classes" in said.stderr
