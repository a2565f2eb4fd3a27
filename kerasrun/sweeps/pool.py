"""The parent's end of the worker processes: starts the server (server.py), hands it errands, reads what happens."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from kerasrun.errors import RunFailed
from kerasrun.sweeps.events import SIGNALS

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); from kerasrun.sweeps import server; server.main()"
)
_STOPPING = "The workers finish their epochs (once more stops now; what is committed is kept)."
_LOOK = 1.0  # seconds between two looks at whether the server still lives


class Pool:
    """Worker processes, forked from a server of their own; leaving the block kills what is left of them.

    Args:
        sharing: among how many workers the cores are shared.
        command: what starts the server; without, a Python with this one's path (-P: nothing of the working folder).
    """

    def __init__(self, sharing: int, command: Sequence[str] | None = None) -> None:
        self.stopped_by: int | None = None  # the first signal that came
        self._command = command or (sys.executable, "-P", "-c", _START, json.dumps(sys.path))
        self._sharing, self._unread, self._heard = sharing, b"", deque[dict[str, Any]]()

    def __enter__(self) -> Pool:
        self._scratch = tempfile.TemporaryDirectory(prefix="kerasrun-sweep-", ignore_cleanup_errors=True)
        self._said = tempfile.TemporaryFile()
        its_errands, errands = os.pipe()
        self._events, its_events = os.pipe()
        self._errands = open(errands, "wb")
        self._server = subprocess.Popen(
            [*self._command, str(its_events), str(self._sharing)], stdin=its_errands, stdout=self._said,
            stderr=self._said, pass_fds=(its_events,), start_new_session=True,
            env={**os.environ, "TMPDIR": self._scratch.name},  # what killed children leave behind goes at the end
        )  # fmt: skip
        os.close(its_errands)
        os.close(its_events)
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        self._server.wait()
        with suppress(BrokenPipeError):
            self._errands.close()
        os.close(self._events)
        self._said.close()
        self._scratch.cleanup()

    def start(self, errand: Mapping[str, Any]) -> None:
        """Hand over an errand: what `server.serve` takes."""
        with suppress(BrokenPipeError):  # the server is dead, as `events` will say
            self._errands.write(json.dumps(errand).encode() + b"\n")
            self._errands.flush()

    def prune(self, cell: int) -> None:
        """Let a cell's training end after its present epoch."""
        self.start({"cell": cell, "prune": True})

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield what happens, until a second signal has killed all.

        Raises:
            RunFailed: the server died by itself.
        """
        while True:
            while self._heard:
                yield self._heard.popleft()
            if not select.select([self._events], [], [], _LOOK)[0]:
                if self._server.poll() is not None:
                    self.kill()  # workers without a server
                continue
            received = os.read(self._events, 1 << 16)
            *lines, self._unread = (self._unread + received).split(b"\n")
            self._heard.extend(map(json.loads, lines))
            if not received:
                break
        if self.stopped_by is None:
            code = self._server.wait()
            self._said.seek(0)
            said = self._said.read().decode(errors="replace").strip().splitlines()[-8:]
            how = f"was killed (signal {-code})" if code < 0 else f"ended with exit code {code}"
            raise RunFailed("\n".join([f"the process that starts the workers {how}; again: the same command", *said]))

    def kill(self) -> None:
        """Kill the server and all workers."""
        with suppress(ProcessLookupError):
            os.killpg(self._server.pid, signal.SIGKILL)

    @contextmanager
    def obeying(self) -> Iterator[None]:
        """Pass on signals: at the first, the workers finish their epochs; at the second, all are killed."""

        def receive(number: int, frame: object) -> None:
            if self.stopped_by is not None:
                self.kill()
                return
            self.stopped_by = number
            self._heard.append({"event": "notice", "text": _STOPPING})  # a handler must not print by itself
            with suppress(ProcessLookupError):
                os.killpg(self._server.pid, number)

        try:
            before = {number: signal.signal(number, receive) for number in SIGNALS}
        except ValueError:  # not in the main thread: signals are somebody else's
            before = {}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
