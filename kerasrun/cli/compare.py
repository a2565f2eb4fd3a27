"""`kerasrun compare`: runs, or settings over their seeds, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kerasrun import atomic, run_tables
from kerasrun.analysis import choice
from kerasrun.analysis import compare as analysis
from kerasrun.cli import console, words
from kerasrun.errors import InputError
from kerasrun.run_index import collector_at_rest
from kerasrun.sweep_record import SweepRecord


def compare(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN|SWEEP]...", help="Runs or a sweep; the newest dataset's runs without."),
    ] = None,
    *,
    results: words.Results = Path("results"),
    by: Annotated[
        str | None, typer.Option(help="One row for all runs with equal values here, as optimizer,hidden.")
    ] = None,
    where: Annotated[list[str] | None, typer.Option(help="Only runs with optimizer=adam; repeatable.")] = None,
    metric: Annotated[str | None, typer.Option(help="What is compared, as val_loss or seconds.")] = None,
    at: Annotated[
        str | None, typer.Option(help="When: last, last3 (their mean), best, an epoch as 12, or seconds=30.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Compare the epochs that are needed to a target, as val_accuracy=0.88.")
    ] = None,
    baseline: Annotated[str | None, typer.Option(help="The row to compare with, as optimizer=sgd.")] = None,
    margin: Annotated[
        float | None, typer.Option(help="The smallest difference that matters: 0.005; for losses 0.02 is 2 %.")
    ] = None,
    power: Annotated[str | None, typer.Option(help="How many seeds would settle a margin, as margin=0.005.")] = None,
    over: Annotated[
        str,
        typer.Option(help="What differences shall hold for: seeds, or seeds+images (other validation images, too)."),
    ] = "seeds",
    shares: Annotated[bool, typer.Option("--shares", help="Which knob mattered: shares of the variance.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say by which rules the table was made.")] = False,
    runs: Annotated[bool, typer.Option("--runs", help="One row a run, though some differ only in seed.")] = False,
    sort: Annotated[str | None, typer.Option(help="Order by another column; -COLUMN for falling.")] = None,
    all_columns: Annotated[
        bool, typer.Option("--all-columns", help="Show the settings that do not differ, too.")
    ] = False,
    test: Annotated[bool, typer.Option("--test", help="Show test metrics; they are not for choosing.")] = False,
    every: Annotated[
        bool, typer.Option("--all", help="All datasets, runs that did not end, and what is not comparable.")
    ] = False,
    form: words.Format = words.Form.TABLE,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write FILE.csv, FILE.json or FILE.md.")] = None,
) -> None:
    """Lay runs side by side, or settings over seeds with a verdict.

    The best comes first.

    kerasrun compare --by optimizer
    """
    if output is not None:
        form = words.Form(words.ending(output, ("csv", "json", "md")))
    with collector_at_rest():
        table, _ = compared(
            results, names, where=where or (), metric=metric, at=at, sort=sort, by=by, baseline=baseline,
            margin=margin, until=until, power=power, over=over, shares=shares, explain=explain, runs=runs,
            all_columns=all_columns, test=test, every=every,
        )  # fmt: skip
        _show(table, form, output)


def compared(
    results: Path, names: list[str] | None, *, every: bool, **asked: Any
) -> tuple[analysis.Comparison, SweepRecord | None]:
    """Return the comparison of the runs that go by some names, or of all, and the sweep that was named."""
    records, damaged = run_tables.all_records(results)
    console.notice(*map(str, damaged))
    if not records:
        raise InputError(f"{results} holds no runs yet\nkerasrun train digits makes one")
    chosen, sweep = choice.named(results, names, records) if names else (records, None)
    return analysis.compare(chosen, sweep=sweep, every=every or bool(names and not sweep), **asked), sweep


def _show(table: analysis.Comparison, form: words.Form, output: Path | None) -> None:
    if form is words.Form.TABLE:
        console.show_title(table.title)
        console.show_table(*table.people)
    else:
        cells = table.people if form is words.Form.MD else table.exact()
        text = analysis.to_text(*cells, form)
        if output is None:
            console.say(text.rstrip("\n"))
        else:
            atomic.write(output, text)
            console.notice(f"wrote {output}")
    console.remark(*table.notes)
    console.say(*table.rules)
