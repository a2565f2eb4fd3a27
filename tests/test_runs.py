import json
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kerasrun
from kerasrun import run_folder, runs
from kerasrun.errors import DiskError, InputError, Interrupted, RunInUse
from kerasrun.experiment import resolve


@pytest.fixture(scope="module")
def iris():
    return resolve("iris", {"epochs": 2, "hidden": "5-5"})


def started(experiment, results, **keywords):
    run = runs.start(experiment, results, **keywords)
    run.release()
    return run


def test_a_run_starts_as_a_folder_with_record_recipe_and_lock(tmp_path, iris):
    run = runs.start(iris, tmp_path / "new" / "results")
    assert re.fullmatch(r"iris-dense-\d{8}-\d{6}-[a-z]{5}", run.folder.name)
    assert sorted(path.name for path in run.folder.iterdir()) == [".lock", "recipe.py", "run.json"]
    record = json.loads((run.folder / "run.json").read_text())
    assert record["id"] == run.folder.name[-5:]
    assert record["folder"] == run.folder.name
    assert (record["status"], record["ended"]) == ("running", None)
    assert record["experiment"]["knobs"]["hidden"] == [5, 5]
    assert record["origins"]["hidden"] == "command"
    assert {"python", "keras", "tensorflow"} <= record["versions"].keys()
    assert runs.sha256(run.folder / "recipe.py") == record["recipe_sha256"]
    run.release()


def test_a_run_read_from_its_folder_is_the_same_experiment(tmp_path, iris):
    run = runs.load(started(iris, tmp_path).folder)
    assert run.experiment == iris
    assert run.experiment.origins == iris.origins


def test_a_name_replaces_the_first_part_of_the_folders_name(tmp_path, iris):
    assert started(iris, tmp_path, name="my_run-1.5").folder.name.startswith("my_run-1.5-20")


@pytest.mark.parametrize(
    "name", ["../x", "a/b", ".hidden", "a..b", "a b", "x\0", "x\n", "ä", "-q", "=cmd", "<b>", "n" * 101]
)
def test_a_name_that_could_leave_the_folder_or_hide_is_refused(tmp_path, iris, name):
    with pytest.raises(InputError, match="letters, digits") as raised:
        runs.start(iris, tmp_path, name=name)
    assert len(str(raised.value).splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_whose_name_has_no_plain_letter_still_gets_a_folder(tmp_path, iris, monkeypatch):
    monkeypatch.setattr(runs, "plain", lambda text: "")
    assert re.fullmatch(r"run-\d{8}-\d{6}-[a-z]{5}", started(iris, tmp_path).folder.name)


START = """
import sys
from pathlib import Path
from kerasrun import environment, run_folder, runs
from kerasrun.experiment import resolve
run_folder.string.ascii_lowercase = "abc"  # 243 ids for 200 runs: clashes for certain
environment.record = dict
experiment = resolve("iris", {})
for _ in range(50):
    print(runs.start(experiment, Path(sys.argv[1]), name=sys.argv[2]).folder.name, flush=True)
"""


def test_row_10_four_processes_that_start_runs_at_once_get_distinct_ids_and_folders(tmp_path):
    results = tmp_path / "results"
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", START, str(results), f"name-{i % 2}"],
            stdout=subprocess.PIPE,
            cwd=tmp_path,
            text=True,
        )
        for i in range(4)
    ]
    folders = [line for starter in starters for line in starter.communicate()[0].split()]
    assert len(folders) == 200
    assert len({folder[-5:] for folder in folders}) == 200
    assert sorted(folders) == sorted(path.name for path in results.iterdir())


HOLD = """
import sys, time
from pathlib import Path
from kerasrun import runs
run = runs.load(Path(sys.argv[1]))
with runs.held(run):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path, iris):
    """A run that another process is working on: its folder and that process."""
    folder = started(iris, tmp_path / "results").folder
    words = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield folder, process
        process.kill()


def test_row_9_a_run_that_another_process_holds_is_in_use_and_says_by_whom(holder):
    folder, process = holder
    with pytest.raises(RunInUse, match=f"{folder.name} is being trained by process {process.pid}"):
        run_folder.lock(folder)
    assert run_folder.is_locked(folder)
    assert runs.load(folder).status == "running"
    with pytest.raises(RunInUse):
        runs.remove([folder])
    assert runs.load(folder).id


def test_a_killed_process_loses_its_lock_and_its_run_was_interrupted(holder):
    folder, process = holder
    process.kill()
    process.wait()
    run = runs.load(folder)
    assert run.status == "interrupted"
    with runs.held(run):
        assert run.status == "running"
    assert not run_folder.is_locked(folder)


def test_a_finished_run_has_its_status_its_time_and_no_lock(tmp_path, iris):
    run = runs.start(iris, tmp_path)
    run.finish("finished", best_epoch=2)
    read = runs.load(run.folder)
    assert (read.status, read.record["best_epoch"]) == ("finished", 2)
    assert read.record["ended"] >= read.record["created"]
    assert not run_folder.is_locked(run.folder)


def test_a_record_that_json_cannot_hold_leaves_the_old_one(tmp_path, iris):
    run = started(iris, tmp_path)
    with pytest.raises(ValueError, match="JSON"):
        run.update(best=float("nan"))
    assert runs.load(run.folder).record["status"] == "running"


def test_a_discarded_run_leaves_nothing(tmp_path, iris):
    runs.start(iris, tmp_path).discard()
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_cannot_be_written_leaves_nothing(tmp_path, iris, monkeypatch):
    def full(path, content):
        raise DiskError("full")

    monkeypatch.setattr(runs.atomic, "write", full)
    with pytest.raises(DiskError):
        runs.start(iris, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_results_folder_that_cannot_be_is_refused_before_anything_slow(tmp_path, iris, place):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written: .*\nchoose another one with --results FOLDER"):
        run_folder.probe(tmp_path / place)
    with pytest.raises(InputError, match="cannot be written"):
        runs.start(iris, tmp_path / place)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\xff", b"\x1f", b'{"id": "aaaaa", "sta', b"[]", b"null", b"{}",
     b'{"id": 1, "status": "x", "experiment": {}}',
     b'{"id": "aaaaa", "status": "finished", "experiment": 5}', b"[" * 100_000,
     b'{"id": "aaaaa", "status": "finished", "experiment": {"dataset": "iris", "recipe": "dense", "knobs": {}}}'],
)  # fmt: skip
def test_a_damaged_record_is_named(tmp_path, content):
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(InputError, match=r"run\.json: damaged"):
        runs.load(tmp_path)


JSON = st.recursive(
    st.one_of(st.none(), st.integers(), st.text()),
    lambda inner: st.dictionaries(st.sampled_from(["id", "status", "experiment", "x"]), inner),
)


@given(st.one_of(st.binary(), JSON.map(lambda value: json.dumps(value).encode())))
def test_any_record_is_read_or_called_damaged(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp() / "any-record"
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_bytes(content)
    try:
        said = runs.load(folder).status
    except InputError as error:
        said = str(error)
    assert isinstance(said, str)


def test_a_folder_without_a_record_is_no_run(tmp_path):
    with pytest.raises(InputError, match=r"holds no run \(no run\.json\)"):
        runs.load(tmp_path)


def test_metrics_and_model_of_a_run_that_has_none_yet_are_asked_for_in_vain_but_politely(tmp_path, iris):
    run = started(iris, tmp_path)
    for _ in range(2):
        with pytest.raises(InputError, match=r"metrics\.csv: no epoch was written; the run's status is interrupted"):
            _ = run.metrics
        run.write({"metrics.csv": ""})  # as of a run that diverged in its first epoch
    with pytest.raises(InputError, match=r"best\.keras: no model was saved; the run's status is interrupted"):
        run.model()


def test_removed_runs_are_gone_and_of_a_link_only_the_link(tmp_path, iris):
    kept, gone = started(iris, tmp_path / "other"), started(iris, tmp_path / "results")
    link = tmp_path / "results" / "link"
    link.symlink_to(kept.folder)
    runs.remove([gone.folder, link])
    assert list((tmp_path / "results").iterdir()) == []
    assert runs.load(kept.folder).id == kept.id


def test_the_best_model_is_hashed_for_the_record(tmp_path, iris):
    run = runs.start(iris, tmp_path)
    run.write_best(lambda path: path.write_bytes(b"model") and None)
    run.update()
    assert runs.load(run.folder).record["files"] == {"best.keras": runs.sha256(run.folder / "best.keras")}
    assert run.files()["best.keras"] == 5
    assert run.files()["metrics.csv"] is None
    run.release()


def with_an_epoch(experiment, results):
    run = started(experiment, results)
    run.write({"metrics.csv": "epoch,loss\n1,0.5\n"})
    return run


def test_to_verify_no_epoch_is_refused(tmp_path, iris):
    with_an_epoch(iris, tmp_path)
    with pytest.raises(InputError, match="epochs=0: at least one epoch is compared"):
        kerasrun.verify(epochs=0, results=tmp_path)


def test_an_interrupted_verification_does_not_say_how_to_go_on_with_a_run_that_is_gone(tmp_path, iris, monkeypatch):
    def interrupted(experiment, run, watch):
        raise Interrupted(f"Interrupted after epoch 0 of 2. Continue: kerasrun resume {run.id}", 15)

    with_an_epoch(iris, tmp_path)
    monkeypatch.setattr(kerasrun, "train_run", interrupted)
    with pytest.raises(Interrupted, match=r"^interrupted; nothing was compared$") as raised:
        kerasrun.verify(results=tmp_path)
    assert raised.value.exit_code == 143
