"""`kerasrun resume`: go on with a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import kerasrun
from kerasrun.cli import console, words
from kerasrun.errors import InputError


def resume(
    subject: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN|NAME=VALUE", help="A run, last without; then epochs, patience or save_every."),
    ] = None,
    *,
    results: words.Results = Path("results"),
    recipe: words.Recipe = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show the result only.")] = False,
) -> None:
    """Go on with an interrupted run, or train one further.

    kerasrun resume last epochs=40
    """
    runs, given = words.named(subject or [])
    if len(runs) > 1:
        raise InputError(f"one run is wanted, not {len(runs)}: {', '.join(runs)}")
    run = kerasrun.load_run(runs[0] if runs else "last", results=results)
    ended = run.record.get("ended")
    with console.training(quiet=quiet) as watch:
        run = kerasrun.go_on(run, given, recipe=recipe, watch=watch)
    if ended and run.record["ended"] == ended:
        console.already(run)
    if run.status == "diverged":
        raise typer.Exit(1)
