import pytest

from kerasrun import task
from kerasrun.errors import InputError

BINARY = task.binary("cells", (30,))
MULTICLASS = task.multiclass("clothes", (28, 28), 10)
REGRESSION = task.regression("houses", (8,))


def test_the_output_layer_the_loss_and_the_metrics_follow_from_the_kind():
    described = [(t.num_outputs, t.output_activation, t.loss, t.metrics) for t in (BINARY, MULTICLASS, REGRESSION)]
    assert described == [
        (1, "sigmoid", "binary_crossentropy", ("accuracy",)),
        (10, "softmax", "sparse_categorical_crossentropy", ("accuracy",)),
        (1, "linear", "mean_squared_error", ("mae",)),
    ]
    assert [t.num_classes for t in (BINARY, MULTICLASS, REGRESSION)] == [2, 10, None]


@pytest.mark.parametrize("asked", [BINARY, MULTICLASS, REGRESSION], ids=lambda asked: asked.kind)
def test_the_defaults_of_a_task_fit_it(asked):
    form = task.label_form(asked, asked.loss)
    for metric in asked.metrics:
        task.keras_metric(asked, form, metric)


@pytest.mark.parametrize(
    ("asked", "loss", "form"),
    [
        (MULTICLASS, "sparse_categorical_crossentropy", "class_number"),
        (MULTICLASS, "categorical_crossentropy", "one_hot"),
        (MULTICLASS, "mean_squared_error", "one_hot"),
        (BINARY, "hinge", "number"),
        (REGRESSION, "huber", "number"),
    ],
)
def test_labels_take_the_form_that_the_loss_wants(asked, loss, form):
    assert task.label_form(asked, loss) == form


@pytest.mark.parametrize(
    ("asked", "loss"),
    [
        (REGRESSION, "binary_crossentropy"),
        (REGRESSION, "sparse_categorical_crossentropy"),
        (BINARY, "categorical_crossentropy"),
        (BINARY, "sparse_categorical_crossentropy"),
        (MULTICLASS, "mean_absolute_percentage_error"),
        (MULTICLASS, "ctc"),
    ],
)
def test_a_loss_that_does_not_fit_is_refused_with_those_that_do(asked, loss):
    with pytest.raises(InputError, match=f"loss '{loss}' does not fit {asked.name}") as raised:
        task.label_form(asked, loss)
    fitting = str(raised.value).splitlines()[1].removeprefix("fitting: ").split(", ")
    assert fitting == task.fitting_losses(asked)
    assert all(task.label_form(asked, name) for name in fitting)


def test_the_message_counts_the_units():
    with pytest.raises(InputError, match="1 linear unit\n"):
        task.label_form(REGRESSION, "hinge")
    with pytest.raises(InputError, match="10 softmax units\n"):
        task.label_form(MULTICLASS, "ctc")


def test_accuracy_is_the_one_that_suits_the_labels():
    assert task.keras_metric(MULTICLASS, "class_number", "accuracy") == "sparse_categorical_accuracy"
    assert task.keras_metric(MULTICLASS, "one_hot", "accuracy") == "categorical_accuracy"
    assert task.keras_metric(BINARY, "number", "accuracy") == "binary_accuracy"


def test_a_metric_of_probabilities_asks_for_one_hot_labels_by_name():
    with pytest.raises(InputError, match="--loss categorical_crossentropy"):
        task.keras_metric(MULTICLASS, "class_number", "auc")
    assert task.keras_metric(MULTICLASS, "one_hot", "auc") == "auc"


@pytest.mark.parametrize(
    ("asked", "form", "metric"),
    [(REGRESSION, "number", "accuracy"), (BINARY, "number", "r2"), (BINARY, "number", "categorical_accuracy")],
)
def test_a_metric_that_says_nothing_about_the_task_is_refused(asked, form, metric):
    with pytest.raises(InputError, match=f"metric '{metric}' does not fit {asked.name}.*\nfitting: "):
        task.keras_metric(asked, form, metric)


@pytest.mark.parametrize("name", ["cosine_similarity", "pearson_correlation", "concordance_correlation"])
def test_what_compares_outputs_with_each_other_needs_several_or_compares_examples(name):
    with pytest.raises(InputError, match=rf"here a single one; {name}\(axis=0\) compares examples"):
        task.keras_metric(REGRESSION, "number", name)
    assert task.keras_metric(REGRESSION, "number", name, (("axis", 0),)) == name
    assert task.keras_metric(task.regression("maps", (8,), 2), "number", name) == name
    with pytest.raises(InputError, match="fitting: ") as raised:
        task.keras_metric(REGRESSION, "number", "accuracy")
    assert name not in str(raised.value)


def test_the_cosine_of_a_single_output_says_nothing():
    with pytest.raises(InputError, match="metric 'cosine_similarity' does not fit cells"):
        task.keras_metric(BINARY, "number", "cosine_similarity")
    assert "cosine_similarity" not in task.fitting_losses(REGRESSION)
    assert "cosine_similarity" in task.fitting_losses(task.regression("maps", (8,), 2))


@pytest.mark.parametrize(
    ("shape", "answer"), [((8, 8), True), ((28, 28, 1), True), ((32, 32, 3), True), ((4,), False), ((9, 9, 7), False)]
)
def test_what_has_height_width_and_up_to_four_channels_is_an_image(shape, answer):
    assert task.is_image(shape) == answer
