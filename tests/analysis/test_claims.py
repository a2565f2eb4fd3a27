import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_sweep import sweep

from kerasrun.analysis.claims import KEYS, read
from kerasrun.errors import InputError

EQUAL = {"equal": ["optimizer=adam", "optimizer=sgd"]}
REACHES = {"reaches": "optimizer=adam", "target": "val_accuracy=0.9"}
STANDS = {"stands": "optimizer=adam", "than": "optimizer=sgd", "over": "activation"}
BETTER = {"better": "optimizer=adam", "than": "optimizer=sgd"}


def claim(table, **keywords):
    return read(sweep(table, **keywords), seeds=5)[0]


def names(table, **keywords):
    return [part.name for part in claim(table, **keywords).parts]


def test_what_a_claim_does_not_say_is_filled_in():
    found = claim(BETTER)
    assert (found.kind, found.metric, found.at.kind, found.split) == ("better", "val_accuracy", "last", "validation")
    assert (found.margin.value, found.margin.relative, found.by, found.seeds, found.extend) == (
        0.005,
        False,
        0,
        5,
        False,
    )
    assert found.says == "better: adam against sgd"


def test_a_sweep_that_may_stop_early_is_compared_at_the_best_epoch_unless_it_says_otherwise():
    assert claim(BETTER, patience=3).at.kind == "best"
    assert str(claim({**BETTER, "at": 7}, patience=3).at) == "at epoch 7"


def test_losses_and_times_have_relative_margins():
    loss, time = claim({**BETTER, "metric": "val-loss"}), claim({"faster": "optimizer=adam", "than": "optimizer=sgd"})
    assert (loss.metric, loss.margin.value, loss.margin.relative) == ("val_loss", 0.02, True)
    assert (time.metric, time.margin.value, time.margin.relative) == ("epoch_seconds", 0.1, True)


def test_the_test_part_is_the_best_weights_and_is_known_as_such():
    found = claim({**BETTER, "split": "test"})
    assert (found.metric, found.split, found.at.kind) == ("test_accuracy", "test", "best")


def test_all_is_every_other_value_of_the_axis():
    table = {"at_least_as_good": "optimizer=adam", "than": "all"}
    assert names(table) == ["adam against sgd", "adam against momentum"]
    assert names({**table, "where": "activation=tanh"}, activations=("relu", "tanh")) == [
        "adam against sgd",
        "adam against momentum",
    ]


def test_lists_multiply_out_and_orders_compare_neighbours():
    assert names({"better": ["optimizer=adam", "optimizer=momentum"], "than": "optimizer=sgd"}) == [
        "adam against sgd",
        "momentum against sgd",
    ]
    assert names({"order": ["optimizer=adam", "optimizer=momentum", "optimizer=sgd"]}) == [
        "adam > momentum",
        "momentum > sgd",
    ]
    assert names({"order": [["optimizer=adam", "optimizer=momentum"], "optimizer=sgd"]}) == [
        "adam > sgd",
        "momentum > sgd",
    ]
    assert len(names({"equal": ["optimizer=adam", "optimizer=momentum", "optimizer=sgd"]})) == 3


def test_settings_that_are_not_named_are_paired_and_each_is_a_part_where_asked():
    both = ("relu", "tanh")
    [part] = claim(BETTER, activations=both).parts
    assert part.sides == (((2, 0), (2, 1)), ((0, 0), (0, 1)))
    assert names({**BETTER, "for_each": "activation"}, activations=both) == [
        "adam against sgd (relu)",
        "adam against sgd (tanh)",
    ]
    [part] = claim({**BETTER, "where": {"activation": "tanh"}}, activations=both).parts
    assert part.sides == (((2, 1),), ((0, 1),))


def test_a_share_is_asked_for_in_every_setting_that_is_left():
    table = {"reaches": "optimizer=adam", "target": "val_accuracy=0.9"}
    assert names(table, activations=("relu", "tanh")) == ["adam (relu)", "adam (tanh)"]


def test_only_settings_that_both_sides_are_trained_with_are_compared():
    [part] = claim(BETTER, activations=("relu", "tanh"), excluded=[("sgd", "tanh")]).parts
    assert part.sides == (((2, 0),), ((0, 0),))
    with pytest.raises(InputError, match="trains no setting that has adam against sgd"):
        claim(BETTER, activations=("relu", "tanh"), excluded=[("sgd", "tanh"), ("adam", "relu")])


def test_conditions_are_read_as_values_are_written_anywhere():
    optimizers = ("sgd(learning_rate=0.1, momentum=0.9)", "adam")
    table = {"better": "optimizer=adam", "than": "optimizer=sgd(momentum=.9, learning_rate=0.10)"}
    assert names(table, optimizers=optimizers) == ["adam against sgd(learning_rate=0.1, momentum=0.9)"]


def test_a_claim_keeps_its_hash_when_only_words_or_seeds_change():
    first = claim(BETTER).hash
    assert claim({**BETTER, "says": "Adam wins", "seeds": 9, "extend": True}).hash == first
    assert claim({**BETTER, "margin": 0.005, "at": "last"}).hash == first
    for change in (
        {"margin": 0.01},
        {"by": 0.01},
        {"metric": "val_loss"},
        {"split": "test"},
        {"than": "optimizer=momentum"},
    ):
        assert claim({**BETTER, **change}).hash != first


def test_lasting_targets_are_read():
    assert claim({"reaches": "optimizer=adam", "target": "val_accuracy=1", "at": "last5"}).target.lasting == 5
    assert claim({"reaches": "optimizer=adam", "target": "val-loss = 0.3"}).target.direction == "min"
    assert claim({"fails": "optimizer=adam", "target": "val_accuracy=0.9"}).target.lasting == 0
    assert claim({"fails": "optimizer=adam"}).target is None


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"says": "nothing"}, "does not say what holds\nwrite one of better, at_least_as_good, order"),
        ({**BETTER, "fails": "optimizer=sgd"}, "says better and fails at once"),
        ({**BETTER, "margn": 1}, "unknown key of a claim 'better' 'margn'; did you mean 'margin'"),
        ({**BETTER, "target": "val_loss=1"}, "unknown key of a claim 'better' 'target'"),
        ({"better": "optimizer=adam"}, "better needs than = …"),
        ({"reaches": "optimizer=adam"}, "reaches needs target = …"),
        ({"reaches": "optimizer=adam", "target": "val_loss=1", "by": 2}, "by needs before = …"),
        ({"fails": "optimizer=adam", "at": "last"}, "at needs target = …"),
        ({**BETTER, "than": "optimiser=sgd"}, "unknown axis of the grid 'optimiser'; did you mean 'optimizer'"),
        ({**BETTER, "than": "epochs=5"}, "unknown axis of the grid 'epochs'"),
        ({**BETTER, "than": "optimizer=adamw"}, "optimizer=adamw is not in the grid; did you mean 'adam'"),
        ({**BETTER, "than": "optimizer"}, "'?optimizer'? is no condition"),
        ({**BETTER, "than": "optimizer=sgd,adam"}, "is no condition"),
        ({**BETTER, "than": 7}, "7 is no condition"),
        ({**BETTER, "than": []}, "an empty list"),
        ({**BETTER, "than": "optimizer=adam"}, "compares adam with itself"),
        ({**BETTER, "than": "optimizer=sgd, activation=relu"}, "name different axes"),
        ({**BETTER, "where": "optimizer=sgd"}, "where contradicts adam"),
        ({**BETTER, "for_each": "optimizer"}, "already choose"),
        ({**BETTER, "for_each": "units"}, "unknown axis of the grid 'units'"),
        ({"order": ["optimizer=adam"]}, "order needs a list"),
        ({"order": "optimizer=adam"}, "order needs a list"),
        ({"equal": "optimizer=adam"}, "equal needs a list"),
        ({"at_least_as_good": "activation=relu", "than": "all"}, "nothing else on these axes"),
        ({**BETTER, "margin": 0}, "margin=0 must be above 0"),
        ({**BETTER, "margin": "wide"}, "margin=wide must be a number"),
        ({**BETTER, "by": -1}, "by=-1 must be a number from 0"),
        ({**BETTER, "seeds": 0}, "seeds=0 must be a whole number from 1"),
        ({**BETTER, "seeds": True}, "seeds=True must be a whole number"),
        ({**BETTER, "extend": "often"}, "extend=often must be true or false"),
        ({**BETTER, "metric": "val_acuracy"}, "unknown metric 'val_acuracy'; did you mean 'val_accuracy'"),
        ({**BETTER, "split": "train"}, "unknown value of split 'train'"),
        ({**BETTER, "split": "test", "at": "last"}, "best epoch's weights alone"),
        ({**BETTER, "at": "first"}, "at=first is no moment"),
        ({**BETTER, "metric": "gap:loss"}, "gap:loss needs margin"),
        ({**BETTER, "metric": "train_loss"}, "unknown metric 'train_loss'"),
        ({**REACHES, "target": "train_loss=0.4"}, "unknown metric of the target 'train_loss'"),
        ({"stands": "optimizer=adam", "than": "optimizer=sgd"}, "stands needs over = …"),
        ({**STANDS, "over": "optimizer"}, "over=optimizer must be an axis of numbers above 0"),
        ({**STANDS, "over": "activation"}, "over=activation must be an axis of numbers above 0"),
        ({**STANDS, "at": "last"}, "at needs target = …"),
        ({"has": "optimizer=adam"}, "has needs above = … or below = …"),
        ({"has": "optimizer=adam", "above": 0.5, "below": 0.4}, "has needs above = … or below = …"),
        ({"has": "optimizer=adam", "above": "much"}, "above=much is no number"),
        ({"has": "optimizer=adam", "above": 0.5, "margin": 0.1}, "unknown key of a claim 'has' 'margin'"),
        ({"has": "optimizer=adam", "above": 0.5, "metric": "health:factor"}, "health:factor needs health = true"),
        ({**EQUAL, "within": 0.1, "margin": 0.1}, "margin and within do not go"),
        ({**EQUAL, "within": "bitwise", "metric": "loss"}, "within and metric do not"),
        ({"reaches": "optimizer=adam", "target": "0.9"}, "target=0.9 is no target"),
        ({"reaches": "optimizer=adam", "target": "val_accuracy=high"}, "is no target"),
        ({"reaches": "optimizer=adam", "target": "val_acc=0.9"}, "unknown metric of the target 'val_acc'"),
        ({**REACHES, "share": 1}, "share=1 must be below 1"),
        ({**REACHES, "at": "best"}, 'write "last", or "last5"'),
        ({**REACHES, "before": "optimizer=sgd", "share": 0.9}, "before and share"),
        ({**BETTER, "says": ""}, "must be a name"),
    ],
)  # fmt: skip
def test_what_cannot_be_claimed_is_refused_with_file_and_number(table, message):
    with pytest.raises(InputError, match=message) as caught:
        read(sweep(BETTER, table), seeds=5)
    assert str(caught.value).startswith("made-up.toml: claim 2: ")
    assert len(str(caught.value).splitlines()) <= 3


def test_losses_of_different_kinds_are_not_compared():
    bounds = {"has": "optimizer=adam", "metric": "val_loss", "below": 1.0}  # a part of it has one loss
    its_sweep, bounded = sweep({**BETTER, "metric": "val_loss"}), sweep(bounds)
    for each in (its_sweep, bounded):
        each.cells[0].experiment.loss = "mean_squared_error"
    assert len(read(bounded, seeds=5)) == 1
    with pytest.raises(InputError, match="val_loss of different losses is not comparable"):
        read(its_sweep, seeds=5)


@pytest.mark.parametrize("metric", ["lsuv", "health", "lsuv:", "health:factor:mean"])
def test_half_a_number_about_layers_is_no_metric(metric):
    with pytest.raises(InputError, match="metric|number of a layer"):
        claim({"has": "optimizer=adam", "metric": metric, "above": 0.5}, health=True)


def test_numbers_about_layers_have_no_split():
    table = {"has": "optimizer=adam", "metric": "health:factor", "above": 0.5, "split": "test"}
    with pytest.raises(InputError, match="health:factor is of training examples; leave split out"):
        claim(table, health=True)


def test_coupled_names_choose_one_point_of_their_axis():
    from kerasrun.analysis.places import grid
    from kerasrun.sweep_record import Axis

    points = (("adam", 0.1), ("adam", 0.01), ("sgd", 0.1))
    settings = [dict(zip(("optimizer", "learning_rate"), point, strict=True)) for point in points]
    found = grid([Axis(("optimizer", "learning_rate"), points)], settings)
    assert found.condition("optimizer=adam, learning-rate=0.010").points == {0: 1}
    assert found.condition({"optimizer": "sgd"}).name == "sgd, learning_rate=0.1"
    with pytest.raises(InputError, match="optimizer=adam fits 2 points"):
        found.condition("optimizer=adam")
    with pytest.raises(InputError, match="fits no point"):
        found.condition("optimizer=sgd, learning_rate=0.01")


def test_every_kind_has_keys_of_its_own():
    assert [*KEYS] == ["better", "at_least_as_good", "order", "equal", "reaches", "fails", "faster", "stands", "has"]


WORDS = [
    "optimizer=adam",
    "optimizer=sgd",
    "activation=relu",
    "all",
    "bitwise",
    "val_accuracy=0.9",
    "last5",
    "best",
    "",
]
VALUES = st.one_of(
    st.sampled_from(WORDS), st.text(max_size=20), st.integers(), st.floats(), st.booleans(), st.none(),
    st.lists(st.sampled_from(WORDS), max_size=3),
    st.dictionaries(st.sampled_from(["optimizer", "x", ""]), st.sampled_from(["adam", 1, None, []]), max_size=2),
)  # fmt: skip


def tables(kind):
    keys = st.sampled_from(sorted({*KEYS[kind], "where", "for_each", "seeds", "extend", "says"}))
    others = st.dictionaries(keys, VALUES, max_size=4)
    first = st.sampled_from(["optimizer=adam", ["optimizer=adam", "optimizer=sgd"]]) | VALUES
    usual = st.sampled_from([{}, {"than": "optimizer=momentum"}, {"target": "val_loss=1"}])
    return st.builds(lambda value, some, more: {**some, **more, kind: value}, first, usual, others)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from([*KEYS]).flatmap(tables))
def test_whatever_a_table_holds_it_is_a_claim_or_wrong_input_in_three_lines(table):
    said = ""
    try:
        found = claim(table, activations=("relu", "tanh"))
    except InputError as error:
        said = str(error)
    assert len(said.splitlines()) <= 3
    has_bounds = not said and found.kind == "has"  # and no margin
    assert said or (found.parts and (has_bounds or found.margin.value > 0) and 0 <= found.share < 1)


def test_numbers_about_layers_are_of_the_start_unless_it_says_otherwise():
    table = {"has": "optimizer=adam", "metric": "health:gradient:first/last", "below": 1e-3}
    found = claim(table, health=True)
    assert (found.metric, str(found.at), found.bounds) == (
        "health:gradient:first/last",
        "at the start",
        (-math.inf, 1e-3),
    )
    assert str(claim({**table, "at": "last"}, health=True).at) == "at the last epoch"
    assert str(claim({**table, "at": "step=100"}, health=True).at) == "after 100 steps"
    with pytest.raises(InputError, match="unknown value of at 'step=50'"):
        claim({**table, "at": "step=50"}, health=True)
    assert claim({**table, "metric": "lsuv:variance:max"}).metric == "lsuv:variance:max"
    assert claim({**table, "below": 1e-2}, health=True).hash != found.hash
    compared = {**BETTER, "metric": "health:gradient_ratio:max/min", "margin": 0.1}
    assert claim(compared, health=True).margin.relative
    assert not claim({**compared, "metric": "health:mean:mean"}, health=True).margin.relative


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("health:gradients:max", "unknown number of a layer 'gradients'; did you mean 'gradient'"),
        ("health:gradient", "write health:gradient:HOW, HOW one of first, last, mean, size, min"),
        ("health:gradient:least", "write health:gradient:HOW"),
        ("health:factor:max", "write health:factor"),
        ("health:mean:max/min", "write health:mean:HOW, HOW one of first, last, mean, size, min, max$"),
        ("health:mean:first/last", "write health:mean:HOW"),
        ("lsuv:factor", "unknown number of a layer 'factor'"),
    ],
)
def test_numbers_about_layers_that_are_none_are_refused(metric, message):
    with pytest.raises(InputError, match=message):
        claim({"has": "optimizer=adam", "metric": metric, "below": 1.0}, health=True)


def test_measured_training_examples_can_be_compared_and_reached():
    assert claim({**BETTER, "metric": "train_loss"}, evaluate_train=5000).metric == "train_loss"
    before = {"reaches": "optimizer=adam", "before": "optimizer=sgd", "target": "train_loss=0.4"}
    assert claim(before, evaluate_train=5000).target.metric == "train_loss"
