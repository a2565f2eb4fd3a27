import pytest

from kerasrun import errors


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.KerasrunError("x"), 1),
        (errors.InputError("x"), 2),
        (errors.RunFailed("x"), 1),
        (errors.DataUnavailable("x"), 69),
        (errors.DiskError("x"), 74),
        (errors.RunInUse("x"), 75),
        (errors.Interrupted("x", 1), 129),
        (errors.Interrupted("x", 2), 130),
        (errors.Interrupted("x", 15), 143),
    ],
)
def test_every_error_has_its_exit_code_and_is_caught_as_one_kind(error, code):
    assert error.exit_code == code
    assert isinstance(error, errors.KerasrunError)
    assert str(error) == "x"


def test_the_tree_in_the_docstring_is_the_tree():
    classes = [kind for kind in vars(errors).values() if getattr(kind, "__module__", "") == errors.__name__]
    assert all(kind.__name__ in errors.__doc__ for kind in classes if isinstance(kind, type))


def test_an_unknown_name_gets_the_closest_one_and_the_sorted_list():
    error = errors.unknown("optimizer", "rmsprob", ["sgd", "rmsprop", "adam"])
    assert str(error) == "unknown optimizer 'rmsprob'; did you mean 'rmsprop'?\nknown: adam, rmsprop, sgd"


def test_nothing_is_suggested_where_nothing_is_near_or_known():
    assert str(errors.unknown("loss", "zzz", ["hinge"])) == "unknown loss 'zzz'\nknown: hinge"
    assert str(errors.unknown("knob", "hidden", [])) == "unknown knob 'hidden'\nknown: none"


@pytest.mark.parametrize("given", ["BATCH-SIZE", "batch_sise", "batchsize"])
def test_case_hyphens_and_single_letters_do_not_hide_the_closest_name(given):
    assert errors.closest(given, ["batch_size", "epochs"]) == "batch_size"


def test_a_long_unknown_name_is_cut_and_stays_on_its_line():
    first, second = str(errors.unknown("setting", "a\nb" + "x" * 5000, ["epochs"])).splitlines()
    assert len(first) < 200
    assert second == "known: epochs"
