"""Everything that can go wrong, as exceptions whose text is what the user reads.

    KerasrunError            exit code 1
    ├── InputError           2    wrong input, found before the first step: what was given, what is allowed, what to do
    ├── RunFailed            1    a run that had begun failed or diverged; its folder stays
    ├── DataUnavailable      69   data that can be had neither from the cache nor from the network
    ├── DiskError            74   a full disk or a folder that cannot be written
    ├── RunInUse             75   another process is working on the run
    ├── Pruned               1    a training was given up; caught where the run is recorded
    └── Interrupted          128 + signal number

Only the command line turns them into exit codes; everything else raises them and lets them pass.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class KerasrunError(Exception):
    """A fault that the user can understand and act on; its text is one to three plain lines."""

    exit_code = 1


class InputError(KerasrunError):
    """Wrong input, found before the first training step."""

    exit_code = 2


class RunFailed(KerasrunError):
    """A run that had begun did not end well; its folder keeps the status and the reason."""

    exit_code = 1


class DataUnavailable(KerasrunError):
    """Data that is neither bundled nor cached and cannot be fetched."""

    exit_code = 69


class DiskError(KerasrunError):
    """The disk is full, or a folder cannot be written."""

    exit_code = 74


class RunInUse(KerasrunError):
    """Another process holds the run's lock."""

    exit_code = 75


class Pruned(KerasrunError):
    """A training was given up because others are better; its run is kept and is no result."""


class Interrupted(KerasrunError):
    """A signal ended the training after its last commit.

    Args:
        message: what was kept and how to go on.
        signal_number: 1 (SIGHUP), 2 (SIGINT) or 15 (SIGTERM); the exit code is 128 more.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


def unknown(kind: str, given: str, known: Iterable[str]) -> InputError:
    """Return the error for a name that nothing is known by: the closest name, then all names.

    Args:
        kind: what the name should have named, in the user's words: "optimizer", "knob of recipe dense".
        given: the name as written.
        known: the names that would have been right.
    """
    names = sorted(known)
    close = closest(given, names)
    suggestion = f"; did you mean '{close}'?" if close else ""
    return InputError(f"unknown {kind} '{shown(given)}'{suggestion}\nknown: {', '.join(names) or 'none'}")


def shown(value: object) -> str:
    """Return a value as a message quotes it: on one line, at most 80 characters, nothing that moves the cursor."""
    text = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in str(value)[:81])
    return text if len(text) <= 80 else f"{text[:79]}…"


def closest(given: str, names: Iterable[str]) -> str | None:
    """Return the name nearest to a misspelt one, or None where nothing is near."""
    by_spelling = {name.lower().replace("-", "_"): name for name in names}
    matches = difflib.get_close_matches(given.lower().replace("-", "_"), by_spelling, n=1, cutoff=0.6)
    return by_spelling[matches[0]] if matches else None
