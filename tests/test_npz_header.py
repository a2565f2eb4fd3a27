import pickle
import zipfile

import numpy as np
import pytest

from kerasrun.errors import InputError
from kerasrun.npz_header import read_header

IMAGES = np.zeros((6, 4, 4), np.uint8)
NUMBERS = np.zeros((6, 3))


def write(path, **arrays):
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("y", "kind", "outputs"),
    [
        (np.array([0, 1, 2, 0, 1, 2]), "multiclass", 3),
        (np.array([[0], [1], [2], [0], [1], [2]]), "multiclass", 3),
        (np.array([0, 1, 0, 1, 0, 1], np.uint8), "binary", 1),
        (np.array([True, False] * 3), "binary", 1),
        (np.array([0.5, 1, 2, 3, 4, 5]), "regression", 1),
        (np.zeros((6, 2)), "regression", 2),
    ],
)
def test_the_task_follows_from_the_labels(tmp_path, y, kind, outputs):
    header = read_header(write(tmp_path / "own.npz", x=NUMBERS, y=y))
    assert (header.task.kind, header.task.num_outputs, header.task.name) == (kind, outputs, "own")
    assert header.task.input_shape == (3,)
    assert (header.raw_dtype, header.train, header.test) == ("float32", 6, 0)


def test_images_stay_bytes_and_the_test_part_is_counted(tmp_path):
    labels = np.arange(6) % 3
    path = write(tmp_path / "own.npz", x_train=IMAGES, y_train=labels, x_test=IMAGES[:2], y_test=labels[:2])
    header = read_header(path)
    assert (header.raw_dtype, header.train, header.test, header.task.input_shape) == ("uint8", 6, 2, (4, 4))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": NUMBERS}, "holds a; wanted are x_train and y_train, or x and y"),
        ({"x": np.array([["a"], ["b"]]), "y": np.arange(2)}, "takes only numbers"),
        ({"x": np.zeros(6), "y": np.zeros(6)}, r"has shape \(6,\)"),
        ({"x": NUMBERS, "y": np.zeros(5)}, "x has 6 rows, y has 5"),
        ({"x": NUMBERS, "y": np.eye(6, dtype=int)}, "6 columns of whole numbers"),
        ({"x": NUMBERS, "y": np.array([-1, 1, -1, 1, -1, 1])}, "whole numbers from -1 to 1"),
        ({"x": NUMBERS, "y": np.array([0, 1, 2, 3, 4, 900])}, "whole numbers from 0 to 900 for 6 examples"),
        ({"x": NUMBERS, "y": np.zeros((6, 2, 2))}, "wanted class numbers"),
        ({"x": np.array([{}, {}]), "y": np.arange(2)}, r"object arrays \(pickle\) are never loaded"),
        ({"x": NUMBERS, "y": np.array([{}] * 6)}, r"object arrays \(pickle\) are never loaded"),
    ],
)
def test_files_that_no_network_can_eat_are_refused(tmp_path, arrays, message):
    with pytest.raises(InputError, match=message):
        read_header(write(tmp_path / "own.npz", **arrays))


def test_a_missing_file_a_text_and_a_pickle_are_wrong_input(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_header(tmp_path / "none.npz")
    path = tmp_path / "own.npz"
    path.write_text("text")
    with pytest.raises(InputError, match=r"not an \.npz file"):
        read_header(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", pickle.dumps([1]))
        archive.writestr("y.npy", pickle.dumps([1]))
    with pytest.raises(InputError, match=r"not an \.npz file"):
        read_header(path)


def test_a_changed_file_is_read_anew(tmp_path):
    path = write(tmp_path / "own.npz", x=NUMBERS, y=np.zeros(6))
    assert read_header(path).train == 6
    write(path, x=NUMBERS[:4], y=np.zeros(4))
    assert read_header(path).train == 4
