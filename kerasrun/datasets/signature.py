"""Whether data can have changed, told without reading them: a thousand finished runs are re-checked in an instant."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from os import stat_result
from pathlib import Path
from typing import TYPE_CHECKING

from kerasrun import catalog, environment
from kerasrun.datasets import fetch, registered

if TYPE_CHECKING:
    from kerasrun.experiment import Experiment


def signature(experiment: Experiment) -> str:
    """Return a text that differs when the content of an experiment's data may differ.

    It follows from the names, and from place, size, times and inode of every file that the data is read from, those of
    the program's own modules that read it among them, and from the versions of NumPy and scikit-learn.

    Args:
        experiment: the experiment.
    """
    entry, arguments = catalog.dataset(experiment.dataset, experiment.options)
    package = Path(__file__).parents[1]
    files = [
        path for folder in ("", "datasets/", "tables/", "images/", "texts/") for path in package.glob(f"{folder}*.py")
    ]
    if registered.has(entry):
        files += [path for path in registered.folder().iterdir() if path.stem == entry.name]
    elif entry.source == "keras_sets":
        files += [path for path in map(fetch.present, entry.downloads) if path]
    given = [part for part in (experiment.validation, experiment.test) if isinstance(part, str)]
    own = [entry.name] if Path(entry.name).is_absolute() else []
    files += [path for path in map(Path, [*own, *given]) if path.exists()]
    packages = environment.versions()
    parts = [experiment.dataset, repr(arguments), *given, packages["numpy"], packages["scikit-learn"]]
    parts += [f"{path} {_state(path.stat())}" for file in files for path in sorted(_all(file))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _all(path: Path) -> Iterator[Path]:
    """Yield a file, or a folder and all that is in it."""
    yield path
    if path.is_dir():
        yield from path.rglob("*")


def _state(found: stat_result) -> tuple[int, ...]:
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
