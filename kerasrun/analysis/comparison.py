"""What every comparison is in the end: a table with every digit, the same for people, and lines beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from kerasrun.analysis.groups import Group
    from kerasrun.analysis.moments import Record


@dataclass(frozen=True)
class Comparison:
    """A table of runs or of groups of runs, and what is to be said beside it.

    Args:
        metric: what is compared: "val_accuracy".
        title: what the numbers are, in one line whose parts are separated by " · ".
        columns: the columns' names, in order.
        rows: each row's values by column: numbers with every digit, settings that are none or lists as written on the
            command line, None where a row has nothing.
        people: columns and cells as people read them.
        notes: lines for the reader.
        rules: how it was computed and decided, in words, for `--explain`.
        members: the group or the run that each row is of, where rows are means or runs.
    """

    metric: str
    title: str
    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    people: tuple[tuple[str, ...], list[list[Any]]] = ((), [])
    notes: list[str] = field(default_factory=list)
    rules: Sequence[str] = ()
    members: Sequence[Group] | Sequence[Record] = ()

    @property
    def table(self) -> pd.DataFrame:
        """The table as a DataFrame, with every digit."""
        import pandas

        return pandas.DataFrame(self.rows, columns=list(self.columns))

    def exact(self) -> tuple[tuple[str, ...], list[list[Any]]]:
        """Return columns and cells with every digit, for csv and json."""
        return self.columns, [[row[name] for name in self.columns] for row in self.rows]


def ordered(values: Sequence[Any], *, falling: bool = False) -> list[int]:
    """Return the rows' numbers in order: numbers before texts, nothing last in either direction, ties as they were."""
    there = [number for number, value in enumerate(values) if value is not None]
    numbers = [number for number in there if not isinstance(values[number], str)]
    texts = [number for number in there if isinstance(values[number], str)]
    known = [n for part in (numbers, texts) for n in sorted(part, key=lambda n: values[n], reverse=falling)]
    return [*known, *(number for number, value in enumerate(values) if value is None)]
