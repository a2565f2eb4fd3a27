import numpy as np
import pytest
from sklearn import metrics

from kerasrun.analysis.residuals import QUANTILES, residuals


def test_the_numbers_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    true = random.normal(100, 20, 300).astype(np.float32)
    said = (true + random.normal(3, 10, 300)).astype(np.float32)
    found = residuals(true, said)
    assert found.mae == pytest.approx(metrics.mean_absolute_error(true, said), rel=1e-5)
    assert found.rmse == pytest.approx(metrics.root_mean_squared_error(true, said), rel=1e-5)
    assert found.r2 == pytest.approx(metrics.r2_score(true, said), rel=1e-5)
    assert found.bias == pytest.approx(np.mean(said.astype(float) - true))
    assert found.quantiles == pytest.approx(np.quantile(said.astype(float) - true, QUANTILES))


def test_a_target_that_does_not_vary_has_no_share_of_variance():
    found = residuals(np.array([2.0, 2.0]), np.array([1.0, 4.0]))
    assert (found.r2, found.bias, found.mae) == (None, 0.5, 1.5)
