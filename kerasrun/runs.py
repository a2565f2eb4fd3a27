"""A run: the record and the files of its folder. The only module that knows the names of the files.

results/fashion-mnist-dense-20261121-101500-kqztw/
  run.json          the record: experiment, origins, status, metrics, versions, hardware
  metrics.csv       one row an epoch; equal runs have equal files
  timing.csv        seconds of each epoch
  progress.csv      evaluations inside epochs      health.csv    layer by layer; both where asked for
  best.keras        the model of the best epoch, raw data in
  predictions.npz   what the last and the best epoch's weights say of each validation and test example
  recipe.py         the recipe's source          model.txt   its summary
  log.txt           what was said                error.txt   the traceback of a failed run
  state.npz         how the training goes on     state.prev.npz  the one before, against bit rot
  epoch-0005.keras  regular saving               .lock       held while a process works on the run
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from kerasrun import atomic, catalog, environment
from kerasrun.errors import DiskError, InputError
from kerasrun.experiment import Experiment, from_record, identity, to_record
from kerasrun.run_folder import check_name, is_locked, lock, new_folder, plain
from kerasrun.run_record import ENDED, Fault, parse

if TYPE_CHECKING:
    import keras
    import numpy as np
    import pandas as pd

RECORD, METRICS, TIMING, BEST, PREDICTIONS = "run.json", "metrics.csv", "timing.csv", "best.keras", "predictions.npz"
PROGRESS, HEALTH = "progress.csv", "health.csv"
STATE, PREVIOUS_STATE = "state.npz", "state.prev.npz"
RECIPE, MODEL, LOG, ERROR = "recipe.py", "model.txt", "log.txt", "error.txt"


@dataclass
class Run:
    """One training of one experiment: a folder and its record.

    Args:
        folder: the run's folder.
        record: what run.json holds, as plain JSON values.
    """

    folder: Path
    record: dict[str, Any]
    _lock: IO[bytes] | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        """The run's five letters, unique in its results folder."""
        return self.record["id"]

    @property
    def status(self) -> str:
        """The run's status; a record that says "running" while nobody holds the lock was interrupted."""
        if self.record["status"] == "running" and self._lock is None and not is_locked(self.folder):
            return "interrupted"
        return self.record["status"]

    @property
    def is_merged(self) -> bool:
        """Whether the run came from another results folder: nothing that its record names is executed."""
        return "merged_from" in self.record

    @property
    def experiment(self) -> Experiment:
        """What the run trained."""
        return from_record(self.record["experiment"], self.record["origins"])

    @property
    def metrics(self) -> pd.DataFrame:
        """One row an epoch: epoch (from 1), loss, metrics, the same with val_ in front, learning_rate."""
        import pandas

        path = self.folder / METRICS
        if not path.exists() or not path.stat().st_size:
            raise InputError(f"{path}: no epoch was written; the run's status is {self.status}")
        return pandas.read_csv(path)

    def files(self) -> dict[str, int | None]:
        """Return each file's size in bytes; None for one that the run should have and has not."""
        found = {path.name: path.stat().st_size for path in self.folder.iterdir() if not path.name.startswith(".")}
        expected = (RECORD, METRICS, TIMING, RECIPE, MODEL, *(self.record.get("files") or {}))
        return {name: found.get(name) for name in sorted({*expected, *found})}

    def model(self, *, recipe: str | Path | None = None) -> keras.Model:
        """Load the model of the best epoch; it takes raw data.

        Args:
            recipe: the recipe's file, where the model has classes of its own and the run's copy may not be used.

        Raises:
            InputError: there is none, it is damaged, or it holds what is never loaded.
        """
        from kerasrun.training.saved_models import OwnClass, load_model

        path, recorded = self.folder / BEST, (self.record.get("files") or {}).get(BEST)
        if not path.exists():
            raise InputError(f"{path}: no model was saved; the run's status is {self.status}")
        try:
            return load_model(path, recorded)
        except OwnClass:
            executed = Path(str(recipe).partition(":")[0]) if recipe else self.own_recipe()
            if executed is None:
                raise
        return load_model(path, recorded, recipe=executed)

    def own_recipe(self) -> Path | None:
        """Return the recipe's copy if it may be executed: unchanged, and the run was made in this results folder."""
        copy = self.folder / RECIPE
        if self.is_merged or not copy.is_file() or sha256(copy) != self.record.get("recipe_sha256"):
            return None
        return copy if Path(self.record.get("results", "")) == self.folder.parent.resolve() else None

    def update(self, **changes: Any) -> None:
        """Change the record and write it."""
        atomic.write(self.folder / RECORD, self._changed(changes))

    def commit(self, tables: dict[str, str], state: bytes, **changes: Any) -> None:
        """Replace tables, state (the one commit point) and record, in this order, and keep the state before it.

        Args:
            tables: their texts by name: METRICS, TIMING, PROGRESS, HEALTH.
            state: the content of STATE.
            **changes: of the record.
        """
        contents: dict[str, str | bytes] = {**tables, STATE: state, RECORD: self._changed(changes)}
        with atomic.keeping(self.folder / STATE, self.folder / PREVIOUS_STATE):
            atomic.write_all(self.folder, contents)

    def write(self, texts: dict[str, str]) -> None:
        """Replace text files by whole new texts, by name: tables, MODEL, ERROR."""
        atomic.write_all(self.folder, texts)

    def write_best(self, save: Callable[[Path], None]) -> None:
        """Replace best.keras by what `save` writes, and remember its hash for the next commit of the record."""
        atomic.write_with(self.folder / BEST, save)
        self.note_best()

    def note_best(self) -> None:
        """Remember the hash of best.keras: a kill may have left a record that is older than the file."""
        self.record.setdefault("files", {})[BEST] = sha256(self.folder / BEST)

    def write_epoch(self, epoch: int, save: Callable[[Path], None]) -> None:
        """Keep the model of one epoch (from 1) beside the best one."""
        atomic.write_with(self.folder / f"epoch-{epoch:04d}.keras", save)

    def read_states(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of the last state and of the one before it, as far as they can be read."""
        for name in (STATE, PREVIOUS_STATE):
            with suppress(OSError):
                yield name, (self.folder / name).read_bytes()

    def drop_states(self) -> None:
        """Remove the states of a training that cannot go on."""
        for name in (STATE, PREVIOUS_STATE):
            (self.folder / name).unlink(missing_ok=True)

    def write_predictions(self, arrays: dict[str, np.ndarray]) -> None:
        """Write predictions.npz."""
        import numpy

        def save(temporary: Path) -> None:
            with temporary.open("wb") as file:
                numpy.savez_compressed(file, **arrays)  # type: ignore[arg-type]

        atomic.write_with(self.folder / PREDICTIONS, save)

    def log(self, line: str) -> None:
        """Append a line to log.txt, where there is room for it."""
        with suppress(OSError), open(self.folder / LOG, "a", encoding="utf-8", opener=atomic.no_link) as file:
            file.write(f"{now()} {line}\n")

    def finish(self, status: str, **changes: Any) -> None:
        """Commit the record with its final status and the hash of each file, and give up the lock."""
        for name in (METRICS, TIMING, PROGRESS, HEALTH, BEST, PREDICTIONS, MODEL):
            if (self.folder / name).is_file():
                self.record.setdefault("files", {})[name] = sha256(self.folder / name)
        self.update(status=status, ended=now(), **changes)
        self.release()

    def discard(self) -> None:
        """Remove the folder of a run that never made a step."""
        self.release()
        shutil.rmtree(self.folder, ignore_errors=True)

    def release(self) -> None:
        """Give up the lock."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def _changed(self, changes: dict[str, Any]) -> str:
        """Return the text of the changed record."""
        self.record.update(changes)
        self.record["checksum"] = checksum(self.record)
        return json.dumps(self.record, indent=1, allow_nan=False) + "\n"


def start(experiment: Experiment, results: Path, *, name: str | None = None) -> Run:
    """Make the folder of a new run, lock it and write down all that is known before training.

    Args:
        experiment: what will be trained.
        results: folder of all runs; made where it is missing.
        name: first part of the folder's name; "<dataset>-<recipe>" without.

    Raises:
        InputError: a name with other characters than [A-Za-z0-9_.-], or a results folder that cannot be written.
        DiskError: no space left.
    """
    recipe = catalog.recipe(experiment.recipe)
    stem = check_name(name) if name is not None else plain(f"{experiment.entry.task.name}-{recipe.name}") or "run"
    folder, identifier = new_folder(results, stem)
    run = Run(folder, {})
    try:
        run._lock = lock(folder)
        atomic.write(folder / RECIPE, recipe.source)
        run.update(
            format=1,
            id=identifier,
            folder=folder.name,
            status="running",
            created=now(),
            ended=None,
            experiment=to_record(experiment),
            experiment_hash=identity(experiment, ""),
            origins=dict(experiment.origins),
            results=str(results.resolve()),
            recipe_sha256=hashlib.sha256(recipe.source.encode()).hexdigest(),
            **environment.record(),
        )
    except BaseException:
        run.discard()
        raise
    return run


def load(folder: Path) -> Run:
    """Read a run's record.

    Raises:
        InputError: the folder holds no run, or its record is damaged.
    """
    path = folder / RECORD
    try:
        return Run(folder, parse(path.read_bytes()))
    except FileNotFoundError:
        raise InputError(f"{folder}: holds no run (no {RECORD})") from None
    except (OSError, Fault) as error:
        raise InputError(f"{path}: damaged: {error}") from None


def remove(folders: Sequence[Path]) -> None:
    """Delete run folders, all or, where one is in use, none; of a symbolic link only the link.

    Raises:
        RunInUse: a process is working on one of them.
        DiskError: a folder cannot be deleted.
    """
    with ExitStack() as locks:
        try:
            for folder in folders:
                if not folder.is_symlink():
                    locks.enter_context(lock(folder))
            for folder in folders:
                if folder.is_symlink():
                    folder.unlink()
                    continue
                (folder / RECORD).unlink(missing_ok=True)  # without it, what a kill leaves behind is no run
                shutil.rmtree(folder)
        except OSError as error:
            raise DiskError(f"{error.filename}: cannot be deleted ({error.strerror})") from error


def slim(run: Run) -> int:
    """Remove the states of a run that ended; return how many bytes they had.

    Raises:
        InputError: the run has not ended, and goes on from its state.
        RunInUse: a process is working on it.
    """
    with held(run):
        if reread(run).record["status"] not in ENDED:
            raise InputError(f"{run.id} has not ended: its state is what it goes on from\nkerasrun resume {run.id}")
        states = [run.folder / name for name in (STATE, PREVIOUS_STATE)]
        size = sum(path.stat().st_size for path in states if path.exists())
        run.drop_states()
    return size


def reread(run: Run) -> Run:
    """Return a run with the record as it is on the disk now, and the lock that is held."""
    return Run(run.folder, load(run.folder).record, _lock=run._lock)


@contextmanager
def held(run: Run) -> Iterator[Run]:
    """Hold a run's lock for the duration of a block."""
    run._lock = lock(run.folder)
    try:
        yield run
    finally:
        run.release()


def sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum(record: dict[str, Any]) -> str:
    """Return the sha256 of a record without its checksum, in hexadecimal."""
    rest = {name: value for name, value in record.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def now() -> str:
    """Return the time in UTC to the second, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
