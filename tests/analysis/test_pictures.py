"""Charts as PNG and SVG: what matplotlib was told to draw, equal files, and names that would be markup."""

import subprocess
import sys
from xml.etree import ElementTree

import pytest

from kerasrun.analysis import pictures
from kerasrun.analysis.charts import Curves, Heat, Line, Point, Points, Thread, span
from kerasrun.analysis.pictures import COLOURS, DASHES, figure, picture
from kerasrun.errors import InputError

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'kerasrun[plot]'")

HOSTILE = "<script>alert('$x^2$')</script> & \"_\" =cmd"
CURVES = Curves(
    "a title", "val_accuracy",
    (
        Line("adam (2 runs)", (1, 2, 3), (0.5, 0.6, 0.7), (0.4, 0.5, 0.6), (0.6, 0.7, 0.8)),
        Line("sgd (1 run, 1 diverged)", (1, 2), (0.3, 0.4), threads=(
            Thread((2, 3), (0.4, 0.45)), Thread((1, 2), (0.2, 0.1), ended=True),
        )),
    ),
)  # fmt: skip
POINTS = Points(
    "a title", "val_loss",
    (
        Point("adam", (0.4, 0.6), 0.5, 0.3, 0.7), Point("sgd", (0.9,), 0.9, None, None),
        Point("lion", (), None, None, None),
    ),
)  # fmt: skip
HEAT = Heat(
    "a title", ("optimizer", ("sgd", "adam")), ("hidden", ("30", "100")), ((0.1, 0.2), (0.9, None)),
    (("0.1000", "0.2000"), ("0.9000", "2/2 div.")),
)  # fmt: skip


def axes_of(chart, **options):
    return figure(chart, **options).axes[0]


def data(line):
    return [*map(tuple, line.get_data())]


def test_curves_are_drawn_with_bands_rests_and_ends():
    axes = axes_of(CURVES)
    adam, sgd, rest, ended, end = axes.lines
    assert data(adam) == [(1, 2, 3), (0.5, 0.6, 0.7)]
    assert data(sgd) == [(1, 2), (0.3, 0.4)]
    assert data(rest) == [(2, 3), (0.4, 0.45)]
    assert data(ended) == [(1, 2), (0.2, 0.1)]
    assert (data(end), end.get_marker()) == ([(2,), (0.1,)], "x")
    assert adam.get_linewidth() > rest.get_linewidth()
    [band] = axes.collections
    corners = {(x, round(y, 6)) for x, y in band.get_paths()[0].vertices}
    assert corners == {(1, 0.4), (2, 0.5), (3, 0.6), (1, 0.6), (2, 0.7), (3, 0.8)}
    assert axes.get_ylim() == pytest.approx(span(CURVES))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "val_accuracy")


def test_the_legend_names_every_line_also_one_that_has_no_point():
    lines = (*CURVES.lines, Line("_lion (3 diverged)", (), ()))
    drawn = figure(Curves("", "loss", lines))
    [legend] = drawn.legends
    assert [text.get_text().strip() for text in legend.get_texts()] == [line.label for line in lines]
    assert len({handle.get_color() for handle in legend.legend_handles}) == 3


@pytest.mark.parametrize("label", ["hidden=100x10 relu batch_norm=no", "hidden=100x10 sigmoid batch_norm=false"])
def test_the_legend_stays_inside_the_picture(label):
    drawn = figure(Curves("", "gradient", tuple(Line(f"{label[:-1]}{i}", (1, 2), (1.0, 2.0)) for i in range(6))))
    drawn.canvas.draw()
    box = drawn.legends[0].get_window_extent()
    assert 0 <= box.x0 < box.x1 <= drawn.bbox.x1


def test_lines_differ_in_colour_and_in_dashes():
    lines = tuple(Line(str(number), (1, 2), (number, number)) for number in range(8))
    drawn = axes_of(Curves("", "loss", lines)).lines
    assert len({repr(line._dash_pattern) for line in drawn}) == 8
    pairs = {(COLOURS[n % len(COLOURS)], str(DASHES[n % len(DASHES)])) for n in range(56)}
    assert len(pairs) == 56


def test_a_run_of_one_epoch_is_a_dot():
    [line] = axes_of(Curves("", "loss", (Line("a", (1,), (0.5,)),))).lines
    assert line.get_marker() == "o"


def test_points_are_drawn_with_intervals_and_runs_the_first_on_top():
    axes = axes_of(POINTS)
    runs, interval, mean, *_ = axes.lines
    assert data(runs)[0] == (0.4, 0.6)
    assert data(interval) == [(0.3, 0.7), (0, 0)]
    assert data(mean) == [(0.5,), (0,)]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["adam", "sgd", "lion"]
    bottom, top = axes.get_ylim()
    assert bottom > top
    assert axes.get_xlim() == pytest.approx(span(POINTS))


def test_cells_hold_their_texts_and_can_be_read():
    axes = axes_of(HEAT)
    assert [[text.get_text() for text in axes.texts[i : i + 2]] for i in (0, 2)] == [*map(list, HEAT.texts)]
    assert [tuple(text.get_position()) for text in axes.texts] == [(0.5, 0.5), (1.5, 0.5), (0.5, 1.5), (1.5, 1.5)]
    assert [text.get_color() for text in axes.texts] == ["white", "white", "black", "black"]
    [mesh] = axes.collections
    assert mesh.get_array().filled(-1).tolist() == [[0.1, 0.2], [0.9, -1]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["sgd", "adam"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("hidden", "optimizer")


def test_a_logarithmic_axis_is_asked_for():
    assert axes_of(CURVES).get_yscale() == "linear"
    assert axes_of(CURVES, log=True).get_yscale() == "log"
    assert axes_of(POINTS, log=True).get_xscale() == "log"


@pytest.mark.parametrize("chart", [CURVES, POINTS, HEAT], ids=lambda chart: type(chart).__name__)
@pytest.mark.parametrize("form", ["png", "svg"])
def test_equal_charts_are_equal_files_whatever_the_users_settings_are(chart, form):
    first = picture(chart, form)
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "svg.hashsalt": "other"}):
        assert picture(chart, form) == first
    assert len(first) < 60_000


def test_an_svg_holds_no_date_and_its_texts_as_text():
    root = ElementTree.fromstring(picture(CURVES, "svg"))
    texts = {"".join(node.itertext()).strip() for node in root.iter() if node.tag.endswith("}text")}
    assert {"a title", "adam (2 runs)", "epoch"} <= texts
    assert b"date" not in picture(CURVES, "svg").lower()


@pytest.mark.parametrize(
    "chart",
    [
        Curves(HOSTILE, HOSTILE, (Line(HOSTILE, (1, 2), (1, 2)),)),
        Points(HOSTILE, HOSTILE, (Point(HOSTILE, (1,), 1, None, None),)),
        Heat(HOSTILE, (HOSTILE, (HOSTILE,)), (HOSTILE, (HOSTILE,)), ((1,),), ((HOSTILE,),)),
    ],
    ids=lambda chart: type(chart).__name__,
)
def test_row_61_names_that_would_be_markup_are_text(chart):
    content = picture(chart, "svg")
    assert b"<script" not in content
    root = ElementTree.fromstring(content)
    texts = ["".join(node.itertext()).strip() for node in root.iter() if node.tag.endswith("}text")]
    assert texts.count(HOSTILE) >= 3
    assert picture(chart, "png").startswith(b"\x89PNG")


def test_letters_that_the_font_lacks_and_long_labels_are_no_warning(recwarn):
    chart = Curves("모델 🦁" + "x" * 200, "loss", (Line("모델" * 40, (1, 2), (1, 2)),))
    assert picture(chart, "png").startswith(b"\x89PNG")
    assert not recwarn.list


def test_without_matplotlib_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"^pictures need matplotlib: pip install 'kerasrun\[plot\]'$"):
        picture(CURVES, "png")


def test_matplotlib_is_loaded_by_pictures_alone():
    code = "import sys, kerasrun.cli.plot; print({'matplotlib', 'tensorflow', 'pandas', 'scipy'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
    assert pictures.FORMATS == ("png", "svg")
