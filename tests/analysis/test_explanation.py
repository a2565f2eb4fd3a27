"""`--explain`: the rules of this very table, and nothing about rules that were not used."""

from made_up_runs import run, seeds

from kerasrun.analysis.compare import compare

SGD = [0.85, 0.86, 0.84, 0.855, 0.845, 0.852]
ADAM = [0.88, 0.89, 0.87, 0.88, 0.875, 0.881]


def rules(*records, **asked):
    return "\n".join(compare(records, explain=True, **asked).rules)


def test_a_paired_comparison_is_explained():
    said = rules(*seeds(0, SGD, optimizer="sgd"), *seeds(10, ADAM))
    for part in (
        "val_accuracy at the best epoch; moment: early stopping chose it; baseline: the first run made",
        "runs with equal optimizer; they differ in the seed",
        "paired t",
        "beyond the margin 0.005",
        "check    adam: exact sign flips of the differences, p = 0.031",
        "of new data it says nothing",
    ):
        assert part in said
    for part in ("Welch", "Holm", "ratio", "log scale", "diverged"):
        assert part not in said


def test_a_tiny_p_is_below_a_thousandth_here_too():
    said = rules(*seeds(0, [0.80, 0.81] * 6, optimizer="sgd"), *seeds(20, [0.9, 0.91, 0.92] * 4))
    assert "check    adam: exact sign flips of the differences, p < 0.001" in said


def test_the_last_epoch_is_explained_by_no_run_stopping_early_whatever_the_budgets():
    said = rules(*seeds(0, SGD, epochs=5, patience=None), *seeds(10, ADAM, patience=None), by="epochs")
    assert "val_accuracy at the last epoch; moment: no run could stop early; baseline:" in said


def test_other_rules_are_explained_where_they_were_used():
    other = seeds(20, [0.5, None, 0.6], optimizer="rmsprop")
    for record in other:
        record["experiment"]["seed"] += 10
    said = rules(*seeds(0, SGD, optimizer="sgd"), *seeds(10, ADAM), *other, metric="val_loss", baseline="optimizer=sgd")
    for part in ("Welch", "Holm", "as a ratio", "log scale", "diverged a result", "baseline: as asked"):
        assert part in said
    assert "their intervals are at 97.5 % each" in said


def test_where_pairing_did_not_help_it_is_said():
    against = [0.88, 0.87, 0.89, 0.875, 0.885, 0.878]
    said = rules(*seeds(0, SGD, optimizer="sgd"), *seeds(10, against))
    assert "check    adam: pairing did not help (correlation -" in said
    assert "pairing did not help" not in rules(*seeds(0, SGD, optimizer="sgd"), *seeds(10, ADAM))


def test_only_the_asking_explains():
    assert compare([run(0), run(1, seed=1)]).rules == ()
