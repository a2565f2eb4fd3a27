"""How values and calls are written in text: `0.1`, `true`, `[1, 2]`, `imdb(num_words=10000)`.

Nothing is ever evaluated: numbers and quoted strings are literals, everything else is words as they stand.
"""

from __future__ import annotations

import ast
import re
import sys
from typing import TypeGuard

from kerasrun.errors import InputError

_NUMBER = re.compile(r"[+-]?(\d[\d_]*\.?\d*|\.\d+)([eE][+-]?\d+)?")
_CALL = re.compile(r"\s*([A-Za-z_][\w.:-]*)\s*(?:\((.*)\))?\s*", re.DOTALL)
_CLOSING = {"(": ")", "[": "]"}
MOST_LAYERS = 1000
_MOST_WRITTEN = 3  # so many equal layers are written out; more become 100x10


def parse_call(text: str) -> tuple[str, dict[str, object]]:
    """Read a name with keyword arguments: "imdb(num_words=10000)" -> ("imdb", {"num_words": 10000}).

    Raises:
        InputError: no such form, a positional argument, or an argument given twice.
    """
    match = _CALL.fullmatch(text)
    if not match or not _is_balanced(match.group(2) or ""):
        raise InputError(f"cannot read {text!r}\nwrite a name, or a name with arguments: name(argument=value, …)")
    name, inside = match.group(1), match.group(2)
    arguments: dict[str, object] = {}
    for part in split_outside(inside or "", ","):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not part.strip() and len(arguments) == 0 and not (inside or "").strip(", "):
            continue
        if not equals or not re.fullmatch(r"[A-Za-z_][\w-]*", key):
            raise InputError(
                f"{name}: '{part.strip()}' has no name\nwrite arguments with their names: {name}(argument=value, …)"
            )
        key = key.replace("-", "_")
        if key in arguments:
            raise InputError(f"{name}: argument '{key}' is given twice")
        arguments[key] = parse_value(value)
    return name, arguments


def parse_value(text: str) -> object:
    """Read one value: a number, true, false, none (any case), a list, a quoted string, else the words as they stand.

    Args:
        text: "0.1" -> 0.1, "true" -> True, "[1, 2]" -> [1, 2], '"adam"' -> "adam", "adam" -> "adam".
    """
    text = text.strip()
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    if _NUMBER.fullmatch(text):
        return _number(text)
    if len(text) >= 2 and text[0] in "\"'" and text[-1] == text[0]:
        return _unquoted(text)
    if text[:1] in _CLOSING and text.endswith(_CLOSING[text[0]]) and _is_balanced(text[1:-1]):
        items = split_outside(text[1:-1], ",")
        if items and not items[-1].strip():
            items.pop()  # "(1,)" and "[]"
        values = [parse_value(item) for item in items]
        return tuple(values) if text[0] == "(" else values
    return text


def parse_sizes(text: str) -> tuple[int, ...] | None:
    """Read the sizes of layers: "300-100" -> (300, 100), "100x3" -> (100, 100, 100); None where they are none."""
    sizes: list[int] = []
    for part in text.split("-"):
        match = re.fullmatch(r"\s*(\d{1,9})\s*(?:x\s*(\d{1,9})\s*)?", part, re.ASCII)
        if not match or (times := int(match.group(2) or 1)) == 0 or len(sizes) + times > MOST_LAYERS:
            return None
        sizes += [int(match.group(1))] * times
    return tuple(sizes)


def split_outside(text: str, separator: str) -> list[str]:
    """Split at a character, but not inside brackets or quotes: "a, f(b, c)" at "," -> ["a", " f(b, c)"]."""
    parts, depth, quote, start = [], 0, "", 0
    position = 0
    while position < len(text):
        character = text[position]
        if quote:
            if character == "\\":
                position += 1
            elif character == quote:
                quote = ""
        elif character in "\"'":
            quote = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == separator and depth <= 0:
            parts.append(text[start:position])
            start = position + 1
        position += 1
    return [*parts, text[start:]]


def format_call(name: str, arguments: dict[str, object]) -> str:
    """Write a name with arguments so that parse_call reads the same: the canonical text."""
    if not arguments:
        return name
    return f"{name}({', '.join(f'{key}={format_value(value)}' for key, value in arguments.items())})"


def format_value(value: object) -> str:
    """Write a value so that parse_value reads the same; strings without quotes where that is unmistakable."""
    if isinstance(value, str):
        return value if re.fullmatch(r"[A-Za-z_]\w*", value) and parse_value(value) == value else repr(value)
    if isinstance(value, (list, tuple)):
        inside = ", ".join(format_value(item) for item in value)
        if isinstance(value, list):
            return f"[{inside}]"
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return repr(value)


def written(value: object) -> str:
    """Write a value of a setting or knob as on the command line: 300-100, 100x10, true, none, 0.001."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(part, int) for part in value):
            alike = len(value) > _MOST_WRITTEN and len(set(value)) == 1
            return f"{value[0]}x{len(value)}" if alike else "-".join(map(str, value))
        return ",".join(map(written, value)) or "none"
    return repr(value) if isinstance(value, float) else str(value)


def is_number(value: object) -> TypeGuard[int | float]:
    """Tell whether a value is a number that a float can be: finite, and no whole number of 309 digits or more."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _number(text: str) -> object:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _unquoted(text: str) -> str:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return value if isinstance(value, str) else text


def _is_balanced(text: str) -> bool:
    """Return whether brackets close in order and quotes end, so that a text is one value and not "(1), (2)"."""
    open_brackets, quote, skip = [], "", False
    for character in text:
        if skip:
            skip = False
        elif quote:
            skip = character == "\\"
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in _CLOSING:
            open_brackets.append(_CLOSING[character])
        elif character in ")]" and (not open_brackets or open_brackets.pop() != character):
            return False
    return not open_brackets and not quote
