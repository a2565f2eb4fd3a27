"""Which runs are laid side by side: those that are named, else one dataset's runs that ended; then conditions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from kerasrun import run_index, sweep_record
from kerasrun.analysis.columns import MISSING, Columns, Record, matches, written
from kerasrun.errors import InputError, closest
from kerasrun.literals import split_outside
from kerasrun.run_record import ENDED
from kerasrun.sweep_record import SweepRecord

_TOLD = 3  # so many are named, more are counted
_SHOWN = (*ENDED, "failed")


def named(results: Path, names: Sequence[str], records: Sequence[Record]) -> tuple[list[Record], SweepRecord | None]:
    """Return the runs that go by some names, and the sweep where it is the one thing that was named.

    Args:
        results: folder of all runs.
        names: of runs or sweeps: ids, beginnings of ids, folders' names, "last", numbers counted from the newest.
        records: all runs, as run_tables.all_records gives them.

    Raises:
        InputError: no run and no sweep, or several, go by a name; or a sweep has no run yet.
    """
    chosen: dict[int, Record] = {}
    sweeps = []
    for name in names:
        exact = [record for record in records if name in (record["id"], record["folder"])]
        sweep = None if exact else _sweep(results, name)
        if sweep:
            sweeps.append(sweep)
            exact = [record for record in records if record.get("experiment_hash") in sweep.settings]
            if not exact:
                raise InputError(f"sweep {sweep.id} has no runs here yet\nits command again trains them")
        if not exact:
            folder = run_index.find(results, name).name
            exact = [record for record in records if record["folder"] == folder]
        if not exact:
            raise InputError(f"run {name} is damaged and cannot be compared\nkerasrun runs check says what it lacks")
        chosen |= {id(record): record for record in exact}
    return [*chosen.values()], sweeps[0] if len(sweeps) == len(names) == 1 else None


def _sweep(results: Path, name: str) -> SweepRecord | None:
    """Return the sweep of this name; a beginning that a run has, too, is the run's."""
    found = sweep_record.read(results, name)
    if found is None or found.id == name:
        return found
    try:
        run_index.find(results, name)
    except InputError:
        return found
    return None


def default_choice(records: list[Record], asked: set[str]) -> tuple[list[Record], list[str]]:
    """Return the runs of the newest run's dataset that ended, and a line that counts the others.

    Args:
        records: the newest first.
        asked: columns that a condition speaks of: a condition on dataset, data or status is a choice of its own.
    """
    any_status, any_data = "status" in asked, bool({"dataset", "data"} & asked)
    ended = [record for record in records if any_status or record["status"] in _SHOWN]
    if not ended:
        return [], _left_out({}, Counter(record["status"] for record in records))
    dataset = ended[0]["experiment"]["dataset"]
    chosen = [record for record in ended if any_data or record["experiment"]["dataset"] == dataset]
    others = Counter(
        r["experiment"]["dataset"] for r in ended if not any_data and r["experiment"]["dataset"] != dataset
    )
    going = Counter(record["status"] for record in records if not any_status and record["status"] not in _SHOWN)
    return chosen, _left_out(others, going)


def _left_out(datasets: Mapping[str, int], statuses: Mapping[str, int]) -> list[str]:
    """Say how many runs are not in the table, and why."""
    parts = []
    if datasets:
        named = ", ".join(f"{name} {count}" for name, count in Counter(datasets).most_common(_TOLD))
        more = f", and {len(datasets) - _TOLD} more datasets" if len(datasets) > _TOLD else ""
        count = sum(datasets.values())
        parts.append(f"{count} run{'' if count == 1 else 's'} on other data ({named}{more})")
    parts += [f"{count} {'still running' if status == 'running' else status}" for status, count in statuses.items()]
    return [f"left out: {', '.join(parts)}; --all includes them"] if parts else []


def condition(columns: Columns, text: str, *, option: str = "--where") -> tuple[str, list[str]]:
    """Read "column=value" or "column=value,value".

    Args:
        columns: of the runs.
        text: the condition.
        option: where it was written.

    Raises:
        InputError: no such form, or no such column.
    """
    name, equals, value = text.partition("=")
    if not equals or not value.strip():
        raise InputError(
            f"{option} {text!r} is no condition\nwrite COLUMN=VALUE, as optimizer=adam or batch_size=32,64"
        )
    return columns.named(name), [part.strip() for part in split_outside(value, ",")]


def holding(records: list[Record], columns: Columns, name: str, texts: list[str]) -> list[Record]:
    """Return the runs that have one of the values.

    Raises:
        InputError: no run has it.
    """
    read = columns[name]
    values = {written(value): value for value in map(read, records) if value is not MISSING}
    wanted: set[str] = set()
    for text in texts:
        found = {spelled for spelled, value in values.items() if matches(name, value, text)}
        if not found and records:
            near = closest(text, values)
            here = ", ".join(sorted(values)[:12]) + (", …" if len(values) > 12 else "")
            raise InputError(
                f"no run has {name}={text}{f'; did you mean {near!r}?' if near else ''}\nvalues: {here or 'none'}"
            )
        wanted |= found
    return [record for record in records if written(read(record)) in wanted and read(record) is not MISSING]
