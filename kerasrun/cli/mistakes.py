"""`kerasrun mistakes`: the errors that a run's best model was surest of, with what it was shown."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import kerasrun
from kerasrun import atomic
from kerasrun.analysis import pictures
from kerasrun.cli import console, words
from kerasrun.errors import DataUnavailable, InputError, shown
from kerasrun.runs import PREDICTIONS, Run
from kerasrun.task import is_image

if TYPE_CHECKING:
    import numpy as np

    from kerasrun.datasets.labelled import Labelled
    from kerasrun.trained import Trained

_MOST_NUMBERS = 8  # of an example without named columns that are written out


def mistakes(
    run: words.Run = "last",
    *,
    most: Annotated[int, typer.Option("-n", "--number", min=1, help="How many.")] = 20,
    part: Annotated[words.Part, typer.Option(help="Of the run's own data.")] = words.Part.TEST,
    results: words.Results = Path("results"),
    recipe: words.Recipe = None,
    form: words.Format = words.Form.TABLE,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="FILE.csv, .json or .md; of images .png or .svg, too.")
    ] = None,
) -> None:
    """Show the errors that the best model was surest of.

    Of a regression, the largest residuals.

    kerasrun mistakes last -n 6
    """
    from kerasrun.trained import trained

    kind = words.ending(output, ("csv", "json", "md", *pictures.FORMATS))
    if kind in pictures.FORMATS:
        pictures.require()
    found = kerasrun.load_run(run, results=results)
    worst = _worst(found, trained(found), part.value, most, recipe)
    title = f"{Path(found.record['experiment']['dataset']).name} · run {found.id} · {part} part · {worst.title}"
    if output is not None:
        atomic.write(output, _content(worst, title, kind))
        console.notice(f"wrote {output}")
    elif form is not words.Form.TABLE:
        console.show_rows(worst.columns, worst.rows, form.value)
    else:
        console.show_title(title)
        if worst.images is None:
            console.show_table(worst.columns, worst.rows, text_columns=("row",))
        else:
            _draw(worst.images, worst.captions)
    console.remark(*worst.notes)


@dataclass(frozen=True)
class _Worst:
    """What is shown: a row for each mistake, and what the model was shown.

    Args:
        title: how many of how many.
        columns: names.
        rows: cells.
        captions: one line for each mistake.
        images: float32 (n, height, width, 1 or 3), 0 to 1; None where examples are no images or not to be had.
        notes: lines for the user.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    captions: list[str]
    images: np.ndarray | None
    notes: tuple[str, ...]


def _worst(run: Run, known: Trained, part: str, most: int, recipe: str | None) -> _Worst:
    """Choose the mistakes: which there are is kept in predictions.npz, how sure the model was of them it says again."""
    import numpy as np

    from kerasrun.analysis import mistakes as chosen
    from kerasrun.datasets import npz

    kept = npz.read(run.folder / PREDICTIONS)
    rows, labels, said = (kept[f"{part}_{name}"] for name in ("rows", "labels", "best"))
    examples, notes = _examples(run, known, part, rows)
    if known.kind == "regression":
        picked = chosen.farthest(labels, said, most)
        columns, cells = chosen.value_cells(labels[picked], said[picked])
        captions = [f"{cell[-2]:g}, true {cell[-3]:g}" for cell in cells]
        title = f"the {len(picked):,} largest of {len(rows):,} residuals"
    else:
        wrong = np.flatnonzero(said != labels)
        title = f"{min(most, len(wrong)):,} of {len(wrong):,} errors in {len(rows):,} examples"
        if examples is None:
            picked = wrong[:most]
            columns = ("true", "predicted")
            cells = [(known.classes[labels[i]], known.classes[said[i]]) for i in picked]
        else:
            probability = _asked(run, known, examples.x[wrong], recipe)
            order = chosen.surest(labels[wrong], probability, most)
            picked = wrong[order]
            columns, cells = chosen.class_cells(labels[picked], probability[order], known.classes)
            title += ", the surest first"
        captions = [f"{cell[0]} taken for {cell[1]}" + (f" ({cell[2]:.0%})" if len(cell) > 2 else "") for cell in cells]
    numbers = [str(row) for row in rows[picked].tolist()]
    names, held, images = _held(known, examples, picked, part)
    called = [f"row {number}" for number in numbers]
    if examples is not None and "file" in examples.ids:
        called = [examples.ids["file"][i] for i in picked]
        names, held = ("file", *names), [(f, *c) for f, c in zip(called, held or [()] * len(called), strict=True)]
    captions = [f"{name}: {caption}" for name, caption in zip(called, captions, strict=True)]
    every = [(n, *_shortest((*c, *h))) for n, c, h in zip(numbers, cells, held or [()] * len(cells), strict=True)]
    return _Worst(title, ("row", *columns, *names), every, captions, images, notes)


def _examples(run: Run, known: Trained, part: str, rows: np.ndarray) -> tuple[Labelled | None, tuple[str, ...]]:
    """Return the examples of a part, or None and why they are not to be had."""
    from kerasrun.datasets import labelled

    try:
        examples = labelled.own_part(run, known, part)
    except (InputError, DataUnavailable) as error:
        reason = str(error).splitlines()[0]
        return None, (f"{reason}: examples are not shown, errors are in the order of their rows",)
    if examples.ids["row"] != rows.tolist():
        raise InputError(f"{run.folder / PREDICTIONS}: is of other rows than the {part} part")
    return examples, ()


def _asked(run: Run, known: Trained, x: np.ndarray, recipe: str | None) -> np.ndarray:
    """Return the probabilities of all classes, float32 (n, classes)."""
    import numpy as np

    from kerasrun.analysis.scores import probabilities

    if not len(x):
        return np.zeros((0, len(known.classes)), np.float32)
    from kerasrun.training.prediction import predictor

    return probabilities(predictor(run, known, recipe=recipe)(x), known.kind)


def _held(
    known: Trained, examples: Labelled | None, picked: np.ndarray, part: str
) -> tuple[tuple[str, ...], list[tuple[Any, ...]] | None, np.ndarray | None]:
    """Return what examples hold: names and cells of columns, or images."""
    from kerasrun.analysis import images
    from kerasrun.datasets import texts
    from kerasrun.datasets.tables import decoded
    from kerasrun.inputs import TextInputs

    if examples is None:
        return (), None, None
    if isinstance(known.inputs, TextInputs):
        ids = {name: [values[i] for i in picked] for name, values in examples.ids.items()}
        return ("text",), [(shown(" ".join(t.split())),) for t in texts.shown(known.settings, part, ids)], None
    x = examples.x[picked]
    if known.inputs is not None:
        cells = {name: values.tolist() for name, values in decoded(known.inputs, x).items()}
        return tuple(cells), [*zip(*cells.values(), strict=True)], None
    if is_image(known.shape):
        return (), None, images.brightness(x)
    more = " …" if int(x[0].size if len(x) else 0) > _MOST_NUMBERS else ""
    return ("input",), [(" ".join(f"{v:g}" for v in row.ravel()[:_MOST_NUMBERS].tolist()) + more,) for row in x], None


def _shortest(cells: tuple[Any, ...]) -> list[Any]:
    """Return cells with float32 numbers as the shortest ones that read back as them; None where empty."""
    import numpy as np

    numbers = (None if isinstance(cell, str) else np.float32(cell) for cell in cells)
    return [c if n is None else None if n != n else float(str(n)) for c, n in zip(cells, numbers, strict=True)]


def _content(worst: _Worst, title: str, kind: str) -> bytes | str:
    """Return what is written to a file."""
    if kind not in pictures.FORMATS:
        from kerasrun.analysis.tables import to_text

        return to_text(worst.columns, worst.rows, kind)
    if worst.images is None:
        raise InputError("\n".join(worst.notes) or "the examples are no images; choose csv, json or md")
    from kerasrun.analysis.evaluation_pictures import grid

    return grid(title, worst.images, worst.captions, kind)


def _draw(images: np.ndarray, captions: list[str]) -> None:
    from kerasrun.analysis.images import drawn

    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    console.say(*drawn(images, captions, colour=colour, width=shutil.get_terminal_size().columns))
