"""Which runs may be compared, and what makes a comparison unfair.

Left out, unless it is what is varied: other data, another split, another budget (epochs, patience, batch size), other
scaling, other arithmetic (jit, precision). Said: all else that a sceptical reader would ask about.
"""

from __future__ import annotations

import functools
import statistics
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any

from kerasrun.analysis.columns import MISSING, QUIET, Columns, Read, written
from kerasrun.analysis.moments import At, Record, finite
from kerasrun.run_record import TRAINED

_KINDS = {
    "another split": ("validation", "test", "split_seed", "limit"),
    "another budget": ("epochs", "patience", "batch_size"),
    "other scaling": ("scale", "scale_target"),
    "other arithmetic": ("jit", "precision"),
}
ALONE = 0.2  # cores that others may keep busy while seconds are measured
_NAMED = 3  # so many runs are named, more are counted


def varied(differing: Collection[str]) -> list[str]:
    """Return the settings that may differ where nobody said what is varied: the unfair ones if nothing else differs."""
    unfair = [name for names in _KINDS.values() for name in names if name in differing]
    others = [name for name in differing if name not in (*unfair, "seed", *QUIET)]
    return [] if others else unfair


def comparable(
    records: Sequence[Record], columns: Columns, differing: Collection[str], allowed: Collection[str]
) -> tuple[list[Record], list[str]]:
    """Return the runs that may be compared with most of the others, and a line about the rest.

    Args:
        records: the newest first; where as many runs have one value as another, the newest decides.
        columns: their columns.
        differing: settings that are not the same in all runs.
        allowed: settings that may differ, because they are what is varied.
    """
    kept, parts = _usual(records, data_hash), []
    if len(kept) < len(records):
        parts.append(_counted(_without(records, kept), "other data"))
    for kind, names in _KINDS.items():
        reads = {name: columns.settings[name] for name in names if name in differing and name not in allowed}
        if reads:
            before = kept
            kept = _usual(kept, functools.partial(_written, [*reads.values()]))
            others = _without(before, kept)
            values = [f"{name}={written(read(r))}" for r in others for name, read in reads.items()
                      if written(read(r)) != written(read(kept[0]))]  # fmt: skip
            if others:
                parts.append(_counted(others, kind, _listed(sorted({*values}))))
    return kept, [f"not comparable, left out: {', '.join(parts)}. --all includes them"] if parts else []


def reasons(
    ones: Sequence[Record],
    others: Sequence[Record],
    columns: Columns,
    differing: Collection[str],
    allowed: Collection[str],
) -> str:
    """Return in words why runs may not be compared with others; nothing where some of both may.

    Args:
        ones: runs.
        others: runs on the same dataset.
        columns: of the runs.
        differing: settings that are not the same in all runs.
        allowed: settings that may differ, because they are what is varied.
    """
    found = [] if {*map(data_hash, ones)} & {*map(data_hash, others)} else ["other data"]
    for kind, names in _KINDS.items():
        reads = [columns.settings[name] for name in names if name in differing and name not in allowed]
        if reads and not {_written(reads, one) for one in ones} & {_written(reads, other) for other in others}:
            found.append(kind)
    return ", ".join(found)


def other_data(records: Sequence[Record], differing: Collection[str], told_apart: Collection[str]) -> list[str]:
    """Name the runs whose validation examples are others than those of most runs on the same dataset.

    Args:
        records: the runs.
        differing: settings that are not the same in all runs.
        told_apart: settings that rows are told apart by, so that a reader sees them.
    """
    if is_one_split(records, differing):
        return []
    by_dataset: dict[str, dict[tuple[str, ...], list[Record]]] = {}
    parts = [name for name in _KINDS["another split"] if name not in told_apart]
    for record in records:
        if (content := data_hash(record)) is not None:  # else a run that failed before its data were read
            kinds = by_dataset.setdefault(record["experiment"]["dataset"], {})
            its_parts = (content, *(str(record["experiment"].get(name)) for name in parts))
            kinds.setdefault(its_parts, []).append(record)
    lines = []
    for kinds in by_dataset.values():
        usual = max(kinds.values(), key=len)
        others = [record for those in kinds.values() if those is not usual for record in those]
        if others:
            changed = sum(data_hash(record) != data_hash(usual[0]) for record in others)
            what = "another split" if not changed else "other data" if changed == len(others) else "other data or split"
            lines.append(f"not comparable with the rest: {_counted(others, what)}")
    if len(by_dataset) > 1:
        lines.append(f"{len(by_dataset)} datasets: compare metrics within one only")
    return lines


def flags(
    records: Sequence[Record], columns: Columns, metric: str, differing: Collection[str], allowed: Collection[str]
) -> list[str]:
    """Return what is to be said of runs that stand in one table.

    Args:
        records: the runs.
        columns: their columns.
        metric: what they are compared by.
        differing: settings that are not the same in all runs.
        allowed: settings that may differ, because they are what is varied.
    """
    lines = _other_recipe(records)
    if metric.endswith("loss") and "loss" in differing:
        lines.append(f"{metric} of different losses is not comparable; --metric chooses another column")
    if metric.startswith("test_"):
        lines.append("test metrics are not for choosing: what is chosen by them is no longer tested")
    if any(isinstance(one, str) and one == other for one, other in _held_out(records)):
        lines.append("validation and test are the same examples: the best epoch is chosen on the test set")
    for name in (*_KINDS["another budget"], *_KINDS["other scaling"]):
        if name in differing and name not in allowed:
            lines.append(f"{name} differs ({_values(records, columns, name)}), which alone can make the difference")
    for name in _KINDS["other arithmetic"]:
        if name in differing:
            lines.append(f"{name} differs ({_values(records, columns, name)}): compare neither last digits nor seconds")
    if "threads" in differing:
        lines.append(f"threads differ ({_values(records, columns, 'threads')}): so do last digits, and seconds")
    return lines


def shared_machine(records: Sequence[Record]) -> list[str]:
    """Return what is to be said of seconds, unless all runs had the machine to themselves."""
    busy = [finite(record.get("others_busy")) for record in records if record["status"] in TRAINED]
    most = max((cores for cores in busy if cores is not None), default=0.0)
    if most <= ALONE and None not in busy:
        return []
    what = f"shared the machine (others kept up to {most:.1f} cores busy)" if most > ALONE else "may have had company"
    return [f"seconds: the runs {what}; alone and one after the other (--workers 1) they would tell more"]


def optimism(records: Sequence[Record]) -> str:
    """Return what is to be said beside "at the best epoch": that it is the largest of several draws."""
    counts = sorted({record["epochs_run"] for record in records if record.get("epochs_run")}) or [0]
    epochs = f"{counts[0]}" if counts[0] == counts[-1] else f"{counts[0]} to {counts[-1]}"
    return f" (optimistic: the best of {epochs} epochs)" if counts[-1] > 1 else ""


def epochs_chosen_from(groups: dict[str, Sequence[Record]], at: At) -> list[str]:
    """Say where rows at their best epoch had different numbers of epochs to choose from.

    Args:
        groups: label -> runs.
        at: the moment; nothing is said of others than the best epoch.
    """
    counts = {
        label: statistics.median(epochs)
        for label, those in groups.items()
        if (epochs := [record["epochs_run"] for record in those if record.get("epochs_run")])
    }
    if at.kind != "best" or len({*counts.values()}) < 2:
        return []
    fewest, most = (choose(counts, key=lambda label: counts[label]) for choose in (min, max))
    return [
        f"the best of different numbers of epochs ({fewest}: {counts[fewest]:g}, {most}: {counts[most]:g}): "
        "more epochs, more luck. --at last, or --at with an epoch, is free of it"
    ]


def is_one_split(records: Sequence[Record], differing: Collection[str]) -> bool:
    """Tell whether all runs have the same training, validation and test examples."""
    return (
        not {"dataset", *_KINDS["another split"]} & {*differing} and len({data_hash(record) for record in records}) < 2
    )


def _held_out(records: Sequence[Record]) -> set[tuple[Any, Any]]:
    """Return where validation and test examples came from: shares, or paths of files."""
    return {(record["experiment"].get("validation"), record["experiment"].get("test")) for record in records}


def _usual(records: Sequence[Record], key: Callable[[Record], Any]) -> list[Record]:
    """Return the runs whose key is that of most runs on the same dataset; a key None (no data yet) belongs to all."""
    kinds: dict[str, Counter] = {}
    keys = [key(record) for record in records]
    if len({*keys}) < 2:
        return [*records]
    for record, its_key in zip(records, keys, strict=True):
        if its_key is not None:
            kinds.setdefault(record["experiment"]["dataset"], Counter())[its_key] += 1
    usual = {dataset: counter.most_common(1)[0][0] for dataset, counter in kinds.items()}
    return [
        record
        for record, its_key in zip(records, keys, strict=True)
        if its_key is None or its_key == usual[record["experiment"]["dataset"]]
    ]


def _written(reads: Sequence[Read], record: Record) -> tuple[str, ...]:
    return tuple(written(read(record)) for read in reads)


def _without(records: Sequence[Record], kept: Sequence[Record]) -> list[Record]:
    those = {id(record) for record in kept}
    return [record for record in records if id(record) not in those]


def data_hash(record: Record) -> str | None:
    """Return the hash of a run's data; None where it failed before they were read."""
    return (record.get("data") or {}).get("hash")


def _other_recipe(records: Sequence[Record]) -> list[str]:
    """Say which recipes changed between the runs."""
    versions = {(record["experiment"]["recipe"], record.get("recipe_sha256")) for record in records}
    changed = Counter(name for name, content in versions if content)
    return [
        f"recipe {n} was changed between these runs ({count} versions)" for n, count in changed.items() if count > 1
    ]


def _values(records: Sequence[Record], columns: Columns, name: str) -> str:
    found = {value for value in columns.values(name, records) if value is not MISSING}
    return ", ".join(map(written, sorted(found, key=lambda v: (v is not None, isinstance(v, str), v))))


def _counted(records: Sequence[Record], what: str, values: str = "") -> str:
    named = ", ".join(record["id"] for record in records) if len(records) <= _NAMED else ""
    inside = "; ".join(filter(None, [values, named]))
    return f"{len(records)} run{'' if len(records) == 1 else 's'} with {what}{f' ({inside})' if inside else ''}"


def _listed(texts: Sequence[str]) -> str:
    return ", ".join([*texts[:_NAMED], *(["…"] if len(texts) > _NAMED else [])])
