"""A sweep whose runs were never trained: two axes, records with the values that a test wants, and their folders."""

import itertools
from pathlib import Path
from types import SimpleNamespace

from kerasrun.analysis import claims, decisions, evidence
from kerasrun.sweep_record import Axis

OPTIMIZERS, ACTIVATIONS = ("sgd", "momentum", "adam"), ("relu", "tanh")


def sweep(*tables, optimizers=OPTIMIZERS, activations=ACTIVATIONS[:1], seeds=5, extend=False, excluded=(),
          over="activation", **changes):  # fmt: skip
    """Return a sweep as grid.plan gives it, with the axes optimizer and activation, or what it goes `over`."""
    experiment = SimpleNamespace(
        metric_names=("accuracy",), loss="sparse_categorical_crossentropy", patience=None, evaluate_train=None,
        health=False,
    )  # fmt: skip
    cells = [
        SimpleNamespace(
            setting={"optimizer": o, over: a}, seed=s, hash=f"{o}/{a}/{s}",
            experiment=SimpleNamespace(**{**vars(experiment), **changes}),
        )
        for s, o, a in itertools.product(range(seeds), optimizers, activations)
        if (o, a) not in excluded
    ]  # fmt: skip
    axes = (
        Axis(("optimizer",), tuple((o,) for o in optimizers)),
        Axis((over,), tuple((a,) for a in activations)),
    )
    return SimpleNamespace(
        id="made-up-0000", file="made-up.toml", axes=axes, cells=tuple(cells), seeds=tuple(range(seeds)),
        claims=tuple(tables), metric=None, at=None, extend=extend,
    )  # fmt: skip


def record(cell, value, **changes):
    """Return a run's record; `value` is its validation accuracy, None a run that diverged."""
    metrics = {} if value is None else {"loss": 1 - value, "val_accuracy": value, "val_loss": 1 - value}
    return {
        "id": cell.hash, "created": "2026-11-21T10:00:00+00:00", "folder": cell.hash,
        "status": "diverged" if value is None else "finished", "experiment_hash": cell.hash,
        "experiment": {"dataset": "digits", "epochs": 10, "loss": "sparse_categorical_crossentropy", "seed": cell.seed},
        "data": {"hash": "h", "classes": 10, "chance": 0.1, "validation": 10_000, "test": 1_000},
        "last": metrics, "best": metrics, "test": {"accuracy": value}, "threads": 1, "others_busy": 0.0,
        "seconds": {"total": 10.0, "training": 9.0, "epoch": 1.0}, "monitor": "val_loss", "direction": "min", **changes,
    }  # fmt: skip


def records(its_sweep, values, **changes):
    """Return the records of all cells that a value is known for.

    Args:
        its_sweep: the sweep.
        values: optimizer, or (optimizer, activation), -> a value for each seed.
        changes: parts of every record.
    """
    found = []
    for cell in its_sweep.cells:
        setting = tuple(cell.setting.values())
        known = values.get(setting, values.get(setting[0], ()))
        if cell.seed < len(known):
            found.append(record(cell, known[cell.seed], **changes))
    return found


def with_epochs(folder: Path, run, **columns):
    """Give a run a folder with metrics.csv and timing.csv (1 s an epoch), and return it."""
    path = folder / run["id"].replace("/", "-")
    path.mkdir(parents=True)
    rows = list(zip(*columns.values(), strict=True))
    lines = [",".join(["epoch", *columns]), *(",".join(map(str, [i, *row])) for i, row in enumerate(rows, start=1))]
    (path / "metrics.csv").write_text("\n".join(lines) + "\n")
    (path / "timing.csv").write_text("\n".join(["epoch,seconds", *(f"{i},1" for i in range(1, len(rows) + 1))]) + "\n")
    return run | {"path": str(path)}


def decide(its_sweep, its_records, *, planned=None, looks=(), now="2026-12-01T10:00:00+00:00"):
    """Return the decisions about all claims of a sweep, and the new looks."""
    seeds = its_sweep.seeds[:planned] if planned else its_sweep.seeds
    read = claims.read(its_sweep, seeds=len(seeds))
    cells = [{"hash": c.hash, "setting": c.setting, "seed": c.seed} for c in its_sweep.cells]
    runs = evidence.gather(its_sweep.axes, cells, seeds, its_records)
    return decisions.decide(read, runs, sweep=its_sweep.id, looks=looks, now=now)


def verdict(table, values, **keywords):
    """Return verdict and words of one claim about made-up values by optimizer."""
    its_sweep = sweep(table, **keywords)
    [decision], _ = decide(its_sweep, records(its_sweep, values))
    return decision.verdict, decision.words
