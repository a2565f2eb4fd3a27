"""A tuning on real, tiny trainings: trials are runs, none is made twice, the best meets the default."""

import json

import pytest

from kerasrun import run_index
from kerasrun.errors import InputError
from kerasrun.sweeps import search as searches
from kerasrun.sweeps import train as sweeps
from kerasrun.sweeps.events import Ended, Failed
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


def test_a_trial_of_what_is_trained_just_now_waits_for_that_run(tmp_path):
    search = searches.plan("digits", {"activation": "relu,tanh", "patience": "none"}, file=None)
    found = tune.load(search, tmp_path, sampler="random", pruner="none")
    trainer = tune._Trainer(found, tmp_path, 12, lambda event: None)
    first, second = trainer.ask()[0], trainer.ask()[0]
    assert first.hash != second.hash
    assert trainer.ask() is None
    assert len(trainer.open) == 12
    trainer.hear(Ended(first, {"id": "abcde", "status": "finished", "last": {"val_loss": 0.5}}))
    trainer.hear(Failed(second, "out of memory"))
    assert trainer.open == {}
    assert len(found.answered) + len(found.failed) == 12
    assert {trial.value for trial in found.answered} == {0.5}


def test_values_that_do_not_go_together_are_a_failed_trial_and_no_end(tmp_path):
    asked = {"optimizer": "adam,sgd(learning_rate=0.1)", "learning_rate": "none,0.01", "patience": "none"}
    found = tune.load(searches.plan("digits", asked, file=None), tmp_path, sampler="random", pruner="none")
    told = []
    trainer = tune._Trainer(found, tmp_path, 16, told.append)
    while due := trainer.ask():
        trainer.hear(Ended(due[0], {"id": "abcde", "status": "finished", "last": {"val_loss": 0.5}}))
    refused = [event for event in told if isinstance(event, Failed)]
    assert refused
    assert len(refused) + len(found.answered) == 16
    assert all("learning rate is given twice" in event.text for event in refused)


def best(asked, dataset, file, tmp_path, **values):
    """Return the sweep that ends a tuning whose best trial has these values."""
    found = tune.load(searches.plan(dataset, asked, file=file), tmp_path, sampler="random", pruner="none")
    found.study.enqueue_trial(values)
    trial = found.study.ask(tune._distributions(found.search))
    found.study.tell(trial, 0.5)
    return tune.evaluation(found, 1)


def test_the_last_comparison_is_on_the_data_of_the_trials(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('dataset = "fashion-mnist"\nepochs = 2\npatience = "none"\n[search]\nhidden = "4..32"\n')
    asked = best({}, "digits", file, tmp_path, hidden=8)
    assert {cell.experiment.dataset for cell in asked.cells} == {"digits"}
    assert [cell.experiment.knobs["hidden"] for cell in asked.cells] == [(100,), (8,)]


def test_an_option_of_ones_own_data_can_be_tuned(tmp_path):
    reviews = tmp_path / "good,bad.csv"
    reviews.write_text("text,label\n" + "".join(f"a text {i},{'ny'[i % 2]}\n" for i in range(20)))
    given = {"text": "text", "target": "label", "length": "5..50", "patience": "none"}
    asked = best(given, str(reviews), None, tmp_path, length=7)
    assert [cell.experiment.options["length"] for cell in asked.cells][1] == 7


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
