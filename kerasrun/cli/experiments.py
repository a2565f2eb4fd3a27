"""`kerasrun experiments`: a folder of sweeps' files: what has run, run what is missing, write their tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from kerasrun import atomic, run_tables
from kerasrun.analysis import compare, decisions, figures, moments, tuned_rates, variances
from kerasrun.analysis.charts import Curves
from kerasrun.analysis.groups import Group
from kerasrun.analysis.tables import to_text
from kerasrun.cli import claims, console, words
from kerasrun.errors import InputError, unknown
from kerasrun.run_record import Record
from kerasrun.runs import ENDED, now
from kerasrun.sweeps import grid
from kerasrun.sweeps.grid import Sweep

app = typer.Typer(help="List a folder of experiment files, run them, write tables.", invoke_without_command=True)
Folder = Annotated[Path | None, typer.Option("--folder", help="Where the files are.", show_default=False)]
Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="As a5-optimizers, or a5; all without.")]
HERE = Path("experiments")
_SUMMARY = "README.md"
_SHOWN = {
    "table": "table.md", "claims": "claims.md", "picture": "picture.svg", "rates": "rates.md", "by rate": "rates.svg",
    "variances": "variances.md", "training": "training.md", "by epoch": "training.svg", "gradients": "gradients.md",
    "by layer": "gradients.svg", "regions": "regions.svg", "step": "step.txt",
}  # fmt: skip
_OPEN = "to be run"  # a statement whose seeds are not all there
_AT_THIS_SIZE = (
    "Supported means: at this size, these rates and epochs, over these seeds and on this split; never proved. "
    "Contradicted takes evidence against the statement, undecided is all else."
)


@app.callback()
def listing(
    context: typer.Context,
    folder: Annotated[Path, typer.Option(help="Where the files are.")] = HERE,
    results: words.Results = Path("results"),
    format: words.Format = words.Form.TABLE,
) -> None:
    """List the sweeps' files of a folder: what each asks, how many of its runs are done, what came out."""
    context.obj = (folder, results)
    if context.invoked_subcommand is not None:
        return
    records, damaged = run_tables.all_records(results)
    console.notice(*map(str, damaged))
    rows = []
    for name, file in _all_files(folder).items():
        sweep = grid.plan(None, {}, file=file)
        done = _made(sweep, records)
        found = claims.decided(sweep, results, records)[0] if done else []
        verdicts = Counter(decision.verdict for decision in found)
        said = " · ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
        rows.append((name, f"{len(done)}/{len(sweep.cells)}", said, _title(file)))
    console.show_rows(("experiment", "runs", "claims", "question"), rows, format)


@app.command("run")
def run(
    context: typer.Context,
    names: Names = None,
    *,
    folder: Folder = None,
    results: words.OtherResults = None,
    workers: words.Workers = "auto",
) -> None:
    """Train the runs that are missing and write each file's tables.

    kerasrun experiments run a2 e1
    """
    from kerasrun.cli import sweep_display
    from kerasrun.sweeps import train as sweeps

    code = 0
    folder, results = folder or context.obj[0], results or context.obj[1]
    for name, file in _chosen(folder, names).items():
        asked = grid.plan(None, {}, file=file)
        claims.check(asked)
        console.notice(f"{file}: {_title(file)}")
        with sweeps.held(asked.id, results):
            outlook = sweeps.look(asked, results, workers_wanted=workers)
            with sweep_display.running(outlook) as watch:
                result = sweeps.train(outlook, results, watch=watch)
        code = code or result.exit_code
        _write(asked, name, file, results, run_tables.all_records(results)[0])
    _summarize(folder, results)
    raise typer.Exit(code)


@app.command("write")
def write(
    context: typer.Context, names: Names = None, *, folder: Folder = None, results: words.OtherResults = None
) -> None:
    """Write the tables again from what is there; nothing is trained."""
    folder, results = folder or context.obj[0], results or context.obj[1]
    records, _ = run_tables.all_records(results)
    for name, file in _chosen(folder, names).items():
        _write(grid.plan(None, {}, file=file), name, file, results, records)
    _summarize(folder, results)


def _all_files(folder: Path) -> dict[str, Path]:
    """Return a folder's files by name, those of folders within it last: gpu/c-full."""
    found = sorted(folder.rglob("*.toml"), key=lambda path: (len(path.parts), path))
    if not found:
        raise InputError(f"{folder} holds no experiments\nname another folder: --folder FOLDER")
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in found}


def _chosen(folder: Path, names: Sequence[str] | None) -> dict[str, Path]:
    """Return the files that go by some names, or the beginning of one; without, all but those of folders within."""
    files = _all_files(folder)
    chosen = []
    for name in names or [name for name in files if "/" not in name]:
        fitting = [name] if name in files else [stem for stem in files if stem.startswith(f"{name}-")]
        if not fitting:
            raise unknown("experiment", name, files)
        chosen += fitting
    return {name: files[name] for name in chosen}


def _title(file: Path) -> str:
    """Return what a file asks: its first comment."""
    return _comment(file)


def _comment(file: Path, beginning: str = "") -> str:
    """Return the rest of a file's first comment that begins like this; nothing where there is none."""
    comments = (line[1:].strip() for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("#"))
    return next((line.removeprefix(beginning).strip() for line in comments if line.startswith(beginning)), "")


def _made(sweep: Sweep, records: Sequence[Record]) -> list[Record]:
    """Return the runs of a sweep that ended, the cells' order, each cell once."""
    ended: dict[str, Record] = {}
    for record in records:
        if record["status"] in ENDED:
            ended.setdefault(record.get("experiment_hash", ""), record)
    return [ended[cell.hash] for cell in sweep.cells if cell.hash in ended]


def _write(sweep: Sweep, name: str, file: Path, results: Path, records: Sequence[Record]) -> None:
    """Write runs, epochs, the comparison, the claims and the picture of one file into results/<its name>/."""
    made = _made(sweep, records)
    if not made:
        console.notice(f"{name}: no run yet; kerasrun experiments run {name}")
        return
    folder = results / file.stem
    run_tables.write(folder, made, moments.curves, moments.progress)
    kept = run_tables.read(folder)  # compared as a clone has them, so that it writes the same
    table = compare.compare(kept, sweep=sweep.record(now(), None), metric=sweep.metric, at=sweep.at)
    notes = "".join(f"\n- {note}" for note in table.notes)
    head = f"# {file.stem}: {_title(file)}\n\n{_made_with(made)}\n\n{table.title}\n\n"
    atomic.write(folder / "table.md", f"{head}{to_text(*table.people, 'md')}{notes}\n")
    atomic.write(folder / "table.csv", to_text(*table.exact(), "csv"))
    if sweep.claims:
        found, _ = claims.decided(sweep, results, records)
        atomic.write(folder / "claims.md", to_text(*decisions.shown(found), "md"))
    _write_variances(made, sweep, folder)
    _write_rates(table, folder)
    charts = figures.figures(table)
    _write_charts(charts, folder)
    _draw(table, charts, sweep, made, folder)
    console.notice(f"wrote {folder}")


def _write_rates(table: compare.Comparison, folder: Path) -> None:
    """Write what tuning does, where learning rates are varied."""
    groups = [member for member in table.members if isinstance(member, Group)]
    if rows := tuned_rates.table(tuned_rates.tried(groups)):
        people = [
            (row[0], f"{row[1]:g}", f"{row[2]:.4f}", *row[3:5], *(v and f"{v:.4f}" for v in row[5:])) for row in rows
        ]
        _write_table(folder, "rates", tuned_rates.COLUMNS, people, rows)


def _write_variances(records: Sequence[Record], sweep: Sweep, folder: Path) -> None:
    """Write what moves a result, where nothing but the split and the seed is varied."""
    if [axis.names for axis in sweep.axes] != [("split_seed",)]:
        return
    values: dict[int, dict[int, float]] = {}
    for record in records:
        accuracy = moments.value(record, "val_accuracy", moments.LAST)
        if accuracy is not None:
            values.setdefault(record["experiment"]["split_seed"], {})[record["experiment"]["seed"]] = accuracy
    try:
        rows = variances.table(values, records[0]["data"]["validation"])
    except ValueError as error:
        console.notice(f"{folder}: {error}")
        return
    people = [(source, f"{100 * d:.2f} points", "" if s is None else f"{s:.0%}") for source, d, s in rows]
    _write_table(folder, "variances", variances.COLUMNS, people, rows)


def _write_table(
    folder: Path, name: str, columns: Sequence[str], people: Sequence[Sequence[Any]], rows: Sequence[Sequence[Any]]
) -> None:
    """Write a table twice: as people read it, and with every digit."""
    atomic.write(folder / f"{name}.md", to_text(columns, people, "md"))
    atomic.write(folder / f"{name}.csv", to_text(columns, rows, "csv"))


def _write_charts(charts: Mapping[str, Curves], folder: Path) -> None:
    """Write the numbers of the pictures as tables, and remove what was drawn of other settings before."""
    for name in figures.NAMES:
        if name not in charts:
            for kind in ("svg", "md", "csv"):
                (folder / f"{name}.{kind}").unlink(missing_ok=True)
        elif name != "rates":  # which has a table of its own
            form = ".1e" if name in figures.LOGARITHMIC else ".4f"
            columns, rows = figures.rows(charts[name])
            people = [(f"{along:.0f}", *(v and f"{v:{form}}" for v in means)) for along, *means in rows]
            _write_table(folder, name, columns, people, rows)


def _draw(
    table: compare.Comparison, charts: Mapping[str, Curves], sweep: Sweep, records: Sequence[Record], folder: Path
) -> None:
    from kerasrun.analysis import pictures, plots

    try:
        atomic.write(folder / "picture.svg", pictures.picture(plots.plot(table, "auto", sweep.axes), "svg"))
        for name, chart in charts.items():
            log = name in figures.LOGARITHMIC
            atomic.write(folder / f"{name}.svg", pictures.picture(chart, "svg", log=log))
        _draw_regions(sweep, records, folder)
    except InputError as error:  # the extra plot is missing, or there is nothing to draw
        console.notice(f"{folder}: no picture: {str(error).splitlines()[0]}")


def _draw_regions(sweep: Sweep, records: Sequence[Record], folder: Path) -> None:
    """Draw what networks of two inputs answer, each setting's with the first seed, where all their folders are here."""
    from kerasrun.analysis import region_pictures

    task = sweep.cells[0].experiment.entry.task
    first = [cell for cell in sweep.cells if cell.seed == sweep.seeds[0]][: region_pictures.MOST]
    by_hash = {record["experiment_hash"]: record for record in records if "path" in record}
    if task.input_shape != (2,) or task.kind != "binary" or not all(cell.hash in by_hash for cell in first):
        return
    from kerasrun.cli import regions

    panels = [
        regions.panel(by_hash[cell.hash]["id"], folder.parent, "\n".join(grid.words(cell.setting))) for cell in first
    ]
    atomic.write(folder / "regions.svg", region_pictures.picture(panels, "svg"))


def _made_with(records: Sequence[Record]) -> str:
    """Return how many runs there are and what they were made with, in one line."""
    hardware, versions = ([record.get(part) or {} for record in records] for part in ("hardware", "versions"))
    machines = Counter(f"{h.get('processor')}, {h.get('cores')} cores" for h in hardware)
    software = Counter(f"Keras {v.get('keras')}, TensorFlow {v.get('tensorflow')}" for v in versions)
    seconds = sum((record.get("seconds") or {}).get("total", 0.0) for record in records)
    parts = [f"{len(records)} runs", f"{seconds / 60:.0f} minutes of training", *machines, *software]
    return " · ".join(parts)


def _summarize(folder: Path, results: Path) -> None:
    """Write results/README.md: a line for every statement of every file, by the runs and tables that are there.

    Files of folders within need another machine: until they have run, the reason is told (`# not run: …`).
    """
    records, _ = run_tables.all_records(results)
    statements: list[tuple[str, ...]] = []
    about: list[tuple[str, ...]] = []
    elsewhere: list[tuple[str, ...]] = []
    for name, file in _all_files(folder).items():
        sweep = grid.plan(None, {}, file=file)
        made = _made(sweep, records)
        state = f"{len(made)} of {len(sweep.cells)} runs"
        if "/" in name and not made:
            elsewhere.append((name, _title(file), state, _comment(file, "not run:")))
            continue
        links = [
            f"[{what}]({file.stem}/{path})" for what, path in _SHOWN.items() if (results / file.stem / path).exists()
        ]
        about.append((file.stem, _title(file), state, " · ".join(links)))
        found = claims.decided(sweep, results, records)[0] if sweep.claims else []
        statements += [(file.stem, d.claim.says, d.verdict if d.findings else _OPEN, decisions.told(d)) for d in found]
    counts = Counter(row[2] for row in statements)
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or "none decided yet"
    errors = decisions.said_errors(counts["supported"] + counts["contradicted"])
    text = (
        "# The study\n\nWritten by `kerasrun experiments write` from the runs and tables at hand; do not edit.\n\n"
        f"{_made_with([r for r in records if r['status'] in ENDED])}\n\n## Statements: {said}\n\n"
        f"{_AT_THIS_SIZE}{errors and f' {errors}.'}\n\n"
        f"{to_text(('experiment', 'statement', 'verdict', 'numbers'), statements, 'md')}\n"
        f"## Experiments\n\n{to_text(('experiment', 'question', 'state', 'results'), about, 'md')}"
    )
    if elsewhere:
        text += f"\n## Not run here\n\n{to_text(('experiment', 'question', 'state', 'why'), elsewhere, 'md')}"
    results.mkdir(parents=True, exist_ok=True)
    atomic.write(results / _SUMMARY, text)
    console.notice(f"wrote {results / _SUMMARY}")
