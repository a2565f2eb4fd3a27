import contextlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun import keras_names
from kerasrun.errors import InputError
from kerasrun.keras_names import FAMILIES, REQUIRED
from kerasrun.objects import KerasObject, known, parse
from kerasrun.task import fitting_losses, multiclass, regression

EVERY_NAME = [(family, name) for family in FAMILIES for name in known(family)]
WITHOUT_REQUIRED = [(family, name) for family, name in EVERY_NAME if REQUIRED not in known(family)[name].values()]


def values_like(default):
    if isinstance(default, bool):
        return st.booleans()
    if isinstance(default, (int, float)):
        return st.floats(0.001, 0.999)
    return st.text(min_size=1, max_size=8)


@st.composite
def objects_of_any_family(draw):
    family, name = draw(st.sampled_from(WITHOUT_REQUIRED))
    plain = {key: default for key, default in known(family)[name].items() if isinstance(default, (bool, float, str))}
    chosen = [(key, draw(values_like(default))) for key, default in plain.items() if draw(st.booleans())]
    return KerasObject(family, name, tuple(chosen))


@given(objects_of_any_family())
def test_an_object_s_text_reads_as_the_object(thing):
    assert parse(thing.family, str(thing)) == thing


@given(st.sampled_from(EVERY_NAME), st.text(max_size=30))
def test_any_text_is_an_object_or_wrong_input(entry, text):
    for attempt in (text, f"{entry[1]}({text})"):
        with contextlib.suppress(InputError):
            parse(entry[0], attempt)


@pytest.mark.parametrize(
    ("family", "text", "canonical"),
    [
        ("optimizer", "Nesterov", "sgd(momentum=0.9, nesterov=True)"),
        ("optimizer", "momentum(learning_rate=1)", "sgd(learning_rate=1.0, momentum=0.9)"),
        ("optimizer", "SGD(momentum=0.9, learning_rate=0.1)", "sgd(learning_rate=0.1, momentum=0.9)"),
        ("optimizer", "RMSprop", "rmsprop"),
        ("optimizer", "adam()", "adam"),
        ("initializer", "xavier", "glorot_uniform"),
        ("initializer", "msra", "he_normal"),
        ("initializer", "he", "he_normal"),
        ("initializer", "orthonormal", "orthogonal"),
        ("initializer", "normal(stddev=0.01)", "random_normal(stddev=0.01)"),
        ("initializer", "Glorot-Uniform", "glorot_uniform"),
        ("metric", "MeanAbsoluteError", "mae"),
        ("metric", "mean_squared_error", "mse"),
        ("metric", "RootMeanSquaredError", "rmse"),
        ("metric", "r2_score", "r2"),
        ("metric", "top_k_categorical_accuracy(k=3)", "top_k_categorical_accuracy(k=3)"),
        ("loss", "mse", "mean_squared_error"),
        ("loss", "SparseCategoricalCrossentropy", "sparse_categorical_crossentropy"),
        ("activation", "swish", "silu"),
        ("regularizer", "l1_l2(l1=0.1)", "l1l2(l1=0.1)"),
        ("constraint", "max-norm(max_value=3)", "max_norm(max_value=3)"),
    ],
)
def test_every_spelling_has_one_canonical_text(family, text, canonical):
    assert str(parse(family, text)) == canonical


def test_a_parsed_object_passes_through():
    thing = parse("optimizer", "adam")
    assert parse("optimizer", thing) is thing


@pytest.mark.parametrize(
    ("family", "text", "message"),
    [
        ("optimizer", "rmsprob", "unknown optimizer 'rmsprob'; did you mean 'rmsprop'?\nknown: adadelta, adafactor"),
        ("optimizer", "sgd(learningrate=1)", "argument of optimizer sgd 'learningrate'; did you mean 'learning_rate'"),
        ("optimizer", "sgd(0.1)", "has no name"),
        ("optimizer", "sgd(learning_rate=fast)", "learning_rate must be a number, not fast"),
        ("optimizer", "sgd(learning_rate=inf)", "learning_rate must be a number"),
        ("optimizer", f"sgd(learning_rate={'1' * 400})", "learning_rate must be a number"),
        ("optimizer", "sgd(learning_rate=none)", "learning_rate must be a number"),
        ("optimizer", "adam(learning_rate=0)", "learning_rate must be a number above 0, not 0"),
        ("optimizer", "sgd(momentum=1.5)", "momentum must be a number from 0 to 1"),
        ("optimizer", "sgd(nesterov=1)", "nesterov must be true or false"),
        ("optimizer", "adam(clipnorm=x)", "clipnorm must be a number"),
        ("optimizer", "adam(name=x)", "unknown argument"),
        ("optimizer", "sgd(learning_rate=__import__('os').system('x'))", "must be a number"),
        ("optimizer", "LossScaleOptimizer", "unknown optimizer"),
        ("optimizer", " ", "a name is wanted"),
        ("loss", "LossFunctionWrapper", "unknown loss"),
        ("metric", "io_u", r"io_u needs arguments: write io_u\(num_classes=…, target_class_ids=…\)"),
        ("metric", "accuracy(name=a)", "unknown argument"),
        ("activation", "maxout(pieces=2.5)", "maxout: pieces must be a whole number from 1 on"),
        ("activation", "maxout(pieces=0)", "maxout: pieces must be a whole number from 1 on"),
        ("activation", "leaky_relu(slope=1)", "unknown argument of activation leaky_relu"),
    ],
)  # fmt: skip
def test_wrong_objects_are_named_with_what_is_allowed(family, text, message):
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        parse(family, text)


def test_an_activation_that_cannot_be_saved_with_arguments_is_refused(monkeypatch):
    monkeypatch.setattr(keras_names, "saved_form", lambda activation, arguments: None)
    assert parse("activation", "gelu").config == "gelu"
    with pytest.raises(InputError, match="gelu cannot take arguments"):
        parse("activation", "gelu(approximate=True)")


def test_the_losses_of_the_tasks_are_known_by_their_canonical_names():
    tasks = (regression("r", (2,)), multiclass("m", (2,), 3))
    assert {loss for task in tasks for loss in fitting_losses(task)} <= set(known("loss"))


def test_an_activation_s_layer_gets_the_function_s_defaults():
    assert parse("activation", "leaky_relu(negative_slope=0.3)").config["config"] == {"negative_slope": 0.3}
    assert parse("activation", "relu(max_value=6)").config["config"] == {
        "negative_slope": 0.0, "max_value": 6, "threshold": 0.0,
    }  # fmt: skip


def test_reading_names_loads_neither_keras_nor_tensorflow():
    program = (
        "import sys\nfrom kerasrun import keras_names, objects\n[objects.known(f) for f in keras_names.FAMILIES]\n"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(("family", "name"), WITHOUT_REQUIRED)
def test_keras_builds_every_known_object(family, name):
    import keras

    thing = parse(family, name)
    built = thing.build()
    own = {"maxout": "Maxout", "step": "Step", "lsuv": "LSUV", "orthonormal_he": "OrthonormalHe"}
    if name in own:
        assert type(built).__name__ == own[name]
    elif family == "activation" or (family, name) == ("metric", "accuracy"):
        assert built == name or built.__name__ == name
    else:
        assert type(built).__name__ == keras_names.names(family)[name].symbol
    if family == "metric" and name != "accuracy":
        assert built.name == name
    if isinstance(thing.config, str) and name != "accuracy":
        module = getattr(keras, thing_module(family))
        assert module.get(thing.config) is not None


def thing_module(family):
    return "losses" if family == "loss" else f"{family}s"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("leaky_relu(negative_slope=0.01)", lambda f, x: f.leaky_relu(x, 0.01)),
        ("elu(alpha=0.5)", lambda f, x: f.elu(x, 0.5)),
        ("relu(max_value=6)", lambda f, x: f.relu(x, max_value=6)),
        ("softmax(axis=-1)", lambda f, x: f.softmax(x)),
        ("gelu(approximate=True)", lambda f, x: f.gelu(x, True)),
        ("celu(alpha=0.5)", lambda f, x: f.celu(x, 0.5)),
        ("squareplus(b=2)", lambda f, x: f.squareplus(x, 2)),
        ("hard_shrink(threshold=0.3)", lambda f, x: f.hard_shrink(x, 0.3)),
        ("soft_shrink(threshold=0.3)", lambda f, x: f.soft_shrink(x, 0.3)),
        ("threshold(threshold=0.3, default_value=1)", lambda f, x: f.threshold(x, 0.3, 1)),
        ("log_softmax(axis=-1)", lambda f, x: f.log_softmax(x)),
        ("sparsemax(axis=-1)", lambda f, x: f.sparsemax(x)),
    ],
)
def test_activations_with_arguments_compute_and_load_safely(tmp_path, text, expected):
    import keras
    import numpy as np

    x = np.linspace(-8, 8, 12, dtype=np.float32).reshape(3, 4)
    config = parse("activation", text).config
    layers = [keras.Input((4,)), keras.layers.Activation(config), keras.layers.Dense(4, activation=config)]
    model = keras.Sequential(layers)
    assert np.array_equal(model.layers[0](x), expected(keras.activations, x))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    assert np.array_equal(model(x), loaded(x))
