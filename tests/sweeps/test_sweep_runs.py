"""Real sweeps on a few digits, with dropout and a schedule that acts late, so that equal files prove something."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

import kerasrun
from kerasrun import runs
from kerasrun.errors import RunFailed
from kerasrun.experiment import to_record
from kerasrun.sweeps import grid
from kerasrun.sweeps.events import Begun, Ended, Epoch, Failed

GIVEN = {
    "epochs": 8, "limit": 120, "dropout": 0.3, "batch_norm": True, "learning_rate": 0.02, "patience": 5,
    "schedule": "plateau(patience=0, factor=0.5)", "optimizer": ["sgd", "adam"], "hidden": [8, 16],
}  # fmt: skip


STARTED = []


def command(*words, results, **keywords):
    words = [sys.executable, "-m", "kerasrun", *words, "--results", str(results)]
    STARTED.append(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **keywords))
    return STARTED[-1]


@pytest.fixture(autouse=True)
def nothing_goes_on():
    """End the commands of a test that failed before their end; their workers end with them."""
    yield
    while STARTED:
        with STARTED.pop() as process:
            process.kill()


def words(**changed):
    """Return GIVEN as words of the command line, with other values."""
    given = {**GIVEN, **changed}
    return ["digits", *(f"{n}={','.join(map(str, v)) if isinstance(v, list) else v}" for n, v in given.items())]


def folders(results):
    return sorted(path.parent for path in results.glob("*/run.json"))


def metrics(results):
    """Return metrics.csv of each run that has ended, by what was trained."""
    found = {}
    for folder in folders(results):
        run = runs.load(folder)
        if run.record["status"] in runs.ENDED:
            assert run.record["experiment_hash"] not in found, "a cell was trained twice"
            found[run.record["experiment_hash"]] = (folder / runs.METRICS).read_bytes()
    return found


def worker(folder):
    """Return the process that holds the lock of a run."""
    return int((folder / ".lock").read_text())


def wait_until(happened, seconds=120):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A sweep of one seed, extended by a second one: the results folder, and how many trainings each call began."""
    results, began = tmp_path_factory.mktemp("whole"), []
    for seeds in (1, 2, 2):
        told = []
        result = kerasrun.sweep("digits", seeds=seeds, results=results, watch=told.append, **GIVEN)
        began.append(sum(isinstance(event, Begun) for event in told))
        assert (result.exit_code, len(result.runs)) == (0, 4 * seeds)
    return results, began, result


def test_a_sweep_trains_each_cell_once_and_more_seeds_extend_it(whole):
    results, began, result = whole
    assert began == [4, 4, 0]
    assert len(metrics(results)) == len(folders(results)) == 8
    assert {run.status for run in result.runs} <= {"finished", "stopped"}
    (known,) = (results / "sweeps").glob("*.json")
    content = json.loads(known.read_text())
    assert (content["id"], content["seeds"]) == (result.id, [0, 1])
    assert {cell["hash"] for cell in content["cells"]} == set(metrics(results))
    assert list(content["data"].values()) == [result.runs[0].record["data"]["hash"]]
    assert sorted(result.table["n"]) == [2, 2, 2, 2]


def test_a_cell_has_the_files_that_train_would_have_made(whole, tmp_path):
    results, _, result = whole
    cell = result.sweep.cells[-1]
    alone = command("train", *words(optimizer="adam", hidden=16, seed=1), results=tmp_path)
    alone.communicate()
    assert alone.returncode == 0
    assert metrics(tmp_path) == {cell.hash: metrics(results)[cell.hash]}
    ours, its = ({path.name for path in folder.iterdir()} for folder in (result.runs[-1].folder, *folders(tmp_path)))
    assert ours - {"state.prev.npz"} == its - {"state.prev.npz"}


def test_row_20_a_killed_worker_is_reported_and_its_run_goes_on_with_the_next_command(whole, tmp_path):
    killed = []

    def kill(event):
        if isinstance(event, Begun):
            folder[event.cell.number] = tmp_path / event.folder
        if isinstance(event, Epoch) and event.epoch == 1 and not killed:
            killed.append(event.cell)
            os.kill(worker(folder[event.cell.number]), signal.SIGKILL)

    folder, given = {}, {**GIVEN, "hidden": 8}
    result = kerasrun.sweep("digits", seeds=1, results=tmp_path, watch=kill, **given)
    (failed,) = result.failed
    assert (failed.cell, result.exit_code, len(result.records)) == (killed[0], 1, 1)
    assert re.match(r"killed \(signal 9\), peak memory [1-9]\d{1,3} MiB; likely out of memory", failed.text)
    told = []
    result = kerasrun.sweep("digits", seeds=1, results=tmp_path, watch=told.append, **given)
    assert [event.folder for event in told if isinstance(event, Begun)] == [folder[killed[0].number].name]
    assert result.exit_code == 0
    expected = metrics(whole[0])
    assert metrics(tmp_path) == {cell.hash: expected[cell.hash] for cell in result.sweep.cells}


def test_row_67_after_the_parents_death_workers_are_gone_and_the_same_command_finishes_only_what_is_missing(
    whole, tmp_path
):
    asked = ["sweep", *words(hidden=8), "--seeds", "2"]
    parent = command(*asked, results=tmp_path)
    wait_until(
        lambda: metrics(tmp_path) and any((f / "state.npz").exists() and runs.is_locked(f) for f in folders(tmp_path))
    )
    parent.kill()
    done = metrics(tmp_path)
    wait_until(lambda: not any(runs.is_locked(folder) for folder in folders(tmp_path)), seconds=20)
    parent.communicate()
    before = folders(tmp_path)
    assert {runs.load(folder).status for folder in before} <= {"finished", "stopped", "interrupted"}
    again = command(*asked, results=tmp_path)
    _, said = again.communicate()
    assert again.returncode == 0, said
    finished, expected = metrics(tmp_path), metrics(whole[0])
    assert finished == {hash_: expected[hash_] for hash_ in finished}
    assert done.items() <= finished.items()
    assert len(finished) == len(folders(tmp_path)) == 4, "interrupted runs are resumed, not begun anew"
    assert set(before) <= set(folders(tmp_path))


OWN = """
import keras
def own(task, *, units=4):
    return keras.Sequential([keras.Input(task.input_shape), keras.layers.Dense(units)])
"""


@pytest.mark.parametrize("change", [("units=4", "units=5"), ("units=4", "size=4"), ("def own", "def (")])
def test_a_recipe_that_is_edited_during_a_sweep_ends_its_own_cells_alone(tmp_path, change):
    from kerasrun.sweeps.trainings import Trainings

    file = tmp_path / "own.py"
    file.write_text(OWN)
    (cell,) = grid.plan("iris", {"recipe": f"{file}:own"}).cells
    errand = {"experiment": to_record(cell.experiment), "origins": {}, "hash": cell.hash}
    trainings = Trainings(print)
    trainings.prepare(errand)
    file.write_text(OWN.replace(*change))
    os.utime(file, (1, 1))
    with pytest.raises(RunFailed, match="own"):  # exit code 1: not for the same reason as other cells of these data
        trainings.prepare(errand)


def test_a_signal_lets_running_epochs_finish(tmp_path):
    parent = command("sweep", *words(patience="none", epochs=100_000), "--workers", "1", results=tmp_path)
    wait_until(lambda: parent.poll() or any((folder / "state.npz").exists() for folder in folders(tmp_path)))
    parent.send_signal(signal.SIGINT)
    out, said = parent.communicate()
    assert parent.returncode == 130
    assert "The workers finish their epochs" in said
    assert "Interrupted; the same command goes on." in said
    assert "Traceback" not in said + out
    (folder,) = folders(tmp_path)
    assert runs.load(folder).record["status"] == "interrupted"


RECIPES = """
import keras

def good(task, *, units=4):
    return keras.Sequential([keras.Input(task.input_shape), keras.layers.Flatten(),
                             keras.layers.Dense(task.num_outputs, activation=task.output_activation)])

def bad(task, *, units=4):
    raise ValueError("no such layer")

class Late(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise RuntimeError("late")
"""


def test_row_68_a_recipe_that_raises_and_a_run_that_fails_hinder_no_other(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(RECIPES)
    overrides = ["{recipe = '%s:good'}", "{recipe = '%s:bad'}", "{recipe = '%s:good', callbacks = ['%s:Late']}"]
    toml = tmp_path / "three.toml"
    toml.write_text(f"dataset = 'iris'\nepochs = 3\noverrides = [{', '.join(overrides).replace('%s', str(file))}]")
    results = tmp_path / "results"
    sweep = command("sweep", toml, "--workers", "1", results=results)
    out, said = sweep.communicate()
    assert sweep.returncode == 1
    assert re.search(r"^#2 .*:bad .*seed 0 failed: .*no such layer", said, re.MULTILINE)
    assert re.search(r"^#3 .*:Late seed 0 failed: RuntimeError: late", said, re.MULTILINE)
    assert re.search(r"^    \| RuntimeError: late", said, re.MULTILINE)
    assert "2 of 3 runs failed; the same command tries them again" in said
    assert "1/3 done: #1" in said
    assert "next: kerasrun compare three-" in out
    statuses = sorted(runs.load(folder).status for folder in folders(results))
    assert statuses == ["failed", "finished"]
    (failed,) = [folder for folder in folders(results) if runs.load(folder).status == "failed"]
    assert "RuntimeError: late" in (failed / "error.txt").read_text()
    told = []
    again = kerasrun.sweep(file=toml, results=results, workers=1, watch=told.append)
    assert [event.cell.number for event in told if isinstance(event, Failed)] == [2, 3]
    assert [event for event in told if isinstance(event, Ended)] == []
    assert failed in folders(results), "a failed run stays"
    assert again.exit_code == 1
