import numpy as np
import pytest

from kerasrun import datasets
from kerasrun.datasets.tables import LARGEST_VOCABULARY, UNKNOWN_TEXT, decoded
from kerasrun.errors import InputError
from kerasrun.experiment import resolve

COLORS = ["red", "green", "blue"]
ROWS = [(i / 7, i % 4, COLORS[i % 3], i % 2) for i in range(120)]


def written(path, rows, head="a,b,color,y"):
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


def load(path, **given):
    return datasets.load(resolve(str(path), {"target": "y", **given}))


@pytest.fixture
def path(tmp_path):
    return written(tmp_path / "table.csv", ROWS)


def test_rows_become_numbers_and_the_places_of_their_categories(path):
    data = load(path)
    assert data.inputs.names == ("a", "b", "color")
    assert (data.inputs.tokens, data.inputs.features, data.task.input_shape) == (3, 5, (5,))
    assert [column.values for column in data.inputs.categories] == [("blue", "green", "red")]
    for part in (data.train, data.validation, data.test):
        for row, cells in zip(part.rows, part.x, strict=True):
            a, b, color, _ = ROWS[row - 1]
            assert cells.tolist() == [np.float32(a), b, ("blue", "green", "red").index(color)]
    assert "columns: 2 of numbers, 1 of categories: color (3)" in data.notes


def test_medians_and_categories_are_those_of_the_training_part(tmp_path):
    rows = [(i if i % 5 else "", COLORS[i % 3] if i % 7 else "", i % 2) for i in range(1, 121)]
    data = load(written(tmp_path / "t.csv", rows, "a,color,y"), missing="median")
    known = [rows[row - 1][0] for row in data.train.rows if rows[row - 1][0] != ""]
    number, color = data.inputs.columns
    assert number.fill == np.median(known)
    assert color.values == ("", "blue", "green", "red")
    empty = np.array([rows[row - 1][0] == "" for row in data.test.rows])
    assert (data.test.x[empty, 0] == number.fill).all()
    without = np.array([rows[row - 1][1] == "" for row in data.test.rows])
    assert (data.test.x[without, 1] == 0).all()


def test_blanks_in_quotes_are_filled_in_like_any_empty_cell(tmp_path):
    rows = [('" "' if i % 7 == 0 else "" if i % 7 == 1 else COLORS[i % 3], i / 7, i % 2) for i in range(120)]
    data = load(written(tmp_path / "t.csv", rows, "color,a,y"), missing="median")
    assert [column.values for column in data.inputs.categories] == [("", "blue", "green", "red")]
    with pytest.raises(InputError, match=r"column 'color' has 35 empty cells \(first: row 1\)"):
        load(tmp_path / "t.csv")


def test_rows_of_the_array_become_the_cells_that_the_saved_model_takes(tmp_path):
    rows = [(i if i % 5 else "", COLORS[i % 3] if i % 7 else "", COLORS[i % 2], i % 2) for i in range(1, 121)]
    data = load(written(tmp_path / "t.csv", rows, "a,color,other,y"), missing="indicator")
    cells = decoded(data.inputs, data.train.x)
    for column, values in cells.items():
        at = ["a", "color", "other"].index(column)
        wanted = [rows[row - 1][at] for row in data.train.rows]
        assert ["" if value != value else value for value in values] == wanted
    data.train.x[0, -1] = data.inputs.tokens
    assert decoded(data.inputs, data.train.x)["other"][0] == UNKNOWN_TEXT


def test_mean_and_indicator(tmp_path):
    rows = [(i if i % 5 else "", i, i % 2) for i in range(120)]
    path = written(tmp_path / "t.csv", rows, "a,n,y")
    mean = load(path, missing="mean", kinds="n=number")
    known = [rows[row - 1][0] for row in mean.train.rows if rows[row - 1][0] != ""]
    assert mean.inputs.columns[0].fill == pytest.approx(np.mean(known))
    flagged = load(path, missing="indicator", kinds="n=number")
    assert flagged.inputs.names == ("a", "n", "a is empty")
    empty = [rows[row - 1][0] == "" for row in flagged.train.rows]
    assert flagged.train.x[:, 2].tolist() == empty


def test_a_category_that_training_does_not_have_is_none_of_them(path, tmp_path):
    other = written(tmp_path / "other.csv", [(1, 1, "purple", 0), (2, 2, "red", 1)])
    data = load(path, test=str(other))
    assert data.test.x[:, 2].tolist() == [3, 2]
    assert "cells of the test part whose category training does not have: color 1" in data.notes


def test_the_most_frequent_of_many_categories_are_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.tables, "LARGEST_VOCABULARY", 2)
    rows = [("common" if i % 2 else "usual" if i % 3 else f"rare{i % 4}", i % 5, i % 2) for i in range(120)]
    data = load(written(tmp_path / "t.csv", rows, "c,a,y"))
    assert data.inputs.categories[0].values == ("common", "usual")
    assert LARGEST_VOCABULARY == 1000
    assert any("c: the 2 most frequent categories; " in note for note in data.notes)
    rare = np.array([rows[row - 1][0].startswith("rare") for row in data.train.rows])
    assert (data.train.x[rare, 1] == 2).all()


def test_groups_stay_together(tmp_path):
    rows = [(i * 7 % 50, f"g{i // 5}", i % 2) for i in range(120)]
    data = load(written(tmp_path / "t.csv", rows, "a,g,y"), group="g")
    groups = [{rows[row - 1][1] for row in part.rows} for part in (data.train, data.validation, data.test)]
    assert not groups[0] & groups[1] | groups[0] & groups[2] | groups[1] & groups[2]
    assert [len(group) for group in groups] == [15, 4, 5]
    assert "the test part holds 5 of 24 groups, 25 examples" in data.notes
    assert data.inputs.names == ("a",)


def test_the_split_seed_decides_the_groups(tmp_path):
    rows = [(i * 7 % 50, f"g{i // 5}", i % 2) for i in range(120)]
    path = written(tmp_path / "t.csv", rows, "a,g,y")
    first, again, other = (load(path, group="g", split_seed=seed).test.rows for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert first.tolist() != other.tolist()


def test_one_group_cannot_be_split(tmp_path):
    path = written(tmp_path / "t.csv", [(i * 7 % 50, "g", i % 2) for i in range(60)], "a,g,y")
    with pytest.raises(InputError, match="there is one group only"):
        load(path, group="g")


def test_the_latest_rows_are_held_out(tmp_path):
    days = [f"2024-{month:02d}-{day:02d}" for month in range(1, 6) for day in range(1, 25)]
    order = np.random.default_rng(0).permutation(120)
    rows = [(i * 7 % 50, days[i], i % 2) for i in order]
    data = load(written(tmp_path / "t.csv", rows, "a,day,y"), time="day")
    latest = [max(rows[row - 1][1] for row in part.rows) for part in (data.train, data.validation, data.test)]
    earliest = [min(rows[row - 1][1] for row in part.rows) for part in (data.train, data.validation, data.test)]
    assert latest[0] < earliest[1] <= latest[1] < earliest[2]
    assert data.inputs.names == ("a",)


def test_a_column_may_say_the_part(tmp_path):
    rows = [(i * 7 % 50, ["train", "Train", "val", "test"][i % 4], i // 4 % 2) for i in range(120)]
    data = load(written(tmp_path / "t.csv", rows, "a,part,y"), split="part")
    assert [len(part) for part in (data.train, data.validation, data.test)] == [60, 30, 30]
    assert {rows[row - 1][1] for row in data.validation.rows} == {"val"}


def test_a_training_part_whose_rows_are_all_left_out_is_refused(tmp_path):
    rows = [("", 0, "train"), ("", 1, "train"), (1, 0, "test"), (2, 1, "test")]
    path = written(tmp_path / "t.csv", rows, "x,y,s")
    with pytest.raises(
        InputError, match="t.csv: nothing is left to train on: each example of the training part is empty"
    ):
        load(path, split="s", missing="drop")
    without_target = [(x or 5, "" if part == "train" else y, part) for x, y, part in rows]
    with pytest.raises(InputError, match="nothing is left to train on"):
        load(written(path, without_target, "x,y,s"), split="s", missing="median")


def test_weights_come_from_their_column(tmp_path):
    rows = [(i * 7 % 50, i % 3 + 0.5, i % 2) for i in range(120)]
    data = load(written(tmp_path / "t.csv", rows, "a,w,y"), sample_weight="w")
    assert data.train.weights.tolist() == [rows[row - 1][1] for row in data.train.rows]
    negative = written(tmp_path / "n.csv", [(a, -w, y) for a, w, y in rows], "a,w,y")
    with pytest.raises(InputError, match="weight -2.5"):
        load(negative, sample_weight="w")


def test_an_infinite_cell_is_named_by_column_and_row_of_the_file(tmp_path):
    rows = [("inf" if i == 17 else i / 7, i % 2) for i in range(1, 61)]
    with pytest.raises(InputError, match="row 17, column 'a'"):
        load(written(tmp_path / "t.csv", rows, "a,y"))


def test_the_training_file_is_no_test_file(path):
    with pytest.raises(InputError, match="is the training file itself"):
        load(path, test=str(path))


def test_a_smaller_version_is_fitted_on_its_own_rows(path):
    data = load(path, limit=30)
    assert len(data.train) == 30
    assert data.inputs.sample["a"].tolist() == data.train.x[:, 0].tolist()


def test_the_content_hash_is_of_the_text_and_of_a_test_file(path, tmp_path):
    hashes = {load(path).content_hash, load(path, drop="a").content_hash}
    assert len(hashes) == 1  # the options are part of the identity themselves
    other = written(tmp_path / "other.csv", ROWS[:9])
    assert load(path, test=str(other)).content_hash not in hashes
    written(path, [*ROWS, ROWS[0]])
    assert load(path).content_hash not in hashes


def test_a_validation_file_of_arrays_still_serves_arrays(tmp_path):
    x, y = np.arange(40, dtype=np.float32).reshape(20, 2), np.arange(20) % 2
    np.savez(tmp_path / "data.npz", x=x, y=y)
    np.savez(tmp_path / "held-out.npz", x=x[:4], y=y[:4])
    data = datasets.load(resolve(str(tmp_path / "data.npz"), {"validation": str(tmp_path / "held-out.npz")}))
    assert len(data.validation) == 4
