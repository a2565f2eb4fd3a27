"""Records of runs that nobody trained, as run_tables.all_records gives them."""

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def run(number, accuracy=0.9, *, knobs=(), best=None, **changes):
    """Return the record of a run: settings by name, knobs apart, everything else of the record by its key."""
    experiment = {
        "dataset": "digits", "recipe": "dense",
        "knobs": {"hidden": [100], "dropout": 0.0, "activation": "relu", **dict(knobs)},
        "scale": "unit", "optimizer": "adam", "learning_rate": None, "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"], "epochs": 20, "batch_size": 32, "patience": 3, "validation": 0.2, "split_seed": 0,
        "limit": None, "seed": 0, "precision": "float32", "jit": None, "loop": "auto", "threads": None,
    }  # fmt: skip
    experiment |= {
        name: changes.pop(name) for name in [*changes] if name in experiment and name not in ("loop", "threads")
    }
    values = {"loss": 0.2, "accuracy": accuracy + 0.01, "val_loss": 1 - accuracy, "val_accuracy": accuracy}
    values = values if best is None else best
    return {
        "format": 1, "id": LETTERS[number % 26] * 5, "folder": f"run-{number}", "status": "finished",
        "created": f"2026-11-21T10:{number // 60:02d}:{number % 60:02d}+00:00", "experiment": experiment,
        "data": {"hash": "h", "synthetic": False, "train": 48000, "validation": 12000, "test": 10000},
        "parameters": 7510, "epochs_run": 9, "best_epoch": 6, "monitor": "val_loss", "direction": "min",
        "best": values, "last": values, "test": {"loss": 0.4, "accuracy": 0.8}, "seconds": {"total": 8.93},
        "loop": "resident", "threads": 1, "recipe_sha256": "r", **changes,
    }  # fmt: skip


def seeds(first, values, **changes):
    """Return one run a value, with seeds 0, 1, …; None for a run that diverged.

    Args:
        first: number of the first run; the others follow.
        values: val_accuracy of each seed.
        **changes: as `run` takes them.
    """
    return [
        run(first + seed, 0.5 if value is None else value, seed=seed, **changes)
        | ({"status": "diverged", "last": None, "best": None} if value is None else {})
        for seed, value in enumerate(values)
    ]
