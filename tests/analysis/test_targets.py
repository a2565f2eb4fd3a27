"""Epochs and seconds until a target is reached; runs that never got there are counted, not dropped."""

import numpy as np
import pytest
from made_up_runs import run
from scipy import stats

from kerasrun.analysis.compare import compare
from kerasrun.errors import InputError

EPOCHS = 6


@pytest.fixture
def trained(tmp_path):
    """Return what makes a run whose val_accuracy is 0.9 from an epoch on; None for never."""

    def make(number, reaches, **changes):
        folder = tmp_path / str(number)
        folder.mkdir()
        values = [0.9 if reaches and epoch >= reaches else 0.5 for epoch in range(1, EPOCHS + 1)]
        rows = [f"{epoch},0.3,0.9,0.3,{value}" for epoch, value in enumerate(values, start=1)]
        (folder / "metrics.csv").write_text("\n".join(["epoch,loss,accuracy,val_loss,val_accuracy", *rows]) + "\n")
        (folder / "timing.csv").write_text("epoch,seconds\n" + "".join(f"{e},2\n" for e in range(1, EPOCHS + 1)))
        return run(
            number, values[-1], path=str(folder), **{"epochs": EPOCHS, "patience": None, "epochs_run": EPOCHS} | changes
        )

    return make


def both(trained, sgd, adam):
    return [
        *(trained(seed, epoch, seed=seed, optimizer="sgd") for seed, epoch in enumerate(sgd)),
        *(trained(10 + seed, epoch, seed=seed) for seed, epoch in enumerate(adam)),
    ]


def test_who_reaches_the_target_sooner_is_better_by_a_ratio_of_epochs(trained):
    found = compare(both(trained, [4, 5, 4, 5], [2, 2, 3, 2]), until="val-accuracy=0.88")
    adam, sgd = found.rows
    assert [adam["optimizer"], adam["n"], adam["reached"], adam["mean"]] == ["adam", 4, 4, 2.25]
    assert adam["p"] == pytest.approx(stats.ttest_rel(np.log([2, 2, 3, 2]), np.log([4, 5, 4, 5])).pvalue)
    assert (adam["relative"], adam["verdict"], adam["median_seconds"], sgd["median_seconds"]) == (
        True,
        "better",
        4.0,
        9.0,
    )
    assert found.title.startswith(
        "epochs until val_accuracy ≥ 0.88, confirmed by the next · within 6 epochs · 4 seeds each"
    )
    assert "margin 10 %" in found.title


def test_runs_that_never_got_there_count_with_all_their_epochs(trained):
    found = compare(both(trained, [4, None, None, 5], [2, 2, 3, 2]), until="val_accuracy=0.88")
    adam, sgd = found.rows
    assert (sgd["reached"], sgd["n"], sgd["mean"]) == (2, 4, (4 + 6 + 6 + 5) / 4)
    assert adam["difference"] == pytest.approx(np.mean([4, 6, 6, 5]) - 2.25)
    assert adam["p"] == pytest.approx(stats.ttest_rel([2, 2, 3, 2], [4, 6, 6, 5]).pvalue)
    columns, cells = found.people
    shown = dict(zip(columns, cells[1], strict=True))
    assert (shown["reached"], shown["median"], shown["mean of min(epochs, 6)"][:3]) == (
        "2 of 4 [0.15, 0.85]",
        "> 6",
        "5.2",
    )
    assert "margin 0.5 epochs, 10 % of the baseline's mean" in found.title
    assert "counts as 6 epochs in the mean" in "\n".join(found.notes)


def test_reaching_it_more_often_comes_first_whatever_the_mean(trained):
    found = compare(both(trained, [1, 1, 1, None], [5, 5, 5, 5]), until="val_accuracy=0.88")
    assert [row["optimizer"] for row in found.rows] == ["adam", "sgd"]


def test_the_last_epoch_alone_is_not_confirmed(trained):
    assert compare(both(trained, [6, 6], [2, 2]), until="val_accuracy=0.88").rows[1]["reached"] == 0


def test_a_diverged_run_never_got_there_and_a_failed_one_is_missing(trained):
    records = both(trained, [4, 4, 4], [2, None, 2])
    records[4] |= {"status": "diverged"}
    records[5] |= {"status": "failed"}
    adam = compare(records, until="val_accuracy=0.88", by="optimizer").rows[1]
    assert (adam["optimizer"], adam["n"], adam["reached"]) == ("adam", 2, 1)


def test_losses_are_reached_from_above(trained):
    found = compare(both(trained, [1, 1], [1, 1]), until="val_loss=0.4")
    assert found.title.startswith("epochs until val_loss ≤ 0.4")
    assert [row["mean"] for row in found.rows] == [1.0, 1.0]


def test_rows_of_runs_show_each_runs_epochs_and_seconds(trained):
    found = compare(
        [trained(0, 4, optimizer="sgd"), trained(1, 2), trained(2, None, optimizer="rmsprop")],
        until="val_accuracy=0.88",
    )
    assert [row["run"][0] for row in found.rows] == ["b", "a", "c"]
    assert [row["epochs_to_target"] for row in found.rows] == [2, 4, None]
    assert [row["seconds_to_target"] for row in found.rows] == [4.0, 8.0, None]


def test_runs_of_different_length_are_refused(trained):
    records = [*both(trained, [2, 2], [3, 3]), trained(20, 2, seed=0, epochs=9), trained(21, 2, seed=1, epochs=9)]
    with pytest.raises(InputError, match="runs of one length; these have epochs 6, 9\n--where epochs=9"):
        compare(records, until="val_accuracy=0.88", by="optimizer,epochs")


@pytest.mark.parametrize(
    ("until", "message"),
    [
        ("val_accuracy", "no target"),
        ("val_acuracy=0.9", "did you mean 'val_accuracy'"),
        ("val_accuracy=high", "no target"),
        ("val_accuracy=1e999", "no target"),
    ],
)
def test_what_is_no_target_is_refused(until, message, trained):
    with pytest.raises(InputError, match=message):
        compare(both(trained, [2, 2], [3, 3]), until=until)
