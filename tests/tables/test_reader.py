import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun.errors import InputError
from kerasrun.tables import dialect, growing, reader
from kerasrun.tables.reader import Wanted


def read(tmp_path, content, **wanted):
    path = tmp_path / "table.csv"
    path.write_text(content, encoding="utf-8")
    return reader.read(path, Wanted(**wanted))


def texts(column):
    return [None if code < 0 else column.texts[code] for code in column.cells]


def test_numbers_and_texts_are_kept_apart(tmp_path):
    raw = read(tmp_path, "n,t\n1,x\n2.5,y\n,x\n4,\n")
    assert (raw.rows, [*raw.columns]) == (4, ["n", "t"])
    n, t = raw.columns.values()
    assert (n.form, n.cells.dtype, t.form) == ("numbers", np.float32, "texts")
    np.testing.assert_array_equal(n.cells, [1, 2.5, np.nan, 4])
    assert texts(t) == ["x", "y", "x", None]
    assert [*n.empty] == [False, False, True, False]
    assert [*t.empty] == [False, False, False, True]


@pytest.mark.parametrize("word", ["", "NA", "NaN", "null", " "])
def test_usual_words_for_nothing_are_empty_cells(tmp_path, word):
    assert read(tmp_path, f"n,m\n1,2\n{word},3\n").columns["n"].empty.tolist() == [False, True]


@pytest.mark.parametrize("size", [16, 1 << 20])
@pytest.mark.parametrize("blank", ['" "', '"   "', "\u00a0"])
def test_blanks_in_quotes_are_empty_cells_of_numbers_and_of_texts(tmp_path, monkeypatch, blank, size):
    monkeypatch.setattr(dialect, "BLOCK", size)
    rows = [("1.5", '"x"'), (blank, blank), ("", ""), ("-4", '"x "'), (blank, blank), (blank, '"y"'), ("7", blank)]
    columns = read(tmp_path, "n,t\n" + "".join(f"{n},{t}\n" for n, t in rows)).columns
    assert columns["n"].form == "numbers"
    np.testing.assert_array_equal(columns["n"].cells, np.float32([1.5, np.nan, np.nan, -4, np.nan, np.nan, 7]))
    assert texts(columns["t"]) == ["x", None, None, "x", None, "y", None]
    assert columns["t"].texts == ["x", "y"]
    spoilt = read(tmp_path, "n,t\n" + "".join(f"{n},{t}\n" for n, t in [*rows, ("?", "x")])).columns["n"]
    assert (spoilt.spoilt, spoilt.typos) == ((8, "?", 1), True)


def test_blank_texts_of_parquet_are_empty_cells(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"n": ["1.5", "", None, "-4"], "t": ["x", " ", "", "y"], "e": ["", None, " ", ""]})
    frame.to_parquet(tmp_path / "t.parquet")
    columns = reader.read(tmp_path / "t.parquet", Wanted()).columns
    np.testing.assert_array_equal(columns["n"].cells, np.float32([1.5, np.nan, np.nan, -4]))
    assert texts(columns["t"]) == ["x", None, None, "y"]
    assert columns["e"].empty.all()


def test_further_words_for_nothing_may_be_for_one_column(tmp_path):
    raw = read(tmp_path, "n,m\n0,0\n?,3\n", na=("?", "n=0"))
    assert raw.columns["n"].empty.all()
    assert raw.columns["m"].cells.tolist() == [0, 3]


def test_a_text_among_numbers_is_remembered_with_its_row(tmp_path):
    column = read(tmp_path, "n,m\n" + "1,2\n" * 20 + "?,2\n" * 2).columns["n"]
    assert column.spoilt == (21, "?", 2)
    assert column.typos


def test_some_numbers_among_many_texts_are_texts(tmp_path):
    column = read(tmp_path, "n,m\n" + "".join(f"{i if i % 2 else f'A{i}'},2\n" for i in range(40))).columns["n"]
    assert not column.typos
    assert texts(column)[:2] == ["A0", "1"]


def test_a_column_whose_blocks_differ_is_read_as_texts(tmp_path, monkeypatch):
    monkeypatch.setattr(dialect, "BLOCK", 64)
    cells = [*map(str, range(60)), *(f"word{i}" for i in range(60))]
    column = read(tmp_path, "n,m\n" + "".join(f"{cell},0\n" for cell in cells)).columns["n"]
    assert texts(column) == cells


def test_empty_blocks_change_no_column(tmp_path, monkeypatch):
    monkeypatch.setattr(dialect, "BLOCK", 64)
    cells = [""] * 30 + ["x", "y"] * 15 + [""] * 30
    column = read(tmp_path, "n,m\n" + "".join(f"{cell},0\n" for cell in cells)).columns["n"]
    assert texts(column) == [cell or None for cell in cells]


def test_a_column_may_be_wanted_as_text_exactly_or_not_at_all(tmp_path):
    raw = read(
        tmp_path, "zip,big,c\n02134,20000001,1\n", texts=frozenset(["zip"]), exact=frozenset(["big"]),
        skipped=frozenset("c"),
    )  # fmt: skip
    assert texts(raw.columns["zip"]) == ["02134"]
    assert raw.columns["big"].cells[0] == 20000001
    assert [*raw.columns] == ["zip", "big"]


def test_texts_that_are_all_different_are_let_go(tmp_path, monkeypatch):
    monkeypatch.setattr(growing, "_FREE_TEXTS", 10)
    raw = read(tmp_path, "t,day,k\n" + "".join(f"text {i},2024-01-{i % 28 + 1:02d},{i % 5}x\n" for i in range(50)))
    assert {name: column.form for name, column in raw.columns.items()} == {"t": "free", "day": "dates", "k": "texts"}
    assert len(raw.columns["t"].cells) == 0
    assert raw.columns["day"].cells[0] == 19723
    kept = read(tmp_path, "t,k\n" + "".join(f"text {i},0\n" for i in range(50)), exact=frozenset("t"))
    assert len(kept.columns["t"].texts) == 50


@pytest.mark.parametrize("empty", [[45], [*range(40, 60)]])
def test_empty_cells_among_more_dates_than_a_vocabulary_holds_stay_empty(tmp_path, monkeypatch, empty):
    monkeypatch.setattr(growing, "_FREE_TEXTS", 10)
    monkeypatch.setattr(dialect, "BLOCK", 128)
    days = np.datetime64("2024-01-01") + np.arange(70)
    cells = ["" if i in empty else str(day) for i, day in enumerate(days)]
    column = read(tmp_path, "day,k\n" + "".join(f"{cell},0\n" for cell in cells)).columns["day"]
    assert column.form == "dates"
    assert np.flatnonzero(column.empty).tolist() == empty
    known = ~column.empty
    np.testing.assert_array_equal(column.cells[known], 19723 + np.arange(70)[known])


def test_decimal_commas_are_numbers(tmp_path):
    column = read(tmp_path, "a;b\n" + "1,5;x\n2,25;y\n" * 5).columns["a"]
    assert column.cells.tolist()[:2] == [1.5, 2.25]


def test_points_between_thousands_are_no_decimal_points(tmp_path):
    columns = read(tmp_path, "a;b;c\n987;1,5;1.234,5\n1.234;2,5;7,25\n2.345;-,5;8\n").columns
    assert (columns["a"].spoilt, columns["a"].typos) == ((2, "1.234", 2), True)
    assert columns["b"].cells.tolist() == [1.5, 2.5, -0.5]
    assert (columns["c"].spoilt, columns["c"].typos) == ((1, "1.234,5", 1), True)


def test_dates_with_points_are_dates_among_decimal_commas(tmp_path):
    column = read(
        tmp_path, "day;b\n" + "".join(f"{day:02d}.03.2024;1,5\n" for day in range(1, 20)) + "7;2,5\n"
    ).columns["day"]
    assert not column.typos


def test_truth_values_are_texts(tmp_path):
    assert texts(read(tmp_path, "a,b\nTrue,1\nFalse,2\n").columns["a"]) == ["True", "False"]


def test_the_encoding_that_shows_late_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(dialect, "_SAMPLE", 64)
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b\n" + b"1,x\n" * 100 + "2,grün\n".encode("latin-1"))
    raw = reader.read(path, Wanted())
    assert raw.columns["b"].texts == ["x", "grün"]
    assert "cp1252 (a guess" in raw.says
    with pytest.raises(InputError, match="not utf-8"):
        reader.read(path, Wanted(encoding="utf-8"))


def test_a_table_that_fills_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reader.environment, "memory", lambda: 100)
    with pytest.raises(InputError, match="do not fit in memory"):
        read(tmp_path, "a,b\n" + "1,2\n" * 100)


def test_parquet_gives_what_csv_gives(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({
        "n": [1.5, None, 3], "i": [1, 2, 3], "t": ["x", "?", None], "b": [True, False, True],
        "d": pd.to_datetime(["2024-01-01", "2024-01-02", None]), "c": pd.Categorical(["u", "v", "u"]),
    })  # fmt: skip
    frame.to_parquet(tmp_path / "t.parquet")
    assert reader.names(tmp_path / "t.parquet", Wanted()) == ("n", "i", "t", "b", "d", "c")
    raw = reader.read(tmp_path / "t.parquet", Wanted(na=("?",)))
    assert {name: column.form for name, column in raw.columns.items()} == {
        "n": "numbers", "i": "numbers", "t": "texts", "b": "texts", "d": "dates", "c": "texts",
    }  # fmt: skip
    assert texts(raw.columns["t"]) == ["x", None, None]
    assert texts(raw.columns["c"]) == ["u", "v", "u"]
    np.testing.assert_array_equal(raw.columns["d"].cells, [19723, 19724, np.nan])


def test_numbers_of_parquet_may_be_wanted_as_text_or_stand_for_nothing_as_in_csv(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    monkeypatch.setattr(reader, "_BATCH", 4)
    frame = pd.DataFrame({
        "zip": [2134, 0, 90210, 0, 7, 0], "gap": [2134, 0, None, 0, 7, 0], "share": [0.1, 2.5, np.nan, 0.1, 1, 0],
        "large": pd.array([2**60 + 1, None, 5, 5, 5, 5], "Int64"), "on": [True, False, True, True, True, True],
        "insulin": [0, 94, 0, 168, 9, 0], "dose": [0.0, 1.5, np.nan, 2.5, 9, 9], "other": [0, 1, 2, 3, 9, 9],
    }).astype({"share": "float32"})  # fmt: skip
    frame.to_parquet(tmp_path / "t.parquet")
    as_text = frozenset(["zip", "gap", "share", "large"])
    na = ("insulin=0", "dose=0", "on=0", "9", "gap=7", "?")
    columns = reader.read(tmp_path / "t.parquet", Wanted(texts=as_text, na=na)).columns
    assert {name: texts(columns[name]) for name in (*as_text, "on")} == {
        "zip": ["2134", "0", "90210", "0", "7", "0"], "gap": ["2134", "0", None, "0", None, "0"],
        "share": ["0.1", "2.5", None, "0.1", "1", "0"], "large": [str(2**60 + 1), None, "5", "5", "5", "5"],
        "on": ["True", "False", "True", "True", "True", "True"],
    }  # fmt: skip
    np.testing.assert_array_equal(columns["insulin"].cells, [np.nan, 94, np.nan, 168, np.nan, np.nan])
    np.testing.assert_array_equal(columns["dose"].cells, [np.nan, 1.5, np.nan, 2.5, np.nan, np.nan])
    np.testing.assert_array_equal(columns["other"].cells, [0, 1, 2, 3, np.nan, np.nan])
    frame.astype({"share": "str"}).to_csv(tmp_path / "t.csv", index=False)
    of_csv = reader.read(tmp_path / "t.csv", Wanted(texts=as_text, na=na)).columns
    assert {name: texts(of_csv[name]) for name in ("zip", "large", "on")} == {
        name: texts(columns[name]) for name in ("zip", "large", "on")
    }
    for name in ("insulin", "dose", "other"):
        np.testing.assert_array_equal(of_csv[name].cells, columns[name].cells)


def test_an_index_in_parquet_is_a_column(tmp_path):
    pytest.importorskip("pyarrow")
    pd.DataFrame({"n": [1.5, 2, 3], "k": ["x", "y", "x"]}).set_index("k").to_parquet(tmp_path / "t.parquet")
    columns = reader.read(tmp_path / "t.parquet", Wanted()).columns
    assert columns["n"].cells.tolist() == [1.5, 2, 3]
    assert texts(columns["k"]) == ["x", "y", "x"]


def test_a_column_of_parquet_without_single_values_is_refused_unless_it_is_left_out(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "t.parquet"
    frame = pd.DataFrame({"n": [1.5, 2.5], "tags": [["a"], ["b", "c"]], "the place": [{"x": 1}, {"x": 2}]})
    frame.to_parquet(path)
    with pytest.raises(InputError) as refusal:
        reader.read(path, Wanted())
    assert f"{path}: column 'tags' holds list<" in str(refusal.value)
    assert str(refusal.value).endswith(", no single values\nleave it out: --drop 'tags'")
    with pytest.raises(InputError, match="column 'the place' holds struct<x: int64>, no single values"):
        [*reader.stream(path, Wanted(skipped=frozenset(["tags"])))]
    assert [*reader.read(path, Wanted(skipped=frozenset(["tags", "the place"]))).columns] == ["n"]


def test_what_is_no_parquet_is_refused(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "t.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(InputError, match="no Parquet file"):
        reader.read(tmp_path / "t.parquet", Wanted())


NUMBERS = st.one_of(st.none(), st.floats(-1e6, 1e6, width=32), st.integers(-(2**20), 2**20))
WORDS = st.one_of(st.none(), st.sampled_from(["x", "y", "a word", 'quo"te', "com,ma"]))


@given(st.lists(st.tuples(NUMBERS, WORDS), min_size=1, max_size=40), st.integers(16, 200))
def test_what_is_written_is_read_however_it_is_cut(tmp_path_factory, rows, size):
    folder = tmp_path_factory.mktemp("reader")
    pd.DataFrame(rows, columns=["n", "t"]).assign(k=1).to_csv(folder / "table.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dialect, "BLOCK", size)
        raw = reader.read(folder / "table.csv", Wanted())
    n, t = raw.columns["n"], raw.columns["t"]
    np.testing.assert_allclose(n.cells, np.array([row[0] for row in rows], dtype=np.float32), rtol=1e-6)
    if t.form == "texts":
        assert texts(t) == [row[1] for row in rows]
    else:
        assert t.empty.all()


def test_a_stream_of_blocks_is_the_file_block_by_block(tmp_path, monkeypatch):
    monkeypatch.setattr(dialect, "BLOCK", 64)
    path = tmp_path / "table.csv"
    path.write_text("n,t\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(60)))
    blocks = [*reader.stream(path, Wanted(texts=frozenset("t")))]
    assert len(blocks) > 2
    assert [block["n"].before for block in blocks] == np.cumsum([0, *(len(b["n"].cells) for b in blocks[:-1])]).tolist()
    assert np.concatenate([block["n"].cells for block in blocks]).tolist() == [*range(60)]
    assert "".join(t for block in blocks for t in texts(block["t"])) == "ab" * 30


def test_a_stream_takes_the_encoding_that_shows_late_as_training_does(tmp_path, monkeypatch):
    monkeypatch.setattr(dialect, "_SAMPLE", 64)
    monkeypatch.setattr(dialect, "BLOCK", 64)
    path = tmp_path / "table.csv"
    path.write_bytes(b"n,t\n" + b"".join(b"%d,x\n" % i for i in range(60)) + "60,grün\n61,y\n".encode("latin-1") * 20)
    blocks = [*reader.stream(path, Wanted(texts=frozenset("t")))]
    whole = reader.read(path, Wanted(texts=frozenset("t"))).columns
    for name, value in (("n", lambda column: column.cells.tolist()), ("t", texts)):
        assert [each for block in blocks for each in value(block[name])] == value(whole[name])
    assert [block["n"].before for block in blocks] == np.cumsum([0, *(len(b["n"].cells) for b in blocks[:-1])]).tolist()
    with pytest.raises(InputError, match="not utf-8"):
        [*reader.stream(path, Wanted(encoding="utf-8"))]


def test_a_stream_of_parquet_is_the_same(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'kerasrun[parquet]'")
    monkeypatch.setattr(reader, "_BATCH", 20)
    pd.DataFrame({"n": np.arange(50.0), "t": ["a", "b"] * 25}).to_parquet(tmp_path / "table.parquet")
    blocks = [*reader.stream(tmp_path / "table.parquet", Wanted())]
    assert [(block["n"].before, len(block["n"].cells), block["t"].form) for block in blocks] == [
        (0, 20, "texts"), (20, 20, "texts"), (40, 10, "texts"),
    ]  # fmt: skip


def test_a_text_among_numbers_is_named_by_its_row_in_the_whole_file(tmp_path, monkeypatch):
    monkeypatch.setattr(dialect, "BLOCK", 64)
    path = tmp_path / "table.csv"
    path.write_text("n\n" + "".join(f"{'?' if i == 50 else i}\n" for i in range(60)))
    assert [block["n"].spoilt for block in reader.stream(path, Wanted()) if block["n"].spoilt] == [(51, "?", 1)]
