"""What is read off the rows of health.csv; the illnesses themselves are tested on real networks."""

import math

import pytest

from kerasrun.analysis.diagnosis import diagnose, table, words
from kerasrun.analysis.patient import Patient, factor, read_layers

COLUMNS = ("epoch", "layer", "kind", "units", "activation", "gradient", "weights", "gradient_ratio", "update_ratio",
           "mean", "deviation", "zeros", "saturated", "dead", "loss")  # fmt: skip


def layer(name, gradient, *, epoch=0, units=16, kind="dense", **numbers):
    usual = {"activation": "tanh", "mean": 0.0, "deviation": 0.5, "update_ratio": 1e-3, "loss": math.log(10)}
    row = {**usual, "epoch": epoch, "layer": name, "kind": kind, "units": units, "gradient": gradient, **numbers}
    return dict.fromkeys(COLUMNS) | row


def network(*gradients, epoch=0, **numbers):
    return [layer(f"dense_{i}", gradient, epoch=epoch, **numbers) for i, gradient in enumerate(gradients)]


def patient(layers, curves=None, **experiment):
    experiment = {"loss": "sparse_categorical_crossentropy", "knobs": {"activation": "tanh"}, **experiment}
    data = {"classes": 10, "chance": 0.1, "validation": 1000}
    return Patient({"status": "finished", "experiment": experiment, "data": data}, curves or {}, layers)


def test_the_factor_per_layer_is_the_slope_over_the_layers_of_equal_width_but_the_first():
    assert factor(network(7.0, 0.001, 0.01, 0.1)) == pytest.approx(0.1)
    assert factor(network(7.0, 8.0, 4.0, 2.0, 1.0)) == pytest.approx(2.0)
    assert factor(network(1.0, 1.0, 1.0)) is None  # too few
    wide = [layer("wide", 5.0, units=99), layer("wider", 5.0, units=100)]
    assert factor([*network(7.0), *wide, *network(0.01, 0.1, 1.0)]) == pytest.approx(0.1)


def test_gradients_of_nothing_at_all_have_a_factor_too():
    assert factor(network(0.0, 0.0, 0.0, 1e-3, 1.0)) < 1e-5
    assert factor(network(1.0, math.nan, 1.0, 1.0)) is None


def test_layers_are_shown_with_bars_of_their_logarithms():
    rows = [layer("input", None), *network(1e-6, 1e-3), layer("output", 1.0, units=10, saturated=0.25, dead=None)]
    columns, shown = table(patient(rows), 0)
    assert columns[:5] == ("layer", "activation", "gradient", "", "×")
    assert [row[0] for row in shown] == ["dense_0", "dense_1", "output"]
    assert [len(row[3]) for row in shown] == [1, 6, 12]
    assert [row[4] for row in shown] == ["0.00", "0.00", None]
    assert (shown[2][2], shown[2][6], shown[2][7]) == ("1.0e+00", "25%", None)


def test_a_number_that_is_set_is_not_suggested_however_it_is_written():
    assert patient([], clip_norm=1.0).options("clip_norm=1") == ()
    assert patient([], clip_norm=10.0).options("clip_norm=1") == ("clip_norm=1",)


def test_only_options_that_the_recipe_has_and_are_not_set_are_named():
    subject = patient([], knobs={"batch_norm": True, "activation": "relu"}, clip_norm=None, scale="none")
    wanted = (
        "batch_norm=true initializer=lsuv",
        "activation=relu",
        "activation=tanh",
        "clip_norm=1 batch_norm=true",
        "scale=unit",
    )
    assert subject.options(*wanted) == ("activation=tanh", "clip_norm=1", "scale=unit")


def test_what_is_wrong_comes_with_what_to_try():
    vanishing = patient(network(1e-9, 1e-7, 1e-5, 1e-3, 0.1, 1.0))
    found = diagnose(vanishing)
    says, remedies = words(vanishing, found)
    assert says == (
        "vanishing gradients: Gradients shrink 0.01 × per layer towards the input (at the start): tanh with 5 hidden "
        "layers; the first gets 1.0e-08 of the last one's."
    )
    assert remedies == "  try: activation=relu · or fewer layers"  # the recipe has no other options
    assert found[0].epoch == 0


def test_gradients_that_vanished_at_the_start_of_a_network_that_has_learned_are_none():
    rows = network(1e-9, 1e-7, 1e-5, 1e-3, 0.1, 1.0) + network(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, epoch=5)
    assert [i.name for i in diagnose(patient(rows, {"loss": [2.0, 0.4]}))] == []
    assert [i.name for i in diagnose(patient(rows, {"loss": [2.3, 2.2]}))] == ["vanishing gradients"]


@pytest.mark.parametrize(
    ("losses", "remedies"),
    [([2.0, 1.5, 1.4], ("more epochs",)), ([2.0, 1.5, 1.5], None), ([2.3, 2.2, 2.2], ("more units", "more layers"))],
)
def test_a_loss_that_stays_in_the_middle_may_be_the_data_s(losses, remedies):
    found = diagnose(patient([], {"loss": losses}))
    assert [illness.remedies for illness in found] == ([] if remedies is None else [remedies])


def test_a_penalty_in_the_training_loss_is_no_sign_of_a_high_rate():
    start, curves = network(0.1, 0.1), {"loss": [3.0, 2.9]}
    assert [illness.name for illness in diagnose(patient(start, curves))] == ["rate too high"]
    assert diagnose(patient(start, curves, knobs={"l2": 0.01})) == []


def test_a_run_of_which_nothing_was_measured_has_no_illness():
    subject = patient([])
    assert diagnose(subject) == []
    assert words(subject, []) == ["Nothing is wrong with these numbers."]


def test_health_csv_is_read_with_its_types(tmp_path):
    path = tmp_path / "health.csv"
    path.write_text(
        "step,epoch,layer,kind,units,activation,gradient,dead\n0,0,dense,dense,8,relu,1e-05,\n10,,input,,,,,\n"
    )
    first, second = read_layers(path)
    assert [*first.values()] == [0, 0, "dense", "dense", 8, "relu", 1e-5, None]
    assert [*second.values()] == [10, None, "input", None, None, None, None, None]
    assert Patient({}, {}, [first, second]).measured == [0]
