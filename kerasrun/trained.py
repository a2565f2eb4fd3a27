"""What a run's record says of its model: enough to feed it and to read its answers, without its data."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kerasrun import inputs, runs, task
from kerasrun.errors import InputError

LARGEST_CONFIG = 64 << 20  # bytes of a saved model's config.json; a network of a thousand layers has one


@dataclass(frozen=True)
class Trained:
    """A trained model, as its run's record has it.

    Args:
        run: the run's id.
        kind: of the task: "binary", "multiclass" or "regression".
        classes: their names in the order of their numbers; empty for regression.
        shape: of one example of the array that was trained on.
        dtype: of that array: "uint8", "float32" or "int32".
        settings: of the experiment; among them how data of one's own is read.
        inputs: how the array was made of the rows of one's own data; None where it is the data.
    """

    run: str
    kind: str
    classes: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    settings: Mapping[str, Any]
    inputs: inputs.Inputs | None = None

    @property
    def source(self) -> str:
        """What it was trained on: "arrays", or the kind of data of one's own: "tables" or "texts"."""
        return "arrays" if self.inputs is None else self.inputs.source

    def task(self, outputs: int) -> task.Task:
        """Return the task of a model with so many outputs."""
        if self.kind == "regression":
            return task.regression(self.run, self.shape, outputs, input_dtype=self.dtype)
        if self.kind == "binary":
            return task.binary(self.run, self.shape, input_dtype=self.dtype)
        return task.multiclass(self.run, self.shape, outputs, input_dtype=self.dtype)


def trained(run: runs.Run) -> Trained:
    """Return what is recorded of a run's model.

    Raises:
        InputError: the run has no model, or its record does not say what it takes.
    """
    record = run.record
    if not (run.folder / runs.BEST).is_file():
        raise InputError(f"{run.folder}: no model was saved; the run's status is {run.status}")
    try:
        asked = record["task"]
        names = asked["classes"] or range(record["data"].get("classes") or 0)
        made = inputs.recorded(record["inputs"]) if record.get("inputs") else None
        if isinstance(made, inputs.TextInputs):
            made = replace(made, vocabulary=_vocabulary(run.folder / runs.BEST))
        shape, settings = tuple(asked["shape"]), record["experiment"]
        return Trained(run.id, asked["kind"], tuple(map(str, names)), shape, asked["dtype"], settings, made)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{run.id}: its record does not say what its model takes ({error}); train it again") from None


def _vocabulary(best: Path) -> tuple[str, ...]:
    """Return the vocabulary that a saved model of texts has in its layer, read without loading it.

    Raises:
        InputError: the file is damaged, or holds no such layer.
    """
    try:
        with zipfile.ZipFile(best) as archive:
            config = archive.getinfo("config.json")
            if config.file_size > LARGEST_CONFIG:
                raise InputError(f"{best}: its config.json has {config.file_size:,} bytes, which no model has")
            layers = json.loads(archive.read(config))["config"]["layers"]
        words = next(layer for layer in layers if layer["class_name"] == "TextVectorization")
        return tuple(map(str, words["config"]["vocabulary"]))
    except (zipfile.BadZipFile, OSError, ValueError, KeyError, TypeError, StopIteration, RecursionError) as error:
        raise InputError(f"{best}: damaged, or no model of texts ({type(error).__name__}: {error})") from None
