"""Charts in a terminal, as they are to the last character."""

import textwrap

import pytest

from kerasrun.analysis.charts import Curves, Heat, Line, Point, Points, Thread
from kerasrun.analysis.drawings import drawing


def lines(text):
    return textwrap.dedent(text).strip("\n").splitlines()


RISING = Line("adam (2 runs)", (1, 2, 3, 4), (0.5, 0.7, 0.8, 0.85), (0.4, 0.6, 0.7, 0.8), (0.6, 0.8, 0.9, 0.9))
BELOW = Line("sgd (1 run, 1 diverged)", (1, 2), (0.3, 0.4), threads=(Thread((1, 2, 3), (0.25, 0.3, 0.2), ended=True),))


def test_curves_are_dots_with_a_letter_each_and_a_cross_where_a_run_diverged():
    drawn = drawing(Curves("digits · val_accuracy", "val_accuracy", (RISING, BELOW)), width=50)
    assert drawn == lines("""
        digits · val_accuracy

          0.9019 ┤
                 ┤                                    ⢀⣀A
                 ┤                          ⢀⣀⣀⠤⠤⠔⠒⠒⠉⠉⠁
                 ┤                    ⢀⣀⠤⠔⠊⠉⠁
          0.7409 ┤               ⢀⣀⠤⠒⠊⠁
                 ┤           ⢀A⠒⠊⠁
                 ┤         ⡠⠔⠁
                 ┤      ⢀⠤⠊
          0.5799 ┤    ⡠⠒⠁
                 ┤ ⢀⠔⠊
                 ┤⠊⠁
                 ┤
          0.4189 ┤            B
                 ┤       ⣀⡠⠔⠒⠉
                 ┤  ⣀⠤⠔⠒⠉
                 ┤⠊⠉    ⣀⣀⡠⠤⠤⠒⠒⠢⠤⣀         ×
                 └──────────────────────────────────────
                  1               epoch                4

        A  adam (2 runs)            0.8500 [0.8000, 0.9000] at epoch 4
        B  sgd (1 run, 1 diverged)  0.4000 at epoch 2
    """)


def test_points_are_intervals_with_each_run_and_the_mean():
    points = (
        Point("adam (3 runs)", (0.5, 0.55, 0.62), 0.56, 0.45, 0.66),
        Point("sgd", (0.3,), 0.3, None, None),
        Point("lion (2 diverged)", (), None, None, None),
    )
    assert drawing(Points("digits", "val_accuracy", points), width=50) == lines("""
        digits

        adam (3 runs)      0.5600 [0.4500, 0.6600]
                              ├─────·─────·●───────·───┤
        sgd                0.3000
            ●
        lion (2 diverged)
          ────────────────────────────────────────────────
          0.2872            val_accuracy            0.6728
    """)


def test_an_interval_that_reaches_0_begins_at_the_edge_of_a_logarithmic_axis():
    chart = Points("a", "val_mae", (Point("sgd", (0.1, 0.9), 0.5, -4.6, 5.6), Point("adam", (0.2,), 0.2, None, None)))
    assert drawing(chart, log=True)[3].startswith("  ├─·──")


def test_cells_are_shaded_and_hold_their_texts():
    heat = Heat(
        "digits", ("optimizer", ("sgd", "adam")), ("hidden", ("30", "100")), ((0.1, 0.2), (0.9, None)),
        (("0.1000", "0.2000"), ("0.9000\n1/2 div.", "2/2 div.")),
    )  # fmt: skip
    assert drawing(heat) == lines("""
        digits

        optimizer ↓  hidden →
              30                  100
        sgd      0.1000              0.2000
        adam  ██ 0.9000 1/2 div.     2/2 div.
    """)


def test_no_line_is_wider_than_80_characters_where_labels_are_short():
    chart = Curves("t", "loss", tuple(Line(f"line {n}", (1, 2), (n, n + 1)) for n in range(12)))
    assert max(map(len, drawing(chart))) <= 80
    assert [line.split()[0] for line in drawing(chart)[-12:]] == list("ABCDEFGHIJKL")


def test_a_logarithmic_axis_has_equal_steps_for_equal_ratios():
    chart = Curves("t", "loss", (Line("a", (1, 2, 3), (1.0, 0.1, 0.01)),))
    numbers = [
        float(line.split()[0]) for line in drawing(chart, log=True) if line.strip()[0:1].isdigit() and "┤" in line
    ]
    ratios = [one / other for one, other in zip(numbers, numbers[1:], strict=False)]
    assert ratios == pytest.approx([ratios[0]] * 3, rel=0.01)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "line",
    [
        Line("one epoch", (1,), (0.5,)),
        Line("constant", (1, 2), (0.5, 0.5), (0.5, 0.5), (0.5, 0.5)),
        Line("huge", (1, 2), (0.5, 0.4), threads=(Thread((1, 2), (1e30, 1e299), ended=True),)),
        Line("below", (1, 2), (0.5, 0.4), (1e-200, 1e-200), (0.6, 0.6), (Thread((1,), (0.0,), ended=True),)),
        Line("only diverged", (), (), threads=(Thread((1, 2), (0.5, 1e20), ended=True),)),
    ],
    ids=lambda line: line.label,
)
def test_every_curve_is_drawn_in_bounds(line, log):
    drawn = drawing(Curves("t", "loss", (line, Line("nothing", (), ()))), log=log)
    assert all(len(each) <= 80 for each in drawn)
    assert any("A" in each for each in drawn[2:18])
