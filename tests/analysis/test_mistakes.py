import numpy as np

from kerasrun.analysis.mistakes import class_cells, farthest, surest, value_cells

LABELS = np.array([0, 1, 2, 0, 1])
PROBABILITY = np.array([[0.9, 0.1, 0], [0.6, 0.3, 0.1], [0.05, 0.95, 0], [0.3, 0.4, 0.3], [0.2, 0.7, 0.1]], np.float32)


def test_the_surest_errors_come_first_and_what_is_right_not_at_all():
    assert surest(LABELS, PROBABILITY, 10).tolist() == [2, 1, 3]
    assert surest(LABELS, PROBABILITY, 1).tolist() == [2]
    assert surest(np.array([0]), PROBABILITY[:1], 3).tolist() == []


def test_an_error_is_told_by_both_classes_and_what_each_was_given():
    columns, rows = class_cells(LABELS[[2]], PROBABILITY[[2]], ["a", "b", "c"])
    assert columns == ("true", "predicted", "confidence", "of the true class")
    assert rows[0][:2] == ("c", "b")
    assert np.float32(rows[0][2]) == np.float32(0.95)
    assert rows[0][3] == 0


def test_the_largest_residuals_come_first():
    true, said = np.array([[1.0], [2.0], [3.0]]), np.array([[1.5], [2.0], [0.0]])
    assert farthest(true, said, 2).tolist() == [2, 0]
    assert value_cells(true[[2]], said[[2]]) == (("true", "predicted", "residual"), [(3.0, 0.0, -3.0)])


def test_of_several_values_the_worst_is_told():
    true, said = np.array([[0.0, 0.0], [0.0, 0.0]]), np.array([[1.0, -5.0], [2.0, 0.0]])
    assert farthest(true, said, 2).tolist() == [0, 1]
    columns, rows = value_cells(true, said)
    assert columns == ("output", "true", "predicted", "residual")
    assert rows == [(1, 0.0, -5.0, -5.0), (0, 0.0, 2.0, 2.0)]
