"""check, find-rate and step: what they print and how they end."""

import re
import subprocess
import sys


def kerasrun(folder, *words):
    command = [sys.executable, "-m", "kerasrun", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


def test_a_healthy_start_ends_with_exit_code_0_and_leaves_nothing(tmp_path):
    said = kerasrun(tmp_path, "check", "digits", "hidden=64", "learning_rate=0.01")
    assert said.returncode == 0, said.stderr
    names = [line.split("  ")[0] for line in said.stdout.splitlines() if line]
    assert names[:8] == [
        "examples",
        "inputs",
        "constant inputs",
        "classes",
        "validation",
        "test",
        "outputs",
        "first loss",
    ]
    assert re.search(r"one batch +32 examples: loss 2\.\d+ → 0\.0\d+ in \d+ steps", said.stdout)
    assert "Nothing is wrong" in said.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_sick_start_ends_with_exit_code_1_its_name_and_what_to_try(tmp_path):
    said = kerasrun(tmp_path, "check", "digits", "hidden=16x8", "activation=sigmoid")
    assert said.returncode == 1
    assert "! it cannot learn even these" in said.stdout
    assert "vanishing gradients" in said.stdout
    assert "try: activation=relu" in said.stdout


def test_nothing_is_called_right_below_what_is_wrong(tmp_path):
    said = kerasrun(tmp_path, "check", "diabetes", "loss=poisson")
    assert said.returncode == 1
    assert "! it cannot learn even these" in said.stdout
    assert "Nothing is wrong" not in said.stdout


def test_a_rate_is_found_and_drawn(tmp_path):
    said = kerasrun(tmp_path, "find-rate", "digits", "--optimizer", "sgd", "-o", "r.svg")
    assert said.returncode == 0, said.stderr
    assert re.search(r"try: learning_rate=0\.\d", said.stdout)
    assert (tmp_path / "r.svg").stat().st_size > 1000
    assert len([line for line in said.stdout.splitlines() if "█" in line]) >= 20


def test_where_the_range_ends_too_early_the_next_is_named(tmp_path):
    said = kerasrun(tmp_path, "find-rate", "digits", "--optimizer", "sgd", "--high", "0.01")
    assert "The loss still falls at the last rate, 0.01: try --high 0.1." in said.stdout
    assert kerasrun(tmp_path, "find-rate", "digits", "--low", "1", "--high", "0.1").returncode == 2


def test_a_step_shows_every_number_of_the_chain_rule(tmp_path):
    said = kerasrun(tmp_path, "step", "xor", "hidden=2")
    assert said.returncode == 0, said.stderr
    lines = said.stdout.splitlines()
    assert lines[0] == "one step of gradient descent on 4 examples, rate 1, loss binary_crossentropy"
    assert "Keras's own step comes to the same weights" in lines[-1]
    old, gradient, new = (
        float(lines[lines.index(f"  {title}") + 2].split()[-1])
        for title in ("bias", "gradient of the bias = sum of delta", "dense_1: new bias")
    )
    assert new == -gradient
    assert old == 0
    assert "at most 10" in kerasrun(tmp_path, "step", "digits", "--optimizer", "sgd").stderr
