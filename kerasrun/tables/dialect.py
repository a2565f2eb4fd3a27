"""How a text table is written: encoding, separator, decimal sign, header; recognized from its beginning.

`blocks` gives the text as UTF-8 in pieces of whole rows, whose widths are checked: a row with another number of cells
shifts columns in silence otherwise.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from kerasrun.errors import InputError, shown

BLOCK = 16 << 20  # bytes of text that are parsed at once
_SAMPLE = 256 << 10
_ROWS = 200  # rows of the sample that are looked at
_SEPARATORS = {"\t": "tab", ";": "semicolon", "|": "pipe", ",": "comma"}
_MARKS = (  # the longer first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?\d*,\d+")
_POINT = re.compile(r"[+-]?\d*\.\d+")
WESTERN = "cp1252"  # what a text that is no UTF-8 mostly is


class WrongEncoding(InputError):
    """A text is not in the encoding that it was taken for."""


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Args:
        encoding: Python's name of it.
        separator: one ASCII character.
        decimal: "." or ",".
        names: the columns' names; "1", "2" … without a header.
        header: whether the first line holds the names.
        guessed: whether the encoding is a guess because the text is no UTF-8.
    """

    encoding: str
    separator: str
    decimal: str
    names: tuple[str, ...]
    header: bool
    guessed: bool = False

    def __str__(self) -> str:
        cells = _SEPARATORS.get(self.separator, f"'{self.separator}'") + "-separated, " if len(self.names) > 1 else ""
        comma = "decimal comma, " if self.decimal == "," else ""
        names = "" if self.header else ", no header: columns are named 1, 2 …"
        guess = " (a guess: it is no UTF-8; else --encoding cp949 …)" if self.guessed else ""
        return f"{cells}{comma}{self.encoding.replace('-sig', ' with a byte-order mark')}{guess}{names}"


def detect(
    path: Path, *, header: bool | None = None, separator: str | None = None, encoding: str | None = None
) -> Dialect:
    """Recognize how a text table is written; what is given is not looked for.

    Raises:
        InputError: no file, no text, an unknown encoding, no rows, or a header that says a name twice.
    """
    with opened(path) as file:
        start = _read(path, file, _SAMPLE)
        more = start
        while more and b"\n" not in start[: len(start) // 2] and len(start) < 4 * BLOCK:
            start += (more := _read(path, file, len(start)))  # a longer header, and as much of the rows
        whole = not _read(path, file, 1)
    found, guessed = (encoding, False) if encoding else encoding_of(path, start)
    text = decoded(path, start, found)
    separator = separator or _separator(path, text)
    rows = [row for row in _rows(text, separator) if row]
    if not rows:
        raise InputError(f"{path}: is empty; a table has a line of names and a row for each example")
    decimal = "," if separator != "," and _count(rows, _COMMA) > _count(rows, _POINT) else "."
    if header is None:
        header = not any(_NUMBER.fullmatch(cell) for cell in rows[0])
    names = _names(path, rows[0]) if header else tuple(str(number + 1) for number in range(len(rows[0])))
    if header and len(rows) == 1 and whole:  # a first row may be longer than what was looked at
        raise InputError(f"{path}: holds a line of names and no row; a table has a row for each example")
    return Dialect(found, separator, decimal, names, header, guessed)


def opened(path: Path) -> IO[bytes]:
    """Open a file for reading; gzip is unpacked on the way, whatever the file's name.

    Raises:
        InputError: it cannot be read, or it is an archive or a workbook.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
        if start[:2] == b"\x1f\x8b":
            return gzip.open(path, "rb")  # type: ignore[return-value]
        if start[:2] == b"PK":
            raise InputError(f"{path}: a zip archive or an Excel workbook, no text\nsave the sheet as CSV (UTF-8)")
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None


def blocks(path: Path, dialect: Dialect, digest: hashlib._Hash | None = None) -> Iterator[tuple[bytes, int]]:
    """Yield the rows below the header as UTF-8, in pieces of whole rows, each with the number of its first line.

    Args:
        path: the file.
        dialect: how it is written.
        digest: is fed every byte of the file's text.

    Raises:
        WrongEncoding: it is not in its encoding.
        InputError: the file is damaged, or a row has another number of cells than the header.
    """
    decoder = codecs.getincrementaldecoder(dialect.encoding)()
    is_utf8 = dialect.encoding in ("utf-8", "utf-8-sig")
    line, rest, names_left = 1, b"", dialect.header
    with opened(path) as file:
        while True:
            raw = _read(path, file, BLOCK)
            if digest is not None:
                digest.update(raw)
            try:
                text = raw if is_utf8 and raw.isascii() else decoder.decode(raw, final=not raw).encode()
            except UnicodeDecodeError as error:
                raise WrongEncoding(
                    f"{path}: not {dialect.encoding} near line {line}: {error.reason}\n"
                    "name its encoding: --encoding latin-1, cp1252, cp949, utf-16 …"
                ) from None
            if raw and line == 1 and b"\r" in text and b"\n" not in text:
                raise InputError(f"{path}: its lines end in carriage returns alone\nsave it with line feeds")
            rest += text
            if names_left:
                end = _header_end(rest, dialect.separator) or (0 if raw else len(rest))
                line += rest.count(b"\n", 0, end)
                rest, names_left = rest[end:], not end
            cut = 0 if names_left else _cut(rest) if raw else len(rest)
            if len(rest) - cut > 4 * BLOCK:
                raise InputError(f"{path}: line {line} has no end within {4 * BLOCK >> 20} MB; it is no table")
            piece, rest = rest[:cut], rest[cut:]
            if piece and not piece.isspace():
                _check_widths(path, piece, dialect, line)
                yield piece, line
            line += piece.count(b"\n")
            if not raw:
                return


def _read(path: Path, file: IO[bytes], size: int) -> bytes:
    try:
        return file.read(size)
    except (OSError, EOFError, zlib.error) as error:  # a bad checksum is an OSError
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        raise InputError(f"{path}: damaged: {error}\nits sha256 is {digest}; fetch or pack it again") from None


def encoding_of(path: Path, start: bytes) -> tuple[str, bool]:
    """Return the encoding of a text that begins so, and whether it is a guess.

    Raises:
        InputError: it is no text.
    """
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name, False
    zeros = start[:4096].count(0)
    if zeros:
        odd = start[1:4096:2].count(0)
        if zeros >= len(start[:4096]) * 0.4:
            return ("utf-16-le" if odd > zeros / 2 else "utf-16-be"), True
        raise InputError(f"{path}: holds zero bytes; it is no text\nsave it as UTF-8")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)  # a last letter may be cut
        return "utf-8", False
    except UnicodeDecodeError:
        return WESTERN, True


def decoded(path: Path, start: bytes, encoding: str, *, whole: bool = False) -> str:
    """Return the text that begins with these bytes; its last letter may be cut, unless they are the whole of it.

    Raises:
        InputError: an unknown encoding, or another one.
    """
    try:
        return codecs.getincrementaldecoder(encoding)().decode(start, final=whole)
    except LookupError:
        raise InputError(f"encoding={shown(encoding)} is not known\nas utf-8, utf-16, latin-1, cp1252, cp949") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not {encoding}: {error.reason}\nname another --encoding, or none") from None


def _rows(text: str, separator: str) -> list[list[str]]:
    """Return the first rows of a text that may be cut in its last line."""
    lines = [*io.StringIO(text, newline="")]  # other signs than line feeds and carriage returns end no line
    whole = lines[:-1] if len(lines) > 1 and len(text) >= _SAMPLE // 4 else lines
    reader = csv.reader(whole, delimiter=separator, skipinitialspace=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            rows.append([cell.strip() for cell in row])
            if len(rows) == _ROWS:
                break
    except csv.Error:  # a cell larger than any cell should be
        pass
    return rows


def _separator(path: Path, text: str) -> str:
    """Return the separator that gives most rows the same number of cells, more than one.

    It stands in the first line, too; without one there, each row is one cell, whatever it holds.
    """
    widths = {candidate: [len(row) for row in _rows(text, candidate) if row] for candidate in _SEPARATORS}
    able = [candidate for candidate, found in widths.items() if found and found[0] > 1]
    best, share = "," if "," in able else (able or ["\t"])[0], 0.0
    for candidate in able:
        width, count = Counter(widths[candidate]).most_common(1)[0]
        agreeing = count / len(widths[candidate]) if width > 1 else 0.0
        if agreeing > share + 0.02:
            best, share = candidate, agreeing
    words = [len(re.findall(r'"[^"]*"|\S+', line)) for line in text.splitlines()[:_ROWS] if line.strip()]
    if share < 0.5 and len(words) > 1 and words[0] > 1 and words.count(words[0]) > len(words) / 2:
        raise InputError(
            f"{path}: its rows cannot be cut into cells; comma, semicolon, tab and pipe were tried\n"
            "separate them by commas, or name what separates them in training: --separator\n"
            "if it is one column, put its name in quotes"
        )
    return best


def _count(rows: list[list[str]], pattern: re.Pattern) -> int:
    return sum(pattern.fullmatch(cell) is not None for row in rows[1:] for cell in row)


def _names(path: Path, cells: list[str]) -> tuple[str, ...]:
    """Return the names in a header; a column without a name is named by its number."""
    names = [cell or f"column {number}" for number, cell in enumerate(cells, 1)]
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        places = [str(number) for number, name in enumerate(names, 1) if name == twice]
        raise InputError(
            f"{path}: columns {' and '.join(places)} are both named '{shown(twice)}'\n"
            "rename one: columns are told apart by their names (or --no-header, if this line is a row)"
        )
    return tuple(names)


def _header_end(text: bytes, separator: str) -> int:
    """Return where the first line that is not empty ends, behind its line feed; 0 where it has no end yet."""
    ends = (found.end() for found in re.finditer(_quoted(separator.encode()) + rb"|\n", text) if found[0] == b"\n")
    return next((end for end in ends if text[:end].strip(b"\r\n")), 0)


def _quoted(separator: bytes) -> bytes:
    """Return the pattern of a cell in quotes; a quotation mark inside of a cell is a letter like any other."""
    start = re.escape(separator)
    return rb'(?:(?<=[\n%b])|(?<=%b )|^)"[^"]*(?:""[^"]*)*"' % (start, start)


def _cut(text: bytes) -> int:
    """Return where the last whole row of a text ends: behind a line feed outside of quotes."""
    end = len(text) + 1
    for _ in range(1000):
        end = text.rfind(b"\n", 0, end - 1) + 1
        if not end or text.count(b'"', 0, end) % 2 == 0:
            return end
    return text.rfind(b"\n") + 1  # a quotation mark that is none


def _check_widths(path: Path, text: bytes, dialect: Dialect, line: int) -> None:
    """Refuse rows with more or fewer cells than there are columns.

    Raises:
        InputError: names the line.
    """
    columns, separator = len(dialect.names), dialect.separator.encode()
    masked = re.sub(_quoted(separator), lambda found: b"x" * len(found[0]), text) if b'"' in text else text
    found = _widths(masked, separator)
    wrong = np.flatnonzero((found != columns) & (found > 0))
    if not len(wrong):
        return
    ends = [0, *(match.end() for match in re.finditer(rb"\n", masked))]
    at = line + text.count(b"\n", 0, ends[int(wrong[0])])
    all_of_them = len(wrong) == np.count_nonzero(found) and len(set(found[wrong])) == 1
    rows = "each row has" if all_of_them else f"line {at} has"
    more = f" ({len(wrong) - 1} more such lines)" if len(wrong) > 1 and not all_of_them else ""
    quoted = f"or put cells that hold a {_SEPARATORS.get(dialect.separator, dialect.separator)} in quotes"
    raise InputError(
        f"{path}: {rows} {found[wrong[0]]} cells{more}, {'the header names' if dialect.header else 'the first line'} "
        f"{columns}\n"
        + (
            f"name the additional column, remove the separator at the ends of the lines, {quoted}"
            if all_of_them
            else f"mend it, {quoted}"
        )
    )


def _widths(text: bytes, separator: bytes) -> np.ndarray:
    """Return the number of cells of each line, int64 (lines,); 0 for an empty line."""
    if not text.endswith(b"\n"):
        text += b"\n"
    letters = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero(letters == 10)
    starts = np.concatenate([[0], ends[:-1] + 1])
    cells = np.add.reduceat((letters == separator[0]).view(np.uint8), starts, dtype=np.uint32).astype(np.int64) + 1
    blank = (ends == starts) | ((ends == starts + 1) & (letters[starts] == 13))
    return np.where(blank, 0, cells)
