import pytest

from . import children


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """Return a function: the run of a model that was never interrupted, trained once."""
    made = {}

    def run(model):
        if model not in made:
            results = tmp_path_factory.mktemp("whole")
            code, said = children.train(results, model)
            assert code == 0, said
            made[model] = children.only_run(results)
            assert made[model].status == ("finished" if model == "dense" else "stopped")
            assert made[model].metrics.learning_rate.nunique() > 1
        return made[model]

    return run


@pytest.fixture(scope="session")
def trained(whole):
    """Return the uninterrupted dense run."""
    return whole("dense")
