"""What a child changes in itself before it trains: slower epochs, ends at a certain moment, a disk that fills up."""

import errno
import os
import time
from pathlib import Path

from kerasrun import atomic, runs

from . import children


def _around(owner, name, before=None, after=None):
    original = getattr(owner, name)

    def changed(self, *arguments, **named):
        if before:
            before(self, *arguments)
        result = original(self, *arguments, **named)
        if after:
            after(self, *arguments)
        return result

    setattr(owner, name, changed)


def slow_epochs():
    """Commit each epoch, and give each 0.2 s more, so that something can happen within."""
    from kerasrun.training.callbacks import Recorder

    commit_always()
    _around(Recorder, "on_epoch_begin", before=lambda *_: time.sleep(0.2))


def wait_for_signals():
    """Commit each epoch; within the second, touch the file WAITING and wait for a signal, then for one more."""
    from kerasrun.training.callbacks import Guard

    def wait(guard, *_):
        if guard._epoch < 2:
            return
        Path(os.environ["WAITING"]).touch()
        children.until(lambda: guard.signal_number is not None)
        if guard._answered:
            children.until(lambda: guard.again)

    commit_always()
    _around(Guard, "on_train_batch_end", before=wait)


def commit_always():
    """Commit at each epoch's end, whatever it costs."""
    from kerasrun.training.callbacks import Recorder

    Recorder.LARGEST_SHARE = 1e9


def halt_in_the_second_save():
    """Commit each epoch, and stop for long in the second best.keras, half of which is written then."""
    from kerasrun.training import callbacks

    commit_always()
    save, saved = callbacks.save_model, []

    def halting(model, path):
        save(model, path)
        saved.append(path)
        if len(saved) == 2:
            content = path.read_bytes()
            path.write_bytes(content[: len(content) // 2])
            (path.parent.parent / "halted").touch()
            time.sleep(children.TIMEOUT)

    callbacks.save_model = halting


def commit_inside():
    """Commit after each block."""
    from kerasrun.training.callbacks import Recorder

    commit_always()
    Recorder.INSIDE_EPOCH_SECONDS = 0.0


def end_before_predictions():
    """End the process when the training is over and nothing of that is recorded."""
    _around(runs.Run, "write_predictions", before=lambda *_: os._exit(99))


def small_disk_after_epoch_2():
    """Let no file grow beyond 8 kB after the second epoch."""
    from kerasrun.training.callbacks import Recorder

    commit_always()
    _around(
        Recorder, "on_epoch_end", before=lambda self, epoch, logs: children.limit_files(8192) if epoch == 2 else None
    )


def full_disk_at_metrics():
    """Fail with "no space left" at the third metrics.csv."""
    commit_always()
    seen = []

    def fail(path):
        if path.name.endswith(runs.METRICS):
            seen.append(path)
            if len(seen) == 3:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    original = atomic._sync
    atomic._sync = lambda path: (fail(path), original(path))


def clock_backwards():
    """Let the wall clock go backwards, an hour at each look."""
    real, looks = time.time, []
    time.time = lambda: (looks.append(1), real() - 3600 * len(looks))[1]
    os.environ["TZ"] = "Pacific/Kiritimati"
    time.tzset()
