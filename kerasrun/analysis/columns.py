"""The columns that runs can be compared by: which names there are, and each run's value under a name.

about the run   run, folder, status, created, data, epochs_run, best_epoch, parameters, seconds
settings        as in the experiment; loop, threads and device as they came out
knobs           as in the recipe; layers and units are derived from hidden
metrics         val_… and train_… of the best epoch, test_… of the best weights
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kerasrun import literals, settings
from kerasrun.errors import InputError, unknown

Record = Mapping[str, Any]
Read = Callable[[Record], Any]

NO_RESULT = ("diverged", "failed", "pruned")  # how a run ends whose metrics are no result
QUIET = ("threads", "save_every", "metrics")  # settings that are not shown merely because they differ
AS_IT_WAS = ("loop", "threads", "device")  # what was asked for is often "auto": what became of it counts
_FAMILIES = ("optimizer", "loss", "activation", "initializer", "regularizer", "constraint")
_MOST_WRITTEN = 3  # so many equal layers are written out; more become 100x10


@dataclass(frozen=True)
class Columns:
    """All columns that some of the runs have a value for, by name.

    Args:
        about: what a run is and how it went.
        settings: settings and knobs; "seed" last.
        derived: layers and units.
        metrics: names of metrics; validation first.
    """

    about: Mapping[str, Read]
    settings: Mapping[str, Read]
    derived: Mapping[str, Read]
    metrics: Mapping[str, Read]

    def __getitem__(self, name: str) -> Read:
        return next(part[name] for part in (self.about, self.settings, self.derived, self.metrics) if name in part)

    def values(self, name: str, records: Sequence[Record]) -> list[Any]:
        """Return every run's value in one column."""
        return [*map(self[name], records)]

    def named(self, name: str, kind: str = "column", *, only: Mapping[str, Any] | Sequence[str] | None = None) -> str:
        """Return a column's name as it is spelled here; hyphen and underscore are equal.

        Raises:
            InputError: no run has such a column; the closest name.
        """
        allowed = [*self.about, *self.settings, *self.derived, *self.metrics] if only is None else [*only]
        spelled = {known.replace("-", "_"): known for known in allowed}
        asked = name.strip().replace("-", "_")
        if asked in spelled:
            return spelled[asked]
        if asked.startswith("test_") and not any(known.startswith("test_") for known in allowed):
            raise InputError(f"{kind} '{name}' needs --test: test metrics are not for choosing between runs")
        raise unknown(kind, name, allowed)


def find_columns(records: Sequence[Record], *, test: bool = False) -> Columns:
    """Return the columns that the runs have.

    Args:
        records: run.json as dicts.
        test: whether the test metrics are among them.
    """
    experiments = [record["experiment"] for record in records]
    setting_names, knob_names = _names(experiments), _names([experiment["knobs"] for experiment in experiments])
    found = {name: _setting(name) for name in setting_names if name not in ("knobs", "seed")}
    found |= {name: _knob(name) for name in knob_names if name not in setting_names}
    if "seed" in setting_names:
        found["seed"] = _setting("seed")
    derived = {"layers": _layers, "units": _units} if "hidden" in found else {}
    return Columns(_ABOUT, found, derived, _metrics(records, test=test))


def _names(parts: Sequence[Mapping[str, Any]]) -> dict[str, None]:
    """Return every key, in the order of first mention; most parts have the same keys, which are looked at once."""
    return dict.fromkeys(name for keys in dict.fromkeys(map(tuple, parts)) for name in keys)


def written(value: Any) -> str:
    """Return a value as it is written on the command line: 300-100, 100x10, true, none, 0.001."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if value is MISSING:
        return ""
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(v, int) for v in value):
            alike = len(value) > _MOST_WRITTEN and len(set(value)) == 1
            return f"{value[0]}x{len(value)}" if alike else "-".join(map(str, value))
        return ",".join(map(written, value)) or "none"
    return repr(value) if isinstance(value, float) else str(value)


def matches(name: str, value: Any, text: str) -> bool:
    """Tell whether a run's value is the one that a user wrote: numbers as numbers, all else as names.

    Args:
        name: the column; it tells whether the text can be a Keras object.
        value: what the record holds.
        text: "0.10" is 0.1, "none" is None or no hidden layer, "100x2" is 100-100, "sgd(learning_rate=.1)" is
            "sgd(learning_rate=0.1)"; "adam" is exactly "adam", neither "adamw" nor "adam(learning_rate=0.1)".
    """
    asked = literals.parse_value(text)
    if isinstance(value, str):
        plain = asked if isinstance(asked, str) else text
        return _same(value, plain) or (name.endswith(_FAMILIES) and _same(value, _canonical(name, plain)))
    if asked is None or isinstance(asked, bool):
        return value is asked or (asked is None and value == [])
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return isinstance(asked, (int, float)) and value == asked
    if isinstance(value, list) and value and isinstance(value[0], int):
        return _sizes(text) == value
    return isinstance(value, list) and written(value) == text.strip()


def _same(one: str, other: str) -> bool:
    if one.replace("-", "_") == other.strip().replace("-", "_"):
        return True
    try:
        return "(" in one and "(" in other and literals.parse_call(one) == literals.parse_call(other)
    except InputError:
        return False


def _canonical(name: str, text: str) -> str:
    """Return the canonical text of a Keras object, so that momentum is sgd(momentum=0.9)."""
    from kerasrun import objects

    family = next(family for family in _FAMILIES if name.endswith(family))
    try:
        return str(objects.parse(family, text))
    except InputError:
        return text


def _sizes(text: str) -> list[int] | None:
    sizes: list[int] = []
    for part in text.strip().split("-"):
        match = re.fullmatch(r"(\d{1,9})(?:x(\d{1,3}))?", part)
        if not match:
            return None
        sizes += [int(match[1])] * int(match[2] or 1)
    return sizes


def _setting(name: str) -> Read:
    if name in AS_IT_WAS:
        return lambda record: record["experiment"].get(name, MISSING) if record.get(name) is None else record[name]
    return lambda record: record["experiment"].get(name, MISSING)


def _knob(name: str) -> Read:
    return lambda record: record["experiment"]["knobs"].get(name, MISSING)


def _layers(record: Record) -> Any:
    hidden = record["experiment"]["knobs"].get("hidden")
    return len(hidden) if isinstance(hidden, list) else MISSING


def _units(record: Record) -> Any:
    """Return the units of each hidden layer where all have the same number; nothing otherwise."""
    hidden = record["experiment"]["knobs"].get("hidden")
    return hidden[0] if isinstance(hidden, list) and hidden and len(set(map(str, hidden))) == 1 else MISSING


def _metrics(records: Sequence[Record], *, test: bool) -> dict[str, Read]:
    best = _names([record.get("best") or {} for record in records])
    final = _names([record.get("test") or {} for record in records]) if test else {}
    validation = sorted((name for name in best if name.startswith("val_")), key=lambda name: name == "val_loss")
    found = {name: _metric("best", name) for name in validation}
    found |= {f"train_{name}": _metric("best", name) for name in best if name not in validation}
    return found | {f"test_{name}": _metric("test", name) for name in sorted(final, key=lambda name: name == "loss")}


def _metric(part: str, name: str) -> Read:
    def read(record: Record) -> float | None:
        values = record.get(part)
        if not values or record["status"] in NO_RESULT:
            return None
        return finite(values.get(name))

    return read


def finite(value: Any) -> float | None:
    """Return a finite number, else None: JSON's 1e999 reads as infinite."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number and abs(value) < 1e300 else None


def grouped(records: Sequence[Record], columns: Columns, names: Sequence[str]) -> list[list[Record]]:
    """Return the runs in groups that have equal values of some columns."""
    members: dict[tuple[Any, ...], list[Record]] = {}
    reads = [columns[name] for name in names]
    for record in records:
        members.setdefault(tuple(_key(read(record)) for read in reads), []).append(record)
    return [*members.values()]


def _key(value: Any) -> Any:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else written(value)


def direction(records: Sequence[Record], metric: str) -> str:
    """Return "max" where more of a metric is better, else "min"; a run that monitored it knows best."""
    for record in records:
        if record.get("monitor") == metric and record.get("direction") in ("min", "max"):
            return record["direction"]
    return settings.direction(metric)


class _Missing:
    """What a run has under a name that its recipe does not know."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()

_ABOUT: dict[str, Read] = {
    "run": lambda record: record["id"],
    "folder": lambda record: record["folder"],
    "status": lambda record: record["status"],
    "created": lambda record: record["created"],
    "data": lambda record: "synthetic" if is_synthetic(record) else "real",
    "epochs_run": lambda record: record.get("epochs_run"),
    "best_epoch": lambda record: record.get("best_epoch"),
    "parameters": lambda record: record.get("parameters"),
    "seconds": lambda record: finite((record.get("seconds") or {}).get("total")),
}


def is_synthetic(record: Record) -> bool:
    """Tell whether a run's data was made up."""
    return bool((record.get("data") or {}).get("synthetic")) or str(record["experiment"]["dataset"]).startswith(
        "synthetic:"
    )
