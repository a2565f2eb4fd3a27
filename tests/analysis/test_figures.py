"""What a study's pictures show, as numbers: rates, training against validation, gradients layer by layer."""

from types import SimpleNamespace

import pytest
from made_up_runs import seeds
from made_up_sweep import with_epochs

from kerasrun.analysis.figures import figures, rows
from kerasrun.analysis.groups import Group


def group(runs, **values):
    for run in runs:
        run["data"]["chance"] = 0.1
    used = [run for run in runs if run["status"] == "finished"]
    return Group(values, runs, {run["experiment"]["seed"]: run["last"]["val_accuracy"] for run in used}, used)


def drawn(*groups):
    return figures(SimpleNamespace(members=list(groups)))


def test_accuracy_is_drawn_against_rates_where_there_are_four():
    groups = [
        group(seeds(10 * i, [value, value + 0.02] if value else [None, None]), optimizer=name, learning_rate=rate)
        for i, (name, rate, value) in enumerate(
            [("sgd", 0.01, 0.7), ("sgd", 0.1, 0.8), ("adam", 0.001, 0.9), ("adam", 1.0, None), ("adam", 0.01, 0.6)]
        )
    ]
    chart = drawn(*groups)["rates"]
    assert (chart.metric, chart.along, chart.log_along) == ("val_accuracy", "learning rate", True)
    assert [(line.label, line.epochs) for line in chart.lines] == [("adam", (0.001, 0.01, 1.0)), ("sgd", (0.01, 0.1))]
    assert chart.lines[0].mean == pytest.approx((0.91, 0.61, 0.1)), "diverged runs count as guessing"
    assert chart.lines[0].low[0] < 0.91 < chart.lines[0].high[0]
    assert "rates" not in drawn(*groups[:3])


def test_training_and_validation_are_drawn_where_the_training_part_was_evaluated(tmp_path):
    last = {"val_accuracy": 0.8, "train_accuracy": 0.9, "val_loss": 0.5}
    runs = [
        with_epochs(tmp_path, run | {"last": last}, val_accuracy=[0.7, 0.8], train_accuracy=[0.7, 0.9 + i / 100])
        for i, run in enumerate(seeds(0, [0.8, 0.8]))
    ]
    chart = drawn(group(runs, patience=None))["training"]
    assert [line.label for line in chart.lines] == [
        "training patience=none (2 runs)",
        "validation patience=none (2 runs)",
    ]
    assert [line.mean for line in chart.lines] == [(0.7, pytest.approx(0.905)), (0.7, 0.8)]
    assert "training" not in drawn(group(seeds(0, [0.8, 0.8]), patience=None))


def measured(gradients, first=0):
    names = [f"dense_{i}" for i in range(len(gradients))]
    health = {
        "layer": names, "kind": names, "units": [100] * len(names), "activation": names,
        "start": {"gradient": gradients},
    }  # fmt: skip
    return [run | {"health": health} for run in seeds(first, [0.8, 0.8])]


def test_gradients_of_the_deepest_networks_are_drawn_layer_by_layer_without_the_output():
    deep, flat = measured([1e-4, 1e-2, 1.0, 5.0]), measured([0.5, 0.7, 5.0], 10)
    chart = drawn(group(deep, activation="sigmoid"), group(flat, activation="relu"))["gradients"]
    [line] = chart.lines
    assert (line.label, line.epochs, line.mean) == ("sigmoid", (1.0, 2.0, 3.0), (1e-4, 1e-2, 1.0))
    assert rows(chart) == (("hidden layer, 1 next to the input", "sigmoid"), [(1.0, 1e-4), (2.0, 1e-2), (3.0, 1.0)])
    assert "gradients" not in drawn(group(measured([0.0, 0.0, 1.0]), activation="relu")), "0 has no logarithm"


def test_runs_that_measured_nothing_further_have_no_further_picture():
    assert drawn(group(seeds(0, [0.8, 0.9]), optimizer="sgd")) == {}
    assert figures(SimpleNamespace(members=seeds(0, [0.8]))) == {}
