"""What a network cannot eat, found before the first step: Keras trains on most of it in silence, to NaN or nonsense.

Errors name the data, the part, row and column; rows count from 0 in the array as it is stored.
"""

from __future__ import annotations

import numpy as np

from kerasrun.datasets.parts import Part, Unsplit
from kerasrun.errors import InputError

_LARGEST = 1e18  # the square of a larger number is infinite in float32
_SHOWN = 3  # places that an error names


def check(unsplit: Unsplit) -> tuple[Unsplit, tuple[str, ...]]:
    """Check everything that a source read; return it in the dtypes that a training gets, and lines for the user.

    x becomes float32 (uint8 stays, words become int32), y int32 (n,) or float32 (n, outputs), weights float32.

    Raises:
        InputError: the data cannot be trained on; the message names where and what to do.
    """
    checked: dict[str, Part] = {}
    for name, part in unsplit.parts().items():
        place = f"{unsplit.where}, {name} part"
        _check_shapes(unsplit, part, place)
        if unsplit.fit is None:
            _check_inputs(unsplit, part, place)
        if unsplit.task.kind == "regression":
            _check_numbers(part.y, part.rows, f"{place}, values to predict", None)
        else:
            _check_classes(unsplit, part, place)
        if part.weights is not None:
            _check_weights(part.weights, part.rows, place)
        checked[name] = part if unsplit.same and name != "train" else _converted(unsplit, part)
    if unsplit.same:
        checked = dict.fromkeys(checked, checked["train"])
    return unsplit.having(checked), _constant_columns(unsplit)


def notes_on_split(unsplit: Unsplit) -> tuple[str, ...]:
    """Return lines about classes that training cannot learn or that say nothing, once the parts are known."""
    if unsplit.task.kind == "regression" or unsplit.same:
        return ()
    known = np.unique(unsplit.train.y)
    if len(known) == 1:
        return (f"WARNING: all training examples are of class {known[0]}; any accuracy is meaningless",)
    lines = []
    for name, part in unsplit.parts().items():
        unseen = np.setdiff1d(part.y, known)
        if len(unseen):
            lines.append(f"the {name} part has class {_listed(unseen)}, of which training has no example")
    return tuple(lines)


def _check_shapes(unsplit: Unsplit, part: Part, place: str) -> None:
    if len(part.x) != len(part.y):
        raise InputError(f"{place}: {len(part.x)} inputs but {len(part.y)} labels; each input needs one")
    if len(part.x) == 0:
        raise InputError(f"{place}: no example; at least one is needed")
    if part.weights is not None and part.weights.shape != (len(part.x),):
        raise InputError(
            f"{place}: weights of shape {part.weights.shape} for {len(part.x)} examples; one each is needed"
        )
    shape = unsplit.shape
    fits = len(shape) == part.x.ndim - 1 and all(a in (None, b) for a, b in zip(shape, part.x.shape[1:], strict=True))
    if not fits and unsplit.fit is None:
        raise InputError(f"{place}: inputs of shape {part.x.shape[1:]}, expected {shape}")
    wanted = (len(part.y), unsplit.task.num_outputs) if unsplit.task.kind == "regression" else (len(part.y),)
    if part.y.shape != wanted:
        hint = "\none-hot rows become class numbers by y.argmax(axis=1)" if unsplit.task.kind != "regression" else ""
        raise InputError(f"{place}: labels of shape {part.y.shape}, expected {wanted} for {unsplit.task.kind}{hint}")


def _check_inputs(unsplit: Unsplit, part: Part, place: str) -> None:
    if part.x.dtype.kind in "USO":
        _refuse_text(part, place, unsplit)
    _check_numbers(part.x, part.rows, f"{place}, inputs", unsplit)
    words = unsplit.task.vocabulary_size
    if words is not None and (part.x.min() < 0 or part.x.max() >= words):
        first = tuple(np.argwhere((part.x < 0) | (part.x >= words))[0])
        raise InputError(
            f"{place}: word number {part.x[first]} in {_cell(first, part.rows, unsplit)}; "
            f"the vocabulary has the numbers 0 to {words - 1}"
        )


def _check_numbers(array: np.ndarray, rows: np.ndarray, place: str, unsplit: Unsplit | None) -> None:
    """Refuse what is no finite number of usual size; least and greatest value settle it without a copy."""
    if array.dtype.kind not in "biuf":
        raise InputError(f"{place}: dtype {array.dtype}, which no network takes; store float32 or uint8")
    if array.dtype.kind != "f" or array.size == 0:
        return
    if max(-array.min(), array.max()) <= _LARGEST:  # false for NaN
        return
    nan, infinite = np.isnan(array), np.isinf(array)
    bad = nan | infinite
    if bad.any():
        counts = [f"{count} {word}" for count, word in ((nan.sum(), "NaN"), (infinite.sum(), "infinite")) if count]
        cells = "; ".join(_cell(place, rows, unsplit) for place in np.argwhere(bad)[:_SHOWN])
        raise InputError(
            f"{place}: {' and '.join(counts)} of {array.size} numbers\nfirst: {cells}\n"
            "remove these rows or fill in the values: a single one makes every weight NaN"
        )
    first = tuple(np.argwhere(np.abs(array) > _LARGEST)[0])
    raise InputError(
        f"{place}: {array[first]:g} in {_cell(first, rows, unsplit)}; beyond {_LARGEST:g} squares overflow float32\n"
        "if it stands for a missing value, remove the row; else divide by a constant"
    )


def _check_classes(unsplit: Unsplit, part: Part, place: str) -> None:
    """Refuse labels that are not the numbers of classes, 0 to classes - 1."""
    y, classes = part.y, unsplit.task.num_classes or 2
    if y.dtype.kind in "USO":
        raise InputError(f"{place}: labels are text ('{y[0]}' in row {part.rows[0]})\n{_numbering(y)}")
    _check_numbers(y, part.rows, f"{place}, labels", None)
    if y.dtype.kind == "f" and (y != np.floor(y)).any():
        first = int(np.argmax(y != np.floor(y)))
        raise InputError(
            f"{place}: label {y[first]:g} in row {part.rows[first]} is no class; classes are whole numbers from 0\n"
            "numbers to predict, not classes? store y as float32 of shape (n, 1)"
        )
    if y.dtype.kind == "b":
        return
    outside = (y < 0) | (y >= classes)
    if outside.any():
        first = int(np.argmax(outside))
        found = np.unique(y)
        raise InputError(
            f"{place}: label {y[first]:g} in row {part.rows[first]} (and {outside.sum() - 1} more) is none of the "
            f"{classes} classes 0 to {classes - 1}\nlabels found: {_listed(found)}\n{_hint(found, classes, y)}"
        )


def _hint(found: np.ndarray, classes: int, y: np.ndarray) -> str:
    """Return how labels of another numbering become the numbers from 0."""
    if found.tolist() == [-1, 1]:
        return "write y = (y + 1) // 2: class -1 becomes 0, class 1 stays"
    if len(found) <= classes and found[0] > 0 and found[-1] - found[0] < classes:
        return f"write y = y - {found[0]:g}: classes count from 0"
    if len(found) <= classes:
        return _numbering(y)
    return f"remove these rows, or name {len(found)} classes"


def _numbering(y: np.ndarray) -> str:
    return f"write names, y = numpy.unique(y, return_inverse=True): {len(np.unique(y.astype(str)))} classes from 0"


def _check_weights(weights: np.ndarray, rows: np.ndarray, place: str) -> None:
    _check_numbers(weights, rows, f"{place}, weights", None)
    if weights.min() < 0 or not weights.any():
        first = int(np.argmin(weights))
        raise InputError(f"{place}: weight {weights[first]:g} in row {rows[first]}; weights are >= 0, not all 0")


def _refuse_text(part: Part, place: str, unsplit: Unsplit) -> None:
    """Name the first cell of a text array that is no number."""
    cells = part.x.reshape(len(part.x), -1)
    first = next((index for index, value in np.ndenumerate(cells) if not _is_number(value)), (0, 0))
    position = (first[0], *np.unravel_index(first[1], part.x.shape[1:])) if part.x.ndim > 1 else first[:1]
    raise InputError(
        f"{place}: '{cells[first]}' in {_cell(position, part.rows, unsplit)} is text (dtype {part.x.dtype})\n"
        "a network takes numbers only: store float32 or uint8"
    )


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True


def _cell(position: np.ndarray | tuple, rows: np.ndarray, unsplit: Unsplit | None) -> str:
    """Return the user's words for a position in an array."""
    row, *rest = (int(index) for index in position)
    if len(rest) == 1 and unsplit is not None and unsplit.columns is not None:
        return f"row {rows[row]}, column '{unsplit.columns[rest[0]]}'"
    column = f", column {rest[0]}" if len(rest) == 1 else f", position {tuple(rest)}" if rest else ""
    return f"row {rows[row]}{column}"


def _converted(unsplit: Unsplit, part: Part) -> Part:
    x_dtype = part.x.dtype if part.x.dtype == np.uint8 else np.dtype(unsplit.task.input_dtype)
    y_dtype = np.float32 if unsplit.task.kind == "regression" else np.int32
    return Part(
        part.x if unsplit.fit or part.x.dtype == x_dtype else part.x.astype(x_dtype, copy=False),
        part.y.astype(y_dtype, copy=False),
        part.rows,
        None if part.weights is None else part.weights.astype(np.float32, copy=False),
    )


def _constant_columns(unsplit: Unsplit) -> tuple[str, ...]:
    x = unsplit.train.x
    if unsplit.fit or x.ndim != 2 or unsplit.task.vocabulary_size is not None or len(x) < 2:
        return ()
    constant = np.flatnonzero(x.max(axis=0) == x.min(axis=0))
    if not len(constant):
        return ()
    names = [unsplit.columns[int(i)] for i in constant] if unsplit.columns is not None else list(constant)
    return (f"column {_listed(np.array(names))} of {x.shape[1]} is the same in every row: it says nothing",)


def _listed(values: np.ndarray) -> str:
    shown = ", ".join(f"{value:g}" if isinstance(value, np.floating) else str(value) for value in values[:5])
    return shown + (f" and {len(values) - 5} more" if len(values) > 5 else "")
