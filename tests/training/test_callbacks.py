"""What a signal does in the middle of anything."""

import io
import signal

import pytest

import kerasrun
from kerasrun.errors import Interrupted, RunFailed
from kerasrun.runs import ERROR, METRICS
from kerasrun.training.callbacks import Guard, Recorder
from kerasrun.training.events import Block, Epoch, Notice
from kerasrun.training.snapshot import last_state


class InterruptedWriting(io.RawIOBase):
    """A terminal at whose first byte the user presses Ctrl-C."""

    def __init__(self):
        super().__init__()
        self.received = b""

    def writable(self):
        """It takes bytes."""
        return True

    def write(self, given):
        """Keep the bytes; be interrupted at the first."""
        first, self.received = not self.received, self.received + bytes(given)
        if first:
            signal.raise_signal(signal.SIGINT)
        return len(given)


def test_a_signal_in_the_middle_of_a_line_being_written_is_answered_after_the_block():
    screen = InterruptedWriting()
    written = io.TextIOWrapper(io.BufferedWriter(screen), write_through=True)
    with Guard(lambda text: print(text, file=written, flush=True)) as guard:
        guard.on_epoch_begin(1)
        guard.saved = 1
        print("epoch 1", file=written, flush=True)
        assert screen.received == b"epoch 1\n"
        guard.on_train_batch_end(0)
        guard.on_train_batch_end(1)
    assert screen.received == b"epoch 1\nFinishing epoch 2 (once more stops now; epoch 1 is saved).\n"


def test_a_second_signal_before_the_first_is_answered_ends_the_training_after_the_block():
    said = []
    with Guard(said.append) as guard:
        guard.on_epoch_begin(0)
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted) as stopped:
            guard.on_train_batch_end(0)
    assert stopped.value.exit_code == 143
    assert said == []


def at_epoch(epoch, kind, act):
    """Return a watch that acts once, at an event of one kind in one epoch."""
    acts = [act]

    def watch(event):
        at = event.row["epoch"] if isinstance(event, Epoch) else getattr(event, "epoch", None)
        if isinstance(event, kind) and at == epoch and acts:
            acts.pop()()

    return watch


def interrupted(folder, watch):
    """Train XOR until it is interrupted; return what is said and the run."""
    with pytest.raises(Interrupted) as stopped:
        kerasrun.train("xor", epochs=12, loop="plain", results=folder, watch=watch)
    return str(stopped.value), kerasrun.load_run("last", results=folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return kerasrun.train("xor", epochs=12, loop="plain", results=tmp_path_factory.mktemp("whole"))


@pytest.fixture
def never_commit(monkeypatch):
    monkeypatch.setattr(Recorder, "LARGEST_SHARE", 0.0)


def test_a_signal_while_the_epoch_is_shown_is_answered_with_a_commit(tmp_path, whole, never_commit):
    watch = at_epoch(5, Epoch, lambda: signal.raise_signal(signal.SIGINT))
    said, run = interrupted(tmp_path, watch)
    assert "after epoch 5 of 12" in said
    assert (run.status, run.record["epochs_run"]) == ("interrupted", 5)
    assert last_state(run).epochs == 5
    resumed = kerasrun.resume("last", results=tmp_path)
    assert (resumed.folder / METRICS).read_bytes() == (whole.folder / METRICS).read_bytes()


def test_after_two_signals_nothing_is_called_saved_that_is_not(tmp_path, whole, never_commit):
    notices = []

    def twice(event):
        if isinstance(event, Notice):
            notices.append(event.text)
            signal.raise_signal(signal.SIGINT)
        else:
            once(event)

    once = at_epoch(8, Block, lambda: signal.raise_signal(signal.SIGINT))
    said, run = interrupted(tmp_path, twice)
    assert notices == ["Finishing epoch 8 (once more stops now; nothing is saved yet)."]
    assert "after epoch 0 of 12" in said
    assert run.record.get("epochs_run") is None
    assert last_state(run) is None
    resumed = kerasrun.resume("last", results=tmp_path)
    assert (resumed.folder / METRICS).read_bytes() == (whole.folder / METRICS).read_bytes()


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup leaves it
    try:
        with Guard(print) as guard:
            signal.raise_signal(signal.SIGHUP)
            assert guard.signal_number is None
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


COUNT = '''
import keras


class Count(keras.callbacks.Callback):
    """Counts blocks, and says how many there were."""

    def __init__(self, file):
        super().__init__()
        self.file, self.count = file, 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1

    def on_train_end(self, logs=None):
        with open(self.file, "w") as file:
            file.write(str(self.count))

    def get_state(self):
        return self.count

    def set_state(self, state):
        self.count = state
'''


def test_the_users_own_callback_goes_on_inside_an_epoch_where_it_was(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(COUNT)
    monkeypatch.setattr(Recorder, "LARGEST_SHARE", 1e9)
    monkeypatch.setattr(Recorder, "INSIDE_EPOCH_SECONDS", 0.0)

    def give_up(event):
        if isinstance(event, Block) and (event.epoch, event.steps) == (2, 3):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    callback = f"{tmp_path}/mine.py:Count(file='{tmp_path}/count')"
    given = {"epochs": 3, "batch_size": 8, "loop": "plain", "callbacks": callback, "results": tmp_path / "results"}
    with pytest.raises(Interrupted):
        kerasrun.train("iris", **given, watch=give_up)
    state = last_state(kerasrun.load_run("last", results=tmp_path / "results"))
    assert (state.epochs, state.blocks) == (1, 3)
    kerasrun.resume("last", results=tmp_path / "results")
    resumed = (tmp_path / "count").read_text()
    kerasrun.train("iris", **{**given, "results": tmp_path / "whole"})
    assert resumed == (tmp_path / "count").read_text()


ONCE = """
import keras
from pathlib import Path


class Once(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1 and not Path(__file__).with_suffix(".failed").exists():
            Path(__file__).with_suffix(".failed").touch()
            raise KeyError("ROOM")
"""


def test_a_failed_run_that_is_resumed_to_its_end_keeps_no_error(tmp_path):
    (tmp_path / "mine.py").write_text(ONCE)
    given = {"epochs": 3, "callbacks": f"{tmp_path}/mine.py:Once", "results": tmp_path / "results"}
    with pytest.raises(RunFailed, match="KeyError: 'ROOM'"):
        kerasrun.train("xor", **given)
    run = kerasrun.load_run("last", results=tmp_path / "results")
    assert (run.status, (run.folder / ERROR).exists()) == ("failed", True)
    run = kerasrun.resume("last", results=tmp_path / "results")
    assert (run.status, run.record["error"], (run.folder / ERROR).exists()) == ("finished", None, False)
