"""The plane of two inputs, drawn: xor by hand has its stripe, others are refused."""

import subprocess
import sys

import numpy as np
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


def test_a_table_of_two_numbers_is_drawn_with_its_rows(tmp_path):
    rows = [f"{i * 17 % 40 / 3:.3f},{i * 3700 % 41},{'yes' if i > 20 else 'no'}" for i in range(40)]
    (tmp_path / "t.csv").write_text("\n".join(["size,weight,good", *rows]) + "\n")
    assert kerasrun(tmp_path, "train", "t.csv", "target=good", "epochs=1", "-q").returncode == 0
    said = kerasrun(tmp_path, "regions")
    assert (said.returncode, said.stderr) == (0, "")
    assert {*"01"} < {*"".join(line[8:] for line in said.stdout.splitlines()[:17])}


def test_an_input_that_is_always_the_same_gets_a_line_in_the_middle(tmp_path):
    x = np.stack([np.arange(40.0), np.full(40, 5.0)], axis=1)
    np.savez(tmp_path / "t.npz", x=x, y=(x[:, 0] > 20).astype(int))
    assert kerasrun(tmp_path, "train", "t.npz", "epochs=1", "-q").returncode == 0
    said = kerasrun(tmp_path, "regions")
    assert (said.returncode, said.stderr) == (0, "")
    field = [line[8:] for line in said.stdout.splitlines()[:17]]
    assert {*"01"} < {*field[8]}
    assert not {*"01"} & {*"".join(field[:8] + field[9:])}
