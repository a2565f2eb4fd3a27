"""The process that a sweep's workers are forked from; pool.py starts it.

It imports TensorFlow once and runs nothing of it, reads each data set once, and forks a child for every errand; the
children share that memory until they write to it. Errands come as JSON lines on stdin; what happens goes as JSON lines,
each in one write, into a pipe. Stdin is the lifeline as well: when no process is left that could write to it,
the server and all its children are killed, whatever they are doing.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import select
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import IO, Any, NoReturn

from kerasrun import environment
from kerasrun.errors import Interrupted, KerasrunError
from kerasrun.sweeps.events import PRUNE, SIGNALS, Errand, Work

_LONGEST = select.PIPE_BUF - 1  # bytes of an event; longer ones could be torn apart by other processes' (POSIX)
_SAID = 2000  # bytes of a child's last words


def main() -> None:
    """Train what comes on stdin; arguments: the pipe for events, and among how many the cores are shared."""
    server = Server(int(sys.argv[1]))
    environment.workers = int(sys.argv[2])
    environment.hidden_from_keras = ("pandas", "sklearn")
    from kerasrun.sweeps.trainings import Trainings

    trainings = Trainings(lambda text: server.tell(event="notice", text=text))
    gc.collect()
    gc.freeze()  # or each collection in a child would copy the pages that it looks at
    server.serve(trainings.prepare)


class Server:
    """Forks a child for every errand and reports how it ends.

    Args:
        events: where to write what happens: "exit" with code, signal, peak (memory, bytes), said (the last lines) and,
            where there was no child, text; "fault" with text; and what the children tell.
    """

    def __init__(self, events: int) -> None:
        self.events = events
        self.stopped_by = 0  # the last signal that came
        self._children: dict[int, tuple[int, IO[bytes]]] = {}
        for number in SIGNALS:
            signal.signal(number, self._stop)
        signal.signal(PRUNE, signal.SIG_IGN)  # until a child says what it does then
        self._lifeline = os.dup(0)
        with open(os.devnull) as nothing:
            os.dup2(nothing.fileno(), 0)
        _watch(self._lifeline)

    def serve(self, prepare: Callable[[Errand], Work]) -> None:
        """Do the errands that come, until no more can come.

        Args:
            prepare: makes ready in this process what the child does; what it raises is the errand's end.
        """
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        unread = b""
        while True:
            ready, _, _ = select.select([self._lifeline, woken], [], [])
            if woken in ready:
                os.read(woken, 1 << 12)
                self._bury()
            if self._lifeline in ready:
                received = os.read(self._lifeline, 1 << 16)
                *lines, unread = (unread + received).split(b"\n")
                for errand in map(json.loads, lines):
                    if errand.get("prune"):
                        self._prune(errand["cell"])
                    else:
                        self._begin(errand, prepare)
                if not received:
                    return

    def tell(self, **event: Any) -> None:
        """Write an event in one piece; what would make it too long is left out or cut."""
        line = json.dumps(event).encode()
        if len(line) > _LONGEST:
            short = {name: part[:500] if isinstance(part, str) else part for name, part in event.items()}
            line = json.dumps({n: part for n, part in short.items() if not isinstance(part, list | dict)}).encode()
        with suppress(BrokenPipeError):  # nobody hears it any more: the end is near, and is no fault of the training
            os.write(self.events, line + b"\n")

    def _stop(self, number: int, frame: object) -> None:
        self.stopped_by = number

    def _begin(self, errand: Errand, prepare: Callable[[Errand], Work]) -> None:
        """Start an errand's child. A signal that comes while it is made is sent to it once more."""
        try:
            if self.stopped_by:
                raise Interrupted("", self.stopped_by)
            work = prepare(errand)
            said = tempfile.TemporaryFile()  # noqa: SIM115  open until the child has ended
            signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
            try:
                child = os.fork()
                if child == 0:
                    self._live(work, errand["cell"], said)
            finally:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        except Exception as error:
            code = error.exit_code if isinstance(error, KerasrunError) else 1
            text = _in_words(error)
            self.tell(cell=errand["cell"], event="exit", code=code, signal=0, peak=0, said=[], text=text)
            return
        self._children[child] = (errand["cell"], said)
        if self.stopped_by:
            os.kill(child, self.stopped_by)

    def _prune(self, cell: int) -> None:
        """Tell a cell's child, where there still is one, that its training is hopeless."""
        for child, (number, _) in self._children.items():
            if number == cell:
                os.kill(child, PRUNE)

    def _live(self, work: Work, cell: int, said: IO[bytes]) -> NoReturn:
        """Do a child's work, and end."""
        code = 1
        tell = partial(self.tell, cell=cell)
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _watch(self._lifeline)
            for descriptor in (1, 2):
                os.dup2(said.fileno(), descriptor)
            faulthandler.enable(2)
            for number in SIGNALS:
                signal.signal(number, _interrupted)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            code = work(tell)
        except BaseException as error:
            if not isinstance(error, KerasrunError):
                traceback.print_exc()
            code = getattr(error, "exit_code", 1)
            tell(event="fault", text=_in_words(error))
        finally:
            try:
                for stream in (sys.stdout, sys.stderr):
                    stream.flush()
            finally:  # whatever comes, or the child would go on as a second server
                os._exit(code)

    def _bury(self) -> None:
        """Report every child that has ended."""
        while self._children:
            child, status, used = os.wait4(-1, os.WNOHANG)
            if child == 0:
                return
            if child not in self._children:  # of a library
                continue
            cell, said = self._children.pop(child)
            code = os.waitstatus_to_exitcode(status)
            peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
            with said:
                said.seek(max(said.seek(0, os.SEEK_END) - _SAID, 0))
                last = said.read().decode(errors="replace").splitlines()[-8:]
            self.tell(cell=cell, event="exit", code=max(code, 0), signal=max(-code, 0), peak=peak, said=last)


def _interrupted(number: int, frame: object) -> None:
    """End a training that has no guard yet."""
    raise Interrupted("interrupted before the first step", number)


def _in_words(error: BaseException) -> str:
    return str(error) if isinstance(error, KerasrunError) else f"{type(error).__name__}: {error}"


def _watch(lifeline: int) -> None:
    """Kill this process and its whole group as soon as nobody holds the other end of the lifeline."""

    def watch() -> None:
        poll = select.poll()
        poll.register(lifeline, 0)  # a hang-up is always told
        poll.poll()
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
