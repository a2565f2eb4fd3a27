"""kerasrun: a laboratory for Keras networks. The Python API; importing it loads neither TensorFlow nor pandas.

run = kerasrun.train("fashion-mnist", optimizer="rmsprop", hidden=(300, 100), epochs=5)
run.metrics                  # a DataFrame: epoch, loss, accuracy, val_loss, val_accuracy, learning_rate
run.model().predict(images)  # the weights of the best epoch; raw pixels in
kerasrun.sweep("fashion-mnist", optimizer=["sgd", "adam"], seeds=5).table
kerasrun.compare()           # a DataFrame, one row a run
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from kerasrun.datasets import Data
    from kerasrun.experiment import Experiment
    from kerasrun.runs import Run
    from kerasrun.sweeps.events import Event as SweepEvent
    from kerasrun.sweeps.train import Result as SweepResult
    from kerasrun.training.events import Watch
    from kerasrun.verification import Verdict

__all__ = ["compare", "load_run", "resume", "sweep", "train", "train_run", "verify"]


def train(
    dataset: str | None = None,
    *,
    file: str | Path | None = None,
    results: str | Path = "results",
    name: str | None = None,
    resume: bool = False,
    watch: Watch | None = None,
    **given: Any,
) -> Run:
    """Train a network and keep a record of it.

    Args:
        dataset: a dataset's name, or the path of a file.
        file: an experiment's TOML file; `dataset` and `given` go before it.
        results: folder of all runs.
        name: first part of the run folder's name; "<dataset>-<recipe>" without.
        resume: where `results` has a run of this experiment, go on with the newest one, or return it if it has ended.
        watch: is told what happens, one event at a time (kerasrun.training.events.Event).
        **given: settings, `recipe` and knobs, as text or typed: `optimizer="rmsprop"`, `hidden=(300, 100)`.

    Returns:
        The run: `.metrics`, `.record`, `.model()`, `.folder`.

    Raises:
        kerasrun.errors.InputError: a wrong name, value or combination; found before TensorFlow is loaded.
        kerasrun.errors.RunFailed: the training failed; its folder keeps status and error.
    """
    from kerasrun import continuation, run_folder, runs
    from kerasrun.experiment import resolve

    experiment = resolve(dataset, given, file=Path(file) if file else None)
    run_folder.probe(Path(results), name)
    if resume and (earlier := continuation.newest_of(experiment, Path(results))):
        return go_on(earlier, watch=watch)
    return train_run(experiment, runs.start(experiment, Path(results), name=name), watch=watch)


def resume(
    name: str = "last",
    *,
    results: str | Path = "results",
    recipe: str | None = None,
    watch: Watch | None = None,
    **given: Any,
) -> Run:
    """Go on with a run from its last commit; its files become those of a run that was never interrupted.

    Args:
        name: id, folder name, a prefix of either, "last", or a number counted from the newest.
        results: folder of all runs.
        recipe: the recipe's file, where the run folder's own copy may not be used.
        watch: as in `train`.
        **given: `epochs`, `patience` or `save_every`, to change them.

    Returns:
        The run; as it is where nothing is left to do.

    Raises:
        kerasrun.errors.RunInUse: another process is working on it.
        kerasrun.errors.InputError: data or recipe are not those it began with.
        kerasrun.errors.KerasrunError: as `train`.
    """
    return go_on(load_run(name, results=results), given, recipe=recipe, watch=watch)


def go_on(
    run: Run,
    given: Mapping[str, Any] | None = None,
    *,
    recipe: str | None = None,
    data: Data | None = None,
    watch: Watch | None = None,
) -> Run:
    """Go on with a run as `resume` does; as it is where nothing is left to do. Data as in `train_run`."""
    from kerasrun import atomic, continuation, runs

    with runs.held(run):
        run = runs.reread(run)
        experiment = continuation.continued(run, given or {}, recipe=recipe)
        if continuation.is_complete(run, experiment):
            return run
        atomic.remove_unfinished(run.folder)
        return train_run(experiment, run, resuming=True, data=data, watch=watch)


def train_run(
    experiment: Experiment,
    run: Run,
    *,
    resuming: bool = False,
    data: Data | None = None,
    watch: Watch | None = None,
) -> Run:
    """Train an experiment into its run folder: read the data while Keras is being loaded, then train.

    Args:
        experiment: what to train.
        run: its folder, locked.
        resuming: go on from the run's last state, where it has one.
        data: the experiment's, where they have been read already.
        watch: as in `train`.

    Raises:
        kerasrun.errors.KerasrunError: as `train`.
    """
    from concurrent.futures import ThreadPoolExecutor

    from kerasrun import compile_cache, continuation, datasets, environment, errors

    try:
        environment.refuse_distribution()
        if experiment.jit:
            compile_cache.use()
        status = None if data else datasets.status(experiment.entry)  # opens a table: pandas before Keras looks for it
        with ThreadPoolExecutor(max_workers=1) as pool:
            loading = pool.submit(lambda: data or datasets.load(experiment))
            if status in ("bundled", "not cached", "not registered"):
                loading.result()  # first: scikit-learn, which Keras looks for, too; data that may not be to be had
            from kerasrun.training.snapshot import last_state
            from kerasrun.training.train import train as train_on

            loaded = loading.result()
        continuation.check_data(run, loaded.content_hash)
        state = last_state(run) if resuming else None
        if state and (state.epochs, state.blocks) > (experiment.epochs, 0):
            raise errors.InputError(f"epochs={experiment.epochs}: {state.epochs} epochs are done already; train anew")
    except BaseException:
        if not resuming:
            run.discard()
        raise
    try:
        return train_on(experiment, run, loaded, state=state, resuming=resuming, watch=watch)
    finally:
        run.release()


def sweep(
    dataset: str | Sequence[str] | None = None,
    *,
    file: str | Path | None = None,
    seeds: int | str | Sequence[int] | None = None,
    workers: int | str = "auto",
    results: str | Path = "results",
    again: bool = False,
    watch: Callable[[SweepEvent], None] | None = None,
    **given: Any,
) -> SweepResult:
    """Train every combination of the values given, over several seeds; what has a result is not trained again.

    Args:
        dataset: as in `train`, or a list of datasets.
        file: a sweep's TOML file; everything else goes before it.
        seeds: how many (5 is 0 to 4), or which: "0,1,7", "3-7", a list; those of the file, else one.
        workers: how many runs train at a time, each in a process of its own; "auto" by cores, memory and GPUs.
        results: folder of all runs.
        again: train what has a result, too.
        watch: is told what happens, one event at a time (kerasrun.sweeps.events.Event).
        **given: as in `train`; a list has several values, `optimizer=["sgd", "adam"]`, as has a text with commas. Sizes
            of one network are a tuple, `hidden=(300, 100)`.

    Returns:
        What became of it: `.id`, `.runs`, `.failed`, `.table` (a DataFrame, as `compare` makes it).

    Raises:
        kerasrun.errors.InputError: a run of the sweep that cannot be; nothing has been trained then.
        kerasrun.errors.RunInUse: another process is training the same sweep.
        kerasrun.errors.Interrupted: a signal ended it; the same call goes on.
    """
    from kerasrun.sweeps import grid
    from kerasrun.sweeps import train as sweeps

    asked = grid.plan(dataset, given, file=Path(file) if file else None, seeds=seeds)
    with sweeps.held(asked.id, Path(results)):
        outlook = sweeps.look(asked, Path(results), workers_wanted=workers, again=again)
        return sweeps.train(outlook, Path(results), watch=watch or (lambda event: None))


def verify(
    name: str = "last", *, epochs: int = 2, results: str | Path = "results", recipe: str | None = None
) -> Verdict:
    """Train a run's first epochs again from its record, in a temporary folder, and compare the numbers.

    Args:
        name: as in `resume`.
        epochs: how many to train again, from 1; all of a shorter run.
        results: folder of all runs.
        recipe: as in `resume`.

    Raises:
        kerasrun.errors.InputError: the run has no epoch, or data or recipe are not those it began with.
        kerasrun.errors.Interrupted: a signal came before all epochs were trained again.
        kerasrun.errors.KerasrunError: as `train`.
    """
    from tempfile import TemporaryDirectory

    from kerasrun import continuation, errors, runs, verification

    run = load_run(name, results=results)
    recorded = verification.recorded_lines(run, epochs)
    experiment = continuation.continued(run, {}, recipe=recipe)
    table = ""

    def stop_in_time(event: object) -> None:
        nonlocal table
        if type(event).__name__ == "Epoch":
            table = event.metrics_csv  # type: ignore[attr-defined]
            if len(table.splitlines()) == len(recorded):
                raise errors.Interrupted("", 2)

    with TemporaryDirectory(prefix="kerasrun-verify-") as folder:
        scratch = runs.start(experiment, Path(folder))
        scratch.record |= {name: run.record[name] for name in ("data", "block", "marks") if name in run.record}
        try:
            train_run(experiment, scratch, watch=stop_in_time)
        except errors.Interrupted as interrupted:
            if len(table.splitlines()) < len(recorded):  # by a signal
                raise errors.Interrupted("interrupted; nothing was compared", interrupted.exit_code - 128) from None
        table = table or (scratch.folder / runs.METRICS).read_text()  # of a network that has nothing to train
    return verification.compare(run, scratch.record, recorded, table.splitlines())


def load_run(name: str = "last", *, results: str | Path = "results") -> Run:
    """Return a run by id, folder name, a prefix of either, "last", or a number counted from the newest, "1".

    Raises:
        kerasrun.errors.InputError: no run, or several, go by that name.
    """
    from kerasrun import run_index, runs

    return runs.load(run_index.find(Path(results), name))


def compare(
    *names: str, results: str | Path = "results", where: str | Sequence[str] = (), **asked: Any
) -> pd.DataFrame:
    """Return the table of `kerasrun compare` as a DataFrame, with every digit.

    Args:
        *names: runs or a sweep; without, the runs of the newest run's dataset that ended.
        results: folder of all runs.
        where: conditions as "optimizer=adam" that all hold.
        **asked: fields of kerasrun.analysis.question.Question: metric, at, by, baseline, margin, until, runs, test …

    Raises:
        kerasrun.errors.InputError: a name, column or value that no run has, or a question that cannot be answered.
    """
    from kerasrun import run_tables
    from kerasrun.analysis import choice
    from kerasrun.analysis.compare import compare as compare_records

    records, _ = run_tables.all_records(Path(results))
    chosen, sweep = choice.named(Path(results), names, records) if names else (records, None)
    asked["every"] = asked.get("every") or bool(names and not sweep)
    return compare_records(chosen, where=where, sweep=sweep, **asked).table
