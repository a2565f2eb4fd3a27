"""Whether and how a run goes on: what it was made with, what is different now, and where it stopped.

Decides everything that can be decided before TensorFlow is loaded.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasrun import catalog, environment, experiment, run_index, runs
from kerasrun.errors import InputError
from kerasrun.experiment import Experiment
from kerasrun.run_record import FINAL
from kerasrun.runs import Run

CHANGEABLE = ("epochs", "patience", "save_every")


def continued(run: Run, given: Mapping[str, Any], *, recipe: str | None = None) -> Experiment:
    """Return the experiment that a run goes on with.

    Args:
        run: the run, as its record has it.
        given: new values of CHANGEABLE settings, as text or typed.
        recipe: "file.py:function" to use in place of the run folder's copy.

    Raises:
        InputError: a setting that cannot change any more, or a recipe that is not the one the run began with.
    """
    read = experiment.setting_fields()
    for name in given:
        if name not in CHANGEABLE:
            raise InputError(f"{name} cannot change in the middle of a run\nchangeable: {', '.join(CHANGEABLE)}")
    new = {name: read[name].metadata["read"](name, value) for name, value in given.items()}
    if run.is_merged and run.record["experiment"].get("callbacks"):
        raise InputError(f"{run.id} came from another results folder: its callbacks are not executed; train it anew")
    before = run.experiment if _is_known(run) else _from_copy(run, recipe)
    if new.get("epochs", before.epochs) != before.epochs and before.schedule.startswith("cosine"):
        raise InputError(
            f"schedule {before.schedule} was drawn for {before.epochs} epochs; other epochs would be another run"
        )
    threads = before.threads or run.record.get("threads")
    loop = run.record.get("loop") or before.loop
    return dataclasses.replace(before, **{"threads": threads, "loop": loop, **new})


def newest_of(wanted: Experiment, results: Path) -> Run | None:
    """Return the newest run of an experiment in a results folder: equal identities, whatever the data's content.

    Args:
        wanted: the experiment.
        results: folder of all runs.
    """
    wanted_hash = experiment.identity(wanted, "")
    for record in run_index.scan(results).records:
        if record.get("experiment_hash") == wanted_hash:
            return runs.load(results / record["folder"])
    return None


def is_complete(run: Run, wanted: Experiment) -> bool:
    """Tell whether nothing is left to do: stopped or diverged for good, or all epochs done."""
    status = run.status
    return status in FINAL or (status == "finished" and run.record["epochs_run"] >= wanted.epochs)


def made_with(run: Run) -> dict[str, Any]:
    """Return what may change last digits: versions and processor that the run began with, and what it trained on."""
    return {**run.record["versions"], "processor": run.record["hardware"]["processor"], **_trained_on(run)}


def differences(run: Run, then: Mapping[str, Any]) -> list[str]:
    """Return what is not as it was when the run began, and may change last digits.

    Args:
        run: prepared for going on: its record says what it trains on now.
        then: what `made_with` said before.
    """
    now = {**environment.versions(), "processor": environment.hardware()["processor"], **_trained_on(run)}
    changed = [f"{name} {then[name]} → {now.get(name)}" for name in then if then[name] != now.get(name)]
    return [f"not as when the run began: {', '.join(changed)}; last digits may differ"] if changed else []


def check_data(run: Run, data_hash: str) -> None:
    """Refuse to go on with other data.

    Raises:
        InputError: the data's content is not what the run began with.
    """
    before = (run.record.get("data") or {}).get("hash")
    if before and before != data_hash:
        raise InputError(
            f"the data of {run.experiment.dataset} has changed since the run began "
            f"(hash {before[:12]}… then, {data_hash[:12]}… now)\nrestore the data, or train anew"
        )


def _trained_on(run: Run) -> dict[str, Any]:
    return {name: run.record[name] for name in ("threads", "jit", "device") if name in run.record}


def _is_known(run: Run) -> bool:
    """Tell whether the recipe that the record names is still the one that the run began with."""
    reference = run.record["experiment"]["recipe"]
    if run.is_merged and ".py" in reference:  # a path that somebody else wrote down, perhaps one to the run's own copy
        return False
    try:
        entry = catalog.recipe(reference)
    except InputError:
        return False
    return hashlib.sha256(entry.source.encode()).hexdigest() == run.record.get("recipe_sha256")


def _from_copy(run: Run, recipe: str | None) -> Experiment:
    """Return the experiment with the recipe's copy in the run folder, where that can be trusted."""
    if recipe is None:
        if (copy := run.own_recipe()) is None:
            raise InputError(
                f"{run.folder / runs.RECIPE}: not the recipe that the run began with, or a folder from elsewhere\n"
                "it is not executed; name the recipe's file: --recipe my_models.py:wide"
            )
        recipe = f"{copy}:{catalog.recipe(str(copy)).function}"
    return experiment.from_record({**run.record["experiment"], "recipe": recipe}, run.record["origins"])
