"""`kerasrun runs`: the list of runs, one run in full, what two differ in, where one lies, and removing some."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from kerasrun import differences as apart
from kerasrun import runs
from kerasrun.cli import console, words
from kerasrun.literals import written

app = typer.Typer(invoke_without_command=True, help="List, show, diff, check, slim, remove runs; print a path.")
_COLUMNS = ("n", "run", "status", "created", "dataset", "recipe", "epochs", "best", "monitor", "value", "s")
_NAMED = "Id, folder name, a prefix of either, last, or 1 for the newest."
Name = Annotated[str, typer.Argument(help=_NAMED, show_default=False)]


@app.callback()
def listing(
    context: typer.Context, *, results: words.Results = Path("results"), format: words.Format = words.Form.TABLE
) -> None:
    """List the runs, the newest first."""
    context.obj = results
    if context.invoked_subcommand:
        return
    from kerasrun import run_index

    index = run_index.scan(results)
    rows = [_overview(number, record) for number, record in enumerate(index.records, start=1)]
    if rows or format != "table":
        console.show_rows(_COLUMNS, rows, format)
    else:
        console.notice(f"no runs in {results} yet; kerasrun train digits makes one")
    console.notice(*map(str, index.damaged))


@app.command("show")
def show(
    context: typer.Context,
    name: Name = "last",
    *,
    results: words.OtherResults = None,
    as_json: Annotated[bool, typer.Option("--json", help="The record as it is stored.")] = False,
) -> None:
    """Show a run: settings, results, machine, files."""
    run = _run(context, name, results)
    if as_json:
        console.say(json.dumps({**run.record, "status": run.status}, indent=1))
        return
    record = run.record
    console.say(f"{run.id}   {run.status}   {run.folder}", *_outline(record), "")
    _show_results(record)
    console.say("")
    _show_settings(record)
    console.say("", *_made_with(record), "")
    files = [(n, "missing" if size is None else console.size(size)) for n, size in run.files().items()]
    console.show_table(("file", "size"), files, text_columns=("size",))


@app.command("diff")
def diff(context: typer.Context, first: Name, second: Name, *, results: words.OtherResults = None) -> None:
    """Show what two runs differ in, to the first number."""
    one, other = _run(context, first, results), _run(context, second, results)
    rows = [(p, n, written(a), written(b)) for p, n, a, b in apart.differences(one, other)]
    if rows:
        console.show_table(("part", "name", one.id, other.id), rows, text_columns=(one.id, other.id))
    else:
        console.say("same settings, data, software and machine")
    console.say(apart.metrics_difference(one, other))


@app.command("check")
def check(context: typer.Context, *, results: words.OtherResults = None) -> None:
    """Look for damaged files in all runs; exit code 1 where any are."""
    from kerasrun import run_check

    looked_at, damaged = run_check.check(results or context.obj)
    console.say(*map(str, damaged))
    if damaged:
        folders = len({damage.folder for damage in damaged})
        console.say(f"{_count(looked_at)}, damage in {folders}")
        raise typer.Exit(1)
    console.say(f"{_count(looked_at)}, no damage")


@app.command("rm")
def remove(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(help=_NAMED, show_default=False)],
    *,
    results: words.OtherResults = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove runs with all their files."""
    folders = list(dict.fromkeys(_folder(context, name, results) for name in names))
    if not yes:
        console.notice(*map(str, folders))
        if not console.confirm(f"remove {_count(len(folders))}", instead="--yes"):
            console.notice("nothing was removed")
            return
    runs.remove(folders)
    console.say(*(f"removed {folder}" for folder in folders))


@app.command("slim")
def slim(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help=f"{_NAMED} All that ended without.")] = None,
    *,
    results: words.OtherResults = None,
) -> None:
    """Remove state.npz of runs that ended.

    Asked for more epochs, they begin from the start.
    """
    from kerasrun import run_index

    folder = results or context.obj
    ended = [record["folder"] for record in run_index.scan(folder).records if record["status"] in runs.ENDED]
    asked = {run_index.find(folder, name): None for name in names} if names else [folder / name for name in ended]
    freed = [runs.slim(runs.load(path)) for path in asked]
    console.say(f"{console.size(sum(freed))} freed in {_count(sum(map(bool, freed)))}")


@app.command("path")
def path(context: typer.Context, name: Name = "last", *, results: words.OtherResults = None) -> None:
    """Print a run's folder."""
    console.say(str(_folder(context, name, results)))


def _run(context: typer.Context, name: str, results: Path | None) -> runs.Run:
    return runs.load(_folder(context, name, results))


def _folder(context: typer.Context, name: str, results: Path | None) -> Path:
    from kerasrun import run_index

    return run_index.find(results or context.obj, name)


def _overview(number: int, record: dict[str, Any]) -> tuple[Any, ...]:
    """Return a run as a row of the list; None for what is not known yet."""
    experiment, monitor = record["experiment"], record.get("monitor")
    return (
        number, record["id"], record["status"], _local(record.get("created")), experiment.get("dataset"),
        experiment.get("recipe"), record.get("epochs_run"), record.get("best_epoch"), monitor,
        (record.get("best") or {}).get(monitor), _seconds(record),
    )  # fmt: skip


def _seconds(record: dict[str, Any]) -> float | None:
    total = (record.get("seconds") or {}).get("total")
    return None if total is None else round(total, 1)


def _outline(record: dict[str, Any]) -> list[str]:
    """Return what a run is and how it ended, in a few lines."""
    experiment, data = record["experiment"], record.get("data") or {}
    sizes = " · ".join(f"{data[part]:,} {part}" for part in ("train", "validation", "test") if part in data)
    made_up = " · made-up data" if data.get("synthetic") else ""
    parameters = f"{record['architecture']} · {record['parameters']:,} parameters" if "parameters" in record else ""
    total = _seconds(record)
    took = "" if total is None else f" · {total:g} s"
    lines = [
        f"created {_local(record.get('created'))}{took}",
        f"{experiment.get('dataset')}   {sizes}{made_up}".rstrip(),
        f"{experiment.get('recipe')}   {parameters}".rstrip(),
    ]
    if record.get("error"):
        lines.append(f"error: {record['error']['message']}")
    return lines


def _show_settings(record: dict[str, Any]) -> None:
    experiment, origins = dict(record["experiment"]), record.get("origins") or {}
    values = {**experiment.pop("knobs", {}), **experiment}
    rows = [(name, written(value), origins.get(name, "")) for name, value in values.items()]
    console.show_table(("setting", "value", "origin"), rows, text_columns=("value",))


def _show_results(record: dict[str, Any]) -> None:
    best, last, test = (record.get(part) or {} for part in ("best", "last", "test"))
    columns = list(dict.fromkeys([*best, *last, *test]))
    if not columns:
        console.say("no epoch was completed")
        return
    parts = [
        (f"best epoch ({record.get('best_epoch')}, {record.get('monitor')} {record.get('direction')})", best),
        (f"last epoch ({record.get('epochs_run')})", last),
        ("test (best weights)", test),
    ]
    rows = [[name, *(values.get(column) for column in columns)] for name, values in parts if values]
    console.show_table(("", *columns), rows)


def _made_with(record: dict[str, Any]) -> list[str]:
    """Return on what a run was made, in lines to paste."""
    hardware, git = record.get("hardware") or {}, record.get("git")
    lines = [
        " · ".join(f"{name} {version}" for name, version in (record.get("versions") or {}).items()),
        " · ".join(str(hardware[name]) for name in ("processor", "system") if name in hardware)
        + f" · {hardware.get('cores')} cores",
    ]
    if "loop" in record:
        jit = " · jit" if record.get("jit") else ""
        threads = record.get("threads")
        plural = "s" if threads != 1 else ""
        lines.append(f"{record['loop']} loop · {threads} thread{plural} · {record.get('device')}{jit}")
    if git:
        lines.append(f"git {git['commit'][:12]}{' with changes' if git.get('dirty') else ''}")
    if digest := (record.get("data") or {}).get("hash"):
        lines.append(f"data {digest}")
    return lines


def _local(created: str | None) -> str | None:
    """Return a time in UTC as the clock on the wall shows it."""
    return datetime.fromisoformat(created).astimezone().strftime("%Y-%m-%d %H:%M:%S") if created else None


def _count(number: int) -> str:
    return f"{number} run{'s' if number != 1 else ''}"
