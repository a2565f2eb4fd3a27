"""The columns that runs can be compared by: which names there are, and each run's value under a name.

about the run   run, folder, status, created, data, epochs_run, best_epoch, parameters, seconds, epoch_seconds
settings        as in the experiment; loop, threads and device as they came out
knobs           as in the recipe; layers and units are derived from hidden
metrics         val_… and train_… at a moment of the training, test_… of the best weights; train_… was evaluated at the
                epoch's end where the run has that, else it is the mean over the epoch's batches
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kerasrun import literals, settings
from kerasrun.analysis.moments import BEST, At, Record, finite, value
from kerasrun.errors import InputError, unknown

Read = Callable[[Record], Any]

NO_RESULT = ("diverged", "failed", "pruned")  # how a run ends whose metrics are no result
QUIET = ("threads", "save_every", "metrics")  # settings that are not shown merely because they differ
AS_IT_WAS = ("loop", "threads", "device")  # what was asked for is often "auto": what became of it counts
_FAMILIES = ("optimizer", "loss", "activation", "initializer", "regularizer", "constraint")


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


def find_columns(records: Sequence[Record], *, test: bool = False, at: At = BEST) -> Columns:
    """Return the columns that the runs have.

    Args:
        records: run.json as dicts.
        test: whether the test metrics are among them.
        at: the moment of the metrics.
    """
    experiments = [record["experiment"] for record in records]
    setting_names, knob_names = _names(experiments), _names([experiment["knobs"] for experiment in experiments])
    found = {name: _setting(name) for name in setting_names if name not in ("knobs", "seed")}
    found |= {name: _knob(name) for name in knob_names}
    if "seed" in setting_names:
        found["seed"] = _setting("seed")
    derived = {"layers": _layers, "units": _units} if "hidden" in found else {}
    return Columns(_ABOUT, found, derived, _metrics(records, at, test=test))


def _names(parts: Sequence[Mapping[str, Any]]) -> dict[str, None]:
    """Return every key, in the order of first mention; most parts have the same keys, which are looked at once."""
    return dict.fromkeys(name for keys in dict.fromkeys(map(tuple, parts)) for name in keys)


def written(value: Any) -> str:
    """Return a value as it is written on the command line, nothing for one that is missing."""
    return "" if value is MISSING else literals.written(value)


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
        return literals.parse_sizes(text) == tuple(value)
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


def _setting(name: str) -> Read:
    if name in AS_IT_WAS:
        return lambda record: record["experiment"].get(name, MISSING) if record.get(name) is None else record[name]
    return lambda record: record["experiment"].get(name, MISSING)


def _knob(name: str) -> Read:
    return lambda record: record["experiment"]["knobs"].get(name, record["experiment"].get(name, MISSING))


def _layers(record: Record) -> Any:
    hidden = record["experiment"]["knobs"].get("hidden")
    return len(hidden) if isinstance(hidden, list) else MISSING


def _units(record: Record) -> Any:
    """Return the units of each hidden layer where all have the same number; nothing otherwise."""
    hidden = record["experiment"]["knobs"].get("hidden")
    return hidden[0] if isinstance(hidden, list) and hidden and len(set(map(str, hidden))) == 1 else MISSING


def _metrics(records: Sequence[Record], at: At, *, test: bool) -> dict[str, Read]:
    kept = _names([record.get("best") or record.get("last") or {} for record in records])
    kept.pop("learning_rate", None)
    final = _names([record.get("test") or {} for record in records]) if test else {}
    validation = sorted((name for name in kept if name.startswith("val_")), key=lambda name: name == "val_loss")
    found = {name: _metric(name, at) for name in validation}
    trained = [f"train_{name}" for name in kept if not name.startswith(("val_", "train_"))]
    found |= {name: _metric(name, at) for name in trained}
    tested = sorted(final, key=lambda name: name == "loss")
    return found | {f"test_{name}": _in_record("test", name) for name in tested}


def _metric(name: str, at: At) -> Read:
    return _in_record(at.kind, name) if at.kind in ("best", "last") else lambda record: value(record, name, at)


def _in_record(part: str, name: str) -> Read:
    def read(record: Record) -> float | None:
        values = record.get(part)
        if not values or record["status"] in NO_RESULT:
            return None
        return finite(values.get(name, values.get(name.removeprefix("train_"))))

    return read


def grouped(records: Sequence[Record], columns: Columns, names: Sequence[str]) -> list[list[Record]]:
    """Return the runs in groups that have equal values of some columns."""
    members: dict[tuple[Any, ...], list[Record]] = {}
    reads = [columns[name] for name in names]
    for record in records:
        members.setdefault(tuple(_key(read(record)) for read in reads), []).append(record)
    return [*members.values()]


def _key(value: Any) -> Any:
    return value if type(value) in (str, int, float) else written(value)


def differing_settings(records: Sequence[Record], columns: Columns) -> list[str]:
    """Return the settings and knobs that are not the same in all runs that have them."""
    experiments = [record["experiment"] for record in records]
    found = _unequal(experiments) | _unequal([experiment["knobs"] for experiment in experiments])
    found -= set(AS_IT_WAS)
    for name in set(AS_IT_WAS) & columns.settings.keys():
        values = [value for value in columns.values(name, records) if value is not MISSING]
        if any(value != values[0] for value in values):
            found.add(name)
    return [name for name in columns.settings if name in found]


def _unequal(parts: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the keys whose values are not equal in all dicts that have them."""
    kinds: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for part in parts:
        kinds.setdefault(tuple(part), []).append(part)
    found: set[str] = set()
    first: dict[str, Any] = {}
    for keys, alike in kinds.items():
        head = alike[0]
        found |= {name for name in keys if first.setdefault(name, head[name]) != head[name]}
        equal = [*keys]
        take, expected = _taker(equal, head)
        for part in alike:  # many values in one comparison: one by one, 10,000 x 40 take five times as long
            if take(part) != expected:
                equal = [name for name in equal if part[name] == head[name]]
                take, expected = _taker(equal, head)
        found |= set(keys) - set(equal)
    return found


def _taker(names: Sequence[str], part: Mapping[str, Any]) -> tuple[Callable[[Mapping[str, Any]], Any], Any]:
    take: Callable[[Mapping[str, Any]], Any] = operator.itemgetter(*names) if names else lambda _: ()
    return take, take(part)


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
    "epoch_seconds": lambda record: finite((record.get("seconds") or {}).get("epoch")),
}


def is_synthetic(record: Record) -> bool:
    """Tell whether a run's data was made up."""
    data = record.get("data")
    return bool(data and data.get("synthetic")) or record["experiment"]["dataset"].startswith("synthetic:")
