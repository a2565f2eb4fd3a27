import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from kerasrun import catalog, datasets
from kerasrun.datasets import fetch
from kerasrun.errors import DataUnavailable, InputError

needs_fashion_mnist = pytest.mark.skipif(
    not (fetch.folder() / "fashion-mnist" / "train-images-idx3-ubyte.gz").is_file(),
    reason="needs Fashion-MNIST: set KERAS_HOME",
)
needs_california_housing = pytest.mark.skipif(
    not (fetch.folder() / "california_housing.npz").is_file(), reason="needs California housing: set KERAS_HOME"
)


@pytest.fixture(autouse=True)
def _no_registered_copies(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASRUN_HOME", str(tmp_path / "home"))


def wanted(dataset, **settings):
    return SimpleNamespace(options={}, **{
        "dataset": str(dataset), "validation": 0.2, "test": 0.2, "split_seed": 0, "limit": None, **settings
    })  # fmt: skip


def load(dataset, **settings):
    return datasets.load(wanted(dataset, **settings))


def sizes(data):
    return len(data.train), len(data.validation), len(data.test)


BUNDLED = ["digits", "iris", "wine", "breast-cancer", "diabetes"]


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_data_is_as_the_catalog_says(name):
    entry, _ = catalog.dataset(name)
    data = load(name)
    assert data.train.x.shape[1:] == entry.task.input_shape
    assert data.train.x.dtype == entry.raw_dtype
    assert sum(sizes(data)) == entry.train
    assert data.task == entry.task


def test_digits_keep_their_values():
    assert load("digits").train.x.max() == 16


def test_class_names_are_those_of_scikit_learn():
    from sklearn.datasets import load_breast_cancer, load_iris

    assert load("iris").task.class_names == tuple(load_iris().target_names)
    assert load("breast-cancer").task.class_names == tuple(load_breast_cancer().target_names)


@pytest.mark.parametrize(("name", "answers"), [("and", "0001"), ("or", "0111"), ("nand", "1110"), ("xor", "0110")])
def test_a_truth_table_is_all_three_parts_and_says_so(name, answers):
    data = load(name, limit=2)
    assert "".join(str(y) for y in data.train.y) == answers
    assert data.train.x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert data.train is data.validation is data.test
    assert data.passes == 100
    assert "same four rows" in data.notes[0]


@needs_fashion_mnist
def test_fashion_mnist_is_held_out_by_class():
    data = load("fashion-mnist")
    assert sizes(data) == (48000, 12000, 10000)
    assert data.train.x.dtype == np.uint8
    assert np.bincount(data.validation.y).tolist() == [1200] * 10
    assert np.bincount(data.train.y).tolist() == [4800] * 10


@needs_fashion_mnist
def test_a_limit_takes_as_many_training_examples_and_others_in_proportion():
    assert sizes(load("fashion-mnist", limit=480)) == (480, 120, 100)


@needs_california_housing
def test_california_housing_is_divided_as_keras_does():
    with np.load(fetch.folder() / "california_housing.npz") as arrays:
        x = arrays["x"]
    order = np.arange(len(x))
    np.random.RandomState(113).shuffle(order)
    data = load("california-housing")
    assert np.array_equal(data.test.x, x[order[16512:]])
    assert data.test.y.shape == (4128, 1)


def test_the_seed_of_a_run_is_no_part_of_a_split():
    one, other = load("digits", seed=0), load("digits", seed=1)
    assert np.array_equal(one.validation.rows, other.validation.rows)


def test_the_content_hash_does_not_depend_on_the_split():
    assert load("iris").content_hash == load("iris", split_seed=3, limit=10).content_hash
    assert load("iris").content_hash != load("wine").content_hash


SYNTHETIC = ["fashion-mnist", "cifar10", "imdb(length=20)", "reuters", "california-housing", "iris", "diabetes"]


@pytest.mark.parametrize("name", SYNTHETIC)
def test_made_up_data_has_the_shapes_dtypes_and_counts_of_the_real(name):
    entry, _ = catalog.dataset(name)
    data = load(f"synthetic:{name}")
    parts = (data.train, data.validation, data.test)
    assert all(part.x.shape[1:] == entry.task.input_shape and part.x.dtype == entry.raw_dtype for part in parts)
    assert sum(sizes(data)) == entry.train + entry.test
    assert data.synthetic
    assert "made-up" in data.notes[0]


def test_made_up_data_is_the_same_every_time():
    one, other = load("synthetic:digits"), load("synthetic:digits")
    assert np.array_equal(one.train.x, other.train.x)
    assert one.content_hash == other.content_hash != load("synthetic:iris").content_hash


@pytest.mark.parametrize("name", ["iris", "digits", "fashion-mnist"])
def test_made_up_classes_can_be_learnt(name):
    data = load(f"synthetic:{name}", limit=2000)
    x = data.train.x.reshape(len(data.train), -1).astype(float)
    means = np.stack([x[data.train.y == label].mean(axis=0) for label in range(data.task.num_classes)])
    test = data.test.x.reshape(len(data.test), -1).astype(float)
    nearest = ((test[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == data.test.y).mean() > 0.7


def test_a_made_up_truth_table_is_refused():
    with pytest.raises(InputError, match="use xor itself"):
        load("synthetic:xor")


@pytest.fixture
def table(tmp_path):
    """A file of 40 examples with 2 columns and 2 classes; called with arrays to replace."""

    def write(name="mine.npz", **arrays):
        path = tmp_path / name
        x = np.arange(80, dtype=np.float32).reshape(40, 2)
        np.savez(path, **({"x": x, "y": np.arange(40) % 2} | arrays))
        return path

    return write


def test_a_file_with_x_and_y_gets_test_and_validation_part(table):
    data = load(table())
    assert sizes(data) == (26, 6, 8)
    assert data.task.kind == "binary"


def test_a_file_with_parts_of_its_own_keeps_them(tmp_path):
    x, y = np.ones((9, 2), np.float32) * np.arange(9)[:, None], np.arange(9) % 3
    np.savez(tmp_path / "mine.npz", x_train=x, y_train=y[:, None], x_val=x[:4], y_val=y[:4], x_test=x[:5], y_test=y[:5])
    data = load(tmp_path / "mine.npz")
    assert sizes(data) == (9, 4, 5)
    assert data.train.y.shape == (9,)
    assert data.notes == ("the validation part is the file's own",)


def test_weights_of_a_file_go_with_their_examples(table):
    data = load(table(w=np.arange(40.0)))
    assert np.array_equal(data.train.weights, data.train.rows)


def test_labels_with_fractions_are_numbers_to_predict(table):
    data = load(table(y=np.linspace(0, 1, 40)))
    assert data.task.kind == "regression"
    assert data.train.y.shape == (26, 1)


def test_validation_and_test_can_be_files(table):
    held_out = table("held_out.npz", x=np.ones((3, 2), np.float32), y=np.array([0, 1, 1]))
    data = load(table(), validation=str(held_out), test=str(held_out))
    assert sizes(data) == (40, 3, 3)


def test_a_held_out_file_of_another_shape_is_refused(table):
    held_out = table("held_out.npz", x=np.ones((3, 5), np.float32), y=np.array([0, 1, 1]))
    with pytest.raises(InputError, match=r"validation part: inputs of shape \(5,\), expected \(2,\)"):
        load(table(), validation=str(held_out))


def test_a_held_out_file_that_is_not_there_is_named(table):
    with pytest.raises(InputError, match=r"nowhere\.npz: no such file"):
        load(table(), test="nowhere.npz")


def test_nan_in_a_file_is_named(table):
    x = np.zeros((40, 2), np.float32)
    x[7, 1] = np.nan
    with pytest.raises(InputError, match=r"mine\.npz, train part, inputs: 1 NaN.*\nfirst: row 7, column 1"):
        load(table(x=x))


def test_labels_that_only_the_test_part_has_are_refused(tmp_path):
    x = np.ones((6, 2), np.float32)
    y = np.array([0, 1, 2, 0, 1, 2])
    np.savez(tmp_path / "mine.npz", x_train=x, y_train=y, x_test=x, y_test=y + 1)
    with pytest.raises(InputError, match="test part: label 3 in row 2"):
        load(tmp_path / "mine.npz")


def test_listing_names_every_dataset_with_its_status(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    rows = {row["name"]: row for row in datasets.listing()}
    assert rows["digits"]["status"] == rows["xor"]["status"] == "bundled"
    assert rows["mnist"]["status"] == "not cached"
    assert rows["mnist"]["bytes"] > 1e7
    assert datasets.status(catalog.dataset("synthetic:mnist")[0]) == "made on request"


def test_neither_listing_nor_loading_needs_tensorflow():
    script = (
        "import sys; from types import SimpleNamespace as N; from kerasrun import datasets; datasets.listing()\n"
        "assert not {'sklearn', 'tensorflow', 'keras'} & set(sys.modules)\n"
        "datasets.load(N(dataset='digits', options={}, validation=0.2, test=0.2, split_seed=0, limit=None))\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    root = Path(datasets.__file__).parents[2]
    subprocess.run([sys.executable, "-c", script], check=True, cwd=root, env={**os.environ, "PYTHONPATH": str(root)})


def test_offline_the_message_says_what_from_where_and_what_instead(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(fetch, "_receive", _offline)
    with pytest.raises(DataUnavailable) as refusal:
        load("mnist")
    first, second, third = str(refusal.value).splitlines()
    assert "mnist.npz (11 MB) from https://" in first
    assert str(tmp_path / "datasets") in second
    assert "kerasrun datasets add mnist FILE.npz" in second
    assert "digits" in third


def _offline(download, temporary):
    raise OSError("no route to host")
