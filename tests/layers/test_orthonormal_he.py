import numpy as np
import pytest

from kerasrun.layers import OrthonormalHe
from kerasrun.objects import parse


@pytest.mark.parametrize(("slope", "square"), [(0.0, 2.0), (1.0, 1.0), (0.5, 1.6)])
def test_the_columns_are_orthogonal_and_their_squares_sum_to_the_gain_of_the_rectifier(slope, square):
    kernel = np.asarray(OrthonormalHe(slope, seed=1)((3, 3, 4, 10)), "float64").reshape(36, 10)
    np.testing.assert_allclose(kernel.T @ kernel, square * np.eye(10), atol=1e-5)


def test_the_name_takes_the_slope_of_leaky_relu():
    made = parse("initializer", "orthonormal_he(negative_slope=0.333)").build()
    assert made.gain == pytest.approx(np.sqrt(2 / (1 + 0.333**2)))
    assert made.get_config() == {"negative_slope": 0.333, "seed": None}
