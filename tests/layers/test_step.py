import keras
import numpy as np

from kerasrun.layers import Step
from kerasrun.objects import parse


def test_the_step_is_one_above_zero_and_zero_elsewhere():
    np.testing.assert_array_equal(Step()(np.array([-2.0, 0.0, 1e-30, 3.0], "float32")), [0, 0, 1, 1])


def test_the_step_is_an_activation_by_name():
    layer = keras.layers.Dense(1, activation=parse("activation", "step").config, kernel_initializer="ones")
    np.testing.assert_array_equal(layer(np.array([[1.0, 1.0], [-1.0, 0.0]], "float32")), [[1], [0]])
