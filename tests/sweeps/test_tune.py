"""A tuning on real, tiny trainings: trials are runs, none is made twice, the best meets the default."""

import json

import pytest

from kerasrun import run_index
from kerasrun.errors import InputError
from kerasrun.sweeps import search as searches
from kerasrun.sweeps import train as sweeps
from kerasrun.sweeps.events import Ended
from kerasrun.sweeps.workers import Crew

tune = pytest.importorskip("kerasrun.sweeps.tune")
pytest.importorskip("optuna")

ASKED = {"hidden": "4..32", "activation": "relu,tanh", "limit": 150, "epochs": 2, "patience": "none"}


def tuned(results, trials, **keywords):
    search = searches.plan("digits", ASKED, file=None)
    found = tune.load(search, results, sampler="random", pruner="none")
    told = []
    tune.train(found, results, trials=trials, workers_wanted=2, watch=told.append, **keywords)
    return found, [event for event in told if isinstance(event, tune.Told)]


def records(results):
    return run_index.scan(results).records


def test_trials_are_runs_and_the_same_command_goes_on_where_the_last_one_ended(tmp_path):
    found, told = tuned(tmp_path, 3)
    assert len(told) == len(found.answered) == len(records(tmp_path)) == 3
    by_id = {record["id"]: record for record in records(tmp_path)}
    for trial in found.answered:
        record = by_id[trial.user_attrs["run"]]
        assert record["last"]["val_loss"] == pytest.approx(trial.value)
        assert record["experiment"]["knobs"]["hidden"] == [trial.params["hidden"]]
    assert found.results[0].value == min(trial.value for trial in found.answered)

    left = found.study.ask(tune._distributions(found.search))  # a process that was killed in the middle of this trial
    found, told = tuned(tmp_path, 5)
    assert [len(told), len(found.answered), len(records(tmp_path))] == [2, 5, 5]
    assert left.params in [trial.params for trial in found.answered]
    assert tuned(tmp_path, 5)[1] == []

    asked = tune.evaluation(found, 2)
    assert asked.seeds == (1, 2)
    assert {cell.experiment.knobs["hidden"] for cell in asked.cells} == {(100,), (found.best["hidden"],)}
    result = sweeps.train(sweeps.look(asked, tmp_path, workers_wanted=2), tmp_path, watch=lambda event: None)
    assert len(result.records) == 4


def test_a_pruned_run_says_so_and_is_no_result(tmp_path):
    search = searches.plan("digits", {**ASKED, "epochs": 300}, file=None)
    found = tune.load(search, tmp_path, sampler="random", pruner="none")
    told = []
    trainer = tune._Trainer(found, tmp_path, 2, told.append)
    tune.local.train(
        [], tmp_path, crew=Crew(1, 1, []), watch=trainer.hear, more=trainer.ask,
        is_hopeless=lambda event: event.cell.number == 1,
    )  # fmt: skip
    statuses = {record["status"]: record for record in records(tmp_path)}
    assert sorted(statuses) == ["finished", "pruned"]
    assert [trial.number for trial in found.results] == [1]
    assert len(found.answered) == 2
    folder = tmp_path / statuses["pruned"]["folder"]
    assert not (folder / "state.npz").exists()
    assert json.loads((folder / "run.json").read_text())["epochs_run"] < 300


def test_a_run_that_this_call_has_made_answers_every_further_trial_that_asks_for_it(tmp_path):
    search = searches.plan("digits", {"activation": "relu,tanh", "patience": "none"}, file=None)
    found = tune.load(search, tmp_path, sampler="random", pruner="none")
    trainer = tune._Trainer(found, tmp_path, 12, lambda event: None)
    trained = []
    while due := trainer.ask():
        cell = due[0]
        record = {"id": "abcde", "status": "finished", "experiment_hash": cell.hash, "last": {"val_loss": 0.5}}
        trained.append(cell.hash)
        trainer.hear(Ended(cell, record))
    assert len(trained) == len(set(trained)) == 2
    assert len(found.answered) == 12


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"sampler": "tpee"}, "did you mean 'tpe'"),
        ({"pruner": "x"}, "known:"),
        ({"sampler": "gp"}, "known: qmc, random, tpe"),
    ],
)
def test_an_unknown_sampler_or_pruner_is_named(tmp_path, given, says):
    search = searches.plan("digits", ASKED, file=None)
    with pytest.raises(InputError, match=says):
        tune.load(search, tmp_path, **given)


def test_a_journal_that_is_damaged_is_named(tmp_path):
    search = searches.plan("digits", ASKED, file=None)
    (tmp_path / tune.FOLDER).mkdir()
    (tmp_path / tune.FOLDER / f"{search.id}.journal").write_text('{"op_code": 0, "study_name"\nrubbish\n')
    with pytest.raises(InputError, match="journal: cannot be read"):
        tune.load(search, tmp_path)
