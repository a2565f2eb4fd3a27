"""What a signal does in the middle of anything."""

import io
import signal

import pytest

from kerasrun.errors import Interrupted
from kerasrun.training.callbacks import Guard


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
