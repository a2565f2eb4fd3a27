import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun import objects, settings
from kerasrun.errors import InputError
from kerasrun.keras_names import REQUIRED

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.integers()),
    st.integers(min_value=10**300, max_value=10**320), st.integers(10**300, 10**320).map(str),
    st.dictionaries(st.one_of(st.integers(), st.text()), st.one_of(st.none(), st.floats(), st.text())),
)  # fmt: skip
READERS = {
    "text": settings.text,
    "texts": settings.texts,
    "boolean": settings.boolean,
    "whole": settings.whole_number(1),
    "from": settings.number_from(0.0),
    "positive": settings.positive_number,
    "choice": settings.choice("auto", "cpu", "gpu"),
    "optional": settings.optional(settings.whole_number(0)),
    "automatic": settings.automatic(settings.whole_number(1)),
    "fraction": settings.fraction_or_path,
    "optimizer": settings.keras_object("optimizer"),
    "loss": settings.auto_or_object("loss"),
    "metrics": settings.keras_objects("metric"),
    "class_weights": settings.class_weights,
}


@pytest.mark.parametrize("kind", READERS)
@given(value=ANYTHING)
def test_a_reader_reads_or_refuses_anything_and_reads_its_own_result_as_the_same(kind, value):
    read = READERS[kind]
    refusal = ""
    try:
        typed = read("setting", value)
    except InputError as error:
        refusal = str(error)
    assert len(refusal.splitlines()) <= 3
    assert len(refusal) < 1500
    if not refusal:
        assert read("setting", typed) == typed


@pytest.mark.parametrize("written", ["32", "32.0", " 32 ", "3.2e1", 32, 32.0])
def test_a_whole_number_may_be_written_in_any_way_that_is_whole(written):
    number = settings.whole_number(1)("batch_size", written)
    assert number == 32
    assert type(number) is int


@pytest.mark.parametrize(
    "written", ["0", "-1", "1.5", "many", "true", "", "none", "nan", "inf", "1e999", None, True, []]
)
def test_what_is_no_whole_number_in_range_is_refused(written):
    with pytest.raises(InputError, match="batch_size=.* must be a whole number from 1 on"):
        settings.whole_number(1)("batch_size", written)


@pytest.mark.parametrize(("written", "number"), [("1e-3", 0.001), (".5", 0.5), ("2", 2.0), (1, 1.0), ("1_000", 1000.0)])
def test_numbers_are_read_as_python_writes_them(written, number):
    typed = settings.positive_number("learning_rate", written)
    assert typed == number
    assert type(typed) is float


@pytest.mark.parametrize(
    "written", ["0", "-0.1", "nan", "inf", "-inf", "1e999", "9" * 400, 10**400, "fast", "", None, True]
)
def test_a_rate_is_a_finite_number_above_zero(written):
    with pytest.raises(InputError, match="learning_rate=.* must be a number"):
        settings.positive_number("learning_rate", written)


@pytest.mark.parametrize("written", ["true", "True", "TRUE", " true ", True])
def test_true_is_read_in_any_case(written):
    assert settings.boolean("jit", written) is True


@pytest.mark.parametrize("written", ["1", "yes", 1, 0, None, ""])
def test_only_true_and_false_are_truths(written):
    with pytest.raises(InputError, match="jit=.* must be true or false"):
        settings.boolean("jit", written)


@pytest.mark.parametrize("written", ["none", "None", "NONE", None])
def test_none_is_read_in_any_case_where_it_is_a_value(written):
    assert settings.optional(settings.whole_number(0))("patience", written) is None
    assert settings.automatic(settings.whole_number(1))("threads", written) is None


def test_a_refusal_says_that_none_or_auto_would_do():
    with pytest.raises(InputError, match="patience=-1 must be a whole number from 0 on, or none"):
        settings.optional(settings.whole_number(0))("patience", "-1")
    with pytest.raises(InputError, match="threads=0 must be a whole number from 1 on, or auto"):
        settings.automatic(settings.whole_number(1))("threads", "0")


def test_a_word_out_of_a_few_may_have_hyphens_and_capitals():
    read = settings.choice("float32", "mixed_float16")
    assert read("precision", "Mixed-Float16") == "mixed_float16"
    with pytest.raises(InputError, match="did you mean 'mixed_float16'") as raised:
        read("precision", "mixed16")
    assert "known: float32, mixed_float16" in str(raised.value)


@pytest.mark.parametrize("written", ["0", "1", "1.0", "-0.2", "1.5", "20", 0, 1, 2.0])
def test_a_part_of_the_whole_lies_between_zero_and_one(written):
    with pytest.raises(InputError, match="validation=.* must be a part of the whole, above 0 and below 1"):
        settings.fraction_or_path("validation", written)


def test_a_part_may_be_a_file_that_exists(tmp_path):
    file = tmp_path / "held-out.npz"
    with pytest.raises(InputError, match="neither a number between 0 and 1 nor a file"):
        settings.fraction_or_path("validation", str(file))
    file.touch()
    assert settings.fraction_or_path("validation", str(file)) == str(file)
    assert settings.fraction_or_path("validation", file) == str(file)


def test_a_held_out_file_is_known_by_its_whole_path_wherever_the_run_goes_on(tmp_path, monkeypatch):
    (tmp_path / "held-out.npz").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for written in ("held-out.npz", "~/held-out.npz"):
        assert settings.fraction_or_path("validation", written) == str((tmp_path / "held-out.npz").resolve())
    for written in ("~\0", "~nobody-of-this-name/x.npz"):
        with pytest.raises(InputError, match="nor a file"):
            settings.fraction_or_path("validation", written)


def test_metrics_are_split_at_commas_outside_of_brackets():
    read = settings.keras_objects("metric")
    assert read("metrics", "mae, f1_score(average=macro, threshold=0.5)") == (
        "mae", "f1_score(average=macro, threshold=0.5)",
    )  # fmt: skip
    assert read("metrics", ["mean_squared_error"]) == ("mse",)
    assert read("metrics", "none") == ()
    assert read("metrics", None) == ()


def test_class_weights_are_balanced_or_one_weight_a_class():
    assert settings.class_weights("class_weights", "Balanced") == "balanced"
    assert settings.class_weights("class_weights", "1=5, 0=1") == "0=1,1=5"
    assert settings.class_weights("class_weights", {1: 5.0, 0: 1}) == "0=1,1=5"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "5",
        "a=1",
        "0=-1",
        "-1=2",
        "0=nan",
        "0=inf",
        "0=1,0=2",
        "0=1,,1=2",
        "0.5=1",
        {0.5: 1},
        {0: None},
        {},
        "0=0",
        True,
        3,
    ],
)
def test_what_is_no_weight_for_each_class_is_refused(written):
    with pytest.raises(InputError, match="write balanced, or a weight"):
        settings.class_weights("class_weights", written)


@given(st.dictionaries(st.integers(0, 1000), st.floats(0, 1e300), min_size=1).filter(lambda w: any(w.values())))
def test_class_weights_lose_no_digit(weights):
    text = settings.class_weights("class_weights", weights)
    assert settings.weights_by_class(text) == weights


def test_a_column_is_named_after_the_metric_and_its_arguments():
    assert settings.column("accuracy") == "accuracy"
    assert settings.column("mean_absolute_error") == "mae"
    assert settings.column("top_k_categorical_accuracy(k=3)") == "top_k_categorical_accuracy_3"
    assert settings.column("precision(thresholds=0.25)") != settings.column("precision(thresholds=2.5)")


@pytest.mark.parametrize(
    ("column", "direction"),
    [("val_loss", "min"), ("val_accuracy", "max"), ("mae", "min"), ("val_r2", "max"), ("auc", "max"), ("rmse", "min"),
     ("false_positives", "min"), ("top_k_categorical_accuracy_3", "max"), ("val_categorical_crossentropy", "min"),
     ("mean_io_u", "max"), ("pearson_correlation", "max"), ("kl_divergence", "min")],
)  # fmt: skip
def test_more_is_better_where_the_name_says_so(column, direction):
    assert settings.direction(column) == direction


def test_metrics_that_would_be_one_column_are_refused_together():
    settings.refuse_equal_columns(("auc", "precision(class_id=1)", "precision(class_id=0)"))
    with pytest.raises(InputError, match=r"precision\(class_id=1\) and precision\(top_k=1\) .* column precision_1\n"):
        settings.refuse_equal_columns(("auc", "precision(class_id=1)", "precision(top_k=1)"))


def test_every_metric_of_keras_has_a_column_that_a_csv_can_hold():
    for metric, arguments in objects.known("metric").items():
        if REQUIRED not in arguments.values():
            assert math.isfinite(len(settings.column(metric)))
            assert not set(settings.column(metric)) & set(', "\n')
    written = settings.column("precision(class_id=1, thresholds=[0.1, 0.2])")
    assert not set(written) & set(', "\n[]()')


def test_a_learning_rate_given_twice_is_refused():
    with pytest.raises(InputError, match="the learning rate is given twice"):
        settings.check_rate("sgd(learning_rate=0.1)", 0.2)
    settings.check_rate("sgd(momentum=0.9)", 0.2)


def test_logits_are_refused_where_the_output_layer_gives_probabilities():
    with pytest.raises(InputError, match="leave from_logits out"):
        settings.refuse_logits("binary_crossentropy(from_logits=true)", "sigmoid")
    settings.refuse_logits("binary_crossentropy(from_logits=False)", "sigmoid")
