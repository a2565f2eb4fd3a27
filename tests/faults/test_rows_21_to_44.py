"""Memory, numbers that are not finite, and limits of settings: rows 21 to 23 and 40 to 44."""

import pytest

from kerasrun import run_check, runs
from kerasrun.errors import InputError
from kerasrun.experiment import resolve

from .children import MODELS, command, only_run, state


def test_row_21_a_network_larger_than_the_memory_is_one_message(tmp_path):
    code, said = command("train", "digits", "hidden=10000000000", "--results", tmp_path)
    assert code == 2
    assert said.startswith("out of memory: 750,000,000,010 parameters and their gradients need 6,000 GB")
    assert len(said.splitlines()) == 2
    assert not [*tmp_path.iterdir()]


def test_row_22_a_loss_that_becomes_nan_at_once_ends_the_run_without_a_best_model(tmp_path):
    words = [word for word in MODELS["dense"] if not word.startswith("learning_rate")]
    code, said = command("train", *words, "learning_rate=1e30", "--results", tmp_path)
    run = only_run(tmp_path)
    assert (code, run.status) == (1, "diverged")
    assert "in epoch 1" in run.record["error"]["message"]
    assert run.record["best_epoch"] is None
    assert not (run.folder / runs.BEST).exists()
    assert "Traceback" not in said
    assert run_check.check(tmp_path) == (1, [])


def test_row_22_a_training_whose_loss_is_nan_stops_in_the_middle_of_the_epoch(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import keras\n\n\nclass Count(keras.callbacks.Callback):\n"
        "    def on_train_batch_end(self, batch, logs=None):\n"
        f"        print('batch', batch, file=open('{tmp_path / 'batches'}', 'a'))\n"
    )
    words = ["digits", "limit=120", "batch_size=4", "learning_rate=1e30", "loop=plain", "epochs=1"]
    code, said = command("train", *words, f"callbacks={tmp_path}/mine.py:Count", "--results", tmp_path / "results")
    assert (code, only_run(tmp_path / "results").status) == (1, "diverged"), said
    assert (tmp_path / "batches").read_text().count("\n") < 30


def test_row_23_a_loss_that_becomes_nan_later_keeps_the_best_model_from_before(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import keras\nimport numpy as np\n\n\nclass Spoil(keras.callbacks.Callback):\n"
        "    def on_epoch_begin(self, epoch, logs=None):\n        if epoch == 2:\n"
        "            self.model.set_weights([np.full_like(w, np.nan) for w in self.model.get_weights()])\n"
    )
    results = tmp_path / "results"
    code, said = command(
        "train", *MODELS["dense"], f"callbacks={tmp_path}/mine.py:Spoil", "--results", results, change="commit_always"
    )
    run = only_run(results)
    assert (code, run.status, run.record["epochs_run"]) == (1, "diverged", 2), said
    assert "NaN in epoch 3" in run.record["error"]["message"]
    assert run.record["best_epoch"] in (1, 2)
    assert (run.folder / runs.METRICS).read_text().count("\n") == 3
    assert run_check.check(results) == (1, [])
    code, said = command("resume", "--results", results)
    assert (code, "nothing is left to do" in said) == (1, True)


@pytest.mark.parametrize("batch_size", ["0", "-1", "1.5", "many"])
def test_row_40_a_batch_size_that_is_none_is_refused(batch_size):
    with pytest.raises(InputError, match="batch_size"):
        resolve("digits", {"batch_size": batch_size})


def test_row_40_a_batch_larger_than_the_data_is_one_smaller_batch(tmp_path):
    assert command("train", "digits", "limit=50", "batch_size=1000", "epochs=1", "--results", tmp_path)[0] == 0
    assert only_run(tmp_path).record["epochs_run"] == 1


@pytest.mark.parametrize("epochs", ["0", "-1"])
def test_row_41_no_epochs_are_refused(epochs):
    with pytest.raises(InputError, match="epochs"):
        resolve("digits", {"epochs": epochs})


def test_row_41_as_many_epochs_as_are_done_are_already_done(trained):
    code, said = command("resume", "--results", trained.folder.parent, f"epochs={trained.record['epochs_run']}")
    assert (code, "nothing is left to do" in said) == (0, True)


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf"])
def test_row_42_a_learning_rate_that_is_none_is_refused(rate):
    with pytest.raises(InputError, match="learning_rate"):
        resolve("digits", {"learning_rate": rate})


@pytest.mark.parametrize("rate", ["1e10", "1e30"])
def test_row_42_a_learning_rate_that_is_too_high_ends_finite_or_diverged(rate, tmp_path):
    code, _ = command("train", "digits", "limit=100", "epochs=3", f"learning_rate={rate}", "--results", tmp_path)
    run = only_run(tmp_path)
    assert (code, run.status) in ((0, "finished"), (1, "diverged"))
    assert run_check.check(tmp_path) == (1, [])


def test_row_43_a_monitor_that_is_none_is_answered_with_the_names():
    with pytest.raises(
        InputError, match=r"did you mean 'val_accuracy'\?\nknown: accuracy, loss, val_accuracy, val_loss"
    ):
        resolve("digits", {"monitor": "val_acuracy"})


def test_row_44_there_is_always_a_validation_part_to_monitor():
    with pytest.raises(InputError, match="above 0 and below 1"):
        resolve("digits", {"validation": "0"})


def test_what_is_committed_is_finite(trained):
    assert all(abs(value) < 1e6 for row in state(trained.folder)["rows"] for value in row.values())
