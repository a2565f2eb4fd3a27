"""Text <-> a named Keras object: `sgd(learning_rate=0.1, momentum=0.9)`, `leaky_relu(negative_slope=0.01)`, `adam`.

The only module that knows which values an object's arguments may have, and the form in which Keras takes it. Names and
arguments are checked against the installed Keras (keras_names.py); how calls and values are written: literals.py.
"""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from typing import Any

from kerasrun import keras_names
from kerasrun.errors import InputError, unknown
from kerasrun.keras_names import REQUIRED, KerasName, squash
from kerasrun.literals import format_call, format_value, is_number, parse_call

# Names that are not Keras's own: the literature's, and the study's two ways of saying SGD with momentum.
_ALIASES: dict[str, dict[str, tuple[str, dict[str, object]]]] = {
    "optimizer": {
        "momentum": ("sgd", {"momentum": 0.9}),
        "nesterov": ("sgd", {"momentum": 0.9, "nesterov": True}),
    },
    "initializer": {
        "xavier": ("glorot_uniform", {}),
        "he": ("he_normal", {}),
        "msra": ("he_normal", {}),
        "orthonormal": ("orthogonal", {}),
        "normal": ("random_normal", {}),
        "uniform": ("random_uniform", {}),
        "zero": ("zeros", {}),
        "one": ("ones", {}),
    },
    "metric": {
        "acc": ("accuracy", {}),
        "mape": ("mean_absolute_percentage_error", {}),
        "msle": ("mean_squared_logarithmic_error", {}),
        "bce": ("binary_crossentropy", {}),
        "kld": ("kl_divergence", {}),
    },
    "loss": {
        "mse": ("mean_squared_error", {}),
        "mae": ("mean_absolute_error", {}),
        "mape": ("mean_absolute_percentage_error", {}),
        "msle": ("mean_squared_logarithmic_error", {}),
        "bce": ("binary_crossentropy", {}),
        "kld": ("kl_divergence", {}),
    },
}
# What kerasrun.layers adds to Keras, by canonical name.
_OWN: dict[str, dict[str, KerasName]] = {
    "activation": {
        "maxout": KerasName("maxout", "kerasrun.layers", "Maxout", {"pieces": 2}, (), False),
        "step": KerasName("step", "kerasrun.layers", "Step", {}, (), False),
    },
    "initializer": {
        "lsuv": KerasName("lsuv", "kerasrun.layers", "LSUV", {}, (), False),
        "orthonormal_he": KerasName(
            "orthonormal_he", "kerasrun.layers", "OrthonormalHe", {"negative_slope": 0.0}, (), False
        ),
    },
}
_POSITIVE = {"learning_rate", "clipnorm", "clipvalue", "global_clipnorm", "stddev", "ema_overwrite_frequency"}
_FRACTIONS = {"momentum", "ema_momentum", "rho", "beta_1", "beta_2", "adam_beta_1", "adam_beta_2", "label_smoothing"}


@dataclass(frozen=True)
class KerasObject:
    """One Keras object by name, with the arguments that were given.

    Args:
        family: one of keras_names.FAMILIES.
        name: canonical name.
        arguments: names and values, in the order of Keras's signature.
    """

    family: str
    name: str
    arguments: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        return format_call(self.name, dict(self.arguments))

    @property
    def config(self) -> str | dict[str, Any]:
        """What recipes and Keras take: the bare name where Keras finds it by that, else a fresh config dict.

        Raises:
            InputError: an activation whose arguments no class of Keras can save.
        """
        if not self.arguments and _entry(self.family, self.name).found_by_name:
            return self.name
        return self._config_dict()

    def build(self) -> Any:
        """Return a new Keras object. Loads Keras.

        Works where `keras.optimizers.get` and its like fall short: they do not know every optimizer ("lamb" in Keras
        3.15). The metric `accuracy` stays a word: compiling picks the kind of accuracy that suits the output. Metrics
        bear their canonical names, which are the columns' names.

        Raises:
            InputError: Keras refuses an argument.
        """
        import keras

        if (self.family, self.name) == ("metric", "accuracy"):
            return self.name
        if self.family == "activation" and isinstance(self.config, str):
            return keras.activations.get(self.name)
        importlib.import_module(_entry(self.family, self.name).module)  # registers what is not Keras's own
        try:
            return keras.saving.deserialize_keras_object(self._config_dict())
        except (TypeError, ValueError) as error:
            raise InputError(f"{self.family} {self}: {str(error).splitlines()[0]}") from error

    def _config_dict(self) -> dict[str, Any]:
        entry = _entry(self.family, self.name)
        arguments = dict(self.arguments)
        module, symbol = entry.module, entry.symbol
        if self.family == "metric":
            arguments = {"name": self.name, **arguments}
        if self.family == "activation":
            module, symbol = _saved_form(entry, frozenset(arguments))
        if self.family in ("activation", "initializer"):
            # A layer's defaults differ from the function's (LeakyReLU 0.3, leaky_relu 0.2); Constant demands its own.
            arguments = {**entry.arguments, **arguments}
        return {
            "module": module,
            "class_name": symbol,
            "config": {name: list(value) if isinstance(value, tuple) else value for name, value in arguments.items()},
            "registered_name": f"kerasrun>{symbol}" if _is_own(entry) else None if module.count(".") == 1 else symbol,
        }


def parse(family: str, text: str | KerasObject) -> KerasObject:
    """Read one Keras object from text; a KerasObject passes through.

    Args:
        family: one of keras_names.FAMILIES.
        text: a name in any spelling (case, hyphens and underscores do not matter) or a call with keyword arguments.

    Raises:
        InputError: unknown name or argument, positional argument, or a value of the wrong kind.
    """
    if isinstance(text, KerasObject):
        return text
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{family}: a name is wanted, not {text!r}\nknown: {', '.join(known(family))}")
    given, arguments = parse_call(text)
    implied: dict[str, object] = {}
    alias = _ALIASES.get(family, {}).get(given.lower())
    if alias:
        given, implied = alias
    name = _spellings(family).get(squash(given))
    if name is None:
        raise unknown(family, given, [*known(family), *_ALIASES.get(family, {})])
    entry = _entry(family, name)
    for argument in arguments:
        if argument not in entry.arguments:
            raise unknown(f"argument of {family} {name}", argument, entry.arguments)
    missing = [argument for argument, default in entry.arguments.items() if default is REQUIRED]
    if any(argument not in arguments for argument in missing):
        needed = ", ".join(f"{argument}=…" for argument in missing)
        raise InputError(f"{family} {name} needs arguments: write {name}({needed})")
    values = {**implied, **{argument: _checked(entry, argument, value) for argument, value in arguments.items()}}
    if family == "activation" and values:
        _saved_form(entry, frozenset(entry.arguments))
    return KerasObject(
        family, name, tuple((argument, values[argument]) for argument in entry.arguments if argument in values)
    )


def known(family: str) -> dict[str, dict[str, object]]:
    """Return the canonical names of a family, sorted, each with its arguments and defaults (REQUIRED for none).

    Args:
        family: one of keras_names.FAMILIES.
    """
    return {name: dict(entry.arguments) for name, entry in _entries(family).items()}


@functools.cache
def _entries(family: str) -> dict[str, KerasName]:
    return dict(sorted({**keras_names.names(family), **_OWN.get(family, {})}.items()))


def _entry(family: str, name: str) -> KerasName:
    return _entries(family)[name]


def _is_own(entry: KerasName) -> bool:
    return entry.module == "kerasrun.layers"


@functools.cache
def _spellings(family: str) -> dict[str, str]:
    """Return every accepted spelling, squashed, with its canonical name."""
    entries = _entries(family)
    found = {squash(spelling): entry.name for entry in entries.values() for spelling in entry.spellings}
    return found | {squash(name): name for name in entries}


def _saved_form(entry: KerasName, arguments: frozenset[str]) -> tuple[str, str]:
    if _is_own(entry):
        return entry.module, entry.symbol
    form = keras_names.saved_form(entry.name, arguments)
    if form is None:
        raise InputError(
            f"activation {entry.name} cannot take arguments: Keras has no form of it that can be saved and loaded\n"
            f"use {entry.name} without arguments, or a layer in a recipe of your own"
        )
    return form


def _checked(entry: KerasName, argument: str, value: object) -> object:
    """Return an argument's value in its canonical type, checked against the default where the kind is plain."""
    default = entry.arguments[argument]
    wanted = None
    if isinstance(default, bool):
        wanted = None if isinstance(value, bool) else "true or false"
    elif isinstance(default, (int, float)) or (default is None and entry.module == "keras.optimizers"):
        allowed_none = value is None and (default is None or argument == "weight_decay")
        wanted = None if allowed_none or is_number(value) else "a number"
    elif isinstance(default, str):
        wanted = None if value is None or isinstance(value, str) else "a word"
    if is_number(value):
        if argument == "pieces" and (isinstance(value, float) or value < 1):
            wanted = "a whole number from 1 on"
        elif argument in _POSITIVE and value <= 0:
            wanted = "a number above 0"
        elif argument in _FRACTIONS and not 0 <= value <= 1:
            wanted = "a number from 0 to 1"
    if wanted:
        raise InputError(f"{entry.name}: {argument} must be {wanted}, not {format_value(value)}")
    return float(value) if isinstance(default, float) and isinstance(value, int) else value
