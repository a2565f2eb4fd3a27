"""A recipe's knobs: their kinds, read from the function's signature as syntax, and their values, read from text.

The only module that knows which kinds of knobs there are and how each is written.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from kerasrun import objects
from kerasrun.errors import InputError, shown, unknown
from kerasrun.literals import MOST_LAYERS, is_number, parse_sizes, parse_value

_FAMILIES = ("activation", "initializer", "regularizer", "constraint")
_IN_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a word",
    "sizes": "sizes such as 300-100, 100x10 (ten of 100) or none",
}


@dataclass(frozen=True)
class Knob:
    """One keyword argument of a recipe.

    Args:
        name: the argument's name.
        kind: "int", "float", "bool", "str", "sizes" (tuple of whole numbers), "choice" or "object" (a Keras object).
        default: value in canonical form; objects as canonical text.
        optional: whether None is a value.
        required: whether there is no default.
        choices: what a "choice" may be.
        family: the Keras family of an "object": activation, initializer, regularizer or constraint.
    """

    name: str
    kind: str
    default: Any = None
    optional: bool = False
    required: bool = False
    choices: tuple[Any, ...] = ()
    family: str | None = None

    def parse(self, value: Any) -> Any:
        """Return a value in canonical form.

        Args:
            value: text from the command line, or a value from TOML or Python.

        Returns:
            int, float, bool, str, tuple of int, one of the choices, or an object's canonical text; None if optional.

        Raises:
            InputError: a value of another kind; names the knob, the value and what is allowed.
        """
        if self.kind == "object":
            return self._object(value)
        read = parse_value(value) if isinstance(value, str) else value
        if read is None and self.optional:
            return None
        if self.kind == "choice":
            return self._choice(value, read)
        found = {"int": _whole, "float": _real, "bool": _truth, "str": _word, "sizes": _sizes}[self.kind](value, read)
        if found is None:
            allowed = _IN_WORDS[self.kind] + (", or none" if self.optional and self.kind != "sizes" else "")
            raise InputError(f"knob {self.name}: {allowed} is wanted, not {_shown(value)}")
        return found

    def _object(self, value: Any) -> str | None:
        if value is None or (isinstance(value, str) and value.strip().lower() == "none"):
            if self.optional:
                return None
            raise InputError(f"knob {self.name}: {self.family} is wanted, not none")
        try:
            return str(objects.parse(self.family or self.name, value))
        except InputError as error:
            raise InputError(f"knob {self.name}: {error}") from None

    def _choice(self, value: Any, read: Any) -> Any:
        if isinstance(value, str) and value.strip() in self.choices:  # "none" or "18" where these are words
            return value.strip()
        for choice in self.choices:
            if choice == read and isinstance(choice, bool) == isinstance(read, bool):
                return choice
        raise unknown(f"value of knob {self.name}", str(value), [str(choice) for choice in self.choices])


def read_knobs(function: ast.FunctionDef, place: str) -> dict[str, Knob]:
    """Return the knobs of a recipe: the arguments after `task`, in the order of the signature.

    Args:
        function: the recipe's syntax.
        place: file and function, for error texts.

    Raises:
        InputError: no first argument for the task, a default that is no literal, or a type that no knob can have.
    """
    arguments = function.args
    positional = arguments.posonlyargs + arguments.args
    if not positional:
        raise InputError(f"{place}: a recipe's first argument is the task: def {function.name}(task, *, …)")
    missing: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    pairs = [*zip(positional, [*missing, *arguments.defaults], strict=True)][1:]
    pairs += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {argument.arg: _knob(argument, default, place) for argument, default in pairs}


def _knob(argument: ast.arg, default: ast.expr | None, place: str) -> Knob:
    name = argument.arg
    value = _literal(default, f"{place}, line {argument.lineno}: knob {name}")
    family = next((family for family in _FAMILIES if name == family or name.endswith(f"_{family}")), None)
    kind, choices, optional = ("object", (), False) if family else ("", (), False)
    if argument.annotation is not None:
        annotated, choices, optional = _annotated(argument.annotation)
        kind = kind or annotated
    elif not kind:
        kind = _kind_of(value)
    if not kind:
        raise InputError(
            f"{place}, line {argument.lineno}: the type of knob {name} is not clear\n"
            f"annotate it with int, float, bool, str, tuple[int, ...] or Literal[…], each with or without | None"
        )
    optional = optional or (default is not None and value is None)
    knob = Knob(name, kind, None, optional, default is None, choices, family)
    if default is None:
        return knob
    try:
        return Knob(name, kind, knob.parse(value), optional, False, choices, family)
    except InputError as error:
        raise InputError(f"{place}, line {argument.lineno}: default of {error}") from None


def _literal(default: ast.expr | None, place: str) -> Any:
    try:
        return None if default is None else ast.literal_eval(default)
    except ValueError:
        raise InputError(
            f"{place}: its default '{ast.unparse(default)}' is no literal\n"  # type: ignore[arg-type]
            "write the value itself: a number, a string, True, False, None or a tuple; Keras objects by their names"
        ) from None


def _annotated(annotation: ast.expr) -> tuple[str, tuple[Any, ...], bool]:
    """Return kind, choices and whether None is allowed; the kind is "" where no knob can have that type."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except SyntaxError:
            return "", (), False
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        sides = (annotation.left, annotation.right)
        rest = [side for side in sides if not (isinstance(side, ast.Constant) and side.value is None)]
        kind, choices, optional = _annotated(rest[0]) if len(rest) == 1 else ("", (), False)
        return kind, choices, optional or len(rest) == 1
    text = ast.unparse(annotation).replace(" ", "")
    if text in ("int", "float", "bool", "str"):
        return text, (), False
    if re.fullmatch(r"([Tt]uple|[Ll]ist|(\w+\.)*Sequence)(\[int(,\.\.\.)?\])?", text.removeprefix("typing.")):
        return "sizes", (), False
    if isinstance(annotation, ast.Subscript):
        outer = ast.unparse(annotation.value).rpartition(".")[2]
        if outer == "Optional":
            return *_annotated(annotation.slice)[:2], True
        if outer == "Literal":
            try:
                choices = ast.literal_eval(annotation.slice)
            except ValueError:  # an enumeration's
                return "", (), False
            choices = choices if isinstance(choices, tuple) else (choices,)
            return "choice", tuple(choice for choice in choices if choice is not None), None in choices
    return "", (), False


def _kind_of(value: Any) -> str:
    """Return the kind that a default tells: the type's name, "sizes" for whole numbers in a row, "" where unclear."""
    if isinstance(value, (bool, int, float, str)):
        return type(value).__name__
    if isinstance(value, (tuple, list)) and all(type(size) is int for size in value):
        return "sizes"
    return ""


def _whole(_: Any, read: Any) -> int | None:
    return int(read) if is_number(read) and read == int(read) else None


def _real(_: Any, read: Any) -> float | None:
    return float(read) if is_number(read) else None


def _truth(_: Any, read: Any) -> bool | None:
    return read if isinstance(read, bool) else None


def _word(value: Any, read: Any) -> str | None:
    if isinstance(read, str):
        return read
    return value.strip() if isinstance(value, str) and value.strip() else None


def _sizes(value: Any, read: Any) -> tuple[int, ...] | None:
    """Return sizes from "300-100", "100x10", "none", a number or a list; None where they are no sizes."""
    if read is None and value is not None:
        return ()
    if isinstance(read, str):
        read = parse_sizes(read)
    elif isinstance(read, int) and not isinstance(read, bool):
        read = (read,)
    if not isinstance(read, (tuple, list)) or len(read) > MOST_LAYERS:
        return None
    plain = all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in read)
    return tuple(read) if plain else None


def _shown(value: Any) -> str:
    return f"'{shown(value)}'" if isinstance(value, str) else shown(repr(value))
