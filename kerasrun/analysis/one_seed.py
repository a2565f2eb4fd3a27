"""What can be said of runs with one seed each: which validation examples only one of two networks gets right.

McNemar's test speaks of new examples with these very weights. Other seeds may turn it, so it never decides.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from kerasrun.analysis import amounts
from kerasrun.analysis.columns import MISSING, QUIET, Columns, written
from kerasrun.analysis.groups import Group, Groups
from kerasrun.analysis.means import Rules
from kerasrun.analysis.moments import At, Record
from kerasrun.analysis.predictions import validation
from kerasrun.analysis.statistics import holm, mcnemar
from kerasrun.literals import split_outside

_OUTLINE = "kerasrun sweep … --seeds 5"
AGAINST = ("only_here", "only_baseline", "p")  # columns of a table of runs with a baseline


def alone(records: Sequence[Record], columns: Columns, metric: str, differing: Sequence[str]) -> bool:
    """Tell whether several settings have a result, and none was trained with two seeds."""
    if not columns.metrics:
        return False
    result = columns[metric]
    settings = [columns.settings[name] for name in differing if name not in ("seed", *QUIET)]
    seen: set[tuple[str, ...]] = set()
    for record in records:
        if result(record) is None:
            continue
        setting = tuple(written(read(record)) for read in settings)
        if setting in seen:
            return False
        seen.add(setting)
    return len(seen) > 1


def of_groups(
    groups: Groups, bases: Mapping[int, Group], columns: Columns, differing: Sequence[str], rules: Rules
) -> list[str]:
    """Return what the best row's only run shows against the next, or the baseline's; nothing where a row has two."""
    if any(len(group.results) > 1 for group in groups.members):
        return []
    trained = [(value, group.used[0]) for group in groups.members for value in group.results.values()]
    best = [record for _, record in sorted(trained, key=lambda pair: pair[0], reverse=rules.direction == "max")]
    base = [record for group in bases.values() for record in group.used][:1]
    pair = [*best[:1], *(base or best[1:2])]
    if len(pair) < 2 or pair[0] is pair[1]:
        return []
    return [line(pair[0], pair[1], columns, differing, rules.metric, rules.at)]


def line(first: Record, second: Record, columns: Columns, differing: Sequence[str], metric: str, at: At) -> str:
    """Return what two runs with one seed show, and the command that would decide.

    Args:
        first: the better run.
        second: the one it is compared with.
        columns: of the runs.
        differing: settings that are not the same in all runs.
        metric: what the table is ordered by.
        at: the moment.
    """
    is_counted = metric.startswith("val_") and metric.endswith("accuracy")
    counts = only_one_right(first, second, at) if is_counted else None
    command = _command(first, second, columns, differing)
    if counts is None:
        return f"One seed each: other seeds may turn the order. {command} decides."
    return (
        f"One seed each: {counts[0]} validation examples only {first['id']} gets right, {counts[1]} only "
        f"{second['id']} (McNemar {amounts.said_p(mcnemar(*counts))}), but other seeds may turn it. {command} decides."
    )


def against_run(records: Sequence[Record], base: Record, at: At) -> list[dict[str, float | None]]:
    """Return for each run how many validation examples only it and only the baseline gets right, and McNemar's p.

    Args:
        records: the runs.
        base: the baseline, one of them.
        at: "best" or "last".

    Returns:
        A row for each run: only_here, only_baseline, p (Holm's, for all runs together); None for the baseline itself.
    """
    counts = [None if record is base else only_one_right(record, base, at) for record in records]
    adjusted = iter(holm([mcnemar(*pair) for pair in counts if pair]))
    return [
        {"only_here": pair[0], "only_baseline": pair[1], "p": next(adjusted)} if pair else dict.fromkeys(AGAINST)
        for pair in counts
    ]


def only_one_right(first: Record, second: Record, at: At) -> tuple[int, int] | None:
    """Return how many validation examples only the first and only the second run gets right.

    Args:
        first: of a run folder.
        second: of a run folder.
        at: "best" or "last"; of other moments no predictions are kept.

    Returns:
        Two counts; None where the predictions are missing, of other examples, or no classes.
    """
    one, other = validation(first, at), validation(second, at)
    if one is None or other is None:
        return None
    (rows, labels, ours), (other_rows, other_labels, theirs) = one, other
    same_rows = rows.shape == other_rows.shape and bool((rows == other_rows).all())
    if not same_rows or not bool((labels == other_labels).all()) or labels.dtype.kind not in "iu":
        return None
    right, other_right = ours == labels, theirs == labels
    return int((right & ~other_right).sum()), int((other_right & ~right).sum())


def _command(first: Record, second: Record, columns: Columns, differing: Sequence[str]) -> str:
    """Return the sweep that trains both settings over seeds, where they differ in one thing; else its outline."""
    names = []
    for name in differing:
        values = [columns.settings[name](record) for record in (first, second)]
        if name not in ("seed", *QUIET) and MISSING not in values and values[0] != values[1]:
            names.append(name)
    kept = [name for name in _given(first) if name in columns.settings and name not in ("dataset", "seed")]
    given = {name: written(columns.settings[name](first)) for name in kept}
    if len(names) != 1 or names[0] == "dataset" or any(len(split_outside(text, ",")) > 1 for text in given.values()):
        return _OUTLINE
    [varied] = names
    values = [columns.settings[varied](record) for record in (second, first)]
    if not all(_is_one_of_several(varied, value) for value in values):
        return _OUTLINE
    given[varied] = ",".join(map(written, values))
    words = [f"{name}={value}" for name, value in given.items()]
    return f"{shlex.join(['kerasrun', 'sweep', first['experiment']['dataset'], *words])} --seeds 5"


def _is_one_of_several(name: str, value: Any) -> bool:
    """Tell whether a value that is written between commas stays one value; of a list of texts commas are a part."""
    if isinstance(value, list):
        return all(isinstance(part, int) for part in value)
    return name != "class_weights" and len(split_outside(written(value), ",")) == 1


def _given(record: Record) -> list[str]:
    """Return the settings and knobs that someone chose."""
    origins: Mapping[str, str] = record.get("origins") or {}
    return [name for name, origin in origins.items() if origin in ("command", "file")]
