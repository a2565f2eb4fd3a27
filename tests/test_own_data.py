import pytest

from kerasrun import experiment, own_data
from kerasrun.errors import InputError
from kerasrun.experiment import from_record, identity, resolve, to_record

TEXT = "a,b,y\n" + "".join(f"{i / 7:.3f},{'xyz'[i % 3]},{i % 2}\n" for i in range(60))


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text(TEXT)
    return str(file)


@pytest.mark.parametrize("name", ["a.csv", "B.TSV", "x/y.parquet", "t.csv.gz", "iris.data"])
def test_a_path_is_known_by_its_ending(name):
    assert own_data.source_of(name) is own_data.TABLES


@pytest.mark.parametrize("name", ["digits", "a.npz", "synthetic:a.csv", "imdb(num_words=5)", "~\0"])
def test_other_names_are_not_ones_own(name):
    assert own_data.source_of(name) is None


def test_options_are_settings_of_such_data_alone(path):
    made = resolve(path, {"target": "y", "missing": "median", "drop": "a"})
    assert (made.options["target"], made.options["missing"], made.options["drop"]) == ("y", "median", ("a",))
    assert (made.options["task"], made.recipe, made.scale) == ("binary", "dense", "standardize")
    assert made.origins["target"] == "command"
    assert resolve("digits", {}).options == {}
    with pytest.raises(InputError, match="target: an option of files and folders of one's own"):
        resolve("digits", {"target": "y"})


@pytest.mark.parametrize("none", ["none", "None", None])
def test_a_table_of_which_no_column_is_read_as_text_is_a_table(path, tmp_path, none):
    made = resolve(path, {"target": "y", "text": none})
    assert (made.recipe, made.scale, "text" in made.options) == ("dense", "standardize", False)
    assert identity(made, "") == identity(resolve(path, {"target": "y"}), "")
    file = tmp_path / "mine.toml"
    file.write_text(f'dataset = "{path}"\ntarget = "y"\ntext = "b"\n')
    assert resolve(None, {}, file=file).recipe == "embedding"
    assert resolve(None, {"text": none}, file=file).recipe == "dense"
    with pytest.raises(InputError, match="text: an option of texts"):
        resolve("digits", {"text": "b"})


def test_no_option_bears_the_name_of_a_setting():
    assert not own_data.options().keys() & experiment.setting_fields().keys()


def test_options_are_recorded_among_the_settings_and_come_back(path):
    made = resolve(path, {"target": "Y", "kinds": "b=category,a=number"})
    record = to_record(made)
    assert (record["target"], record["kinds"], record["missing"]) == ("y", ["a=number", "b=category"], "error")
    assert "options" not in record
    again = from_record(record, made.origins)
    assert again == made
    assert identity(again, "") == identity(made, "")


def test_options_decide_the_identity_and_their_spelling_does_not(path):
    def identified(**given):
        return identity(resolve(path, {"target": "y", **given}), "")

    assert identified() == identified(target="Y", task="binary")
    assert len({identified(), identified(missing="median"), identified(drop="a"), identified(split_seed=1)}) == 4


def test_an_experiments_file_may_hold_them(path, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(f'dataset = "{path}"\ntarget = "y"\ndrop = ["a"]\nmissing = "mean"\n[kinds]\nb = "category"\n')
    made = resolve(None, {"missing": "median"}, file=file)
    assert (made.options["drop"], made.options["missing"]) == (("a",), "median")
    assert (made.origins["drop"], made.origins["missing"]) == ("file", "command")
    assert made.options["kinds"] == ("b=category",)


def test_wrong_names_are_refused_before_the_file_is_opened():
    with pytest.raises(InputError, match="unknown optimizer"):
        resolve("nowhere.csv", {"target": "y", "optimizer": "rmsprob"})
    with pytest.raises(InputError, match="did you mean 'missing'"):
        resolve("nowhere.csv", {"missin": "median"})
    with pytest.raises(InputError, match="did you mean 'median'"):
        resolve("nowhere.csv", {"missing": "medain"})


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a,b", ("a", "b")),
        ("[a, b]", ("a", "b")),
        (["a, b"], ("a, b",)),
        ("none", ()),
        ("['x,y']", ("x,y",)),
        ([0, 3], ("0", "3")),
        ("[0, a]", ("0", "a")),
        ("0,3", ("0", "3")),
        (3, ("3",)),
    ],
)
def test_columns_are_read_from_words_and_lists(written, read):
    assert own_data.columns("drop", written) == read


def test_kinds_are_pairs():
    assert own_data.kinds("kinds", "b=date,a=number") == ("a=number", "b=date")
    assert own_data.kinds("kinds", {"a": "number"}) == ("a=number",)
    for wrong in ("a", "a=picture"):
        with pytest.raises(InputError, match="is no column=kind"):
            own_data.kinds("kinds", wrong)


def test_a_separator_is_a_word_or_a_character():
    assert [own_data.separator("separator", word) for word in ("tab", "semicolon", "|", ":")] == ["\t", ";", "|", ":"]
    for wrong in ("::", "§", "、", "\u00a0"):
        with pytest.raises(InputError, match="must be comma, semicolon, tab, pipe or one ASCII character"):
            own_data.separator("separator", wrong)


def test_a_column_may_be_named_by_a_number():
    assert own_data.column("target", 9) == "9"
