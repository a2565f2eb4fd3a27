"""What the options of a table ask for, by the names that its file gives the columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kerasrun.errors import InputError, closest, shown
from kerasrun.tables.kinds import Column
from kerasrun.tables.reader import Wanted

Options = Mapping[str, Any]
APART = ("target", "group", "split", "time", "sample_weight")  # options that name a column which is no input


def spelled(path: Path, names: tuple[str, ...], options: Options, *, needs_target: bool = True) -> dict[str, Any]:
    """Return the options with the columns' names as the file spells them.

    Raises:
        InputError: there is no such column, no target, or one column in two places.
    """
    if needs_target and not options["target"]:
        likely = next((name for name in names if name.lower() in ("target", "label", "class", "y")), names[-1])
        raise InputError(
            f"{path}: which column is to be predicted? as --target {argument(likely)}\ncolumns: {listed(names, 30)}"
        )
    named = dict(options)
    for option in (*APART, "text"):
        if options.get(option):
            named[option] = _name(path, names, options[option], option)
    named["drop"] = tuple(sorted(_name(path, names, name, "drop") for name in options["drop"]))
    pairs = [pair.rpartition("=") for pair in options["kinds"]]
    named["kinds"] = tuple(sorted(f"{_name(path, names, name, 'kinds')}={kind}" for name, _, kind in pairs))
    used = [named[option] for option in APART if named[option]]
    used += [named["text"]] if named.get("text") not in (None, named["group"]) else []
    if twice := [name for name in used if used.count(name) > 1 or name in named["drop"]]:
        raise InputError(f"{path}: column '{twice[0]}' is named by two options; one column has one part to play")
    if len(by := [f"--{name}" for name in ("group", "split", "time") if options[name]]) > 1:
        raise InputError(f"{' and '.join(by)}: choose one way of splitting")
    return named


def _name(path: Path, names: tuple[str, ...], given: str, option: str) -> str:
    if given in names:
        return given
    same = [name for name in names if name.lower().replace("-", "_") == given.lower().replace("-", "_")]
    if len(same) == 1:
        return same[0]
    near = closest(given, names)
    raise InputError(
        f"--{option.replace('_', '-')}: {path.name} has no column '{shown(given)}'"
        f"{f'; did you mean {near!r}?' if near else ''}\ncolumns: {listed(names, 30)}"
    )


def wanted(options: Options, names: Iterable[str], columns: Iterable[Column] = ()) -> Wanted:
    """Return how a file is to be read, once its columns' names are known."""
    text = {options["text"]} if options.get("text") else set()
    apart = {options[name] for name in APART if options[name]} | text
    as_text = {pair.rpartition("=")[0] for pair in options["kinds"] if not pair.endswith("=number")}
    as_text |= {column.name for column in columns if column.kind != "number"} | text
    known = {column.name for column in columns} | apart
    skipped = {name for name in names if name in options["drop"] or ((columns or text) and name not in known)}
    return Wanted(
        options["header"], options["separator"], options["encoding"], options["na"],
        texts=frozenset(as_text), exact=frozenset(apart | as_text), skipped=frozenset(skipped),
    )  # fmt: skip


def listed(names: Iterable[str], most: int = 4) -> str:
    """Return some of the names in a row, and how many more there are."""
    every = [shown(name) for name in names]
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


def argument(text: str) -> str:
    """Return a text as a command line takes it."""
    return f"'{text}'" if " " in text else text


def number(value: float) -> str:
    """Return a number as people read it."""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
