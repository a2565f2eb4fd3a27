from pathlib import Path

import numpy as np
import pytest

from kerasrun import own_data, tables
from kerasrun.errors import InputError
from kerasrun.tables import dates, dialect, growing

TEXT = "a,b,color,y\n" + "".join(f"{i}.5,{i % 4},{['red', 'green', 'blue'][i % 3]},{i % 2}\n" for i in range(30))


def options(**given):
    return {
        name: option.read(name, given[name]) if name in given else option.default
        for name, option in own_data.TABLE_OPTIONS.items()
    }


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text(TEXT)
    return file


def opened(path, **given):
    _, canonical = tables.describe(path, options(**{"target": "y", **given}))
    return tables.take(path, canonical)


def with_empty(path, *cells):
    """Empty some cells: (row from 1, column)."""
    lines = path.read_text().splitlines()
    for row, column in cells:
        values = lines[row].split(",")
        values[column] = ""
        lines[row] = ",".join(values)
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_table_has_numbers_and_places_among_categories(path):
    table = opened(path)
    assert [(column.name, column.kind) for column in table.columns] == [
        ("a", "number"), ("b", "number"), ("color", "category"),
    ]  # fmt: skip
    np.testing.assert_array_equal(table.x[:4], np.float32([[0.5, 0, 0], [1.5, 1, 1], [2.5, 2, 2], [3.5, 3, 0]]))
    assert table.rows[:2].tolist() == [1, 2]
    assert table.target.y[:2].tolist() == [0, 1]
    assert table.notes[:2] == (
        "table.csv: 30 rows × 4 columns, comma-separated, utf-8", "target y: binary, 2 classes: 0 (15), 1 (15)",
    )  # fmt: skip


def test_a_file_is_read_once_between_its_description_and_its_use(path, monkeypatch):
    entry, canonical = tables.describe(path, options(target="y"))
    assert (entry.name, entry.train, entry.task.kind, entry.task.name) == (str(path), 30, "binary", "table")
    assert canonical["task"] == "binary"
    monkeypatch.setattr(tables.table.reader, "read", None)
    assert tables.describe(path, canonical)[0] == entry
    assert len(tables.take(path, canonical).x) == 30


def test_a_changed_file_is_read_again(path):
    tables.describe(path, options(target="y"))
    path.write_text(TEXT + "9,9,red,0\n")
    assert tables.describe(path, options(target="y"))[0].train == 31


def test_columns_are_found_whatever_their_case(path):
    _, canonical = tables.describe(path, options(target="Y", drop="COLOR", kinds="B=category"))
    assert (canonical["target"], canonical["drop"], canonical["kinds"]) == ("y", ("color",), ("b=category",))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"target": None}, "which column is to be predicted? as --target y"),
        ({"target": "colour"}, "no column 'colour'; did you mean 'color'?\ncolumns: a, b, color, y"),
        ({"drop": "q"}, "--drop: table.csv has no column 'q'"),
        ({"group": "y"}, "column 'y' is named by two options"),
        ({"drop": "y"}, "column 'y' is named by two options"),
        ({"group": "color", "time": "b"}, "--group and --time: choose one way of splitting"),
        ({"split": "color"}, "each row must say train, validation or test"),
        ({"drop": "a,b,color"}, "no column is left to learn from"),
    ],
)
def test_an_option_that_cannot_be_is_refused(path, given, words):
    with pytest.raises(InputError) as refusal:
        opened(path, **given)
    assert words in str(refusal.value)
    assert len(str(refusal.value).splitlines()) <= 3


def test_one_column_with_empty_cells_is_named_with_the_remedies(path):
    with pytest.raises(InputError) as refusal:
        opened(with_empty(path, (7, 0), (9, 0)))
    assert str(refusal.value) == (
        "column 'a' has 2 empty cells (first: row 7); a network needs a number in every cell\n"
        "choose one: --missing median · --missing drop (loses 2 of 30 rows) · --missing indicator · --drop a"
    )


def test_several_columns_with_empty_cells_are_named_together(path):
    with pytest.raises(InputError) as refusal:
        opened(with_empty(path, (7, 0), (7, 2), (9, 2)))
    assert "2 columns have empty cells: color 2 (first: row 7), a 1 (first: row 7)" in str(refusal.value)
    assert "loses 2 of 30 rows" in str(refusal.value)
    assert str(refusal.value).endswith("--drop color,a")


def test_rows_with_empty_cells_may_be_left_out_or_kept(path):
    with_empty(path, (7, 0), (9, 2))
    dropped, kept = opened(path, missing="drop"), opened(path, missing="median")
    assert (len(dropped.x), len(kept.x)) == (28, 30)
    assert 7 not in dropped.rows
    assert np.isnan(kept.x[6, 0])
    assert "--missing drop: 2 of 30 rows have an empty cell and are left out" in dropped.notes
    assert dropped.sha256 != kept.sha256  # other rows: not comparable


def test_nothing_is_made_up_for_a_target(path):
    with_empty(path, (5, 3))
    with pytest.raises(InputError, match=r"the target 'y' is empty in 1 of 30 rows \(first: row 5\)"):
        opened(path)
    table = opened(path, missing="median")
    assert 5 not in table.rows
    assert "1 rows without a target are left out" in table.notes


def test_the_column_that_empties_every_row_is_named(path):
    path.write_text("the most,b,z,y\n5,1,,1\n" + "".join(f",{i},{i},{i % 2}\n" for i in range(9)))
    with pytest.raises(InputError, match="every row has an empty cell\nchoose --missing median, or --drop 'the most'$"):
        opened(path, missing="drop")


@pytest.mark.parametrize("missing", ["drop", "median"])
@pytest.mark.parametrize("cell", ["red", ""])
def test_a_file_whose_rows_have_no_target_is_refused(path, tmp_path, missing, cell):
    other = tmp_path / "other.csv"
    other.write_text(f"a,b,color,y\n1,2,{cell},\n3,4,red,\n")
    with pytest.raises(InputError, match="other.csv: no row has a target: the column 'y' is empty"):
        tables.read_like(other, opened(path, missing=missing))


def test_rows_without_any_cell_are_left_out(path):
    path.write_text(TEXT + ",,,\n,,,\n")
    table = opened(path)
    assert len(table.x) == 30
    assert "2 rows without any cell are left out" in table.notes


@pytest.mark.parametrize("option", ["group", "time", "sample_weight", "split"])
def test_rows_that_are_left_out_need_no_cell_in_a_column_that_is_no_input(path, option):
    head, *lines = TEXT.splitlines()
    rows = [f"{line},{['train', 'val'][i % 2] if option == 'split' else i // 3}" for i, line in enumerate(lines)]
    path.write_text("\n".join([f"{head},apart", *rows, ",,,,", "5,6,red,,", ",,,,"]) + "\n")
    table = opened(path, missing="drop", **{option: "apart"})
    held = {"sample_weight": table.weights, "split": table.parts}.get(option, table.key)
    assert len(table.x) == len(held) == 30
    assert "2 rows without any cell are left out" in table.notes
    assert len(tables.read_like(path, table).x) == 30
    path.write_text(path.read_text() + "5,6,red,1,\n")
    words = "the column holds train, val and empty cells" if option == "split" else "apart: the cell in row 34 is empty"
    with pytest.raises(InputError, match=words):
        opened(path, missing="drop", **{option: "apart"})


def test_columns_that_say_nothing_are_left_out_in_a_line(path):
    lines = TEXT.splitlines()
    path.write_text("\n".join([f"id,{lines[0]}", *(f"{i},{line}" for i, line in enumerate(lines[1:], 1))]))
    table = opened(path)
    assert "left out: id (counts the rows from 1)" in table.notes[2]
    assert [column.name for column in opened(path, kinds="id=number").columns][0] == "id"


def test_columns_that_are_no_inputs_are_kept_apart(path):
    weighted = opened(path, sample_weight="b")
    assert weighted.weights[:4].tolist() == [0, 1, 2, 3]
    grouped = opened(path, group="color")
    assert grouped.key[:4].tolist() == [0, 1, 2, 0]
    assert [column.name for column in grouped.columns] == ["a", "b"]
    with pytest.raises(InputError, match="--group color: the cell in row 3 is empty"):
        opened(with_empty(path, (3, 2)), group="color")


@pytest.mark.parametrize(
    ("option", "cells", "words"),
    [
        ("time", ["soon", "late"], "column 'apart' holds texts, as 'soon', no dates"),
        ("sample_weight", ["soon", "late"], "column 'apart' holds texts, as 'soon', no numbers"),
        ("sample_weight", ["1", "2", "much"], "row 3 of column 'apart' holds 'much', the others numbers"),
        ("time", ["2024-01-01", "2024-01-02", "2024-01-03", "later!"], "row 4 of column 'apart' holds 'later!', the "),
    ],
)
def test_what_is_no_date_and_no_number_has_remedies_that_can_be_had(path, monkeypatch, option, cells, words):
    monkeypatch.setattr(dates, "_LOOKED_AT", 3)
    head, *lines = TEXT.splitlines()
    path.write_text("\n".join([f"{head},apart", *(f"{line},{cells[i % len(cells)]}" for i, line in enumerate(lines))]))
    with pytest.raises(InputError) as refusal:
        opened(path, **{option: "apart"})
    assert words in str(refusal.value)
    assert str(refusal.value).endswith(f"\nmend it, or leave --{option.replace('_', '-')} apart out")


def test_more_different_texts_than_are_kept_can_be_categories(tmp_path, monkeypatch):
    monkeypatch.setattr(growing, "_FREE_TEXTS", 10)
    path = tmp_path / "table.csv"
    path.write_text("a,city,y\n" + "".join(f"{i / 7},place {i % 25},{i % 2}\n" for i in range(30)))
    assert "city (another text in most rows)" in opened(path).notes[2]
    table = opened(path, kinds="city=category")
    assert [column.kind for column in table.columns] == ["number", "category"]
    assert len(table.columns[1].texts) == 25
    assert tables.read_like(path, table).x[-1, 1] == 4


def test_a_few_texts_at_the_end_of_a_column_of_numbers_are_groups_like_others(tmp_path, monkeypatch):
    monkeypatch.setattr(dialect, "BLOCK", 100)
    path = tmp_path / "table.csv"
    groups = [*(str(536365 + i // 2) for i in range(60)), "C29"]
    path.write_text("a,invoice,y\n" + "".join(f"{i / 7},{group},{i % 2}\n" for i, group in enumerate(groups)))
    key = opened(path, group="invoice").key
    assert key.tolist() == [*(i // 2 for i in range(60)), 30]
    with pytest.raises(InputError, match="row 61 of column 'invoice' holds 'C29', the others numbers"):
        opened(path, sample_weight="invoice")
    with pytest.raises(InputError, match="row 61 of the target 'invoice' holds 'C29', the others numbers"):
        opened(path, target="invoice")


@pytest.mark.parametrize("block", [100, 1 << 20])
def test_a_text_among_numbers_is_named_however_many_blocks_the_file_has(path, tmp_path, monkeypatch, block):
    table = opened(path)
    monkeypatch.setattr(dialect, "BLOCK", block)
    other = tmp_path / "other.csv"
    other.write_text(TEXT.replace("25.5", "?"))
    words = r"other.csv: row 26 of column 'a' holds '\?', the others numbers"
    with pytest.raises(InputError, match=words) as refusal:
        opened(other)
    assert "choose one: --na '?' (an empty cell)" in str(refusal.value)
    with pytest.raises(InputError, match=words):
        tables.read_like(other, table)


@pytest.mark.parametrize("block", [100, 1 << 20])
def test_a_target_of_numbers_and_a_few_texts_can_be_classes(tmp_path, monkeypatch, block):
    monkeypatch.setattr(dialect, "BLOCK", block)
    path = tmp_path / "cars.csv"
    path.write_text("a,y\n" + "".join(f"{i / 7},{[4, 6, 8][i % 3]}\n" for i in range(60)) + "1.5,V8\n")
    with pytest.raises(InputError, match="row 61 of the target 'y' holds 'V8'") as refusal:
        opened(path)
    assert "--kinds 'y=category' (classes)" in str(refusal.value)
    table = opened(path, kinds="y=category")
    assert (table.task.kind, table.target.classes) == ("multiclass", ("4", "6", "8", "V8"))
    assert table.target.y[-3:].tolist() == [1, 2, 3]
    np.testing.assert_array_equal(tables.read_like(path, table).target.y, table.target.y)


def test_another_file_has_the_columns_of_the_first(path, tmp_path):
    table = opened(path)
    other = tmp_path / "other.csv"
    other.write_text("color,more,y,b,a\nblue,z,1,7,8\npurple,z,0,5,6\n")
    like = tables.read_like(other, table)
    np.testing.assert_array_equal(like.x, np.float32([[8, 7, 2], [6, 5, -1]]))
    assert like.target.y.tolist() == [1, 0]
    other.write_text("color,y,a\nblue,1,7\n")
    with pytest.raises(InputError, match=r"other.csv: has no column b, which table.csv has"):
        tables.read_like(other, table)


def test_a_file_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="no such file"):
        tables.describe(Path("nowhere.csv"), options(target="y"))
