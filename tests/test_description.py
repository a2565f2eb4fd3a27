"""What stands beside an exported model: enough to feed it without its run."""

import string

import numpy as np
import pytest

from kerasrun.datasets.tables import encoded
from kerasrun.datasets.texts import numbered
from kerasrun.description import array, described
from kerasrun.inputs import InputColumn, TableInputs, TextInputs
from kerasrun.tables import Column
from kerasrun.trained import Trained

COLUMNS = (
    InputColumn("size", "number", fill=2.5, indicator=True),
    InputColumn("color", "category", values=("", "blue", "red")),
    InputColumn("when", "date", date="%d.%m.%Y", origin=19733, fill=3.0),
    InputColumn("shape", "category", values=("round",)),
)


def trained(kind, classes, inputs=None, shape=(4,)):
    return Trained("abcde", kind, classes, shape, "float32", {"scale": "standardize"}, inputs)


def test_rows_made_by_the_description_alone_are_the_rows_of_the_array():
    inputs = TableInputs(COLUMNS)
    columns = [
        Column("size", "number", ()),
        Column("color", "category", ("red", "violet")),
        Column("when", "date", (), "%d.%m.%Y", 19733),
        Column("shape", "category", ("round",)),
    ]
    nan = np.nan
    raw = np.array([[1.5, 0, 7, 0], [nan, nan, nan, nan], [0, 1, 1, 0]], np.float32)
    cells = [
        {"size": 1.5, "color": "red", "when": 7, "shape": "round"},
        {"size": None, "color": "", "when": None, "shape": ""},
        {"size": 0, "color": "violet", "when": 1, "shape": "round"},
    ]
    made = [[number(place, row[place["column"]]) for place in array(inputs)] for row in cells]
    np.testing.assert_array_equal(np.array(made, np.float32), encoded(columns, inputs, raw))


def test_a_text_made_by_the_description_alone_is_the_row_of_the_array():
    inputs = TextInputs("words", 1, 5, ("good", "영화", "bad"))
    about = array(inputs)
    texts = ["Good, good 영화!", "nothing is BAD at all", ""]
    for text, row in zip(texts, numbered(inputs, texts), strict=True):
        words = text.lower().translate(str.maketrans("", "", string.punctuation)).split()[: about["length"]]
        numbers = [about["numbers"].get(word, about["any_other"]) for word in words]
        assert [*row] == numbers + [about["padding_at_the_end"]] * (about["length"] - len(words))


def number(place, cell):
    if place["kind"] == "category":
        return place["values"].get(cell, place["any_other"])
    if place["kind"] == "1 if empty, else 0":
        return float(cell is None)
    return place["empty_becomes"] if cell is None else cell


def test_the_columns_of_a_model_with_lookups_are_told_with_their_cells():
    keys = {"size": COLUMNS[0], "color": COLUMNS[1], "when": COLUMNS[2]}
    inputs = {"size": ("float32", (None, 1)), "color": ("string", (None, 1)), "when": ("float32", (None, 1))}
    found = described(trained("binary", ("no", "yes"), TableInputs(COLUMNS)), inputs, keys, 1)
    size, color, when = found["inputs"]
    assert size == {
        "name": "size", "dtype": "float32", "shape": [None, 1],
        "column": "size", "kind": "number", "empty_becomes": 2.5,
    }  # fmt: skip
    assert (color["dtype"], color["values"]) == ("string", ["", "blue", "red"])
    assert (when["format"], when["days_since"]) == ("%d.%m.%Y", "2024-01-11")
    assert "array" not in found


@pytest.mark.parametrize(
    ("kind", "classes", "says"),
    [
        ("binary", ("no", "yes"), "probability of 'yes'"),
        ("multiclass", ("a", "b", "c"), "probability of each class"),
        ("regression", (), "the predicted value"),
    ],
)
def test_what_the_output_says_follows_from_the_task(kind, classes, says):
    found = described(trained(kind, classes), {"input": ("float32", (1, 4))}, {}, max(1, len(classes)))
    assert found["output"] == {"shape": [1, max(1, len(classes))], "says": says}
    assert found["scaling"] == "standardize, inside the model"
    assert found["classes"] == [*classes]
