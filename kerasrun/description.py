"""What a user of an exported model has to know, as JSON beside it: what it takes, what it says, how it was checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from kerasrun.environment import versions
from kerasrun.inputs import InputColumn, Inputs, TextInputs
from kerasrun.trained import Trained


def described(
    trained: Trained,
    inputs: Mapping[str, tuple[str, Sequence[int | None]]],
    columns: Mapping[str, InputColumn],
    outputs: int,
) -> dict[str, Any]:
    """Return the description of an exported model, as plain JSON values.

    Args:
        trained: the model.
        inputs: dtype and shape of its inputs, by name.
        columns: the columns of a table that the inputs take, by name; else they take an array.
        outputs: numbers that it gives for one example.
    """
    says = {"binary": f"probability of {trained.classes[-1]!r}"} if trained.classes else {}
    says["multiclass"] = "probability of each class"
    scale = trained.settings["scale"]
    batch = next(iter(inputs.values()))[1][0]
    found: dict[str, Any] = {
        "run": trained.run,
        "inputs": [
            {"name": name, "dtype": dtype, "shape": [*shape], **(_cell(columns[name]) if name in columns else {})}
            for name, (dtype, shape) in inputs.items()
        ],
        "output": {"shape": [batch, outputs], "says": says.get(trained.kind, "the predicted value")},
        "classes": [*trained.classes],
        "scaling": "none" if scale == "none" else f"{scale}, inside the model",
        "made_with": {name: versions()[name] for name in ("kerasrun", "keras", "tensorflow", "numpy")},
    }
    if trained.inputs is not None and not columns and "text" not in inputs:
        found["array"] = array(trained.inputs)
    return found


def array(inputs: Inputs) -> Any:
    """Return how each number of the array is made of a cell of a table, or how it is made of a text."""
    if isinstance(inputs, TextInputs):
        rule = "ASCII in lower case, ASCII punctuation taken out; words end at ASCII white space"
        numbered = {token: number for number, token in enumerate(inputs.vocabulary, start=2)}
        return {**inputs.record(), "text": rule, "numbers": numbered, "any_other": 1, "padding_at_the_end": 0}
    numbers = [_cell(column) for column in inputs.numbers]
    flags = [{"column": inputs.numbers[i].name, "kind": "1 if empty, else 0"} for i in inputs.indicators]
    categories, start = [], 0
    for column in inputs.categories:
        codes = {value: start + i for i, value in enumerate(column.values)}
        categories.append({"column": column.name, "kind": "category", "values": codes, "any_other": inputs.tokens})
        start += len(column.values)
    return [*numbers, *flags, *categories]


def _cell(column: InputColumn) -> dict[str, Any]:
    """Return what a cell of a column is, and what an empty one becomes."""
    found: dict[str, Any] = {"column": column.name, "kind": column.kind}
    if column.kind == "category":
        return {**found, "values": [*column.values]}
    if column.kind == "date":
        found |= {"format": column.date, "days_since": (date(1970, 1, 1) + timedelta(column.origin)).isoformat()}
    return found | ({"empty_becomes": column.fill} if column.fill is not None else {})
