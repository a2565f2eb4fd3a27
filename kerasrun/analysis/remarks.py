"""What must be said beside a table of runs: which are missing, which do not compare, how little one seed shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from kerasrun.analysis.columns import MISSING, QUIET, Columns, Record, grouped, written

_SPLIT = ("validation", "split_seed", "limit")
_TOLD = 3  # so many runs are named, more are counted


def copies(folders: Sequence[str]) -> list[str]:
    """Say which folders are copies of a run that is counted once."""
    return [f"counted once, though there are copies: {_listed(folders)}"] if folders else []


def left_out(datasets: Mapping[str, int], statuses: Mapping[str, int]) -> list[str]:
    """Say how many runs are not in the table, and why."""
    parts = []
    if datasets:
        named = ", ".join(f"{name} {count}" for name, count in Counter(datasets).most_common(_TOLD))
        more = f", and {len(datasets) - _TOLD} more datasets" if len(datasets) > _TOLD else ""
        parts.append(f"{_runs(sum(datasets.values()))} on other data ({named}{more})")
    parts += [f"{count} {'still running' if status == 'running' else status}" for status, count in statuses.items()]
    return [f"left out: {', '.join(parts)}; --all includes them"] if parts else []


def on_runs(records: Sequence[Record], columns: Columns, metric: str, differing: Sequence[str]) -> list[str]:
    """Return the lines beside a table whose rows are runs."""
    return [*_on_all(records, columns, metric, differing), *_one_seed(records, columns, metric, differing)]


def on_groups(
    records: Sequence[Record], columns: Columns, metric: str, differing: Sequence[str], by: Sequence[str]
) -> list[str]:
    """Return the lines beside a table whose rows are groups."""
    candidates = [name for name in differing if name not in (*by, "seed", *QUIET)]
    rows = grouped(records, columns, by)
    mixed = [name for name in candidates if any(_differ(those, columns, name) for those in rows)]
    lines = [f"runs of one row also differ in {', '.join(mixed)}; --by {','.join([*by, *mixed])} tells them apart"]
    return [*_on_all(records, columns, metric, differing), *(lines if mixed else [])]


def _on_all(records: Sequence[Record], columns: Columns, metric: str, differing: Sequence[str]) -> list[str]:
    lines = [*_other_data(records, differing), *_other_recipe(records)]
    if metric.endswith("loss") and "loss" in differing:
        lines.append(f"{metric} of different losses is not comparable; --metric chooses another column")
    if metric.startswith("test_"):
        lines.append("test metrics are not for choosing: what is chosen by them is no longer tested")
    for name in ("jit", "precision"):
        if name in differing:
            lines.append(f"{name} differs ({_values(records, columns, name)}): compare neither last digits nor seconds")
    if "threads" in differing:
        lines.append(f"threads differ ({_values(records, columns, 'threads')}): so do last digits, and seconds")
    return lines


def _other_data(records: Sequence[Record], differing: Sequence[str]) -> list[str]:
    """Name the runs whose validation examples are others than those of most runs on the same dataset."""
    by_dataset: dict[str, dict[str, list[Record]]] = {}
    if (
        not {"dataset", *_SPLIT} & set(differing)
        and len({(record.get("data") or {}).get("hash") for record in records}) < 2
    ):
        return []
    for record in records:
        experiment, content = record["experiment"], (record.get("data") or {}).get("hash")
        if content is not None:  # else a run that failed before its data were read
            parts = repr([content, *(experiment.get(name) for name in _SPLIT)])
            by_dataset.setdefault(experiment["dataset"], {}).setdefault(parts, []).append(record)
    lines = []
    for kinds in by_dataset.values():
        usual = max(kinds.values(), key=len)
        others = [record for those in kinds.values() if those is not usual for record in those]
        if others:
            content = (usual[0].get("data") or {}).get("hash")
            changed = sum((record.get("data") or {}).get("hash") != content for record in others)
            what = "another split" if not changed else "other data" if changed == len(others) else "other data or split"
            named = _listed([record["id"] for record in others])
            lines.append(f"not comparable with the rest: {_runs(len(others))} with {what} ({named})")
    if len(by_dataset) > 1:
        lines.append(f"{len(by_dataset)} datasets: compare metrics within one only")
    return lines


def _other_recipe(records: Sequence[Record]) -> list[str]:
    """Say which recipes changed between the runs."""
    versions = {(record["experiment"]["recipe"], record.get("recipe_sha256")) for record in records}
    changed = Counter(name for name, content in versions if content)
    return [
        f"recipe {n} was changed between these runs ({count} versions)" for n, count in changed.items() if count > 1
    ]


def _one_seed(records: Sequence[Record], columns: Columns, metric: str, differing: Sequence[str]) -> list[str]:
    """Say that other seeds may change the order, where no setting was trained with two."""
    if not columns.metrics:
        return []
    result = columns.metrics[metric]
    settings = [columns.settings[name] for name in differing if name not in ("seed", *QUIET)]
    seen: set[tuple[str, ...]] = set()
    for record in records:
        if result(record) is None:
            continue
        setting = tuple(written(read(record)) for read in settings)
        if setting in seen:
            return []
        seen.add(setting)
    if len(seen) < 2:
        return []
    return ["One seed each: other seeds may turn the order. Train the same with seed=1, seed=2 … before deciding."]


def _differ(records: Sequence[Record], columns: Columns, name: str) -> bool:
    values = [value for value in columns.values(name, records) if value is not MISSING]
    return any(value != values[0] for value in values)


def _values(records: Sequence[Record], columns: Columns, name: str) -> str:
    return ", ".join(sorted({written(columns.settings[name](record)) for record in records} - {""}))


def _listed(names: Sequence[str]) -> str:
    more = [f"and {len(names) - _TOLD} more"] if len(names) > _TOLD else []
    return ", ".join([*names[:_TOLD], *more])


def _runs(count: int) -> str:
    return f"{count} run{'' if count == 1 else 's'}"
