"""`kerasrun evaluate`: how good a run's best model is, on its own held-out data or on a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import kerasrun
from kerasrun import atomic, continuation
from kerasrun.analysis import pictures
from kerasrun.cli import console, words
from kerasrun.runs import Run

if TYPE_CHECKING:
    import numpy as np

    from kerasrun.analysis.evaluation import Section
    from kerasrun.datasets.labelled import Labelled
    from kerasrun.trained import Trained
    from kerasrun.training.evaluation import Evaluated


def evaluate(
    run: words.Run = "last",
    *,
    data: Annotated[
        str | None, typer.Option(help="A file with the same columns or arrays; the run's own without.")
    ] = None,
    part: Annotated[words.Part, typer.Option(help="Of the run's own data.")] = words.Part.TEST,
    results: words.Results = Path("results"),
    recipe: words.Recipe = None,
    form: words.Format = words.Form.TABLE,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="FILE.csv, .json, .md, .png or .svg.")] = None,
) -> None:
    """Show how good the best model is on a part of the data.

    Loss, metrics, confusion matrix, classes and calibration; of a regression, residuals.

    kerasrun evaluate last --data new.csv
    """
    from kerasrun.datasets import labelled
    from kerasrun.trained import trained

    kind = words.ending(output, ("csv", "json", "md", *pictures.FORMATS))
    if kind in pictures.FORMATS:
        pictures.require()
    found = kerasrun.load_run(run, results=results)
    known = trained(found)
    examples = labelled.file(data, known) if data else labelled.own_part(found, known, part.value)
    console.remark(*examples.notes)
    from kerasrun.training import evaluation as training

    outcome = training.evaluate(found, known, examples.x, examples.y, recipe=recipe)
    recorded = None if data else _recorded(found, part)
    title = _title(found, data or f"{part} part", len(examples.x))
    if kind in pictures.FORMATS and output is not None:
        atomic.write(output, _picture(title, known, examples.y, outcome.outputs, kind))
        console.notice(f"wrote {output}")
        return
    _show(title, _sections(known, examples, outcome, recorded), kind or form.value, output)
    if recorded is not None:
        console.remark(*_compared(found, outcome.measured, recorded))


def _recorded(run: Run, part: words.Part) -> dict[str, float]:
    """Return the metrics of the best epoch's weights, as the record has them."""
    if part is words.Part.TEST:
        return run.record.get("test") or {}
    best = run.record.get("best") or {}
    return {name.removeprefix("val_"): value for name, value in best.items() if name.startswith("val_")}


def _title(run: Run, where: str, count: int) -> str:
    dataset, epoch = Path(run.record["experiment"]["dataset"]).name, run.record.get("best_epoch")
    return f"{dataset} · run {run.id}, epoch {epoch} · {where} · {count:,} examples"


def _sections(
    known: Trained, examples: Labelled, outcome: Evaluated, recorded: dict[str, float] | None
) -> list[Section]:
    from kerasrun.analysis import evaluation
    from kerasrun.analysis.scores import probabilities

    if known.kind == "regression":
        return evaluation.regressed(examples.y, outcome.outputs, examples.ids, outcome.measured, recorded)
    probability = probabilities(outcome.outputs, known.kind)
    return evaluation.classified(examples.y, probability, known.classes, outcome.measured, recorded)


def _picture(title: str, known: Trained, y: np.ndarray, outputs: np.ndarray, form: str) -> bytes:
    from kerasrun.analysis import evaluation_pictures
    from kerasrun.analysis.scores import probabilities

    if known.kind == "regression":
        return evaluation_pictures.regression(title, y, outputs, form)
    return evaluation_pictures.classification(title, y, probabilities(outputs, known.kind), known.classes, form)


def _show(title: str, sections: list[Section], form: str, output: Path | None) -> None:
    if form != "table":
        from kerasrun.analysis import evaluation

        text = evaluation.export(sections, form)
        if output is None:
            console.say(text.rstrip("\n"))
        else:
            atomic.write(output, text)
            console.notice(f"wrote {output}")
        return
    console.show_title(title)
    for number, section in enumerate(section for section in sections if section.shown):
        if number:
            console.say("", section.title)
        console.show_table(section.columns, section.rows, text_columns=section.texts)


def _compared(run: Run, measured: dict[str, float], recorded: dict[str, float]) -> list[str]:
    from kerasrun.analysis import evaluation

    names = evaluation.different(measured, recorded)
    if not names:
        return ["equal to the run's record"] if recorded else []
    changed = continuation.differences(run, continuation.made_with(run))
    why = changed or ["nothing that is recorded explains it; is the device another one?"]
    return [f"not equal to the run's record: {', '.join(names)}", *why]
