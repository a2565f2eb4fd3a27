"""`kerasrun sweep`: vary something, over several seeds, on all cores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kerasrun.cli import claims, console, words
from kerasrun.sweeps import grid


@words.with_settings
def sweep(
    subject: words.Words = None,
    *,
    seeds: Annotated[str | None, typer.Option(help="How many seeds, as 5, or which, as 0,1,7 or 3-7.")] = None,
    workers: words.Workers = "auto",
    results: words.Results = Path("results"),
    again: Annotated[bool, typer.Option("--again", help="Train what has a result, too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and list every run, train nothing.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show the result and what fails only.")] = False,
    options: dict[str, Any],
) -> None:
    """Train every combination of the values given, over seeds.

    What has a result is not trained again.

    kerasrun sweep fashion-mnist optimizer=sgd,momentum activation=relu,tanh --seeds 5
    """
    dataset, file, given = words.split(subject or [], options)
    asked = grid.plan(dataset, given, file=file, seeds=seeds)
    if asked.claims:
        claims.check(asked)
    from kerasrun.cli import sweep_display  # NumPy comes with these
    from kerasrun.sweeps import train as sweeps

    if dry_run:
        sweep_display.show_plan(sweeps.look(asked, results, workers_wanted=workers, again=again))
        return
    with sweeps.held(asked.id, results):
        outlook = sweeps.look(asked, results, workers_wanted=workers, again=again)
        with sweep_display.running(outlook, quiet=quiet) as watch:
            result = sweeps.train(outlook, results, watch=watch)
    sweep_display.show_result(result)
    if asked.claims and result.records:
        claims.show(asked, results)
    console.say(f"next: kerasrun compare {result.id}")
    raise typer.Exit(result.exit_code)
