"""What a network cannot eat, in tables of one's own: rows 24 to 39 and 45 to 48, each before anything is trained.

The rows that speak of arrays (.npz) have their tests in tests/datasets/test_checks.py.
"""

import gzip

import pytest

from kerasrun import datasets
from kerasrun.experiment import resolve

HEAD = "a,b,color,y"
ROWS = [[f"{i / 7:.3f}", str(i % 5), ["red", "green", "blue"][i % 3], str(i % 2)] for i in range(60)]


def written(path, rows=ROWS, head=HEAD):
    path.write_text("\n".join([head, *(",".join(row) for row in rows)]) + "\n", encoding="utf-8")
    return path


def changed(row, column, cell, rows=ROWS):
    """Return the rows with another cell; the row counts from 1."""
    return [[*r[:column], cell, *r[column + 1 :]] if i == row else r for i, r in enumerate(rows, 1)]


@pytest.fixture
def refused(refused):
    """Return a function: train on a table, which must be refused."""
    return lambda file, *words, target="y": refused(file, *([f"target={target}"] if target else []), *words)


def notes(file, **given):
    return datasets.load(resolve(str(file), {"target": "y", **given})).notes


def test_row_24_an_empty_cell_is_named_by_column_count_and_row(tmp_path, refused):
    said = refused(written(tmp_path / "t.csv", changed(17, 0, "nan")))
    assert "column 'a' has 1 empty cell (first: row 17); a network needs a number in every cell" in said
    assert "--missing median · --missing drop (loses 1 of 60 rows) · --missing indicator · --drop a" in said


def test_row_24_an_infinite_cell_is_named_by_column_and_row(tmp_path, refused):
    assert "row 17, column 'a'" in refused(written(tmp_path / "t.csv", changed(17, 0, "inf")))


def test_row_25_an_empty_cell_in_the_validation_file_alone_is_refused(tmp_path, refused):
    held_out = written(tmp_path / "held-out.csv", changed(3, 1, ""))
    assert "column 'b' has 1 empty cell (first: row 3)" in refused(
        written(tmp_path / "t.csv"), f"validation={held_out}"
    )


@pytest.mark.parametrize("part", ["validation", "test"])
@pytest.mark.parametrize("label", ["9", "-1", "maybe"])
def test_rows_26_27_28_a_class_that_training_does_not_know_is_named_by_row(tmp_path, refused, part, label):
    other = written(tmp_path / "other.csv", changed(4, 3, label))
    said = refused(written(tmp_path / "t.csv"), f"{part}={other}")
    assert f"holds '{label}'" in said


def test_row_29_fractions_are_no_classes(tmp_path, refused):
    rows = [[*row[:3], f"{i % 3 / 2}"] for i, row in enumerate(ROWS)]
    said = refused(written(tmp_path / "t.csv", rows), "task=multiclass")
    assert "row 2 of the target 'y' holds 0.5, no class" in said
    assert "--task regression" in said
    assert "target y: regression, 0 to 1, mean 0.5" in notes(tmp_path / "t.csv")


def test_row_30_two_classes_are_numbered_whatever_they_are_called(tmp_path, refused):
    rows = [[*row[:3], "-1" if row[3] == "0" else "1"] for row in ROWS]
    assert "target y: binary, 2 classes: -1 (30), 1 (30)" in notes(written(tmp_path / "t.csv", rows))
    three = [[*row[:3], str(i % 3)] for i, row in enumerate(ROWS)]
    assert "has 3 classes, 0, 1, 2; a binary task has two" in refused(written(tmp_path / "3.csv", three), "task=binary")


def test_rows_31_32_33_a_row_of_a_table_has_one_target(tmp_path):
    data = datasets.load(resolve(str(written(tmp_path / "t.csv")), {"target": "y", "task": "multiclass"}))
    assert data.train.y.shape == (len(data.train.x),)
    rows = [[*row[:3], f"{i / 3:.3f}"] for i, row in enumerate(ROWS)]
    data = datasets.load(resolve(str(written(tmp_path / "r.csv", rows)), {"target": "y"}))
    assert data.train.y.shape == (len(data.train.x), 1)


def test_row_34_a_text_among_numbers_is_named_by_row_and_value(tmp_path, refused):
    said = refused(written(tmp_path / "t.csv", changed(17, 0, "?")))
    assert "row 17 of column 'a' holds '?', the others numbers" in said
    assert "--na '?' (an empty cell) · --kinds 'a=category' · --drop 'a'" in said
    assert any("empty cells: a 1" in note for note in notes(tmp_path / "t.csv", na="?", missing="median"))


def test_row_35_one_class_only_is_refused(tmp_path, refused):
    said = refused(written(tmp_path / "t.csv", [[*row[:3], "1"] for row in ROWS]))
    assert "is '1' in every row: any accuracy would be meaningless" in said


def test_row_35_one_class_only_in_the_training_part_is_said_loudly(tmp_path):
    rows = [[*row[:3], "0" if i < 48 else "1"] for i, row in enumerate(ROWS)]
    head = "a,b,part,y"
    rows = [[*row[:2], "train" if i < 40 else "test", row[3]] for i, row in enumerate(rows)]
    said = notes(written(tmp_path / "t.csv", rows, head), split="part")
    assert any(line.startswith("WARNING: all training examples are of class 0") for line in said)


def test_row_36_a_constant_column_is_said(tmp_path):
    rows = [[row[0], "7", *row[2:]] for row in ROWS]
    assert "column b of 3 is the same in every row: it says nothing" in notes(written(tmp_path / "t.csv", rows))


@pytest.mark.parametrize("content", ["", "\n", f"{HEAD}\n"])
def test_row_37_a_table_without_a_row_is_refused(tmp_path, refused, content):
    (tmp_path / "t.csv").write_text(content)
    assert "a row for each example" in refused(tmp_path / "t.csv")


def test_row_37_a_table_whose_rows_are_all_left_out_is_refused(tmp_path, refused):
    rows = [["", *row[1:]] if i % 2 else [row[0], "", *row[2:]] for i, row in enumerate(ROWS)]
    assert "every row has an empty cell" in refused(written(tmp_path / "t.csv", rows), "missing=drop")


def test_row_38_a_validation_file_without_a_row_is_refused(tmp_path, refused):
    (tmp_path / "held-out.csv").write_text(f"{HEAD}\n")
    assert "a row for each example" in refused(written(tmp_path / "t.csv"), f"validation={tmp_path / 'held-out.csv'}")


def test_row_39_a_share_that_is_no_row_names_the_counts(tmp_path, refused):
    said = refused(written(tmp_path / "t.csv"), "validation=0.001")
    assert "--validation 0.001 of 48 examples is 0.048, so none is held out" in said


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8-sig", "utf-8 with a byte-order mark"), ("utf-16", "utf-16"), ("latin-1", "cp1252 (a guess")],
)
def test_row_45_encodings_are_recognized_and_reported(tmp_path, encoding, said):
    rows = [[*row[:2], row[2].replace("green", "grün"), row[3]] for row in ROWS]
    content = written(tmp_path / "t.csv", rows).read_text(encoding="utf-8")
    (tmp_path / "t.csv").write_bytes(content.encode(encoding))
    found = notes(tmp_path / "t.csv")
    assert found[0].startswith(f"t.csv: 60 rows × 4 columns, comma-separated, {said}")
    assert "columns: 2 of numbers, 1 of categories: color (3)" in found


@pytest.mark.parametrize(("separator", "said"), [(";", "semicolon"), ("\t", "tab"), ("|", "pipe")])
def test_row_45_separators_are_recognized_and_reported(tmp_path, separator, said):
    content = written(tmp_path / "t.csv").read_text().replace(",", separator)
    (tmp_path / "t.csv").write_text(content)
    assert notes(tmp_path / "t.csv")[0] == f"t.csv: 60 rows × 4 columns, {said}-separated, utf-8"


def test_row_45_an_encoding_that_does_not_fit_is_refused(tmp_path, refused):
    (tmp_path / "t.csv").write_bytes(written(tmp_path / "t.csv").read_bytes().replace(b"red", b"r\xfcd"))
    assert "not utf-8" in refused(tmp_path / "t.csv", "encoding=utf-8")
    assert "encoding=klingon is not known" in refused(tmp_path / "t.csv", "encoding=klingon")


def test_row_46_a_further_cell_in_every_row_is_refused(tmp_path, refused):
    said = refused(written(tmp_path / "t.csv", [[*row, ""] for row in ROWS]))
    assert "each row has 5 cells, the header names 4" in said


@pytest.mark.parametrize(("row", "cells"), [([*ROWS[16], "more"], 5), (ROWS[16][:3], 3)])
def test_row_47_a_longer_or_shorter_row_is_named_by_its_line(tmp_path, refused, row, cells):
    rows = [row if i == 16 else r for i, r in enumerate(ROWS)]
    assert f"line 18 has {cells} cells, the header names 4" in refused(written(tmp_path / "t.csv", rows))


@pytest.mark.parametrize("harm", [lambda packed: packed[: len(packed) // 2], lambda packed: packed[:-8] + bytes(8)])
def test_row_48_a_damaged_gzip_is_named_with_its_sum(tmp_path, refused, harm):
    packed = gzip.compress(written(tmp_path / "t.csv").read_bytes())
    (tmp_path / "t.csv.gz").write_bytes(harm(packed))
    said = refused(tmp_path / "t.csv.gz")
    assert "damaged" in said
    assert "its sha256 is" in said
