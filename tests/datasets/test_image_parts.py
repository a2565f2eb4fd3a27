import sys

import numpy as np
import pytest

from kerasrun import datasets, own_data
from kerasrun.datasets import image_rows, images, rows
from kerasrun.datasets.stored import Stored
from kerasrun.errors import InputError
from kerasrun.experiment import from_record, identity, resolve, to_record
from kerasrun.trained import Trained

SOME = [f"{name}/{i:02}.png" for name in ("cat", "dog") for i in range(20)]
PARTS = [f"{part}/{name}" for part in ("train", "val", "test") for name in SOME]


def load(path, **given):
    return datasets.load(resolve(str(path), given))


def test_a_folder_is_known_and_a_dataset_of_that_name_goes_before_it(tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    assert own_data.source_of("photos") is own_data.source_of("./digits") is own_data.IMAGES
    assert own_data.source_of("digits") is None
    assert own_data.source_of("new/cat.JPG") is own_data.IMAGES


def test_a_folder_that_is_not_there_is_said_to_be_none():
    with pytest.raises(InputError, match="nowhere/photos: no such folder"):
        resolve("nowhere/photos", {})


@pytest.mark.parametrize("wrong", ["0x4", "4x", "big", "96x96x3", "-5"])
def test_a_size_is_height_and_width(wrong):
    assert [own_data.size("resize", each) for each in ("96x128", "96 X 128", 64)] == ["96x128", "96x128", "64x64"]
    with pytest.raises(InputError, match="must be height and width in pixels"):
        own_data.size("resize", wrong)


def test_channels_are_one_or_three(image_folder):
    assert resolve(str(image_folder(SOME)), {"channels": "1"}).options["channels"] == 1
    with pytest.raises(InputError, match=r"must be 1 \(grey\) or 3"):
        resolve(str(image_folder(SOME)), {"channels": "2"})


def test_parts_are_held_out_of_a_folder_of_classes(image_folder):
    data = load(image_folder(SOME))
    assert [len(part) for part in (data.train, data.validation, data.test)] == [26, 6, 8]
    assert data.train.x.dtype == np.uint8
    assert sorted(np.concatenate([data.train.rows, data.validation.rows, data.test.rows])) == [*range(40)]
    assert data.test.y.tolist() == [0] * 4 + [1] * 4
    assert (data.test.x[data.test.y == 1] >= 128).all()
    assert (data.test.x[data.test.y == 0] < 128).all()
    assert [data.files[row].split("/")[0] for row in data.test.rows] == ["cat"] * 4 + ["dog"] * 4


def test_part_folders_stay_what_they_are(image_folder):
    data = load(image_folder(PARTS))
    assert [len(part) for part in (data.train, data.validation, data.test)] == [40, 40, 40]
    assert {data.files[row].split("/")[0] for row in data.validation.rows} == {"val"}


def test_limit_keeps_some_of_each_class(image_folder):
    data = load(image_folder(PARTS), limit=10)
    assert data.train.y.tolist() == [0] * 5 + [1] * 5
    assert len(data.test) == 10


def test_a_test_folder_of_its_own_is_read_as_the_data_are(image_folder, tmp_path):
    path = image_folder(SOME)
    path.rename(tmp_path / "other")
    for name in ("cat", "dog"):
        (tmp_path / "other" / name / "00.png").write_bytes(b"broken")
    path = image_folder(["ant/1.png", "ant/2.png", *SOME], size=(4, 3))
    with pytest.raises(InputError, match="2 of 40 files give no image"):
        load(path, test=str(tmp_path / "other"))
    data = load(path, test=str(tmp_path / "other"), skip_broken=True)
    assert data.test.x.shape == (38, 4, 3, 3)
    assert set(data.test.y.tolist()) == {1, 2}
    assert data.files[data.test.rows[0]] == "other/cat/01.png"
    assert data.content_hash != load(path).content_hash
    with pytest.raises(InputError, match="class 'ant' is none of those"):
        load(tmp_path / "other", test=str(path), skip_broken=True)
    with pytest.raises(InputError, match="is the training folder itself"):
        load(path, validation=str(path))


def test_files_in_two_parts_are_said_loudly(image_folder):
    same = np.full((8, 6, 3), 7, np.uint8)
    path = image_folder({**dict.fromkeys(PARTS), "train/cat/x.png": same, "test/cat/y.png": same})
    assert [note for note in load(path).notes if "WARNING" in note] == [
        "WARNING: 1 of 41 images of the test part lie in the training part, too, byte for byte "
        "(as test/cat/y.png = train/cat/x.png)"
    ]


def test_broken_files_that_are_skipped_are_noted_and_recorded(image_folder):
    path = image_folder({**dict.fromkeys(SOME), "cat/x.png": b""})
    data = load(path, skip_broken=True)
    assert data.notes[0] == "left out, no image can be read: cat/x.png (empty)"
    assert data.skipped == (("cat/x.png", "empty"),)


def test_the_content_hash_needs_no_decoding_and_options_decide_the_identity(image_folder):
    path = str(image_folder(SOME))
    assert load(path, limit=4).content_hash == load(path, split_seed=3).content_hash
    made = resolve(path, {"resize": "4x4"})
    assert from_record(to_record(made), made.origins) == made
    assert identity(made, "") != identity(resolve(path, {}), "")


def test_more_than_memory_should_hold_stays_on_the_disk(image_folder, monkeypatch):
    path = image_folder(PARTS)
    whole = load(path)
    monkeypatch.setattr(images, "largest", lambda: 1000)
    stored = load(path)
    assert isinstance(stored.train.x, Stored)
    assert stored.train.x.shape == whole.train.x.shape
    assert stored.train.x.nbytes == whole.train.x.nbytes
    assert stored.content_hash == whole.content_hash
    for chosen in (slice(3, 7), np.array([5, 0, 5]), 4):
        np.testing.assert_array_equal(stored.test.x[chosen], whole.test.x[chosen])
    with pytest.raises(TypeError, match="read in slices"):
        np.asarray(stored.train.x)


def trained(shape=(8, 6, 3), dtype="uint8", classes=("cat", "dog")):
    return Trained("abcde", "binary", classes, shape, dtype, {})


def read(given, model, **more):
    opened = rows.opened(given, model, **more)
    return opened, [*opened.chunks]


def test_all_images_in_a_folder_are_read_for_predictions(image_folder, monkeypatch):
    path = image_folder(SOME)
    monkeypatch.setattr(image_rows, "BYTES", 8 * 6 * 3 * 7)
    opened, chunks = read(str(path), trained())
    assert opened.ids == ("file",)
    assert [len(chunk.x) for chunk in chunks] == [7, 7, 7, 7, 7, 5]
    assert [name for chunk in chunks for name in chunk.ids[0]] == SOME
    np.testing.assert_array_equal(np.concatenate([c.x for c in chunks])[3], images.images.decoded(
        [path / SOME[3]], (8, 6), (8, 6, 3))[0].pixels)  # fmt: skip


def test_image_files_are_read_by_their_paths_and_brought_to_the_models_form(image_folder):
    path = image_folder(SOME)
    given = [f"{path}/cat/01.png", f"{path}/dog/02.png"]
    opened, (chunk,) = read(given, trained((28, 28)))
    assert chunk.x.shape == (2, 28, 28)
    assert list(chunk.ids[0]) == given
    assert opened.notes == ["brought to 28×28, sides stretched: 2 of 2 images"]


def test_broken_files_are_left_out_of_predictions_and_named(image_folder):
    path = image_folder({**dict.fromkeys(SOME), "cat/x.png": b"", "dog/y.jpg": b"?"})
    opened, chunks = read(str(path), trained())
    assert sum(len(chunk.x) for chunk in chunks) == 40
    assert "left out, no image can be read: cat/x.png (empty), dog/y.jpg" in opened.notes[0]


def test_labels_are_those_of_the_models_classes(image_folder):
    path = image_folder(SOME)
    _, (chunk,) = read(str(path), trained(classes=("cow", "dog", "cat")), labelled=True)
    assert chunk.y.tolist() == [2] * 20 + [1] * 20
    with pytest.raises(InputError, match="class 'cat' is none of those"):
        read(str(path), trained(classes=("cow", "dog")), labelled=True)


@pytest.mark.parametrize(
    ("model", "said"),
    [(trained((8, 8), "float32"), "trained on float32"), (trained((100,)), r"of shape \(100,\)")],
)
def test_models_of_something_else_take_no_images(image_folder, model, said):
    with pytest.raises(InputError, match=said):
        read(str(image_folder(SOME)), model)


def test_several_inputs_are_images(image_folder, tmp_path):
    path = image_folder(SOME)
    with pytest.raises(InputError, match="2 inputs, of which one is no image"):
        read([f"{path}/cat/01.png", "digits"], trained())
    with pytest.raises(InputError, match="gone.png: no such file"):
        read([f"{tmp_path}/gone.png"], trained())
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no image"):
        read(f"{tmp_path}/empty", trained())


def test_a_folder_is_read_without_tensorflow(image_folder):
    import subprocess

    path = image_folder(SOME)
    script = (
        "import sys; from kerasrun import datasets; from kerasrun.experiment import resolve; "
        "datasets.load(resolve(sys.argv[1], {})); print('tensorflow' in sys.modules, 'pandas' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "False"]
