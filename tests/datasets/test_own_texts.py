import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun import datasets, own_data, texts
from kerasrun.datasets.texts import FIRST, UNKNOWN, numbered
from kerasrun.errors import DataUnavailable, InputError
from kerasrun.experiment import resolve
from kerasrun.inputs import TextInputs, recorded

MOODS = {"good": ["great", "fine", "lovely"], "bad": ["awful", "dull", "poor"]}


def reviews(count=100):
    """Return rows of id, text, label, city; every text is another one."""
    moods = [*MOODS]
    return [
        (i, f"Film number {i}, {MOODS[moods[i % 2]][i // 2 % 3]} from start to end!", moods[i % 2], "ABC"[i % 3])
        for i in range(count)
    ]


def written(path, rows, head=("id", "text", "label", "city")):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def load(path, **given):
    return datasets.load(resolve(str(path), {"text": "text", "target": "label", **given}))


@pytest.fixture
def path(tmp_path):
    return written(tmp_path / "reviews.csv", reviews())


def words_of(inputs, row):
    return [
        "?" if number == UNKNOWN else inputs.vocabulary[number - FIRST] if number else "" for number in row.tolist()
    ]


def test_texts_become_numbers_of_the_training_parts_words(path):
    data = load(path)
    rows = reviews()
    trained = [texts.tokens(rows[row - 1][1], "words") for row in data.train.rows]
    assert set(data.inputs.vocabulary) == {word for text in trained for word in text}
    assert data.inputs.vocabulary[:2] == ("end", "film")  # the most frequent first, else by alphabet
    assert (data.train.x.dtype, data.task.input_dtype) == (np.int32, "int32")
    assert data.task.vocabulary_size == len(data.inputs.vocabulary) + 2
    assert data.task.sequence_length == data.inputs.length == data.train.x.shape[1] == 8
    for row, numbers in zip(data.train.rows, data.train.x, strict=True):
        assert words_of(data.inputs, numbers) == texts.tokens(rows[row - 1][1], "words")
    held_out = [words_of(data.inputs, row)[2] for row in data.test.x]
    assert set(held_out) == {"?"}  # the film's number, which no training text has
    said = "\n".join(data.notes)
    assert "texts as words: a vocabulary of 76 in the training part, length 8" in said
    assert "0.0% of the training texts are longer and cut; unknown words: validation 12.5%, test 12.5%" in said
    assert "left out: id, city; with --text, the other columns are not read" in said


def test_the_recipe_for_texts_is_embedding_and_nothing_is_scaled(path):
    made = resolve(str(path), {"text": "text", "target": "label"})
    assert (made.recipe, made.scale, made.origins["text"]) == ("embedding", "none", "command")
    with pytest.raises(InputError, match="the inputs of reviews are word numbers, which cannot be scaled"):
        resolve(str(path), {"text": "text", "target": "label", "scale": "standardize"})


def test_a_training_part_of_empty_texts_is_refused(tmp_path):
    rows = [(i, "" if i % 4 else "fine", "ab"[i // 4 % 2], "train" if i % 4 else "test") for i in range(40)]
    with pytest.raises(InputError, match="nothing is left to train on"):
        load(written(tmp_path / "t.csv", rows), split="city", missing="drop")
    for part, label in ((part, label) for part in ("train", "test") for label in "ab"):
        (tmp_path / "films" / part / label).mkdir(parents=True)
        (tmp_path / "films" / part / label / "1.txt").write_text("fine" if part == "test" else " ")
    with pytest.raises(InputError, match="films: every file of the train part is empty\nput texts into"):
        datasets.load(resolve(str(tmp_path / "films"), {"missing": "drop"}))


def test_vocabulary_and_length_can_be_named(path):
    data = load(path, vocabulary=5, length=4)
    assert data.inputs.vocabulary == ("end", "film", "from", "number", "start")
    assert data.train.x.shape[1] == 4
    assert "a vocabulary of the 5 most frequent of 76" in "\n".join(data.notes)
    assert "100.0% of the training texts are longer and cut" in "\n".join(data.notes)


def test_characters_and_neighbours_can_be_tokens(path):
    data = load(path, tokens="characters", ngrams=2, length=500)
    first = texts.tokens(reviews()[data.train.rows[0] - 1][1], "characters", 2)
    assert words_of(data.inputs, data.train.x[0])[: len(first)] == first
    assert "texts as characters and up to 2 neighbours as one" in "\n".join(data.notes)


def test_a_repeated_text_is_taken_once_whatever_its_case_and_punctuation(tmp_path):
    rows = reviews()
    rows += [(200 + i, row[1].upper().replace("!", "."), row[2], "A") for i, row in enumerate(rows[:20])]
    rows += [(300, rows[5][1], "good", "A")]  # which was bad
    data = load(written(tmp_path / "t.csv", rows))
    assert sum(len(part) for part in (data.train, data.validation, data.test)) == 100
    assert max(part.rows.max() for part in (data.train, data.validation, data.test)) == 100
    said = "21 examples repeat an earlier text (1 of them with another label) and are left out"
    assert f"{said}: in two parts they would leak" in data.notes
    assert load(tmp_path / "t.csv", tokens="characters").train.rows.tolist() == data.train.rows.tolist()


def test_repeated_texts_stay_in_one_part_where_they_are_the_group(tmp_path):
    rows = [(i, f"text {i % 40}", ["good", "bad"][i % 2], "A") for i in range(120)]
    data = load(written(tmp_path / "t.csv", rows), group="text")
    parts = [{(row - 1) % 40 for row in part.rows} for part in (data.train, data.validation, data.test)]
    assert sum(map(len, parts)) == 40
    assert sum(len(part) for part in (data.train, data.validation, data.test)) == 120


def test_training_texts_that_a_given_test_part_holds_are_left_out(tmp_path, path):
    rows = reviews(30)
    other = written(tmp_path / "other.csv", [*rows[:10], (500, "Something else", "good", "A")])
    data = load(path, test=str(other))
    assert len(data.test) == 11
    assert not {row - 1 for row in data.train.rows} & set(range(10))
    assert any("examples of the train part are left out: the validation or test part has their texts" in n
               for n in data.notes)  # fmt: skip
    parts = [(i, text, label, "test" if i > 80 or i == 3 else "train") for i, text, label, _ in reviews()]
    repeated = [*parts, (7, parts[3][1], parts[3][2], "train")]
    data = load(written(tmp_path / "s.csv", repeated), split="city")
    assert 101 not in data.train.rows
    assert 4 in data.test.rows


def test_texts_that_leave_nothing_to_learn_from_are_refused(tmp_path, path):
    with pytest.raises(InputError, match="the test part has every text of the validation part, too"):
        load(path, test=str(written(tmp_path / "same.csv", [*reviews(), (1, "one more", "bad", "A")])))
    signs = [(i, "." * i, ["good", "bad"][i % 2], "train") for i in range(1, 50)]
    held_out = [(*row[:3], ["test", "validation"][row[0] // 2 % 2]) for row in reviews(40)]
    with pytest.raises(InputError, match="the training texts hold no words, but punctuation at most"):
        load(written(tmp_path / "signs.csv", [*signs, *held_out]), split="city")


def test_a_folder_is_not_taken_for_the_table_of_the_same_name(tmp_path):
    (tmp_path / "reviews.csv").touch()
    assert own_data.copy_of(str(tmp_path / "reviews")) is None


def test_vocabulary_comes_from_the_limited_training_part(path):
    assert len(load(path, limit=10).inputs.vocabulary) < len(load(path).inputs.vocabulary)


def test_a_rating_can_be_predicted_from_a_text(tmp_path):
    rows = [(i, f"film {i} was {i % 7} stars", i / 10, "A") for i in range(60)]
    data = load(written(tmp_path / "t.csv", rows))
    assert (data.task.kind, data.train.y.shape[1]) == ("regression", 1)


def test_texts_of_punctuation_alone_are_said(tmp_path):
    rows = [*reviews(), (200, "...", "good", "A"), (201, "?!", "bad", "A")]
    data = load(written(tmp_path / "t.csv", rows), split_seed=3)
    whole = [part for part in (data.train, data.validation, data.test) if 101 in part.rows]
    assert (whole[0].x[whole[0].rows.tolist().index(101)] == 0).all()
    if whole[0] is data.train:
        assert "1 training texts hold no words, but punctuation at most" in data.notes
    assert "1 examples repeat an earlier text" in "\n".join(data.notes)


def test_tokens_that_no_layer_keeps_are_unknown(tmp_path):
    rows = [(i, f"film{i} {'x' * 200} b\0 {MOODS['good'][i % 3]}", ["good", "bad"][i % 2], "A") for i in range(20)]
    data = load(written(tmp_path / "t.csv", [*reviews(), *rows]))
    assert all(len(word) <= 100 and "\0" not in word for word in data.inputs.vocabulary)
    read = [(data.train.x[i] == UNKNOWN).sum() for i, row in enumerate(data.train.rows) if row > 100]
    assert set(read) == {2}


@given(st.lists(st.text(max_size=30), min_size=1, max_size=8), st.sampled_from(["words", "characters"]),
       st.integers(1, 3), st.integers(1, 12))  # fmt: skip
def test_numbers_are_those_of_the_vocabulary_cut_and_padded(found, kind, ngrams, length):
    tokens = [texts.tokens(text, kind, ngrams) for text in found]
    inputs = TextInputs(kind, ngrams, length, tuple(dict.fromkeys(token for each in tokens for token in each[:2])))
    x = numbered(inputs, found)
    assert x.shape == (len(found), length)
    for row, each in zip(x, tokens, strict=True):
        wanted = [token if token in inputs.vocabulary else "?" for token in each[:length]]
        assert words_of(inputs, row) == [*wanted, *[""] * (length - len(wanted))]


def test_the_record_holds_all_but_the_vocabulary(path):
    inputs = load(path).inputs
    record = inputs.record()
    assert record == {"source": "texts", "tokens": "words", "ngrams": 1, "length": 8}
    assert recorded(record) == TextInputs("words", 1, 8)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"text": "txt"}, "--text: reviews.csv has no column 'txt'; did you mean 'text'"),
        ({"text": "label"}, "column 'label' is named by two options"),
        ({"missing": "median"}, "known: drop, error"),
        ({"tokens": "sentences"}, "known: characters, words"),
        ({"length": 0}, "must be a whole number from 1 on, or auto"),
        ({"resize": "8x8"}, "resize: an option of images, not of this dataset"),
    ],
)
def test_wrong_options_of_texts_are_answered(path, given, said):
    with pytest.raises(InputError, match=said):
        load(path, **given)


def test_options_of_texts_want_a_column_of_texts(path):
    with pytest.raises(InputError, match=r"length: an option of texts \(--text COLUMN of a table, or a folder\)"):
        resolve(str(path), {"target": "label", "length": 9})


def test_a_column_to_read_is_proposed_where_it_would_be_left_out(path):
    with pytest.raises(
        InputError, match="text .100 different texts in 100 cells, .*; --text text reads it word by word"
    ):
        datasets.load(resolve(str(path), {"target": "label", "drop": "id,city"}))
    notes = datasets.load(resolve(str(path), {"target": "label"})).notes
    assert "--text text reads it word by word" in "\n".join(notes)


def test_a_column_of_many_texts_is_proposed_too(tmp_path, monkeypatch):
    from kerasrun.tables import growing

    monkeypatch.setattr(growing, "_FREE_TEXTS", 50)
    path = written(tmp_path / "t.csv", reviews())
    with pytest.raises(InputError, match="text .another text in most rows; --text text reads it word by word"):
        datasets.load(resolve(str(path), {"target": "label", "drop": "id,city"}))


def test_folders_of_texts_are_told_from_folders_of_images(tmp_path, monkeypatch):
    for name in ("t/pos/1.txt", "i/cat/1.png", "i/cat/notes.txt", "e/x/y.doc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    kinds = [own_data.source_of(name) for name in ("t", "t/", "i", "e")]
    assert kinds == [own_data.TEXT_FOLDERS, own_data.TEXT_FOLDERS, own_data.IMAGES, own_data.IMAGES]


def in_folders(path, rows, part=""):
    for number, text, label, _ in rows:
        file = path / part / label / f"{number:03}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return path


def test_a_folder_is_split_as_a_table_is_and_its_rows_are_files(tmp_path):
    data = datasets.load(resolve(str(in_folders(tmp_path / "reviews", reviews())), {}))
    assert [len(part) for part in (data.train, data.validation, data.test)] == [64, 16, 20]
    assert data.task.class_names == ("bad", "good")
    for row, label in zip(data.test.rows, data.test.y, strict=True):
        assert data.files[row].startswith(("bad/", "good/")[label])


def test_another_folder_can_be_the_test_part_and_a_table_cannot(tmp_path, path):
    train = in_folders(tmp_path / "train", reviews())
    other = in_folders(tmp_path / "later", [(i, f"later {text}", label, c) for i, text, label, c in reviews(20)])
    data = datasets.load(resolve(str(train), {"test": str(other)}))
    assert [len(part) for part in (data.train, data.validation, data.test)] == [80, 20, 20]
    assert data.files[data.test.rows[0]].startswith("later/bad/")
    with pytest.raises(InputError, match="a folder is wanted, as the training texts are in one"):
        datasets.load(resolve(str(train), {"test": str(path)}))
    with pytest.raises(InputError, match="is the training data itself"):
        datasets.load(resolve(str(train), {"test": str(train)}))


@pytest.mark.parametrize(("name", "settings"), [("sms-spam", ("label", "text")), ("titanic", ("Survived", None))])
def test_tables_with_a_name_are_known_before_they_are_there(tmp_path, monkeypatch, name, settings):
    monkeypatch.setenv("KERASRUN_HOME", str(tmp_path))
    made = resolve(name, {})
    assert (made.options["target"], made.options.get("text")) == settings
    assert made.options["task"] == "binary"
    assert datasets.status(made.entry) == "not registered"
    with pytest.raises(DataUnavailable, match=f"kerasrun datasets add {name} FILE.csv"):
        datasets.load(made)


def test_a_copy_of_a_table_is_registered_under_its_name(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASRUN_HOME", str(tmp_path / "home"))
    before = resolve("sms-spam", {})
    rows = [(text, {"good": "ham", "bad": "spam"}[label]) for _, text, label, _ in reviews()]
    given = written(tmp_path / "mine.csv", rows, ("text", "label"))
    assert datasets.add("sms-spam", given) == tmp_path / "home" / "datasets" / "sms-spam.csv"
    assert resolve("sms-spam", {}) == before
    assert datasets.status(before.entry) == "registered"
    assert datasets.load(before).task.name == "sms-spam"
    with pytest.raises(InputError, match="its label has the classes bad, good; sms-spam has ham, spam"):
        datasets.add("sms-spam", written(tmp_path / "other.csv", [r[1:3] for r in reviews()], ("text", "label")))


def test_a_copy_takes_the_place_of_the_one_before_whatever_its_ending(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'kerasrun[parquet]'")
    monkeypatch.setenv("KERASRUN_HOME", str(tmp_path / "home"))
    frame = pd.DataFrame({"text": [row[1] for row in reviews()], "label": ["ham", "spam"] * 50})
    frame.to_csv(tmp_path / "mine.csv", index=False)
    frame[:60].to_parquet(tmp_path / "mine.parquet")
    for name in ("mine.csv", "mine.parquet", "mine.csv"):
        copy = datasets.add("sms-spam", tmp_path / name)
        assert own_data.copy_of("sms-spam") == copy
        assert copy.read_bytes() == (tmp_path / name).read_bytes()


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20), min_size=2, max_size=9))
def test_any_text_of_a_table_comes_back_as_it_was_written(tmp_path_factory, found):
    path = tmp_path_factory.mktemp("any") / "t.csv"
    written(path, [(f"<{text}>", "good") for text in found], ("text", "label"))
    options = {name: option.default for name, option in own_data.TEXT_OPTIONS.items()}
    assert texts.cells(path, {**options, "text": "text", "target": "label"}) == [f"<{text}>" for text in found]
