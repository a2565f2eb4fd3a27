"""`kerasrun datasets`: which datasets there are and where their data is; `add` takes one's own copy of one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kerasrun.cli import console, words

app = typer.Typer(invoke_without_command=True, help="List the datasets, or add a copy of one.")
_COLUMNS = ("dataset", "kind", "shape", "classes", "train", "test", "size", "status", "description")


@app.callback()
def listing(context: typer.Context, *, format: words.Format = words.Form.TABLE) -> None:
    """List the datasets."""
    if context.invoked_subcommand:
        return
    from kerasrun import datasets  # brings NumPy, which no other command's first words need

    rows = datasets.listing()
    if format == "table":
        console.show_table(_COLUMNS, [_shown(row) for row in rows])
        console.notice(
            "no test: a part is held out first (--test 0.2) · further data: synthetic:<name>, or a path ending in .npz"
        )
    else:
        values = [{**row, "shape": _shape(row["shape"])} for row in rows]
        columns = ("dataset", "kind", "shape", "classes", "train", "test", "bytes", "status", "description")
        console.show_rows(columns, [tuple(row.values()) for row in values], format)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The dataset's name, as cifar100.", show_default=False)],
    file: Annotated[Path, typer.Argument(help=".npz with x_train, y_train, x_test, y_test.", show_default=False)],
) -> None:
    """Take a file as the data of a dataset.

    For datasets that would be fetched otherwise: the way to use them without a network.
    """
    from kerasrun import datasets

    path = datasets.add(name, file)
    console.say(f"{path.stem} is registered: {path}", f"next: kerasrun train {path.stem}")


def _shown(row: dict[str, Any]) -> tuple[Any, ...]:
    """Return a row as people read it: no zeros for what is not there."""
    size = console.size(row["bytes"]) if row["bytes"] else None
    return (
        row["name"], row["kind"], _shape(row["shape"]), row["classes"], row["train"], row["test"] or None, size,
        row["status"], row["description"],
    )  # fmt: skip


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
