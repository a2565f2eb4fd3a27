"""What a tuning searches through, as it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun.errors import InputError
from kerasrun.sweeps.search import Choices, Range, plan


def space(**given):
    return plan("digits", given, file=None).space


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"learning_rate": "0.0001..1:log"}, Range(0.0001, 1.0, log=True)),
        ({"learning_rate": "1e-4 .. 1e-1 : log"}, Range(1e-4, 1e-1, log=True)),
        ({"dropout": "0..0.5"}, Range(0.0, 0.5)),
        ({"hidden": "10..300"}, Range(10, 300)),
        ({"batch_size": "8..512:log"}, Range(8, 512, log=True)),
        ({"activation": "relu,tanh"}, Choices(("relu", "tanh"))),
        ({"optimizer": "sgd(learning_rate=0.1, momentum=0.9),adam"},
         Choices(("sgd(learning_rate=0.1, momentum=0.9)", "adam"))),
        ({"batch_norm": [True, False]}, Choices(("true", "false"))),
        ({"hidden": [[300, 100], [100]]}, Choices(("300-100", "100"))),
    ],
)  # fmt: skip
def test_ranges_and_choices_are_read(written, read):
    assert [*space(**written).values()] == [read]


@pytest.mark.parametrize("written", ["1..0.1", "0..1:log", "-1..1:log", "0.5..0.5", "1e300..1e999"])
def test_a_range_that_is_none_is_refused(written):
    with pytest.raises(InputError, match="learning_rate=.*write a range from low to high"):
        space(learning_rate=written)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"learning_rate": "0..1"}, "learning_rate=0.* must be a number above 0"),
        ({"dropuot": "0..0.5"}, "did you mean 'dropout'"),
        ({"hidden": "0..100"}, "hidden"),
        ({"activation": "relu,tahn"}, "did you mean 'tanh'"),
        ({"epochs": 5}, "nothing to tune"),
        ({"hidden,activation": "[300-100,relu],[100,tanh]"}, "hidden,activation: .* vary together in a sweep"),
        ({"hidden,activation": "300-100"}, "hidden,activation: .* vary together in a sweep"),
    ],
)
def test_the_ends_are_checked_before_anything_trains(written, says):
    with pytest.raises(InputError, match=says):
        space(**written)


def test_the_file_and_the_command_line_search_together_and_the_command_line_goes_first(tmp_path):
    file = tmp_path / "search.toml"
    file.write_text(
        'dataset = "digits"\nepochs = 3\n[search]\nlearning-rate = "0.001..0.1:log"\n'
        'hidden = "10..50"\ndropout = [0.0, 0.2]\n'
    )
    search = plan(None, {"hidden": "20", "activation": "relu,tanh"}, file=file)
    assert [*search.space] == ["learning_rate", "dropout", "activation"]
    assert search.default.knobs["hidden"] == (20,)
    assert (search.name, search.metric, search.direction) == ("search", "val_loss", "min")


def test_a_sweeps_file_is_no_tunings(tmp_path):
    file = tmp_path / "sweep.toml"
    file.write_text('dataset = "digits"\n[grid]\nactivation = ["relu", "tanh"]\n')
    with pytest.raises(InputError, match="holds grid, which belong to a sweep"):
        plan(None, {}, file=file)


def test_the_metric_is_one_of_the_validations_and_brings_its_direction():
    search = plan("digits", {"dropout": "0..0.5"}, file=None, metric="val-accuracy")
    assert (search.metric, search.direction) == ("val_accuracy", "max")
    with pytest.raises(InputError, match="known: val_loss, val_accuracy"):
        plan("digits", {"dropout": "0..0.5"}, file=None, metric="test_accuracy")


def test_another_space_metric_or_experiment_is_another_tuning():
    asked = {"dropout": "0..0.5"}
    ids = {
        plan("digits", asked, file=None).id,
        plan("digits", {"dropout": "0..0.4"}, file=None).id,
        plan("digits", asked, file=None, metric="val_accuracy").id,
        plan("digits", {**asked, "epochs": 3}, file=None).id,
    }
    assert len(ids) == 4
    assert plan("digits", asked, file=None).id in ids


@given(st.floats(1e-6, 1.0), st.floats(1.0001, 1e3), st.booleans())
def test_every_range_that_is_written_is_read_back(low, factor, log):
    high = low * factor
    written = f"{low!r}..{high!r}{':log' if log else ''}"
    assert space(learning_rate=written) == {"learning_rate": Range(low, high, log)}
