"""Damaged and dangerous files, clocks, clusters, network disks: rows 55 to 70, as far as they are not datasets'."""

import csv
import io
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kerasrun import environment, run_check, run_folder, run_index, run_tables, runs
from kerasrun.errors import InputError

from . import models
from .children import TIMEOUT, command, only_run, resume, same, train


@pytest.fixture(scope="module")
def said(trained, tmp_path_factory):
    """What loading each crafted model said."""
    folder = tmp_path_factory.mktemp("models")
    words = [sys.executable, models.__file__, str(trained.folder / runs.BEST), str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "said.json").read_text())


def test_row_55_a_torn_or_flipped_model_is_called_damaged(said):
    assert said["same"] == "loaded"
    assert "damaged: not a whole zip archive" in said["torn"]
    harmless = [text for text in said["flips"] if text == "loaded"]  # a date, an attribute: nothing that is read
    assert len(harmless) <= 12
    assert {len(text.splitlines()) for text in said["flips"]} <= {1, 2}


def test_row_55_a_model_other_than_the_recorded_one_is_refused(trained, tmp_path):
    folder = shutil.copytree(trained.folder, tmp_path / trained.folder.name)
    with (folder / runs.BEST).open("r+b") as file:
        file.seek(-2, os.SEEK_END)
        file.write(b"x")
    with pytest.raises(InputError, match="its sha256 is not the recorded one"):
        runs.load(folder).model()


def test_row_56_models_that_run_code_are_refused(said):
    assert "holds a Lambda layer, which runs code stored in the file" in said["lambda"]
    assert "TFSMLayer" in said["tfsm"]
    assert "evil>Mine, which neither Keras nor kerasrun brings" in said["custom"]
    assert "needs its recipe" in said["custom"]
    assert "only .keras files are loaded" in said["h5"]
    assert "loaded" not in (said["lambda_value"], said["no_json"], said["a_list"])


OWN = """
import keras


class Doubled(keras.layers.Layer):
    def call(self, inputs):
        return inputs + inputs


class Stepping(keras.Model):
    def train_step(self, data):
        return super().train_step(data)


def own(task):
    inputs = keras.Input(task.input_shape, dtype=task.input_dtype)
    outputs = keras.layers.Dense(task.num_outputs, activation=task.output_activation)(Doubled()(inputs))
    return Stepping(inputs, outputs)
"""
LOAD_TWICE = """
import sys, kerasrun
run = kerasrun.load_run(results=sys.argv[1])
print(run.model().count_params())
run.record["results"] = "/elsewhere"
print(run.model(recipe=sys.argv[2]).count_params())
run.model()
"""


def test_row_56_a_model_with_classes_of_its_own_is_loaded_with_its_recipe_alone(tmp_path):
    recipe, results = f"{tmp_path / 'mine.py'}:own", tmp_path / "results"
    (tmp_path / "mine.py").write_text(OWN)
    code, said = command("train", "iris", "epochs=1", f"recipe={recipe}", "--results", results)
    assert code == 0, said
    words = [sys.executable, "-c", LOAD_TWICE, str(results), recipe]
    done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.stdout.split() == ["15", "15"], done.stderr
    assert "which neither Keras nor kerasrun brings; it is not loaded" in done.stderr


def test_row_57_functions_outside_of_keras_are_refused(said):
    for name in ("system", "popen", "get_file", "eval"):
        assert "it is not loaded" in said[name] or "only Keras's activations are loaded" in said[name], name
    assert "names the function 'None'; only Keras's activations are loaded" in said["function_of_no_name"]
    assert "names a class in a way that Keras does not" in said["name_a_list"]
    assert not said["hacked"]


def test_row_58_configs_that_ask_for_too_much_are_refused(said):
    assert "asks for 170,000,00" in said["units"]
    assert "nested deeper" in said["nested"]
    assert "nested deeper" in said["deep"]
    assert "declares" in said["bomb"]


def test_row_59_a_python_file_that_is_not_named_is_not_executed(tmp_path):
    for name in ("dense.py", "recipe.py", "kerasrun_plugin.py", "sitecustom.py", "digits.py"):
        (tmp_path / name).write_text("open('executed', 'w')\n")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "kerasrun", "train", "digits", "--dry-run"],
        cwd=tmp_path, capture_output=True, timeout=TIMEOUT,
    )  # fmt: skip
    assert done.returncode == 0
    assert not (tmp_path / "executed").exists()


def test_row_59_a_changed_recipe_of_a_run_folder_is_not_executed(trained, tmp_path):
    folder = shutil.copytree(trained.folder, tmp_path / trained.folder.name)
    run = runs.load(folder)
    assert run.own_recipe() is None  # it comes from another results folder
    run.update(results=str(tmp_path.resolve()))
    assert runs.load(folder).own_recipe() == folder / runs.RECIPE
    (folder / runs.RECIPE).write_text("open('executed', 'w')\n")
    assert runs.load(folder).own_recipe() is None


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-cmd", "@SUM(A1)", "\t=1+1", "＝1+1"])  # noqa: RUF001
def test_row_60_a_formula_in_an_exported_table_is_a_text(text, trained, tmp_path):
    for place in ("one", "other"):
        folder = shutil.copytree(trained.folder, tmp_path / f"{trained.folder.name[:-5]}{place:a<5}")
        run = runs.load(folder)
        changed = run.record["experiment"] | ({"recipe": text} if place == "one" else {})
        run.update(id=f"{place:a<5}", experiment=changed)
    exported = [command(*words, "--format", "csv", "--results", tmp_path)[1] for words in (["runs"], ["compare"])]
    run_tables.write(tmp_path / "study", run_index.scan(tmp_path).records, lambda record: {})
    exported.append((tmp_path / "study" / "runs.csv").read_text())
    for table in exported:
        cells = [cell for row in csv.reader(io.StringIO(table)) for cell in row]
        assert any(text in cell.encode().decode("unicode_escape" if "\\" in cell else "utf-8") for cell in cells), table
        dangerous = [cell for cell in cells if cell.startswith(tuple("=+-@\t\r＝＋－＠"))]  # noqa: RUF001
        assert [cell for cell in dangerous if not _is_number(cell)] == []


def _is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("name", [run_folder.LOCK, runs.LOG, runs.STATE, runs.METRICS])
def test_row_63_nothing_is_written_through_a_symbolic_link(name, trained, tmp_path):
    (tmp_path / "elsewhere").write_text("mine")
    folder = shutil.copytree(trained.folder, tmp_path / "results" / trained.folder.name)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(tmp_path / "elsewhere")
    assert f"{folder.name}/{name}: is a symbolic link" in map(str, run_check.check(tmp_path / "results")[1])
    code, said = resume(tmp_path / "results", "epochs=9")
    assert (tmp_path / "elsewhere").read_text() == "mine"
    if name == run_folder.LOCK:
        assert (code, ".lock: is a symbolic link" in said) == (2, True)


def test_row_63_a_temporary_file_that_is_a_link_is_replaced(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / f".tmp.{os.getpid()}.run.json").symlink_to(tmp_path / "elsewhere")
    from kerasrun import atomic

    atomic.write(tmp_path / "run.json", "new")
    assert ((tmp_path / "elsewhere").read_text(), (tmp_path / "run.json").read_text()) == ("mine", "new")


@pytest.mark.parametrize("content", [b"", b"\0" * 500, b'{"id": "abc', b"\xff\xfe\x00", b'{"format": 1, "id": NaN}'])
def test_row_64_one_damaged_record_is_named_and_the_other_runs_are_listed(content, trained, tmp_path):
    good = shutil.copytree(trained.folder, tmp_path / trained.folder.name)
    bad = shutil.copytree(trained.folder, tmp_path / f"{trained.folder.name[:-5]}zzzzz")
    (bad / runs.RECORD).write_bytes(content)
    found = run_index.scan(tmp_path)
    assert [record["folder"] for record in found.records] == [good.name]
    assert [damage.folder for damage in found.damaged] == [bad.name]
    _, damaged = run_check.check(tmp_path)
    assert {damage.folder for damage in damaged} == {bad.name}


def test_row_64_a_flipped_byte_in_any_file_is_named_and_list_and_compare_go_on(trained, tmp_path):
    good = shutil.copytree(trained.folder, tmp_path / f"{trained.folder.name[:-5]}aaaaa")
    places = random.Random(0)
    for name in sorted(path.name for path in trained.folder.iterdir() if path.is_file() and path.stat().st_size):
        if name in (run_folder.LOCK, runs.LOG):
            continue
        for _ in range(8):
            bad = shutil.copytree(trained.folder, tmp_path / trained.folder.name)
            content = bytearray((bad / name).read_bytes())
            content[places.randrange(len(content))] ^= 1 << places.randrange(8)
            (bad / name).write_bytes(content)
            found = run_index.scan(tmp_path)
            assert good.name in [record["folder"] for record in found.records], name
            damaged = [(damage.folder, damage.file or runs.RECORD) for damage in run_check.check(tmp_path)[1]]
            assert (bad.name, name) in damaged
            assert {folder for folder, _ in damaged} == {bad.name}
            shutil.rmtree(bad)


def test_row_64_list_and_compare_show_the_rest(trained, tmp_path):
    shutil.copytree(trained.folder, tmp_path / trained.folder.name)
    bad = shutil.copytree(trained.folder, tmp_path / f"{trained.folder.name[:-5]}zzzzz")
    (bad / runs.RECORD).write_bytes((bad / runs.RECORD).read_bytes()[:300])
    for words in (["runs"], ["compare"]):
        code, said = command(*words, "--results", tmp_path)
        assert code in (0, 1)
        assert trained.id in said
        assert f"skipped {bad.name}: run.json is torn" in said
    code, said = command("runs", "--results", tmp_path, "check")
    assert code == 1
    assert "2 runs, damage in 1" in said


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "zeros"])
def test_row_65_a_damaged_state_falls_back_to_the_one_before(damage, trained, tmp_path):
    assert train(tmp_path, "dense", change="commit_always", KERASRUN_FAIL="write:state.npz:4")[0] == 99
    path = only_run(tmp_path).folder / runs.STATE
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(
        {
            "flip": content[:half] + bytes([content[half] ^ 4]) + content[half + 1 :], "cut": content[:half],
            "empty": b"", "zeros": bytes(len(content)),
        }[damage]
    )  # fmt: skip
    code, said = resume(tmp_path)
    assert code == 0, said
    assert "state.npz: damaged" in (only_run(tmp_path).folder / runs.LOG).read_text()
    assert same(only_run(tmp_path), trained) == []


def test_row_65_two_damaged_states_are_said_and_nothing_is_lost(tmp_path):
    assert train(tmp_path, "dense", change="commit_always", KERASRUN_FAIL="write:state.npz:4")[0] == 99
    folder = only_run(tmp_path).folder
    metrics = (folder / runs.METRICS).read_bytes()
    for name in (runs.STATE, runs.PREVIOUS_STATE):
        (folder / name).write_bytes(b"x" * 100)
    code, said = resume(tmp_path)
    assert code == 2
    assert "the run cannot go on; metrics.csv and best.keras are kept" in said
    assert (folder / runs.METRICS).read_bytes() == metrics


def test_row_66_a_clock_that_goes_backwards_changes_nothing(trained, tmp_path):
    code, said = train(tmp_path, "dense", change="clock_backwards")
    assert code == 0, said
    run = only_run(tmp_path)
    assert same(run, trained) == []
    assert all(seconds >= 0 for seconds in run.record["seconds"].values())
    timing = (run.folder / runs.TIMING).read_text().splitlines()[1:]
    assert all(float(line.split(",")[1]) >= 0 for line in timing)


def test_row_69_a_cluster_of_several_machines_is_refused_with_the_reason(tmp_path):
    cluster = json.dumps({"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}})
    code, said = command("train", "digits", "--results", tmp_path, TF_CONFIG=cluster)
    assert code == 2
    assert "TF_CONFIG names several machines; Keras 3 cannot train one model on several" in said
    assert not [*tmp_path.iterdir()]


def test_row_70_a_network_file_system_is_a_line_for_the_user(tmp_path, monkeypatch):
    assert environment.warnings(tmp_path) == []
    monkeypatch.setattr(environment, "_mounts", lambda: [(str(Path("/").resolve()), "nfs4")])
    (line,) = environment.warnings(tmp_path / "run")
    assert (
        line == f"{tmp_path} lies on a network file system (nfs4): locks and atomic files may not hold across machines"
    )
