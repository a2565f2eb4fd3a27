import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun.cli import words
from kerasrun.errors import InputError

NAMES = st.text(string.ascii_lowercase + "_-", min_size=1, max_size=12).filter(lambda name: not name.startswith("-"))


def split(*given, **options):
    return words.split(given, options)


def test_the_first_word_without_an_equals_sign_is_the_dataset_wherever_it_stands():
    assert split("digits", "hidden=30") == split("hidden=30", "digits") == ("digits", None, {"hidden": "30"})
    assert split("dataset=digits") == ("digits", None, {})


def test_a_value_may_hold_equals_signs_commas_and_brackets():
    given = split("digits", "optimizer=sgd(learning_rate=0.1, momentum=0.9)", "class_weights=0=1,1=5")[2]
    assert given == {"optimizer": "sgd(learning_rate=0.1, momentum=0.9)", "class_weights": "0=1,1=5"}


@pytest.mark.parametrize(
    "dataset", ["imdb(num_words=500, length=50)", "synthetic:imdb(num_words=500)", "some/a=b.npz", "./x=1.npz"]
)
def test_a_dataset_may_hold_an_equals_sign(dataset):
    assert split(dataset, "epochs=1") == (dataset, None, {"epochs": "1"})


def test_a_word_with_an_equals_sign_that_is_a_path_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert split("digits", "a=b.npz")[2] == {"a": "b.npz"}
    (tmp_path / "a=b.npz").touch()
    assert split("a=b.npz") == ("a=b.npz", None, {})


def test_an_experiment_file_may_stand_beside_a_dataset():
    dataset, file, given = split("mine.toml", "iris", "epochs=3")
    assert (dataset, str(file), given) == ("iris", "mine.toml", {"epochs": "3"})


def test_hyphens_in_a_name_are_underscores_and_those_in_a_value_stay():
    assert split("digits", "batch-size=8", "hidden=30-20")[2] == {"batch_size": "8", "hidden": "30-20"}


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (["epochs=3", "epochs=4"], {}),
        (["batch-size=3", "batch_size=4"], {}),
        (["batch-size=3"], {"batch_size": "4"}),
        (["jit=true"], {"jit": False}),
        (["epochs=3"], {"epochs": "3"}),
    ],
)
def test_a_name_given_twice_is_refused(given, options):
    with pytest.raises(InputError, match="is given twice: .* and .*\nleave one of them out"):
        split("digits", *given, **options)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["digits", "iris"], "one dataset is wanted, not 2: digits, iris\nknobs and settings are written name=value"),
        (["digits", "dataset=iris"], "one dataset is wanted, not 2: digits, iris"),
        (["a.toml", "b.toml"], "one experiment file is wanted, not 2: a.toml, b.toml"),
        ([], "which dataset"),
        (["epochs=3"], "which dataset"),
    ],
)
def test_one_dataset_and_at_most_one_file_are_wanted(given, message):
    with pytest.raises(InputError, match=message):
        split(*given)


@given(st.dictionaries(NAMES.map(lambda name: name.replace("-", "_")), st.text(max_size=300), max_size=5), st.randoms())
def test_names_and_values_come_back_whatever_their_order(values, random):
    values.pop("dataset", None)
    given = ["digits", *(f"{name}={value}" for name, value in values.items())]
    random.shuffle(given)
    assert split(*given) == ("digits", None, {name.strip(): value for name, value in values.items()})


@given(st.lists(st.text(max_size=400), max_size=4))
def test_any_words_are_split_or_refused_in_three_lines(given):
    try:
        dataset, _, values = split(*given)
    except InputError as error:
        lines = str(error).splitlines()
    else:
        lines = []
        assert dataset is None or dataset in given or f"dataset={dataset}" in given
        assert len(values) <= len(given)
    assert len(lines) <= 3
