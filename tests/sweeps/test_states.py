import pytest

from kerasrun import datasets, runs
from kerasrun.errors import DataUnavailable
from kerasrun.sweeps import grid, states
from kerasrun.sweeps.states import DONE, ELSEWHERE, RESUME, RETRY, TO_DO, Hashes, seconds_needed

SWEEP = grid.plan("iris", {"optimizer": "sgd,adam", "epochs": 10}, seeds=2)


@pytest.fixture
def loads(monkeypatch):
    """Data whose hash is "now", and how often they were read."""
    calls = []

    def load(experiment):
        calls.append(experiment.dataset)
        return type("Data", (), {"content_hash": "now"})

    monkeypatch.setattr(datasets, "load", load)
    return calls


def run(cell, status, data="now", **more):
    return {"experiment_hash": cell.hash, "status": status, "data": data and {"hash": data}, "path": "x", **more}


@pytest.mark.parametrize(
    ("runs", "kind"),
    [
        ([], TO_DO),
        ([("finished", "now")], DONE),
        ([("stopped", "now")], DONE),
        ([("diverged", "now")], DONE),
        ([("pruned", "now")], DONE),
        ([("finished", "before")], TO_DO),
        ([("interrupted", "now")], RESUME),
        ([("interrupted", None)], RESUME),
        ([("interrupted", "before")], TO_DO),
        ([("running", None)], ELSEWHERE),
        ([("failed", "now")], RETRY),
        ([("failed", "now"), ("interrupted", "now")], RESUME),
        ([("interrupted", "now"), ("running", "now")], ELSEWHERE),
        ([("failed", "now"), ("interrupted", "now"), ("finished", "now")], DONE),
    ],
    ids=str,
)
def test_where_a_cell_stands_follows_from_its_runs(loads, runs, kind):
    cell, other = SWEEP.cells[:2]
    records = [run(other, "finished"), *(run(cell, status, data) for status, data in runs)]
    found = states.states([cell], records, Hashes({}))[cell.number]
    assert found.kind == kind
    assert found.record == next((r for r in records[1:] if r["status"] == (found.record or {}).get("status")), None)


def test_of_a_committed_table_only_results_count(loads):
    cell = SWEEP.cells[0]
    for status, kind in (("finished", DONE), ("interrupted", TO_DO), ("running", TO_DO), ("failed", TO_DO)):
        record = run(cell, status)
        del record["path"]
        assert states.states([cell], [record], Hashes({}))[1].kind == kind


def test_the_newest_run_of_a_kind_counts(loads):
    cell = SWEEP.cells[0]
    records = [run(cell, "finished", id="newer"), run(cell, "finished", id="older")]
    assert states.states([cell], records, Hashes({}))[1].record["id"] == "newer"


def test_data_are_read_once_and_not_again_while_their_files_stay(loads):
    hashes = Hashes({})
    states.states(SWEEP.cells, [run(cell, "finished") for cell in SWEEP.cells], hashes)
    assert loads == ["iris"]
    again = Hashes(hashes.current)
    assert [s.kind for s in states.states(SWEEP.cells, [run(c, "finished") for c in SWEEP.cells], again).values()] == [
        DONE
    ] * 4
    assert loads == ["iris"]


def test_data_are_not_read_where_no_run_asks_for_them(loads):
    states.states(SWEEP.cells, [], Hashes({}))
    assert loads == []


def test_data_that_are_not_at_hand_are_taken_to_be_those_of_the_runs(monkeypatch):
    def load(experiment):
        raise DataUnavailable("offline")

    monkeypatch.setattr(datasets, "load", load)
    hashes = Hashes({})
    cell = SWEEP.cells[0]
    assert states.states([cell], [run(cell, "finished", "any")], hashes)[1].kind == DONE
    assert hashes.unseen == ["iris"]


def test_the_time_needed_follows_from_the_runs_of_the_same_kind():
    made = {"dataset": "iris", "recipe": "dense"}
    records = [
        {"status": "finished", "experiment": made, "seconds": {"epoch": epoch, "training": 20.0, "total": 21.0}}
        for epoch in (1.0, 2.0, 9.0)
    ]
    records.append({"status": "failed", "experiment": made, "seconds": {"epoch": 99.0, "training": 1, "total": 1}})
    assert seconds_needed(SWEEP.cells, records, workers=2) == 4 * (10 * 2.0 + 1.0) / 2
    assert seconds_needed(SWEEP.cells[:1], records, workers=2) == 21.0
    assert seconds_needed(SWEEP.cells, [], workers=2) is None
    other = grid.plan("wine", {}).cells
    assert seconds_needed([*SWEEP.cells, *other], records, workers=2) is None


def test_a_signature_changes_with_the_file_and_the_arguments(tmp_path):
    import numpy as np

    path = tmp_path / "mine.npz"
    np.savez(path, x=np.zeros((20, 3), np.float32), y=np.arange(20) % 2)
    before = states.signature(grid.plan(str(path), {}).cells[0].experiment)
    assert states.signature(grid.plan(str(path), {"optimizer": "sgd", "seed": 3}).cells[0].experiment) == before
    np.savez(path, x=np.ones((20, 3), np.float32), y=np.arange(20) % 2)
    assert states.signature(grid.plan(str(path), {}).cells[0].experiment) != before
    short, long = (grid.plan(f"synthetic:imdb(length={length})", {}).cells[0].experiment for length in (5, 6))
    assert states.signature(short) != states.signature(long)


def test_a_run_that_another_process_works_on_is_found(tmp_path):
    cell, other = SWEEP.cells[:2]
    mine = runs.start(cell.experiment, tmp_path)
    assert states.trained_elsewhere(mine) is None
    runs.start(other.experiment, tmp_path)
    assert states.trained_elsewhere(mine) is None
    theirs = runs.start(cell.experiment, tmp_path)
    assert states.trained_elsewhere(mine) == theirs.folder.name
    theirs.release()
    assert states.trained_elsewhere(mine) is None, "nobody works on an interrupted run"
