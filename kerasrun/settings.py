"""How the value of a setting is read, from text, TOML or Python; each reader checks its range.

A reader is called with the setting's name and the value as written and returns the typed value; it knows no experiment.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from os.path import exists, expanduser, realpath
from typing import Any

from kerasrun import objects
from kerasrun.errors import InputError, shown, unknown
from kerasrun.literals import is_number, parse_value, split_outside

Reader = Callable[[str, Any], Any]

_RISING = ("accuracy", "auc", "precision", "recall", "f1_score", "fbeta_score", "r2", "io_u",
           "cosine_similarity", "true_positives", "true_negatives", "sensitivity", "specificity",
           "correlation")  # fmt: skip


def direction(column: str) -> str:
    """Return "max" where more is better in a metrics column, "min" for losses and errors."""
    return "max" if any(word in column for word in _RISING) else "min"


def column(metric: str) -> str:
    """Return the column of a metric: its name, with the arguments' values behind it where there are any.

    No value brings a comma or a bracket into the file. The arguments' own names are left out: `refuse_equal_columns`.
    """
    parsed = objects.parse("metric", metric)
    return "_".join([parsed.name, *(re.sub(r"\W+", "_", str(value)).strip("_") for _, value in parsed.arguments)])


def refuse_equal_columns(metrics: Sequence[str]) -> None:
    """Refuse metrics that would be one column, as precision(class_id=1) and precision(top_k=1).

    Raises:
        InputError: two have one column.
    """
    found: dict[str, str] = {}
    for metric in metrics:
        if (other := found.setdefault(column(metric), metric)) != metric:
            raise InputError(
                f"metrics {other} and {metric} would both be the column {column(metric)}\nleave one of them out"
            )


def text(name: str, value: Any) -> str:
    """Read any text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{name}={shown(value)} must be a name")
    return value.strip()


def texts(name: str, value: Any) -> tuple[str, ...]:
    """Read names separated by commas, or a list of them; none for no name."""
    if value is None or (isinstance(value, str) and value.strip().lower() in ("", "none")):
        return ()
    parts = split_outside(value, ",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise InputError(f"{name}={shown(value)} must be names, separated by commas")
    return tuple(text(name, part) for part in parts)


def is_word(value: Any, word: str) -> bool:
    """Tell whether a value is a word in any case; None is "none"."""
    return (value is None and word == "none") or (isinstance(value, str) and value.strip().lower() == word)


def boolean(name: str, value: Any) -> bool:
    """Read true or false, in any case."""
    typed = _typed(value)
    if not isinstance(typed, bool):
        raise InputError(f"{name}={shown(value)} must be true or false")
    return typed


def whole_number(least: int, most: int | None = None) -> Reader:
    """Return a reader of whole numbers from `least` on, or up to `most`."""

    def read(name: str, value: Any) -> int:
        typed = _typed(value)
        if isinstance(typed, float) and typed.is_integer():
            typed = int(typed)
        if not isinstance(typed, int) or isinstance(typed, bool) or not least <= typed <= (most or typed):
            end = "on" if most is None else f"to {most}"
            raise InputError(f"{name}={shown(value)} must be a whole number from {least} {end}")
        return typed

    return read


def number_from(least: float) -> Reader:
    """Return a reader of finite numbers from `least` on."""

    def read(name: str, value: Any) -> float:
        number = _number(name, value)
        if number < least:
            raise InputError(f"{name}={shown(value)} must be a number from {least:g} on")
        return number

    return read


def positive_number(name: str, value: Any) -> float:
    """Read a finite number above 0."""
    number = _number(name, value)
    if number <= 0:
        raise InputError(f"{name}={shown(value)} must be a number above 0")
    return number


def share(name: str, value: Any) -> float:
    """Read a number above 0 and at most 1."""
    number = _number(name, value)
    if not 0 < number <= 1:
        raise InputError(f"{name}={shown(value)} must be a number above 0 and at most 1, as 0.1")
    return number


def choice(*allowed: str) -> Reader:
    """Return a reader of one out of a few words."""

    def read(name: str, value: Any) -> str:
        word = "none" if value is None else str(value).lower().replace("-", "_")
        if word not in allowed:
            raise unknown(f"value of {name}", str(value), allowed)
        return word

    return read


def optional(read: Reader) -> Reader:
    """Return a reader that takes none besides."""
    return _or("none", read)


def automatic(read: Reader) -> Reader:
    """Return a reader that takes auto besides, as None."""
    return _or("auto", read)


def fraction_or_path(name: str, value: Any) -> float | str:
    """Read a part of the whole, above 0 and below 1, or a file or folder that exists; return its whole path."""
    typed = _typed(value)
    if isinstance(typed, int | float) and not isinstance(typed, bool):
        if not 0 < typed < 1:
            raise InputError(f"{name}={shown(value)} must be a part of the whole, above 0 and below 1, as 0.2")
        return float(typed)
    if "\0" in str(value) or not exists(path := expanduser(str(value))):
        raise InputError(f"{name}={shown(value)}: neither a number between 0 and 1 nor a file")
    return realpath(path)


def keras_object(family: str) -> Reader:
    """Return a reader of a Keras object, in its canonical spelling."""
    return lambda name, value: str(objects.parse(family, value))


def auto_or_object(family: str) -> Reader:
    """Return a reader that takes auto besides."""
    return lambda name, value: "auto" if is_word(value, "auto") else str(objects.parse(family, value))


def keras_objects(family: str) -> Reader:
    """Return a reader of several Keras objects, separated by commas or in a list."""
    return lambda name, value: tuple(str(objects.parse(family, part)) for part in texts(name, value))


def class_weights(name: str, value: Any) -> str:
    """Read "balanced", or weights by class number as in "0=1,1=5"; return the canonical text."""
    if is_word(value, "balanced"):
        return "balanced"
    pairs = value.items() if isinstance(value, dict) else [p.partition("=")[::2] for p in str(value).split(",")]
    try:
        weights = [(int(str(label)), float(str(weight))) for label, weight in pairs]
    except ValueError:
        weights = []
    classes = {label for label, _ in weights if label >= 0}
    if len(classes) < len(weights) or not 0 < sum(w if w >= 0 else math.nan for _, w in weights) < math.inf:
        raise InputError(
            f"{name}={shown(value)}: write balanced, or a weight from 0 on for each class number, as 0=1,1=5"
        )
    return ",".join(f"{label}={repr(weight).removesuffix('.0')}" for label, weight in sorted(weights))


def weights_by_class(text: str) -> dict[int, float]:
    """Return the weights by class number of a canonical text other than "balanced"."""
    return {int(label): float(weight) for label, weight in (pair.split("=") for pair in text.split(","))}


def check_classes(class_weights: str | None, num_classes: int | None) -> None:
    """Refuse weights of classes that the task does not have.

    Raises:
        InputError: a class number is too high.
    """
    if class_weights is None or class_weights == "balanced" or num_classes is None:
        return
    highest = max(weights_by_class(class_weights))
    if highest >= num_classes:
        raise InputError(f"class_weights: there is no class {highest}; the classes are 0 to {num_classes - 1}")


def check_rate(optimizer: str, learning_rate: float | None) -> None:
    """Refuse a learning rate that is given twice.

    Raises:
        InputError: a rate stands both beside and inside the optimizer.
    """
    inside = dict(objects.parse("optimizer", optimizer).arguments).get("learning_rate")
    if inside is not None and learning_rate is not None:
        raise InputError(
            f"the learning rate is given twice: learning_rate={learning_rate:g} and optimizer={optimizer}\n"
            "leave one of them out"
        )


def refuse_logits(loss: str, output_activation: str) -> None:
    """Refuse from_logits=True, because the output layer already gives probabilities.

    Raises:
        InputError: the loss would apply the softmax or sigmoid a second time.
    """
    if dict(objects.parse("loss", loss).arguments).get("from_logits") and output_activation != "linear":
        raise InputError(
            f"loss={loss}: the output layer is {output_activation}, so the loss gets probabilities, not logits\n"
            "leave from_logits out"
        )


def _or(word: str, read: Reader) -> Reader:
    """Return a reader that takes a word for None besides, and says so where it refuses."""

    def read_or(name: str, value: Any) -> Any:
        if is_word(value, word) or is_word(value, "none"):
            return None
        try:
            return read(name, value)
        except InputError as error:
            raise InputError(f"{error}, or {word}") from None

    return read_or


def _typed(value: Any) -> Any:
    return parse_value(value) if isinstance(value, str) else value


def _number(name: str, value: Any) -> float:
    typed = _typed(value)
    if not is_number(typed):
        raise InputError(f"{name}={shown(value)} must be a number")
    return float(typed)
