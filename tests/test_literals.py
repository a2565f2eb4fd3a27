import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun.errors import InputError
from kerasrun.literals import format_call, format_value, parse_call, parse_value, split_outside

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple), max_leaves=6
)
names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)


@given(values)
def test_a_written_value_reads_as_itself(value):
    assert parse_value(format_value(value)) == value
    assert type(parse_value(format_value(value))) is type(value)


@given(names, st.dictionaries(names, values, max_size=4))
def test_a_written_call_reads_as_itself(name, arguments):
    assert parse_call(format_call(name, arguments)) == (name, arguments)


@given(st.text(max_size=40))
def test_any_text_is_a_value(text):
    parse_value(text)


@given(st.text(alphabet="ab(),='\"[] .1", max_size=30))
def test_any_text_is_a_call_or_wrong_input(text):
    with contextlib.suppress(InputError):
        parse_call(text)


@given(st.text(alphabet="a,()[]'\"\\", max_size=30))
def test_the_parts_of_a_split_join_to_the_text(text):
    assert ",".join(split_outside(text, ",")) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", 0.1), ("1e-3", 0.001), ("-2", -2), ("TRUE", True), ("none", None), ("adam", "adam"), ('"none"', "none"),
        ("[1, 2]", [1, 2]), ("(1,)", (1,)), ("()", ()), ("[a, 'b, c']", ["a", "b, c"]), ("300-100", "300-100"),
        ("inf", "inf"), ("1+2j", "1+2j"), ("...", "..."),
    ],
)  # fmt: skip
def test_values_are_read_as_written(text, value):
    assert parse_value(text) == value


def test_commas_inside_brackets_and_quotes_do_not_separate():
    assert split_outside("sgd(a=1, b=2),adam,'x,y'", ",") == ["sgd(a=1, b=2)", "adam", "'x,y'"]


def test_nothing_is_evaluated():
    text = "__import__('os').system('x')"
    assert parse_value(text) == text
    with pytest.raises(InputError, match="cannot read"):
        parse_call(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sgd(0.1)", "has no name"),
        ("sgd(a=1, a=2)", "given twice"),
        ("sgd(a=1", "cannot read"),
        ("sgd(a=1))", "cannot read"),
        ("", "cannot read"),
        ("1", "cannot read"),
    ],
)
def test_what_is_no_call_is_wrong_input(text, message):
    with pytest.raises(InputError, match=message):
        parse_call(text)
