import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasrun import catalog
from kerasrun.errors import InputError
from kerasrun.experiment import from_record, identity, resolve, setting_fields, to_record

HASH = "d" * 64


def digits(**given):
    return resolve("digits", given)


def identified(dataset="digits", /, **given):
    return identity(resolve(dataset, given), HASH)


def toml(folder, text):
    file = folder / "mine.toml"
    file.write_text(text)
    return file


def recipe_file(folder, text):
    file = folder / "mine.py"
    file.write_text(text)
    return str(file)


# Where values come from


def test_values_come_from_the_command_before_the_file_before_the_dataset_before_the_default(tmp_path):
    file = toml(tmp_path, 'dataset = "xor"\nepochs = 7\nbatch-size = 2\n\n[knobs]\nactivation = "tanh"\n')
    experiment = resolve(None, {"epochs": "9"}, file=file)
    assert (experiment.epochs, experiment.batch_size, experiment.optimizer) == (9, 2, "sgd(learning_rate=1.0)")
    assert (experiment.knobs["activation"], experiment.knobs["hidden"], experiment.seed) == ("tanh", (4,), 0)
    asked = ("dataset", "epochs", "batch_size", "optimizer", "activation", "hidden", "seed")
    assert [experiment.origins[name] for name in asked] == [
        "file", "command", "file", "dataset", "file", "dataset", "default",
    ]  # fmt: skip


def test_a_dataset_named_on_the_command_line_goes_before_the_files(tmp_path):
    experiment = resolve("iris", {}, file=toml(tmp_path, 'dataset = "wine"\nrecipe = "softmax"\n'))
    assert (experiment.dataset, experiment.recipe) == ("iris", "softmax")
    assert (experiment.origins["dataset"], experiment.origins["recipe"]) == ("command", "file")


def test_every_setting_and_knob_has_an_origin():
    experiment = digits()
    assert experiment.origins.keys() == {"dataset", "recipe", *experiment.knobs, *setting_fields()}


def test_hyphens_and_underscores_are_equal_in_names_and_values():
    assert resolve("breast-cancer", {"batch-size": 8}) == resolve("breast_cancer", {"batch_size": 8})
    assert resolve("iris", {"recipe": "dense-functional"}) == resolve("iris", {"recipe": "dense_functional"})
    assert digits(monitor="val-loss") == digits(monitor="val_loss")


def test_a_datasets_own_values_of_knobs_are_not_put_into_a_recipe_of_ones_own(tmp_path):
    mine = recipe_file(tmp_path, "def mine(task, *, hidden: int = 16, activation='relu'):\n    pass\n")
    assert resolve("xor", {"recipe": mine}).knobs == {"hidden": 16, "activation": "relu"}
    assert resolve("xor", {"recipe": "dense_functional"}).knobs["hidden"] == (4,)


def test_what_follows_from_the_dataset_is_filled_in():
    experiment = resolve("diabetes", {})
    assert (experiment.loss, experiment.metrics) == ("mean_squared_error", ("mae",))
    assert (experiment.scale, experiment.scale_target) == ("standardize", "standardize")
    experiment = resolve("fashion-mnist", {"metrics": "accuracy"})
    assert (experiment.loss, experiment.metrics) == ("sparse_categorical_crossentropy", ("accuracy",))
    assert (experiment.scale, experiment.scale_target) == ("unit", "none")


# Experiment files


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs = ", "not a TOML file"),
        ("epochs = 3", 'names no dataset\nwrite dataset = "fashion-mnist"'),
        ('dataset = "iris"\nseeds = 5', "holds seeds, which belong to a sweep"),
        (
            'dataset = "iris"\n[search]\ndropout = "0..1"',
            "holds search, which belongs to a tuning: kerasrun tune .*toml",
        ),
        ('dataset = "iris"\nknobs = 3', r"knobs is a table: write \[knobs\]"),
        ('dataset = "iris"\nhidden = 3\n[knobs]\nhidden = 4', "hidden is given twice"),
        ('dataset = "iris"\nbatch-size = 3\nbatch_size = 4', "batch_size is given twice"),
        ('dataset = "iris"\nepoch = 3', "unknown setting or knob of recipe dense 'epoch'; did you mean 'epochs'"),
        ('dataset = "iris"\nepochs = 2021-01-01', "epochs=2021-01-01 must be a whole number"),
        ('dataset = "iris"\n[optimizer]\nname = "adam"', "optimizer: a name is wanted"),
        ("dataset = 3", "cannot read '3'"),
    ],
)
def test_a_file_that_is_no_experiment_says_why(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as raised:
        resolve(None, {}, file=toml(tmp_path, text))
    assert len(str(raised.value).splitlines()) <= 3


def test_without_a_dataset_and_a_file_the_experiment_is_named():
    with pytest.raises(InputError, match="^the experiment: names no dataset"):
        resolve(None, {})


@pytest.mark.parametrize("name", ["gone.toml", ".", "n" * 300 + ".toml", "a\0b.toml"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    with pytest.raises(InputError, match="no such experiment file|cannot be read"):
        resolve(None, {}, file=tmp_path / name)


def test_a_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe\0")
    with pytest.raises(InputError, match="not a TOML file"):
        resolve(None, {}, file=tmp_path / "mine.toml")


# What is refused


@pytest.mark.parametrize(
    ("dataset", "given", "message"),
    [
        ("fashion-mnst", {}, "unknown dataset 'fashion-mnst'; did you mean 'fashion-mnist'"),
        ("synthetic:digit", {}, "unknown dataset 'digit'; did you mean 'digits'"),
        ("digits", {"recipe": "dens"}, "unknown recipe 'dens'; did you mean 'dense'"),
        ("digits", {"hiden": 3}, "unknown setting or knob of recipe dense 'hiden'; did you mean 'hidden'"),
        ("digits", {"learning_rat": 3}, "did you mean 'learning_rate'"),
        ("digits", {"optimizer": "rmsprob"}, "unknown optimizer 'rmsprob'; did you mean 'rmsprop'"),
        ("digits", {"optimizer": "sgd(momentun=0.9)"}, "unknown argument of optimizer sgd 'momentun'"),
        ("digits", {"loss": "mean_squared_eror"}, "did you mean 'mean_squared_error'"),
        ("digits", {"activation": "rellu"}, "unknown activation 'rellu'; did you mean 'relu'"),
        ("digits", {"initializer": "glorot_unform"}, "did you mean 'glorot_uniform'"),
        ("digits", {"metrics": "accuracy,acuracy"}, "unknown metric 'acuracy'; did you mean 'accuracy'"),
        ("digits", {"monitor": "val_acc"}, "unknown monitor 'val_acc'; did you mean 'val_accuracy'"),
        ("diabetes", {"monitor": "val_accuracy"}, "unknown monitor 'val_accuracy'"),
        ("digits", {"schedule": "cosin"}, "unknown schedule 'cosin'; did you mean 'cosine'"),
        ("digits", {"scale": "units"}, "unknown value of scale 'units'; did you mean 'unit'"),
        ("digits", {"device": "tpu"}, "unknown value of device 'tpu'.*\nknown: auto, cpu, gpu"),
    ],
)
def test_an_unknown_name_of_any_kind_gets_the_closest_and_the_list(dataset, given, message):
    with pytest.raises(InputError, match=message) as raised:
        resolve(dataset, given)
    lines = str(raised.value).splitlines()
    assert len(lines) <= 3
    assert "known: " in str(raised.value)


def test_two_metrics_of_one_column_are_refused_before_anything_is_trained():
    with pytest.raises(InputError, match="would both be the column precision_1"):
        resolve("breast-cancer", {"metrics": "precision(class_id=1),precision(top_k=1)"})


@pytest.mark.parametrize(
    "given",
    [
        {"epochs": 0}, {"epochs": -1}, {"epochs": "ten"}, {"epochs": 1.5}, {"batch_size": 0}, {"batch_size": "-1"},
        {"learning_rate": 0}, {"learning_rate": "-1"}, {"learning_rate": "nan"}, {"optimizer": "sgd(learning_rate=0)"},
        {"validation": 0}, {"validation": 1}, {"validation": "1.5"}, {"validation": "gone.npz"}, {"test": 0},
        {"patience": -1}, {"min_delta": -1}, {"clip_norm": 0}, {"limit": 0}, {"seed": -1}, {"seed": 0.5},
        {"split_seed": "x"}, {"save_every": 0}, {"threads": 0}, {"jit": "maybe"}, {"deterministic": 1},
        {"monitor": "val_loss:up"}, {"monitor": ""}, {"class_weights": "heavy"}, {"class_weights": "0=1,10=5"},
        {"hidden": "many"}, {"hidden": "0"}, {"dropout": "some"}, {"batch_norm": 3}, {"epochs": None},
        {"optimizer": 3}, {"optimizer": ""}, {"recipe": ""}, {"metrics": 5}, {"callbacks": [3]},
    ],
    ids=str,
)  # fmt: skip
def test_a_value_of_the_wrong_type_or_range_is_refused_by_name(given):
    with pytest.raises(InputError) as raised:
        digits(**given)
    (name,) = given
    text = str(raised.value)
    assert name.rstrip("s") in text or "sgd: learning_rate must be" in text
    assert len(text.splitlines()) <= 3


@pytest.mark.parametrize(
    ("dataset", "given", "message"),
    [
        ("digits", {"loss": "binary_crossentropy(from_logits=true)"}, "leave from_logits out"),
        ("diabetes", {"loss": "hinge"}, "loss 'hinge' does not fit diabetes, a regression task"),
        ("iris", {"metrics": "auc"}, "add --loss categorical_crossentropy"),
        ("digits", {"scale_target": "standardize"}, "has classes, not numbers"),
        ("diabetes", {"class_weights": "balanced"}, "has no classes"),
        ("imdb", {"scale": "unit"}, "word numbers, which cannot be scaled"),
        ("digits", {"learning_rate": 0.1, "optimizer": "sgd(learning_rate=0.1)"}, "given twice"),
        ("digits", {"monitor": "val_loss:up"}, "the direction is max or min, as in val_loss:max"),
    ],
)
def test_a_combination_that_cannot_be_is_refused_with_the_remedy(dataset, given, message):
    with pytest.raises(InputError, match=message):
        resolve(dataset, given)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def mine(task:\n", r"mine\.py, line 1: not Python"),
        ("def mine(task, *, epochs=3):\n    pass\n", "knob 'epochs' bears the name of a setting; rename it"),
        ("def mine(task, *, dataset=3):\n    pass\n", "knob 'dataset' bears the name of a setting; rename it"),
        ("def mine(task, *, recipe=3):\n    pass\n", "knob 'recipe' bears the name of a setting; rename it"),
        ("def mine(task, *, units: int):\n    pass\n", "recipe 'mine' needs units=…"),
        ("import os\n", "no recipe: def name"),
    ],
)
def test_a_recipe_file_that_cannot_be_used_says_why(tmp_path, source, message):
    with pytest.raises(InputError, match=message):
        digits(recipe=recipe_file(tmp_path, source))


def test_a_missing_recipe_file_and_a_missing_function_are_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.py"):
        digits(recipe="gone.py")
    mine = recipe_file(tmp_path, "def wide(task):\n    pass\n")
    with pytest.raises(InputError, match=r"unknown recipe in mine\.py 'wid'; did you mean 'wide'"):
        digits(recipe=f"{mine}:wid")


@given(st.text(), st.text())
def test_any_dataset_and_value_are_read_or_refused_in_three_lines(dataset, value):
    for subject, values in ((dataset, {}), ("digits", {"hidden": value}), ("digits", {"recipe": value})):
        refusal = ""
        try:
            resolve(subject, values)
        except InputError as error:
            refusal = str(error)
        assert len(refusal.splitlines()) <= 3


# Identity


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"optimizer": "momentum"}, {"optimizer": "sgd(momentum=0.9)"}),
        ({"optimizer": "SGD(nesterov=True, momentum=0.90)"}, {"optimizer": "nesterov"}),
        ({"optimizer": "adam"}, {"optimizer": "adam(learning_rate=1e-3)"}),
        ({"optimizer": "sgd(learning_rate=0.5)"}, {"optimizer": "sgd", "learning_rate": "0.5"}),
        ({"optimizer": "sgd(nesterov=false)"}, {"optimizer": "sgd"}),
        ({"initializer": "he"}, {"initializer": "HeNormal"}),
        ({"hidden": "100x2"}, {"hidden": (100, 100)}),
        ({"dropout": "0"}, {"dropout": 0.0}),
        ({"batch-size": "32.0"}, {}),
        ({"loss": "sparse-categorical-crossentropy"}, {}),
        ({"metrics": "acc"}, {}),
        ({"monitor": "val_loss:min"}, {}),
        ({"schedule": "step"}, {"schedule": "step(factor=0.5,every=10)"}),
        ({"class_weights": "1=2,0=1"}, {"class_weights": {0: 1, 1: 2.0}}),
        ({"scale": "standardize"}, {}),
        ({"patience": "None"}, {"patience": None}),
        ({"recipe": "Dense"}, {}),
    ],
    ids=str,
)
def test_identity_is_the_same_however_a_value_is_spelled(one, other):
    assert identified(**one) == identified(**other)


def test_identity_is_the_same_however_the_dataset_is_spelled():
    assert identified("breast_cancer") == identified("Breast-Cancer")
    assert identified("imdb") == identified("imdb(num_words=10000)")


@pytest.mark.parametrize(
    "given",
    [{"loop": "plain"}, {"threads": 2}, {"device": "cpu"}, {"deterministic": True}, {"save_every": 3}],
    ids=str,
)
def test_identity_ignores_how_and_where_it_is_computed(given):
    assert identified(**given) == identified()


@pytest.mark.parametrize(
    "given",
    [
        {"seed": 1}, {"split_seed": 1}, {"limit": 100}, {"hidden": "50"}, {"epochs": 3}, {"precision": "mixed_float16"},
        {"jit": True}, {"optimizer": "sgd"}, {"learning_rate": 0.002}, {"monitor": "val_loss:max"},
        {"recipe": "dense_functional"},
        {"callbacks": "mine.py:Own"}, {"scale": "none"}, {"validation": 0.3}, {"metrics": "top_k_categorical_accuracy"},
    ],
    ids=str,
)  # fmt: skip
def test_identity_changes_with_whatever_decides_the_result(given):
    assert identified(**given) != identified()


def test_identity_changes_with_the_data_and_the_dataset():
    assert identity(digits(), HASH) != identity(digits(), "e" * 64)
    assert identified("iris") != identified("wine")
    assert identified("imdb") != identified("imdb(length=100)")


def test_identity_changes_with_a_recipes_code_and_not_with_its_docstring_or_place(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = recipe_file(tmp_path / "a", 'def mine(task):\n    "One."\n    return 1\n')
    second = recipe_file(tmp_path / "b", 'def mine(task):\n    """Another."""\n    return 1  # the same\n')
    assert identified(recipe=first) == identified(recipe=second)
    assert identified(recipe=recipe_file(tmp_path / "b", "def mine(task):\n    return 2\n")) != identified(recipe=first)


def test_identity_changes_with_a_callbacks_code_and_not_with_its_comments(tmp_path):
    callback = recipe_file(tmp_path, "class Own:\n    limit = 1\n") + ":Own"
    first = identified(callbacks=callback)
    recipe_file(tmp_path, 'class Own:\n    """Stops."""\n\n    limit = 1  # the same\n')
    assert identified(callbacks=callback) == first
    recipe_file(tmp_path, "class Own:\n    limit = 2\n")
    assert identified(callbacks=callback) != first


def test_a_callbacks_file_that_is_no_python_is_left_to_the_training_to_refuse(tmp_path):
    assert identified(callbacks=recipe_file(tmp_path, "class Own(:\n") + ":Own") != identified()


# Records

VALUES = {
    "hidden": st.lists(st.integers(1, 9), max_size=3).map(tuple),
    "activation": st.sampled_from(["relu", "leaky_relu(negative_slope=0.01)", "Tanh"]),
    "dropout": st.floats(0, 0.9),
    "optimizer": st.sampled_from(["adam", "momentum", "rmsprop(rho=0.8)", "sgd(momentum=0.3, nesterov=true)"]),
    "learning_rate": st.one_of(st.none(), st.floats(1e-9, 1e3)),
    "schedule": st.sampled_from(["constant", "cosine(warmup=3)", "plateau", "exponential(rate=0.333333333333)"]),
    "loss": st.sampled_from(["auto", "categorical_crossentropy(label_smoothing=0.1)"]),
    "metrics": st.sampled_from(["", "acc", ["top_k_categorical_accuracy(k=2)"]]),
    "epochs": st.integers(1, 10**6),
    "patience": st.one_of(st.none(), st.integers(0, 100)),
    "min_delta": st.floats(0, 1),
    "monitor": st.sampled_from(["val_loss", "loss:max", "val_accuracy", "accuracy:max"]),
    "clip_norm": st.one_of(st.none(), st.floats(1e-3, 1e3)),
    "class_weights": st.one_of(
        st.sampled_from([None, "balanced"]), st.dictionaries(st.integers(0, 9), st.floats(0.1, 9), min_size=1)
    ),
    "validation": st.floats(0.01, 0.99),
    "limit": st.one_of(st.none(), st.integers(1, 10**6)),
    "seed": st.integers(0, 2**32 - 1),
    "precision": st.sampled_from(["float32", "mixed-float16"]),
    "jit": st.sampled_from([None, True, False]),
    "threads": st.one_of(st.none(), st.integers(1, 64)),
    "callbacks": st.lists(st.sampled_from(["a.py:A", "b.py:B"]), unique=True),
}  # fmt: skip


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional=VALUES))
def test_a_record_reads_as_the_same_experiment_with_the_same_identity(given):
    experiment = digits(**given)
    record = to_record(experiment)
    again = from_record(record, experiment.origins)
    assert again == experiment
    assert again.origins == experiment.origins
    assert to_record(again) == record
    assert identity(again, HASH) == identity(experiment, HASH)


@pytest.mark.parametrize("dataset", sorted(catalog.datasets()))
def test_every_named_dataset_has_an_experiment_that_survives_its_record(dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("KERASRUN_HOME", str(tmp_path))
    experiment = resolve(dataset, {})
    assert from_record(to_record(experiment), experiment.origins) == experiment


def test_a_record_with_a_setting_of_another_version_is_refused():
    with pytest.raises(InputError, match="unknown setting or knob of recipe dense 'warp'"):
        from_record({**to_record(digits()), "warp": 9}, {})


def test_an_experiment_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        digits().seed = 1
