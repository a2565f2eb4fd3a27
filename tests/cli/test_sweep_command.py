"""The command sweep, without training: plans, what is done already, errors, and what is shown of events."""

import io
import re
import sys

import pytest

from kerasrun import run_folder, runs, sweep_record
from kerasrun.cli import main
from kerasrun.sweeps import grid
from kerasrun.sweeps.events import Begun, Ended, Epoch, Failed, Notice

ASKED = ["iris", "optimizer=sgd,adam", "hidden=4,8", "--seeds", "2"]


@pytest.fixture
def kerasrun(tmp_path, monkeypatch, capsys):
    """Return a function that gives the command its words, and returns exit code, stdout and stderr."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["kerasrun", "sweep", *words, "--results", str(tmp_path / "results")])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run


def asked():
    return grid.plan("iris", {"optimizer": "sgd,adam", "hidden": "4,8"}, seeds=2)


def finish(results, cells, **record):
    """Write the folders of finished runs."""
    made = []
    for cell in cells:
        run = runs.start(cell.experiment, results)
        values = {"val_loss": 0.5, "val_accuracy": 0.5 + cell.number / 100}
        changes = {
            "best": values,
            "last": values,
            "epochs_run": 20,
            "best_epoch": 20,
            "data": {"hash": "any"},
            **record,
        }
        run.finish(changes.pop("status", "finished"), **changes)
        made.append(run)
    return made


@pytest.fixture(autouse=True)
def data_at_hand(monkeypatch):
    from kerasrun import datasets

    monkeypatch.setattr(datasets, "load", lambda experiment: type("Data", (), {"content_hash": "any"}))


def test_a_dry_run_lists_every_run_with_what_differs(kerasrun, tmp_path):
    code, out, _ = kerasrun(*ASKED, "--dry-run")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["n", "optimizer", "hidden", "seed", "state"]
    assert [line.split() for line in lines[1:9]] == [
        [str(n), optimizer, hidden, str(seed), "to", "do"]
        for n, (seed, optimizer, hidden) in enumerate(
            ((s, o, h) for s in (0, 1) for o in ("sgd", "adam") for h in ("4", "8")), start=1
        )
    ]
    assert "4 settings × 2 seeds = 8 runs on " in lines[-1]
    assert "no estimate before the first run" in lines[-1]
    assert f"sweep: {asked().id}" in lines[-1]
    assert not (tmp_path / "results").exists()


def test_a_dry_run_knows_what_is_done_and_how_long_the_rest_takes(kerasrun, tmp_path):
    cells = asked().cells
    finish(tmp_path / "results", cells[:3], seconds={"epoch": 3.0, "training": 60.0, "total": 62.0})
    finish(tmp_path / "results", cells[3:4], status="failed")
    finish(tmp_path / "results", cells[4:5], status="interrupted")
    _, out, _ = kerasrun(*ASKED, "--dry-run", "--workers", "2")
    assert [line.split(maxsplit=4)[4] for line in out.splitlines()[1:9]] == [
        "done", "done", "done", "failed, to do again", "to resume", "to do", "to do", "to do",
    ]  # fmt: skip
    assert "on 2 workers, about 3 minutes" in out  # 5 runs of 20 epochs of 3 s and 2 s beside, on 2 workers
    assert out.splitlines()[-1] == "3 done · 1 failed, to do again · 1 to resume · 3 to do"


def test_what_is_done_is_shown_and_not_trained_again(kerasrun, tmp_path):
    results = tmp_path / "results"
    finish(results, asked().cells[:7])
    finish(results, asked().cells[7:], status="diverged")
    code, out, err = kerasrun(*ASKED)
    assert code == 0
    assert "8 runs, all done" in err
    assert [line.split() for line in out.splitlines()[2:]] == [
        ["optimizer", "hidden", "done", "val_accuracy", "diverged"],
        ["adam", "4", "2/2", "0.5500", "0"],
        ["sgd", "8", "2/2", "0.5400", "0"],
        ["adam", "8", "2/2", "0.5400", "1"],
        ["sgd", "4", "2/2", "0.5300", "0"],
        f"next: kerasrun compare {asked().id}".split(),
    ]
    known = sweep_record.read(results, asked().id)
    assert known.seeds == (0, 1)
    assert len(known.cells) == 8
    assert list(known.data.values()) == ["any"]


def test_while_another_process_trains_the_sweep_it_is_in_use(kerasrun, tmp_path):
    folder = tmp_path / "results" / "sweeps" / asked().id
    folder.mkdir(parents=True)
    with run_folder.lock(folder):
        code, _, err = kerasrun(*ASKED)
    assert code == 75
    assert f"{asked().id} is being trained by process" in err


def test_runs_that_another_process_trains_are_left_to_it(kerasrun, tmp_path):
    finish(tmp_path / "results", asked().cells[:-1])
    run = runs.start(asked().cells[-1].experiment, tmp_path / "results")
    code, out, err = kerasrun(*ASKED)
    run.release()
    assert code == 1
    assert "1 of 8 runs were left: trained by another process" in err
    assert "1/2" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["iris", "optimizer=sgd,rmsprob"], "optimizer=rmsprob: unknown optimizer 'rmsprob'; did you mean 'rmsprop'?"),
        (["iris", "--optimizer", "sgd,adam", "optimizer=lion"], "optimizer is given twice"),
        (["iris", "--seed", "0,1"], "seed is no axis: write --seeds 5"),
        (["iris", "--seeds", "none"], "seeds=none"),
        (["iris", "--workers", "many"], "workers=many"),
        (["optimizer=sgd,adam"], "which dataset?"),
    ],
)
def test_wrong_input_is_one_message_before_anything_is_made(kerasrun, tmp_path, words, message):
    code, out, err = kerasrun(*words)
    assert (code, out) == (2, "")
    assert err.startswith(message)
    assert len(err.splitlines()) <= 3
    assert not list(tmp_path.glob("results/*-*"))


def test_data_at_hand_that_differ_are_trained_anew(kerasrun, tmp_path):
    finish(tmp_path / "results", asked().cells, data={"hash": "before"})
    _, out, _ = kerasrun(*ASKED, "--dry-run")
    assert out.count("to do") == 8


def told(monkeypatch, events, *, terminal=False):
    """Return what is written to stderr when a sweep tells events."""
    from kerasrun.cli import sweep_display
    from kerasrun.sweeps.states import Hashes, State
    from kerasrun.sweeps.train import Outlook
    from kerasrun.sweeps.workers import Crew

    stderr = io.StringIO()
    stderr.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stderr", stderr)
    sweep = asked()
    outlook = Outlook(
        sweep, {c.number: State("to do") for c in sweep.cells}, Crew(2, 2, []), 100.0, ("a note",), Hashes({})
    )
    with sweep_display.running(outlook) as watch:
        for event in events(sweep.cells):
            watch(event)
    return stderr.getvalue()


def ended(cell, **changes):
    record = {"status": "finished", "best": {"val_accuracy": 0.5}, "last": {}, **changes}
    return Ended(cell, record)


def some_events(cells):
    yield Notice("fetching iris")
    yield Begun(cells[0], "run-1")
    yield Epoch(cells[0], 1, {"val_accuracy": 0.25})
    yield ended(cells[0])
    yield Begun(cells[1], "run-2")
    yield ended(cells[1], status="diverged", error={"message": "loss became NaN in epoch 2"})
    yield Failed(cells[2], "killed (signal 9), peak memory 812 MiB", ("line 1", "line 2"), "run-3")


def test_off_a_terminal_each_end_is_a_line(monkeypatch):
    lines = told(monkeypatch, some_events).splitlines()
    assert re.match(
        r"4 settings × 2 seeds = 8 runs on 2 workers, about 2 minutes   sweep: iris-....   again:", lines[0]
    )
    assert lines[1:3] == ["a note", "fetching iris"]
    assert re.fullmatch(r"1/8 done: #1 sgd hidden=4 seed 0 · val_accuracy 0.5000 · \d:\d\d:\d\d left", lines[3])
    assert re.match(r"2/8 done: #2 sgd hidden=8 seed 0 · diverged: loss became NaN in epoch 2 · ", lines[4])
    assert lines[5:] == [
        "#3 adam hidden=4 seed 0 failed: killed (signal 9), peak memory 812 MiB   run folder: run-3",
        "    | line 1",
        "    | line 2",
    ]


def test_at_a_terminal_a_table_is_kept_up_to_date(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    shown = told(monkeypatch, some_events, terminal=True)
    assert "#3 adam hidden=4 seed 0 failed: killed (signal 9)" in shown
    assert "1 failed" in shown
    assert re.search(r"sgd +4 +1/2 +0.5000", shown)


def test_the_last_table_is_of_the_moment_at_which_runs_are_compared():
    from kerasrun.cli.sweep_display import _Measure

    assert str(_Measure(grid.plan("iris", {"patience": "none"})).at) == "at the last epoch"
    for either in ("none,3", "3,none"):
        assert str(_Measure(grid.plan("iris", {"patience": either})).at) == "at the best epoch"
