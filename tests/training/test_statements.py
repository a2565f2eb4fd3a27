"""General statements about neural networks that are checks, not experiments; docs/statements.md lists all of them."""

import math
import subprocess
import sys

import keras
import numpy as np
import pytest

import kerasrun


def test_softmax_has_the_worked_values_and_bears_large_inputs():
    rows = np.array([[1, 2, 0], [-1, 0, 1], [-10, 0, 10]], "float32")
    wanted = [[0.244728, 0.665241, 0.090031], [0.090031, 0.244728, 0.665241], [2e-9, 4.5e-5, 0.999955]]
    np.testing.assert_allclose(keras.activations.softmax(rows), wanted, atol=5e-7)
    np.testing.assert_allclose(keras.activations.softmax(np.array([[1000.0, 1000.0, 0.0]], "float32")), [[0.5, 0.5, 0]])


P = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], "float32")
Q = np.array([[0.2, 0.5, 0.3], [0.1, 0.2, 0.7]], "float32")


def test_cross_entropy_is_minus_p_log_q_and_a_batch_costs_the_mean_not_the_sum():
    each = [-math.log(0.5), -math.log(0.1)]
    losses = keras.losses
    np.testing.assert_allclose(losses.categorical_crossentropy(P, Q), each, rtol=1e-6)
    np.testing.assert_allclose(losses.sparse_categorical_crossentropy(np.array([1, 0]), Q), each, rtol=1e-6)
    assert float(losses.CategoricalCrossentropy()(P, Q)) == pytest.approx(sum(each) / 2, rel=1e-6)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Activation("linear")])
    model.compile(loss="categorical_crossentropy")
    assert model.evaluate(Q, P, verbose=0) == pytest.approx(sum(each) / 2, rel=1e-6)


def test_the_sigmoid_is_at_most_a_quarter_steep_and_tanh_one():
    x = np.linspace(-8, 8, 100_001)
    sigmoid, tanh = 1 / (1 + np.exp(-x)), np.tanh(x)
    assert (sigmoid * (1 - sigmoid)).max() == pytest.approx(0.25)
    assert (1 - tanh**2).max() == pytest.approx(1.0)


def test_batch_normalization_gives_mean_0_and_deviation_1_in_training_before_gamma_and_beta():
    layer = keras.layers.BatchNormalization(epsilon=1e-9, center=False, scale=False)
    outputs = np.asarray(layer(np.random.default_rng(0).normal(3, 5, (256, 4)).astype("float32"), training=True))
    np.testing.assert_allclose(outputs.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(outputs.std(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_units_that_begin_with_zeros_stay_alike_and_relu_units_stay_zero(tmp_path, activation):
    given = {"hidden": "20-20", "activation": activation, "initializer": "zeros", "epochs": 5, "limit": 300}
    run = kerasrun.train("digits", results=tmp_path, patience=None, **given)
    model = run.model()
    first, second, _ = (layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Dense))
    kernel = second.kernel.numpy()
    if activation == "relu":  # their slope at 0 is 0, so that no gradient comes through
        assert not first.kernel.numpy().any()
        assert not kernel.any()
    else:  # one unit, 20 times over
        assert kernel.any()
        np.testing.assert_array_equal(kernel, np.broadcast_to(kernel[:1, :1], kernel.shape))


def test_layers_without_a_non_linearity_are_one_layer(tmp_path):
    """The product of the trained matrices gives the outputs of all of them."""
    kerasrun.train(
        "digits", name="linear", results=tmp_path, hidden="30x3", activation="linear", epochs=2, limit=300,
        scale="none", patience=None,
    )  # fmt: skip
    model = kerasrun.load_run("linear", results=tmp_path).model()
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Dense)]
    assert [layer.activation.__name__ for layer in layers] == ["linear"] * 3 + ["softmax"]
    kernel, bias = np.eye(64), np.zeros(64)
    for layer in layers:
        weights, own = (np.asarray(weight, "float64") for weight in layer.get_weights())
        kernel, bias = kernel @ weights, bias @ weights + own
    x = np.random.default_rng(0).uniform(0, 16, (50, 8, 8)).astype("float32")
    sums = x.reshape(50, 64) @ kernel + bias
    expected = np.exp(sums - sums.max(axis=1, keepdims=True))
    np.testing.assert_allclose(model.predict(x, verbose=0), expected / expected.sum(axis=1, keepdims=True), atol=1e-5)


MEMORY = """
import keras, numpy as np
layers = [keras.layers.Dense(256, "sigmoid") for _ in range(40)]
model = keras.Sequential([keras.Input((256,)), *layers])
model.compile(optimizer="sgd", loss="mse", jit_compile=False)
def peak(act, n):
    x = np.zeros((n, 256), "float32")
    act(x)
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
predict = lambda x: model.predict_on_batch(x)
fit = lambda x: model.train_on_batch(x, x)
start = max(peak(predict, 8), peak(fit, 8))
print(peak(predict, 8192) - start, peak(fit, 8192) - start)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the peak; ru_maxrss is at least the parent's")
def test_training_keeps_every_layer_s_outputs_and_prediction_does_not():
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, timeout=240, check=True)
    predict, fit = map(int, done.stdout.split())
    assert fit > 3 * predict, f"{predict} and {fit}"
