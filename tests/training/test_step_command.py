"""One step of gradient descent, against numbers worked out by hand, finite differences and Keras."""

import math

import numpy as np
import pytest

from kerasrun.cli.step import _lines
from kerasrun.datasets import load
from kerasrun.errors import InputError
from kerasrun.experiment import resolve
from kerasrun.training.step import Dense, first_step, gradient_step


@pytest.mark.parametrize("rate", [1.0, 0.1])
def test_a_step_worked_by_hand(rate):
    """Input (1, 0), target 1, weights 0.5 and 2, no bias, squared error: each number on paper."""
    network = [
        Dense("hidden", "sigmoid", np.array([[0.5], [-1.0]]), np.zeros(1)),
        Dense("output", "sigmoid", np.array([[2.0]]), np.zeros(1)),
    ]
    step = gradient_step(network, np.array([[1.0, 0.0]]), np.array([[1.0]]), "mean_squared_error", rate)
    hidden = 1 / (1 + math.exp(-0.5))  # 0.622459
    output = 1 / (1 + math.exp(-2 * hidden))  # 0.776419
    last = -2 * (1 - output) * output * (1 - output)  # -0.077623
    first = last * 2 * hidden * (1 - hidden)  # -0.036484
    assert step.loss == pytest.approx((1 - output) ** 2)
    assert (hidden, output) == (pytest.approx(0.622459, abs=1e-6), pytest.approx(0.776419, abs=1e-6))
    assert step.layers[1].delta[0, 0] == pytest.approx(last)
    assert step.layers[0].delta[0, 0] == pytest.approx(first)
    np.testing.assert_allclose(step.layers[0].weights_gradient[:, 0], [first, 0])
    np.testing.assert_allclose(step.layers[0].new_weights[:, 0], [0.5 - rate * first, -1])
    np.testing.assert_allclose(step.layers[1].new_weights, [[2 - rate * last * hidden]])
    np.testing.assert_allclose(step.layers[1].new_bias, [-rate * last])
    assert step.loss_after < step.loss


CASES = [
    ("sigmoid", "sigmoid", "binary_crossentropy"),
    ("tanh", "sigmoid", "mean_squared_error"),
    ("relu", "softmax", "categorical_crossentropy"),
    ("sigmoid", "softmax", "mean_squared_error"),
    ("relu", "linear", "mean_squared_error"),
]


@pytest.mark.parametrize(("hidden", "last", "loss"), CASES)
def test_the_gradients_are_those_of_finite_differences(hidden, last, loss):
    rng = np.random.default_rng(0)
    sizes, activations = (3, 4, 3, 2), (hidden, hidden, last)
    network = [
        Dense(str(i), activation, rng.normal(size=(sizes[i], sizes[i + 1])), rng.normal(size=sizes[i + 1]))
        for i, activation in enumerate(activations)
    ]
    x, y = rng.normal(size=(5, 3)), np.eye(2)[rng.integers(0, 2, 5)]
    step = gradient_step(network, x, y, loss, 0.0)
    assert step.loss == step.loss_after  # the rate is 0
    for layer, made in zip(network, step.layers, strict=True):
        for array, gradient in ((layer.weights, made.weights_gradient), (layer.bias, made.bias_gradient)):
            for place in np.ndindex(array.shape):
                kept, losses = array[place], []
                for offset in (1e-5, -1e-5):
                    array[place] = kept + offset
                    losses.append(gradient_step(network, x, y, loss, 0.0).loss)
                array[place] = kept
                difference = (losses[0] - losses[1]) / 2e-5
                assert gradient[place] == pytest.approx(difference, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize(
    ("dataset", "given"),
    [
        ("xor", {}),
        ("xor", {"hidden": "2", "activation": "tanh", "loss": "mse"}),
        ("iris", {"optimizer": "sgd", "hidden": "3"}),
        ("diabetes", {"optimizer": "sgd(learning_rate=0.1)", "hidden": "3-3"}),
        ("digits", {"optimizer": "sgd", "hidden": "5", "loss": "categorical_crossentropy", "scale": "none"}),
    ],
)
def test_keras_makes_the_same_step(dataset, given):
    experiment = resolve(dataset, given)
    step = first_step(experiment, load(experiment))
    assert step.apart < 1e-6
    moved = [abs(layer.new_weights - layer.weights).max() for layer in step.layers]
    assert min(moved) > 1e-6
    assert len(step.inputs) == experiment.batch_size


def test_the_rate_is_that_of_the_trainings_first_epoch():
    experiment = resolve("xor", {"schedule": "cosine(warmup=5)", "optimizer": "sgd(learning_rate=1.0)"})
    step = first_step(experiment, load(experiment))
    assert step.rate == pytest.approx(1 / 6)
    assert step.apart < 1e-6
    made = step.layers[0]
    np.testing.assert_allclose(made.new_weights, made.weights - made.weights_gradient / 6)


def test_a_layer_without_bias_gets_none(tmp_path):
    (tmp_path / "bare.py").write_text(
        "import keras\n"
        "def bare(task):\n"
        "    return keras.Sequential([keras.Input(task.input_shape),\n"
        "        keras.layers.Dense(2, activation='tanh', use_bias=False), keras.layers.Dense(1, 'sigmoid')])\n"
    )
    experiment = resolve("xor", {"recipe": f"{tmp_path}/bare.py"})
    step = first_step(experiment, load(experiment))
    assert step.apart < 1e-6
    first, last = step.layers
    assert (first.bias, first.bias_gradient, first.new_bias) == (None, None, None)
    np.testing.assert_allclose(first.sums, step.inputs @ first.weights)
    assert last.new_bias.shape == (1,)
    lines = [*_lines(step, experiment.loss)]
    titles = [line.strip() for line in lines if "bias" in line]
    assert titles == [
        "bias",
        "sums = inputs · weights + bias",
        "gradient of the bias = sum of delta",
        "dense_1: new bias",
    ]
    assert "  sums = inputs · weights" in lines


def test_two_activations_of_one_layer_are_refused(tmp_path):
    (tmp_path / "twice.py").write_text(
        "import keras\n"
        "def twice(task):\n"
        "    return keras.Sequential([keras.Input(task.input_shape), keras.layers.Dense(2, activation='relu'),\n"
        "        keras.layers.Activation('tanh'), keras.layers.Dense(1, activation='sigmoid')])\n"
    )
    experiment = resolve("xor", {"recipe": f"{tmp_path}/twice.py", "optimizer": "sgd"})
    with pytest.raises(InputError, match="activation is none of these"):
        first_step(experiment, load(experiment))


def test_a_step_of_which_keras_makes_another_is_refused_however_small_the_rate_is():
    experiment = resolve("xor", {"clip_norm": 0.01, "optimizer": "sgd(learning_rate=0.001)"})
    with pytest.raises(InputError, match="Keras's own step comes to other weights"):
        first_step(experiment, load(experiment))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"optimizer": "adam"}, "optimizer=adam: a step is shown of plain gradient descent\nuse optimizer=sgd"),
        ({"optimizer": "nesterov"}, "plain gradient descent"),
        ({"batch_norm": True}, "batch_normalization is none of these"),
        ({"activation": "gelu"}, "activation is none of these"),
        ({"l2": 0.1}, "leave out l1 and l2"),
        ({"class_weights": "0=5,1=1"}, "leave out class_weights and weights"),
        ({"clip_norm": 0.01}, "Keras's own step comes to other weights"),
        ({"loss": "hinge"}, "a step is shown of mean_squared_error"),
    ],
)
def test_what_cannot_be_shown_is_refused(given, message):
    experiment = resolve("xor", given)
    with pytest.raises(InputError, match=message):
        first_step(experiment, load(experiment))
