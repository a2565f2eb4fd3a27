"""Which runs are laid side by side: copies once, by default one dataset's runs that ended, then conditions."""

from __future__ import annotations

from collections import Counter

from kerasrun.analysis import remarks
from kerasrun.analysis.columns import MISSING, Columns, Record, matches, written
from kerasrun.errors import InputError, closest
from kerasrun.literals import split_outside

ENDED = ("finished", "stopped", "diverged", "pruned", "failed")


def once(records: list[Record]) -> tuple[list[Record], list[str]]:
    """Return the records without copies of one run, the newest first, and a line about the copies."""
    seen: dict[tuple[str, str], Record] = {}
    copies: list[str] = []
    for record in sorted(records, key=lambda record: record["created"], reverse=True):
        if seen.setdefault((record["id"], record["created"]), record) is not record:
            copies.append(record["folder"])
    return list(seen.values()), remarks.copies(copies)


def default_choice(records: list[Record], asked: set[str]) -> tuple[list[Record], list[str]]:
    """Return the runs of the newest run's dataset that ended, and a line that counts the others.

    Args:
        records: the newest first.
        asked: columns that a condition speaks of: a condition on dataset, data or status is a choice of its own.
    """
    any_status, any_data = "status" in asked, bool({"dataset", "data"} & asked)
    ended = [record for record in records if any_status or record["status"] in ENDED]
    if not ended:
        return [], remarks.left_out({}, Counter(record["status"] for record in records))
    dataset = ended[0]["experiment"]["dataset"]
    chosen = [record for record in ended if any_data or record["experiment"]["dataset"] == dataset]
    others = Counter(
        r["experiment"]["dataset"] for r in ended if not any_data and r["experiment"]["dataset"] != dataset
    )
    going = Counter(record["status"] for record in records if not any_status and record["status"] not in ENDED)
    return chosen, remarks.left_out(others, going)


def condition(columns: Columns, text: str) -> tuple[str, list[str]]:
    """Read "column=value" or "column=value,value".

    Raises:
        InputError: no such form, or no such column.
    """
    name, equals, value = text.partition("=")
    if not equals or not value.strip():
        raise InputError(f"--where {text!r} is no condition\nwrite COLUMN=VALUE, as optimizer=adam or batch_size=32,64")
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
