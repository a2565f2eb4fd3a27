import sys

import pytest

from kerasrun.cli import main

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


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Return a function: train with these words, which must be refused in three plain lines and leave nothing."""

    def run(*words):
        results = tmp_path / "results"
        monkeypatch.setattr(sys, "argv", ["kerasrun", "train", *map(str, words), "--results", str(results)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().err
        assert ended.value.code == 2, said
        assert len(said.strip().splitlines()) <= 3
        assert "Traceback" not in said
        assert not results.exists() or not [*results.iterdir()]
        return said

    return run
