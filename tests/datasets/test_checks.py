from dataclasses import replace

import numpy as np
import pytest

from kerasrun import task
from kerasrun.datasets import checks
from kerasrun.datasets.parts import Unsplit, whole
from kerasrun.errors import InputError

TABLE = np.arange(24, dtype=np.float32).reshape(12, 2)


def _classes(y, x=TABLE, classes=3, **other):
    found = task.binary("t", (2,)) if classes == 2 else task.multiclass("t", (2,), classes)
    return Unsplit(found, "t.npz", whole(x, np.array(y)), **other)


def _numbers(y, x=TABLE, **other):
    return Unsplit(task.regression("t", (2,)), "t.npz", whole(x, np.array(y, dtype=float).reshape(-1, 1)), **other)


def _with(value, row=5, column=1, x=TABLE):
    spoilt = x.copy()
    spoilt[row, column] = value
    return spoilt


def _refused(unsplit, *words):
    with pytest.raises(InputError) as refusal:
        checks.check(unsplit)
    message = str(refusal.value)
    assert len(message.splitlines()) <= 3
    for word in words:
        assert word in message
    return message


GOOD = [0, 1, 2] * 4


def test_good_data_gets_the_dtypes_of_training():
    checked, notes = checks.check(_classes(GOOD, x=TABLE.astype(np.float64)))
    assert (checked.train.x.dtype, checked.train.y.dtype, notes) == (np.float32, np.int32, ())
    checked, _ = checks.check(_numbers(range(12)))
    assert (checked.train.y.dtype, checked.train.y.shape) == (np.float32, (12, 1))


def test_bytes_stay_bytes():
    checked, _ = checks.check(_classes(GOOD, x=TABLE.astype(np.uint8)))
    assert checked.train.x.dtype == np.uint8


def test_nan_is_counted_and_named_by_row_and_column():
    _refused(_classes(GOOD, x=_with(np.nan)), "t.npz, train part", "1 NaN", "row 5, column 1")


def test_a_column_with_a_name_is_named():
    _refused(_classes(GOOD, x=_with(np.inf), columns=("age", "height")), "1 infinite", "row 5, column 'height'")


def test_nan_in_the_validation_part_alone_is_found():
    held_out = whole(_with(np.nan, row=0), np.array(GOOD))
    _refused(replace(_classes(GOOD), validation=held_out), "validation part", "row 0, column 1")


def test_row_numbers_are_those_of_the_source():
    part = whole(_with(np.nan), np.array(GOOD)).take(np.arange(4, 8))
    _refused(replace(_classes(GOOD), test=part), "test part", "row 5, column 1")


def test_nan_in_numbers_to_predict_is_found():
    _refused(_numbers([np.nan, *range(11)]), "values to predict", "1 NaN", "row 0")


def test_a_huge_value_is_refused():
    _refused(_classes(GOOD, x=_with(1e30)), "1e+30", "row 5, column 1")


@pytest.mark.parametrize(("label", "row"), [(9, 3), (-1, 3), (3, 11)])
def test_a_label_outside_the_classes_is_named_with_its_row(label, row):
    y = np.array(GOOD)
    y[row] = label
    _refused(_classes(y), f"label {label} in row {row}", "classes 0 to 2")


def test_a_label_outside_the_classes_in_validation_alone_is_found():
    _refused(replace(_classes(GOOD), validation=whole(TABLE, np.full(12, 7))), "validation part", "label 7 in row 0")


def test_a_fraction_is_no_class():
    _refused(_classes([0, 1.5, *[1.0] * 10]), "label 1.5 in row 1", "numbers to predict")


def test_whole_floats_are_classes():
    checked, _ = checks.check(_classes(np.array(GOOD, dtype=float)))
    assert checked.train.y.dtype == np.int32


def test_minus_one_and_one_get_the_mapping():
    _refused(_classes([-1, 1] * 6, classes=2), "(y + 1) // 2")


def test_counting_from_one_gets_the_mapping():
    _refused(_classes([1, 2, 3] * 4), "y = y - 1")


def test_gaps_between_labels_get_the_mapping():
    _refused(_classes([0, 10, 20] * 4), "return_inverse")


def test_three_labels_for_two_classes_are_refused():
    _refused(_classes(GOOD, classes=2), "label 2 in row 2", "labels found: 0, 1, 2")


def test_labels_that_are_text_are_refused():
    _refused(_classes(["cat", "dog", "owl"] * 4), "labels are text ('cat' in row 0)", "return_inverse")


def test_inputs_that_are_text_are_named_by_cell():
    _refused(_classes(GOOD, x=_with("?", x=TABLE.astype("<U4"))), "'?' in row 5, column 1 is text")


@pytest.mark.parametrize("dtype", ["complex64", "datetime64[s]"])
def test_dtypes_that_no_network_takes_are_refused(dtype):
    _refused(_classes(GOOD, x=TABLE.astype("int64").astype(dtype)), f"dtype {dtype}")


def test_inputs_and_labels_of_different_number_are_refused():
    _refused(_classes([0] * 7), "12 inputs but 7 labels")


def test_an_empty_part_is_refused():
    _refused(replace(_classes(GOOD), test=whole(TABLE[:0], np.zeros(0, int))), "test part: no example")


def test_labels_of_another_shape_are_refused():
    _refused(Unsplit(task.regression("t", (2,)), "t.npz", whole(TABLE, np.zeros((12, 2)))), "(12, 2), expected (12, 1)")


def test_inputs_of_another_shape_than_the_task_are_refused():
    _refused(replace(_classes(GOOD), test=whole(TABLE[:, :1], np.array(GOOD))), "test part: inputs of shape (1,)")


def test_words_outside_the_vocabulary_are_refused():
    texts = task.binary("texts", (2,), input_dtype="int32", vocabulary_size=10, sequence_length=2)
    _refused(Unsplit(texts, "texts", whole(_with(10, x=TABLE * 0), np.array([0, 1] * 6))), "word number 10", "0 to 9")


@pytest.mark.parametrize("weight", [-1.0, np.nan])
def test_weights_below_zero_or_not_finite_are_refused(weight):
    weights = np.ones(12)
    weights[4] = weight
    part = whole(TABLE, np.array(GOOD), weights)
    _refused(replace(_classes(GOOD), train=part), "weight", "row 4")


def test_a_constant_column_is_a_line_for_the_user():
    x = TABLE.copy()
    x[:, 1] = 3
    assert checks.check(_classes(GOOD, x=x))[1] == ("column 1 of 2 is the same in every row: it says nothing",)


def test_one_class_only_is_said_loudly():
    (line,) = checks.notes_on_split(_classes([1] * 12))
    assert line.startswith("WARNING: all training examples are of class 1")


def test_a_class_that_training_lacks_is_said():
    data = replace(_classes([0, 1] * 6), validation=whole(TABLE, np.array(GOOD)))
    assert checks.notes_on_split(data) == ("the validation part has class 2, of which training has no example",)
