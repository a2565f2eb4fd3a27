import zipfile
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from kerasrun import catalog, datasets
from kerasrun.datasets import npz, registered
from kerasrun.errors import DataUnavailable, InputError


def test_only_the_named_arrays_are_read(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.ones(3), other=np.ones(4))
    assert list(npz.read(tmp_path / "a.npz", ("x", "y"))) == ["x"]


def test_python_objects_are_never_loaded(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([[1], [1, 2]], dtype=object))
    with pytest.raises(InputError, match="x holds Python objects"):
        npz.read(tmp_path / "a.npz")


@pytest.mark.parametrize("spoil", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"PK" + b[9:]])
def test_a_damaged_file_is_named(tmp_path, spoil):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.ones(300))
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(InputError, match=r"a\.npz: damaged"):
        npz.read(path)


def test_a_flipped_byte_is_noticed(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.zeros(300, np.uint8))
    content = bytearray(path.read_bytes())
    content[300] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        npz.read(path)


def test_a_file_that_would_not_fit_is_refused_before_it_is_read(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((1000, 1000)))
    monkeypatch.setattr(npz, "largest", lambda: 1 << 20)
    with pytest.raises(InputError, match="more than half of the memory"):
        npz.read(tmp_path / "a.npz")


def test_a_header_that_promises_more_than_memory_is_refused(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000, 1000000), }"
    header += b" " * (118 - len(header) - 1) + b"\n"
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(InputError, match="more than half of the memory"):
        npz.read(tmp_path / "a.npz")


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        npz.read(tmp_path)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASRUN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "home" / "datasets"


@pytest.fixture
def small_cifar(monkeypatch):
    """CIFAR-100 as the catalog would know it with 200 and 100 images."""
    entry = replace(catalog.dataset("cifar100")[0], train=200, test=100)
    monkeypatch.setattr(catalog, "dataset", lambda text, options=None: (entry, {}))


def _copy(path, **changed):
    arrays = {
        "x_train": np.zeros((200, 32, 32, 3), np.uint8), "y_train": np.arange(200)[:, None] % 100,
        "x_test": np.zeros((100, 32, 32, 3), np.uint8), "y_test": np.arange(100),
    }  # fmt: skip
    np.savez(path, **{**arrays, **changed})
    return path


def _load(name):
    return datasets.load(SimpleNamespace(dataset=name, options={}, validation=0.5, test=0.2, split_seed=0, limit=None))


@pytest.mark.usefixtures("small_cifar")
def test_a_registered_copy_is_used_and_said(home, tmp_path):
    target = datasets.add("cifar100", _copy(tmp_path / "mine.npz"))
    assert target == home / "cifar100.npz"
    assert datasets.status(catalog.dataset("cifar100")[0]) == "registered"
    data = _load("cifar100")
    assert len(data.train) == 100
    assert data.train.y.shape == (100,)
    assert "registered copy, sha256" in data.notes[0]


@pytest.mark.usefixtures("small_cifar")
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x_train": np.zeros((200, 28, 28), np.uint8)}, r"inputs of shape \(28, 28\), expected \(32, 32, 3\)"),
        ({"x_train": np.zeros((200, 32, 32, 3), np.float32)}, "x_train is float32; cifar100 has uint8"),
        ({"y_test": np.arange(100) + 1}, "test part: label 100 in row 99"),
        ({"x_test": np.zeros((7, 32, 32, 3), np.uint8)}, "7 test examples; cifar100 has 100"),
    ],
)
def test_a_copy_that_is_not_the_dataset_is_refused(home, tmp_path, changed, message):
    with pytest.raises(InputError, match=message):
        datasets.add("cifar100", _copy(tmp_path / "mine.npz", **changed))
    assert not home.exists()


@pytest.mark.usefixtures("small_cifar", "home")
def test_a_registered_copy_that_was_changed_is_refused(tmp_path):
    target = datasets.add("cifar100", _copy(tmp_path / "mine.npz"))
    target.write_bytes(target.read_bytes()[:-1])
    with pytest.raises(DataUnavailable, match="kerasrun datasets add cifar100"):
        _load("cifar100")


@pytest.mark.usefixtures("home")
def test_what_is_bundled_needs_no_copy(tmp_path):
    with pytest.raises(InputError, match="digits needs no copy"):
        datasets.add("digits", tmp_path / "mine.npz")


@pytest.mark.usefixtures("home")
def test_registered_texts_are_fitted_to_the_arguments():
    x = np.array([[0, 1, 5, 900], [1, 5, 6, 7]], dtype=np.int64)
    assert registered._refitted(x, 100, 2).tolist() == [[5, 2], [6, 7]]
    assert registered._refitted(x, 1000, 5).tolist() == [[0, 0, 1, 5, 900], [0, 1, 5, 6, 7]]
