import importlib.metadata
import subprocess
import sys

import numpy as np
import pytest

from kerasrun import catalog
from kerasrun.errors import InputError

WIDE = '''
"""Models of mine."""
import keras
raise SystemExit("a recipe file was executed")

def wide(task, *, width=8, out_activation="relu"):
    """Be wide.

    Source: me.
    """
    inputs = keras.Input(task.input_shape)  # comment
    return keras.Model(inputs, keras.layers.Dense(width)(inputs))

def _private(task): ...
def tool(x): ...
'''


@pytest.fixture
def wide_file(tmp_path):
    path = tmp_path / "my_models.py"
    path.write_text(WIDE)
    return path


def test_every_dataset_starts_with_a_recipe_that_exists():
    recipes = catalog.recipes()
    for name, entry in catalog.datasets().items():
        assert entry.name == name == entry.task.name
        assert name in recipes[entry.recipe].default_for
        knobs = {key: value for key, value in entry.settings.items() if key in recipes[entry.recipe].knobs}
        assert all(recipes[entry.recipe].knobs[key].parse(value) == value for key, value in knobs.items())


def test_class_names_are_as_many_as_classes():
    for entry in catalog.datasets().values():
        if entry.task.class_names:
            assert len(set(entry.task.class_names)) == entry.task.num_classes


def test_what_is_fetched_has_address_size_and_sha256():
    for entry in catalog.datasets().values():
        is_added = entry.name == "cifar10-small"  # and fetched from nowhere
        assert bool(entry.downloads) == (entry.source == "keras_sets" and not is_added)
        for download in entry.downloads:
            assert download.url.startswith("https://")
            assert download.bytes > 0
            assert len(download.hash) == 64


def test_hyphens_underscores_and_case_are_equal_in_dataset_names():
    entry, arguments = catalog.dataset("Fashion_MNIST")
    assert (entry.name, arguments) == ("fashion-mnist", {})
    assert (entry.task.input_shape, entry.task.num_classes, entry.train, entry.test) == ((28, 28), 10, 60000, 10000)


def test_a_text_dataset_s_arguments_decide_its_task():
    entry, arguments = catalog.dataset("imdb(length=50)")
    assert arguments == {"num_words": 10000, "length": 50}
    assert (entry.task.input_shape, entry.task.vocabulary_size, entry.task.sequence_length) == ((50,), 10000, 50)


@pytest.mark.parametrize(
    "text", ["iris", "imdb", "imdb(length=50)", "synthetic:reuters(num_words=99)", "synthetic:xor"]
)
def test_the_canonical_text_finds_the_dataset_again(text):
    entry, arguments = catalog.dataset(text)
    assert catalog.canonical(entry, arguments) == text
    assert catalog.dataset(catalog.canonical(entry, arguments)) == (entry, arguments)


def test_synthetic_data_has_the_shapes_of_its_model_and_its_own_name():
    entry, _ = catalog.dataset("synthetic:cifar100")
    assert (entry.name, entry.source, entry.downloads) == ("synthetic:cifar100", "synthetic", ())
    assert (entry.task.name, entry.task.input_shape, entry.train) == ("synthetic:cifar100", (32, 32, 3), 50000)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fashion-mnits", "unknown dataset 'fashion-mnits'; did you mean 'fashion-mnist'?"),
        ("synthetic:cifar1000", "unknown dataset 'cifar1000'; did you mean 'cifar100'?"),
        ("imdb(words=3)", "unknown argument of dataset imdb 'words'; did you mean 'num_words'?"),
        ("imdb(length=0)", "length must be a whole number, 1 or more, not 0"),
        ("imdb(num_words=many)", "num_words must be a whole number, 4 or more, not many"),
        ("imdb(length=true)", "length must be a whole number"),
        ("iris(rows=3)", "unknown argument of dataset iris"),
        ("no/such.npz", "no such file"),
        ("", "cannot read"),
    ],
)
def test_wrong_datasets_are_named_with_what_is_known(text, message):
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        catalog.dataset(text)


def test_a_file_of_arrays_is_a_dataset(tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, x_train=np.zeros((6, 4, 4), np.uint8), y_train=np.arange(6) % 3)
    entry, arguments = catalog.dataset(str(path))
    assert (entry.source, entry.scale, entry.train, entry.test, arguments) == ("arrays", "unit", 6, 0, {})
    assert catalog.dataset(catalog.canonical(entry, arguments))[0] == entry
    with pytest.raises(InputError, match="not a file"):
        catalog.dataset(f"synthetic:{path}")


def test_built_in_recipes_are_named_as_their_files_and_functions():
    for name, entry in catalog.recipes().items():
        assert entry.name == entry.function == entry.path.stem == entry.reference == name
        assert entry.doc
    assert catalog.recipe("dense").style == "Sequential"
    assert catalog.recipe("dense-functional").style == catalog.recipe("wide_deep").style == "Functional"
    assert catalog.recipe("dense").knobs["hidden"].default == (100,)


@pytest.mark.parametrize("suffix", ["", ":wide"])
def test_a_recipe_file_is_read_and_not_executed(wide_file, suffix):
    entry = catalog.recipe(f"{wide_file}{suffix}")
    assert (entry.name, entry.function, entry.style, entry.path) == ("wide", "wide", "Functional", wide_file.resolve())
    assert (entry.doc, entry.source) == ("Be wide.\n\nSource: me.", WIDE)
    assert {name: knob.default for name, knob in entry.knobs.items()} == {"width": 8, "out_activation": "relu"}
    assert catalog.recipe(entry.reference) == entry


def test_the_fingerprint_ignores_docstrings_comments_and_layout_only(wide_file):
    before = catalog.recipe(f"{wide_file}").fingerprint
    wide_file.write_text(
        WIDE.replace("Be wide", "Be wider").replace("  # comment", "").replace("x): ...", "x):\n    ...")
    )
    assert catalog.recipe(f"{wide_file}").fingerprint == before
    wide_file.write_text(WIDE.replace("Dense(width)", "Dense(width + 1)"))
    assert catalog.recipe(f"{wide_file}").fingerprint != before


@pytest.mark.parametrize(
    ("text", "content", "message"),
    [
        ("none.py", None, "none.py: no such file"),
        ("own.py", "def (", "own.py, line 1: not Python"),
        ("own.py", "x = 1", "holds no recipe"),
        ("own.py", "def a(task): ...\ndef b(task): ...", r"holds 2 recipes: a, b\nname one: own.py:a"),
        ("own.py:wode", "def wide(task): ...", "unknown recipe in own.py 'wode'; did you mean 'wide'"),
        ("own.py:wide", "def wide(task, *, a=f()): ...", "is no literal"),
        ("own.py", "\0", "own.py"),
    ],
)
def test_recipe_files_that_cannot_be_read_are_named(tmp_path, text, content, message):
    if content is not None:
        (tmp_path / "own.py").write_text(content)
    with pytest.raises(InputError, match=message):
        catalog.recipe(str(tmp_path / text))


def test_the_function_named_as_the_file_is_the_recipe(tmp_path):
    (tmp_path / "own.py").write_text("def other(task): ...\ndef own(task): ...")
    assert catalog.recipe(str(tmp_path / "own.py")).name == "own"


def test_an_unknown_recipe_names_the_closest_one():
    with pytest.raises(InputError, match=r"unknown recipe 'dens'; did you mean 'dense'\?"):
        catalog.recipe("dens")


def test_an_installed_package_s_recipe_is_found_without_importing_the_package(tmp_path, monkeypatch):
    package = tmp_path / "zoo"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    (package / "models" / "wide.py").write_text(WIDE)
    points = {
        "zoo-wide": importlib.metadata.EntryPoint("zoo-wide", "zoo.models.wide:wide", "kerasrun.recipes"),
        "zoo-none": importlib.metadata.EntryPoint("zoo-none", "zoo.models.none:wide", "kerasrun.recipes"),
    }
    monkeypatch.setattr(catalog, "_entry_points", lambda: points)
    monkeypatch.syspath_prepend(tmp_path)
    entry = catalog.recipe("zoo-wide")
    assert (entry.name, entry.function, entry.reference) == ("zoo-wide", "wide", "zoo-wide")
    assert "zoo-wide" in catalog.recipes()
    assert "zoo-none" not in catalog.recipes()
    with pytest.raises(InputError, match="zoo.models.none is not installed"):
        catalog.recipe("zoo-none")


def test_names_are_looked_up_without_numpy_keras_and_tensorflow():
    program = (
        "import sys\nfrom kerasrun import catalog\ncatalog.recipes(); catalog.dataset('imdb(length=9)')\n"
        "assert not {'keras', 'tensorflow', 'numpy', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("recipe", "dataset", "knobs", "parameters"),
    [
        ("softmax", "fashion-mnist", {}, 7850),
        ("dense", "fashion-mnist", {}, 79510),
        ("dense_functional", "fashion-mnist", {}, 79510),
        ("dense_add", "fashion-mnist", {}, 79510),
        ("cnn", "cifar100", {}, 325956),
        ("cnn_functional", "cifar100", {}, 325956),
        ("cnn", "cifar10", {}, 302826),
        ("cnn", "mnist", {"hidden": ()}, 12810),
        ("perceptron", "and", {}, 3),
        ("dense", "xor", {"hidden": (2,)}, 9),
        ("wide_deep", "iris", {"hidden": (5,)}, 55),
        ("embedding", "imdb", {}, 160017),
        ("embedding", "reuters(num_words=50, length=9)", {"pooling": "max", "hidden": (4,), "dropout": 0.5}, 1098),
    ],
)
def test_recipes_have_the_parameters_of_the_textbook(recipe, dataset, knobs, parameters):
    model = built(recipe, dataset, **knobs)
    task = catalog.dataset(dataset)[0].task
    assert model.count_params() == parameters
    assert model.output_shape == (None, task.num_outputs)


@pytest.mark.parametrize(
    "twins", [("dense", "dense_functional"), ("dense", "dense_add"), ("cnn", "cnn_functional")], ids=lambda t: t[1]
)
def test_twins_have_the_same_layers_and_names_and_knobs(twins):
    import keras

    described = []
    for recipe in twins:
        keras.backend.clear_session()
        model = built(recipe, "mnist", hidden=(3, 2), dropout=0.1, batch_norm=True, l1=0.1, initializer="zeros",
                      activation={"module": "keras.layers", "class_name": "LeakyReLU",
                                  "config": {"negative_slope": 0.01}, "registered_name": None})  # fmt: skip
        layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
        described.append(([(layer.name, type(layer), layer.output.shape) for layer in layers],
                          [variable.path.removeprefix("sequential/") for variable in model.variables]))  # fmt: skip
    assert described[0] == described[1]
    assert catalog.recipe(twins[0]).knobs == catalog.recipe(twins[1]).knobs


def built(recipe, dataset, **knobs):
    module = __import__(f"kerasrun.recipes.{recipe}", fromlist=[recipe])
    return getattr(module, recipe)(catalog.dataset(dataset)[0].task, **knobs)


@pytest.mark.parametrize("path", ["~no-one/rows.csv", "~no-one/rows.npz"])
def test_the_home_of_a_user_that_is_not_there_is_no_such_file(path):
    with pytest.raises(InputError, match="no such file"):
        catalog.dataset(path, {"target": "y"} if path.endswith("csv") else {})
