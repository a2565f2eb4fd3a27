"""What run.json must hold before anything relies on it, and in which of its ways a damaged one is damaged."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

STATUSES = ("running", "finished", "stopped", "diverged", "pruned", "interrupted", "failed")
TRAINED = ("finished", "stopped")  # how a run ends whose metrics are results
OUTCOMES = (*TRAINED, "diverged")  # how a run ends that shows what its settings do
ENDED = (*OUTCOMES, "pruned")  # how a run ends that is not trained again
FINAL = ("stopped", "diverged", "pruned")  # how a run ends that takes no further epochs
LARGEST = 16 << 20  # bytes; a record has 3,000
Record = dict[str, Any]

_DEEPEST = 50  # objects within objects; a record has 4, and no reader has to fear a deeper nest

_EXPECTED: dict[str, tuple[type, ...]] = {
    "id": (str,), "status": (str,), "created": (str,), "experiment": (dict,),
    "data": (dict, type(None)), "best": (dict, type(None)), "last": (dict, type(None)), "test": (dict, type(None)),
    "seconds": (dict, type(None)), "parameters": (int, type(None)), "epochs_run": (int, type(None)),
    "best_epoch": (int, type(None)), "files": (dict, type(None)),
}  # fmt: skip
_REQUIRED = ("format", "id", "status", "created", "experiment")


class Fault(Exception):
    """A record that cannot be used; its text is the reason."""


def parse(content: bytes) -> Record:
    """Read a record and check the parts that every reader relies on.

    Raises:
        Fault: empty, zeros, binary, torn, not JSON, not an object, not a number, or a part missing or of a wrong kind.
    """
    return checked(_parsed(content))


def created(record: Record) -> datetime:
    """Return when a run was made; a time without a zone is UTC.

    Raises:
        ValueError: the record holds no time.
    """
    time = datetime.fromisoformat(record["created"])
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _parsed(content: bytes) -> Any:
    if not content.strip():
        raise Fault("is empty")
    if not content.strip(b"\0"):
        raise Fault(f"holds {len(content):,} zero bytes and nothing else")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise Fault("is binary, not text") from None
    if "\0" in text:
        raise Fault("is binary, not text")
    try:
        record = json.loads(text, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        torn = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        raise Fault("is torn: it ends in the middle" if torn and text.lstrip()[:1] == "{" else "is not JSON") from None
    except (ValueError, RecursionError):
        raise Fault("is not JSON that a record could be") from None
    if text.count("{") + text.count("[") > _DEEPEST and _depth(record) > _DEEPEST:
        raise Fault("is not JSON that a record could be")
    return record


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            part
            for each in level
            for part in (each.values() if isinstance(each, dict) else each)
            if isinstance(part, dict | list)
        ]
    return depth


def checked(record: Any) -> Record:
    """Return a record whose parts have the types that every reader relies on."""
    if not isinstance(record, dict):
        raise Fault("is not an object")
    if missing := [key for key in _REQUIRED if key not in record]:
        raise Fault(f"lacks {', '.join(missing)}")
    if record["format"] != 1:
        raise Fault(f"is of format {record['format']!r}; this kerasrun reads format 1")
    for key, kinds in _EXPECTED.items():
        if not isinstance(record.get(key), kinds) or isinstance(record.get(key), bool):
            raise Fault(f"holds a {key} of the wrong kind")
    if record["status"] not in STATUSES:
        raise Fault(f"holds an unknown status {record['status']!r:.40}")
    experiment = record["experiment"]
    if missing := [key for key in ("dataset", "recipe", "knobs") if key not in experiment]:
        raise Fault(f"lacks {', '.join(f'experiment.{key}' for key in missing)}")
    for key, kind in {"dataset": str, "recipe": str, "knobs": dict}.items():
        if not isinstance(experiment[key], kind):
            raise Fault(f"holds a {key} of the wrong kind")
    hashes = (record.get("recipe_sha256"), (record.get("data") or {}).get("hash"))
    if not all(isinstance(content, str | None) for content in hashes):
        raise Fault("holds a hash of the wrong kind")
    try:
        created(record)
    except ValueError:
        raise Fault("holds no time in created") from None
    return record


def refuse_constant(constant: str) -> None:
    """Refuse NaN and Infinity, which json would take for numbers."""
    raise Fault(f"holds {constant}, which is no number")
