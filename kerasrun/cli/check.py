"""`kerasrun check`: data and network before a long run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from kerasrun.analysis.patient import Patient
from kerasrun.cli import console, words
from kerasrun.experiment import Experiment, resolve, to_record

if TYPE_CHECKING:
    from kerasrun.checkup import Finding
    from kerasrun.datasets import Data
    from kerasrun.training.trial import Trial


@words.with_settings
def check(subject: words.Words = None, *, options: dict[str, Any]) -> None:
    """Look at data and network before a long run.

    Ranges, balance, repeated examples, the first loss, whether one batch can be learned.

    kerasrun check fashion-mnist hidden=300-100
    """
    dataset, file, given = words.split(subject or [], options)
    experiment = resolve(dataset, given, file=file)
    from kerasrun import datasets

    data = datasets.load(experiment)
    from kerasrun.analysis import diagnosis
    from kerasrun.training.check_data import check_data

    for finding in check_data(data):
        _show(finding)
    patient, trial = _tried(experiment, data)
    network = [*_network(trial, patient)]
    for finding in network:
        _show(finding)
    found = diagnosis.diagnose(patient)
    advised = any(finding.advice for finding in network)
    if found or not advised:
        console.say("", *diagnosis.words(patient, found))
    if found or advised:
        raise typer.Exit(1)


def _tried(experiment: Experiment, data: Data) -> tuple[Patient, Trial]:
    """Return the network at its start as a patient, and what a few steps told."""
    from kerasrun.training.trial import try_out

    trial = try_out(experiment, data)
    known = {"classes": data.task.num_classes, "validation": len(data.validation)}
    record = {"id": experiment.dataset, "status": "running", "experiment": to_record(experiment), "data": known}
    return Patient(record, {}, trial.layers), trial


def _network(trial: Trial, patient: Patient) -> Iterator[Finding]:
    from kerasrun.checkup import Finding

    low, high = trial.outputs
    finite = math.isfinite(low) and math.isfinite(high)
    yield Finding("outputs", f"{low:.3g} to {high:.3g}", None if finite else "not finite before the first step")
    ideal = "" if patient.ignorance is None else f"; that of knowing nothing is {patient.ignorance:.3f}"
    yield Finding("first loss", f"{trial.layers[0]['loss']:.3f}{ideal}")
    if trial.steps:
        value = f"{trial.examples} examples: loss {trial.losses[0]:.3g} → {trial.losses[-1]:.3g} in {trial.steps} steps"
        learned = trial.learned(patient.ignorance)
        slow = "; it still falls" if not learned and trial.still_falls else ""
        advice = "it cannot learn even these: look at the labels, the rate (kerasrun find-rate) and what follows"
        yield Finding("one batch", value + slow, None if learned or slow else advice)


def _show(finding: Finding) -> None:
    console.say(f"{finding.name:<16} {finding.value}")
    if finding.advice:
        console.say(f"{'':<16} ! {finding.advice}")
