import numpy as np
import pytest

from kerasrun.errors import InputError
from kerasrun.images.profile import profile

SOME = [f"{part}/{name}/{i}.png" for part in ("train", "test") for name in ("cat", "dog") for i in range(3)]
SAME = np.full((8, 6, 3), 9, np.uint8)


def test_classes_are_counted_part_by_part(image_folder):
    found = profile(image_folder(SOME))
    assert found.says == "photos: 12 images of 2 classes"
    assert found.head == ("class", "train", "test")
    assert found.rows == [("cat", 3, 3), ("dog", 3, 3)]
    assert found.remarks == ["sizes: 8×6 (12)", "channels: colour"]


def test_without_parts_there_is_one_number(image_folder):
    found = profile(image_folder([name.removeprefix("train/") for name in SOME[:6]], channels=1))
    assert found.head == ("class", "images")
    assert found.remarks[1] == "channels: grey"


def test_what_is_suspect_is_said(image_folder):
    path = image_folder(
        {
            **dict.fromkeys(SOME),
            **{f"train/cat/more{i}.png": None for i in range(40)},
            "train/cat/x.png": SAME,
            "test/cat/y.png": SAME,
            "train/dog/z.png": SAME,
            "train/dog/large.png": np.zeros((20, 20), np.uint8),
            "train/dog/cut.png": b"\x89PNG",
            "train/dog/empty.jpg": b"",
        }
    )
    (path / "train/cat/0.png").rename(path / "train/cat/0.gif")
    assert profile(path).remarks == [
        "sizes: 8×6 (55), 20×20 (1); --resize is needed",
        "channels: colour, 1 of them grey",
        "of another format than their names say: 1, as train/cat/0.gif (PNG)",
        "files without an image: 2, train/dog/cut.png (no PNG, JPEG, GIF, BMP or WEBP), train/dog/empty.jpg (empty); "
        "--skip-broken leaves them out",
        "WARNING: in two parts, byte for byte: 1, as train/cat/x.png = test/cat/y.png",
        "WARNING: in two classes, byte for byte: 1, as train/cat/x.png = test/cat/y.png",
        "repeated files, byte for byte: 2",
    ]


def test_unequal_classes_are_named(image_folder):
    remarks = profile(image_folder(["a/1.png", *(f"b/{i}.png" for i in range(11))])).remarks
    assert remarks[-1] == "classes have 1 to 11 images: class_weights=balanced"


def test_a_folder_without_classes_is_refused(image_folder):
    with pytest.raises(InputError, match="holds no folder"):
        profile(image_folder(["1.png"]))
