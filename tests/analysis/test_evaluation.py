import csv
import io
import json

import numpy as np
import pytest

from kerasrun.analysis import evaluation
from kerasrun.analysis.evaluation import classified, different, export, regressed

LABELS = np.array([0, 0, 0, 1, 1, 2])
PROBABILITY = np.array(
    [[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.1, 0.7, 0.2], [0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0.4, 0.3, 0.3]], np.float32
)
MEASURED = {"loss": 0.75, "accuracy": 4 / 6}


def by_name(sections):
    return {section.name: section for section in sections}


@pytest.fixture
def sections():
    return classified(LABELS, PROBABILITY, ["a", "b", "=c"], MEASURED, {"loss": 0.75, "accuracy": 0.5})


def test_the_metrics_stand_beside_those_of_the_record(sections):
    metrics = by_name(sections)["metrics"]
    assert metrics.columns == ("metric", "value", "recorded")
    assert metrics.rows[:2] == [("loss", 0.75, 0.75), ("accuracy", 4 / 6, 0.5)]
    assert [row[0] for row in metrics.rows[2:]] == ["expected_calibration_error", "brier_score"]
    assert by_name(classified(LABELS, PROBABILITY, "abc", MEASURED))["metrics"].columns == ("metric", "value")


def test_the_confusion_matrix_has_a_row_for_each_class_by_name(sections):
    assert by_name(sections)["confusion"].rows == [("a", 2, 1, 0), ("b", 0, 2, 0), ("=c", 1, 0, 0)]


def test_many_classes_are_shown_by_what_is_confused_most():
    classes = [f"class {i}" for i in range(evaluation.MOST_CLASSES + 1)]
    probability = np.zeros((6, len(classes)), np.float32)
    probability[np.arange(6), [1, 1, 0, 1, 5, 2]] = 1
    found = by_name(classified(LABELS, probability, classes, MEASURED))
    assert not found["confusion"].shown
    assert found["confusions"].rows == [("class 0", "class 1", 2, 2 / 3), ("class 1", "class 5", 1, 1 / 2)]
    assert found["confusions"].shown
    assert not by_name(classified(LABELS, PROBABILITY, "abc", MEASURED))["confusions"].shown


def test_calibration_is_of_the_second_class_of_two_and_of_the_predicted_one_of_more(sections):
    assert "of the predicted class" in by_name(sections)["calibration"].title
    two = classified(np.array([0, 1]), np.array([[0.85, 0.15], [0.4, 0.6]], np.float32), ["no", "yes"], MEASURED)
    calibration = by_name(two)["calibration"]
    assert "probability of class 'yes'" in calibration.title
    assert [row[:2] for row in calibration.rows] == [("0.1–0.2", 1), ("0.6–0.7", 1)]


def test_an_export_has_a_line_for_every_number_and_no_formula(sections):
    lines = [*csv.reader(io.StringIO(export(sections, "csv")))]
    assert lines[0] == ["section", "row", "column", "value"]
    assert ["confusion", "a", "'=c", "0"] in lines
    assert ["classes", "b", "recall", "1.0"] in lines
    assert ["confusion", "'=c", "a", "1"] in lines
    assert not [line for line in lines if line[0] == "confusions" or line[3] == ""]
    assert {"section": "metrics", "row": "loss", "column": "value", "value": 0.75} in json.loads(
        export(sections, "json")
    )


def test_markdown_has_one_table_after_the_other(sections):
    text = export(sections, "md")
    assert text.startswith("**metrics**\n\n| metric | value | recorded |\n")
    assert "| b | 0 | 2 | 0 |" in text
    assert "most frequent" not in text


def test_a_regression_shows_residuals_and_the_largest_by_their_rows():
    true, said = np.array([[1.0], [2.0], [3.0]]), np.array([[1.5], [2.0], [-1.0]])
    found = by_name(regressed(true, said, {"row": [7, 8, 9], "id": ["x", "y", "z"]}, {"loss": 1.0, "mae": 1.5}))
    assert [row[0] for row in found["metrics"].rows] == ["loss", "mae", "bias", "rmse", "r2"]
    assert found["largest"].columns == ("row", "id", "true", "predicted", "residual")
    assert found["largest"].rows[:2] == [("9", "z", 3.0, -1.0, -4.0), ("7", "x", 1.0, 1.5, 0.5)]
    assert found["residuals"].rows[2] == ("50 %", 0.0)


def test_several_targets_are_told_apart_by_their_numbers():
    found = by_name(regressed(np.zeros((3, 2)), np.array([[1.0, 2.0]] * 3), {"row": [1, 2, 3]}, {"loss": 1.0}))
    names = [row[0] for row in found["metrics"].rows]
    assert names[1:] == [f"{part} of output {i}" for i in (0, 1) for part in ("bias", "mae", "rmse", "r2")]
    assert found["residuals"].columns == ("quantile", "residual of output 0", "residual of output 1")
    assert found["largest"].columns == ("row", "output", "true", "predicted", "residual")
    assert found["largest"].rows[0] == ("1", 1, 0.0, 2.0, 2.0)


def test_numbers_are_equal_to_the_records_as_float32():
    assert different({"loss": 0.18669782578945}, {"loss": 0.18669783}) == []
    assert different({"loss": 0.1866979}, {"loss": 0.18669783, "mae": 1.0}) == ["loss", "mae"]
