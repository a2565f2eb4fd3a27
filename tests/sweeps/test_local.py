import os
import signal
import sys
from pathlib import Path

import pytest

from kerasrun.errors import InputError, Interrupted
from kerasrun.sweeps import grid, local
from kerasrun.sweeps.events import Begun, Ended, Epoch, Failed, Left, Notice
from kerasrun.sweeps.workers import Crew

FAKE = (sys.executable, str(Path(__file__).with_name("fake_server.py")))


def cells(*optimizers, **given):
    return grid.plan("iris", {"optimizer": [*optimizers], **given}).cells


def train(todo, results, *, watch=None, workers=1, gpus=(), **keywords):
    """Train with children that do what the optimizer's name says (fake_server.py); return what was told."""
    told = []
    pairs = [pair if isinstance(pair, tuple) else (pair, None) for pair in todo]

    def hear(event):
        told.append(event)
        if watch:
            watch(event)

    local.train(pairs, results, crew=Crew(workers, workers, [*gpus]), watch=hear, command=FAKE, **keywords)
    return told


def of(kind, told):
    return [event for event in told if isinstance(event, kind)]


def test_another_backend_is_refused_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(InputError, match="KERAS_BACKEND=jax: kerasrun trains on TensorFlow"):
        train(cells("sgd"), tmp_path)


def test_a_cell_that_ends_has_its_record(tmp_path):
    (cell,) = cells("sgd", epochs=1)
    told = train([cell], tmp_path)
    assert [type(event) for event in told] == [Begun, Notice, Epoch, Ended]
    assert told[1] == Notice("note: made up")
    assert told[2] == Epoch(cell, 1, {"epoch": 1, "val_loss": 0.5})
    assert told[3].record["status"] == "finished"
    assert told[3].record["path"] == str(tmp_path / "run-1")


def test_cells_begin_in_their_order_and_a_note_is_told_once(tmp_path):
    todo = cells("sgd", epochs=[1, 2, 3])
    told = train(todo, tmp_path)
    assert [event.cell for event in of(Begun, told)] == [*todo]
    assert [event.cell for event in of(Ended, told)] == [*todo]
    assert len(of(Notice, told)) == 1


def test_a_diverged_run_is_a_result(tmp_path):
    (event,) = of((Ended, Failed, Left), train(cells("adam"), tmp_path))
    assert (type(event), event.record["status"]) == (Ended, "diverged")


def test_row_20_a_killed_worker_is_told_at_once_and_the_others_go_on(tmp_path):
    todo = cells("lion", "sgd")
    told = train(todo, tmp_path)
    failed, ended = of((Ended, Failed), told)
    assert failed.cell == todo[0]
    assert failed.text.startswith("killed (signal 9), peak memory ")
    assert failed.text.endswith(" MiB; likely out of memory; try fewer --workers")
    assert failed.lines == tuple(f"line {number}" for number in range(13, 21))
    assert (failed.folder, failed.code) == ("run-1", 1)
    assert isinstance(ended, Ended)


def test_a_failed_run_is_told_with_the_end_of_its_log(tmp_path):
    (failed,) = of(Failed, train(cells("nadam"), tmp_path))
    assert (failed.text, failed.code, failed.lines[-1]) == ("no space left", 74, "line 20")


def test_the_traceback_goes_before_the_log(tmp_path):
    (tmp_path / "run-1").mkdir()
    (tmp_path / "run-1" / "error.txt").write_text("Traceback\nValueError: at 3\n")
    (failed,) = of(Failed, train(cells("nadam"), tmp_path))
    assert failed.lines == ("Traceback", "ValueError: at 3")


def test_data_that_cannot_be_had_fail_for_all_their_cells_at_once(tmp_path):
    todo = grid.plan(None, {"dataset": ["iris", "wine"], "optimizer": ["adamax", "sgd"]}).cells
    told = train(todo, tmp_path)
    failed = of(Failed, told)
    assert [(event.cell.number, [cell.number for cell in event.others], event.code) for event in failed] == [
        (1, [2], 69),
        (3, [4], 69),
    ]
    assert of(Ended, told) == []


def test_a_run_to_resume_and_a_device_are_handed_over(tmp_path):
    todo = cells("sgd", epochs=[1, 2, 3])
    told = train([(todo[0], "run-before"), *todo[1:]], tmp_path, workers=2, gpus=["3", "5"])
    records = {event.cell.number: event.record for event in of(Ended, told)}
    assert records[1]["folder"] == "run-before"
    assert records[1]["device"] == "3"
    assert {record["device"] for record in records.values()} == {"3", "5"}


def test_a_signal_leaves_what_is_running_for_later(tmp_path):
    todo = cells("ftrl", "sgd")
    left = []

    def watch(event):
        if isinstance(event, Begun):
            os.kill(os.getpid(), signal.SIGINT)
        left.extend([event.cell] if isinstance(event, Left) else [])

    with pytest.raises(Interrupted) as ended:
        train(todo, tmp_path, watch=watch)
    assert ended.value.exit_code == 130
    assert left == [todo[0]]
    assert list(tmp_path.iterdir()) == []


def test_a_hopeless_training_is_given_up_and_the_others_go_on(tmp_path):
    todo = cells("rmsprop", "sgd")
    asked = []

    def is_hopeless(event):
        asked.append(event.cell)
        return event.cell == todo[0]

    told = train(todo, tmp_path, is_hopeless=is_hopeless)
    assert [event.record["status"] for event in of(Ended, told)] == ["pruned", "finished"]
    assert asked == [*todo]


def test_further_cells_are_asked_for_when_a_worker_is_free(tmp_path):
    todo = [(cell, None) for cell in cells("sgd", epochs=[1, 2, 3])]
    told = train([], tmp_path, more=lambda: todo.pop(0) if todo else None)
    assert [event.cell.number for event in of(Ended, told)] == [1, 2, 3]


def test_nothing_to_train_ends_at_once(tmp_path):
    assert train([], tmp_path) == []
