"""`kerasrun find-rate`: which learning rates a network bears."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasrun import atomic
from kerasrun.cli import console, words
from kerasrun.errors import InputError
from kerasrun.experiment import resolve

if TYPE_CHECKING:
    from kerasrun.analysis.charts import Points
    from kerasrun.training.rates import RangeTest

DRAWN, BAR = 24, 50  # points, and characters


@words.with_settings
def find_rate(
    subject: words.Words = None,
    *,
    low: Annotated[float, typer.Option(help="The first rate.")] = 1e-6,
    high: Annotated[float, typer.Option(help="The last rate.")] = 10.0,
    steps: Annotated[int, typer.Option(min=20, help="How many rates.")] = 200,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Draw it: FILE.png or FILE.svg.")] = None,
    options: dict[str, Any],
) -> None:
    """Suggest a learning rate by a training in which it grows.

    It is a third of the rate at which the loss was lowest.

    kerasrun find-rate fashion-mnist --optimizer sgd
    """
    from kerasrun.analysis import pictures

    form = words.ending(output, pictures.FORMATS)
    if form:
        pictures.require()
    if not 0 < low < high:
        raise InputError(f"--low {low:g} --high {high:g}: rates rise from one above 0 to a larger one")
    dataset, file, given = words.split(subject or [], options)
    experiment = resolve(dataset, given, file=file)
    from kerasrun import datasets

    data = datasets.load(experiment)
    from kerasrun.training.rates import find_rate as test_rates

    found = test_rates(experiment, data, low=low, high=high, steps=steps)
    every = max(1, len(found.rates) // DRAWN)
    pairs = [*zip(found.rates, found.losses, strict=True)][::every]
    if output is not None:
        title = f"{experiment.dataset}, {experiment.optimizer}: loss while the rate grows"
        atomic.write(output, pictures.picture(_chart(pairs, title), form, log=True))
        console.notice(f"wrote {output}")
    console.say("    rate    loss", *_bars(pairs), "", *_said(found, high))


def _chart(pairs: Sequence[tuple[float, float]], title: str) -> Points:
    from kerasrun.analysis.charts import Point, Points

    return Points(title, "loss", tuple(Point(f"{rate:.1e}", (loss,), loss, None, None) for rate, loss in pairs))


def _bars(pairs: Sequence[tuple[float, float]]) -> Iterator[str]:
    low, high = (limit(loss for _, loss in pairs) for limit in (min, max))
    for rate, loss in pairs:
        yield f" {rate:.1e}  {loss:6.4g}  {'█' * (1 + round(BAR * (loss - low) / ((high - low) or 1)))}"


def _said(found: RangeTest, high: float) -> list[str]:
    if found.lowest >= 0.9 * high:
        return [f"The loss still falls at the last rate, {high:g}: try --high {10 * high:g}."]
    if found.losses[0] - min(found.losses) < 0.01 * abs(found.losses[0]):
        return ["The loss falls at no rate: kerasrun check says what else may be wrong."]
    return [
        f"The loss is lowest at a rate of {found.lowest:.2g}, and learning ends beyond.",
        f"try: learning_rate={found.suggested:g}",
    ]
