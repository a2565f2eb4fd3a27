"""`kerasrun regions`: what a network of two inputs answers where, drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import kerasrun
from kerasrun import atomic, continuation
from kerasrun.analysis import pictures, region_pictures
from kerasrun.analysis.region_pictures import Panel
from kerasrun.cli import console, words
from kerasrun.errors import InputError, unknown

if TYPE_CHECKING:
    import numpy as np

    from kerasrun.datasets import Part

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
    form = "" if output is None else output.suffix.lower().removeprefix(".")
    if output is not None and form not in pictures.FORMATS:
        raise unknown("kind of file", form or output.name, pictures.FORMATS)
    found = kerasrun.load_run(run, results=results)
    experiment = continuation.continued(found, {}, recipe=recipe)
    task = experiment.entry.task
    if task.input_shape != (2,) or task.kind != "binary":
        raise InputError(f"{task.name}: regions are drawn of two inputs and two classes, as those of xor")
    from kerasrun import datasets

    part = datasets.load(experiment).train
    model = found.model(recipe=recipe)
    if output is None:
        console.say(*_field(model, part))
    else:
        atomic.write(output, region_pictures.picture([_panel(f"{found.id}: outputs", model, part)], form))
        console.notice(f"wrote {output}")
    if len(part) <= MOST:
        console.say(*_listed(part, model(part.x).numpy()[:, 0]))


def panel(run: str, results: Path, title: str) -> Panel:
    """Return a run's network as a panel of a picture.

    Raises:
        InputError: it has no best weights, or a recipe that may not be used.
    """
    from kerasrun import datasets

    found = kerasrun.load_run(run, results=results)
    return _panel(title, found.model(), datasets.load(continuation.continued(found, {})).train)


def _panel(title: str, model: object, part: Part) -> Panel:
    across, up = (_range(part.x[:, i], COLUMNS) for i in (0, 1))
    answers = _answers(model, across, up[::-1])
    return Panel(title, (across[0], across[-1]), (up[0], up[-1]), answers, part.x, part.y.reshape(-1))


def _range(values: np.ndarray, count: int) -> list[float]:
    low, high = float(values.min()), float(values.max())
    low, width = low - MARGIN * (high - low), (1 + 2 * MARGIN) * (high - low)
    return [low + width * i / (count - 1) for i in range(count)]


def _answers(model: object, across: Sequence[float], down: Sequence[float]) -> np.ndarray:
    """Return the outputs, (rows, columns), from the upper left."""
    import numpy

    points = numpy.array([[x, y] for y in down for x in across], dtype="float32")
    return model(points).numpy().reshape(len(down), len(across))  # type: ignore[operator]


def _field(model: object, part: Part) -> Iterator[str]:
    """Yield lines of shades, with the examples as their labels."""
    across, up = _range(part.x[:, 0], COLUMNS), _range(part.x[:, 1], ROWS)
    answers = _answers(model, across, up[::-1])
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
