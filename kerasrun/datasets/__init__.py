"""Data for a training: read from one of the sources, checked, split. One source a file; none of them needs TensorFlow.

A source has `read(entry, arguments) -> Unsplit`. `load` is the way from a dataset's name to the three parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasrun import catalog
from kerasrun.datasets import checks, fetch, registered, splits
from kerasrun.datasets.parts import Data, Part, Unsplit, content_hash
from kerasrun.errors import DataUnavailable

if TYPE_CHECKING:
    from kerasrun.catalog import DatasetEntry
    from kerasrun.experiment import Experiment

__all__ = ["Data", "Part", "add", "listing", "load", "status", "unsplit"]


def load(experiment: Experiment) -> Data:
    """Return the data of an experiment.

    Raises:
        InputError: unknown name, a share that holds nothing out, or data that a network cannot eat.
        DataUnavailable: data that is neither bundled nor cached and cannot be fetched.
    """
    entry, arguments = catalog.dataset(experiment.dataset, experiment.options)
    unsplit, notes = checks.check(_with_files(_read(entry, arguments), experiment, entry.source))
    hashed = unsplit.content_hash or content_hash(unsplit.parts())
    if not unsplit.same:
        validation, test = (s if isinstance(s, float) else 0.0 for s in (experiment.validation, experiment.test))
        unsplit, more = splits.split(unsplit, validation=validation, test=test, split_seed=experiment.split_seed)
        notes += more
        if experiment.limit is not None:
            unsplit, more = splits.limit(unsplit, examples=experiment.limit, split_seed=experiment.split_seed)
            notes += more
    if unsplit.fit is not None:
        unsplit, more = checks.check(unsplit.fit(unsplit))
        notes += more
    notes = (*unsplit.notes, *notes, *checks.notes_on_split(unsplit))
    return Data(
        unsplit.task, **unsplit.parts(), content_hash=hashed, synthetic=unsplit.synthetic, notes=notes,
        passes=unsplit.passes, inputs=unsplit.inputs, files=unsplit.files, skipped=unsplit.skipped,
    )  # fmt: skip


def unsplit(name: str) -> Unsplit:
    """Return all examples of a named dataset, checked, before anything is held out.

    Raises:
        InputError, DataUnavailable: as `load`.
    """
    return checks.check(_read(*catalog.dataset(name)))[0]


def _read(entry: DatasetEntry, arguments: Mapping[str, Any]) -> Unsplit:
    """Return the user's registered copy where there is one, else what the entry's source reads."""
    if entry.source == "keras_sets" and registered.has(entry):
        return registered.read(entry, arguments)
    if registered.is_table(entry) and not registered.has(entry):
        raise DataUnavailable(
            f"{entry.name} is fetched from nowhere\nadd it: kerasrun datasets add {entry.name} FILE.csv"
        )
    return import_module(f"kerasrun.datasets.{entry.source}").read(entry, arguments)


def _with_files(unsplit: Unsplit, experiment: Experiment, source: str) -> Unsplit:
    """Put the examples of --validation FILE and --test FILE in their places; they are read as the data itself is."""
    files = import_module(f"kerasrun.datasets.{source if unsplit.fit else 'arrays'}")
    for name, given in (("validation", experiment.validation), ("test", experiment.test)):
        if isinstance(given, str):
            part, content = files.read_part(Path(given), name, unsplit)
            unsplit = replace(unsplit.having({name: part}), same=False, content_hash=content)
    return unsplit


def status(entry: DatasetEntry) -> str:
    """Return where a dataset's data is: "bundled", "cached", "registered", "made on request", or that it is "not …"."""
    if registered.has(entry):
        return "registered"
    if registered.is_table(entry):
        return "not registered"
    if entry.is_own:
        return "a file"
    if entry.source == "synthetic":
        return "made on request"
    if entry.source in ("bundled", "truth_tables"):
        return "bundled"
    return "cached" if fetch.cached(entry) else "not cached"


def listing() -> list[dict[str, Any]]:
    """Return a row for each dataset of the catalog, for `kerasrun datasets`; opens no data.

    Returns:
        name, kind, shape (tuple), classes (int, None for regression), train, test (examples), bytes (to fetch; 0 where
        nothing is), status, description.
    """
    return [
        {
            "name": entry.name,
            "kind": entry.task.kind,
            "shape": entry.task.input_shape,
            "classes": entry.task.num_classes,
            "train": entry.train,
            "test": entry.test,
            "bytes": sum(download.bytes for download in entry.downloads),
            "status": status(entry),
            "description": entry.description,
        }
        for entry in catalog.datasets().values()
    ]


def add(name: str, file: str | Path) -> Path:
    """Register one's own copy of a named dataset, which goes before Keras's; return where it lies.

    Raises:
        InputError: the name is not a dataset that is fetched, or the file does not hold that dataset.
        DiskError: the copy cannot be written.
    """
    entry, _ = catalog.dataset(name)
    return registered.add(entry, Path(file))
