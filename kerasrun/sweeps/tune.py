"""Tuning: an Optuna study whose trials are runs, trained by the same worker processes as a sweep's cells.

One process asks and tells; the trials lie in a journal beside the sweeps, so that the same command goes on where the
last one ended. A run that is pruned or diverged is an answer, but no result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasrun import run_tables
from kerasrun.errors import InputError, unknown
from kerasrun.experiment import Experiment, identity
from kerasrun.run_record import TRAINED, Record
from kerasrun.sweeps import grid, local, workers
from kerasrun.sweeps.axes import LISTS
from kerasrun.sweeps.events import Ended, Epoch, Event, Failed, Left, Watch
from kerasrun.sweeps.search import Range, Search
from kerasrun.sweeps.states import DONE, RESUME, Hashes, states

if TYPE_CHECKING:
    import optuna

FOLDER = "tunings"
SAMPLERS = {"tpe": "TPESampler", "random": "RandomSampler", "qmc": "QMCSampler"}
PRUNERS = {"median": "MedianPruner", "hyperband": "HyperbandPruner", "none": "NopPruner"}


@dataclass(frozen=True)
class Told:
    """A trial has ended.

    Args:
        number: of the trial, from 1.
        point: what was chosen.
        status: the run's.
        value: the metric; None where the run is no result.
        best: the best value so far, and the number of its trial.
        done: trials that have an answer.
    """

    number: int
    point: Mapping[str, Any]
    status: str
    value: float | None
    best: tuple[float, int] | None
    done: int


@dataclass
class Tuning:
    """A study as it stands.

    Args:
        search: what is searched through.
        study: Optuna's.
        failed: trials whose run failed, of this call.
    """

    search: Search
    study: optuna.Study
    failed: list[Failed] = field(default_factory=list)

    @property
    def answered(self) -> list[Any]:
        """The trials that need not be made again: with a result, or pruned."""
        return self.study.get_trials(deepcopy=False, states=_states("COMPLETE", "PRUNED"))

    @property
    def results(self) -> list[Any]:
        """The trials with a result, the best first."""
        complete = self.study.get_trials(deepcopy=False, states=_states("COMPLETE"))
        sign = -1 if self.search.direction == "max" else 1
        found = [(sign * t.value, t) for t in complete if t.value is not None and math.isfinite(t.value)]
        return [trial for _, trial in sorted(found, key=lambda pair: pair[0])]

    @property
    def best(self) -> Mapping[str, Any] | None:
        """What the best trial had chosen."""
        return point(self.results[0]) if self.results else None

    def importances(self) -> dict[str, float]:
        """Return each knob's share of what decides whether a trial is among the best (PED-ANOVA, Watanabe et al. 2023).

        Empty where fewer than ten trials have a result, or all have the same.
        """
        import optuna

        values = {trial.value for trial in self.results}
        if len(self.results) < 10 or len(values) < 2 or len(self.search.space) < 2:
            return {}
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        return optuna.importance.get_param_importances(self.study, evaluator=evaluator)


def load(search: Search, results: Path, *, sampler: str = "tpe", pruner: str = "median") -> Tuning:
    """Return a tuning as the results folder knows it, or a new one.

    Args:
        search: what is searched through.
        results: folder of all runs.
        sampler: how values are chosen: one of SAMPLERS.
        pruner: which trials are given up early: one of PRUNERS.

    Raises:
        InputError: Optuna is missing, an unknown sampler or pruner, or a journal that cannot be read.
    """
    optuna = _optuna()
    for kind, name, known in (("sampler", sampler, SAMPLERS), ("pruner", pruner, PRUNERS)):
        if name not in known:
            raise unknown(kind, name, known)
    folder = results / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    backend = optuna.storages.journal.JournalFileBackend(str(folder / f"{search.id}.journal"))
    try:
        study = optuna.create_study(
            study_name=search.id,
            storage=optuna.storages.JournalStorage(backend),
            pruner=getattr(optuna.pruners, PRUNERS[pruner])(),
            direction="maximize" if search.direction == "max" else "minimize",
            load_if_exists=True,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / search.id}.journal: cannot be read: {error}\nremove it to begin anew") from None
    # A sampler begins anew with every process: another seed each time, or it would begin with the same values
    study.sampler = _sampler(sampler, search.default.seed + len(study.get_trials(deepcopy=False)))
    return Tuning(search, study)


def point(trial: Any) -> dict[str, Any]:
    """Return what a trial has chosen; numbers with four digits, which tell them apart well enough."""
    return {name: float(f"{v:.4g}") if isinstance(v, float) else v for name, v in trial.params.items()}


def train(
    tuning: Tuning, results: Path, *, trials: int, workers_wanted: int | str = "auto", watch: Callable[[Any], None]
) -> None:
    """Make trials until so many have an answer; those of an interrupted call go on.

    Args:
        tuning: what `load` returned.
        results: folder of all runs.
        trials: how many in all, those of earlier calls among them.
        workers_wanted: how many train at a time, or "auto".
        watch: is told what happens: a sweep's events, and Told.

    Raises:
        Interrupted, RunFailed: as `local.train`.
    """
    trainer = _Trainer(tuning, results, trials, watch)
    crew = workers.choose(workers_wanted, [trainer.cell(tuning.search.default, 0)], max(1, trainer.wanted))
    local.train([], results, crew=crew, watch=trainer.hear, more=trainer.ask, is_hopeless=trainer.is_hopeless)


class _Trainer:
    """Turns trials into cells and events into answers."""

    def __init__(self, tuning: Tuning, results: Path, trials: int, watch: Watch) -> None:
        self.tuning, self.results, self.trials, self.watch = tuning, results, trials, watch
        self.records, _ = run_tables.all_records(results)
        self.hashes = Hashes({})
        self.open: dict[int, Any] = {}  # Optuna's trials by the number of their cell
        self.twins: dict[str, list[grid.Cell]] = {}  # that wait for the run of the same experiment which is trained now
        for trial in tuning.study.get_trials(deepcopy=False, states=_states("RUNNING")):  # of a process that is gone
            tuning.study.enqueue_trial(trial.params)
            tuning.study.tell(trial.number, state=_states("FAIL")[0])

    @property
    def wanted(self) -> int:
        """How many trials are still to be begun."""
        return self.trials - len(self.tuning.answered) - len(self.open) - len(self.tuning.failed)

    def ask(self) -> tuple[grid.Cell, str | None] | None:
        """Return the next cell and the run folder to go on with; None where nothing is left to begin."""
        while self.wanted > 0:
            trial = self.tuning.study.ask(_distributions(self.tuning.search))
            chosen = point(trial)
            self.open[trial.number + 1] = trial
            try:
                cell = self.cell(self.tuning.search.experiment(chosen), trial.number + 1, chosen)
            except InputError as fault:  # of values that do not go together
                cell = self.cell(self.tuning.search.default, trial.number + 1, chosen)
                self.watch(self._fail(Failed(cell, str(fault), code=fault.exit_code)))
                continue
            state = states([cell], self.records, self.hashes)[cell.number]
            if cell.hash in self.twins:
                self.twins[cell.hash].append(cell)
            elif state.kind == DONE and state.record is not None:
                self._answer(cell, state.record)
            else:
                self.twins[cell.hash] = []
                return cell, state.record["folder"] if state.kind == RESUME and state.record else None
        return None

    def hear(self, event: Event) -> None:
        """Answer for the cells that have ended, and tell on."""
        if not isinstance(event, Ended | Failed | Left):
            self.watch(event)
            return
        cells = [event.cell, *self.twins.pop(event.cell.hash, [])]
        if isinstance(event, Ended):
            self.records.insert(0, event.record)
            for cell in cells:
                self._answer(cell, event.record)
        elif isinstance(event, Failed):
            for cell in cells:
                self._fail(replace(event, cell=cell))
            self.watch(event)
        else:  # stays "running" in the journal, and goes on with the next call
            for cell in cells:
                self.open.pop(cell.number)

    def is_hopeless(self, event: Epoch) -> bool:
        """Report an epoch of a trial, and say whether it should be given up."""
        value = event.row.get(self.tuning.search.metric)
        trial = self.open.get(event.cell.number)
        if value is None or trial is None or not math.isfinite(value):
            return False
        trial.report(value, event.epoch)
        return trial.should_prune()

    @staticmethod
    def cell(experiment: Experiment, number: int, chosen: Mapping[str, Any] | None = None) -> grid.Cell:
        """Return a cell of a trial."""
        return grid.Cell(number, chosen or {}, experiment.seed, experiment, identity(experiment, ""))

    def _fail(self, event: Failed) -> Failed:
        self.tuning.study.tell(self.open.pop(event.cell.number), state=_states("FAIL")[0])
        self.tuning.failed.append(event)
        return event

    def _answer(self, cell: grid.Cell, record: Record) -> None:
        search, study, trial = self.tuning.search, self.tuning.study, self.open.pop(cell.number)
        trial.set_user_attr("run", record["id"])
        value = _value(record, search)
        if record["status"] == "pruned":
            study.tell(trial, state=_states("PRUNED")[0])
        else:  # nothing is worse than to diverge
            worst = -math.inf if search.direction == "max" else math.inf
            study.tell(trial, worst if value is None else value)
        first = self.tuning.results[:1]
        best = (first[0].value, first[0].number + 1) if first else None
        done = len(self.tuning.answered)
        self.watch(Told(cell.number, cell.setting, record["status"], value, best, done))  # type: ignore[arg-type]


def evaluation(tuning: Tuning, seeds: int) -> grid.Sweep:
    """Return the sweep that compares the best setting with the default, on seeds that no trial has used.

    Args:
        tuning: with a result.
        seeds: how many.
    """
    search, best = tuning.search, tuning.best or {}
    names, first = [*best], search.default.seed + 1
    default = grid.values_of(search.default, names)
    both = [[default[name] for name in names], [best[name] for name in names]]
    axis = {",".join(names): both if len(names) > 1 else [values[0] for values in both]}
    given = {**search.in_file, **search.fixed}
    given.pop("seed", None)
    in_file = given.pop("dataset", None)
    dataset = [search.dataset or in_file]  # one, with all its commas
    alone = {name: value if name in LISTS and isinstance(value, str) else [value] for name, value in given.items()}
    return grid.plan(dataset, {**alone, **axis}, seeds=range(first, first + seeds))


def _value(record: Record, search: Search) -> float | None:
    """Return what a run reached: in the epoch that early stopping keeps, or in the last one of a fixed budget."""
    if record["status"] not in TRAINED:
        return None
    part = "last" if search.default.patience is None else "best"
    value = (record.get(part) or {}).get(search.metric)
    return value if value is not None and math.isfinite(value) else None


def _distributions(search: Search) -> dict[str, Any]:
    """Return the space in Optuna's terms."""
    from optuna import distributions as of

    found: dict[str, Any] = {}
    for name, part in search.space.items():
        if not isinstance(part, Range):
            found[name] = of.CategoricalDistribution(part.values)
        elif isinstance(part.low, int) and isinstance(part.high, int):
            found[name] = of.IntDistribution(part.low, part.high, log=part.log)
        else:
            found[name] = of.FloatDistribution(part.low, part.high, log=part.log)
    return found


def _sampler(name: str, seed: int) -> Any:
    from optuna import samplers

    more = {"constant_liar": True} if name == "tpe" else {}  # trials that run now are not chosen twice
    return getattr(samplers, SAMPLERS[name])(seed=seed, **more)


def _states(*names: str) -> Sequence[Any]:
    from optuna.trial import TrialState

    return tuple(TrialState[name] for name in names)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise InputError("tuning needs Optuna\ninstall it: pip install 'kerasrun[tune]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
