"""XOR with weights set by hand: evaluated, not trained."""

import numpy as np
import pytest

import kerasrun
from kerasrun import run_check

TABLE = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")


def outputs(run):
    return run.model().predict(TABLE, verbose=0)[:, 0]


def test_with_the_step_the_outputs_are_the_truth_table_exactly(tmp_path):
    run = kerasrun.train("xor", recipe="xor_by_hand", results=tmp_path)
    np.testing.assert_array_equal(outputs(run), [0, 1, 1, 0])
    assert run.record["best"]["val_accuracy"] == run.record["test"]["accuracy"] == 1
    assert run.record["parameters"] == 9
    assert run.record["architecture"] == "2-2-1"


def test_with_the_sigmoid_the_sums_are_too_small_and_a_factor_cures_it(tmp_path):
    given = {"recipe": "xor_by_hand", "unit_activation": "sigmoid", "results": tmp_path}
    as_drawn = kerasrun.train("xor", **given)
    np.testing.assert_allclose(outputs(as_drawn), [0.555, 0.614, 0.614, 0.555], atol=5e-4)
    assert as_drawn.record["best"]["val_accuracy"] == 0.5
    cured = kerasrun.train("xor", factor=10, output_bias=-1.5, **given)
    np.testing.assert_allclose(outputs(cured), [0, 1, 1, 0], atol=0.01)
    assert cured.record["best"]["val_accuracy"] == 1


def test_a_network_with_nothing_to_train_has_one_row_epoch_0(tmp_path):
    run = kerasrun.train("xor", recipe="xor_by_hand", results=tmp_path, evaluate_train=4, health=True)
    assert run.status == "finished"
    assert list(run.metrics["epoch"]) == [0]
    assert run.metrics["train_loss"].equals(run.metrics["loss"])
    assert (run.record["epochs_run"], run.record["best_epoch"]) == (0, 0)
    assert run_check.check(tmp_path) == (1, [])
    assert (run.folder / "health.csv").read_text().count("\n") == 4
    again = kerasrun.resume(results=tmp_path)
    assert list(again.metrics["epoch"]) == [0]


def test_no_line_has_more_than_three_rows_of_xor_right():
    angles = np.linspace(0, 2 * np.pi, 73)[:-1] + 0.01  # one between any two at which the rows change their order
    sums = TABLE @ np.stack([np.cos(angles), np.sin(angles)])
    thresholds = np.linspace(-2, 2, 401)[:, None, None]
    answers = {tuple(answer) for answer in (sums > thresholds).transpose(0, 2, 1).reshape(-1, 4)}
    assert len(answers) == 14  # of 16 truth tables: all but XOR and its opposite
    assert max(np.sum(np.equal(answer, [0, 1, 1, 0])) for answer in answers) == 3


def test_hidden_units_are_nand_and_or(tmp_path):
    model = kerasrun.train("xor", recipe="xor_by_hand", results=tmp_path).model()
    first = next(layer for layer in model._flatten_layers() if getattr(layer, "units", 0) == 2)
    np.testing.assert_array_equal(first(TABLE), [[1, 0], [1, 1], [1, 1], [0, 1]])


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_an_output_that_is_no_probability_is_refused(tmp_path, activation):
    with pytest.raises(kerasrun.errors.InputError, match=f"ends in the activation {activation}"):
        kerasrun.train("xor", recipe="xor_by_hand", unit_activation=activation, results=tmp_path)


def test_it_is_verified_by_its_one_row(tmp_path):
    kerasrun.train("xor", recipe="xor_by_hand", results=tmp_path)
    verdict = kerasrun.verify(results=tmp_path)
    assert (verdict.equal, verdict.epochs) == (True, 1)
