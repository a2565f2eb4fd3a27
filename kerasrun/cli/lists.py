"""A list as csv, json or Markdown: what `--format` writes where a table for people is not wanted."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would execute a text that begins so


def to_text(columns: Sequence[str], rows: Sequence[Sequence[Any]], format: str) -> str:
    """Return rows as text; numbers in full, nothing for None.

    Args:
        columns: their names.
        rows: one value a column.
        format: "csv", "json" (a list of objects) or "md".
    """
    if format == "json":
        return json.dumps([dict(zip(columns, row, strict=True)) for row in rows], indent=1, ensure_ascii=False)
    if format == "md":
        return "\n".join(_line(cells) for cells in (columns, ["---"] * len(columns), *rows))
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([columns, *([_harmless(value) for value in row] for row in rows)])
    return out.getvalue().rstrip("\n")


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _line(cells: Sequence[Any]) -> str:
    texts = ("" if cell is None else " ".join(str(cell).split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(texts)} |"
