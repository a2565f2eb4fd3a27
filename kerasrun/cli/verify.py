"""`kerasrun verify`: train the first epochs of a run again and say which digits agree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import kerasrun
from kerasrun.cli import console, words
from kerasrun.verification import Verdict


def verify(
    run: words.Run = "last",
    *,
    epochs: Annotated[int, typer.Option(min=1, help="How many epochs to train again.")] = 2,
    results: words.Results = Path("results"),
    recipe: words.Recipe = None,
) -> None:
    """Train a run's first epochs again and say which digits agree.

    kerasrun verify last --epochs 3
    """
    verdict = kerasrun.verify(run, epochs=epochs, results=results, recipe=recipe)
    console.say(*_said(verdict))
    if not verdict.equal:
        raise typer.Exit(1)


def _said(verdict: Verdict) -> list[str]:
    plural = "s" if verdict.epochs != 1 else ""
    compared = f"{verdict.epochs} epoch{plural}, {verdict.columns} columns"
    if verdict.first is None:
        return [f"{verdict.run}: equal byte for byte ({compared})"]
    first = verdict.first
    lines = [
        f"{verdict.run}: not equal ({compared}); all numbers agree to {verdict.digits} significant digits",
        f"first difference in epoch {first.epoch}, {first.column}: {first.recorded} recorded, {first.again} now",
    ]
    if verdict.causes:
        return [*lines, *(f"cause: {cause}" for cause in verdict.causes)]
    return [
        *lines,
        "cause: none that is recorded; metrics.csv was edited, or recipe, callback or GPU go by more than the seed",
    ]
