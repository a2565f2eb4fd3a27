"""`kerasrun claims`: what the runs of an experiment file say about its claims, decided again without training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kerasrun import atomic, experiment_file, run_tables
from kerasrun.cli import console, words
from kerasrun.errors import InputError
from kerasrun.run_record import Record
from kerasrun.runs import now
from kerasrun.sweeps import axes, grid
from kerasrun.sweeps.grid import Sweep

if TYPE_CHECKING:
    from kerasrun.analysis.decisions import Decision

_LOOKS = "looks.csv"


def claims(
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="An experiment file with claims.")],
    *,
    results: words.Results = Path("results"),
    format: words.Format = words.Form.TABLE,
) -> None:
    """Decide the claims of an experiment file.

    By the runs that are there; nothing is trained.

    kerasrun claims experiments/a4-relu.toml
    """
    sweep = grid.plan(None, {}, file=file)
    if not sweep.claims:
        raise InputError(f"{file}: claims nothing\nwrite a table [[claim]]; see docs/claims.md")
    show(sweep, results, format)


def check(sweep: Sweep) -> None:
    """Read the claims of a sweep before its first run.

    Raises:
        InputError: a claim that cannot be; file, number and what is allowed.
    """
    from kerasrun.analysis.claims import read

    read(sweep, seeds=len(_planned(sweep)))


def show(sweep: Sweep, results: Path, form: words.Form = words.Form.TABLE) -> None:
    """Decide the claims of a sweep's file and show them.

    Args:
        sweep: planned from its file.
        results: folder of all runs.
        form: of the list.

    Raises:
        InputError: as `decided`.
    """
    from kerasrun.analysis import decisions
    from kerasrun.analysis.tables import to_text

    records, damaged = run_tables.all_records(results)
    console.notice(*map(str, damaged))
    found, summary = decided(sweep, results, records)
    if form is words.Form.JSON:
        console.say(to_text(*decisions.exact(found), form).rstrip("\n"))
    else:
        console.show_rows(*decisions.shown(found), form)
    console.notice(*summary)


def decided(sweep: Sweep, results: Path, records: Sequence[Record]) -> tuple[list[Decision], list[str]]:
    """Decide the claims of a sweep's file, write down how often they were looked at, and sum up in lines.

    Args:
        sweep: planned from its file.
        results: folder of all runs, where the looks are written down.
        records: all runs, as run_tables.all_records gives them.

    Raises:
        InputError: a claim that cannot be, or a damaged file of looks.
    """
    from kerasrun.analysis import claims as reading
    from kerasrun.analysis import decisions, evidence, looks

    planned = _planned(sweep)
    read = reading.read(sweep, seeds=len(planned))
    sweep = _with_seeds(sweep, planned, records, extended=any(claim.extend for claim in read))
    cells = [{"hash": cell.hash, "setting": cell.setting, "seed": cell.seed} for cell in sweep.cells]
    runs = evidence.gather(sweep.axes, cells, planned, records)
    path = results / Path(sweep.file or sweep.name).stem / _LOOKS
    before = looks.read(path.read_text(encoding="utf-8"), str(path)) if path.exists() else []
    found, new = decisions.decide(read, runs, sweep=sweep.id, looks=before, now=now())
    if new:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write(path, looks.write([*before, *new]))
    return found, decisions.summary(found, [look for look in (*before, *new) if look.sweep == sweep.id])


def _planned(sweep: Sweep) -> tuple[int, ...]:
    """Return the seeds that the file names; the command line may ask for others."""
    in_file = experiment_file.read_sweep(Path(sweep.file))[1].get("seeds") if sweep.file else None
    return sweep.seeds if in_file is None else axes.read_seeds(in_file)


def _with_seeds(sweep: Sweep, planned: Sequence[int], records: Sequence[Record], *, extended: bool) -> Sweep:
    """Return the sweep with the planned seeds and, where it may be extended, every seed that a run on its data has."""
    datasets = {cell.experiment.dataset for cell in sweep.cells} if extended else set()
    seen = {r["experiment"].get("seed") for r in records if r["experiment"]["dataset"] in datasets}
    seeds = sorted({*planned, *sweep.seeds, *(seed for seed in seen if isinstance(seed, int))})
    return sweep.with_seeds(seeds)
