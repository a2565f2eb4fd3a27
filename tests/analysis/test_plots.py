"""From runs to what a picture of them shows: means, intervals, single curves, axes, labels."""

import math

import pytest

from kerasrun.analysis.charts import Curves, Heat, Points, span
from kerasrun.analysis.compare import compare
from kerasrun.analysis.plots import plot
from kerasrun.analysis.statistics import estimate
from kerasrun.errors import InputError
from kerasrun.run_tables import write
from kerasrun.sweep_record import Axis, SweepRecord


@pytest.fixture
def made(tmp_path):
    """Return a function that makes the records of runs, whose curves lie in a table."""

    def make(*runs):
        records = [record(number, **run) for number, run in enumerate(runs)]
        found = {r["id"]: r.pop("curves") for r in records}
        write(tmp_path / "table", records, lambda r: found[r["id"]])
        return [r | {"table": str(tmp_path / "table")} for r in records]

    return make


def record(
    number, curve=(0.5, 0.6, 0.7), *, seed=0, status="finished", knobs=(), train=None, evaluated=None, **settings
):
    """Return a run's record with its curves; `settings` are settings of the experiment."""
    values = [value for value in curve if math.isfinite(value)]
    experiment = {"dataset": "digits", "recipe": "dense", "knobs": dict(knobs), "optimizer": "adam", "epochs": 3}
    last = {"val_accuracy": values[-1], "accuracy": 0.9} if values else None
    return {
        "format": 1, "id": f"run{'abcdefghijklmnopqrstuvwxyz'[number]}x", "folder": f"run-{number}", "status": status,
        "created": f"2026-11-21T10:15:{number:02d}+00:00",
        "experiment": experiment | {"seed": seed, "patience": None} | settings, "data": {"hash": "h"},
        "epochs_run": len(curve), "last": last, "best": last, "seconds": {"total": 2.0},
        "test": {"accuracy": 0.8}, "recipe_sha256": "r",
        "curves": {
            "epoch": [float(epoch) for epoch in range(1, len(curve) + 1)],
            "accuracy": list(train or curve), "val_accuracy": list(curve),
            **({"train_accuracy": list(evaluated)} if evaluated else {}),
        },
    }  # fmt: skip


def drawn(records, kind="auto", *, axes=(), **asked):
    return plot(compare(records, **asked), kind, axes)


def test_a_group_is_its_mean_with_the_interval_of_each_epoch(made):
    curves = drawn(made({"curve": [0.5, 0.6]}, {"curve": [0.7, 0.9], "seed": 1}))
    [line] = curves.lines
    assert line.label.endswith("(2 runs)")
    assert line.epochs == (1.0, 2.0)
    assert line.mean == pytest.approx((0.6, 0.75))
    for epoch, values in enumerate([(0.5, 0.7), (0.6, 0.9)]):
        expected = estimate(values, metric="val_accuracy")
        assert (line.low[epoch], line.high[epoch]) == (expected.low, expected.high)


def test_equal_runs_have_an_interval_of_no_width(made):
    [line] = drawn(made({}, {"seed": 1})).lines
    assert line.low == line.mean == line.high


def test_the_mean_ends_where_the_first_run_ends_and_the_rest_is_drawn_run_by_run(made):
    [line] = drawn(made({"curve": [0.5, 0.6, 0.7, 0.8]}, {"curve": [0.5, 0.8], "seed": 1})).lines
    assert line.epochs == (1.0, 2.0)
    assert [(thread.epochs, thread.values, thread.ended) for thread in line.threads] == [
        ((2.0, 3.0, 4.0), (0.6, 0.7, 0.8), False)
    ]


def test_diverged_runs_are_counted_and_drawn_to_where_they_end_and_are_in_no_mean(made):
    runs = made({}, {"seed": 1}, {"seed": 2, "curve": [0.4, 0.1, math.nan], "status": "diverged"})
    [line] = drawn(runs).lines
    assert line.label.endswith("(2 runs, 1 diverged)")
    assert line.mean == pytest.approx((0.5, 0.6, 0.7))
    assert [(thread.values, thread.ended) for thread in line.threads] == [((0.4, 0.1), True)]


def test_a_group_without_any_result_keeps_its_place_in_the_legend(made):
    runs = made({}, {"seed": 1}, *({"optimizer": "sgd", "seed": s, "curve": [], "status": "diverged"} for s in (0, 1)))
    curves = drawn(runs)
    assert [line.label for line in curves.lines] == ["adam (2 runs)", "sgd (2 diverged)"]
    assert curves.lines[1].epochs == curves.lines[1].threads == ()


def test_one_run_shows_validation_and_training(made):
    curves = drawn(made({"train": [0.6, 0.8, 1.0]}))
    assert [(line.label, line.mean) for line in curves.lines] == [
        ("validation", (0.5, 0.6, 0.7)), ("training", (0.6, 0.8, 1.0)),
    ]  # fmt: skip
    assert curves.metric == "accuracy"


def test_training_is_drawn_as_it_was_evaluated_where_it_was(made):
    curves = drawn(made({"train": [0.3, 0.4, 0.5], "evaluated": [0.7, 0.8, 0.9]}))
    assert {line.label: line.mean for line in curves.lines}["training"] == (0.7, 0.8, 0.9)


def test_single_runs_are_a_line_each_in_the_order_of_compare(made):
    curves = drawn(made({"optimizer": "sgd", "curve": [0.2]}, {}, {"optimizer": "lion", "status": "failed"}))
    assert [line.label for line in curves.lines] == ["runbx adam", "runax sgd", "runcx lion (failed)"]
    assert curves.lines[0].low == ()
    assert curves.lines[2].threads[0].ended


def test_groups_are_in_the_order_of_compare_the_best_first(made):
    runs = made(*({"optimizer": o, "seed": s, "curve": [v]} for o, v in (("sgd", 0.5), ("adam", 0.8)) for s in (0, 1)))
    table = compare(runs)
    labels = [row["optimizer"] for row in table.rows]
    assert [line.label.split()[0] for line in plot(table).lines] == labels == ["adam", "sgd"]


def test_points_hold_each_run_and_the_interval_at_the_moment_of_compare(made):
    points = drawn(made({"curve": [0.5, 0.6]}, {"curve": [0.7, 0.9], "seed": 1}), "bars", at="1")
    assert isinstance(points, Points)
    [point] = points.points
    expected = estimate((0.5, 0.7), metric="val_accuracy")
    assert (sorted(point.values), point.mean) == ([0.5, 0.7], pytest.approx(0.6))
    assert (point.low, point.high) == (expected.low, expected.high)
    assert points.title == "digits · val_accuracy at epoch 1 · mean and 95 % interval"


def test_points_of_single_runs_have_no_interval(made):
    points = drawn(made({"optimizer": "sgd"}, {}, {"optimizer": "lion", "status": "failed"}), "bars").points
    assert [(point.low, point.mean) for point in points] == [(None, 0.7), (None, 0.7), (None, None)]


def grid(**changes):
    return [
        {"optimizer": o, "knobs": {"width": b}, "seed": s, "curve": [v + s / 100]} | changes
        for o, b, v in (("sgd", 128, 0.5), ("sgd", 32, 0.6), ("adam", 128, 0.7), ("adam", 32, 0.8))
        for s in (0, 1)
    ]


def test_a_heat_map_has_a_cell_for_each_two_points_numbers_rising(made):
    heat = drawn(made(*grid()), "heat")
    assert heat.rows == ("optimizer", ("sgd", "adam"))
    assert heat.columns == ("width", ("32", "128"))
    assert heat.texts == (("0.6050", "0.5050"), ("0.8050", "0.7050"))
    assert heat.means[0] == pytest.approx((0.605, 0.505))


def test_a_cell_says_how_many_diverged_and_one_without_runs_is_empty(made):
    runs = grid()[1:]
    runs[0] |= {"status": "diverged", "curve": []}
    runs[1] |= {"status": "diverged"}
    runs[2] |= {"status": "diverged"}
    heat = drawn(made(*runs[:-2]), "heat")
    assert heat.texts == (("2/2 div.", "1/1 div."), ("", "0.7050"))
    assert heat.means[0] == (None, None)


def test_coupled_axes_stay_together_in_the_order_as_written(made):
    pairs = [([100], "he_normal"), ([30], "he_normal"), ([100], "zeros")]
    runs = made(
        *(
            {"knobs": {"hidden": h, "initializer": i}, "optimizer": o, "seed": s}
            for h, i in pairs for o in ("sgd", "adam") for s in (0, 1)
        )
    )  # fmt: skip
    axes = (Axis(("hidden", "initializer"), tuple(pairs)), Axis(("optimizer",), (("sgd",), ("adam",))))
    sweep = SweepRecord("s-1", "s", None, "", axes, (0, 1), ())
    heat = drawn(runs, "heat", axes=axes, sweep=sweep)
    assert isinstance(heat, Heat)
    assert heat.rows == ("hidden, initializer", ("100 he_normal", "30 he_normal", "100 zeros"))
    assert heat.columns == ("optimizer", ("sgd", "adam"))


def test_auto_draws_curves_of_few_rows_a_heat_map_of_a_grid_and_points_of_the_rest(made):
    many = [{"optimizer": f"o{n % 3}", "knobs": {"width": n // 3}, "seed": s} for n in range(9) for s in (0, 1)]
    assert isinstance(drawn(made(*many)), Heat)
    assert isinstance(drawn(made(*many[:16])), Curves)
    assert isinstance(drawn(made(*many), by="optimizer,width,seed"), Points)
    assert isinstance(drawn(made(*many[:4]), metric="test_accuracy", test=True), Points)


@pytest.mark.parametrize(
    ("kind", "asked", "message"),
    [
        ("heat", {"by": "optimizer"}, "has two axes, these rows have 1: optimizer\nchoose two"),
        ("heat", {"runs": True}, "these rows have 0: none"),
        ("curves", {"metric": "test_accuracy", "test": True}, "is one number a run and has no curve"),
        ("curves", {"metric": "seconds"}, "is one number a run and has no curve"),
    ],
)
def test_what_cannot_be_drawn_is_said(made, kind, asked, message):
    with pytest.raises(InputError, match=message):
        drawn(made(*grid()), kind, **asked)


def test_no_runs_is_said():
    with pytest.raises(InputError, match="no run to draw"):
        plot(compare([]))


def test_a_diverged_run_does_not_set_the_axis(made):
    curves = drawn(made({}, {"seed": 1}, {"seed": 2, "curve": [0.5, 1e30], "status": "diverged"}))
    low, high = span(curves)
    assert low < 0.5
    assert 0.7 < high < 1


def test_the_interval_of_two_seeds_widens_the_axis_by_no_more_than_the_values_take(made):
    points = drawn(made({"curve": [0.4]}, {"curve": [0.6], "seed": 1}), "bars")
    assert points.points[0].high > 0.9
    assert span(points) == (pytest.approx(0.192), pytest.approx(0.808))


def test_equal_values_still_have_an_axis(made):
    low, high = span(drawn(made({"curve": [0.5]})))
    assert low < 0.5 < high


def test_a_logarithmic_axis_needs_values_above_zero(made):
    curves = drawn(made({"curve": [0.1, 0.01]}))
    assert span(curves, log=True) == (pytest.approx(0.01 * 10**-0.04), pytest.approx(0.1 * 10**0.04))
    with pytest.raises(InputError, match=r"0\.0000 somewhere, which has no logarithm"):
        span(drawn(made({"curve": [0.0, 0.5]})), log=True)


def test_runs_without_a_single_value_are_named_as_such(made):
    with pytest.raises(InputError, match="none of these runs has a value of val_loss"):
        span(drawn(made(*({"seed": s, "curve": [], "status": "diverged"} for s in (0, 1)))))
