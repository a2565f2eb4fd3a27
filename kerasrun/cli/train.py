"""`kerasrun train`: one training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kerasrun import continuation, go_on, run_folder, runs, train_run
from kerasrun.cli import console, words
from kerasrun.experiment import resolve


@words.with_settings
def train(
    subject: words.Words = None,
    *,
    results: words.Results = Path("results"),
    name: Annotated[str | None, typer.Option(help="First part of the run folder's name.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and show everything, train nothing.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest run of this experiment, where there is one.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show the result only.")] = False,
    options: dict[str, Any],
) -> None:
    """Train a network on a dataset and keep a complete record.

    kerasrun train fashion-mnist --optimizer rmsprop hidden=300-100
    """
    dataset, file, given = words.split(subject or [], options)
    experiment = resolve(dataset, given, file=file)
    if dry_run:
        console.show_experiment(experiment)
        return
    run_folder.probe(results, name)
    earlier = continuation.newest_of(experiment, results) if resume else None
    ended = earlier.record.get("ended") if earlier else None
    with console.training(quiet=quiet) as watch:
        if earlier:
            run = go_on(earlier, watch=watch)
        else:
            run = train_run(experiment, runs.start(experiment, results, name=name), watch=watch)
    if ended and run.record["ended"] == ended:
        console.already(run)
    if run.status == "diverged":
        raise typer.Exit(1)
    if not quiet:
        from kerasrun.cli.diagnose import warn  # not before the training: its modules take their time

        warn(run)
