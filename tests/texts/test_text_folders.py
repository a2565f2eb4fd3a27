import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun import own_data
from kerasrun.errors import InputError
from kerasrun.texts import folder

OPTIONS = {name: option.default for name, option in own_data.TEXT_FOLDER_OPTIONS.items()}
FOUR = {"pos/1.txt": "so good", "pos/2.txt": "great fun", "neg/1.txt": "so bad", "neg/2.txt": "no fun\n"}


def opened(path, **given):
    return folder.opened(path, {**OPTIONS, **given})


def test_files_are_rows_and_their_folders_classes(text_folder):
    table = opened(text_folder(FOUR))
    assert table.files == ("neg/1.txt", "neg/2.txt", "pos/1.txt", "pos/2.txt")
    assert table.columns[0].texts == ("so bad", "no fun", "so good", "great fun")
    assert (table.target.classes, table.target.y.tolist()) == (("neg", "pos"), [0, 0, 1, 1])
    assert (table.task.kind, table.task.name, table.parts) == ("binary", "reviews", None)
    assert table.notes == ("reviews: 4 texts", "classes: binary, 2: neg (2), pos (2)")


def test_train_and_test_folders_are_parts(text_folder):
    parts = {f"{part}/{name}": text for part in ("train", "test") for name, text in FOUR.items()}
    table = opened(text_folder(parts))
    assert table.parts.tolist() == ["train"] * 4 + ["test"] * 4
    assert table.notes[0] == "reviews: 8 texts (train 4, test 4)"


def test_texts_without_a_label_beside_the_classes_of_training_are_suspected_and_can_be_dropped(text_folder):
    parts = {f"{part}/{name}": text for part in ("train", "test") for name, text in FOUR.items()}
    path = text_folder({**parts, "train/unsup/1.txt": "so so"})
    assert (
        "class 'unsup' is in the training part alone; if these texts have no label: --drop unsup" in opened(path).notes
    )
    assert opened(path, drop=("unsup",)).target.classes == ("neg", "pos")
    with pytest.raises(InputError, match="--drop: reviews has no class folder 'unsub'"):
        opened(path, drop=("unsub",))


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"1.txt": "alone", "2.txt": "too"}, "holds no folder; each class needs one of its own with its texts in it"),
        ({"pos/1.txt": "alone"}, "holds one class folder only, 'pos'"),
        ({**FOUR, "mid/1.text": "another ending"}, r"class folder 'mid' holds no text \(.txt\)"),
        ({**FOUR, "pos/3.txt": " \n"}, "1 of 5 files are empty \\(first: pos/3.txt\\)"),
        ({**FOUR, "pos/3.txt": b"a\0b\0\0" + b"c" * 99}, "pos/3.txt: holds zero bytes; it is no text"),
    ],
)
def test_what_is_no_folder_of_texts_is_refused(text_folder, texts, said):
    with pytest.raises(InputError, match=said):
        opened(text_folder(texts))


def test_empty_files_can_be_left_out(text_folder):
    table = opened(text_folder({**FOUR, "pos/3.txt": ""}), missing="drop")
    assert len(table.x) == 4
    assert "--missing drop: 1 of 5 files are empty and left out" in table.notes


def test_a_part_of_which_every_file_is_empty_is_refused(text_folder):
    path = text_folder({f"train/{name}": text for name, text in FOUR.items()} | {"test/pos/3.txt": " "})
    with pytest.raises(InputError, match="every file of the test part is empty"):
        opened(path, missing="drop")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_of_an_encoding_are_understood(text_folder, encoding):
    assert opened(text_folder(FOUR, encoding)).columns[0].texts == opened(text_folder(FOUR)).columns[0].texts


def test_a_file_that_is_no_utf8_is_guessed_and_said_and_another_encoding_can_be_named(text_folder):
    path = text_folder({**FOUR, "pos/3.txt": "최고의 영화".encode("cp949")})
    table = opened(path)
    assert (
        "no UTF-8, so that a guess is made: 1 of 5 files, as pos/3.txt (cp1252); else --encoding cp949 …" in table.notes
    )
    assert opened(path, encoding="cp949").columns[0].texts[-1] == "최고의 영화"
    with pytest.raises(InputError, match="not ascii"):
        opened(path, encoding="ascii")


def test_texts_that_would_not_fit_in_memory_are_refused(text_folder, monkeypatch):
    monkeypatch.setattr(folder.environment, "memory", lambda: 80)
    with pytest.raises(InputError, match="29 bytes of texts do not fit in memory"):
        opened(text_folder(FOUR))


def test_the_hash_changes_with_a_letter_a_name_and_a_class(text_folder):
    path = text_folder(FOUR)
    found = {opened(path).sha256}
    (path / "pos/1.txt").write_text("so Good")
    found.add(opened(path).sha256)
    (path / "pos/1.txt").rename(path / "pos/0.txt")
    found.add(opened(path).sha256)
    (path / "pos").rename(path / "yes")
    found.add(opened(path).sha256)
    assert len(found) == 4


def test_another_folders_classes_are_numbered_as_in_training(text_folder, tmp_path):
    other = tmp_path / "other"
    for name in ("pos/a.txt", "neg/b.txt"):
        (other / name).parent.mkdir(parents=True)
        (other / name).write_text("text")
    assert folder.like(other, OPTIONS, ("worse", "pos", "neg")).target.y.tolist() == [2, 1]
    with pytest.raises(InputError, match="class 'neg' is none of those of the training\nknown: pos, worse"):
        folder.like(other, OPTIONS, ("pos", "worse"))


@given(texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff")), min_size=1, max_size=5))
def test_any_text_comes_back_as_it_was_written(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("any")
    for number, text in enumerate(texts):
        (path / f"{number}.txt").write_bytes(text.encode())
    contents, notes = folder.read(path, [f"{number}.txt" for number in range(len(texts))], None)
    assert contents == [text.strip() for text in texts]
    assert notes == []
