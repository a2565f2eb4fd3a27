"""From a file to columns: parsed in blocks, all together or one block after the other.

Memory at the peak, with the parts that a training makes of it: 16 bytes a cell, and the different texts of each column.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasrun import environment
from kerasrun.errors import InputError, shown
from kerasrun.tables.dialect import WESTERN, Dialect, WrongEncoding, blocks, detect
from kerasrun.tables.growing import Growing, RawColumn

if TYPE_CHECKING:
    import pandas as pd
    from pyarrow import Array
    from pyarrow.parquet import ParquetFile

BYTES = 16  # a cell takes at the peak: as read, in a table, and in its parts; 1.02 GB of CSV, 132 million cells: 2.3 GB
_BATCH = 100_000  # rows of a Parquet file that are looked at together


@dataclass(frozen=True)
class Raw:
    """A file as it was read.

    Args:
        columns: by name, in the file's order.
        rows: their number.
        says: one line on how the file is written.
        sha256: of its text.
    """

    columns: Mapping[str, RawColumn]
    rows: int
    says: str
    sha256: str


@dataclass(frozen=True)
class Wanted:
    """How a file is to be read.

    Args:
        header: whether the first line holds names; None to find out. `separator` and `encoding` likewise.
        na: words for an empty cell besides pandas's own; "column=word" for one column.
        texts: columns that are read as text whatever they hold.
        exact: columns that are kept in float64, or with all their texts.
        skipped: columns that are not read.
    """

    header: bool | None = None
    separator: str | None = None
    encoding: str | None = None
    na: tuple[str, ...] = ()
    texts: frozenset[str] = frozenset()
    exact: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()


def names(path: Path, wanted: Wanted) -> tuple[str, ...]:
    """Return the names of a file's columns.

    Raises:
        InputError: the file cannot be read, or is no table.
    """
    if _is_parquet(path):
        with _opened(path) as file:
            return tuple(file.schema_arrow.names)
    return detect(path, header=wanted.header, separator=wanted.separator, encoding=wanted.encoding).names


def read(path: Path, wanted: Wanted) -> Raw:
    """Return the columns of a file: CSV and its kin, packed or not, or Parquet.

    Raises:
        InputError: the file cannot be read, or is no regular table.
    """
    raw = _read(path, wanted)
    both = {name: column for name, column in raw.columns.items() if column.form == "mixed"}
    mixed = {name for name, column in both.items() if name in wanted.exact or not column.typos}
    if mixed:  # numbers in one block, texts in another: once more, as texts
        raw = _read(path, replace(wanted, texts=wanted.texts | mixed))
        for name in mixed:
            raw.columns[name].typos = both[name].typos  # it is we who want them as texts
    return raw


def stream(path: Path, wanted: Wanted) -> Iterator[dict[str, RawColumn]]:
    """Yield the columns of a file block by block, in bounded memory; what a column is must be known.

    Raises:
        InputError: as `read`.
    """
    before = 0
    with ExitStack() as open_:
        if _is_parquet(path):
            file = open_.enter_context(_opened(path))
            names, decimal = tuple(file.schema_arrow.names), "."
            frames = _batches(path, file, names, wanted)
        else:
            dialect = detect(path, header=wanted.header, separator=wanted.separator, encoding=wanted.encoding)
            names, decimal, frames = dialect.names, dialect.decimal, _guessed(path, wanted, dialect)
        for frame in frames:
            growing = _growing(names, decimal, wanted)
            for position, column in growing.items():
                column.add(frame[position], before)
            yield {column.name: replace(column.finish(), before=before) for column in growing.values()}
            before += len(frame)


def _read(path: Path, wanted: Wanted) -> Raw:
    if _is_parquet(path):
        return _parquet(path, wanted)
    dialect = detect(path, header=wanted.header, separator=wanted.separator, encoding=wanted.encoding)
    try:
        return _text(path, wanted, dialect)
    except WrongEncoding:
        if not (western := _western(wanted, dialect)):
            raise
        return _text(path, wanted, western)


def _western(wanted: Wanted, dialect: Dialect) -> Dialect | None:
    """Return how a text is written that only began like UTF-8; None where its encoding was no guess."""
    is_guess = not wanted.encoding and dialect.encoding == "utf-8"
    return replace(dialect, encoding=WESTERN, guessed=True) if is_guess else None


def _text(path: Path, wanted: Wanted, dialect: Dialect) -> Raw:
    digest = hashlib.sha256()
    columns, rows = _gather(path, _frames(path, wanted, dialect, digest), dialect.names, wanted, dialect.decimal)
    size = f"{rows:,} rows × {len(dialect.names)} columns"
    return Raw(columns, rows, f"{path.name}: {size}, {dialect}", digest.hexdigest())


def _frames(
    path: Path, wanted: Wanted, dialect: Dialect, digest: hashlib._Hash | None = None
) -> Iterator[pd.DataFrame]:
    """Yield a text table in blocks; their columns are numbered."""
    import pandas as pd

    words, by_column = _na(wanted.na, dialect.names)
    used = {i: name for i, name in enumerate(dialect.names) if name not in wanted.skipped}
    absent: dict[Any, list[str]] = {i: [*words, *by_column.get(name, ())] for i, name in used.items()}
    as_text: dict[Any, type] = {i: str for i, name in used.items() if name in wanted.texts}
    for block, line in blocks(path, dialect, digest):
        try:
            yield pd.read_csv(
                io.BytesIO(block), sep=dialect.separator, decimal=dialect.decimal, header=None,
                names=range(len(dialect.names)), usecols=[*used], index_col=False, skipinitialspace=True,
                low_memory=False, na_values=absent, dtype=as_text,
            )  # fmt: skip
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise InputError(f"{path}: cannot be parsed from line {line} on: {str(error).strip()}") from None


def _guessed(path: Path, wanted: Wanted, dialect: Dialect) -> Iterator[pd.DataFrame]:
    """Yield a text table in blocks, in another encoding from the first one on that is not in the one it began with."""
    done = 0
    try:
        for frame in _frames(path, wanted, dialect):
            yield frame
            done += 1
    except WrongEncoding:
        if not (western := _western(wanted, dialect)):
            raise
        yield from islice(_frames(path, wanted, western), done, None)


def _parquet(path: Path, wanted: Wanted) -> Raw:
    with _opened(path) as file:
        names = tuple(file.schema_arrow.names)
        columns, rows = _gather(path, _batches(path, file, names, wanted), names, wanted, ".")
    with path.open("rb") as whole:
        digest = hashlib.file_digest(whole, "sha256").hexdigest()
    return Raw(columns, rows, f"{path.name}: {rows:,} rows × {len(names)} columns, Parquet", digest)


def _batches(path: Path, file: ParquetFile, names: tuple[str, ...], wanted: Wanted) -> Iterator[pd.DataFrame]:
    """Yield a Parquet file in blocks; their columns are numbered."""
    import pandas as pd
    from pyarrow import types

    words, by_column = _na(wanted.na, names)
    used = {i: name for i, name in enumerate(names) if name not in wanted.skipped}
    absent = {i: [*words, *by_column.get(name, ())] for i, name in used.items()}
    for i, name in used.items():
        if types.is_nested(held := file.schema_arrow.field(i).type):
            raise InputError(
                f"{path}: column '{shown(name)}' holds {shown(str(held))}, no single values\n"
                f"leave it out: --drop '{name}'"
            )
    for batch in file.iter_batches(_BATCH):
        yield pd.DataFrame({i: _cells(batch.column(i), absent[i], name in wanted.texts) for i, name in used.items()})


def _cells(column: Array, absent: Sequence[str], as_text: bool) -> pd.Series:
    """Return a column of Parquet as one of CSV is read: numbers as text where wanted, words for nothing as nothing."""
    import pandas as pd
    from pyarrow import types

    given: Any = absent
    if types.is_integer(column.type) or types.is_floating(column.type) or types.is_decimal(column.type):
        column = column.cast("string" if as_text else "float64", safe=False)
        given = [*absent, "nan"] if as_text else pd.to_numeric(pd.Series(absent, dtype=object), errors="coerce")
    cells = column.to_pandas()
    return cells.mask(cells.isin(given))


def _is_parquet(path: Path) -> bool:
    return path.name.lower().endswith((".parquet", ".pq"))


@contextmanager
def _opened(path: Path) -> Iterator[ParquetFile]:
    """Open a Parquet file; name what is wrong with it."""
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise InputError(f"{path}: Parquet needs pyarrow\npip install 'kerasrun[parquet]'") from None
    try:
        with ParquetFile(path) as file:
            yield file
    except (OSError, ArrowException) as error:
        raise InputError(f"{path}: no Parquet file that can be read: {str(error).splitlines()[0][:120]}") from None


def _na(words: Sequence[str], names: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the words for an empty cell of every column, and those of single columns."""
    everywhere: list[str] = []
    by_column: dict[str, list[str]] = {}
    for word in words:
        column, equals, inside = word.partition("=")
        if equals and column in names:
            by_column.setdefault(column, []).append(inside)
        else:
            everywhere.append(word)
    return everywhere, by_column


def _gather(
    path: Path, frames: Iterator[pd.DataFrame], names: Sequence[str], wanted: Wanted, decimal: str
) -> tuple[dict[str, RawColumn], int]:
    growing = _growing(names, decimal, wanted)
    rows, most = 0, environment.memory() // BYTES
    for frame in frames:
        for position, column in growing.items():
            column.add(frame[position], rows)
        rows += len(frame)
        if rows * len(growing) > most:
            raise InputError(
                f"{path}: more than {rows:,} rows × {len(growing)} columns do not fit in memory, {BYTES} bytes a cell\n"
                "leave columns out with --drop, or take a part of the rows"
            )
    return {column.name: column.finish() for column in growing.values()}, rows


def _growing(names: Sequence[str], decimal: str, wanted: Wanted) -> dict[int, Growing]:
    """Return the columns that are read, still empty, by their numbers."""
    used = {i: name for i, name in enumerate(names) if name not in wanted.skipped}
    return {i: Growing(name, decimal, name in wanted.texts, name in wanted.exact) for i, name in used.items()}
