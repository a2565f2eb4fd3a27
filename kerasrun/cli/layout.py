"""A table as lines of text that fit the terminal: nothing is cut, nothing has to be scrolled for."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Any

_NUMERAL = re.compile(r"([<>] )?[+-]?\d[\d,]*(\.\d+)?(e[+-]?\d+)?")  # a number as text
_LEAST_ROOM = 28  # letters that the last column is folded to
_INDENT = "    "


def table_lines(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], *, text_columns: Sequence[str] = (), width: int | None = None
) -> list[str]:
    """Return the head and one text a row, numbers to the right and texts to the left.

    Where a table is too wide, the texts of its last column are folded; where that leaves too little room, the columns
    that do not fit go on below each row, with their names.

    Args:
        columns: the columns' names.
        rows: the cells of each row.
        text_columns: columns that are texts whatever they hold.
        width: of the terminal; None for as wide as it comes.
    """
    cells = [[_cell(value, name) for name, value in zip(columns, row, strict=True)] for row in rows]
    widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(columns)]
    left = [name in text_columns or any(_is_text(row[i]) for row in rows) for i, name in enumerate(columns)]
    room = 10**9 if width is None else width
    before_last = sum(widths[:-1]) + 2 * len(widths) - 1
    if before_last + widths[-1] <= room or (left[-1] and before_last + _LEAST_ROOM <= room):
        standing = len(columns)
    else:
        standing = max(1, sum(1 + sum(widths[:k]) + 2 * (k - 1) <= room for k in range(1, len(columns) + 1)))

    def line(values: Sequence[str]) -> str:
        kept = [*zip(values, widths, left, strict=True)][:standing]
        text = " " + "  ".join(v.ljust(w) if to_left else v.rjust(w) for v, w, to_left in kept).rstrip()
        if standing < len(columns) or len(text) <= room:
            return text
        return text[:before_last] + ("\n" + " " * before_last).join(_wrapped(text[before_last:], room - before_last))

    def below(values: Sequence[str]) -> str:
        named = [f"{name} {value}" for name, value in zip(columns, values, strict=True)]
        named[-1] = values[-1] if left[-1] else named[-1]
        parts = [part for part, value in zip(named[standing:], values[standing:], strict=True) if value]
        return "".join(f"\n{_INDENT}{part}" for part in _wrapped(" · ".join(parts), room - len(_INDENT)))

    return [line(columns), *(line(row) + (below(row) if standing < len(columns) else "") for row in cells)]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(20, width), break_long_words=False, break_on_hyphens=False)


def _cell(value: Any, column: str) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and column == "s":
        return f"{value:,.1f}"
    if isinstance(value, float):
        return f"{value:.4f}" if 1e-4 <= abs(value) < 1000 or value == 0 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and not _NUMERAL.fullmatch(value)
