"""`kerasrun recipes`: which recipes there are, and what each can be asked for."""

from __future__ import annotations

from typing import Annotated

import typer

from kerasrun import catalog, objects
from kerasrun.cli import console, words
from kerasrun.literals import written


def recipes(
    name: Annotated[
        str | None, typer.Argument(help="A recipe's name, or file.py:function.", show_default=False)
    ] = None,
    *,
    format: words.Format = words.Form.TABLE,
) -> None:
    """List the recipes, or show one in full.

    With a name: its style, knobs, defaults and values, and what it is good for.

    kerasrun recipes dense
    """
    if name is None:
        _list(format)
    else:
        _show(catalog.recipe(name), format)


def _list(format: str) -> None:
    rows = [
        (entry.name, entry.style, _datasets(entry.default_for, brief=format == "table"), entry.doc.partition("\n")[0])
        for entry in catalog.recipes().values()
    ]
    console.show_rows(("recipe", "style", "starts with", "description"), rows, format)


def _show(entry: catalog.RecipeEntry, format: str) -> None:
    columns = ("knob", "type", "default", "values")
    rows = [(knob.name, _kind(knob), _default(knob), _values(knob)) for knob in entry.knobs.values()]
    if format != "table":
        console.show_rows(columns, rows, format)
        return
    console.say(f"{entry.name}   {entry.style}   {entry.path}")
    if entry.default_for:
        console.say(f"datasets that start with it: {_datasets(entry.default_for)}")
    console.say("", entry.doc, "")
    console.show_table(columns, rows, text_columns=columns)
    console.say("", f"next: kerasrun show {(*entry.default_for, 'digits')[0]} --recipe {entry.reference}")


def _datasets(names: tuple[str, ...], *, brief: bool = False) -> str:
    if brief and len(names) > 3:
        return f"{', '.join(names[:2])} and {len(names) - 2} more"
    return ", ".join(names)


def _kind(knob: catalog.Knob) -> str:
    kind = {"object": knob.family, "choice": "choice"}.get(knob.kind, knob.kind)
    return f"{kind} or none" if knob.optional else str(kind)


def _default(knob: catalog.Knob) -> str:
    return "required" if knob.required else written(knob.default)


def _values(knob: catalog.Knob) -> str:
    """Return what a knob may be, where its type does not tell."""
    if knob.kind == "object":
        return ", ".join(sorted(objects.known(str(knob.family))))
    if knob.kind == "sizes":
        return "300-100, 100x10 (ten of 100), none"
    return ", ".join(map(str, knob.choices))
