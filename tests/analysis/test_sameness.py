import pytest
from made_up_sweep import decide, record, records, sweep, with_epochs

from kerasrun.analysis.sameness import difference

SAME = {"equal": ["optimizer=adam", "optimizer=momentum", "optimizer=sgd"], "within": "bitwise"}
ONE, OTHER = (record(cell, 0.9) for cell in sweep(seeds=1).cells[:2])


def pair(tmp_path, first, second):
    return with_epochs(tmp_path / "1", ONE, **first), with_epochs(tmp_path / "2", OTHER, **second)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({"loss": [1, 0.5]}, {"loss": [1, 0.5]}, ""),
        ({"loss": [1, 0.5]}, {"loss": [1, 0.50000001]}, "loss 0.5 and 0.50000001 in epoch 2"),
        ({"loss": [1, "nan"]}, {"loss": [1, "nan"]}, ""),
        ({"loss": [1, "nan"]}, {"loss": [1, 2]}, "loss nan and 2 in epoch 2"),
        ({"loss": [1, 0.5]}, {"loss": [1]}, "2 and 1 epochs"),
        ({"loss": [1]}, {"loss": [1], "accuracy": [1]}, "other columns: accuracy"),
    ],
)
def test_the_first_number_that_differs_is_named(tmp_path, first, second, said):
    assert difference(*pair(tmp_path, first, second)) == said


def test_equal_epochs_with_other_weights_are_not_the_same(tmp_path):
    one, other = pair(tmp_path, {"loss": [1]}, {"loss": [1]})
    one |= {"best_weights": "aa"}
    assert difference(one, other) == "", "weights of one run alone say nothing"
    assert difference(one, other | {"best_weights": "aa"}) == ""
    assert difference(one, other | {"best_weights": "ab"}) == "best weights"


def same(tmp_path, losses, *, seeds=2, present=6):
    """Return the decision about three runs a seed with these losses, of which so many are there."""
    its_sweep = sweep(SAME, seeds=seeds)
    runs = records(its_sweep, dict.fromkeys(losses, [0.9] * seeds))[:present]
    folders = [with_epochs(tmp_path, r, loss=losses[r["id"].split("/")[0]]) for r in runs]
    [decision], new = decide(its_sweep, folders)
    assert new == []
    return decision


def test_runs_that_are_equal_to_the_last_bit_support_the_claim(tmp_path):
    equal = dict.fromkeys(("sgd", "momentum", "adam"), [1, 0.5])
    decision = same(tmp_path / "a", equal)
    assert (decision.verdict, len(decision.findings)) == ("supported", 3)
    assert decision.findings[0].words == "2 of 2 pairs equal to the last bit, 0 of them with the best weights"
    assert same(tmp_path / "b", equal, seeds=1, present=3).verdict == "supported", "one seed is enough"
    assert same(tmp_path / "c", equal, present=5).verdict == "undecided"


def test_one_number_contradicts_it_even_before_all_runs_are_there(tmp_path):
    decision = same(tmp_path, {"sgd": [1, 0.5], "momentum": [1, 0.5], "adam": [1, 0.6]}, present=3)
    assert decision.verdict == "contradicted"
    assert decision.findings[0].words == "seed 0: loss 0.6 and 0.5 in epoch 2"
