"""`kerasrun regions`: what a network of two inputs answers where, drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import kerasrun
from kerasrun import atomic, continuation
from kerasrun.analysis import pictures, region_pictures
from kerasrun.analysis.region_pictures import Panel
from kerasrun.cli import console, words
from kerasrun.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from kerasrun.datasets import Part

    Ask = Callable[[np.ndarray], np.ndarray]  # inputs (n, 2) to outputs (n, 1)

ROWS, COLUMNS = 17, 41  # of the field, in characters
MARGIN = 0.5  # of the inputs' range, around it
SHADES = "·░▓█"  # of outputs from 0 to 1; at 0.5 light turns into dark
MOST = 8  # examples whose outputs are listed


def regions(
    run: words.Run = "last",
    *,
    results: words.Results = Path("results"),
    recipe: words.Recipe = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Draw it: FILE.png or FILE.svg.")] = None,
) -> None:
    """Draw what a network of two inputs answers in the plane.

    Of two classes, with the training examples in it.

    kerasrun regions last -o xor.svg
    """
    from kerasrun.trained import trained

    form = words.ending(output, pictures.FORMATS)
    if form:
        pictures.require()
    found = kerasrun.load_run(run, results=results)
    experiment = continuation.continued(found, {}, recipe=recipe)
    task = experiment.entry.task
    known = trained(found)
    if not (task.input_shape == known.shape == (2,)) or task.kind != "binary":
        raise InputError(f"{task.name}: regions are drawn of two inputs and two classes, as those of xor")
    from kerasrun import datasets

    part = datasets.load(experiment).train
    from kerasrun.training.prediction import predictor

    ask = predictor(found, known, recipe=recipe)
    if output is None:
        console.say(*_field(ask, part))
    else:
        atomic.write(output, region_pictures.picture([_panel(f"{found.id}: outputs", ask, part)], form))
        console.notice(f"wrote {output}")
    if len(part) <= MOST:
        console.say(*_listed(part, ask(part.x)[:, 0]))


def panel(run: str, results: Path, title: str) -> Panel:
    """Return a run's network as a panel of a picture.

    Raises:
        InputError: it has no best weights, or a recipe that may not be used.
    """
    from kerasrun import datasets
    from kerasrun.trained import trained
    from kerasrun.training.prediction import predictor

    found = kerasrun.load_run(run, results=results)
    return _panel(title, predictor(found, trained(found)), datasets.load(continuation.continued(found, {})).train)


def _panel(title: str, ask: Ask, part: Part) -> Panel:
    across, up = (_range(part.x[:, i], COLUMNS) for i in (0, 1))
    answers = _answers(ask, across, up[::-1])
    return Panel(title, (across[0], across[-1]), (up[0], up[-1]), answers, part.x, part.y.reshape(-1))


def _range(values: np.ndarray, count: int) -> list[float]:
    low, high = float(values.min()), float(values.max())
    spread = high - low or 1.0  # a constant input
    low, width = low - MARGIN * spread, high - low + 2 * MARGIN * spread
    return [low + width * i / (count - 1) for i in range(count)]


def _answers(ask: Ask, across: Sequence[float], down: Sequence[float]) -> np.ndarray:
    """Return the outputs, (rows, columns), from the upper left."""
    import numpy

    points = numpy.array([[x, y] for y in down for x in across], dtype="float32")
    return ask(points).reshape(len(down), len(across))


def _field(ask: Ask, part: Part) -> Iterator[str]:
    """Yield lines of shades, with the examples as their labels."""
    across, up = _range(part.x[:, 0], COLUMNS), _range(part.x[:, 1], ROWS)
    answers = _answers(ask, across, up[::-1])
    lines = [[SHADES[min(int(value * len(SHADES)), len(SHADES) - 1)] for value in row] for row in answers]
    for (x, y), label in zip(part.x, part.y, strict=True):
        column = round((x - across[0]) / (across[-1] - across[0]) * (len(across) - 1))
        row = round((up[-1] - y) / (up[-1] - up[0]) * (len(up) - 1))
        lines[row][column] = str(label)
    for number, line in enumerate(lines):
        yield f"{up[-1 - number]:7.2f} {''.join(line)}" if number % 4 == 0 else f"{'':7} {''.join(line)}"
    yield f"{'':7} {f'{across[0]:.2f}':<{len(across) - 5}}{across[-1]:5.2f}"
    yield f"{'':7} output below 0.25 {SHADES[0]}, 0.5 {SHADES[1]}, 0.75 {SHADES[2]}, above {SHADES[3]}"


def _listed(part: Part, outputs: np.ndarray) -> Iterator[str]:
    for inputs, label, value in zip(part.x, part.y, outputs, strict=True):
        right = "right" if int(value > 0.5) == label else "wrong"
        yield f"{inputs[0]:g} {inputs[1]:g}   output {value:.4f}   label {label}   {right}"
