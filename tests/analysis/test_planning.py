"""How many seeds would settle a margin, and which axis of a grid mattered."""

import numpy as np
import pytest
from made_up_runs import seeds

from kerasrun.analysis.compare import compare
from kerasrun.analysis.verdicts import seeds_needed
from kerasrun.errors import InputError
from kerasrun.sweep_record import Axis, SweepRecord

SGD, ADAM = [0.850, 0.858, 0.846, 0.855, 0.849], [0.852, 0.853, 0.851, 0.858, 0.848]


def grid(values):
    """Return runs of optimizer × hidden, five seeds each."""
    records = []
    for number, ((optimizer, hidden), base) in enumerate(values.items()):
        numbers = [base + 0.001 * ((seed * 7 + number * 3) % 5) for seed in range(5)]
        records += seeds(5 * number, numbers, optimizer=optimizer, knobs={"hidden": [hidden]})
    return records


FULL = {("sgd", 10): 0.5, ("sgd", 20): 0.51, ("adam", 10): 0.8, ("adam", 20): 0.81}


def test_the_number_of_seeds_is_that_of_the_margin_not_of_what_was_seen():
    found = compare([*seeds(0, SGD, optimizer="sgd"), *seeds(10, ADAM)], power="margin=0.005")
    [row] = found.rows
    sd = np.std(np.subtract(ADAM, SGD), ddof=1)
    assert row["sd"] == pytest.approx(sd)
    assert row["correlation"] == pytest.approx(np.corrcoef(ADAM, SGD)[0, 1])
    expected = seeds_needed(sd, 5, 0.005)
    assert (row["seeds"], row["seeds_low"], row["seeds_high"]) == expected
    assert found.people[0][-1] == "seeds that settle 0.005"
    assert found.people[1][0][-1] == "{} ({} to {})".format(*expected)


def test_a_larger_margin_needs_fewer_seeds():
    records = [*seeds(0, SGD, optimizer="sgd"), *seeds(10, ADAM)]
    assert compare(records, power="0.02").rows[0]["seeds"] < compare(records, power="0.002").rows[0]["seeds"]


def test_two_pairs_plan_nothing():
    found = compare([*seeds(0, SGD[:2], optimizer="sgd"), *seeds(10, ADAM[:2])], power="0.005")
    assert (found.rows[0]["seeds"], found.people[1][0][-1]) == (None, None)


@pytest.mark.parametrize("power", ["margin=", "-0.1", "0", "much", "inf"])
def test_what_is_no_margin_is_refused(power):
    with pytest.raises(InputError, match="must be a number above 0"):
        compare(seeds(0, SGD), power=power)


def test_one_row_alone_has_nothing_to_plan():
    with pytest.raises(InputError, match="--power needs two rows"):
        compare(seeds(0, SGD), power="0.005")


def test_the_axis_that_moves_the_metric_has_the_share():
    found = compare(grid(FULL), shares=True)
    first = {row["axis"]: row["first"] for row in found.rows}
    assert first["optimizer"] > 0.95
    assert first["hidden"] < 0.01
    assert list(first) == ["optimizer", "hidden", "interactions", "seed", "left over"]
    assert found.title.endswith("4 cells × 5 seeds")
    assert found.people[1][0][1].startswith("99.")
    assert "they depend on the values that were chosen" in found.notes[0]


def test_coupled_settings_are_one_axis():
    coupled = {("sgd", 10): 0.5, ("adam", 20): 0.8}
    axis = Axis(("optimizer", "hidden"), (("sgd", [10]), ("adam", [20])))
    sweep = SweepRecord("digits-1a2b", "digits", None, "2026", (axis,), (0, 1), ())
    assert compare(grid(coupled), sweep=sweep, shares=True).rows[0]["axis"] == "optimizer,hidden"


def test_a_grid_with_a_hole_is_refused():
    with pytest.raises(InputError, match="adam"):
        compare(grid({key: value for key, value in FULL.items() if key != ("adam", 20)}), shares=True)


def test_rows_that_hold_several_cells_are_refused():
    with pytest.raises(InputError, match="rows hold runs that differ in hidden\nadd it to --by"):
        compare(grid(FULL), by="optimizer", shares=True)


def test_seeds_that_not_every_cell_has_are_left_out_with_a_line():
    found = compare(grid(FULL)[:-1], shares=True)
    assert found.title.endswith("4 cells × 4 seeds")
    assert "1 seed without a result in some cell, left out" in found.notes
