"""kerasrun: a laboratory for Keras networks. The Python API; importing it loads neither TensorFlow nor pandas.

run = kerasrun.train("fashion-mnist", optimizer="rmsprop", hidden=(300, 100), epochs=5)
run.metrics                  # a DataFrame: epoch, loss, accuracy, val_loss, val_accuracy, learning_rate
run.model().predict(images)  # the weights of the best epoch; raw pixels in
kerasrun.compare()           # a DataFrame, one row a run
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from kerasrun.experiment import Experiment
    from kerasrun.runs import Run
    from kerasrun.training.train import Watch

__all__ = ["compare", "load_run", "train", "train_run"]


def train(
    dataset: str | None = None,
    *,
    file: str | Path | None = None,
    results: str | Path = "results",
    name: str | None = None,
    watch: Watch | None = None,
    **given: Any,
) -> Run:
    """Train a network and keep a record of it.

    Args:
        dataset: a dataset's name, or the path of a file.
        file: an experiment's TOML file; `dataset` and `given` go before it.
        results: folder of all runs.
        name: first part of the run folder's name; "<dataset>-<recipe>" without.
        watch: is told what happens, one event at a time (kerasrun.training.train.Event).
        **given: settings, `recipe` and knobs, as text or typed: `optimizer="rmsprop"`, `hidden=(300, 100)`.

    Returns:
        The run: `.metrics`, `.record`, `.model()`, `.folder`.

    Raises:
        kerasrun.errors.InputError: a wrong name, value or combination; found before TensorFlow is loaded.
        kerasrun.errors.RunFailed: the training failed; its folder keeps status and error.
    """
    from kerasrun import runs
    from kerasrun.experiment import resolve

    experiment = resolve(dataset, given, file=Path(file) if file else None)
    runs.probe(Path(results))
    return train_run(experiment, runs.start(experiment, Path(results), name=name), watch=watch)


def train_run(experiment: Experiment, run: Run, *, watch: Watch | None = None) -> Run:
    """Train an experiment into a run that was just started: read the data while Keras is being loaded, then train.

    Args:
        experiment: what to train.
        run: its folder, locked.
        watch: as in `train`.

    Raises:
        kerasrun.errors.KerasrunError: as `train`.
    """
    from concurrent.futures import ThreadPoolExecutor

    from kerasrun import datasets

    try:
        with ThreadPoolExecutor(max_workers=1) as pool:
            loading = pool.submit(datasets.load, experiment)
            from kerasrun.training.train import train as train_on

            data = loading.result()
    except BaseException:
        run.discard()
        raise
    try:
        return train_on(experiment, run, data, watch=watch)
    finally:
        run.release()


def load_run(name: str = "last", *, results: str | Path = "results") -> Run:
    """Return a run by id, folder name, a prefix of either, "last", or a number counted from the newest, "1".

    Raises:
        kerasrun.errors.InputError: no run, or several, go by that name.
    """
    from kerasrun import run_index, runs

    return runs.load(run_index.find(Path(results), name))


def compare(*, results: str | Path = "results", **options: Any) -> pd.DataFrame:
    """Return the table of `kerasrun compare` as a DataFrame.

    Args:
        results: folder of all runs.
        **options: as kerasrun.analysis.compare.compare takes them: metric, sort, where, by, all_columns, test.
    """
    import pandas

    from kerasrun import run_index
    from kerasrun.analysis.compare import compare as compare_records

    comparison = compare_records(run_index.scan(Path(results)).records, **options)
    return pandas.DataFrame(comparison.rows, columns=comparison.columns)
