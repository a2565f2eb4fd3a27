"""`kerasrun plot`: what `compare` lays side by side, as a picture."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kerasrun import atomic
from kerasrun.analysis import drawings, pictures, plots
from kerasrun.cli import console, words
from kerasrun.cli.compare import compared


class Kind(StrEnum):
    """How runs are drawn."""

    AUTO = "auto"
    CURVES = "curves"
    BARS = "bars"
    HEAT = "heat"


def plot(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN|SWEEP]...", help="Runs or a sweep; the newest dataset's runs without."),
    ] = None,
    *,
    results: words.Results = Path("results"),
    kind: Annotated[
        Kind, typer.Option(help="Learning curves, means with intervals, or a heat map of two axes.")
    ] = Kind.AUTO,
    metric: Annotated[str | None, typer.Option(help="What is drawn, as val_loss.")] = None,
    by: Annotated[
        str | None, typer.Option(help="One line for all runs with equal values here: optimizer,hidden.")
    ] = None,
    where: Annotated[list[str] | None, typer.Option(help="Only runs with optimizer=adam; repeatable.")] = None,
    at: Annotated[str | None, typer.Option(help="Of bars and heat maps: last, last3, best, 12, or seconds=30.")] = None,
    runs: Annotated[bool, typer.Option("--runs", help="One line a run, though some differ only in seed.")] = False,
    log: Annotated[bool, typer.Option("--log", help="A logarithmic axis for the metric.")] = False,
    test: Annotated[bool, typer.Option("--test", help="Allow test metrics; they are not for choosing.")] = False,
    every: Annotated[
        bool, typer.Option("--all", help="All datasets, runs that did not end, and what is not comparable.")
    ] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="FILE.png or FILE.svg.")] = None,
) -> None:
    """Draw runs, or settings over seeds: in the terminal, PNG, SVG.

    Runs, rows and order are those of `kerasrun compare`.

    kerasrun plot last -o run.svg
    """
    form = words.ending(output, pictures.FORMATS)
    if form:
        pictures.require()
    table, sweep = compared(
        results, names, where=where or (), metric=metric, at=at, by=by, runs=runs, test=test, every=every
    )
    chart = plots.plot(table, kind.value, sweep.axes if sweep else ())
    if output is None:
        console.say(*drawings.drawing(chart, log=log))
    else:
        atomic.write(output, pictures.picture(chart, form, log=log))
        console.notice(f"wrote {output}")
    console.remark(*table.notes)
