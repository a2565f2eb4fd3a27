import os

import pytest

from kerasrun.class_folders import all_below, listed
from kerasrun.errors import InputError

TWO = ["cat/1.png", "cat/2.png", "dog/1.png"]


def names(listing):
    return [(file.part, listing.classes[file.label], file.name) for file in listing.files]


def test_class_folders_are_classes_in_the_order_of_their_names(image_folder):
    found = listed(image_folder(["dog/b.png", "dog/a.png", "cat/1.png", "10/x.png"]))
    assert found.classes == ("10", "cat", "dog")
    assert [name for *_, name in names(found)] == ["10/x.png", "cat/1.png", "dog/a.png", "dog/b.png"]
    assert not found.has_parts


@pytest.mark.parametrize(
    ("train", "validation", "test"), [("train", "val", "test"), ("Training", "validation", "testing")]
)
def test_folders_named_like_parts_are_parts(image_folder, train, validation, test):
    found = listed(image_folder([f"{p}/{c}/1.png" for p in (test, validation, train) for c in ("cat", "dog")]))
    assert found.has_parts
    assert found.classes == ("cat", "dog")
    assert [file.part for file in found.files] == ["train"] * 2 + ["validation"] * 2 + ["test"] * 2


def test_a_class_may_be_called_train_beside_others(image_folder):
    assert listed(image_folder(["train/1.png", "car/1.png", "bus/1.png"])).classes == ("bus", "car", "train")


def test_a_held_out_part_may_lack_a_class(image_folder):
    found = listed(image_folder(["train/cat/1.png", "train/dog/1.png", "test/dog/2.png"]))
    assert names(found)[-1] == ("test", "dog", "test/dog/2.png")


def test_images_in_deeper_folders_belong_to_the_class(image_folder):
    assert names(listed(image_folder(["cat/2021/may/1.png", "dog/1.png"])))[0] == ("train", "cat", "cat/2021/may/1.png")


def test_hidden_files_and_those_of_the_system_are_passed_over(image_folder):
    folder = image_folder([*TWO, ".git/x/1.png", "cat/.hidden.png", "__MACOSX/1.png"])
    for name in ("cat/.DS_Store", "dog/Thumbs.db", "cat/desktop.ini"):
        (folder / name).write_bytes(b"?")
    found = listed(folder)
    assert [file.name for file in found.files] == TWO
    assert found.notes == ()


def test_files_that_are_no_images_by_their_names_are_counted(image_folder):
    folder = image_folder(TWO)
    for name in ("cat/notes.txt", "dog/labels.txt", "dog/README"):
        (folder / name).write_text("words")
    assert listed(folder).notes == ("left out, by their names no images: 2 .txt, 1 no ending",)


def test_images_outside_of_class_folders_are_named(image_folder):
    folder = image_folder([*(f"train/{name}" for name in TWO), "sample.png", "train/loose.png"])
    assert listed(folder).notes == ("left out, in no class folder: loose.png, sample.png",)


def test_names_may_be_of_any_script_and_accents_of_either_form(image_folder):
    found = listed(image_folder(["train/café/1.png", "train/고양이/1.png", "test/cafe\u0301/이미지 1.png"]))
    assert found.classes == ("café", "고양이")
    assert names(found)[-1][1] == "café"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["1.png", "2.png"], "holds no folder; each class needs one of its own"),
        (["cat/1.png"], "holds one class folder only, 'cat'; two are needed"),
        (["set/cat/1.png", "set/dog/1.png"], "is it photos/set/ that you mean"),
        (["Cat/1.png", "cat/2.png"], "'Cat' and 'cat' differ only in how they are written"),
        (["train/cat/1.png", "train/dog/1.png", "test/Cat/1.png"], "it is 'cat' in the training part; rename one"),
        (["train/cat/1.png", "train/dog/1.png", "test/cow/1.png"], "class 'cow', which training does not have"),
        (["train/cat/1.png"], "train: holds one class folder only"),
        (["val/cat/1.png", "test/cat/1.png"], "none named train"),
        (["train/cat/1.png", "val/cat/1.png", "dev/cat/1.png"], "dev, val are both the validation part"),
        (
            ["train/cat/1.png", "test/cat/1.png", "extra/1.png"],
            "the parts test, train there is the folder extra, which",
        ),
    ],
)
def test_folders_that_do_not_say_the_class_are_refused(image_folder, files, said):
    with pytest.raises(InputError, match=said):
        listed(image_folder(files))


def test_an_empty_class_folder_is_refused(image_folder):
    folder = image_folder(TWO)
    (folder / "bird").mkdir()
    with pytest.raises(InputError, match=r"class folder 'bird' holds no image \(.png"):
        listed(folder)


def test_an_empty_part_is_refused(image_folder):
    folder = image_folder([f"train/{name}" for name in TWO])
    (folder / "test").mkdir()
    with pytest.raises(InputError, match="test: holds no folder"):
        listed(folder)


def test_a_part_whose_class_folders_are_empty_is_refused(image_folder):
    folder = image_folder([f"train/{name}" for name in TWO])
    (folder / "test" / "cat").mkdir(parents=True)
    with pytest.raises(InputError, match="test: holds no image in its class folders"):
        listed(folder)


def test_a_link_to_nothing_is_named(image_folder):
    folder = image_folder(TWO)
    (folder / "cat" / "9.png").symlink_to(folder / "gone.png")
    with pytest.raises(InputError, match="cat/9.png: no such file"):
        listed(folder)


def test_a_folder_whose_name_is_no_text_is_refused(image_folder):
    folder = image_folder(TWO)
    os.mkdir(os.fsencode(folder) + b"/b\xffrd")
    with pytest.raises(InputError, match=r"no text \(UTF-8\)"):
        listed(folder)


def test_no_folder_is_said_to_be_none(tmp_path):
    with pytest.raises(InputError, match="no such file or directory; a folder is wanted"):
        listed(tmp_path / "photos")


def test_all_images_below_a_folder_are_found_for_predictions(image_folder):
    assert all_below(image_folder(["b/1.png", "a.png", "b/c/2.PNG"])) == (["a.png", "b/1.png", "b/c/2.PNG"], [])
