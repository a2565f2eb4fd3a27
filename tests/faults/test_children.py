"""The processes that the tests of faults kill."""

import signal

from .children import Child


def test_a_child_that_has_just_ended_and_is_still_called_alive_takes_no_signal(monkeypatch):
    child = Child("recipes")
    assert child.wait() == 0, child.said
    monkeypatch.setattr(child.process, "is_alive", lambda: True)
    child.signal(signal.SIGKILL)
    assert child.process.exitcode == 0
