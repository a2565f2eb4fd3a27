from pathlib import Path

import numpy as np
import pytest

from kerasrun.errors import InputError
from kerasrun.tables import reader, targets
from kerasrun.tables.reader import Wanted

PATH = Path("t.csv")


def raw(tmp_path, cells):
    path = tmp_path / "table.csv"
    path.write_text("y,other\n" + "".join(f"{cell},0\n" for cell in cells))
    return reader.read(path, Wanted(exact=frozenset("y"))).columns["y"]


def target(tmp_path, cells, wanted=None):
    return targets.target(PATH, raw(tmp_path, cells), wanted)


@pytest.mark.parametrize(
    ("cells", "kind", "classes"),
    [
        (["no", "yes"], "binary", ("no", "yes")),
        (["yes", "no"], "binary", ("no", "yes")),
        ([True, False], "binary", ("False", "True")),
        ([0, 1], "binary", ("0", "1")),
        ([0.0, 1.0], "binary", ("0", "1")),
        ([-1, 1], "binary", ("-1", "1")),
        ([1, 2], "binary", ("1", "2")),
        ([0.5, 1.5], "binary", ("0.5", "1.5")),
        ([3, 1, 2], "multiclass", ("1", "2", "3")),
        (["b", "c", "a"], "multiclass", ("a", "b", "c")),
        ([0.5, 1.5, 2.5], "regression", ()),
        (range(30), "regression", ()),
    ],
)
def test_the_task_follows_from_the_cells(tmp_path, cells, kind, classes):
    found = target(tmp_path, [*cells] * 10)
    assert (found.kind, found.classes) == (kind, classes)
    assert found.note.startswith(f"target y: {kind}")
    if classes:
        assert found.y.dtype == np.int32
        assert sorted(found.y[: len(cells)]) == [*range(len(classes))]
    else:
        np.testing.assert_array_equal(found.y[: len(cells), 0], np.float32([*cells]))


def test_class_numbers_follow_the_order_of_the_names(tmp_path):
    assert target(tmp_path, ["b", "a", "c", "a"] * 10).y[:4].tolist() == [1, 0, 2, 0]
    assert target(tmp_path, [10, 9, 100] * 10).y[:3].tolist() == [1, 0, 2]


def test_the_user_may_say_what_the_task_is(tmp_path):
    assert target(tmp_path, [1, 2, 3] * 10, "regression").kind == "regression"
    assert target(tmp_path, [*range(30)] * 5, "multiclass").classes[-1] == "29"
    assert target(tmp_path, [0, 1] * 10, "multiclass").kind == "multiclass"


def test_counts_of_the_classes_are_said_and_the_other_way_to_take_numbers(tmp_path):
    assert target(tmp_path, [3, 4, 4] * 10).note == "target y: binary, 2 classes: 3 (10), 4 (20)"
    assert target(tmp_path, [3, 4, 5] * 10).note.endswith("; --task regression predicts the number")


def test_empty_cells_are_marked(tmp_path):
    found = target(tmp_path, ["a", "", "b"] * 10)
    assert found.absent[:3].tolist() == [False, True, False]
    assert len(target(tmp_path, [1, "", 0] * 10).classes) == 2


@pytest.mark.parametrize(
    ("cells", "wanted", "words"),
    [
        ([0, 0.5, 1], "multiclass", "row 2 of the target 'y' holds 0.5, no class"),
        ([0, 1, 2], "binary", "has 3 classes, 0, 1, 2; a binary task has two"),
        (["a", "b"], "regression", "holds texts, as 'a', no numbers"),
        (["a"], None, "is 'a' in every row: any accuracy would be meaningless"),
        ([7], "regression", "is 7 in every row; there is nothing to predict"),
        ([""], None, "is empty in every row"),
        ([1, 2, 3, 4, "inf"], "regression", "row 5 of the target 'y' is infinite"),
        ([*range(10), "?"], None, r"row 11 of the target 'y' holds '\?', the others numbers"),
        (["2024-01-01", "2024-01-02"], None, None),
    ],
)
def test_what_fits_no_task_is_refused(tmp_path, cells, wanted, words):
    if words is None:
        assert target(tmp_path, cells * 10).kind == "binary"  # two days are two classes
        return
    with pytest.raises(InputError, match=words):
        target(tmp_path, cells * 10, wanted)


def test_as_many_classes_as_rows_are_none(tmp_path):
    with pytest.raises(InputError, match="has 100 different values in 100 rows: no classes"):
        target(tmp_path, [f"text {i}" for i in range(100)])


def test_another_file_has_the_classes_of_the_first(tmp_path):
    like = target(tmp_path, ["no", "yes"] * 10)
    assert targets.known(PATH, raw(tmp_path, ["yes", "yes", "no"]), like).y.tolist() == [1, 1, 0]
    with pytest.raises(InputError, match="row 2 of the target 'y' holds 'maybe', which training does not know"):
        targets.known(PATH, raw(tmp_path, ["yes", "maybe", "no"]), like)
    numbers = target(tmp_path, [0.5, 1.5, 2.5] * 10)
    assert targets.known(PATH, raw(tmp_path, [9, 8]), numbers).y.tolist() == [[9], [8]]
    with pytest.raises(InputError, match="row 1 of the target .y. holds .x., no number"):
        targets.known(PATH, raw(tmp_path, ["x", "y"]), numbers)


def test_another_file_may_have_one_and_the_same_number_in_every_row(tmp_path):
    numbers = target(tmp_path, [0.5, 1.5, 2.5] * 10)
    assert targets.known(PATH, raw(tmp_path, [9, 9]), numbers).y.tolist() == [[9], [9]]
