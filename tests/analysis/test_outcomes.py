import math

import pytest
from made_up_sweep import record, sweep, with_epochs

from kerasrun.analysis.outcomes import DIVERGED, LEARNS, NO_CONVERGENCE, guessing, outcome

FLAT = [0.1, 0.11, 0.1]
CELL = sweep().cells[0]


def run(tmp_path, loss, accuracy, **changes):
    last = {"loss": loss[-1], "val_accuracy": accuracy[-1]}
    return with_epochs(
        tmp_path, record(CELL, 0.1, **{"last": last, "best": last, **changes}), loss=loss, val_accuracy=accuracy
    )


def test_a_run_learns_when_its_loss_falls_below_guessing_or_its_accuracy_rises_above(tmp_path):
    below, above = 0.94 * math.log(10), 0.96 * math.log(10)
    assert outcome(run(tmp_path / "a", [2.3, above, 2.3], FLAT)) == NO_CONVERGENCE
    assert outcome(run(tmp_path / "b", [2.3, below, 2.3], FLAT)) == LEARNS
    bound = 0.1 + 0.05 + 3 * math.sqrt(0.1 * 0.9 / 10_000)
    assert outcome(run(tmp_path / "c", [2.3, 2.3, 2.3], [0.1, bound - 1e-6, 0.1])) == NO_CONVERGENCE
    assert outcome(run(tmp_path / "d", [2.3, 2.3, 2.3], [0.1, bound + 1e-6, 0.1])) == LEARNS


def test_what_is_known_from_the_record_is_known_without_its_epochs():
    assert outcome(record(CELL, 0.9)) == LEARNS
    assert outcome(record(CELL, None)) == DIVERGED


def test_a_loss_ten_times_that_of_guessing_has_diverged(tmp_path):
    assert outcome(run(tmp_path / "a", [2, 2, 10.1 * math.log(10)], [0.5, 0.5, 0.5])) == DIVERGED
    assert outcome(run(tmp_path / "b", [2, 2, 9.9 * math.log(10)], [0.5, 0.5, 0.5])) == LEARNS


def test_training_metrics_of_the_epochs_end_go_before_running_means(tmp_path):
    last = {"loss": 2.3, "train_loss": 30.0, "val_accuracy": 0.1}
    assert outcome(run(tmp_path, [2.3, 2.3], [0.1, 0.1], last=last)) == DIVERGED


def test_a_solved_truth_table_has_learned_however_few_its_rows(tmp_path):
    data = {"hash": "h", "classes": 2, "chance": 0.5, "validation": 4}
    experiment = {"dataset": "xor", "epochs": 3, "loss": "mean_squared_error", "seed": 0}
    for accuracy, expected in ((0.75, NO_CONVERGENCE), (1.0, LEARNS)):
        found = run(tmp_path / str(accuracy), [0.2, 0.2], [0.5, accuracy], data=data, experiment=experiment)
        assert outcome(found) == expected


def test_regression_fails_by_diverging_alone(tmp_path):
    experiment = {"dataset": "diabetes", "epochs": 3, "loss": "mean_squared_error", "scale_target": "standardize"}
    usual = {"data": {"hash": "h", "validation": 100}, "experiment": experiment}
    assert outcome(record(CELL, 0.1, last={"loss": 5.0}, **usual)) == LEARNS
    assert outcome(record(CELL, 0.1, last={"loss": 10.5}, **usual)) == DIVERGED


@pytest.mark.parametrize(
    ("metric", "expected"), [("val_accuracy", 0.1), ("val_loss", math.log(10)), ("val_r2", 0.0), ("val_mae", None)]
)
def test_what_guessing_reaches(metric, expected):
    assert guessing(record(CELL, 0.9), metric) == expected


@pytest.mark.parametrize(
    ("loss", "classes", "expected"),
    [
        ("sparse_categorical_crossentropy", 10, math.log(10)),
        ("categorical_crossentropy", 10, math.log(10)),
        ("binary_crossentropy", 2, math.log(2)),
        ("binary_crossentropy", 10, None),  # the mean over ten outputs: 0.325 with all shares at 0.1
        ("categorical_focal_crossentropy", 10, None),
        ("binary_focal_crossentropy", 2, None),
    ],
)
def test_guessing_costs_ln_k_where_the_loss_is_the_logarithm_of_the_right_classs_share(loss, classes, expected):
    experiment = {"dataset": "digits", "loss": loss, "epochs": 1}
    assert guessing(record(CELL, 0.9, experiment=experiment, data={"classes": classes}), "val_loss") == expected


@pytest.mark.parametrize("metric", ["gap:accuracy", "gap:loss"])
def test_guessing_is_as_good_on_other_examples(metric):
    assert guessing(record(CELL, 0.9), metric) == 0.0


def test_what_guessing_reaches_is_not_known_without_its_ingredients():
    assert guessing(record(CELL, 0.9, data={"hash": "h"}), "val_accuracy") is None
    other = {"dataset": "digits", "loss": "hinge", "epochs": 1}
    assert guessing(record(CELL, 0.9, experiment=other), "val_loss") is None
