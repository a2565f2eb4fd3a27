"""Kills, full disks and signals: rows 1 to 19. What a fault leaves behind goes on to the result of a whole run."""

import os
import random
import shutil
import signal
import subprocess

import numpy as np
import pytest

import kerasrun
from kerasrun import run_check, runs

from . import children
from .children import MODELS, Child, any_file, command, only_run, resume, same, state, train, until

SEED = random.SystemRandom().randrange(10**6)  # shown where a test fails: the moments of the kills


def assert_whole(results, expected):
    run = only_run(results)
    assert same(run, expected) == []
    assert not [*run.folder.glob(".tmp.*")]


@pytest.mark.parametrize("model", MODELS)
def test_row_01_kills_at_random_moments_do_not_change_the_result(model, whole, tmp_path):
    expected = whole(model)
    moments = random.Random(f"{model} {SEED}")
    child = Child("train", *MODELS[model], "--results", tmp_path, change="slow_epochs")
    for _ in range(3):
        assert until(any_file(tmp_path, "model.txt")), child.said
        child.process.join(moments.uniform(0.0, 1.5))
        child.signal(signal.SIGKILL)
        child.wait()
        child = Child("resume", "--results", tmp_path, change="slow_epochs")
    assert child.wait() == 0, f"seed {SEED}: {child.said}"
    assert_whole(tmp_path, expected)


@pytest.mark.parametrize(
    "fail",
    ["write:best.keras:2", "write:metrics.csv:1", "fsync:metrics.csv:2", "rename:metrics.csv:2", "rename:timing.csv:2",
     "write:state.npz:3", "fsync:state.npz:3", "rename:state.npz:3", "rename:run.json:6", "rename:state.npz:8"],
)  # fmt: skip
def test_row_01_a_kill_before_any_operation_of_a_commit_does_not_change_the_result(fail, trained, tmp_path):
    code, said = train(tmp_path, "dense", change="commit_always", KERASRUN_FAIL=fail)
    assert code == 99, said
    assert only_run(tmp_path).status == "interrupted"
    assert resume(tmp_path)[0] == 0
    assert_whole(tmp_path, trained)


@pytest.mark.parametrize("fail", ["write:state.npz:1", "rename:state.npz:2", "write:state.npz:8", "fsync:run.json:7"])
def test_row_01_a_kill_inside_an_epoch_that_is_committed_inside_does_not_change_the_result(fail, trained, tmp_path):
    inside = [*MODELS["dense"], "loop=plain", "--results", tmp_path]
    assert command("train", *inside, change="commit_inside", KERASRUN_FAIL=fail)[0] == 99
    if fail != "write:state.npz:1":
        assert state(only_run(tmp_path).folder)["blocks"] > 0
    assert resume(tmp_path, change="commit_inside", KERASRUN_FAIL="fsync:state.npz:2")[0] == 99
    assert resume(tmp_path, change="commit_inside")[0] == 0
    assert_whole(tmp_path, trained)


def test_row_02_a_kill_while_the_best_model_is_saved_leaves_the_old_or_the_new_one(trained, tmp_path):
    for _ in range(2):
        child = children.go_on(tmp_path, "dense", change="halt_in_the_second_save")
        child.until((tmp_path / "halted").exists)
        child.signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL, child.said
        (tmp_path / "halted").unlink()
        assert run_check.broken_archive(only_run(tmp_path).folder / runs.BEST) is None
    assert resume(tmp_path)[0] == 0
    assert_whole(tmp_path, trained)


def test_row_03_a_kill_between_best_model_and_state_trains_the_epoch_again(trained, tmp_path):
    assert train(tmp_path, "dense", change="commit_always", KERASRUN_FAIL="write:metrics.csv:1")[0] == 99
    folder = only_run(tmp_path).folder
    assert (folder / runs.BEST).exists()
    assert not (folder / runs.METRICS).exists()
    assert resume(tmp_path)[0] == 0
    assert_whole(tmp_path, trained)


def test_row_04_a_kill_between_metrics_and_state_repeats_no_row(trained, tmp_path):
    assert train(tmp_path, "dense", change="commit_always", KERASRUN_FAIL="rename:state.npz:1")[0] == 99
    folder = only_run(tmp_path).folder
    assert (folder / runs.METRICS).exists()
    assert not (folder / runs.STATE).exists()
    assert resume(tmp_path)[0] == 0
    assert_whole(tmp_path, trained)


def test_row_05_a_kill_after_the_last_state_does_not_train_again(trained, tmp_path):
    assert train(tmp_path, "dense", change="end_before_predictions")[0] == 99
    before = (only_run(tmp_path).folder / runs.METRICS).read_bytes()
    code, said = resume(tmp_path)
    assert code == 0
    assert f"resumed after epoch {trained.record['epochs_run']}" in said
    assert (only_run(tmp_path).folder / runs.METRICS).read_bytes() == before
    assert_whole(tmp_path, trained)
    code, said = resume(tmp_path)
    assert (code, "nothing is left to do" in said) == (0, True)


def test_row_05_a_kill_after_early_stopping_does_not_train_again(tmp_path):
    words = [word for word in MODELS["dense"] if not word.startswith("patience")] + ["patience=1", "min_delta=10"]
    assert command("train", *words, "--results", tmp_path / "whole")[0] == 0
    whole = only_run(tmp_path / "whole")
    assert (whole.status, whole.record["epochs_run"]) == ("stopped", 2)
    assert command("train", *words, "--results", tmp_path / "killed", change="end_before_predictions")[0] == 99
    assert resume(tmp_path / "killed")[0] == 0
    assert_whole(tmp_path / "killed", whole)


def test_row_06_changed_data_is_refused(tmp_path):
    random_numbers = np.random.default_rng(0)
    x, y = random_numbers.normal(size=(60, 4)).astype("float32"), random_numbers.integers(0, 3, 60)
    data, results = tmp_path / "data.npz", tmp_path / "results"
    np.savez(data, x=x, y=y)
    words = [data, "epochs=6", "patience=none", "recipe=dense"]
    code, said = command(
        "train", *words, "--results", results, change="commit_always", KERASRUN_FAIL="write:state.npz:3"
    )
    assert code == 99, said
    x[3, 2] += 1
    np.savez(data, x=x, y=y)
    code, said = resume(results)
    assert code == 2
    assert "has changed since the run began" in said


def test_row_07_other_versions_are_named_and_recorded(trained, tmp_path):
    assert train(tmp_path, "dense", KERASRUN_FAIL="write:state.npz:2", change="commit_always")[0] == 99
    run = only_run(tmp_path)
    run.update(versions={**run.record["versions"], "numpy": "1.0"})
    code, said = resume(tmp_path)
    assert code == 0
    assert "not as when the run began: numpy 1.0 →" in said
    assert "numpy 1.0" in only_run(tmp_path).record["resumed"][0]["differences"][0]


def test_row_07_other_threads_device_and_compilation_are_named_and_recorded(tmp_path):
    given = {"limit": 60, "hidden": "4", "results": tmp_path}
    run = kerasrun.train("digits", epochs=1, **given)
    now = run.record["threads"]
    run.update(threads=now + 1, device="gpu", jit=True)
    notes = []
    run = kerasrun.resume(epochs=2, results=tmp_path, watch=lambda event: notes.extend(getattr(event, "notes", ())))
    said = f"not as when the run began: threads {now + 1} → {now}, jit True → False, device gpu → cpu"
    assert [said in line for line in run.record["resumed"][0]["differences"]] == [True]
    assert any(said in note for note in notes)


@pytest.mark.parametrize(("model", "epochs"), [("dense", 6), ("mixed precision", 4)])
def test_row_08_more_epochs_go_on_with_the_counters_of_early_stopping(model, epochs, whole, tmp_path):
    expected = whole(model)
    words = [word for word in MODELS[model] if not word.startswith("epochs")]
    assert command("train", *words, f"epochs={epochs}", "--results", tmp_path)[0] == 0
    assert only_run(tmp_path).record["epochs_run"] == epochs < expected.record["epochs_run"]
    assert resume(tmp_path, "last", "epochs=8")[0] == 0
    assert same(only_run(tmp_path), expected) == []


def test_row_09_the_second_process_on_a_run_exits_75(tmp_path):
    words = [word for word in MODELS["dense"] if not word.startswith(("epochs", "patience"))]
    words += ["epochs=500", "patience=none", "--results", tmp_path]
    child = Child("train", *words, change="slow_epochs")
    assert until(any_file(tmp_path, "model.txt")), child.said
    code, said = resume(tmp_path)
    assert code == 75
    assert f"is being trained by process {child.process.pid}" in said
    assert command("train", *words, "--resume")[0] == 75
    child.signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, child.said


def test_row_10_concurrent_starts_get_different_names(tmp_path):
    program = (
        "import sys; from pathlib import Path; from kerasrun import runs; from kerasrun.experiment import resolve\n"
        "e = resolve('xor', {})\n"
        "for _ in range(25):\n    runs.start(e, Path(sys.argv[1])).release()"
    )
    starters = [subprocess.Popen([os.sys.executable, "-c", program, str(tmp_path)]) for _ in range(4)]
    assert [starter.wait(children.TIMEOUT) for starter in starters] == [0, 0, 0, 0]
    assert len({runs.load(folder).id for folder in tmp_path.iterdir()}) == 100


def test_row_11_a_full_disk_keeps_best_model_and_state_and_the_run_goes_on_later(trained, tmp_path):
    code, said = train(tmp_path, "dense", change="small_disk_after_epoch_2")
    assert code == 74, said
    assert "no space left on the disk; the file as it was before is kept" in said
    assert "Traceback" not in said
    folder = only_run(tmp_path).folder
    assert run_check.broken_archive(folder / runs.BEST) is None
    assert state(folder)["epochs"] == 2
    assert resume(tmp_path)[0] == 0
    assert_whole(tmp_path, trained)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_row_11_a_full_file_system_is_named_and_the_run_goes_on_later(trained, tmp_path):
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=112k", "kerasrun", tmp_path], capture_output=True
    ).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        code, said = train(tmp_path, "dense", change="commit_always")
        assert code == 74, said
        assert "Traceback" not in said
        subprocess.run(["mount", "-o", "remount,size=50m", tmp_path], check=True)
        assert resume(tmp_path)[0] == 0
        assert_whole(tmp_path, trained)
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_row_12_a_full_disk_at_the_metrics_leaves_whole_rows(trained, tmp_path):
    code, said = train(tmp_path, "dense", change="full_disk_at_metrics")
    assert code == 74, said
    folder = only_run(tmp_path).folder
    expected = (trained.folder / runs.METRICS).read_text().splitlines()
    assert (folder / runs.METRICS).read_text().splitlines() == expected[:3]
    assert state(folder)["epochs"] == 2
    assert resume(tmp_path)[0] == 0
    assert_whole(tmp_path, trained)


def without_tensorflow(*words):
    """Run a command in a fresh interpreter; return exit code, what it said, whether it loaded TensorFlow."""
    program = (
        "import sys; sys.argv[0] = 'kerasrun'\nfrom kerasrun.cli.app import main\n"
        "try:\n    main()\nfinally:\n    print('LOADED' if 'tensorflow' in sys.modules else 'NOT LOADED')"
    )
    done = subprocess.run(
        [os.sys.executable, "-c", program, *map(str, words)], capture_output=True, text=True, timeout=children.TIMEOUT
    )
    return done.returncode, done.stdout + done.stderr, "NOT LOADED" not in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_row_13_a_read_only_results_folder_is_found_before_tensorflow_is_loaded(tmp_path):
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "kerasrun", tmp_path], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        code, said, loaded = without_tensorflow("train", "digits", "--results", tmp_path)
    finally:
        subprocess.run(["umount", tmp_path], check=True)
    assert (code, loaded) == (2, False)
    assert "cannot be written: Read-only file system" in said


def test_row_13_a_results_folder_that_cannot_be_is_found_before_tensorflow_is_loaded(tmp_path):
    (tmp_path / "file").touch()
    code, said, loaded = without_tensorflow("train", "digits", "--results", tmp_path / "file" / "results")
    assert (code, loaded) == (2, False)
    assert "cannot be written: Not a directory" in said


def test_row_14_missing_parents_of_the_results_folder_are_made(tmp_path):
    results = tmp_path / "a" / "b" / "c"
    assert command("train", "xor", "epochs=1", "--results", results)[0] == 0
    assert only_run(results).status == "finished"


def test_row_15_a_folder_in_place_of_the_best_model_is_named(tmp_path):
    assert train(tmp_path, "dense", KERASRUN_FAIL="write:state.npz:2", change="commit_always")[0] == 99
    best = only_run(tmp_path).folder / runs.BEST
    best.unlink()
    best.mkdir()
    code, said = resume(tmp_path)
    assert code == 2
    assert "best.keras: cannot be read: Is a directory" in said


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=lambda v: str(int(v))
)
def test_row_16_and_17_a_signal_ends_the_training_after_the_epoch(number, code, trained, tmp_path):
    child = Child("train", *MODELS["dense"], "--results", tmp_path, change="slow_epochs")
    assert until(any_file(tmp_path, runs.STATE)), child.said
    child.signal(number)
    assert child.wait() == code, child.said
    run = only_run(tmp_path)
    assert "Continue: kerasrun resume" in child.said
    assert run.status == "interrupted"
    done = state(run.folder)["epochs"]
    assert (run.folder / runs.METRICS).read_text().count("\n") == done + 1 == run.record["epochs_run"] + 1
    assert resume(tmp_path)[0] == 0
    assert_whole(tmp_path, trained)


def test_row_16_interruptions_at_random_moments_keep_whole_files_and_do_not_change_the_result(trained, tmp_path):
    moments = random.Random(SEED)
    for _ in range(5):
        child = children.go_on(tmp_path, "dense", change="slow_epochs")
        child.until(child.out.exists)  # before, it is not yet the command
        child.process.join(moments.uniform(0.2, 3.0))
        child.signal(signal.SIGINT)
        assert child.wait() in (0, 130), f"seed {SEED}: {child.said}"
        assert "Traceback" not in child.said.partition("Exception ignored")[0]  # which Python says of a finalizer
        assert children.broken(tmp_path) == [], f"seed {SEED}"
    assert children.go_on(tmp_path, "dense").wait() == 0
    assert_whole(tmp_path, trained)


def test_row_18_a_second_signal_ends_after_the_block_and_keeps_the_last_commit(trained, tmp_path):
    waiting = tmp_path / "waiting"
    words = [*MODELS["dense"], "loop=plain", "--results", tmp_path]
    child = Child("train", *words, change="wait_for_signals", WAITING=str(waiting))
    child.until(waiting.exists)
    child.signal(signal.SIGINT)
    child.until(lambda: "Finishing epoch" in child.said)
    child.signal(signal.SIGINT)
    assert child.wait() == 130, child.said
    assert "Finishing epoch 2 (once more stops now; epoch 1 is saved)" in child.said
    kept = state(only_run(tmp_path).folder)
    assert (kept["epochs"], kept["blocks"]) == (1, 0)
    assert resume(tmp_path)[0] == 0
    assert_whole(tmp_path, trained)


def test_row_19_a_callback_that_stops_inside_an_epoch_leaves_no_partial_row(trained, tmp_path):
    (tmp_path / "mine.py").write_text(
        "import keras\n\n\nclass Stop(keras.callbacks.Callback):\n"
        "    def on_epoch_begin(self, epoch, logs=None):\n        self.epoch = epoch\n\n"
        "    def on_train_batch_end(self, batch, logs=None):\n"
        "        if self.epoch == 2 and batch == 1:\n            self.model.stop_training = True\n"
    )
    words = ["loop=plain", f"callbacks={tmp_path}/mine.py:Stop", "--results", tmp_path / "results"]
    code, said = command("train", *MODELS["dense"], *words)
    assert code == 0, said
    run = only_run(tmp_path / "results")
    expected = (trained.folder / runs.METRICS).read_text().splitlines()
    assert (run.folder / runs.METRICS).read_text().splitlines() == expected[:4]
    assert (run.status, run.record["epochs_run"]) == ("stopped", 3)
    assert "Stopped after epoch 3 by a callback" in said


def test_train_resume_goes_on_with_the_newest_run_of_the_experiment(trained, tmp_path):
    words = [*MODELS["dense"], "--resume", "--results", tmp_path]
    assert command("train", *words, KERASRUN_FAIL="write:state.npz:2", change="commit_always")[0] == 99
    other = [*MODELS["dense"], "seed=1", "--results", tmp_path]
    assert command("train", *other, KERASRUN_FAIL="write:state.npz:1")[0] == 99
    assert command("train", *words)[0] == 0
    assert len([*tmp_path.glob("*/run.json")]) == 2
    ended = [run for run in map(runs.load, tmp_path.glob("digits*")) if run.status in runs.ENDED]
    assert len(ended) == 1
    assert same(ended[0], trained) == []
    code, said = command("train", *words)
    assert (code, "already" in said) == (0, True)


def test_verify_says_that_a_run_can_be_repeated_or_where_it_differs(trained, tmp_path):
    code, said = command("verify", "--results", trained.folder.parent)
    assert code == 0
    assert said.endswith(f"{trained.id}: equal byte for byte (2 epochs, 6 columns)\n")
    folder = shutil.copytree(trained.folder, tmp_path / trained.folder.name)
    lines = (folder / runs.METRICS).read_text().splitlines()
    first = lines[1].split(",")
    first[1] = str(round(float(first[1]), 3))
    (folder / runs.METRICS).write_text("\n".join([lines[0], ",".join(first), *lines[2:]]) + "\n")
    run = runs.load(folder)
    run.update(versions={**run.record["versions"], "numpy": "1.0"})
    code, said = command("verify", "--epochs", "1", "--results", tmp_path)
    assert code == 1
    assert f"first difference in epoch 1, loss: {first[1]} recorded" in said
    assert "cause: numpy: 1.0 then" in said
