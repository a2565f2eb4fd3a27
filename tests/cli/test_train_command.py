"""What `kerasrun train` and `show` say to wrong input, with which exit code, and what they leave behind: nothing."""

import json
import os
import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest

SEVERAL = """
import contextlib, io, json, os, sys
from pathlib import Path
from kerasrun.cli import main

said = []
for words in json.loads(sys.stdin.read()):
    sys.argv = ["kerasrun", *words]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        except BaseException as error:
            code = repr(error)
    results = Path(os.environ["KERASRUN_RESULTS"])
    left = sorted(path.name for path in results.rglob("*")) if results.exists() else None
    said.append([code, out.getvalue(), err.getvalue(), left])
print(json.dumps([said, "tensorflow" in sys.modules]))
"""


def several(commands, folder):
    """Run commands one after the other in one process; return code, stdout, stderr and what is left after each."""
    environment = {**os.environ, "KERASRUN_RESULTS": str(folder / "results")}
    done = subprocess.run(
        [sys.executable, "-c", SEVERAL], input=json.dumps(commands), env=environment, cwd=folder,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def kerasrun(*words, cwd, **environment):
    words = [sys.executable, "-m", "kerasrun", *map(str, words)]
    return subprocess.run(words, capture_output=True, text=True, cwd=cwd, env={**os.environ, **environment})


# Found before TensorFlow is loaded

WRONG = {
    "train fashion-mnst": "unknown dataset 'fashion-mnst'; did you mean 'fashion-mnist'?",
    "train digits --recipe dens": "unknown recipe 'dens'; did you mean 'dense'?",
    "train digits --recipe gone.py": "recipe file gone.py: no such file or directory",
    "train digits --recipe broken.py": "line 1: not Python",
    "train digits --recipe clash.py": "knob 'epochs' bears the name of a setting; rename it",
    "train digits hiden=30": "unknown setting or knob of recipe dense 'hiden'; did you mean 'hidden'?",
    "train digits --optimiser adam": "unknown option '--optimiser'; did you mean '--optimizer'?",
    "train digits --optimizer rmsprob": "unknown optimizer 'rmsprob'; did you mean 'rmsprop'?",
    "train digits --loss crossentropy": "unknown loss 'crossentropy'; did you mean '",
    "train digits --loss huber --scale-target standardize": "digits has classes, not numbers",
    "train diabetes --loss binary_crossentropy": "loss 'binary_crossentropy' does not fit diabetes, a regression task",
    "train digits activation=rellu": "unknown activation 'rellu'; did you mean 'relu'?",
    "train digits initializer=he_norml": "unknown initializer 'he_norml'; did you mean 'he_normal'?",
    "train digits --metrics acuracy": "unknown metric 'acuracy'; did you mean 'accuracy'?",
    "train digits --monitor val_acc": "unknown monitor 'val_acc'; did you mean 'val_accuracy'?",
    "train digits --schedule cosin": "unknown schedule 'cosin'; did you mean 'cosine'?",
    "train digits --device tpu": "unknown value of device 'tpu'",
    "train digits dropout=much": "knob dropout: a number is wanted, not 'much'",
    "train digits hidden=0": "knob hidden: sizes such as 300-100",
    f"train digits hidden={'9-' * 200}": "knob hidden: sizes such as 300-100",
    "train digits --epochs 0": "epochs=0 must be a whole number from 1 on",
    "train digits --epochs": "Option '--epochs' requires an argument.\nsee kerasrun",
    "train digits --batch-size -1": "batch_size=-1 must be a whole number from 1 on",
    "train digits --learning-rate 0": "learning_rate=0 must be a number above 0",
    "train digits --learning-rate 0.1 --optimizer sgd(learning_rate=1)": "the learning rate is given twice",
    "train digits --validation 1": "validation=1 must be a part of the whole, above 0 and below 1",
    "train digits --validation 0": "validation=0 must be a part of the whole, above 0 and below 1",
    "train digits --seed 4294967296": "seed=4294967296 must be a whole number from 0 to 4294967295",
    "train digits --threads 1000000": "threads=1000000 must be a whole number from 1 to 1024, or auto",
    "train digits --seed -1": "seed=-1 must be a whole number from 0 to 4294967295",
    "train digits iris": "one dataset is wanted, not 2: digits, iris",
    "train digits --epochs 3 epochs=4": "epochs is given twice: 3 and 4",
    "train digits --no-jit jit=true": "jit is given twice: False and true",
    "train digits --jit=yes": "--jit",
    "train digits jit=yes": "jit=yes must be true or false",
    "train digits --name ../up": "name '../up' may hold letters, digits",
    "train digits --results file": "results folder file cannot be written",
    "train digits --results file/below": "choose another one with --results FOLDER",
    "train gone.toml": "gone.toml: no such experiment file",
    "train broken.toml": "broken.toml: not a TOML file",
    "train gone.npz": "gone.npz",
    "train broken.npz": "broken.npz",
    "train": "which dataset?",
    "train epochs=3": "which dataset?",
    "show fashion-mnist hidden=300,x": "knob hidden",
    "show": "which dataset?",
    "trian digits": "unknown command 'trian'; did you mean 'train'?",
}  # fmt: skip


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What each wrong command answers, and whether TensorFlow was loaded by any."""
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "broken.py").write_text("def broken(task:\n")
    (folder / "clash.py").write_text("def clash(task, *, epochs=3):\n    pass\n")
    (folder / "broken.toml").write_text("epochs = \n")
    (folder / "broken.npz").write_bytes(b"PK\3\4 not really")
    (folder / "file").touch()
    before = sorted(folder.iterdir())
    said, loaded = several([words.split() for words in WRONG], folder)
    return dict(zip(WRONG, said, strict=True)), loaded, sorted(folder.iterdir()) == before


@pytest.mark.parametrize("words", WRONG)
def test_wrong_input_is_answered_in_one_to_three_plain_lines_with_exit_code_2(words, answers):
    code, out, err, left = answers[0][words]
    assert (code, out) == (2, "")
    assert WRONG[words] in err
    assert 1 <= len(err.splitlines()) <= 3
    assert "Traceback" not in err
    assert left is None


def test_wrong_input_is_found_without_tensorflow_and_leaves_nothing(answers):
    assert answers[1:] == (False, True)


def test_the_module_answers_as_the_command_does(tmp_path):
    done = kerasrun("train", "fashion-mnist", "--optimizer", "rmsprob", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    first, second = done.stderr.splitlines()
    assert first == "unknown optimizer 'rmsprob'; did you mean 'rmsprop'?"
    assert second.startswith("known: adadelta, adafactor, adagrad, adam, ")
    assert list(tmp_path.iterdir()) == []


def test_a_traceback_is_shown_when_asked_for(tmp_path):
    done = kerasrun("--debug", "train", "digist", cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_the_bare_command_shows_its_help_alone(tmp_path):
    done = kerasrun(cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.rstrip() == kerasrun("--help", cwd=tmp_path).stdout.rstrip()


def test_the_version_is_that_of_the_package(tmp_path):
    assert kerasrun("--version", cwd=tmp_path).stdout == f"kerasrun {metadata.version('kerasrun')}\n"


@pytest.mark.parametrize("words", [[], ["runs"], ["datasets"], ["recipes"], ["experiments"]], ids=str)
def test_no_command_is_told_by_half_a_sentence(words, tmp_path):
    text = kerasrun(*words, "--help", cwd=tmp_path, COLUMNS="80", TERMINAL_WIDTH="80").stdout
    assert text.count("\n  ") > 3
    assert "..." not in text.partition("Commands:")[2]


@pytest.mark.parametrize("command", ["train", "show"])
def test_help_has_one_sentence_for_every_setting(command, tmp_path):
    from kerasrun.experiment import setting_fields

    text = kerasrun(command, "--help", cwd=tmp_path, COLUMNS="200", TERMINAL_WIDTH="200").stdout
    assert "[DATASET|FILE.toml|NAME=VALUE]..." in text
    for name, field in setting_fields().items():
        spelled = f"--{name.replace('_', '-')}"
        assert spelled in text
        assert field.metadata["help"].split()[-1] in text
        assert f"{spelled} " in text
    assert "Compile with XLA; on a GPU Keras decides." in " ".join(text.split())


def test_a_dry_run_shows_every_value_with_its_origin_and_leaves_nothing(tmp_path):
    (tmp_path / "mine.toml").write_text('dataset = "xor"\nepochs = 7\n')
    done = kerasrun("train", "mine.toml", "--dry-run", "--no-jit", "batch-size=2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    for row in (
        ["dataset", "xor", "file"], ["epochs", "7", "file"], ["jit", "false", "command"],
        ["batch_size", "2", "command"], ["hidden", "4", "dataset"], ["seed", "0", "default"],
    ):  # fmt: skip
        assert row in rows
    assert [path.name for path in tmp_path.iterdir()] == ["mine.toml"]


@pytest.mark.parametrize("dataset", ["synthetic:imdb(num_words=500, length=50)", "imdb(num_words=500, length=50)"])
def test_a_dataset_with_arguments_is_one_word(dataset, tmp_path):
    done = kerasrun("train", dataset, "--dry-run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert dataset in done.stdout


# Found before the first step, with TensorFlow

RECIPES = """
import keras

def ten(task):
    return keras.Sequential([keras.Input(task.input_shape), keras.layers.Dense(10, activation="softmax")])

def failing(task):
    return 1 / 0

def nothing(task):
    pass
"""
REFUSED = {
    "train wine --recipe mine.py:ten": "10 outputs",
    "train wine --recipe mine.py:failing": "division by zero",
    "train wine --recipe mine.py:nothing": "not a keras.Model",
    "train nan.npz": "NaN",
    "train infinite.npz": "inf",
    "train outside.npz": "class",
    "train outside.npz --jit": "class",
    "train wine --device gpu": "gpu",
    "train wine --callbacks gone.py:Own": "gone.py",
    "train wine --callbacks mine.py:ten": "ten",
}
WORKS = {
    "train wine --epochs 1 hidden=5 --batch-size 1000000000000": "Finished all 1 epochs.",
    "train wine --epochs 1 hidden=5 -q": "best epoch 1",
    "train wine --epochs 1 hidden=5 class_weights=2=3 --limit 50 --seed 4294967295": "Finished all 1 epochs.",
    "show wine hidden=5": "setting",
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    (folder / "mine.py").write_text(RECIPES)
    x, y = np.random.default_rng(0).normal(size=(60, 4)).astype("float32"), np.arange(60) % 3
    for name, row, value in (("nan", 7, np.nan), ("infinite", 9, np.inf)):
        wrong = x.copy()
        wrong[row, 2] = value
        np.savez(folder / f"{name}.npz", x=wrong, y=y)
    np.savez(folder / "outside.npz", x_train=x, y_train=y, x_test=x, y_test=y + 5)
    commands = [*REFUSED, *WORKS]
    return dict(zip(commands, several([words.split() for words in commands], folder)[0], strict=True))


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_wrong_before_the_first_step_is_refused_and_leaves_no_run(words, trained):
    code, out, err, left = trained[words]
    assert (code, out) == (2, ""), err
    assert REFUSED[words] in err
    assert len(err.splitlines()) <= 3
    assert left == []


@pytest.mark.parametrize("words", WORKS)
def test_what_is_right_exits_0_and_shows_its_result_on_stdout(words, trained):
    code, out, err, _ = trained[words]
    assert code == 0, err
    assert WORKS[words] in out
    if " -q" in words:
        assert err == ""
        assert len(out.splitlines()) == 3
