"""One's own copies of named datasets: `kerasrun datasets add cifar100 FILE.npz`, `… titanic FILE.csv`.

A copy lies as <name>.npz in the data folder (KERASRUN_HOME, else ~/.kerasrun) with its hash in <name>.json beside it,
goes before Keras's cache, and is checked by its hash at every reading. A table lies there as <name>.csv or .parquet.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasrun import atomic, environment, own_data, runs
from kerasrun.datasets import arrays, checks, npz
from kerasrun.datasets.parts import Unsplit
from kerasrun.errors import DataUnavailable, DiskError, InputError

if TYPE_CHECKING:
    from kerasrun.catalog import DatasetEntry


def folder() -> Path:
    """Return the folder of registered copies."""
    return environment.home() / "datasets"


def has(entry: DatasetEntry) -> bool:
    """Return whether a copy of a dataset is registered."""
    if is_table(entry):
        return own_data.copy_of(entry.name) is not None
    return entry.source == "keras_sets" and (folder() / f"{entry.name}.json").is_file()


def is_table(entry: DatasetEntry) -> bool:
    """Return whether a dataset is a table that is there as a registered copy alone."""
    return entry.source in ("tables", "texts") and "/" not in entry.name


def read(entry: DatasetEntry, arguments: Mapping[str, Any]) -> Unsplit:
    """Return a registered copy of arrays.

    Raises:
        DataUnavailable: the copy was changed or is gone since it was registered.
    """
    path = folder() / f"{entry.name}.npz"
    again = f"register it again: kerasrun datasets add {entry.name} FILE.npz\nor delete {path.with_suffix('.json')}"
    try:
        expected = json.loads(path.with_suffix(".json").read_text())["sha256"]
        found = runs.sha256(path)
    except (OSError, ValueError, KeyError) as error:
        raise DataUnavailable(f"{path}: the registered copy cannot be read ({error})\n{again}") from error
    if found != expected:
        raise DataUnavailable(f"{path}: damaged: sha256 {found}, registered was {expected}\n{again}")
    note = f"{entry.name} is your registered copy, sha256 {expected[:12]}…"
    return _unsplit(path, entry, arguments, (note,))


def add(entry: DatasetEntry, file: Path) -> Path:
    """Check an .npz against what the catalog says of a dataset, and keep a copy of it; return where the copy lies.

    Args:
        entry: the dataset.
        file: .npz with x_train, y_train, x_test, y_test (and class_names); texts as word numbers (n, words).

    Raises:
        InputError: the dataset needs no copy, or the file differs in counts, shapes, dtype or labels.
        DiskError: the copy cannot be written.
    """
    if is_table(entry):
        return _add_table(entry, file)
    if entry.source != "keras_sets":
        raise InputError(
            f"{entry.name} needs no copy: only datasets that are fetched can be registered\n"
            f"to train on a file of your own, name it: kerasrun train {file}"
        )
    unsplit = _unsplit(file, entry, entry.arguments, ())
    _check_counts(unsplit, entry, file)
    checks.check(unsplit)
    target = _copied(file, folder() / f"{entry.name}.npz")
    record = {"dataset": entry.name, "file": file.name, "sha256": runs.sha256(target)}
    atomic.write(target.with_suffix(".json"), json.dumps(record, indent=1) + "\n")
    return target


def _add_table(entry: DatasetEntry, file: Path) -> Path:
    """Check a table against what the catalog says of it, and keep a copy."""
    source = own_data.source_named(entry)
    options = {name: option.default for name, option in source.options.items()} | dict(entry.settings)
    found, _ = import_module(source.module).describe(file, {**options, "missing": "drop"})
    if found.task.class_names != entry.task.class_names:
        raise InputError(
            f"{file}: its {options['target']} has the classes {_listed(found)}; {entry.name} has {_listed(entry)}\n"
            f"to train on other data, name the file itself: kerasrun train {file}"
        )
    endings = (".parquet", ".csv") if file.suffix.lower() in (".parquet", ".pq") else (".csv", ".parquet")
    copy, before = (folder() / f"{entry.name}{ending}" for ending in endings)
    _copied(file, copy)
    before.unlink(missing_ok=True)
    return copy


def _listed(entry: DatasetEntry) -> str:
    return ", ".join(entry.task.class_names or ["none"])


def _copied(file: Path, target: Path) -> Path:
    """Copy a file into the folder of registered copies."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskError(f"{target.parent}: cannot be made ({error.strerror}); set KERASRUN_HOME") from error
    if target.exists() and target.samefile(file):
        raise InputError(f"{file} is the registered copy itself; name the file that it was made of")
    atomic.write_with(target, lambda temporary: shutil.copyfile(file, temporary))
    return target


def _unsplit(path: Path, entry: DatasetEntry, arguments: Mapping[str, Any], notes: tuple[str, ...]) -> Unsplit:
    """Return what a copy holds; texts brought to the number of words and the length that the arguments name."""
    content = npz.read(path, ("x_train", "y_train", "x_test", "y_test", "class_names"))
    if entry.task.vocabulary_size is not None:
        for name in ("x_train", "x_test"):
            if name in content and content[name].ndim == 2:
                content[name] = _refitted(content[name], arguments["num_words"], arguments["length"])
    unsplit = arrays.unsplit(content, entry.task, str(path))
    return Unsplit(unsplit.task, unsplit.where, unsplit.train, test=unsplit.test, notes=notes)


def _refitted(x: np.ndarray, num_words: int, length: int) -> np.ndarray:
    """Return padded texts cut, or padded further in front, to another length, and rarer words as unknown (2)."""
    longer = np.zeros((len(x), max(length - x.shape[1], 0)), dtype=x.dtype)
    x = np.concatenate([longer, x], axis=1)[:, -length:]
    return np.where(x >= num_words, 2, x)


def _check_counts(unsplit: Unsplit, entry: DatasetEntry, file: Path) -> None:
    found = {"train": len(unsplit.train), "test": 0 if unsplit.test is None else len(unsplit.test)}
    for name, expected in (("train", entry.train), ("test", entry.test)):
        if found[name] != expected:
            raise InputError(
                f"{file}: {found[name]} {name} examples; {entry.name} has {expected}\n"
                f"to train on other data, name the file itself: kerasrun train {file}"
            )
    dtype = unsplit.train.x.dtype
    if entry.raw_dtype == "uint8" and dtype != np.uint8:
        raise InputError(
            f"{file}: x_train is {dtype}; {entry.name} has uint8 (0 to 255)\nstore x_train.astype('uint8')"
        )
