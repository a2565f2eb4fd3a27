"""What a run's record says of its model: enough to feed it and to read its answers, without its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kerasrun import inputs, runs, task
from kerasrun.errors import InputError


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
    inputs: inputs.TableInputs | None = None

    @property
    def source(self) -> str:
        """What it was trained on: "arrays", or the kind of data of one's own: "tables"."""
        return "arrays" if self.inputs is None else "tables"

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
        shape, settings = tuple(asked["shape"]), record["experiment"]
        return Trained(run.id, asked["kind"], tuple(map(str, names)), shape, asked["dtype"], settings, made)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{run.id}: its record does not say what its model takes ({error}); train it again") from None
