import csv
import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun.errors import InputError
from kerasrun.tables import dialect
from kerasrun.tables.dialect import WrongEncoding

ROWS = "a,b,color\n" + "".join(f"{i}.5,{i % 3},{['red', 'green', 'blue'][i % 3]}\n" for i in range(40))


def found(tmp_path, content, **given):
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return dialect.detect(path, **given)


def refused(tmp_path, content, *words, **given):
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputError) as refusal:
        list(dialect.blocks(path, dialect.detect(path, **given)))
    message = str(refusal.value)
    assert len(message.splitlines()) <= 3
    for word in words:
        assert word in message
    return message


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_recognized(tmp_path, separator):
    assert found(tmp_path, ROWS.replace(",", separator)).separator == separator


@pytest.mark.parametrize(
    "rows",
    [["Good film, really", "Bad film, sadly", "Fine, thanks"], ["hello world", "hi"], ["1,5", "2,5"], ["1", "2", "3"],
     ["so; so", "a | b", "fine", "c, d, e"], ['"Good, really"', '"so, so"']],
)  # fmt: skip
@pytest.mark.parametrize("head", ["text", "the text", '"text, as written"'])
def test_below_one_name_rows_have_one_cell_whatever_separators_they_hold(tmp_path, head, rows):
    content = "\n".join([head, *rows, "and at last a longer one", ""])
    told = found(tmp_path, content)
    assert told.names == (head.strip('"'),)
    assert "separated" not in str(told)
    ((block, line),) = dialect.blocks(tmp_path / "table.csv", told)
    assert (block.decode().splitlines(), line) == (content.splitlines()[1:], 2)


@pytest.mark.parametrize("separator", [",", ";"])
def test_names_that_are_separated_are_several_however_few_cells_the_rows_have(tmp_path, separator):
    content = f"a{separator}b\n1\n2\n3{separator}4\n"
    assert found(tmp_path, content).names == ("a", "b")
    refused(tmp_path, content, "line 2 has 1 cells (1 more such lines), the header names 2")


def test_a_form_feed_ends_no_row(tmp_path):
    assert found(tmp_path, "name, in short;y\n" + "a\fb,\fc;1\n" * 9).separator == ";"


def test_a_row_of_more_cells_than_the_one_name_is_never_cut(tmp_path):
    content = "text\nGood film, really\nFine\n"
    refused(tmp_path, content, "line 2 has 2 cells, the header names 1", "put cells that hold a comma", separator=",")
    refused(tmp_path, content.replace(",", "\t"), "line 2 has 2 cells", "put cells that hold a tab in quotes")
    refused(tmp_path, "text\nGood, really\nFine, too\n", "each row has 2 cells", "or put cells", separator=",")


def test_a_decimal_comma_is_recognized_where_it_does_not_separate(tmp_path):
    german = found(tmp_path, ROWS.replace(",", ";").replace(".", ","))
    assert (german.separator, german.decimal) == (";", ",")
    assert str(german) == "semicolon-separated, decimal comma, utf-8"
    assert found(tmp_path, ROWS).decimal == "."


@pytest.mark.parametrize(
    ("encoding", "recognized"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
     ("utf-16-be", "utf-16-be"), ("utf-32", "utf-32")],
)  # fmt: skip
def test_the_encoding_is_recognized(tmp_path, encoding, recognized):
    told = found(tmp_path, ROWS.encode(encoding))
    assert (told.encoding, told.names) == (recognized, ("a", "b", "color"))


def test_a_text_that_is_no_utf8_is_taken_as_western_and_said_to_be_a_guess(tmp_path):
    told = found(tmp_path, ROWS.replace("green", "grün").encode("latin-1"))
    assert told.encoding == "cp1252"
    assert "a guess" in str(told)


def test_an_encoding_that_is_given_is_not_guessed(tmp_path):
    assert found(tmp_path, ROWS.replace("red", "빨강").encode("cp949"), encoding="cp949").encoding == "cp949"


def test_a_wrong_encoding_is_noticed_wherever_it_shows(tmp_path, monkeypatch):
    monkeypatch.setattr(dialect, "BLOCK", 200)
    path = tmp_path / "table.csv"
    path.write_bytes(ROWS.encode() + "1,2,grün\n".encode("latin-1"))
    with pytest.raises(WrongEncoding, match="not utf-8 near line"):
        list(dialect.blocks(path, dialect.Dialect("utf-8", ",", ".", ("a", "b", "color"), header=True)))


def test_a_first_row_with_a_number_is_no_header(tmp_path):
    told = found(tmp_path, ROWS.partition("\n")[2])
    assert (told.header, told.names) == (False, ("1", "2", "3"))
    assert found(tmp_path, ROWS).header


def test_the_header_may_be_said(tmp_path):
    assert found(tmp_path, "1990,1991\n1,2\n", header=True).names == ("1990", "1991")
    assert found(tmp_path, "x,y\nz,u\n", header=False).names == ("1", "2")


def test_names_lose_their_blanks_and_columns_without_one_get_a_number(tmp_path):
    assert found(tmp_path, " a , b, \n1,2,3\n").names == ("a", "b", "column 3")


def test_a_name_that_stands_twice_is_refused(tmp_path):
    refused(tmp_path, "a,b,a\n1,2,3\n", "columns 1 and 3", "'a'")


@pytest.mark.parametrize("content", ["", "\n\n", "a,b,c\n", "a,b,c"])
def test_a_table_without_a_row_is_refused(tmp_path, content):
    refused(tmp_path, content, "a row for each example")


def test_a_row_with_another_number_of_cells_is_named_by_its_line(tmp_path):
    lines = ROWS.splitlines()
    refused(tmp_path, "\n".join([*lines[:7], "1,2", *lines[7:]]), "line 8 has 2 cells", "the header names 3")
    refused(tmp_path, "\n".join([*lines[:7], "1,2,red,4", *lines[7:]]), "line 8 has 4 cells")


def test_a_further_cell_in_every_row_is_said_once(tmp_path):
    head, *lines = ROWS.splitlines()
    refused(tmp_path, "\n".join([head, *(f"{line}," for line in lines)]), "each row has 4 cells", "the ends")


def test_lines_are_counted_behind_a_quoted_line_feed(tmp_path):
    refused(tmp_path, 'a,b,c\n1,2,"x\ny, z"\n1,2\n', "line 4 has 2 cells")


@pytest.mark.parametrize("size", [64, 1 << 20])
@pytest.mark.parametrize(
    "head", ['name,screen 15",price', '"name, whole","a ""word""\nin two lines",15" screen', "\n\r\nname,screen,price"]
)
def test_the_rows_begin_behind_the_header_whatever_quotation_marks_it_holds(tmp_path, monkeypatch, head, size):
    rows = "".join(f"n{i},{i},{i / 2}\n" for i in range(30)) + 'x,"5",7\n' * 3
    path = tmp_path / "table.csv"
    path.write_text(f"{head}\n{rows}")
    told = dialect.detect(path)
    assert len(told.names) == 3
    monkeypatch.setattr(dialect, "BLOCK", size)
    pieces = [*dialect.blocks(path, told)]
    assert b"".join(piece for piece, _ in pieces).decode() == rows
    assert pieces[0][1] == head.count("\n") + 2


def test_blank_lines_and_carriage_returns_do_no_harm(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(ROWS.replace("\n", "\r\n").encode() + b"\r\n\r\n")
    (block,) = [text for text, _ in dialect.blocks(path, dialect.detect(path))]
    assert block.count(b"red") == 14


def test_gzip_is_unpacked_whatever_the_files_name(tmp_path):
    assert found(tmp_path, gzip.compress(ROWS.encode())).names == ("a", "b", "color")


@pytest.mark.parametrize("harm", [lambda packed: packed[: len(packed) // 2], lambda packed: packed[:-8] + bytes(8)])
def test_a_damaged_gzip_is_named_with_its_sum(tmp_path, harm):
    refused(tmp_path, harm(gzip.compress(ROWS.encode() * 20)), "damaged", "sha256", "fetch or pack it again")


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"PK\x03\x04 workbook", "Excel"), (bytes(range(256)) * 20, "zero bytes"), (b"a b\n1 2\n3 4\n", "--separator"),
     (b"5.1 3.5 x\n4.9 3.0 y\n", "separate them by commas"),
     (b"a,b\r1,2\r3,4\r", "carriage returns")],
)  # fmt: skip
def test_what_is_no_such_text_is_refused_in_words(tmp_path, content, words):
    refused(tmp_path, content, words)


def test_a_line_without_an_end_is_no_table(tmp_path, monkeypatch):
    monkeypatch.setattr(dialect, "BLOCK", 1000)
    refused(tmp_path, "a,b\n1,2\n" + "x" * 300_000, "has no end")


def test_a_header_may_be_longer_than_what_is_looked_at_first(tmp_path):
    names = [f"a column with a long name, {i}" for i in range(12_000)]
    row = [f"{i}.5" for i in range(12_000)]
    text = ";".join(names) + "\n" + f"{';'.join(row)}\n".replace(".", ",") * 2
    assert len(text.partition("\n")[0]) > dialect._SAMPLE
    path = tmp_path / "table.csv"
    path.write_text(text)
    told = dialect.detect(path)
    assert (told.separator, told.decimal, [*told.names]) == (";", ",", names)
    assert [len(piece.splitlines()) for piece, _ in dialect.blocks(path, told)] == [2]
    refused(tmp_path, text.partition("\n")[0], "a row for each example")


def test_a_table_may_have_more_columns_than_sixteen_bits_count(tmp_path):
    head = ",".join(f"c{i}" for i in range(70_000))
    path = tmp_path / "table.csv"
    path.write_text(f"{head}\n" + (",".join(["1"] * 70_000) + "\n") * 3)
    told = dialect.detect(path)
    assert (told.separator, len(told.names)) == (",", 70_000)
    assert sum(piece.count(b",") for piece, _ in dialect.blocks(path, told)) == 3 * 69_999
    refused(tmp_path, path.read_text()[:-1] + ",1\n", "line 4 has 70001 cells")


CELLS = st.text(st.sampled_from('ab1,"\n é'), max_size=6)
SIZES = st.integers(12, 60)  # bytes of a block; four hold the longest row


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=30), SIZES)
def test_blocks_hold_every_row_once_and_whole(tmp_path_factory, rows, size):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([("x", "y", "z"), *rows])
    path = tmp_path_factory.mktemp("blocks") / "table.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    whole = dialect.Dialect("utf-8", ",", ".", ("x", "y", "z"), header=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dialect, "BLOCK", size)
        pieces = [block.decode() for block, _ in dialect.blocks(path, whole)]
    assert [tuple(row) for piece in pieces for row in csv.reader(io.StringIO(piece, newline=""))] == rows
