"""What a network cannot see, in images of one's own: rows 24 to 49, as far as they concern images."""

import pytest

from kerasrun import datasets
from kerasrun.experiment import resolve

SOME = [f"{name}/{i}.png" for name in ("cat", "dog") for i in range(10)]
PARTS = [f"{part}/{name}" for part in ("train", "val", "test") for name in SOME]


@pytest.mark.parametrize("part", ["train", "val", "test"])
@pytest.mark.parametrize("content", [b"", b"words", b"\x89PNG\r\n\x1a\n"])
def test_rows_24_25_a_file_without_an_image_is_named_in_every_part(image_folder, refused, part, content):
    folder = image_folder({**dict.fromkeys(PARTS), f"{part}/dog/bad.png": content})
    said = refused(folder)
    assert f"1 of 61 files give no image: {part}/dog/bad.png" in said
    assert "--skip-broken" in said
    assert len(datasets.load(resolve(str(folder), {"skip_broken": True})).files) == 60


@pytest.mark.parametrize("part", ["val", "test"])
def test_rows_26_27_28_a_class_that_training_does_not_have_is_named(image_folder, refused, part):
    assert f"{'validation' if part == 'val' else part} part has class 'cow', which training does not have" in refused(
        image_folder([*PARTS, f"{part}/cow/1.png"])
    )


@pytest.mark.parametrize("option", ["validation", "test"])
def test_rows_26_27_28_so_it_is_in_a_folder_of_its_own(image_folder, refused, tmp_path, option):
    image_folder([*SOME, "cow/1.png"]).rename(tmp_path / "other")
    assert "class 'cow' is none of those of the training" in refused(
        image_folder(SOME), f"--{option}", str(tmp_path / "other")
    )


def test_rows_31_32_33_each_image_has_the_one_class_of_its_folder(image_folder):
    data = datasets.load(resolve(str(image_folder(SOME)), {}))
    assert [part.y.shape for part in (data.train, data.validation, data.test)] == [(13,), (3,), (4,)]


def test_row_35_a_single_class_folder_is_refused(image_folder, refused):
    assert "holds one class folder only, 'cat'; two are needed" in refused(image_folder(SOME[:10]))


@pytest.mark.parametrize("files", [[], ["1.png"]])
def test_row_37_a_folder_without_an_image_of_a_class_is_refused(image_folder, refused, tmp_path, files):
    (tmp_path / "photos").mkdir()
    image_folder(files)
    assert "each class needs one of its own" in refused(tmp_path / "photos")


def test_row_37_a_class_without_an_image_is_named(image_folder, refused):
    folder = image_folder(SOME)
    (folder / "ant").mkdir()
    assert "class folder 'ant' holds no image" in refused(folder)


def test_row_38_an_empty_validation_folder_is_refused(image_folder, refused):
    folder = image_folder([name for name in PARTS if not name.startswith("val")])
    (folder / "val").mkdir()
    assert "val: holds no folder" in refused(folder)


def test_row_39_a_share_that_is_no_image_names_the_counts(image_folder, refused):
    assert "--validation 0.001 of 16 examples is 0.016, so none is held out" in refused(
        image_folder(SOME), "validation=0.001"
    )


def test_row_48_a_file_cut_in_the_middle_is_named(image_folder, refused):
    folder = image_folder(SOME, size=(64, 64))
    content = (folder / "cat/3.png").read_bytes()
    (folder / "cat/3.png").write_bytes(content[: len(content) // 2])
    assert "cat/3.png (ends too early)" in refused(folder)


def test_row_49_an_image_that_declares_too_many_pixels_is_not_unpacked(image_folder, refused):
    folder = image_folder([*SOME, "cat/large.bmp"])
    content = bytearray((folder / "cat/large.bmp").read_bytes())
    content[18:26] = (60_000).to_bytes(4, "little") * 2
    (folder / "cat/large.bmp").write_bytes(content)
    assert "cat/large.bmp (declares more pixels than any photograph has)" in refused(folder)
