"""Differences over seeds and images: numbers by hand, coverage, and what is refused."""

import numpy as np
import pytest
from made_up_runs import run
from scipy import stats

from kerasrun.analysis.compare import compare
from kerasrun.analysis.crossed import of_table
from kerasrun.errors import InputError

LABELS = np.arange(200) % 10


@pytest.fixture
def judged(tmp_path):
    """Return what makes the runs of one optimizer, each wrong on the given validation examples."""

    def make(first, optimizer, wrong, *, rows=None):
        records = []
        for seed, those in enumerate(wrong):
            folder = tmp_path / f"{first + seed}"
            folder.mkdir()
            said = LABELS.copy()
            said[list(those)] = (said[list(those)] + 1) % 10
            rows = np.arange(200) if rows is None else rows
            kept = {"validation_rows": rows, "validation_labels": LABELS, "validation_last": said}
            np.savez(folder / "predictions.npz", **kept)
            accuracy = 1 - len(those) / 200
            records.append(run(first + seed, accuracy, path=str(folder), optimizer=optimizer, seed=seed, patience=None))
        return records

    return make


def test_mean_squares_by_hand():
    # means of rows 1 and 0: MS 3 · 0.5 / 1; of columns 1, 0.5 and 0: MS 2 · 0.5 / 2; additive, so nothing is left over
    table = np.array([[1.5, 1.0, 0.5], [0.5, 0.0, -0.5]])
    error, freedom = of_table(table)
    assert error**2 == pytest.approx((1.5 + 0.5) / 6)
    assert freedom == pytest.approx(2.0**2 / (1.5**2 / 1 + 0.5**2 / 2))


def test_a_table_that_nothing_spreads_in_has_no_error():
    assert of_table(np.ones((3, 4))) == (0.0, 0.0)


def test_without_an_effect_of_images_it_is_the_paired_t_of_the_seeds():
    by_seed = np.array([0.1, 0.4, 0.2, 0.5])
    error, freedom = of_table(np.tile(by_seed[:, None], (1, 50)))
    assert error == pytest.approx(stats.sem(by_seed))
    assert freedom == pytest.approx(3)


@pytest.mark.parametrize(("of_seeds", "of_images"), [(0.5, 2.0), (1.0, 0.2), (0.0, 1.0)])
def test_intervals_hold_the_truth_as_often_as_they_say(of_seeds, of_images):
    random = np.random.default_rng(1)
    inside = 0
    for _ in range(600):
        seeds, images = random.normal(0, of_seeds, (5, 1)), random.normal(0, of_images, (1, 40))
        table = seeds + images + random.normal(0, 2.0, (5, 40))
        error, freedom = of_table(table)
        inside += abs(table.mean()) < stats.t.ppf(0.975, freedom) * error
    assert 0.93 < inside / 600 < 0.99  # 0.95 ± 0.009, and the clamp at 0 errs on the safe side


def test_an_interval_over_images_too_is_wider_where_images_differ(judged):
    worse = judged(0, "sgd", [range(20), range(20), range(21), range(20)])
    better = judged(4, "adam", [range(10), range(10), range(10), range(11)])
    over_seeds, over_both = (compare([*worse, *better], over=over) for over in ("seeds", "seeds+images"))
    [narrow], [wide] = ([row for row in t.rows if row["optimizer"] == "adam"] for t in (over_seeds, over_both))
    assert narrow["difference"] == wide["difference"] == pytest.approx(0.05)
    assert narrow["difference_high"] - narrow["difference_low"] < 0.02
    assert wide["difference_high"] - wide["difference_low"] == pytest.approx(0.063, abs=0.005)
    # 10 of 200 images: sqrt(0.05 · 0.95 / 200) = 0.0154 on either side, times Student's 1.97
    assert "over other seeds and images" in over_both.title


def test_what_keeps_no_predictions_of_classes_is_refused(judged, tmp_path):
    runs = [*judged(0, "sgd", [[1], [2]]), *judged(2, "adam", [[3], [4]])]
    (tmp_path / "3" / "predictions.npz").unlink()
    with pytest.raises(InputError, match="run ddddd keeps no predicted classes"):
        compare(runs, over="seeds+images")


def test_runs_judged_by_other_images_are_refused(judged):
    other = judged(2, "adam", [[3], [4]], rows=np.arange(200) + 1)
    with pytest.raises(InputError, match="was judged by other examples"):
        compare([*judged(0, "sgd", [[1], [2]]), *other], over="seeds+images", baseline="optimizer=sgd")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"over": "images"}, "known: seeds, seeds\\+images"),
        ({"over": "seeds+images", "until": "val_accuracy=0.8"}, "of means alone"),
        ({"over": "seeds+images", "metric": "val_loss"}, "not counted image by image"),
    ],
)
def test_questions_that_cannot_be_answered(judged, asked, said):
    with pytest.raises(InputError, match=said):
        compare([*judged(0, "sgd", [[1], [2]]), *judged(2, "adam", [[3], [4]])], **asked)
