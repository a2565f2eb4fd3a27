"""What a network cannot read, in texts of one's own: rows 24 to 47, as far as they concern texts."""

import csv

import pytest

from kerasrun import datasets
from kerasrun.experiment import resolve

ROWS = [(f"film number {i} was {['good', 'bad'][i % 2]}", ["up", "down"][i % 2]) for i in range(60)]


def written(path, rows=ROWS, head=("text", "label"), encoding="utf-8"):
    with open(path, "w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows([head, *rows])
    return path


def changed(row, text=None, label=None):
    """Return the rows with another text or label; the row counts from 1."""
    was = ROWS[row - 1]
    now = (was[0] if text is None else text, was[1] if label is None else label)
    return [now if i == row else r for i, r in enumerate(ROWS, 1)]


def in_folders(path, rows=ROWS, part=""):
    for number, (text, label) in enumerate(rows, 1):
        file = path / part / label / f"{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture
def refused(refused):
    """Return a function: train on texts, a table's or a folder's, which must be refused."""
    return lambda path, *words: refused(path, *(["text=text", "target=label"] if path.is_file() else []), *words)


def load(path, **given):
    columns = {"text": "text", "target": "label"} if path.is_file() else {}
    return datasets.load(resolve(str(path), {**columns, **given}))


@pytest.mark.parametrize("text", ["", "NA", "null"])
def test_row_24_a_missing_text_is_named_by_row(tmp_path, refused, text):
    said = refused(written(tmp_path / "t.csv", changed(17, text)))
    assert "column 'text' has 1 empty cell (first: row 17); there is nothing to read" in said
    assert "--missing drop (loses 1 of 60 rows)" in said
    data = load(tmp_path / "t.csv", missing="drop")
    assert sum(len(part) for part in (data.train, data.validation, data.test)) == 59


def test_row_24_an_empty_file_is_named(tmp_path, refused):
    said = refused(in_folders(tmp_path / "t", changed(17, " \n")))
    assert "1 of 60 files are empty (first: up/17.txt); there is nothing to read" in said


def test_row_25_a_missing_text_in_the_validation_file_alone_is_refused(tmp_path, refused):
    held_out = written(tmp_path / "held-out.csv", [("other words", "up"), ("", "down")])
    assert "column 'text' has 1 empty cell (first: row 2)" in refused(
        written(tmp_path / "t.csv"), f"validation={held_out}"
    )


@pytest.mark.parametrize("part", ["validation", "test"])
def test_rows_26_27_28_a_class_that_training_texts_do_not_have_is_named(tmp_path, refused, part):
    other = written(tmp_path / "other.csv", [("other words", "up"), ("more words", "sideways")])
    said = refused(written(tmp_path / "t.csv"), f"{part}={other}")
    assert "row 2 of the target 'label' holds 'sideways'" in said
    folders = in_folders(tmp_path / "t", part="train")
    in_folders(folders, [("other words", "sideways")], part)
    assert f"the {part} part has class 'sideways', which training does not have" in refused(folders)


def test_row_34_a_column_of_texts_is_left_out_with_the_way_to_read_it(tmp_path, refused):
    path = written(tmp_path / "t.csv", [(*row, i / 7) for i, row in enumerate(ROWS)], ("text", "label", "size"))
    assert "--text text reads it word by word" in "\n".join(
        datasets.load(resolve(str(path), {"target": "label"})).notes
    )


def test_row_35_texts_of_one_class_are_refused(tmp_path, refused):
    one = [(text, "up") for text, _ in ROWS]
    assert "is 'up' in every row: any accuracy would be meaningless" in refused(written(tmp_path / "t.csv", one))
    assert "holds one class folder only, 'up'" in refused(in_folders(tmp_path / "t", one))


def test_rows_37_38_no_texts_are_refused(tmp_path, refused):
    (tmp_path / "none.csv").write_text("text,label\n")
    assert "a row for each example" in refused(tmp_path / "none.csv")
    assert "a row for each example" in refused(written(tmp_path / "t.csv"), f"validation={tmp_path / 'none.csv'}")


def test_row_39_a_share_that_is_no_text_names_the_counts(tmp_path, refused):
    said = refused(written(tmp_path / "t.csv"), "validation=0.001")
    assert "--validation 0.001 of 48 examples is 0.048, so none is held out" in said


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp949"])
def test_row_45_korean_texts_are_read_in_any_encoding(tmp_path, encoding):
    rows = [(text.replace("film", "영화"), label) for text, label in ROWS]
    given = {"encoding": "cp949"} if encoding == "cp949" else {}
    data = load(written(tmp_path / "t.csv", rows, encoding=encoding), **given)
    assert "영화" in data.inputs.vocabulary
    for file in in_folders(tmp_path / "t", rows).rglob("*.txt"):
        file.write_bytes(file.read_text(encoding="utf-8").encode(encoding))
    assert load(tmp_path / "t", **given).inputs.vocabulary[:5] == data.inputs.vocabulary[:5]


def test_row_45_an_encoding_that_texts_are_not_in_is_refused(tmp_path, refused):
    path = written(tmp_path / "t.csv", changed(17, "영화"), encoding="cp949")
    assert "not utf-8" in refused(path, "encoding=utf-8")
    folder = in_folders(tmp_path / "t", changed(17, "영화".encode("cp949")))
    assert "up/17.txt: not utf-8" in refused(folder, "encoding=utf-8")


def test_row_45_zero_bytes_are_no_text(tmp_path, refused):
    assert "up/17.txt: holds zero bytes; it is no text" in refused(
        in_folders(tmp_path / "t", changed(17, b"a\0b\0\0c" + b"d" * 99))
    )


def test_row_47_a_comma_in_a_text_without_quotes_is_named_by_its_line(tmp_path, refused):
    path = tmp_path / "t.csv"
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in changed(17, "well, no")))
    said = refused(path)
    assert "line 18 has 3 cells, the header names 2" in said
    assert "put cells that hold a comma in quotes" in said


def test_a_text_of_a_million_letters_is_cut(tmp_path):
    rows = changed(1, f"{'endless ' * 50_000}{'x' * 600_000}")
    data = load(written(tmp_path / "t.csv", rows))
    assert data.inputs.length == 5
    assert max(map(len, data.inputs.vocabulary)) < 100
    assert load(in_folders(tmp_path / "t", rows)).inputs.length == 5
