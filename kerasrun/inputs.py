"""What turns the rows of one's own data into the arrays that are trained on: facts, fitted on the training part alone.

The look-ups are applied once, before training; training/inputs.py makes the same of Keras's layers, in front of the
network that is saved. Pure data: datasets fit it, training builds with it, `run.json` records it for predictions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np


@dataclass(frozen=True)
class InputColumn:
    """One column of a table, as the saved model takes it.

    Args:
        name: of the column.
        kind: "number", "date" (days since `origin`) or "category".
        date: format of the dates.
        origin: days from 1970-01-01 to the day that counts as 0.
        fill: what an empty cell becomes; None where there must be none.
        indicator: whether a further input says that the cell is empty.
        values: the categories that the network is shown; any other is none of them. "" is an empty cell.
    """

    name: str
    kind: str
    date: str = ""
    origin: int = 0
    fill: float | None = None
    indicator: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableInputs:
    """The input columns of a table, and how they lie in the array that is trained on.

    The array is float32 (n, width): numbers and dates, then 1 where a cell was empty for each column with an indicator,
    then for each category column the number of its value among all columns' values: `features - len(numbers)` in all,
    and one more for a value that is none of them.

    Args:
        columns: of the table.
        sample: raw cells of some training rows, by column: float32 (n,) or str (n,); to check the layers with.
    """

    source: ClassVar[str] = "tables"
    columns: tuple[InputColumn, ...]
    sample: Mapping[str, np.ndarray] = field(default_factory=dict, compare=False, repr=False)

    @property
    def numbers(self) -> tuple[InputColumn, ...]:
        """The columns of numbers and dates."""
        return tuple(column for column in self.columns if column.kind != "category")

    @property
    def indicators(self) -> tuple[int, ...]:
        """Positions among `numbers` of the columns with an indicator."""
        return tuple(i for i, column in enumerate(self.numbers) if column.indicator)

    @property
    def categories(self) -> tuple[InputColumn, ...]:
        """The columns of categories."""
        return tuple(column for column in self.columns if column.kind == "category")

    @property
    def names(self) -> tuple[str, ...]:
        """What each column of the array holds."""
        numbers = [column.name for column in self.numbers]
        flags = [f"{numbers[i]} is empty" for i in self.indicators]
        return (*numbers, *flags, *(column.name for column in self.categories))

    @property
    def keys(self) -> dict[str, InputColumn]:
        """The columns by the names of the saved model's inputs: Keras allows no slash in them."""
        found: dict[str, InputColumn] = {}
        for column in self.columns:
            key = column.name.replace("/", "_")
            while key in found:
                key += "_"
            found[key] = column
        return found

    @property
    def tokens(self) -> int:
        """How many values all category columns have."""
        return sum(len(column.values) for column in self.categories)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example of the array."""
        return (len(self.names),)

    @property
    def features(self) -> int:
        """How many numbers the network receives: every value of a category is one of them."""
        return len(self.names) - len(self.categories) + self.tokens

    def record(self) -> dict[str, Any]:
        """Return what a prediction has to know, as plain JSON values."""
        return {"source": self.source, "columns": [asdict(column) for column in self.columns]}


@dataclass(frozen=True)
class TextInputs:
    """How texts become numbers of words, as Keras's TextVectorization counts them.

    The array is int32 (n, length): 0 is padding, at the end; 1 a word that the vocabulary does not have; words from 2.

    Args:
        tokens: what a text is cut into: "words" or "characters".
        ngrams: so many neighbouring tokens at most are one as well.
        length: tokens of a text; longer ones are cut.
        vocabulary: the tokens that have a number of their own, by frequency.
        sample: some training texts; to check the layer with.
    """

    source: ClassVar[str] = "texts"
    tokens: str
    ngrams: int
    length: int
    vocabulary: tuple[str, ...] = field(default=(), repr=False)
    sample: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example of the array."""
        return (self.length,)

    def record(self) -> dict[str, Any]:
        """Return what a prediction has to know, but for the vocabulary, as plain JSON values: best.keras has that."""
        return {"source": self.source, "tokens": self.tokens, "ngrams": self.ngrams, "length": self.length}


Inputs = TableInputs | TextInputs


def recorded(record: Mapping[str, Any]) -> Inputs:
    """Return what `record` wrote down; texts still lack their vocabulary."""
    if record.get("source") == TextInputs.source:
        return TextInputs(**{name: value for name, value in record.items() if name != "source"})
    columns = [{**column, "values": tuple(column["values"])} for column in record["columns"]]
    return TableInputs(tuple(InputColumn(**column) for column in columns))
