"""`kerasrun train`: one training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kerasrun import runs, train_run
from kerasrun.cli import console, words
from kerasrun.experiment import resolve


@words.with_settings
def train(
    subject: words.Words = None,
    *,
    results: words.Results = Path("results"),
    name: Annotated[str | None, typer.Option(help="First part of the run folder's name.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and show everything, train nothing.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show the result only.")] = False,
    options: dict[str, Any],
) -> None:
    """Train a network on a dataset and keep a complete record of it.

    kerasrun train fashion-mnist --optimizer rmsprop hidden=300-100
    """
    dataset, file, given = words.split(subject or [], options)
    experiment = resolve(dataset, given, file=file)
    if dry_run:
        console.show_experiment(experiment)
        return
    runs.probe(results, name)
    run = runs.start(experiment, results, name=name)
    with console.training(quiet=quiet) as watch:
        train_run(experiment, run, watch=watch)
    if run.status == "diverged":
        raise typer.Exit(1)
