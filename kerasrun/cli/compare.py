"""`kerasrun compare`: runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kerasrun import atomic, run_index
from kerasrun.analysis import compare as analysis
from kerasrun.cli import console, words
from kerasrun.errors import InputError


def compare(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Runs; those of the newest dataset without.")
    ] = None,
    *,
    results: words.Results = Path("results"),
    metric: Annotated[str | None, typer.Option(help="What the rows are ordered by, as val_accuracy.")] = None,
    sort: Annotated[str | None, typer.Option(help="Order by another column; -COLUMN for falling.")] = None,
    where: Annotated[list[str] | None, typer.Option(help="Only runs with optimizer=adam; repeatable.")] = None,
    by: Annotated[
        str | None, typer.Option(help="One row for all runs with equal values here, as optimizer,hidden.")
    ] = None,
    all_columns: Annotated[
        bool, typer.Option("--all-columns", help="Show the settings that do not differ, too.")
    ] = False,
    test: Annotated[bool, typer.Option("--test", help="Show test metrics; they are not for choosing.")] = False,
    every: Annotated[bool, typer.Option("--all", help="All datasets, and runs that did not end.")] = False,
    form: words.Format = words.Form.TABLE,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write to a file.")] = None,
) -> None:
    """Lay runs side by side, the best first: what differs, and how well they did."""
    scan = run_index.scan(results)
    console.notice(*map(str, scan.damaged))
    records = scan.records
    if names:
        folders = {run_index.find(results, name).name for name in names}
        records = [record for record in records if record["folder"] in folders]
    if not records:
        raise InputError(f"{results} holds no runs yet\nkerasrun train digits makes one")
    table = analysis.compare(
        records, metric=metric, sort=sort, where=where or (), by=by, all_columns=all_columns, test=test,
        every=every or bool(names),
    )  # fmt: skip
    if form is words.Form.TABLE and output is None:
        console.say(table.title)
        console.show_table(*table.shown())
    else:
        cells = table.exact() if form in (words.Form.CSV, words.Form.JSON) else table.shown()
        text = analysis.to_text(*cells, words.Form.MD if form is words.Form.TABLE else form)
        if output is None:
            console.say(text.rstrip("\n"))
        else:
            atomic.write(output, text)
            console.notice(f"wrote {output}")
    console.notice(*table.notes)
