"""What makes a comparison unfair: left out by default, said where it stands in the table."""

import pytest
from made_up_runs import run, seeds

from kerasrun.analysis.compare import compare

SGD, ADAM = [0.85, 0.86, 0.84], [0.88, 0.89, 0.87]


def records(**changes):
    """Return three seeds of sgd and adam, and a run of adam that is changed."""
    return [*seeds(0, SGD, optimizer="sgd"), *seeds(10, ADAM), run(20, 0.99, seed=0, **changes)]


def counted(found):
    return sum(row["n"] for row in found.rows)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": {"hash": "other"}}, "1 run with other data (uuuuu)"),
        ({"split_seed": 1}, "1 run with another split (split_seed=1; uuuuu)"),
        ({"validation": 0.1}, "1 run with another split (validation=0.1; uuuuu)"),
        ({"limit": 500}, "1 run with another split (limit=500; uuuuu)"),
        ({"epochs": 40}, "1 run with another budget (epochs=40; uuuuu)"),
        ({"patience": None}, "1 run with another budget (patience=none; uuuuu)"),
        ({"batch_size": 64}, "1 run with another budget (batch_size=64; uuuuu)"),
        ({"scale": "none"}, "1 run with other scaling (scale=none; uuuuu)"),
        ({"jit": True}, "1 run with other arithmetic (jit=true; uuuuu)"),
        ({"precision": "mixed_float16"}, "1 run with other arithmetic (precision=mixed_float16; uuuuu)"),
    ],
)
def test_what_does_not_compare_is_left_out_and_named(changes, words):
    found = compare(records(**changes))
    assert counted(found) == 6
    assert f"not comparable, left out: {words}. --all includes them" in found.notes
    assert counted(compare(records(**changes), every=True)) == 7


def test_several_reasons_stand_in_one_line_with_counts():
    many = [*records(split_seed=1), *seeds(21, [0.9] * 4, optimizer="adam", epochs=40)]
    reasons = "1 run with another split (split_seed=1; uuuuu), 4 runs with another budget (epochs=40)"
    assert f"not comparable, left out: {reasons}. --all includes them" in compare(many).notes


@pytest.mark.parametrize("name", ["epochs", "batch_size", "scale", "limit", "split_seed"])
def test_the_one_thing_that_is_varied_is_no_reason(name):
    values = {
        "epochs": (10, 20),
        "batch_size": (32, 64),
        "scale": ("none", "unit"),
        "limit": (500, 1000),
        "split_seed": (0, 1),
    }
    one, other = ({name: value} for value in values[name])
    found = compare([*seeds(0, SGD, **one), *seeds(10, ADAM, **other)])
    assert counted(found) == 6
    assert name in found.columns
    assert "not comparable, left out" not in "\n".join(found.notes)
    assert "which alone can make the difference" not in "\n".join(found.notes)
    assert "not comparable with the rest" not in "\n".join(found.notes)


def test_what_rows_are_told_apart_by_is_no_reason():
    found = compare(records(batch_size=64), by="optimizer,batch_size")
    assert counted(found) == 7
    assert not [note for note in found.notes if "batch_size differs" in note]


def test_where_all_are_included_the_reason_is_said():
    said = "\n".join(compare(records(epochs=40), every=True).notes)
    assert "epochs differs (20, 40), which alone can make the difference" in said


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"split_seed": 1}, "another split"), ({"epochs": 40}, "another budget"), ({"jit": True}, "other arithmetic")],
)
def test_an_unfair_pair_that_is_included_gets_no_verdict(changes, reason):
    pair = [*seeds(0, SGD, optimizer="sgd"), *seeds(10, [0.88, 0.891, 0.87], **changes)]
    row = next(row for row in compare(pair, every=True).rows if row["optimizer"] == "adam")
    assert (row["verdict"], row["words"]) == ("none", f"unfair ({reason}): better")


def test_pairs_within_equal_splits_are_fair_though_there_are_two():
    some = []
    for split in (0, 1):
        some += [
            *seeds(20 * split, SGD, optimizer="sgd", split_seed=split),
            *seeds(20 * split + 10, [0.88, 0.891, 0.87], split_seed=split),
        ]
    row = next(row for row in compare(some, by="optimizer", every=True).rows if row["optimizer"] == "adam")
    assert (row["verdict"], row["pairs"]) == ("better", 6)


def test_threads_are_a_note_and_no_reason():
    found = compare(records(threads=2))
    assert counted(found) == 6  # the changed run repeats seed 0
    assert "threads differ (1, 2): so do last digits, and seconds" in found.notes


def test_choosing_by_the_test_set_is_said():
    chosen = [
        *seeds(0, SGD, optimizer="sgd", validation="t.npz", test="t.npz"),
        *seeds(10, ADAM, validation="t.npz", test="t.npz"),
    ]
    line = "validation and test are the same examples: the best epoch is chosen on the test set"
    for record in chosen:
        record["experiment"]["test"] = "t.npz"
    assert line in compare(chosen).notes
    assert line not in compare(records()).notes


def test_the_best_of_different_numbers_of_epochs_is_said():
    different = [*seeds(0, SGD, optimizer="sgd", epochs_run=20), *seeds(10, ADAM, epochs_run=5)]
    found = compare(different)
    assert "optimistic: the best of 5 to 20 epochs" in found.title
    assert "the best of different numbers of epochs (adam: 5, sgd: 20)" in "\n".join(found.notes)
    assert "different numbers" not in "\n".join(compare(different, at="last").notes)


def test_runs_without_the_metric_are_left_out_and_counted():
    some = records()
    del some[3]["best"]["val_accuracy"]
    found = compare(some[:6])
    assert counted(found) == 5
    assert "1 run without a value at this moment, left out" in found.notes


def test_one_split_is_said_only_where_it_is_one():
    assert "one split" in compare(records()[:6]).title
    assert "one split" not in compare(records(split_seed=1), every=True).title


def test_made_up_data_is_said_in_every_row():
    made_up = [record | {"data": {"hash": "h", "synthetic": True}} for record in records()[:6]]
    assert {row["data"] for row in compare(made_up).rows} == {"synthetic"}


@pytest.mark.parametrize("asked", [{"metric": "seconds"}, {"metric": "epoch_seconds"}])
def test_of_seconds_it_is_said_when_the_machine_was_shared(asked):
    some = records()[:6]
    for record in some:
        record["seconds"] = {"total": 5.0, "epoch": 1.0}
    assert "seconds: the runs may have had company" in "\n".join(compare(some, **asked).notes)
    for record in some:
        record["others_busy"] = 0.0
    assert "seconds:" not in "\n".join(compare(some, **asked).notes)
    some[2]["others_busy"] = 1.31
    assert "seconds: the runs shared the machine (others kept up to 1.3 cores busy)" in "\n".join(
        compare(some, **asked).notes
    )
    assert "seconds:" not in "\n".join(compare(some).notes)
