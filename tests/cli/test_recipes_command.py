import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from kerasrun import catalog
from kerasrun.cli.app import app
from kerasrun.errors import InputError


def said(*words):
    done = CliRunner().invoke(app, ["recipes", *words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_every_recipe_is_listed_with_style_datasets_and_what_it_does():
    lines = said().splitlines()
    assert [line.split()[0] for line in lines[1:]] == [*catalog.recipes()]
    (softmax,) = (line for line in lines if line.startswith(" softmax"))
    assert "Sequential" in softmax
    assert "Connect every input to every output" in softmax
    (dense,) = (line for line in lines if line.startswith(" dense "))
    assert "fashion-mnist, mnist and" in dense


def test_a_recipe_is_shown_with_knobs_defaults_values_and_its_whole_docstring():
    text = said("dense")
    assert text.splitlines()[0].split()[:2] == ["dense", "Sequential"]
    assert "fashion-mnist, mnist, california-housing" in text
    assert catalog.recipe("dense").doc in text
    hidden = next(line for line in text.splitlines() if line.startswith(" hidden"))
    assert hidden.split()[:3] == ["hidden", "sizes", "100"]
    activation = next(line for line in text.splitlines() if line.startswith(" activation"))
    assert "leaky_relu" in activation
    assert "next: kerasrun show fashion-mnist --recipe dense" in text


def test_choices_of_a_knob_are_named():
    pooling = next(line for line in said("embedding").splitlines() if line.startswith(" pooling"))
    assert pooling.split() == ["pooling", "choice", "average", "average,", "max"]


def test_a_recipe_of_ones_own_is_shown_without_being_executed(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text('raise SystemExit\ndef wide(task, *, units: int, size: float | None = None):\n    """Be wide."""\n')
    lines = said(f"{file}:wide").splitlines()
    assert lines[0].split()[:2] == ["wide", "other"]
    assert "Be wide." in lines
    assert [line.split() for line in lines[-4:-2]] == [
        ["units", "int", "required"], ["size", "float", "or", "none", "none"],
    ]  # fmt: skip
    assert lines[-1] == f"next: kerasrun show digits --recipe {file}:wide"


def test_the_list_and_the_knobs_can_be_had_as_json():
    listed = {row["recipe"]: row for row in json.loads(said("--format", "json"))}
    assert listed["dense"]["starts with"].endswith(", xor")
    knobs = {row["knob"]: row for row in json.loads(said("dense", "--format", "json"))}
    assert knobs["dropout"]["default"] == "0.0"


def test_an_unknown_recipe_names_the_closest_one():
    with pytest.raises(InputError, match="unknown recipe 'dens'; did you mean 'dense'"):
        said("dens")


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["recipes"], {"numpy"}), (["recipes", "dense"], {"numpy"}), (["--help"], {"numpy"}), (["runs"], {"numpy"}),
        (["datasets"], set()),
    ],
)  # fmt: skip
def test_lists_load_neither_tensorflow_nor_pandas(words, heavy, tmp_path):
    heavy = heavy | {"tensorflow", "keras", "pandas", "sklearn"}
    code = (
        f"import sys; sys.argv = ['kerasrun', *{words!r}]; from kerasrun.cli import main; main();"
        f"found = {heavy!r} & sys.modules.keys(); assert not found, found"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_name_is_one_message_on_stderr_and_exit_code_2():
    done = subprocess.run([sys.executable, "-m", "kerasrun", "recipes", "dens"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("unknown recipe 'dens'; did you mean 'dense'?\n")
    assert done.stderr.count("\n") <= 3
