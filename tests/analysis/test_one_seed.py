"""One seed each: McNemar's counts, worded as no decision, and the command that would decide."""

import numpy as np
import pytest
from made_up_runs import run, seeds
from scipy import stats

from kerasrun.analysis.compare import compare

LABELS = np.arange(100) % 10


@pytest.fixture
def predicted(tmp_path):
    """Return what makes a run that gets the given validation examples wrong."""

    def make(number, accuracy, wrong, *, rows=None, labels=LABELS, **changes):
        folder = tmp_path / str(number)
        folder.mkdir()
        said = labels.copy()
        said[list(wrong)] = (said[list(wrong)] + 1) % 10
        kept = {"rows": np.arange(len(labels)) if rows is None else rows, "labels": labels, "best": said, "last": said}
        np.savez(folder / "predictions.npz", **{f"validation_{name}": array for name, array in kept.items()})
        return run(number, accuracy, path=str(folder), **changes)

    return make


def last_note(*records, **asked):
    return compare(records, **asked).notes[-1]


def test_the_two_best_runs_are_counted_image_by_image(predicted):
    worst = predicted(2, 0.5, range(50), optimizer="rmsprop")
    said = last_note(predicted(0, 0.8, range(20), optimizer="sgd"), predicted(1, 0.9, range(15, 25)), worst)
    p = stats.binomtest(5, 20).pvalue
    assert said.startswith("One seed each: 15 validation examples only bbbbb gets right, 5 only aaaaa (McNemar p = ")
    assert f"p = {p:.2g})" in said
    assert "other seeds may turn it. kerasrun sweep digits optimizer=sgd,adam --seeds 5 decides." in said


def test_the_command_repeats_what_was_chosen_and_quotes_it(predicted):
    origins = {"epochs": "command", "seed": "command", "hidden": "file", "batch_size": "default"}
    records = [
        predicted(0, 0.8, range(20), optimizer="sgd(learning_rate=0.1)", epochs=2, origins=origins),
        predicted(1, 0.9, range(10), epochs=2, origins=origins),
    ]
    assert "kerasrun sweep digits epochs=2 hidden=100 'optimizer=sgd(learning_rate=0.1),adam' --seeds 5" in last_note(
        *records
    )


def test_a_knob_that_only_one_recipe_has_is_no_further_difference(predicted):
    other = predicted(1, 0.9, [2], recipe="softmax")
    other["experiment"]["knobs"] = {}
    assert "kerasrun sweep digits recipe=dense,softmax --seeds 5" in last_note(predicted(0, 0.8, [1]), other)


def test_several_differences_are_no_one_command(predicted):
    said = last_note(predicted(0, 0.8, [1]), predicted(1, 0.9, [2], optimizer="sgd", knobs={"hidden": [5]}))
    assert "kerasrun sweep … --seeds 5 decides" in said


@pytest.mark.parametrize(
    ("fixed", "varied"),
    [
        ({"drop": ["Name", "Ticket"]}, {"optimizer": "sgd"}),
        ({"augment": []}, {"augment": ["flip"]}),
        ({"class_weights": None}, {"class_weights": "balanced"}),
        ({"monitor": "val_loss"}, {"monitor": "a,b"}),
    ],
)
def test_commas_that_would_vary_something_else_are_no_one_command(fixed, varied):
    records = [run(0, 0.8, origins={"drop": "command"}), run(1, 0.9, origins={"drop": "command"})]
    for record, own in zip(records, ({}, varied), strict=True):
        record["experiment"] |= fixed | own
    assert "kerasrun sweep … --seeds 5 decides" in last_note(*records)


def test_every_run_can_be_counted_against_a_baseline_with_holms_p(predicted):
    records = [
        predicted(0, 0.8, range(20), optimizer="sgd"),
        predicted(1, 0.9, range(10)),
        predicted(2, 0.85, range(5, 20), optimizer="rmsprop"),
    ]
    found = compare(records, baseline="run=aaaaa")
    counts = {row["run"][0]: (row["only_here"], row["only_baseline"]) for row in found.rows}
    assert counts == {"b": (10, 0), "c": (5, 0), "a": (None, None)}
    assert [row["p"] for row in found.rows] == pytest.approx([2 * 2 * 0.5**10, 2 * 0.5**5, None])
    assert "baseline aaaaa" in found.title


@pytest.mark.parametrize(
    "other",
    [
        {"rows": np.arange(100) + 1},
        {"labels": LABELS[::-1].copy()},
        {"labels": LABELS[:50]},
        {"labels": LABELS.astype(np.float32)},
    ],
)
def test_runs_on_other_examples_or_without_classes_are_not_counted(predicted, other):
    said = last_note(predicted(0, 0.8, [1]), predicted(1, 0.9, [2], optimizer="sgd", **other))
    assert said.startswith("One seed each: other seeds may turn the order.")


def test_without_predictions_or_for_a_loss_nothing_is_counted(predicted):
    assert "other seeds may turn the order" in last_note(run(0, 0.8), run(1, 0.9, optimizer="sgd"))
    records = [predicted(0, 0.8, [1]), predicted(1, 0.9, [2], optimizer="sgd")]
    assert "other seeds may turn the order" in last_note(*records, metric="val_loss")
    assert "other seeds may turn the order" in compare(records, metric="test_accuracy", test=True).notes[-1]


def test_a_damaged_file_is_as_none(predicted, tmp_path):
    records = [predicted(0, 0.8, [1]), predicted(1, 0.9, [2], optimizer="sgd")]
    (tmp_path / "1" / "predictions.npz").write_bytes(b"PK no zip")
    assert "other seeds may turn the order" in last_note(*records)


def test_rows_of_one_seed_say_it_too_and_rows_of_several_do_not(predicted):
    records = [predicted(0, 0.8, range(20), optimizer="sgd"), predicted(1, 0.9, range(10))]
    assert "10 validation examples only bbbbb" in last_note(*records, by="optimizer")
    assert not [note for note in compare([*seeds(0, [0.8, 0.9]), run(5, optimizer="sgd")]).notes if "One seed" in note]


@pytest.mark.parametrize("metric", ["seconds", "epoch_seconds"])
def test_rows_of_one_seed_can_be_ordered_by_their_times(metric):
    slow, fast = ({"total": n, "epoch": n / 10} for n in (9.0, 1.0))
    found = compare([run(0, seconds=slow), run(1, seconds=fast, optimizer="sgd")], metric=metric)
    assert [row["run"] for row in found.rows] == ["bbbbb", "aaaaa"]
    assert found.title == metric  # of the whole run: there is no moment
    assert "kerasrun sweep digits optimizer=adam,sgd --seeds 5 decides" in found.notes[-1]
