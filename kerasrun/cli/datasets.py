"""`kerasrun datasets`: which datasets there are and where their data is; `add` a copy of one, `profile` a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kerasrun import own_data
from kerasrun.cli import console, words

app = typer.Typer(invoke_without_command=True, help="List the datasets, add a copy of one, or look at a table.")
_Text = Annotated[str | None, typer.Option(show_default=False)]
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
            "no test: a part is held out first (--test 0.2) · further data: synthetic:<name>, or a file of your own"
        )
    else:
        values = [{**row, "shape": _shape(row["shape"])} for row in rows]
        columns = ("dataset", "kind", "shape", "classes", "train", "test", "bytes", "status", "description")
        console.show_rows(columns, [tuple(row.values()) for row in values], format)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The dataset's name, as cifar100.", show_default=False)],
    file: Annotated[
        Path, typer.Argument(help=".npz with x_train, y_train, x_test, y_test; or a table.", show_default=False)
    ],
) -> None:
    """Take a file as the data of a dataset.

    For datasets that would be fetched otherwise, or are fetched from nowhere: cifar100 FILE.npz, titanic FILE.csv.
    """
    from kerasrun import datasets

    path = datasets.add(name, file)
    console.say(f"{path.stem} is registered: {path}", f"next: kerasrun train {path.stem}")


@app.command("profile")
def profile(
    file: Annotated[Path, typer.Argument(help="A table, or a folder of images.", show_default=False)],
    *,
    target: _Text = None,
    task: _Text = None,
    na: _Text = None,
    drop: _Text = None,
    kinds: _Text = None,
    header: Annotated[bool | None, typer.Option("--header/--no-header", show_default=False)] = None,
    separator: _Text = None,
    encoding: _Text = None,
    format: words.Format = words.Form.TABLE,
) -> None:
    """Look at a table or at a folder of images before training on it.

    The options are those of kerasrun train; with a target, columns that give it away are named.
    """
    if file.is_dir():
        from kerasrun.images.profile import profile as look

        seen = look(file)
        console.notice(seen.says)
        console.show_rows(seen.head, seen.rows, format)
        console.notice(*seen.remarks)
        return
    from kerasrun.tables.profile import HEAD, profile

    given = {
        "target": target, "task": task, "na": na, "drop": drop, "kinds": kinds, "header": header,
        "separator": separator, "encoding": encoding,
    }  # fmt: skip
    options = {
        name: option.default if given.get(name) is None else option.read(name, given[name])
        for name, option in own_data.TABLE_OPTIONS.items()
    }
    found = profile(file, options)
    console.notice(found.says)
    console.show_rows(HEAD, found.rows, format)
    console.notice(*found.remarks)


def _shown(row: dict[str, Any]) -> tuple[Any, ...]:
    """Return a row as people read it: no zeros for what is not there."""
    size = console.size(row["bytes"]) if row["bytes"] else None
    return (
        row["name"], row["kind"], _shape(row["shape"]), row["classes"], row["train"], row["test"] or None, size,
        row["status"], row["description"],
    )  # fmt: skip


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
