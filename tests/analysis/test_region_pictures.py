import numpy as np
import pytest

from kerasrun.analysis.region_pictures import Panel, picture

EXAMPLES = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")


def panel(title, answers):
    return Panel(title, (-0.5, 1.5), (-0.5, 1.5), answers, EXAMPLES, np.array([0, 1, 1, 0]))


def test_networks_are_drawn_side_by_side_and_the_same_ones_alike():
    pytest.importorskip("matplotlib")
    halves = np.tile(np.linspace(0, 1, 9), (9, 1))
    panels = [panel("half of the plane", halves), panel("undecided", np.full((9, 9), 0.4))]
    drawn = picture(panels, "svg")
    assert drawn == picture(panels, "svg")
    assert drawn != picture([panels[0], panel("undecided", 1 - halves)], "svg")
    assert b"half of the plane" in drawn
    assert drawn.count(b"<image") == 2
