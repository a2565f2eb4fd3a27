"""Each illness in a real, tiny network that has it; and healthy networks, which are accused of nothing."""

import pytest

import kerasrun
from kerasrun.analysis import moments
from kerasrun.analysis.diagnosis import diagnose, words
from kerasrun.analysis.patient import Patient, read_layers

SICK = {
    "unscaled input": {"scale": "none"},
    "no non-linearity": {"activation": "linear", "hidden": "16-16"},
    "first loss": {"initializer": "normal(stddev=1.0)"},
    "vanishing gradients": {"activation": "sigmoid", "hidden": "16x8"},
    "exploding gradients": {"hidden": "30x6", "initializer": "normal(stddev=1.0)"},
    "fading signal": {"hidden": "24x18", "initializer": "orthogonal"},
    "dead units": {"optimizer": "sgd(learning_rate=3.0)", "epochs": 3},
    "saturated units": {"activation": "sigmoid", "initializer": "normal(stddev=3.0)"},
    "rate too high": {"optimizer": "adam(learning_rate=3.0)", "epochs": 3},
    "rate too low": {"optimizer": "sgd(learning_rate=1e-4)", "epochs": 4},
    "nothing learned": {"activation": "sigmoid", "hidden": "16x8"},
    "overfitting": {"dataset": "diabetes", "hidden": "100-100", "epochs": 100, "patience": None, "limit": None},
    "underfitting": {"recipe": "softmax", "epochs": 12, "optimizer": "sgd(learning_rate=0.01)"},
}  # fmt: skip
HEALTHY = {
    "the default": {},
    "five layers of tanh": {"hidden": "32x5", "activation": "tanh"},
    "many layers, well begun": {"hidden": "32x8", "initializer": "lsuv", "learning_rate": 0.003},
    "batch normalization": {"hidden": "32x6", "activation": "sigmoid", "batch_norm": True, "learning_rate": 0.01},
    "momentum": {"optimizer": "momentum(learning_rate=0.05)"},
    "dropout": {"dropout": 0.3, "hidden": "64"},
    "maxout": {"activation": "maxout"},
    "convolutions": {"recipe": "cnn", "filters": "8-16", "kernel_size": 2, "hidden": "32", "learning_rate": 0.005},
}


def patient(folder, **given):
    experiment = {"hidden": "32", "epochs": 1, "limit": 400, "health": True, **given}
    if given.get("recipe") == "softmax":
        del experiment["hidden"]
    run = kerasrun.train(experiment.pop("dataset", "digits"), results=folder, **experiment)
    record = {**run.record, "path": str(run.folder)}
    return Patient(record, moments.curves(record), read_layers(run.folder / "health.csv"))


@pytest.mark.parametrize("name", SICK)
def test_a_network_that_has_it_is_told(tmp_path, name):
    found = diagnose(patient(tmp_path, **SICK[name]))
    assert name in [illness.name for illness in found]


@pytest.mark.parametrize("given", HEALTHY.values(), ids=HEALTHY)
def test_a_healthy_network_is_accused_of_nothing(tmp_path, given):
    subject = patient(tmp_path, **{"epochs": 12, "limit": 1000, **given})
    found = diagnose(subject)
    assert found == []
    assert words(subject, found)[0].startswith("Nothing is wrong with these numbers")


def test_the_remedy_for_vanishing_gradients_is_one(tmp_path):
    sick = patient(tmp_path, **SICK["vanishing gradients"])
    remedies = next(illness.remedies for illness in diagnose(sick) if illness.name == "vanishing gradients")
    assert remedies == ("activation=relu initializer=he_normal", "batch_norm=true", "initializer=lsuv", "fewer layers")
    for options in remedies[:2]:
        given = dict(option.split("=") for option in options.split())
        cured = patient(tmp_path, **{**SICK["vanishing gradients"], **given})
        assert "vanishing gradients" not in [illness.name for illness in diagnose(cured)]
