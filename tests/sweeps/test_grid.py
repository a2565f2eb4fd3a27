import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun import recipe_files, sweep_record
from kerasrun.errors import InputError
from kerasrun.experiment import identity, resolve
from kerasrun.sweep_record import Axis
from kerasrun.sweeps import grid

OPTIMIZERS, ACTIVATIONS, RATES = ["sgd", "adam", "rmsprop"], ["relu", "tanh", "elu"], ["0.1", "0.01"]


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "my sweep.toml"
        path.write_text(text)
        return path

    return write


def subsets(values):
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)


@given(subsets(OPTIMIZERS), subsets(ACTIVATIONS), subsets(RATES), st.integers(1, 3))
def test_a_grid_has_every_combination_once_over_every_seed(optimizers, activations, rates, seeds):
    named = {"optimizer": optimizers, "activation": activations, "learning_rate": rates}
    sweep = grid.plan("iris", {name: ",".join(values) for name, values in named.items()}, seeds=seeds)
    cells = [
        (c.experiment.optimizer, c.experiment.knobs["activation"], c.experiment.learning_rate, c.seed)
        for c in sweep.cells
    ]
    wanted = itertools.product(optimizers, activations, map(float, rates), range(seeds))
    assert sorted(cells) == sorted(wanted)
    assert [cell.number for cell in sweep.cells] == list(range(1, len(cells) + 1))
    assert len({cell.hash for cell in sweep.cells}) == len(cells)
    assert len(sweep.settings) == len(cells) // seeds


def test_a_cell_is_the_experiment_that_train_would_make():
    cell = grid.plan("iris", {"optimizer": "momentum,adam", "hidden": "8-4,none"}, seeds="3").cells[-1]
    alone = resolve("iris", {"optimizer": "adam", "hidden": "none", "seed": 2})
    assert cell.experiment == alone
    assert cell.hash == identity(alone, "")
    assert cell.setting == {"optimizer": "adam", "hidden": []}
    assert str(cell) == "#12 adam hidden=none seed 2"


def test_seeds_come_before_settings_so_that_what_is_done_first_can_be_compared():
    sweep = grid.plan("iris", {"optimizer": "sgd,adam"}, seeds=2)
    assert [(cell.seed, cell.experiment.optimizer) for cell in sweep.cells] == [
        (0, "sgd"), (0, "adam"), (1, "sgd"), (1, "adam"),
    ]  # fmt: skip


def test_cells_of_the_same_data_come_together():
    sweep = grid.plan("iris", {"optimizer": "sgd,adam", "split_seed": "0,1"}, seeds=2)
    assert [cell.experiment.split_seed for cell in sweep.cells] == [0] * 4 + [1] * 4
    sweep = grid.plan("iris,wine", {}, seeds=2)
    assert [cell.experiment.dataset for cell in sweep.cells] == ["iris"] * 2 + ["wine"] * 2


def test_the_id_follows_from_what_is_asked_for_whatever_its_order_spelling_and_seeds():
    sweep = grid.plan("iris", {"optimizer": "sgd,adam", "hidden": "4,8"}, seeds=2)
    same = grid.plan("iris", {"hidden": ["8", 4], "optimizer": "ADAM,sgd(learning_rate=0.01)"}, seeds="7")
    assert sweep.id == same.id
    assert sweep.id.startswith("iris-")
    assert len(sweep.id) == len("iris-0000")
    assert grid.plan("iris", {"optimizer": "sgd,adam", "hidden": "4,8", "epochs": 3}).id != sweep.id


def test_more_seeds_extend_what_is_known_of_a_sweep(tmp_path):
    first = grid.plan("iris", {"optimizer": "sgd,adam"}, seeds="0,5").record("2026-01-01T00:00:00+00:00", None)
    sweep_record.write(tmp_path, first)
    second = grid.plan("iris", {"optimizer": "adam,sgd"}, seeds=2)
    record = second.record("2026-02-02T00:00:00+00:00", sweep_record.read(tmp_path, first.id))
    assert record.created == first.created
    assert record.seeds == (0, 1, 5)
    assert record.settings.keys() == first.settings.keys() | {cell.hash for cell in second.cells}
    assert record.axes == (Axis(("optimizer",), (("adam",), ("sgd",))),)
    assert [cell["number"] for cell in record.cells] == [1, 2, 3, 4, 5, 6]


def test_a_files_sweep(file):
    sweep = grid.plan(None, {"epochs": "4"}, file=file("""
        dataset = "iris"
        epochs = 9
        seeds = [4, 2]
        metric = "val_loss"
        at = 4
        extend = true
        exclude = [{optimizer = "sgd", batch_size = 64.0}]
        overrides = [{recipe = "softmax"}, {recipe = "dense", hidden = "300-100", activation = "tanh"}]

        [grid]
        optimizer = ["sgd(learning_rate=0.01)", "adam"]
        batch-size = [32, 64]

        [[claim]]
        says = "deeper is better"
    """))  # fmt: skip
    assert (sweep.name, sweep.seeds, sweep.metric, sweep.at, sweep.extend) == (
        "my-sweep",
        (2, 4),
        "val_loss",
        "4",
        True,
    )
    assert sweep.axes == (
        Axis(("optimizer",), (("sgd(learning_rate=0.01)",), ("adam",))),
        Axis(("batch_size",), ((32,), (64,))),
        Axis(("recipe", "hidden", "activation"), (("softmax", None, None), ("dense", [300, 100], "tanh"))),
    )
    assert len(sweep.settings) == 6  # sgd with 64 is left out, for both recipes
    assert sweep.cells[0].setting == {"optimizer": "sgd(learning_rate=0.01)", "batch_size": 32, "recipe": "softmax"}
    assert {cell.experiment.epochs for cell in sweep.cells} == {4}
    assert sweep.claims == ({"says": "deeper is better"},)


def test_the_command_line_replaces_a_files_axis(file):
    path = file('dataset = "iris"\nseeds = 3\n[grid]\noptimizer = ["sgd", "adam"]\nhidden = [[4], [8]]')
    sweep = grid.plan("wine", {"optimizer": "lion", "activation": "relu,tanh"}, file=path, seeds=1)
    assert [axis.names for axis in sweep.axes] == [("hidden",), ("activation",)]
    assert {(cell.experiment.dataset, cell.experiment.optimizer) for cell in sweep.cells} == {("wine", "lion")}


def test_an_exclusion_need_not_fit_what_the_command_line_has_replaced(file):
    path = file('dataset = "iris"\nexclude = [{optimizer = "sgd"}]\n[grid]\noptimizer = ["sgd", "adam"]')
    assert len(grid.plan(None, {}, file=path).cells) == 1
    assert len(grid.plan(None, {"optimizer": "lion,adam"}, file=path).cells) == 2


def test_equal_settings_are_trained_once_with_a_line():
    sweep = grid.plan("iris", {"optimizer": "sgd,sgd(learning_rate=0.01),sgd(momentum=0.0)"}, seeds=2)
    assert len(sweep.cells) == 2
    assert sweep.axes == (Axis(("optimizer",), (("sgd",),)),)
    assert sweep.notes == (
        "sgd(learning_rate=0.01) is the same as sgd; trained once",
        "sgd(momentum=0.0) is the same as sgd; trained once",
    )


def test_learning_rates_beside_optimizers_multiply():
    assert len(grid.plan("iris", {"optimizer": "sgd,adam", "learning_rate": "0.1,0.01,0.001"}).cells) == 6


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"optimizer": "sgd,rmsprob"}, "^optimizer=rmsprob: unknown optimizer 'rmsprob'; did you mean 'rmsprop'"),
        ({"optimizer": "sgd,adam", "hidden": "4,x,y"}, r"^optimizer=sgd hidden=x \(and 3 more of 6 settings\): knob"),
        ({"optimiser": "sgd,adam"}, "^unknown setting or knob of recipe dense 'optimiser'"),
        ({"optimizer": "sgd,adam", "epochs": "0"}, "^epochs='?0"),
        ({"recipe": "dense,softmax", "hidden": "4"}, "^recipe=softmax: unknown setting or knob of recipe soft"),
        ({"optimizer": "sgd(learning_rate=0.1),adam", "learning_rate": "0.1,0.2"},
         "^optimizer=sgd.* learning_rate=0.1 .*the learning rate is given twice"),
        ({"loss": "mse,categorical_crossentropy", "dataset": "diabetes"}, "^loss=categorical_crossentropy: "),
        ({"hidden": ",".join(map(str, range(1, 200))), "epochs": ",".join(map(str, range(1, 1000)))},
         "198,801 settings; one sweep has at most 100,000"),
    ],
    ids=str,
)  # fmt: skip
def test_a_cell_that_cannot_be_is_named_by_its_values(given, message):
    with pytest.raises(InputError, match=message):
        grid.plan(given.pop("dataset", "iris"), given)


@pytest.mark.parametrize(
    ("text", "given", "message"),
    [
        ("seed = 3\nseeds = 2", {}, "seed and seeds"),
        ("seeds = 2", {"seed": "1"}, "seed and seeds"),
        ("seeds = 'many'", {}, "seeds=many"),
        ("metric = 3", {}, "metric must be a name"),
        ("extend = 'yes'", {}, "extend must be true or false"),
        ("[search]\ndropout = '0..1'", {}, "holds search, which belongs to a tuning: kerasrun tune .*toml"),
        ("claim = 'better'", {}, "claim must be a list of tables"),
        (
            "exclude = [{optimiser = 'sgd'}]\n[grid]\noptimizer = ['sgd', 'adam']",
            {},
            "exclude: no setting .* optimiser=sgd",
        ),
        (
            "exclude = [{optimizer = 'lion'}]\n[grid]\noptimizer = ['sgd', 'adam']",
            {},
            "exclude: no setting .* optimizer=lion",
        ),
        ("exclude = [{recipe = 'dense'}]\n[grid]\noptimizer = ['sgd', 'adam']", {}, "nothing is left to train"),
    ],
)
def test_a_files_sweep_that_cannot_be_is_refused(file, text, given, message):
    with pytest.raises(InputError, match=message):
        grid.plan("iris", given, file=file(text))


def test_without_seeds_a_sweep_has_the_experiments_own():
    assert grid.plan("iris", {"seed": "3", "optimizer": "sgd,adam"}).seeds == (3,)
    assert grid.plan("iris", {"optimizer": "sgd,adam"}).seeds == (0,)


def test_a_thousand_cells_share_what_they_have_in_common():
    sweep = grid.plan("iris", {"optimizer": ["sgd", "adam"]}, seeds=500)
    assert len(sweep.cells) == 1000
    assert len({id(cell.setting) for cell in sweep.cells}) == 2
    assert all(
        dataclasses.replace(c.experiment, seed=0) == sweep.cells[(c.number - 1) % 2].experiment for c in sweep.cells
    )


def test_a_recipe_is_parsed_once_however_many_cells_there_are(monkeypatch):
    parsed = []
    parse = recipe_files.ast.parse
    monkeypatch.setattr(recipe_files.ast, "parse", lambda source: parsed.append(source) or parse(source))
    recipe_files.fingerprint.cache_clear()
    grid.plan("digits", {"batch_size": [*range(1, 51)]}, seeds=2)
    assert len(parsed) <= 2  # for its knobs and for its fingerprint
