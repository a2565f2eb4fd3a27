"""Charts as text, for a terminal: braille dots with a letter for each line, points with intervals, shaded cells.

Own lines in place of a library: plotext, the usual one, changed its whole interface between versions 5 and 6 and now
brings a compiled kernel; and without an extra to install, `kerasrun plot` draws everywhere.
"""

from __future__ import annotations

import math
import string
import textwrap
from collections.abc import Sequence

from kerasrun.analysis.charts import Chart, Curves, Heat, Line, Point, Points, span
from kerasrun.analysis.tables import rounded

WIDTH, HEIGHT = 80, 16  # characters; height of the field alone

_LEFT = 8  # characters of the numbers beside the field
_LETTERS = string.ascii_uppercase + string.ascii_lowercase
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a braille character, by row and column
_SHADES = " ░▒▓█"


def drawing(chart: Chart, *, log: bool = False, width: int = WIDTH) -> list[str]:
    """Return a chart as lines of text.

    Args:
        chart: what is drawn.
        log: a logarithmic axis for the metric.
        width: characters of a line; only labels may need more.
    """
    title = [*textwrap.wrap(chart.title, width), ""]
    if isinstance(chart, Curves):
        return [*title, *_curves(chart, log, width)]
    if isinstance(chart, Points):
        return [*title, *_points(chart, log, width)]
    return [*title, *_heat(chart)]


class _Field:
    """Dots in a rectangle of characters, and letters over them."""

    def __init__(self, columns: int, x: tuple[float, float], y: tuple[float, float], *, log: bool) -> None:
        self.columns, self.x, self.y = columns, x, y
        self.log = log
        self.bits = [[0] * columns for _ in range(HEIGHT)]
        self.letters: dict[tuple[int, int], str] = {}

    def place(self, epoch: float, value: float) -> tuple[float, float]:
        """Return column and row of a point in dots, from the upper left; beyond the field where it is."""
        low, high = (_scaled(limit, self.log) for limit in self.y)
        across = (epoch - self.x[0]) / ((self.x[1] - self.x[0]) or 1)
        up = (_scaled(value, self.log) - low) / (high - low)
        return across * (2 * self.columns - 1), (1 - min(max(up, -9.0), 9.0)) * (4 * HEIGHT - 1)

    def draw(self, epochs: Sequence[float], values: Sequence[float]) -> None:
        """Draw a line through points."""
        places = [self.place(*point) for point in zip(epochs, values, strict=True)]
        for (x0, y0), (x1, y1) in zip(places, places[1:] or places, strict=False):
            steps = min(1000, math.ceil(max(abs(x1 - x0), abs(y1 - y0), 1)))
            for step in range(steps + 1):
                column, row = round(x0 + (x1 - x0) * step / steps), round(y0 + (y1 - y0) * step / steps)
                if 0 <= row < 4 * HEIGHT:
                    self.bits[row // 4][column // 2] |= _DOTS[row % 4][column % 2]

    def cell(self, epoch: float, value: float) -> tuple[int, int]:
        """Return row and column of the character that holds a point, or of the one next to it."""
        column, row = self.place(epoch, value)
        return min(max(round(row) // 4, 0), HEIGHT - 1), round(column) // 2

    def rows(self) -> list[str]:
        """Return the lines."""
        return [
            "".join(self.letters.get((r, c)) or (chr(0x2800 + bits) if bits else " ") for c, bits in enumerate(row))
            for r, row in enumerate(self.bits)
        ]


def _curves(chart: Curves, log: bool, width: int) -> list[str]:
    limits = span(chart, log=log)
    every = [epoch for line in chart.lines for epoch in line.epochs]
    every += [epoch for line in chart.lines for thread in line.threads for epoch in thread.epochs]
    field = _Field(width - _LEFT - 2 - min(len(chart.lines), 8), (min(every), max(every)), limits, log=log)
    ends = [""] * HEIGHT  # letters beside the field
    for number, line in enumerate(chart.lines):
        for thread in line.threads:
            field.draw(thread.epochs, thread.values)
        field.draw(line.epochs, line.mean)
        _mark(field, line, _letter(number), (number + 1) / (len(chart.lines) + 1), ends)
    rows = [
        f"{label:>{_LEFT}} ┤{row}{end}".rstrip()
        for label, row, end in zip(_scale(limits, log), field.rows(), ends, strict=True)
    ]
    first, last = f"{field.x[0]:g}", f"{field.x[1]:g}"
    below = f"{first}{'epoch':^{max(field.columns - len(first) - len(last), 5)}}{last}"
    return [*rows, " " * (_LEFT + 1) + "└" + "─" * field.columns, " " * (_LEFT + 2) + below, "", *_legend(chart)]


def _mark(field: _Field, line: Line, letter: str, where: float, ends: list[str]) -> None:
    """Write a line's letter on it, and beside its end at the last epoch; × where a run ended without a result."""
    for thread in line.threads:
        if thread.ended:
            field.letters[field.cell(thread.epochs[-1], thread.values[-1])] = "×"
    curves = [(line.epochs, line.mean), *((thread.epochs, thread.values) for thread in line.threads)]
    epochs, values = next((curve for curve in curves if curve[0]), ((), ()))
    if not epochs:
        return
    middle = int(where * len(epochs))
    field.letters.setdefault(field.cell(epochs[middle], values[middle]), letter)
    if epochs[-1] == field.x[1]:
        ends[field.cell(epochs[-1], values[-1])[0]] += letter


def _legend(chart: Curves) -> list[str]:
    """Return each line's letter, its label and its last value with the interval."""
    lines = []
    for number, line in enumerate(chart.lines):
        value = _value(line.mean[-1], *(limit[-1] for limit in (line.low, line.high) if limit)) if line.mean else ""
        lines.append((_letter(number), line.label, f"{value} at epoch {line.epochs[-1]:g}" if value else ""))
    return _aligned(lines)


def _points(chart: Points, log: bool, width: int) -> list[str]:
    limits, columns = span(chart, log=log), width - 2
    heads = _aligned([(p.label, "" if p.mean is None else _value(p.mean, p.low, p.high)) for p in chart.points])
    rows = [f"  {_interval(point, limits, log, columns)}".rstrip() for point in chart.points]
    lines = [line for pair in zip(heads, rows, strict=True) for line in pair if line]
    low, high = map(rounded, limits)
    return [*lines, f"  {'─' * columns}", f"  {low}{chart.metric:^{columns - len(low) - len(high)}}{high}"]


def _interval(point: Point, limits: tuple[float, float], log: bool, columns: int) -> str:
    """Return ├──·─●─·┤: the interval, each run and the mean."""
    low, high = (_scaled(limit, log) for limit in limits)

    def at(value: float) -> int:
        share = (_scaled(value, log) - low) / (high - low)
        return round(min(max(share, 0.0), 1.0) * (columns - 1))  # a limit below 0 has no logarithm

    row = [" "] * columns
    if point.low is not None and point.high is not None:
        begin, end = at(point.low), at(point.high)
        row[begin : end + 1] = "─" * (end + 1 - begin)
        row[begin], row[end] = "├", "┤"
    for value in point.values:
        row[at(value)] = "·"
    if point.mean is not None:
        row[at(point.mean)] = "●"
    return "".join(row)


def _heat(chart: Heat) -> list[str]:
    """Return a table whose cells are the darker, the larger."""
    known = [mean for row in chart.means for mean in row if mean is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    (down, rows), (across, columns) = chart.rows, chart.columns
    steps, table = len(_SHADES) - 1, [["", *columns]]
    for label, means, texts in zip(rows, chart.means, chart.texts, strict=True):
        dark = [None if mean is None else round((mean - low) / (high - low or 1) * steps) for mean in means]
        shades = ["  " if step is None else 2 * _SHADES[step] for step in dark]
        table.append([label, *(f"{s} {' '.join(t.split(chr(10)))}" for s, t in zip(shades, texts, strict=True))])
    return [f"{down} ↓  {across} →", *_aligned(table)]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows whose columns begin below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def _scale(limits: tuple[float, float], log: bool) -> list[str]:
    """Return a number for each fourth line of the field, from above."""
    low, high = (_scaled(limit, log) for limit in limits)
    numbers = [""] * HEIGHT
    for row in range(0, HEIGHT, 4):
        value = high - (high - low) * (row + 0.5) / HEIGHT
        numbers[row] = f"{10**value if log else value:.4g}"
    return numbers


def _scaled(value: float, log: bool) -> float:
    if not log:
        return value
    return math.log10(value) if value > 0 else -math.inf


def _value(mean: float, low: float | None = None, high: float | None = None) -> str:
    return rounded(mean) + ("" if low is None or high is None else f" [{rounded(low)}, {rounded(high)}]")


def _letter(number: int) -> str:
    return _LETTERS[number % len(_LETTERS)]
