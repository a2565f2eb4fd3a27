"""`kerasrun diagnose`: why a network does not learn, and what to try."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

import kerasrun
from kerasrun import atomic
from kerasrun.analysis import diagnosis, illnesses, moments, pictures
from kerasrun.analysis.patient import Patient, read_layers
from kerasrun.cli import console, words
from kerasrun.errors import InputError
from kerasrun.runs import HEALTH, Run

_PLAINLY_WRONG = ("nothing learned", "rate too high", "dead units")


def diagnose(
    run: words.Run = "last",
    *,
    epoch: Annotated[
        int | None, typer.Option(min=0, help="Show the layers after this epoch; 0 is the start.", show_default=False)
    ] = None,
    results: words.Results = Path("results"),
    recipe: words.Recipe = None,
    form: words.Format = words.Form.TABLE,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Also draw the gradients, as FILE.png or FILE.svg.")
    ] = None,
) -> None:
    """Say layer by layer why a network does not learn.

    Shows gradients and outputs, what is wrong with them, and what to try.

    Runs trained with --health are known at each epoch; of others the start and the best epoch are measured now.

    kerasrun diagnose last
    """
    drawn_as = words.ending(output, pictures.FORMATS)
    if drawn_as:
        pictures.require()
    patient = _patient(kerasrun.load_run(run, results=results), recipe)
    found = diagnosis.diagnose(patient)
    telling = [illness.epoch for illness in found if illness.epoch is not None]
    chosen = [*telling, patient.measured[-1]][0] if epoch is None else epoch
    if chosen not in patient.measured:
        measured = ", ".join(map(str, patient.measured))
        raise InputError(f"--epoch {epoch}: the layers were measured at epochs {measured}; --health measures each")
    if output is not None:
        atomic.write(output, pictures.picture(diagnosis.chart(patient, chosen), drawn_as, log=True))
        console.notice(f"wrote {output}")
    columns, rows = diagnosis.table(patient, chosen)
    console.show_rows(columns, rows, form)
    if form is words.Form.TABLE:
        console.say("", *diagnosis.words(patient, found))
        console.notice(f"layers {illnesses.when(chosen)}; epochs measured: {', '.join(map(str, patient.measured))}")


def warn(run: Run) -> None:
    """Say in a line what is plainly wrong with a training that has just ended."""
    told = [illness for illness in diagnosis.diagnose(_known(run)) if illness.name in _PLAINLY_WRONG]
    if told:
        console.notice(f"{told[0].says} Why, and what to try: kerasrun diagnose {run.id}")


def _patient(run: Run, recipe: str | None) -> Patient:
    """Return what is known of a run; its layers are measured now where no health.csv tells of them."""
    patient = _known(run)
    if patient.layers:
        return patient
    from kerasrun.training.examination import examine

    return replace(patient, layers=[*examine(run, recipe=recipe)])


def _known(run: Run) -> Patient:
    record = {**run.record, "status": run.status, "path": str(run.folder)}
    path = run.folder / HEALTH
    return Patient(record, moments.curves(record), read_layers(path) if path.is_file() else [])
