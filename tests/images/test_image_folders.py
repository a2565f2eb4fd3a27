import json
import os
import sys

import numpy as np
import pytest
from PIL import Image

from kerasrun import images
from kerasrun.errors import DiskError, InputError
from kerasrun.images import kept

DEFAULTS = {"resize": None, "channels": None, "skip_broken": False}
SOME = [f"{name}/{i}.png" for name in ("cat", "dog") for i in range(4)]


def opened(path, **given):
    return images.opened(path, {**DEFAULTS, **given})


def test_a_folder_becomes_one_array_with_the_classes_of_its_folders(image_folder):
    found = opened(image_folder(SOME))
    assert found.classes == ("cat", "dog")
    assert found.labels.tolist() == [0] * 4 + [1] * 4
    assert found.pixels.shape == (8, 8, 6, 3)
    assert found.pixels[0].max() < 128 <= found.pixels[7].min()
    assert found.names == tuple(SOME)


def test_grey_images_have_no_channel_axis_unless_colour_is_asked_for(image_folder):
    path = image_folder(SOME, channels=1)
    assert opened(path).shape == (8, 6)
    assert opened(path, channels=3).shape == (8, 6, 3)


def test_one_image_of_colour_makes_all_of_them_colour_and_says_so(image_folder):
    path = image_folder(SOME, channels=1)
    image_folder({"cat/9.png": np.full((8, 6, 3), (200, 0, 0), np.uint8)})
    assert opened(path).shape == (8, 6, 3)
    assert opened(path).notes == ("8 of 9 images are grey; they are taken as colour",)
    assert opened(path, channels=1).notes == ("1 of 9 images have colour; they are taken as grey",)


def test_images_of_different_sizes_are_refused_with_the_option(image_folder):
    path = image_folder(SOME)
    image_folder({"cat/9.png": np.zeros((20, 30, 3), np.uint8)})
    with pytest.raises(InputError, match=r"2 sizes, 8×6 to 20×30 \(most often 8×6, 8 of 9\)") as error:
        opened(path)
    assert "--resize 96x96" in str(error.value)
    found = opened(path, resize="4x5")
    assert found.pixels.shape == (9, 4, 5, 3)
    assert found.notes == ("brought to 4×5, sides stretched: 9 of 9 images",)


def test_a_telephones_photographs_are_jpegs_by_name_too(image_folder, tmp_path):
    image = Image.fromarray(np.zeros((8, 6, 3), np.uint8))
    image.save(tmp_path / "photo.mpo", save_all=True, append_images=[image])
    path = image_folder([*SOME, "cat/8.jpg", "dog/8.jpg"])
    (path / "cat" / "8.jpg").write_bytes((tmp_path / "photo.mpo").read_bytes())
    assert opened(path).notes == ()


def test_broken_files_are_all_counted_and_some_named(image_folder):
    path = image_folder(SOME)
    image_folder({"cat/7.png": b"", **{f"dog/x{i}.jpg": b"words" for i in range(5)}})
    with pytest.raises(InputError, match=r"6 of 14 files give no image: cat/7.png \(empty\), dog/x0.jpg") as error:
        opened(path)
    assert "and 2 more" in str(error.value)
    assert "--skip-broken" in str(error.value)
    found = opened(path, skip_broken=True)
    assert len(found.names) == len(found.pixels) == 8
    assert [name for name, _ in found.broken] == ["cat/7.png", *(f"dog/x{i}.jpg" for i in range(5))]


def test_a_file_cut_in_the_middle_is_broken(image_folder):
    path = image_folder(SOME, size=(64, 64))
    content = (path / "dog/2.png").read_bytes()
    (path / "dog/2.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"1 of 8 files give no image: dog/2.png \(ends too early\)"):
        opened(path)
    found = opened(path, skip_broken=True)
    assert found.names == tuple(name for name in SOME if name != "dog/2.png")
    assert found.labels.tolist() == [0] * 4 + [1] * 3


def test_a_class_of_which_every_file_is_broken_is_refused(image_folder):
    path = image_folder(SOME)
    image_folder({"cow/1.png": b"", "cow/2.png": b""})
    with pytest.raises(InputError, match="no file of class 'cow' gives an image"):
        opened(path, skip_broken=True)


def test_a_part_of_which_every_file_is_broken_is_refused(image_folder):
    path = image_folder([f"train/{name}" for name in SOME])
    image_folder({"test/cat/1.png": b"", "test/dog/1.png": b""})
    with pytest.raises(InputError, match="no file of the test part gives an image"):
        opened(path, skip_broken=True)


def test_the_content_decides_the_format_and_other_names_are_said(image_folder):
    path = image_folder(SOME)
    (path / "cat/0.png").rename(path / "cat/0.jpg")
    assert opened(path).notes == ("of another format than their names say: 1, as cat/0.jpg (PNG)",)


def test_what_was_decoded_is_read_again_until_a_file_changes(image_folder, monkeypatch):
    path = image_folder(SOME)
    first = opened(path)
    with monkeypatch.context() as patch:
        patch.setattr(kept.decode, "decoded", lambda *_: pytest.fail("decoded again"))
        assert opened(path).sha256 == first.sha256
    image_folder({"cat/2.png": np.zeros((8, 6, 3), np.uint8)})
    again = opened(path)
    assert again.sha256 != first.sha256
    assert not again.pixels[2].any()


@pytest.mark.parametrize("harm", [lambda text: text[:20], lambda text: "[]", lambda text: text.replace("made_of", "x")])
def test_what_is_known_and_damaged_is_found_anew(image_folder, tmp_path, harm):
    path = image_folder(SOME)
    first = opened(path)
    about = next((tmp_path / "home/images").glob("*.json"))
    about.write_text(harm(about.read_text()))
    assert opened(path).sha256 == first.sha256
    assert json.loads(about.read_text())["folder"] == str(path)


@pytest.mark.parametrize("harm", [lambda content: content[:-1], lambda content: bytes([content[0] ^ 1]) + content[1:]])
def test_pixels_that_are_damaged_are_decoded_anew(image_folder, tmp_path, harm):
    path = image_folder(SOME)
    whole = np.array(opened(path).pixels)
    kept_pixels = next((tmp_path / "home/images").glob("*.bytes"))
    kept_pixels.write_bytes(harm(kept_pixels.read_bytes()))
    np.testing.assert_array_equal(opened(path).pixels, whole)


def test_pixels_of_a_folder_as_it_was_are_not_kept_and_stay_readable(image_folder, tmp_path):
    path = image_folder(SOME)
    before = opened(path)
    image_folder({"cat/2.png": np.zeros((8, 6, 3), np.uint8)})
    assert not opened(path).pixels[2].any()
    assert len([*(tmp_path / "home/images").glob("*.bytes")]) == 1
    assert before.pixels[2].any()


def test_nothing_can_be_kept_where_nothing_can_be_written(image_folder, tmp_path, monkeypatch):
    path = image_folder(SOME)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KERASRUN_HOME", str(tmp_path / "file"))
    with pytest.raises(DiskError, match="decoded images are kept there"):
        opened(path)


def test_a_file_whose_name_is_no_text_has_a_name_that_can_be_written(image_folder):
    path = image_folder(SOME)
    os.rename(path / "cat/1.png", os.fsencode(path) + b"/cat/\xff.png")
    assert opened(path).names[3] == "cat/\ufffd.png"


def test_the_hash_is_of_pixels_and_classes_and_not_of_names(image_folder):
    path = image_folder(SOME)
    before = opened(path).sha256
    (path / "cat/3.png").rename(path / "cat/4.png")
    assert opened(path).sha256 == before
    (path / "dog/0.png").rename(path / "cat/5.png")
    assert opened(path).sha256 != before


def test_a_folder_says_what_it_asks_of_a_network(image_folder):
    path = image_folder([f"{part}/{c}/1.png" for part in ("train", "test") for c in "abc"])
    entry, options = images.describe(path, DEFAULTS)
    assert (entry.task.kind, entry.task.class_names, entry.task.input_shape) == (
        "multiclass",
        ("a", "b", "c"),
        (8, 6, 3),
    )
    assert (entry.train, entry.test, entry.raw_dtype, entry.scale, entry.recipe) == (3, 3, "uint8", "unit", "cnn")
    assert entry.is_own
    assert options == DEFAULTS


def test_two_classes_are_a_binary_task(image_folder):
    assert images.describe(image_folder(SOME), DEFAULTS)[0].task.kind == "binary"


def test_a_description_follows_the_folder(image_folder):
    path = image_folder(SOME)
    assert images.describe(path, DEFAULTS)[0].train == 8
    image_folder(["cat/9.png"])
    assert images.describe(path, DEFAULTS)[0].train == 9


def test_a_single_image_is_no_dataset(image_folder):
    with pytest.raises(InputError, match="a single image; a folder is wanted"):
        opened(image_folder(SOME) / "cat/1.png")


def test_without_pillow_the_extra_is_named(image_folder, monkeypatch):
    path = image_folder(SOME)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(InputError, match=r"pip install 'kerasrun\[images\]'"):
        opened(path)
