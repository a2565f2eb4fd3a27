"""`kerasrun merge`: the runs of another results folder into ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kerasrun import merging
from kerasrun.cli import console, words


def merge(
    other: Annotated[Path, typer.Argument(metavar="OTHER_RESULTS", help="Another results folder.", show_default=False)],
    *,
    results: words.Results = Path("results"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would come and what would not.")] = False,
) -> None:
    """Copy the runs of another results folder into ours.

    Those that are whole, and comparable with ours.

    Exit code 2 where there was nothing but runs that are refused.

    kerasrun merge OTHER/results --dry-run
    """
    merged = merging.merge(other, results, dry_run=dry_run)
    console.say(*map(str, (*merged.came, *merged.refused)))
    count = sum(len(arrival.ids) for arrival in merged.came)
    console.say(
        f"{count} run{'' if count == 1 else 's'} {'would come' if dry_run else 'came'}, "
        f"{merged.present} here already, {len(merged.refused)} refused"
    )
    if merged.refused and not (merged.came or merged.present):
        raise typer.Exit(2)
