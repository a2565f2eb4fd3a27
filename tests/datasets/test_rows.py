"""Examples to predict, from tables, .npz files and named datasets; no model is needed for reading them."""

import gzip

import numpy as np
import pandas as pd
import pytest

from kerasrun import datasets
from kerasrun.datasets import labelled, npz, rows
from kerasrun.errors import InputError
from kerasrun.experiment import resolve, to_record
from kerasrun.inputs import TextInputs
from kerasrun.runs import Run
from kerasrun.tables import dialect
from kerasrun.trained import Trained, trained

COLORS = ["red", "green", "blue"]
ROWS = [(i + 1, i / 7, COLORS[i % 3], f"2024-01-{i % 28 + 1:02d}", "no" if i % 3 else "yes") for i in range(120)]
HEAD = "id,a,color,day,y"


def written(path, given, head=HEAD):
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in given)]) + "\n")
    return path


def learned(path, folder, **given):
    """Return data as a training has it, and the model as the record would have it, without a training."""
    experiment = resolve(str(path), given)
    data = datasets.load(experiment)
    (folder / "best.keras").touch()
    task = {
        "kind": data.task.kind, "classes": data.task.class_names, "shape": data.train.x.shape[1:],
        "dtype": str(data.train.x.dtype),
    }  # fmt: skip
    record = {
        "id": "abcde", "status": "finished", "task": task, "experiment": to_record(experiment),
        "inputs": data.inputs.record() if data.inputs else None,
        "data": {"classes": data.task.num_classes, "hash": data.content_hash},
    }  # fmt: skip
    run = Run(folder, record)
    return data, trained(run), run


@pytest.fixture
def table(tmp_path):
    return written(tmp_path / "table.csv", ROWS)


@pytest.fixture
def model(table, tmp_path):
    return learned(table, tmp_path, target="y")[1]


def read(given, known, **keywords):
    """Return x, ids by name and y of all chunks, and the notes."""
    opened = rows.opened(str(given), known, **keywords)
    chunks = [*opened.chunks]
    ids = {name: [each for chunk in chunks for each in chunk.ids[i]] for i, name in enumerate(opened.ids)}
    y = None if chunks[0].y is None else np.concatenate([chunk.y for chunk in chunks])
    return np.concatenate([chunk.x for chunk in chunks]), ids, y, opened.notes


def arrays(shape=(4,), dtype="float32", kind="multiclass", classes="abc"):
    return Trained("abcde", kind, tuple(classes), shape, dtype, {})


@pytest.mark.parametrize("missing", ["median", "indicator", "mean"])
def test_the_rows_of_the_training_file_become_what_was_trained_on(tmp_path, missing, monkeypatch):
    monkeypatch.setattr(dialect, "BLOCK", 500)
    gaps = [(i, a if i % 5 else "", c if i % 7 else "", d, y) for i, a, c, d, y in ROWS]
    path = written(tmp_path / "t.csv", gaps)
    data, known, _ = learned(path, tmp_path, target="y", missing=missing)
    x, ids, y, notes = read(path, known, labelled=True)
    for part in (data.train, data.validation, data.test):
        np.testing.assert_array_equal(x[part.rows - 1], part.x)
        np.testing.assert_array_equal(y[part.rows - 1], part.y)
    assert ids == {"row": [*range(1, 121)], "id": [str(i) for i in range(1, 121)]}
    assert notes == []


def test_columns_are_found_by_name_in_any_order_and_others_are_named(model, tmp_path, table):
    wanted = read(table, model)[0]
    shuffled = [(d, i, "x", c, a) for i, a, c, d, _ in ROWS]
    x, ids, y, notes = read(written(tmp_path / "new.csv", shuffled, "day,id,extra,color,a"), model)
    np.testing.assert_array_equal(x, wanted)
    assert y is None
    assert notes == ["columns that the model does not take: extra"]
    assert [*read(tmp_path / "new.csv", model, keep=("extra",))[1]] == ["row", "id", "extra"]


@pytest.mark.parametrize("spelled", ["sms-spam", "SMS_Spam"])
def test_a_registered_copy_is_found_however_its_name_is_spelled(model, tmp_path, table, monkeypatch, spelled):
    monkeypatch.setenv("KERASRUN_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "datasets").mkdir(parents=True)
    written(tmp_path / "home" / "datasets" / "sms-spam.csv", ROWS)
    np.testing.assert_array_equal(read(spelled, model)[0], read(table, model)[0])


def test_the_same_rows_in_another_form_are_the_same(model, tmp_path, table):
    wanted = read(table, model)[0]
    with gzip.open(tmp_path / "new.csv.gz", "wt") as file:
        file.write(table.read_text().replace(",", ";"))
    np.testing.assert_array_equal(read(tmp_path / "new.csv.gz", model)[0], wanted)
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'kerasrun[parquet]'")
    frame = pd.read_csv(table)
    frame.assign(day=pd.to_datetime(frame["day"])).to_parquet(tmp_path / "new.parquet")
    np.testing.assert_array_equal(read(tmp_path / "new.parquet", model)[0], wanted)


@pytest.mark.parametrize(
    ("head", "keep", "message"),
    [
        (
            "id,a,colour,day,y",
            (),
            "lacks the column color, which run abcde was trained with\ncolumns of the file: id, a",
        ),
        ("id,b,colour,day,y", (), "lacks the columns a, color"),
        (HEAD, ("colour",), "--keep: new.csv has no column 'colour'; did you mean 'color'"),
    ],
)
def test_a_column_that_is_not_there_is_named_before_anything_is_read(model, tmp_path, head, keep, message):
    with pytest.raises(InputError, match=message):
        rows.opened(str(written(tmp_path / "new.csv", ROWS, head)), model, keep=keep)


def changed(row, position, value):
    given = [list(each) for each in ROWS]
    given[row - 1][position] = value
    return given


@pytest.mark.parametrize(
    ("position", "value", "message"),
    [
        (1, "much", "row 100 of column 'a' holds 'much', the others numbers"),
        (1, "", "row 100 of column 'a' is empty, which the network cannot take\nfill it in, or train with --missing"),
        (1, "inf", "row 100 of column 'a' holds an infinite number"),
        (3, "yesterday", "row 100 of column 'day' holds 'yesterday', the others dates"),
        (3, "", "row 100 of column 'day' is empty"),
    ],
)
def test_a_cell_that_the_network_cannot_take_is_named_by_row_column_and_value(
    model, tmp_path, monkeypatch, position, value, message
):
    monkeypatch.setattr(dialect, "BLOCK", 500)
    with pytest.raises(InputError, match=message):
        read(written(tmp_path / "new.csv", changed(100, position, value)), model)


def test_categories_that_training_did_not_have_count_as_none_and_are_named_once(model, tmp_path, monkeypatch):
    monkeypatch.setattr(dialect, "BLOCK", 500)
    given = changed(70, 2, "pink")
    given[99][2], given[100][2] = "", "grey"
    x, _, _, notes = read(written(tmp_path / "new.csv", given), model)
    assert notes == [
        "column 'color': 3 cells of a category that training did not have (first: row 70 holds 'pink'); the network "
        "takes it for none of those it knows"
    ]
    assert np.flatnonzero(x[:, -1] == model.inputs.tokens).tolist() == [69, 99, 100]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("maybe", "row 50 of the target 'y' holds 'maybe', which training does not know"),
        ("", "row 50 of the target 'y'"),
    ],
)
def test_labels_are_the_classes_of_the_training_or_refused(model, tmp_path, monkeypatch, value, message):
    monkeypatch.setattr(dialect, "BLOCK", 500)
    path = written(tmp_path / "new.csv", changed(50, 4, value))
    assert read(path, model)[2] is None
    with pytest.raises(InputError, match=message):
        read(path, model, labelled=True)
    with pytest.raises(InputError, match="lacks the column y"):
        rows.opened(str(written(tmp_path / "b.csv", [r[:4] for r in ROWS], "id,a,color,day")), model, labelled=True)


def test_one_row_is_enough(model, tmp_path):
    x, ids, y, _ = read(written(tmp_path / "new.csv", ROWS[:1]), model, labelled=True)
    assert (len(x), ids["row"], y.tolist()) == (1, [1], [1])


def test_a_model_of_arrays_takes_no_table_and_the_other_way_round(model, table):
    with pytest.raises(InputError, match=r"it takes arrays of shape \(4,\): an .npz file with x, a dataset's name"):
        rows.opened(str(table), arrays())
    for given in ("digits", "x.npz"):
        with pytest.raises(InputError, match="it takes a table"):
            rows.opened(given, model)


def test_an_npz_is_read_in_slices(tmp_path, monkeypatch):
    from kerasrun.datasets import npz_rows

    monkeypatch.setattr(npz_rows, "BYTES", 100)
    x = np.random.default_rng(0).normal(size=(50, 4))
    np.savez_compressed(tmp_path / "new.npz", x=x)
    opened = rows.opened(str(tmp_path / "new.npz"), arrays())
    chunks = [*opened.chunks]
    assert len(chunks) > 10
    np.testing.assert_array_equal(np.concatenate([chunk.x for chunk in chunks]), x.astype(np.float32))
    assert [i for chunk in chunks for i in chunk.ids[0]] == [*range(50)]
    assert opened.ids == ("row",)


def test_an_npz_that_is_stored_by_columns_is_read_like_any_other(tmp_path, monkeypatch):
    x = np.arange(60.0).reshape(15, 4)
    np.savez(tmp_path / "rows.npz", x=x, y=np.arange(15) % 3)
    np.savez(tmp_path / "columns.npz", x=np.asfortranarray(x), y=np.arange(15) % 3)
    slices = [[*npz.stream(tmp_path / name, "x", 100)] for name in ("columns.npz", "rows.npz")]
    assert [len(each) for each in slices[0]] == [len(each) for each in slices[1]] == [3] * 5
    np.testing.assert_array_equal(np.concatenate(slices[0]), x)
    assert read(tmp_path / "columns.npz", arrays(), labelled=True)[2].tolist() == [0, 1, 2] * 5
    monkeypatch.setattr(npz, "largest", lambda: 400)
    with pytest.raises(InputError, match="more than half of the memory"):
        [*npz.stream(tmp_path / "columns.npz", "x", 100)]


def test_an_npz_with_parts_names_them(tmp_path):
    np.savez(tmp_path / "new.npz", x_train=np.zeros((3, 4)), x_test=np.ones((2, 4)), y_test=[0, 1])
    x, ids, _, _ = read(tmp_path / "new.npz", arrays())
    assert ids == {"row": [0, 1, 2, 0, 1], "part": ["train"] * 3 + ["test"] * 2}
    assert x[:, 0].tolist() == [0, 0, 0, 1, 1]
    x, ids, y, notes = read(tmp_path / "new.npz", arrays(), labelled=True)
    assert (len(x), ids, y.tolist(), notes) == (2, {"row": [0, 1]}, [0, 1], ["labels are those of y_test"])


@pytest.mark.parametrize(
    ("stored", "known", "message"),
    [
        ({"x": np.zeros((3, 5))}, arrays(), r"examples of shape \(5,\); run abcde was trained on \(4,\)"),
        ({"x": np.zeros((3, 4))}, arrays(dtype="uint8"), "examples of dtype float64; run abcde was trained on uint8"),
        ({"x": np.zeros((3, 4), "uint16")}, arrays(dtype="uint8"), "dtype uint16; run abcde was trained on uint8"),
        ({"x": np.zeros((3, 4))}, arrays(dtype="int32"), "dtype float64; run abcde was trained on int32"),
        ({"x": np.array([["1", "a"] * 2])}, arrays(), "examples of dtype <U1; run abcde was trained on float32"),
        ({"x": np.array([[1, 2, np.nan, 3]])}, arrays(), "row 0, column 2 holds nan; a network needs a number"),
        ({"x": np.array([[None] * 4])}, arrays(), r"x holds Python objects \(dtype object\)"),
        ({"y": np.zeros(3)}, arrays(), "holds y; wanted are x, or x_test"),
        ({"x": np.float32(1)}, arrays(), "x is a single value"),
    ],
)
def test_arrays_that_the_model_does_not_take_are_refused(tmp_path, stored, known, message):
    np.savez(tmp_path / "new.npz", **stored)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "new.npz", known)


@pytest.mark.parametrize(
    ("labels", "known", "message"),
    [
        ([0, 3, 1], arrays(), "label 3 in row 1 is none of the classes 0 to 2"),
        ([0, 1.5, 1], arrays(), "label 1.5 in row 1 is none of the classes"),
        ([0, 1], arrays(), r"x has more rows than y \(2\)"),
        ([0, 1, 0, 1], arrays(), "x has 3 rows, y has 4"),
        ([0, np.inf, 1], arrays(kind="regression", classes=""), "value to predict in row 1 is no finite number"),
        (["1", "2", "x"], arrays(kind="regression", classes=""), "values to predict of dtype <U1; numbers are needed"),
        (np.eye(3), arrays(), r"labels of shape \(3, 3\) and dtype float64; class numbers \(n,\) are needed"),
    ],
)
def test_labels_of_arrays_that_cannot_be_right_are_refused(tmp_path, labels, known, message):
    np.savez(tmp_path / "new.npz", x=np.zeros((3, 4)), y=labels)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "new.npz", known, labelled=True)


def test_words_beyond_the_vocabulary_of_the_training_are_refused(tmp_path):
    known = Trained("abcde", "binary", ("0", "1"), (3,), "int32", {"dataset": "imdb(num_words=50, length=3)"})
    np.savez(tmp_path / "known.npz", x=[[0, 1, 49], [2, 3, 4]])
    assert read(tmp_path / "known.npz", known)[0].dtype == "int32"
    for word in (50, -1, 2**32):
        np.savez(tmp_path / "new.npz", x=[[0, 1, 49], [2, word, 4]])
        with pytest.raises(
            InputError, match=f"word number {word} in row 1, column 1; run abcde knows the numbers 0 to 49"
        ):
            read(tmp_path / "new.npz", known)


def test_a_damaged_npz_is_named(tmp_path):
    np.savez_compressed(tmp_path / "new.npz", x=np.random.default_rng(0).normal(size=(500, 4)))
    content = bytearray((tmp_path / "new.npz").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "new.npz").write_bytes(content)
    with pytest.raises(InputError, match="new.npz: damaged"):
        read(tmp_path / "new.npz", arrays())
    with pytest.raises(InputError, match="no such file"):
        rows.opened(str(tmp_path / "other.npz"), arrays())


def test_a_slice_of_an_array_is_never_larger_than_asked_for(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.arange(1000, dtype=np.float64))
    assert {len(each) for each in npz.stream(tmp_path / "a.npz", "x", 80)} == {10}


@pytest.mark.parametrize("given", ["new.npz", "iris", "photos", "cat.png"])
def test_columns_are_kept_of_tables_alone(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    with pytest.raises(InputError, match=f"--keep: {given} is no table; only columns of a table can be kept"):
        rows.opened(given, arrays((8, 8), "uint8"), keep=("name",))


def test_columns_of_a_folder_of_texts_cannot_be_kept(tmp_path):
    model = Trained("abcde", "binary", ("a", "b"), (4,), "int32", {}, TextInputs("words", 1, 4, ("word",)))
    (tmp_path / "new").mkdir()
    with pytest.raises(InputError, match="new is no table; only columns of a table can be kept"):
        rows.opened(str(tmp_path / "new"), model, keep=("name",))


def test_a_named_dataset_is_read_with_all_its_parts():
    x, ids, y, _ = read("iris", arrays(), labelled=True)
    assert (x.shape, len(ids["row"]), set(ids["part"]), np.bincount(y).tolist()) == ((150, 4), 150, {"train"}, [50] * 3)
    with pytest.raises(InputError, match="unknown dataset 'irs'; did you mean 'iris'"):
        rows.opened("irs", arrays())


def test_the_rows_of_a_truth_table_are_read_once():
    x, ids, y, _ = read("xor", arrays((2,), kind="binary", classes="01"), labelled=True)
    assert (x.tolist(), y.tolist()) == ([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    assert ids == {"row": [0, 1, 2, 3], "part": ["train"] * 4}


def test_a_runs_own_part_is_the_one_that_was_held_out(table, tmp_path):
    data, known, run = learned(table, tmp_path, target="y", split_seed=3)
    for name in ("test", "validation"):
        found, part = labelled.own_part(run, known, name), getattr(data, name)
        np.testing.assert_array_equal(found.x, part.x)
        np.testing.assert_array_equal(found.y, part.y)
        assert found.ids == {"row": part.rows.tolist()}


def test_data_that_has_changed_is_not_the_runs_own(table, tmp_path):
    _, known, run = learned(table, tmp_path, target="y")
    written(table, ROWS[:-1])
    with pytest.raises(InputError, match="has changed since"):
        labelled.own_part(run, known, "test")


def test_a_file_with_the_answers_is_read_whole(model, table):
    found = labelled.file(str(table), model)
    assert (len(found.x), len(found.y), found.ids["row"][-1]) == (120, 120, 120)
