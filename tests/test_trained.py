import pytest

from kerasrun.errors import InputError
from kerasrun.inputs import InputColumn, TableInputs
from kerasrun.runs import Run
from kerasrun.trained import trained

RECORD = {
    "id": "abcde", "status": "finished", "experiment": {"target": "y"}, "data": {"classes": 3}, "inputs": None,
    "task": {"kind": "multiclass", "classes": ["a", "b", "c"], "shape": [8, 8], "dtype": "float32"},
}  # fmt: skip


def run(folder, **changes):
    (folder / "best.keras").touch()
    return Run(folder, {**RECORD, **changes})


def test_the_record_says_what_the_model_takes(tmp_path):
    found = trained(run(tmp_path))
    assert (found.run, found.kind, found.classes) == ("abcde", "multiclass", ("a", "b", "c"))
    assert (found.shape, found.dtype, found.inputs, found.source) == ((8, 8), "float32", None, "arrays")
    assert found.task(3).num_classes == 3


def test_classes_without_names_are_called_by_their_numbers(tmp_path):
    assert trained(run(tmp_path, task={**RECORD["task"], "classes": None})).classes == ("0", "1", "2")


def test_a_regression_has_no_classes(tmp_path):
    task = {"kind": "regression", "classes": None, "shape": [4], "dtype": "float32"}
    found = trained(run(tmp_path, task=task, data={}))
    assert (found.classes, found.task(2).num_outputs) == ((), 2)


def test_how_a_tables_rows_were_encoded_comes_back(tmp_path):
    inputs = TableInputs((InputColumn("a", "number", fill=1.5), InputColumn("c", "category", values=("", "x"))))
    found = trained(run(tmp_path, inputs=inputs.record()))
    assert (found.inputs, found.source) == (inputs, "tables")


def test_a_run_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="no model was saved; the run's status is failed"):
        trained(Run(tmp_path, {**RECORD, "status": "failed"}))


@pytest.mark.parametrize("task", [None, {"kind": "binary", "classes": None}, {**RECORD["task"], "shape": 3}, [1]])
def test_a_record_that_does_not_say_what_the_model_takes_is_refused(tmp_path, task):
    with pytest.raises(InputError, match="does not say what its model takes"):
        trained(run(tmp_path, task=task))
