import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun import task
from kerasrun.datasets import splits
from kerasrun.datasets.parts import Unsplit, whole
from kerasrun.errors import InputError

SHARES = st.floats(0.05, 0.9)
SEEDS = st.integers(0, 2**32)
LABELS = st.lists(st.integers(0, 4), min_size=110, max_size=300)  # 0.05 of the tenth that may be left is an example


def _data(labels, kind="classes"):
    y = np.array(labels)
    if kind == "regression":
        return Unsplit(task.regression("made", (1,)), "made", whole(np.arange(len(y))[:, None], y[:, None]))
    return Unsplit(task.multiclass("made", (1,), 5), "made", whole(np.arange(len(y))[:, None], y.astype(np.int32)))


def _split(data, validation=0.2, test=0.2, seed=0):
    return splits.split(data, validation=validation, test=test, split_seed=seed)


@given(LABELS, SHARES, SHARES, SEEDS, st.sampled_from(["classes", "regression"]))
def test_parts_are_disjoint_and_cover_everything(labels, validation, test, seed, kind):
    data, _ = _split(_data(labels, kind), validation, test, seed)
    rows = np.concatenate([part.rows for part in data.parts().values()])
    assert sorted(rows) == list(range(len(labels)))


@given(LABELS, SHARES, SHARES, SEEDS)
def test_sizes_are_the_shares_of_test_first_and_validation_of_the_rest(labels, validation, test, seed):
    data, _ = _split(_data(labels), validation, test, seed)
    held_for_test = round(len(labels) * test)
    assert len(data.test) == held_for_test
    assert len(data.validation) == round((len(labels) - held_for_test) * validation)


@given(LABELS, SHARES, SEEDS)
def test_classes_keep_their_proportions_or_a_line_says_why_not(labels, share, seed):
    data, notes = _split(_data(labels), validation=0.5, test=share, seed=seed)
    if any("the test part" in note for note in notes):
        return
    for label in set(labels):
        exact = labels.count(label) * len(data.test) / len(labels)
        assert abs(np.sum(data.test.y == label) - exact) < 1
        assert np.sum(data.test.y == label) >= 2


@given(LABELS, SEEDS)
def test_examples_labels_and_weights_stay_together(labels, seed):
    data = _data(labels)
    weighted = Unsplit(data.task, "made", whole(data.train.x, data.train.y, np.arange(len(labels), dtype=np.float32)))
    for part in _split(weighted, seed=seed)[0].parts().values():
        assert np.array_equal(part.x[:, 0], part.rows)
        assert np.array_equal(part.y, np.array(labels)[part.rows])
        assert np.array_equal(part.weights, part.rows)


@given(LABELS, SEEDS, st.integers(1, 30), st.integers(0, 30), st.sampled_from(["classes", "regression"]))
def test_a_smaller_limit_is_nested_in_a_larger_one(labels, seed, fewer, more, kind):
    data, _ = _split(_data(labels, kind), seed=seed)
    few, many = (splits.limit(data, examples=n, split_seed=seed)[0] for n in (fewer, fewer + more))
    for name, part in few.parts().items():
        assert set(part.rows) <= set(many.parts()[name].rows) <= set(data.parts()[name].rows)


@given(LABELS, SEEDS, st.integers(1, 100))
def test_limit_keeps_proportions_and_one_example_of_each_class(labels, seed, examples):
    data, _ = _split(_data(labels), seed=seed)
    small, _ = splits.limit(data, examples=examples, split_seed=seed)
    classes = np.unique(data.train.y)
    assert len(small.train) == min(examples, len(data.train))
    if examples >= len(classes):
        assert set(small.train.y) == set(classes)
    for label in classes:
        exact = np.sum(data.train.y == label) * len(small.train) / len(data.train)
        assert abs(np.sum(small.train.y == label) - exact) <= len(classes)


@given(LABELS, SEEDS, st.integers(5, 25))
def test_limit_shrinks_validation_and_test_in_the_same_ratio(labels, seed, examples):
    data, _ = _split(_data(labels), seed=seed)
    small, _ = splits.limit(data, examples=examples, split_seed=seed)
    for name in ("validation", "test"):
        part, before = small.parts()[name], data.parts()[name]
        ratio = len(small.train) / len(data.train)
        assert len(part) == min(len(before), max(round(len(before) * ratio), len(np.unique(before.y))))
        assert set(part.y) == set(before.y)


def test_equal_classes_are_limited_to_equal_numbers():
    data, _ = _split(_data(list(range(5)) * 40))
    assert np.bincount(splits.limit(data, examples=50, split_seed=3)[0].train.y).tolist() == [10] * 5


def test_the_split_of_a_seed_never_changes():
    data, _ = _split(_data([0, 1] * 10), seed=7)
    assert data.test.rows.tolist() == TEST_ROWS
    assert data.validation.rows.tolist() == VALIDATION_ROWS


TEST_ROWS = [1, 2, 11, 18]
VALIDATION_ROWS = [10, 13, 17]


def test_another_split_seed_holds_out_others():
    one, other = (_split(_data([0, 1] * 50), seed=seed)[0].test.rows for seed in (0, 1))
    assert one.tolist() != other.tolist()


def test_a_part_of_its_own_stays_as_it_is():
    data = _data([0, 1] * 20)
    own = Unsplit(data.task, "made", data.train, test=data.train.take(np.arange(3)))
    parted, _ = _split(own, test=0.0)
    assert parted.test.rows.tolist() == [0, 1, 2]
    assert len(parted.train) + len(parted.validation) == 40


def test_a_class_with_one_member_ends_stratification_with_a_line():
    data, notes = _split(_data([0] * 30 + [1] * 30 + [2]))
    assert notes[0].startswith("the test part (12 of 61) is drawn without regard to classes: class 2")
    assert len(data.test) == 12


@pytest.mark.parametrize("share", [0.001, 0.999])
def test_a_share_that_is_no_example_names_the_counts_and_what_is_allowed(share):
    with pytest.raises(InputError, match=r"(?s)--validation 0\.\d+ of 96 examples.*allowed here: 0.0052 to 0.99"):
        _split(Unsplit(*_with_test(_data([0, 1] * 48))), validation=share)


def _with_test(data):
    return data.task, "made", data.train, None, data.train


@pytest.mark.parametrize("share", [0.0, 1.0, -0.2, 20.0])
def test_a_share_outside_0_and_1_is_refused(share):
    with pytest.raises(InputError, match="between 0 and 1"):
        _split(_data([0, 1] * 48), validation=share)


def test_a_limit_above_the_number_of_examples_says_so():
    data, _ = _split(_data([0, 1] * 20))
    same, notes = splits.limit(data, examples=1000, split_seed=0)
    assert same is data
    assert notes == ("limit 1000 is no limit: there are 26 training examples",)
