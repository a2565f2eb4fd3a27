import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun import schedules
from kerasrun.errors import InputError


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("constant", "constant"),
        ("Constant()", "constant"),
        ("step", "step(every=10, factor=0.5)"),
        ("step(factor=0.1)", "step(every=10, factor=0.1)"),
        ("step(factor=1, every=3.0)", "step(every=3, factor=1.0)"),
        ("drops(at=[102, 154, 205])", "drops(at=[102, 154, 205], factor=0.1)"),
        ("drops(at=3, factor=0.5)", "drops(at=[3], factor=0.5)"),
        ("exponential", "exponential(rate=0.95)"),
        ("cosine", "cosine(warmup=0)"),
        ("plateau(patience=4)", "plateau(patience=4, factor=0.5)"),
    ],
)
def test_a_schedule_has_one_canonical_spelling_with_every_argument(written, canonical):
    assert schedules.parse_schedule(written) == canonical
    assert schedules.parse_schedule(canonical) == canonical


def test_an_unknown_schedule_names_the_closest_one():
    with pytest.raises(InputError, match="unknown schedule 'cosin'; did you mean 'cosine'"):
        schedules.parse_schedule("cosin")


def test_an_unknown_argument_names_the_known_ones():
    with pytest.raises(InputError, match=r"unknown argument of schedule step 'evry'; did you mean 'every'"):
        schedules.parse_schedule("step(evry=3)")


@pytest.mark.parametrize(
    "written",
    [
        "step(every=0)", "step(every=2.5)", "step(every=true)", "step(factor=0)", "step(factor=1.5)",
        "exponential(rate=-1)", "exponential(rate=fast)", "cosine(warmup=-1)", "plateau(patience=none)",
        "plateau(factor=1)",
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_refused_with_the_range(written):
    with pytest.raises(InputError, match=r"schedule \w+: \w+=.* must be a (whole )?number"):
        schedules.parse_schedule(written)


@pytest.mark.parametrize("at", ["0", "[3, 2]", "[2, 2]", "[]", "[1.5]", "soon", "true"])
def test_epochs_of_drops_rise_from_1(at):
    with pytest.raises(InputError, match=r"schedule drops: at=.* must be epochs from 1 on, rising, as at=\[30, 60\]"):
        schedules.parse_schedule(f"drops(at={at})")


def test_drops_multiply_at_each_of_the_epochs():
    rates = [schedules.learning_rate("drops(at=[1, 3], factor=0.1)", 1.0, epoch, 5) for epoch in range(5)]
    assert rates == pytest.approx([1, 0.1, 0.1, 0.01, 0.01])


def test_a_positional_argument_is_refused():
    with pytest.raises(InputError, match="has no name"):
        schedules.parse_schedule("step(10)")


def test_step_multiplies_every_so_many_epochs():
    rates = [schedules.learning_rate("step(every=2, factor=0.1)", 1.0, epoch, 6) for epoch in range(6)]
    assert rates == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_exponential_multiplies_every_epoch():
    rates = [schedules.learning_rate("exponential(rate=0.5)", 0.8, epoch, 3) for epoch in range(3)]
    assert rates == pytest.approx([0.8, 0.4, 0.2])


def test_cosine_rises_for_the_warmup_and_then_falls_to_nearly_nothing():
    rates = [schedules.learning_rate("cosine(warmup=2)", 0.3, epoch, 10) for epoch in range(10)]
    assert rates[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert all(later < earlier for earlier, later in zip(rates[2:], rates[3:], strict=False))
    assert 0 < rates[-1] < 0.02


def test_constant_and_plateau_leave_the_rate_to_others():
    assert schedules.learning_rate("constant", 0.1, 7, 9) == 0.1
    assert schedules.learning_rate("plateau(patience=2, factor=0.5)", 0.1, 7, 9) == 0.1
    assert schedules.plateau_arguments("plateau(patience=1)") == {"patience": 1, "factor": 0.5}
    assert schedules.plateau_arguments("cosine") is None


@given(
    st.sampled_from(sorted(schedules.SCHEDULES)),
    st.floats(1e-9, 10),
    st.integers(1, 300).flatmap(lambda epochs: st.tuples(st.integers(0, epochs - 1), st.just(epochs))),
    st.integers(0, 400),
)
def test_every_rate_is_above_zero_and_at_most_the_base(name, base, when, warmup):
    schedule = f"cosine(warmup={warmup})" if name == "cosine" else name
    rate = schedules.learning_rate(schedules.parse_schedule(schedule), base, *when)
    assert math.isfinite(rate)
    assert 0 < rate <= base * (1 + 1e-12)


@given(st.one_of(st.text(), st.from_regex(r"(step|cosine|plateau)\((every|factor|warmup)=[-0-9a-z.]*\)?")))
def test_any_text_is_a_schedule_that_reads_as_itself_or_is_refused(text):
    refusal = ""
    try:
        canonical = schedules.parse_schedule(text)
    except InputError as error:
        refusal = str(error)
    assert len(refusal.splitlines()) <= 3
    if not refusal:
        assert schedules.parse_schedule(canonical) == canonical
