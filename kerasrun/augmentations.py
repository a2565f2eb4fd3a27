"""How images are changed at random in training, by name: what each one takes. The layers are in layers/augment.py.

Pure text; one argument each, so that `shift(0.1)` is unmistakable.
"""

from __future__ import annotations

import math
import re
from typing import Any

from kerasrun.errors import InputError, shown, unknown
from kerasrun.literals import format_call, is_number, parse_call
from kerasrun.settings import texts

AUGMENTATIONS: dict[str, tuple[str, Any]] = {  # in the order in which they are done
    "flip": ("direction", "horizontal"),
    "shift": ("amount", 0.1),
    "rotate": ("degrees", 15.0),
    "crop": ("least", 0.8),
    "cutout": ("size", 0.25),
    "mixup": ("alpha", 0.2),
}
DIRECTIONS = ("horizontal", "vertical", "both")
_MOST = {"degrees": 180.0, "alpha": 100.0}  # of numbers above 0; the others are shares of a side, below 1


def read(name: str, value: Any) -> tuple[str, ...]:
    """Read augmentations, separated by commas or in a list: canonical calls, in the order in which they are done.

    Raises:
        InputError: unknown name or argument, a value out of range, or one of them twice.
    """
    asked = [_parsed(part) for part in texts(name, value)]
    if twice := [each for each, _ in asked if [n for n, _ in asked].count(each) > 1]:
        raise InputError(f"{name}={shown(value)}: {twice[0]} is given twice")
    by_name = dict(asked)
    return tuple(
        format_call(each, {AUGMENTATIONS[each][0]: by_name[each]}) for each in AUGMENTATIONS if each in by_name
    )


def _parsed(text: str) -> tuple[str, Any]:
    """Return the name and the argument's value of one augmentation as it is written."""
    alone = re.fullmatch(r"\s*([\w-]+)\s*\(\s*([^=()]+?)\s*\)\s*", text)
    first = alone[1].lower() if alone else ""
    if alone and first in AUGMENTATIONS:
        text = f"{first}({AUGMENTATIONS[first][0]}={alone[2]})"
    name, arguments = parse_call(text)
    name = name.lower()
    if name not in AUGMENTATIONS:
        raise unknown("augmentation", name, AUGMENTATIONS)
    argument, default = AUGMENTATIONS[name]
    for key in arguments:
        if key != argument:
            raise unknown(f"argument of augmentation {name}", key, [argument])
    return name, _checked(name, argument, arguments.get(argument, default))


def _checked(name: str, argument: str, value: Any) -> Any:
    if argument == "direction":
        if value not in DIRECTIONS:
            raise InputError(f"augmentation {name}: {argument}={shown(value)} must be {', '.join(DIRECTIONS)}")
        return value
    number = float(value) if is_number(value) else math.nan
    most = _MOST.get(argument)
    if not 0 < number <= (most or 1) or (most is None and number == 1):
        words = "a part of a side, above 0 and below 1" if most is None else f"a number above 0 and up to {most:g}"
        raise InputError(f"augmentation {name}: {argument}={shown(value)} must be {words}")
    return number
