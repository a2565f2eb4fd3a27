"""Runs side by side: which runs, which columns, in which order, and what must be said of it in words.

Plain descriptions so far: each run, or n, mean, sd, min and max of a group. Works on records alone (run_index.scan), so
that 10,000 runs need no pandas; `Comparison.table` is the DataFrame.
"""

from __future__ import annotations

import operator
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kerasrun.analysis import remarks
from kerasrun.analysis.choice import condition, default_choice, holding, once
from kerasrun.analysis.columns import (
    AS_IT_WAS,
    MISSING,
    NO_RESULT,
    QUIET,
    Columns,
    Record,
    direction,
    find_columns,
    grouped,
    is_synthetic,
    written,
)
from kerasrun.analysis.tables import to_text
from kerasrun.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "compare", "to_text"]

_MEASURES = ("n", "mean", "sd", "min", "max", "seconds")
_PLAIN = frozenset({float, int, str, bool})
_CLOSING = ("epochs_run", "best_epoch")  # columns between the settings and the metrics


@dataclass(frozen=True)
class Comparison:
    """A table of runs or of groups of runs, and what is to be said beside it.

    Args:
        metric: what the rows are ordered by: "val_accuracy".
        columns: the columns' names, in order.
        rows: each row's values by column: numbers with every digit, settings that are none or lists as written on the
            command line, None where a row has nothing.
        notes: lines for the reader.
        metrics: the columns that hold a metric.
        grouped: whether a row is a group of runs.
    """

    metric: str
    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)
    metrics: frozenset[str] = frozenset()
    grouped: bool = False

    @property
    def title(self) -> str:
        """What the metric's numbers are: "val_accuracy at the best epoch"."""
        return f"{self.metric} {'of the best weights' if self.metric.startswith('test_') else 'at the best epoch'}"

    @property
    def table(self) -> pd.DataFrame:
        """The table as a DataFrame, with every digit."""
        import pandas

        return pandas.DataFrame(self.rows, columns=list(self.columns))

    def exact(self) -> tuple[tuple[str, ...], list[list[Any]]]:
        """Return columns and cells with every digit, for csv and json; a group's row also names the metric."""
        at = self.columns.index("n") if self.grouped else 0
        columns = (*self.columns[:at], "metric", *self.columns[at:]) if self.grouped else self.columns
        return columns, [[self.metric if name == "metric" else row[name] for name in columns] for row in self.rows]

    def shown(self) -> tuple[tuple[str, ...], list[list[Any]]]:
        """Return columns and cells for people, for a terminal and md: settings as they are written, seconds as 8.9."""
        return self.columns, [[self._shown(name, row[name]) for name in self.columns] for row in self.rows]

    def _shown(self, name: str, value: Any) -> Any:
        if value is None or name in self.metrics or name in ("parameters", "epochs_run", "best_epoch", "n"):
            return value
        return f"{value:.1f}" if name == "seconds" else written(value)


def compare(
    records: Iterable[Record],
    *,
    metric: str | None = None,
    sort: str | None = None,
    where: str | Sequence[str] = (),
    by: str | Sequence[str] | None = None,
    all_columns: bool = False,
    test: bool = False,
    every: bool = False,
) -> Comparison:
    """Lay runs side by side, the best first.

    Args:
        records: run.json as dicts with "folder", as run_index.scan gives them.
        metric: a metric's column, as "val_accuracy"; without it the first validation metric that is not the loss.
        sort: any column; metrics the best first, other columns rising, falling with a "-" in front.
        where: conditions "column=value" that all hold; "column=a,b" is either. Numbers are compared as numbers,
            everything else as names: "optimizer=adam" is exactly adam.
        by: columns; runs with equal values are one row with n, mean, sd, min and max of the metric.
        all_columns: show all settings, not only those that differ.
        test: show the test metrics too.
        every: take all runs; without it those of the newest run's dataset that ended. Pass it for runs that were named.

    Raises:
        InputError: a column or value that no run has; the closest one.
    """
    given, notes = once(list(records))
    if not given:
        return Comparison(metric or "val_loss", ("run",), [])
    columns = find_columns(given, test=test)
    conditions = [condition(columns, text) for text in ([where] if isinstance(where, str) else where)]
    chosen = given
    if not every:
        chosen, left_out = default_choice(given, {name for name, _ in conditions})
        notes += left_out
    for name, texts in conditions:
        chosen = holding(chosen, columns, name, texts)
    if 0 < len(chosen) < len(given):
        columns = find_columns(chosen, test=test)
    metric = columns.named(metric, "metric", only=columns.metrics) if metric else _usual_metric(columns)
    differing = _differing(chosen, columns)
    if by:
        return _groups(chosen, columns, metric, _by(columns, by, chosen), sort, differing, notes)
    return _runs(chosen, columns, metric, sort, differing, notes, all_columns=all_columns)


def _usual_metric(columns: Columns) -> str:
    """Return the first validation metric that is not the loss: what people choose by; losses differ in their units."""
    names = [*columns.metrics]
    return "val_accuracy" if "val_accuracy" in names else names[0] if names else "val_loss"


def _differing(records: list[Record], columns: Columns) -> list[str]:
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


def _runs(
    records: list[Record], columns: Columns, metric: str, sort: str | None, differing: list[str], notes: list[str],
    *, all_columns: bool,
) -> Comparison:  # fmt: skip
    """Return the comparison whose rows are runs."""
    shown = list(columns.settings) if all_columns else [name for name in differing if name not in QUIET]
    begin = ["run", *(["folder", "created"] if all_columns else [])]
    if all_columns or any(record["status"] not in ("finished", "stopped") for record in records):
        begin.append("status")
    if any(map(is_synthetic, records)):
        begin.append("data")
    others = [name for name in columns.metrics if all_columns or not name.startswith("train_")]
    measured = [metric, *(name for name in others if name != metric)] if columns.metrics else []
    names = [*begin, *shown, *(columns.derived if all_columns else ()), *_CLOSING, *measured, "parameters", "seconds"]
    key, falling = _order(columns, sort, metric, records)
    if key not in names and key in [*columns.about, *columns.settings, *columns.derived, *columns.metrics]:
        names.insert(len(begin) + len(shown), key)
    rows = _cells(names, columns, records)
    if key in names:
        rows = _sorted(rows, key, falling=falling)
    notes = [*notes, *remarks.on_runs(records, columns, metric, differing)]
    return Comparison(metric, tuple(names), rows, notes, frozenset(columns.metrics))


def _groups(
    records: list[Record], columns: Columns, metric: str, by: list[str], sort: str | None, differing: list[str],
    notes: list[str],
) -> Comparison:  # fmt: skip
    """Return the comparison whose rows are runs with equal values of some columns."""
    members = grouped(records, columns, by)
    failures = [status for status in NO_RESULT if any(record["status"] == status for record in records)]
    names = (*by, *_MEASURES[:-1], *failures, "seconds")
    rows = []
    for those in members:
        [row] = _cells(by, columns, those[:1])
        row |= _described([columns.metrics[metric](record) for record in those] if columns.metrics else [])
        row |= {status: sum(record["status"] == status for record in those) for status in failures}
        rows.append(row | {"seconds": _mean([columns["seconds"](record) for record in those])})
    key, falling = sort, False
    if sort:
        falling = sort.startswith("-")
        key = columns.named(sort.lstrip("-"), "column to sort by", only=names)
    if key is None or key in ("mean", "min", "max"):
        falling = falling != (direction(records, metric) == "max")
    rows = _sorted(rows, key or "mean", falling=falling)
    notes = [*notes, *remarks.on_groups(records, columns, metric, differing, by)]
    return Comparison(metric, names, rows, notes, frozenset(_MEASURES[1:-1]), grouped=True)


def _by(columns: Columns, by: str | Sequence[str], records: list[Record]) -> list[str]:
    """Return the columns of a group; runs on different data are never averaged."""
    asked = [part for text in ([by] if isinstance(by, str) else by) for part in text.split(",") if part.strip()]
    known = [*columns.about, *columns.settings, *columns.derived]
    names = list(dict.fromkeys(columns.named(name, "column to group by", only=known) for name in asked))
    if not names:
        raise InputError("--by names no column\nwrite --by optimizer, or several: --by optimizer,activation")
    if clash := [name for name in names if name in (*_MEASURES, *NO_RESULT)]:
        raise InputError(f"--by {clash[0]}: this is measured, not set\nuse --sort {clash[0]}")
    for name in ("data", "dataset"):
        values = {columns[name](record) for record in records}
        if (len(values) > 1 or values == {"synthetic"}) and name not in names:
            names.insert(0, name)
    return names


def _order(columns: Columns, sort: str | None, metric: str, records: list[Record]) -> tuple[str, bool]:
    """Return the column that orders the rows, and whether its largest value comes first."""
    if sort is None:
        return metric, direction(records, metric) == "max"
    name, backward = columns.named(sort.lstrip("-"), "column to sort by"), sort.startswith("-")
    return name, backward != (name in columns.metrics and direction(records, name) == "max")


def _sorted(rows: list[dict[str, Any]], key: str, *, falling: bool) -> list[dict[str, Any]]:
    """Return the rows in order: numbers before texts, nothing last in either direction; equal ones as they were."""
    known = [row for row in rows if row[key] is not None]
    numbers = [row for row in known if not isinstance(row[key], str)]
    texts = [row for row in known if isinstance(row[key], str)]
    ordered = [sorted(part, key=lambda row: row[key], reverse=falling) for part in (numbers, texts)]
    return [*ordered[0], *ordered[1], *(row for row in rows if row[key] is None)]


def _cells(names: Sequence[str], columns: Columns, records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return each run's cells by column: numbers, truth values, texts; None where it has nothing."""
    reads = [(name, columns[name], name in columns.settings) for name in names]
    return [
        {name: v if type(v := read(record)) in _PLAIN else _plain(v, is_setting) for name, read, is_setting in reads}
        for record in records
    ]


def _plain(value: Any, is_setting: bool) -> Any:
    if value is None or value is MISSING:
        return "none" if is_setting and value is None else None
    return written(value) if isinstance(value, (list, dict)) else value


def _described(values: Sequence[float | None]) -> Mapping[str, Any]:
    """Return n, mean, sample standard deviation (from two values on), min and max of the values that are there."""
    known = [value for value in values if value is not None]
    spread = statistics.stdev(known) if len(known) > 1 else None
    ends = (min(known), max(known)) if known else (None, None)
    return {"n": len(known), "mean": _mean(known), "sd": spread, "min": ends[0], "max": ends[1]}


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
