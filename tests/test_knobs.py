import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun.errors import InputError
from kerasrun.knobs import Knob, read_knobs
from kerasrun.literals import written


def knobs_of(signature):
    return read_knobs(ast.parse(f"def wide({signature}): ...").body[0], "models.py: wide")


@given(st.lists(st.integers(1, 9999), max_size=8).map(tuple))
def test_written_sizes_read_as_themselves(sizes):
    knob = Knob("hidden", "sizes")
    assert knob.parse(written(sizes)) == sizes
    assert knob.parse(list(sizes)) == sizes


@given(st.sampled_from(["int", "float", "bool", "str", "sizes"]), st.text(max_size=20))
def test_any_text_is_a_value_of_a_knob_or_wrong_input(kind, text):
    knob = Knob("width", kind)
    try:
        value = knob.parse(text)
    except InputError:
        return
    assert knob.parse(value) == value


@pytest.mark.parametrize(
    ("kind", "value", "canonical"),
    [
        ("sizes", "300-100", (300, 100)), ("sizes", "100x3", (100, 100, 100)), ("sizes", "5-2x2", (5, 2, 2)),
        ("sizes", "none", ()), ("sizes", "7", (7,)), ("sizes", 7, (7,)), ("sizes", [3, 4], (3, 4)),
        ("sizes", "(3, 4)", (3, 4)),
        ("int", "3", 3), ("int", 3.0, 3), ("int", "1e2", 100), ("float", 1, 1.0), ("float", ".5", 0.5),
        ("bool", "True", True), ("bool", False, False), ("str", "a word", "a word"),
        ("str", "'7'", "7"), ("str", "7", "7"),
    ],
)  # fmt: skip
def test_values_become_canonical(kind, value, canonical):
    found = Knob("k", kind).parse(value)
    assert found == canonical
    assert type(found) is type(canonical)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("sizes", "300,100"), ("sizes", "0"), ("sizes", "-5"), ("sizes", "10x0"), ("sizes", "3x9999999"),
        ("sizes", "a"),
        ("sizes", ""), ("sizes", 2.5), ("sizes", True), ("int", "2.5"), ("int", "true"), ("int", "inf"),
        ("int", "wide"),
        ("int", None), ("float", "nan"), ("float", "fast"), ("float", float("inf")),
        ("bool", 1), ("bool", "yes"), ("float", "1" * 400), ("int", 10**400), ("float", -(10**400)),
    ],
)  # fmt: skip
def test_values_of_another_kind_are_refused_with_what_is_wanted(kind, value):
    with pytest.raises(InputError, match="knob k: .* is wanted, not "):
        Knob("k", kind).parse(value)


def test_only_optional_knobs_take_none():
    assert Knob("k", "int", optional=True).parse("none") is None
    assert Knob("kernel_regularizer", "object", optional=True, family="regularizer").parse("None") is None
    with pytest.raises(InputError, match="not none"):
        Knob("activation", "object", family="activation").parse("none")


def test_choices_name_the_closest_one():
    knob = Knob("pooling", "choice", choices=("average", "max"))
    assert knob.parse("max") == "max"
    with pytest.raises(InputError, match="unknown value of knob pooling 'averege'; did you mean 'average'"):
        knob.parse("averege")


@pytest.mark.parametrize("word", ["none", "18", "true", " 18 "])
def test_a_choice_may_be_a_word_that_elsewhere_is_another_value(word):
    (knob,) = knobs_of(f"task, *, k: Literal['max', '{word.strip()}'] = '{word.strip()}'").values()
    assert knob.default == knob.parse(word) == word.strip()
    assert Knob("k", "choice", choices=(18, 50)).parse("18") == 18


def test_objects_become_canonical_text():
    knob = Knob("initializer", "object", family="initializer")
    assert knob.parse("xavier") == "glorot_uniform"
    with pytest.raises(InputError, match="knob initializer: unknown initializer 'zeroes'; did you mean 'zeros'"):
        knob.parse("zeroes")


def test_types_follow_from_annotations_and_defaults():
    knobs = knobs_of(
        "task, *, a: int, b=0.5, c=True, d=(1, 2), e='x', f: tuple[int, ...] = (), g: int | None = None, "
        "h: Literal['p', 'q'] = 'p', i: 'float' = 1, out_activation='relu', kernel_regularizer=None, initializer='he', "
        "j: Optional[str] = None, k: typing.Literal[1, 2] | None = None, l=[1]"
    )
    kinds = {name: knob.kind for name, knob in knobs.items()}
    assert kinds == {
        "a": "int", "b": "float", "c": "bool", "d": "sizes", "e": "str", "f": "sizes", "g": "int", "h": "choice",
        "i": "float", "out_activation": "object", "kernel_regularizer": "object", "initializer": "object", "j": "str",
        "k": "choice", "l": "sizes",
    }  # fmt: skip
    assert [name for name, knob in knobs.items() if knob.required] == ["a"]
    assert [name for name, knob in knobs.items() if knob.optional] == ["g", "kernel_regularizer", "j", "k"]
    assert (knobs["i"].default, knobs["initializer"].default, knobs["l"].default) == (1.0, "he_normal", (1,))
    assert (knobs["out_activation"].family, knobs["k"].choices) == ("activation", (1, 2))


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("", "first argument is the task"),
        ("task, *, a", "models.py: wide, line 1: the type of knob a is not clear"),
        ("task, *, a=None", "the type of knob a is not clear"),
        ("task, *, a: dict = {}", "the type of knob a is not clear"),
        ("task, *, a=f()", r"knob a: its default 'f\(\)' is no literal"),
        ("task, *, a: Literal[Mode.A]", "the type of knob a is not clear"),
        ("task, *, a: int = 'x'", "default of knob a: a whole number is wanted"),
        ("task, *, activation='rellu'", "default of knob activation: unknown activation"),
    ],
)
def test_signatures_that_are_no_recipe_s_are_refused(signature, message):
    with pytest.raises(InputError, match=message):
        knobs_of(signature)
