"""Runs side by side: which runs, which columns, in which order, and what must be said of it in words.

Rows are runs until two differ only in seed, then groups of runs. Works on records alone (run_tables.all_records), so
that 10,000 runs need no pandas; `Comparison.table` is the DataFrame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kerasrun.analysis import amounts, explanation, fairness, groups, means, moments, one_seed, planning, targets
from kerasrun.analysis.choice import condition, default_choice, holding
from kerasrun.analysis.columns import (
    MISSING,
    QUIET,
    Columns,
    Read,
    Record,
    differing_settings,
    direction,
    find_columns,
    is_synthetic,
    written,
)
from kerasrun.analysis.comparison import Comparison, ordered
from kerasrun.analysis.moments import At
from kerasrun.analysis.question import Question, checked
from kerasrun.analysis.statistics import usual_margin
from kerasrun.analysis.tables import to_text
from kerasrun.errors import InputError
from kerasrun.run_record import TRAINED
from kerasrun.sweep_record import SweepRecord

__all__ = ["Comparison", "compare", "to_text"]

_MEASURES = ("n", "mean", "sd", "seconds")
_PLAIN = frozenset({float, int, str, bool})
_CLOSING = ("epochs_run", "best_epoch")  # columns between the settings and the metrics
_NUMBERS = ("parameters", *_CLOSING, *one_seed.AGAINST)
_SHORT = {"epochs_run": "epochs", "best_epoch": "best", "seconds": "s"}  # heads for people


def compare(
    records: Iterable[Record], *, where: str | Sequence[str] = (), sweep: SweepRecord | None = None, **asked: Any
) -> Comparison:
    """Lay runs side by side, the best first.

    Args:
        records: run.json as dicts with "folder", each run once, as run_tables.all_records gives them.
        where: conditions "column=value" that all hold; "column=a,b" is either. Numbers are compared as numbers,
            everything else as names: "optimizer=adam" is exactly adam.
        sweep: the sweep that the runs belong to: rows are the points of its grid, its metric and moment are the usual.
        **asked: the fields of Question. Without `every`, the runs of the newest run's dataset that ended are taken,
            and of these the ones that may be compared.

    Raises:
        InputError: a column or value that no run has, with the closest one; or a question that cannot be answered.
    """
    question = checked(Question(**asked), sweep)
    given = sorted(records, key=lambda record: record["created"], reverse=True)
    if sweep:
        given = [_as_asked(record, sweep) for record in given]
    if not given:
        return Comparison(question.metric or "val_loss", "", ("run",), [])
    columns = find_columns(given, test=question.test)
    conditions = [condition(columns, text) for text in ([where] if isinstance(where, str) else where)]
    chosen, notes = given, list[str]()
    if not question.every and sweep is None:
        chosen, notes = default_choice(given, {name for name, _ in conditions})
    for name, texts in conditions:
        chosen = holding(chosen, columns, name, texts)
    if 0 < len(chosen) < len(given):
        columns = find_columns(chosen, test=question.test)
    differing = differing_settings(chosen, columns)
    asks_for_groups = question.by or sweep or question.power or question.shares or question.over != "seeds"
    if chosen and not question.runs and (asks_for_groups or groups.differ_only_in_seed(chosen, columns, differing)):
        found = _groups(chosen, columns, differing, question, sweep)
    else:
        found = _runs(chosen, differing, question)
    if sweep and (untrained := len(sweep.settings.keys() - {record.get("experiment_hash") for record in given})):
        notes.append(
            f"{untrained} of {len(sweep.settings)} runs of the sweep are not there yet; its command trains them"
        )
    return replace(found, notes=[*notes, *found.notes])


def _as_asked(record: Record, sweep: SweepRecord) -> Record:
    """Return a run with the values of its point of the grid: one experiment can be written in several ways."""
    experiment, setting = record["experiment"], sweep.settings.get(record.get("experiment_hash", ""), {})
    knobs = {name: value for name, value in setting.items() if name in experiment.get("knobs", {})}
    others = {name: value for name, value in setting.items() if name in experiment}
    asked = {**experiment, **others, **({"knobs": {**experiment["knobs"], **knobs}} if knobs else {})}
    return {**record, "experiment": asked}


def _groups(
    records: list[Record], columns: Columns, differing: list[str], question: Question, sweep: SweepRecord | None
) -> Comparison:
    """Return the comparison whose rows are groups of runs: those that may be compared, put into rows, judged."""
    axes = sweep.axes if sweep else ()
    by = _by(columns, question.by) if question.by else [n for axis in axes for n in axis.names if n in columns.settings]
    allowed, notes, chosen = by or fairness.varied(differing), list[str](), records
    if not question.every:
        chosen, notes = fairness.comparable(records, columns, differing, allowed)
    at = moments.parse_at(question.at) if question.at else moments.usual(chosen)
    if len(chosen) < len(records) or at != moments.BEST:
        columns = find_columns(chosen, test=question.test, at=at)
    if len(chosen) < len(records):
        differing = differing_settings(chosen, columns)
    rules = _rules(chosen, columns, at, question)
    notes += fairness.other_data(chosen, differing, allowed)
    notes += fairness.flags(chosen, columns, rules.metric, differing, allowed)
    by = _with_data(by or [name for name in differing if name not in ("seed", *QUIET)] or ["recipe"], chosen)
    target = targets.parse(question.until, columns) if question.until else None
    read: Read = target.reader(chosen) if target else lambda record: moments.value(record, rules.metric, at)
    formed = groups.form(chosen, columns, by, differing, read)
    bases = groups.baselines(formed, question.baseline, columns, axes)
    for number, group in enumerate(formed.members):
        group.unfair = fairness.reasons(group.runs, bases[number].runs, columns, differing, allowed)
    if target:
        found = targets.compare_targets(formed, bases, target, rules)
    else:
        _refuse_no_value(formed, rules)
        notes += one_seed.of_groups(formed, bases if question.baseline else {}, columns, differing, rules)
        found = _answered(formed, bases, rules, question, sweep)
    if target or at.kind == "seconds" or rules.metric in moments.TIMES:
        notes += fairness.shared_machine(chosen)
    return replace(found, notes=[*found.notes, *notes])


def _rules(records: list[Record], columns: Columns, at: At, question: Question) -> means.Rules:
    """Return how groups are compared."""
    metric = targets.EPOCHS if question.until else _metric(columns, question.metric)
    asked, margin = question.power or question.margin, usual_margin(metric)
    if asked is not None:
        margin = replace(margin, value=planning.parse_margin(str(asked)))
    images = question.over == "seeds+images"
    if images and not (metric.startswith("val_") and metric.endswith("accuracy")):
        raise InputError(f"--over seeds+images: {metric} is not counted image by image\nuse --metric val_accuracy")
    return means.Rules(metric, at, direction(records, metric), margin, question.sort, images)


def _answered(
    formed: groups.Groups, bases: Mapping[int, groups.Group], rules: means.Rules, question: Question,
    sweep: SweepRecord | None,
) -> Comparison:  # fmt: skip
    """Return the table that was asked for."""
    if question.power:
        return planning.plan_seeds(formed, bases, rules)
    if question.shares:
        return planning.share_of_axes(formed, rules, sweep.axes if sweep else ())
    found = means.compare_means(formed, bases, rules)
    if not question.explain:
        return found
    return replace(found, rules=explanation.explain(formed, bases, rules, _why(question, sweep, rules.at)))


def _refuse_no_value(formed: groups.Groups, rules: means.Rules) -> None:
    """Refuse a moment that no run came to.

    Raises:
        InputError: say how far they came.
    """
    if rules.at.kind in ("last", "best") or any(group.outcomes for group in formed.members):
        return
    most = max(record.get("epochs_run") or 0 for group in formed.members for record in group.runs)
    raise InputError(
        f"no run has {rules.metric} {rules.moment}\nthe longest has {most} epochs; --at last works for all"
    )


def _why(question: Question, sweep: SweepRecord | None, at: At) -> str:
    """Return in words how the moment and the baseline were chosen."""
    moment = "as asked" if question.at or (sweep and sweep.at) else (
        "early stopping chose it" if at == moments.BEST else "no run could stop early"
    )  # fmt: skip
    first = "the sweep's first value" if sweep else "the first run made"
    return f"moment: {moment}; baseline: {'as asked' if question.baseline else first}"


def _metric(columns: Columns, asked: str | None) -> str:
    """Return the metric that is asked for, else the first validation metric that is not the loss."""
    names = [*columns.metrics]
    if asked:
        return columns.named(asked, "metric", only=[*names, *moments.TIMES])
    return "val_accuracy" if "val_accuracy" in names else names[0] if names else "val_loss"


def _runs(records: list[Record], differing: list[str], question: Question) -> Comparison:
    """Return the comparison whose rows are runs."""
    at = moments.parse_at(question.at) if question.at else moments.usual(records)
    columns = find_columns(records, test=question.test, at=at)
    metric = _metric(columns, question.metric)
    title = f"{metric} {means.moment_of(metric, at)}".strip()
    title += fairness.optimism(records) if title.endswith(str(moments.BEST)) else ""
    if question.until:
        target = targets.parse(question.until, columns)
        columns = replace(columns, metrics=target.columns())
        metric, title = targets.EPOCHS, str(target)
    shown = list(columns.settings) if question.all_columns else [name for name in differing if name not in QUIET]
    begin = ["run", *(["folder", "created"] if question.all_columns else [])]
    if question.all_columns or any(record["status"] not in TRAINED for record in records):
        begin.append("status")
    if any(map(is_synthetic, records)):
        begin.append("data")
    others = [name for name in columns.metrics if question.all_columns or not name.startswith("train_")]
    measured = [metric, *(name for name in others if name != metric)] if columns.metrics else []
    derived = columns.derived if question.all_columns else ()
    names = list(dict.fromkeys([*begin, *shown, *derived, *_CLOSING, *measured, "parameters", "seconds"]))
    key, falling = _order(columns, question.sort, metric, records)
    if key not in names and key in [*columns.about, *columns.settings, *columns.derived, *columns.metrics]:
        names.insert(len(begin) + len(shown), key)
    rows = _cells(names, columns, records)
    if question.baseline:
        base = _base(records, columns, question.baseline)
        rows = [row | more for row, more in zip(rows, one_seed.against_run(records, base, at), strict=True)]
        names += one_seed.AGAINST
        title += f" · baseline {base['id']}: validation examples that only one of the two gets right, McNemar's p"
    order = ordered([row.get(key) for row in rows], falling=falling)
    rows, records = [rows[n] for n in order], [records[n] for n in order]
    notes = fairness.other_data(records, differing, ())
    notes += fairness.flags(records, columns, metric, differing, fairness.varied(differing))
    if one_seed.alone(records, columns, metric, differing):
        results = columns.values(metric, records)
        best = [records[n] for n in ordered(results, falling=direction(records, metric) == "max")][:2]
        notes.append(one_seed.line(best[0], best[1], columns, differing, metric, at))
    return Comparison(metric, title, tuple(names), rows, _shown(names, rows, columns), notes, members=records)


def _base(records: list[Record], columns: Columns, given: str) -> Record:
    """Return the one run that a condition as "run=abcde" fits.

    Raises:
        InputError: none or several.
    """
    name, texts = condition(columns, given, option="--baseline")
    fitting = holding(records, columns, name, texts)
    if len(fitting) != 1:
        raise InputError(f"--baseline {given} fits {len(fitting)} runs\nname one: --baseline run={records[0]['id']}")
    return fitting[0]


def _shown(
    names: Sequence[str], rows: Sequence[dict[str, Any]], columns: Columns
) -> tuple[tuple[str, ...], list[list[Any]]]:
    """Return columns and cells for people: short heads, settings as they are written, seconds as 8.9."""
    kept = [name for name in names if name != "parameters" or len({row[name] for row in rows}) > 1]
    short = {name: head for name, head in _SHORT.items() if head not in names}
    cells = [[_for_people(name, row[name], columns) for name in kept] for row in rows]
    return tuple(short.get(name, name) for name in kept), cells


def _for_people(name: str, value: Any, columns: Columns) -> Any:
    if name == "p":
        return amounts.p_value(value)
    if name in (*moments.TIMES, targets.SECONDS) and value is not None:
        return f"{value:.1f}"
    return value if value is None or name in columns.metrics or name in _NUMBERS else written(value)


def _by(columns: Columns, by: str | Sequence[str]) -> list[str]:
    """Return the columns of a group, as they are spelled."""
    asked = [part for text in ([by] if isinstance(by, str) else by) for part in text.split(",") if part.strip()]
    known = [*columns.about, *columns.settings, *columns.derived]
    names = list(dict.fromkeys(columns.named(name, "column to group by", only=known) for name in asked))
    if not names:
        raise InputError("--by names no column\nwrite --by optimizer, or several: --by optimizer,activation")
    if clash := [name for name in names if name in _MEASURES]:
        raise InputError(f"--by {clash[0]}: this is measured, not set\nuse --sort {clash[0]}")
    return names


def _with_data(by: list[str], records: list[Record]) -> list[str]:
    """Return the columns of a group; runs on different data are never averaged."""
    made_up = {*map(is_synthetic, records)}
    if True in made_up and "data" not in by:
        by = ["data", *by]
    datasets = {record["experiment"]["dataset"] for record in records}
    return ["dataset", *by] if len(datasets) > 1 and "dataset" not in by else by


def _order(columns: Columns, sort: str | None, metric: str, records: list[Record]) -> tuple[str, bool]:
    """Return the column that orders the rows, and whether its largest value comes first."""
    if sort is None:
        return metric, direction(records, metric) == "max"
    name, backward = columns.named(sort.lstrip("-"), "column to sort by"), sort.startswith("-")
    return name, backward != (name in columns.metrics and direction(records, name) == "max")


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
