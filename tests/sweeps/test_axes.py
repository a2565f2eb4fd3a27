import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun.errors import InputError
from kerasrun.sweeps import axes

WORD = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
CALL = st.builds(lambda name, pairs: f"{name}({', '.join(f'{k}={v}' for k, v in pairs.items())})",
                 WORD, st.dictionaries(WORD, st.integers(0, 9), min_size=1, max_size=3))  # fmt: skip
LIST = st.builds(lambda parts: f"[{', '.join(parts)}]", st.lists(WORD, min_size=1, max_size=3))
VALUE = st.one_of(WORD, CALL, LIST, st.integers(0, 99).map(str), st.just("300-100"), st.just('"a,b"'))


@given(st.lists(VALUE, min_size=2, max_size=6))
def test_commas_outside_brackets_and_quotes_part_values(values):
    fixed, found = axes.split({"optimizer": ",".join(values)})
    assert fixed == {}
    assert found == [[{"optimizer": value} for value in values]]


@given(VALUE)
def test_a_single_value_is_no_axis(value):
    assert axes.split({"batch-size": value}) == ({"batch_size": value}, [])


@pytest.mark.parametrize(
    ("value", "points"),
    [
        ("accuracy,auc", None),
        ("[accuracy,auc]", None),
        ("[accuracy,auc],[mae]", [["accuracy", "auc"], ["mae"]]),
        ("'accuracy,auc','mae'", ["accuracy,auc", "mae"]),
        ("[accuracy,auc],mae", [["accuracy", "auc"], "mae"]),
        (["accuracy", "auc"], None),
        ([["accuracy"], ["auc"]], [["accuracy"], ["auc"]]),
    ],
)
def test_a_setting_whose_value_is_a_list_is_an_axis_only_with_brackets_or_quotes(value, points):
    fixed, found = axes.split({"metrics": value})
    assert (fixed, found) == (({"metrics": value}, []) if points is None else ({}, [[{"metrics": p} for p in points]]))


@pytest.mark.parametrize(
    ("name", "value"),
    [("class_weights", "0=1,1=5"), ("drop", "age,city"), ("na", "?,none"), ("kinds", "zip=category,day=number")],
)
def test_a_value_that_training_takes_for_one_list_keeps_its_commas(name, value):
    assert axes.split({name: value}) == ({name: value}, [])


def test_in_python_a_list_is_an_axis_and_a_tuple_a_value():
    fixed, found = axes.split({"hidden": (300, 100), "units": [(300, 100), (50,)]})
    assert fixed == {"hidden": (300, 100)}
    assert found == [[{"units": (300, 100)}, {"units": (50,)}]]


def test_names_joined_by_a_comma_vary_together():
    _, found = axes.split({"hidden,activation": "[100,relu],[300-100,tanh]"})
    assert found == [[{"hidden": 100, "activation": "relu"}, {"hidden": "300-100", "activation": "tanh"}]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"optimizer": "sgd,,adam"}, "nothing between two commas"),
        ({"optimizer": []}, "an empty list"),
        ({"hidden,activation": "[100,relu],[300]"}, "not a list of 2 values"),
    ],
)
def test_what_cannot_be_read_is_named(given, message):
    with pytest.raises(InputError, match=message):
        axes.split(given)


def test_a_files_grid_zip_and_overrides_are_axes_in_this_order():
    varied = {
        "overrides": [{"recipe": "softmax"}, {"recipe": "dense", "hidden": [100]}],
        "zip": [{"batch-size": [32, 64], "learning_rate": [0.1, 0.2]}],
        "grid": {"optimizer": ["sgd", "adam"], "hidden,dropout": [["100", 0.5], ["50", 0.0]]},
    }
    assert axes.of_file(varied) == [
        [{"optimizer": "sgd"}, {"optimizer": "adam"}],
        [{"hidden": "100", "dropout": 0.5}, {"hidden": "50", "dropout": 0.0}],
        [{"batch_size": 32, "learning_rate": 0.1}, {"batch_size": 64, "learning_rate": 0.2}],
        [{"recipe": "softmax"}, {"recipe": "dense", "hidden": [100]}],
    ]


@pytest.mark.parametrize(
    ("varied", "message"),
    [
        ({"grid": ["sgd"]}, "grid is a table"),
        ({"grid": {"optimizer": "sgd,adam"}}, "optimizer must be a list"),
        ({"grid": {"optimizer": []}}, "optimizer must be a list"),
        ({"grid": {"exclude": [{}]}}, r"exclude stands in \[grid\]; write it above"),
        ({"zip": [{"a": [1, 2], "b": [1]}]}, "equal lengths"),
        ({"zip": [{"a": 1}]}, "equal lengths"),
        ({"zip": [{"a": []}]}, "equal lengths"),
        ({"zip": [{"a": [], "b": [1, 2]}]}, "equal lengths"),
        ({"overrides": [{}]}, "a list of tables"),
        ({"overrides": ["sgd"]}, "a list of tables"),
    ],
)
def test_a_file_of_another_form_is_refused(varied, message):
    with pytest.raises(InputError, match=message):
        axes.of_file(varied)


def test_the_command_line_goes_before_the_files_axis_and_keeps_its_place():
    in_file = [[{"a": 1}, {"a": 2}], [{"b": 1}, {"b": 2}], [{"c": 1}, {"c": 2}]]
    own = [[{"d": 1}, {"d": 2}], [{"b": 8}, {"b": 9}]]
    merged = axes.merged(in_file, own, {"c": 5})
    assert merged == [in_file[0], own[1], own[0]]


def test_the_command_line_may_couple_two_axes_of_the_file():
    coupled = [{"a": 7, "b": 8}, {"a": 9, "b": 10}]
    in_file = [[{"a": 1}, {"a": 2}], [{"c": 1}, {"c": 2}], [{"b": 1}, {"b": 2}]]
    assert axes.merged(in_file, [coupled], {}) == [coupled, in_file[1]]


@pytest.mark.parametrize(
    ("in_file", "own", "fixed", "message"),
    [
        ([[{"a": 1, "b": 1}]], [], {"a": 2}, "a varies together with others"),
        ([[{"a": 1}, {"a": 2}], [{"a": 3}, {"b": 4}]], [], {}, "a is varied twice"),
        ([], [[{"a": 1, "b": 2}, {"a": 3, "b": 4}]], {"a": 5}, "a is given twice: with one value, and varied"),
        ([], [[{"seed": 1}, {"seed": 2}]], {}, "seed is no axis: write --seeds"),
    ],
)
def test_axes_that_cannot_be_together_are_refused(in_file, own, fixed, message):
    with pytest.raises(InputError, match=message):
        axes.merged(in_file, own, fixed)


@pytest.mark.parametrize(
    ("written", "seeds"),
    [(3, (0, 1, 2)), ("3", (0, 1, 2)), ("0,7,1", (0, 1, 7)), ("3-5", (3, 4, 5)), ("1, 3-4", (1, 3, 4)),
     ([9, 2], (2, 9)), ("7-7", (7,)), ([4], (4,))],
)  # fmt: skip
def test_seeds_are_how_many_or_which(written, seeds):
    assert axes.read_seeds(written) == seeds


@pytest.mark.parametrize(
    "written",
    [
        0,
        "0",
        "-1",
        "five",
        "",
        "1,,2",
        [],
        [-1],
        2.5,
        True,
        "5-3",
        "4294967296-4294967297",
        10_001,
        "0-4000000000",
        "0,5-3",
    ],
)
def test_seeds_that_cannot_be_are_refused(written):
    with pytest.raises(InputError, match="seeds="):
        axes.read_seeds(written)
