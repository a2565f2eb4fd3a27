"""Charts as PNG and SVG, by matplotlib, which is an extra: pip install 'kerasrun[plot]'.

Colours are Okabe and Ito's, which colour-blind readers tell apart (jfly.uni-koeln.de/color); each line also has dashes
of its own. Equal charts are equal files: no date, fixed ids, matplotlib's own defaults whatever the user's are.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from kerasrun.analysis.charts import Chart, Curves, Heat, Line, Points, span
from kerasrun.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES: tuple[Any, ...] = (
    "-", (0, (6, 2)), (0, (2, 1.5)), (0, (7, 2, 1.5, 2)), (0, (7, 2, 1.5, 2, 1.5, 2)), (0, (1, 1)), (0, (10, 2)),
    (0, (4, 1, 4, 4)),
)  # fmt: skip

_SETTINGS = {
    "svg.hashsalt": "kerasrun", "svg.fonttype": "none", "text.parse_math": False, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "grid.color": "#e5e5e5", "axes.axisbelow": True, "font.size": 10,
    "figure.titlesize": 10, "legend.frameon": False, "legend.handlelength": 4, "axes.unicode_minus": False,
    "path.simplify": True, "savefig.dpi": 150,
}  # fmt: skip
_NO_DATE = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}


def picture(chart: Chart, form: str, *, log: bool = False) -> bytes:
    """Return a chart as a file's content.

    Args:
        chart: what is drawn.
        form: "png" or "svg".
        log: a logarithmic axis for the metric.

    Raises:
        InputError: matplotlib is not installed.
    """
    return rendered(partial(figure, chart, log=log), form)


def rendered(draw: Callable[[], Figure], form: str) -> bytes:
    """Return what is drawn in the project's own style as a file's content; `form` and Raises as in `picture`."""
    with _own_settings(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a letter that the font lacks, labels that leave little room
        content = io.BytesIO()
        draw().savefig(content, format=form, metadata=_NO_DATE[form])
    return content.getvalue()


def require() -> None:
    """Make sure that pictures can be made.

    Raises:
        InputError: matplotlib is not installed.
    """
    _own_settings()


def figure(chart: Chart, *, log: bool = False) -> Figure:
    """Return a chart as matplotlib's figure; it belongs to no window and no global state."""
    from matplotlib.figure import Figure

    made = Figure(figsize=_size(chart), layout="constrained")
    axes = made.add_subplot()
    made.suptitle(chart.title, x=0.01, ha="left", wrap=True)
    _DRAW[type(chart)](axes, chart, log)
    return made


def _own_settings() -> Any:
    try:
        import matplotlib.style
    except ImportError:
        raise InputError("pictures need matplotlib: pip install 'kerasrun[plot]'") from None
    return matplotlib.style.context(["default", _SETTINGS])


def _size(chart: Chart) -> tuple[float, float]:
    """Return width and height in inches."""
    if isinstance(chart, Heat):
        (down, rows), (_, columns) = chart.rows, chart.columns
        width = 1.5 + 0.08 * max(map(len, rows)) + 0.9 * len(columns)
        height = 1.4 + 0.04 * max(map(len, columns)) + 0.45 * len(rows)
        return max(5.0, width), max(height, 1.0 + 0.09 * len(down))
    if isinstance(chart, Points):
        return 4.5 + 0.07 * max(len(point.label) for point in chart.points), 1.2 + 0.35 * len(chart.points)
    return 7.0, 4.0 + 0.2 * len(chart.lines) / _columns(chart)


def _columns(chart: Curves) -> int:
    """Return how many columns the legend has."""
    return 2 if all(len(line.label) < 33 for line in chart.lines) else 1


def _draw_curves(axes: Axes, chart: Curves, log: bool) -> None:
    handles = [_draw_line(axes, line, number) for number, line in enumerate(chart.lines)]
    axes.set_xlabel(chart.along)
    axes.set_ylabel(chart.metric)
    if chart.log_along:
        axes.set_xscale("log")
        _plain_numbers(axes.xaxis)
    else:
        axes.locator_params(axis="x", integer=True)
    axes.set_ylim(*span(chart, log=log))
    if log:
        axes.set_yscale("log")
        _plain_numbers(axes.yaxis)
    labels = [f" {line.label}" for line in chart.lines]  # matplotlib drops what begins with an underscore
    axes.figure.legend(handles, labels, loc="outside lower left", ncols=_columns(chart))


def _draw_line(axes: Axes, line: Line, number: int) -> Any:
    style: dict[str, Any] = {"color": COLOURS[number % len(COLOURS)], "linestyle": DASHES[number % len(DASHES)]}
    alone: dict[str, Any] = {"marker": "o", "markersize": 4} if len(line.epochs) == 1 else {}
    [handle] = axes.plot(line.epochs, line.mean, linewidth=1.8, **style, **alone)
    if line.low:
        axes.fill_between(line.epochs, line.low, line.high, color=style["color"], alpha=0.13, linewidth=0)
    for thread in line.threads:
        axes.plot(thread.epochs, thread.values, linewidth=0.7, **style)
        if thread.ended:
            axes.plot(thread.epochs[-1:], thread.values[-1:], marker="x", color=style["color"])
    return handle


def _draw_points(axes: Axes, chart: Points, log: bool) -> None:
    for row, point in enumerate(chart.points):
        colour = COLOURS[0]
        axes.plot(point.values, [row + 0.25] * len(point.values), "o", markersize=3, color="#777777", alpha=0.7)
        if point.low is not None and point.high is not None:
            axes.plot([point.low, point.high], [row, row], color=colour, linewidth=1.8)
        if point.mean is not None:
            axes.plot([point.mean], [row], marker="D", markersize=5, color=colour)
    axes.set_yticks(range(len(chart.points)), [point.label for point in chart.points])
    axes.set_ylim(len(chart.points) - 0.5, -0.5)
    axes.set_xlabel(chart.metric)
    axes.set_xlim(*span(chart, log=log))
    if log:
        axes.set_xscale("log")
        _plain_numbers(axes.xaxis)


def _plain_numbers(axis: Any) -> None:
    """Write 1e-05, not the formula that a logarithmic axis takes, which would be shown as it is written."""
    axis.set_major_formatter("{x:g}")
    low, high = axis.get_view_interval()
    axis.set_minor_formatter("{x:g}" if high < 10 * low else "")


def _draw_heat(axes: Axes, chart: Heat, log: bool) -> None:
    import numpy

    values = numpy.array([[math.nan if mean is None else mean for mean in row] for row in chart.means])
    mesh = axes.pcolormesh(values, cmap="cividis", edgecolors="white", norm="log" if log else None)
    luminance = mesh.to_rgba(values) @ [0.299, 0.587, 0.114, 0.0]
    for row, texts in enumerate(chart.texts):
        for column, text in enumerate(texts):
            dark = chart.means[row][column] is not None and luminance[row, column] < 0.5
            axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", color="white" if dark else "black")
    (down, rows), (across, columns) = chart.rows, chart.columns
    axes.set_xticks([i + 0.5 for i in range(len(columns))], columns)
    if max(map(len, columns)) > 9:
        axes.tick_params(axis="x", rotation=30)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.set_yticks([i + 0.5 for i in range(len(rows))], rows)
    axes.set_xlabel(across)
    axes.set_ylabel(down)
    axes.invert_yaxis()
    axes.set_facecolor("#eeeeee")  # of cells without a result
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


_DRAW: dict[type, Callable[[Axes, Any, bool], None]] = {Curves: _draw_curves, Points: _draw_points, Heat: _draw_heat}
