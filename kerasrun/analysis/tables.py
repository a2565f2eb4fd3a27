"""A table as text: csv and json with every digit, md for people. Cells that a spreadsheet would run are disarmed."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from kerasrun.errors import unknown

_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001  what spreadsheets take for the beginning of a formula

# a number, also with its interval: -3.6000 ± 0.4000, +0.0241 [0.0210, 0.0272], -3.1 % [-8.3, 2.4]
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?( %)?( ± \d+(\.\d+)?| \[-?\d+(\.\d+)?, -?\d+(\.\d+)?\])?", re.ASCII)


def to_text(columns: Sequence[str], rows: Sequence[Sequence[Any]], format: str) -> str:
    """Return a table as text that ends with a line break.

    Args:
        columns: the columns' names.
        rows: the cells of each row: numbers, texts, truth values, None where there is nothing.
        format: "csv", "json" (a list of objects) or "md".

    Raises:
        InputError: another format.
    """
    if format == "csv":
        return csv_lines([columns, *rows])
    if format == "json":
        return _json(columns, rows)
    if format == "md":
        return _md(columns, rows)
    raise unknown("format", format, ("csv", "json", "md"))


def csv_lines(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as the lines of a CSV file, each with a line break."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_exact(_disarmed(cell)) for cell in row] for row in rows)
    return text.getvalue()


def _json(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [json.dumps(dict(zip(columns, map(_finite, row), strict=True)), allow_nan=False) for row in rows]
    return "[" + ",".join(f"\n {line}" for line in lines) + ("\n]\n" if lines else "]\n")


def _md(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    is_number = [
        any(_is_number(row[i]) for row in rows) and all(row[i] is None or _is_number(row[i]) for row in rows)
        for i in range(len(columns))
    ]
    rule = ["---:" if right else "---" for right in is_number]
    lines = [list(map(_in_md, columns)), rule, *([_in_md(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _exact(cell: Any) -> Any:
    """Return a cell with every digit, as csv writes it: a float's repr, true, nothing."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, str):
        return cell.replace("\r", "\n")  # the csv module writes \r without quotes, where it ends the row
    return "" if cell is None else cell


def _finite(cell: Any) -> Any:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def _in_md(cell: Any) -> str:
    text = rounded(_disarmed(cell))
    text = "".join(c if c.isprintable() else " " for c in text)
    for character in ("\\", "|", "<", "`", "*"):
        text = text.replace(character, "\\" + character)
    return text


def rounded(cell: Any) -> str:
    """Return a cell for people: floats with four decimals, whole numbers with commas."""
    if cell is None or isinstance(cell, bool):
        return "" if cell is None else str(cell).lower()
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, float):
        return f"{cell:.4f}" if cell == 0 or 1e-3 <= abs(cell) < 1e6 else f"{cell:.4g}"
    return str(cell)


def _disarmed(cell: Any) -> Any:
    """Return a text that would begin a formula with an apostrophe in front; numbers as they are, written out too."""
    if not isinstance(cell, str):
        return cell
    text = cell.encode("utf-8", "replace").decode()
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def _is_number(cell: Any) -> bool:
    return isinstance(cell, (int, float)) and not isinstance(cell, bool)
