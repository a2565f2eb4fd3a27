from pathlib import Path

import numpy as np
import pytest

from kerasrun.errors import InputError
from kerasrun.tables import dates, dialect, growing, kinds, reader
from kerasrun.tables.kinds import UNKNOWN, Column
from kerasrun.tables.reader import Wanted

PATH = Path("t.csv")


def raw(tmp_path, cells, name="c", **wanted):
    path = tmp_path / "table.csv"
    path.write_text(f"{name},other\n" + "".join(f"{cell},0\n" for cell in cells))
    return reader.read(path, Wanted(**wanted)).columns[name]


def kind(tmp_path, cells, name="c", wanted=None):
    as_text = frozenset([name] if wanted in ("category", "date") else [])
    return kinds.column(PATH, raw(tmp_path, cells, name, texts=as_text), wanted)


def test_numbers_are_numbers_and_few_texts_are_categories(tmp_path):
    assert kind(tmp_path, [1.5, 2, 7] * 10) == Column("c", "number")
    assert kind(tmp_path, ["x", "y", "x"] * 10) == Column("c", "category", texts=("x", "y"))


@pytest.mark.parametrize(
    ("cells", "name", "reason"),
    [
        ([""] * 30, "c", "empty in every row"),
        (range(1, 31), "c", "counts the rows from 1"),
        ([i * 7919 % 1000 for i in range(30)], "customer_id", "an id by its name"),
        ([f"text {i}" for i in range(30)], "c", "30 different texts in 30 cells"),
    ],
)
def test_what_a_network_learns_nothing_from_is_left_out_with_the_reason(tmp_path, cells, name, reason):
    assert reason in kind(tmp_path, cells, name)


@pytest.mark.parametrize(
    ("cells", "name"), [([i // 6 for i in range(60)], "shop_id"), (range(10), "c"), (range(1990, 2024), "year")]
)
def test_what_repeats_or_is_short_or_starts_elsewhere_is_no_id(tmp_path, cells, name):
    assert isinstance(kind(tmp_path, cells, name), Column)


def test_the_user_may_say_otherwise(tmp_path):
    assert kind(tmp_path, range(30), wanted="number").kind == "number"
    assert kind(tmp_path, range(30), wanted="category").texts[:2] == ("0", "1")
    assert kind(tmp_path, [f"text {i}" for i in range(30)], wanted="category").kind == "category"


@pytest.mark.parametrize(
    ("written", "format"),
    [("2024-03-{:02d}", "ISO8601"), ("2024-03-{:02d} 12:00:00", "ISO8601"), ("{:02d}.03.2024", "%d.%m.%Y"),
     ("3/{}/2024", "%m/%d/%Y"), ("2024/03/{:02d}", "ISO8601")],
)  # fmt: skip
def test_dates_become_days_from_the_first_one(tmp_path, written, format):
    cells = [written.format(day) for day in range(10, 28)]
    column = kind(tmp_path, cells)
    assert (column.kind, column.date, column.origin) == ("date", format, 19792)
    days = kinds.values(PATH, raw(tmp_path, cells), column)
    np.testing.assert_array_equal(days, np.arange(18, dtype=np.float32) + (0.5 if "12" in written else 0))


def test_numbers_and_short_codes_are_no_dates():
    assert dates.recognized(["A-1", "B-2"]) == ""
    assert dates.recognized(["12345678", "23456789"]) == ""


def test_a_cell_that_is_no_date_among_dates_is_named(tmp_path, monkeypatch):
    cells = [f"2024-03-{day:02d}" for day in range(1, 29)]
    column = kind(tmp_path, cells)
    with pytest.raises(InputError, match="row 3 of column 'c' holds 'soon', the others dates"):
        kinds.values(PATH, raw(tmp_path, [*cells[:2], "soon"]), column)


@pytest.mark.parametrize("kept", [1500, 50_000])
@pytest.mark.parametrize(
    ("format", "written", "wrong"),
    [("%d/%m/%Y %H:%M", "{1:02d}/{0:02d}/2023 {2:02d}:00", "12/31/2023 00:00"),
     ("%m/%d/%Y %H:%M", "{0:02d}/{1:02d}/2023 {2:02d}:00", "31/12/2023 00:00")],
)  # fmt: skip
def test_the_format_of_dates_is_the_one_that_most_of_all_have(tmp_path, monkeypatch, kept, format, written, wrong):
    monkeypatch.setattr(growing, "_FREE_TEXTS", kept)
    monkeypatch.setattr(dialect, "BLOCK", 1000)
    times = [(month, day, hour) for day in range(1, 29) for month in range(1, 13) for hour in range(0, 24, 3)]
    assert all(day <= 12 for _, day, _ in times[:1000])
    cells = [written.format(*time) for time in times]
    column = kind(tmp_path, cells)
    assert (column.kind, column.date, column.origin) == ("date", format, 19358)
    found = np.datetime64("2023-01-01") + (kinds.values(PATH, raw(tmp_path, cells), column) * 24).astype(
        "timedelta64[h]"
    )
    wanted = [np.datetime64(f"2023-{month:02d}-{day:02d}T{hour:02d}") for month, day, hour in times]
    np.testing.assert_array_equal(found, wanted)
    with pytest.raises(InputError, match=f"row 2001 of column 'c' holds '{wrong}', the others dates") as refusal:
        kind(tmp_path, [*cells[:2000], wrong, *cells[2000:]])
    assert f"choose one: --na '{wrong}' (an empty cell)" in str(refusal.value)


@pytest.mark.parametrize("cells", [["", "soon"], ["soon", "", "later", "2024-05-01"], [7, "soon"]])
@pytest.mark.parametrize("before", [12, 30])
def test_what_is_no_date_among_many_is_named_and_no_empty_cell(tmp_path, monkeypatch, cells, before):
    monkeypatch.setattr(growing, "_FREE_TEXTS", 20)
    monkeypatch.setattr(dates, "_LOOKED_AT", 10)
    monkeypatch.setattr(dialect, "BLOCK", 100)
    days = [str(np.datetime64("2024-01-01") + i) for i in range(60)]
    at, wrong = next((at, cell) for at, cell in enumerate(cells, before + 1) if cell)
    with pytest.raises(InputError, match=f"row {at} of column 'c' holds '{wrong}', the others dates"):
        kind(tmp_path, [*days[:before], *cells, *days[before:]])


def test_a_text_in_a_column_of_numbers_is_named_with_row_value_and_remedies(tmp_path):
    with pytest.raises(
        InputError, match=r"row 21 of column 'c' holds '\?', the others numbers \(and 1 more"
    ) as refusal:
        kind(tmp_path, [*range(20), "?", "?"])
    assert "--na '?' (an empty cell) · --kinds 'c=category' · --drop 'c'" in str(refusal.value)


def test_a_column_is_not_forced_into_what_it_is_not(tmp_path):
    with pytest.raises(InputError, match="row 1 of column 'c' holds 'x'"):
        kind(tmp_path, ["x", "y", 3] * 10, wanted="number")
    with pytest.raises(InputError, match="holds texts, as 'x', no dates"):
        kind(tmp_path, ["x", "y", "z"] * 10, wanted="date")


def test_cells_of_another_file_keep_the_numbers_of_the_first(tmp_path):
    column = Column("c", "category", texts=("x", "y"))
    cells = kinds.values(PATH, raw(tmp_path, ["y", "z", "", "x"]), column)
    np.testing.assert_array_equal(cells, np.float32([1, UNKNOWN, np.nan, 0]))
    with pytest.raises(InputError, match="holds numbers where texts were"):
        kinds.values(PATH, raw(tmp_path, [1, 2]), column)
    with pytest.raises(InputError, match="row 2 of column 'c' holds 'x'"):
        kinds.values(PATH, raw(tmp_path, [1, "x"]), Column("c", "number"))


@pytest.mark.parametrize("later", ["True False", "TRUE FALSE", "true false"])
@pytest.mark.parametrize("first", ["True False", "TRUE FALSE", "true false"])
@pytest.mark.parametrize("as_text", [(), ("c",)])
def test_a_truth_value_is_one_category_however_it_is_spelled(tmp_path, first, later, as_text):
    column = kinds.column(PATH, raw(tmp_path, first.split() * 10, texts=frozenset(as_text)))
    assert [text.title() for text in column.texts] == ["True", "False"]
    cells = raw(tmp_path, [*later.split(), "maybe"], texts=frozenset("c"))
    np.testing.assert_array_equal(kinds.values(PATH, cells, column), [0, 1, UNKNOWN])


def test_spellings_of_a_truth_value_that_the_table_itself_tells_apart_stay_apart(tmp_path):
    column = kinds.column(PATH, raw(tmp_path, ["TRUE", "true", "maybe"] * 10))
    assert column.texts == ("TRUE", "true", "maybe")
    cells = raw(tmp_path, ["true", "TRUE", "True", "False"], texts=frozenset("c"))
    np.testing.assert_array_equal(kinds.values(PATH, cells, column), [1, 0, 0, UNKNOWN])
