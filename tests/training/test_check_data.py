"""What is said of data before a long run, on data that has it."""

import numpy as np
import pytest

from kerasrun import datasets
from kerasrun.experiment import resolve
from kerasrun.training.check_data import check_data


def findings(dataset, **given):
    return {finding.name: finding for finding in check_data(datasets.load(resolve(str(dataset), given)))}


@pytest.fixture
def arrays(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 4)).astype("float32"), rng.integers(0, 3, 300)
    return {"x_train": x[:200], "y_train": y[:200], "x_val": x[200:250], "y_val": y[200:250], "x_test": x[250:],
            "y_test": y[250:]}  # fmt: skip


def saved(folder, arrays):
    np.savez(folder / "mine.npz", **arrays)
    return folder / "mine.npz"


def test_healthy_data_gets_no_advice(tmp_path, arrays):
    found = findings(saved(tmp_path, arrays))
    assert not any(finding.advice for finding in found.values())
    assert found["examples"].value == "200 train · 50 validation · 50 test"
    assert found["constant inputs"].value == "0 of 4"
    assert found["validation"].value == "0 of 50 are in the training part, too"
    counts = np.bincount(arrays["y_train"])
    assert found["classes"].value.startswith(f"3 classes, {counts.min()} to {counts.max()} examples; guessing gives 0.")


def test_examples_that_training_has_seen_are_counted_with_their_labels(tmp_path, arrays):
    arrays["x_val"][:5] = arrays["x_train"][:5]
    arrays["y_val"][:5] = arrays["y_train"][:5]
    arrays["y_val"][0] = (arrays["y_val"][0] + 1) % 3
    found = findings(saved(tmp_path, arrays))["validation"]
    assert found.value == "5 of 50 are in the training part, too, 1 of them with another label"
    assert "drop repeated examples" in found.advice


def test_unbalanced_classes_are_told_with_what_guessing_reaches(tmp_path, arrays):
    for part in ("train", "val", "test"):
        arrays[f"y_{part}"] = np.where(np.arange(len(arrays[f"y_{part}"])) % 25, 0, 1)
    found = findings(saved(tmp_path, arrays))["classes"]
    assert found.value == "2 classes, 8 to 192 examples; guessing gives 0.960"
    assert "class_weights=balanced" in found.advice


def test_mostly_constant_inputs_are_told(tmp_path, arrays):
    for part in ("train", "val", "test"):
        arrays[f"x_{part}"][:, :3] = 1
    found = findings(saved(tmp_path, arrays))["constant inputs"]
    assert found.value == "3 of 4"
    assert "is this the right file" in found.advice


def test_numbers_to_predict_have_a_range():
    assert findings("diabetes")["targets"].value.startswith("37 to 346, mean 156")


def test_the_rows_of_a_truth_table_are_not_called_repeated():
    assert "validation" not in findings("xor")
