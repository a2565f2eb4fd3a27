"""`kerasrun predict`: what a run's best model says of new data, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import kerasrun
from kerasrun import atomic, own_data
from kerasrun.analysis import tables
from kerasrun.cli import console, words
from kerasrun.errors import InputError

if TYPE_CHECKING:
    from kerasrun.datasets.rows import Chunk
    from kerasrun.runs import Run
    from kerasrun.trained import Trained

_MOST = 1000  # rows that go to the screen
Block = tuple[list[str], list[tuple[Any, ...]]]  # names of predicted columns; rows with the ids in front


def predict(
    run: Annotated[str, typer.Argument(help="A run, or last.", show_default=False)],
    given: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="A table, an .npz file, a dataset's name, a folder of images, or image files.",
            show_default=False,
        ),
    ],
    *,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="FILE.csv, for any number of rows.")] = None,
    keep: Annotated[str | None, typer.Option(help="Further columns of a table to write out: name,city.")] = None,
    results: words.Results = Path("results"),
    recipe: words.Recipe = None,
    form: words.Format = words.Form.TABLE,
) -> None:
    """Predict each row of an input.

    Class and probabilities, or the value; with row numbers and ids.

    kerasrun predict last new.csv -o predictions.csv
    """
    from kerasrun.datasets import rows
    from kerasrun.trained import trained

    words.ending(output, ("csv",))
    found = kerasrun.load_run(run, results=results)
    known = trained(found)
    opened = rows.opened(given, known, keep=own_data.columns("keep", keep) if keep else ())
    first = next(opened.chunks, None)  # what cannot be read is found before TensorFlow is loaded
    if first is None:
        raise InputError(f"{given[0]}: holds no row")
    if output is None:
        _refuse_many(given[0], len(first.x))
    blocks = _predicted(found, known, chain([first], opened.chunks), recipe)
    if output is None:
        texts = len(opened.ids) + (known.kind != "regression")
        predicted, shown = next(blocks)
        for _, more in blocks:
            shown += more
            _refuse_many(given[0], len(shown))
        numbers = [(*row[:texts], *map(float, row[texts:])) for row in shown]
        console.show_rows((*opened.ids, *predicted), numbers, form.value)
    else:
        count = _write(output, opened.ids, blocks)
        console.notice(f"wrote {output}: {count:,} rows")
    console.remark(*opened.notes)


def _refuse_many(given: str, rows: int) -> None:
    if rows > _MOST:
        raise InputError(f"{given}: more than {_MOST:,} rows, too many for the screen\nwrite a file: -o out.csv")


def _predicted(run: Run, known: Trained, chunks: Iterable[Chunk], recipe: str | None) -> Iterator[Block]:
    """Yield the predictions of chunk after chunk."""
    from kerasrun.analysis.answers import answers
    from kerasrun.training.prediction import predictor

    ask = predictor(run, known, recipe=recipe)
    for chunk in chunks:
        columns = answers(ask(chunk.x), known.kind, known.classes)
        yield [*columns], [*zip(*chunk.ids, *columns.values(), strict=True)]


def _write(path: Path, ids: tuple[str, ...], blocks: Iterator[Block]) -> int:
    """Write predictions to a file as they come, and return their number."""
    count = 0

    def fill(temporary: Path) -> None:
        nonlocal count
        with open(temporary, "w", encoding="utf-8", newline="", opener=atomic.no_link) as file:
            for predicted, rows in blocks:
                file.write(tables.csv_lines(rows if count else [(*ids, *predicted), *rows]))
                count += len(rows)

    atomic.write_with(path, fill)
    return count
