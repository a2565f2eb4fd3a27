"""`kerasrun tune`: search for the best values, then ask over fresh seeds whether they are better than the default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kerasrun.cli import words
from kerasrun.sweeps import search as searches


@words.with_settings
def tune(
    subject: words.Words = None,
    *,
    trials: Annotated[int, typer.Option(min=1, help="How many in all, those of earlier calls among them.")] = 30,
    sampler: Annotated[str, typer.Option(help="How values are chosen: tpe, random or qmc.")] = "tpe",
    pruner: Annotated[str, typer.Option(help="What is given up early: median, hyperband or none.")] = "median",
    metric: Annotated[str | None, typer.Option(help="What is optimized; what the best epoch is judged by.")] = None,
    seeds: Annotated[int, typer.Option(min=0, help="Fresh seeds for the best values against the default.")] = 5,
    workers: words.Workers = "auto",
    results: words.Results = Path("results"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show the result and what fails only.")] = False,
    options: dict[str, Any],
) -> None:
    """Search for good values, each trial a run.

    Then the best and the default are trained over fresh seeds and compared.

    kerasrun tune fashion-mnist learning_rate=0.0001..0.1:log hidden=30..300 activation=relu,tanh --trials 30
    """
    dataset, file, given = words.split(subject or [], options)
    search = searches.plan(dataset, given, file=file, metric=metric)
    from kerasrun.cli import tune_display  # NumPy comes with these
    from kerasrun.sweeps import train as sweeps
    from kerasrun.sweeps import tune as tuning

    with sweeps.held(search.id, results, tuning.FOLDER):
        found = tuning.load(search, results, sampler=sampler, pruner=pruner)
        tune_display.show_start(found, trials, quiet=quiet)
        tuning.train(
            found, results, trials=trials, workers_wanted=workers, watch=tune_display.Lines(found, trials, quiet=quiet)
        )
    tune_display.show_trials(found)
    code = 1 if found.failed else 0
    if seeds and found.best:
        asked = tuning.evaluation(found, seeds)
        with sweeps.held(asked.id, results):
            outlook = sweeps.look(asked, results, workers_wanted=workers)
            with tune_display.evaluating(outlook, quiet=quiet) as watch:
                result = sweeps.train(outlook, results, watch=watch)
        tune_display.show_evaluation(result, found)
        code = code or result.exit_code
    raise typer.Exit(code)
