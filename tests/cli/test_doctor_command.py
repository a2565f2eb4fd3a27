from pathlib import Path

import pytest
from typer.testing import CliRunner

from kerasrun import environment
from kerasrun.cli.app import app


@pytest.fixture(autouse=True)
def plain(tmp_path, monkeypatch):
    for name in ("KERAS_BACKEND", "KERAS_MAX_EPOCHS", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(environment, "tensorflow_devices", lambda: {"gpus": [], "cuda": False})


def report(results):
    done = CliRunner().invoke(app, ["doctor", "--results", str(results)], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def line(text, name):
    return next(found for found in text.splitlines() if found.startswith(f"{name} "))


def test_versions_machine_folders_and_devices_are_reported_as_plain_text(tmp_path):
    text = report(tmp_path)
    for name in ("python", "keras", "tensorflow", "system", "cores", "threads", "memory", "free disk", "file system"):
        assert line(text, name).removeprefix(name).strip()
    assert "\x1b" not in text
    assert text.splitlines()[-1] == "nothing amiss"


def test_a_missing_results_folder_is_judged_by_the_one_above_and_not_made(tmp_path):
    assert "(will be made), writable" in line(report(tmp_path / "new" / "results"), "results")
    assert not (tmp_path / "new").exists()


def test_a_results_folder_that_cannot_be_written_is_marked(tmp_path, monkeypatch):
    def refuse(dir):
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    text = report(tmp_path)
    assert "cannot be written: Permission denied" in line(text, "results")
    assert "! choose another --results FOLDER" in text
    assert "1 to see to" in text


def test_results_under_a_file_are_marked(tmp_path):
    (tmp_path / "file").touch()
    assert "cannot be written" in line(report(tmp_path / "file" / "results"), "results")


def test_a_network_file_system_is_warned_of(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "_mounts", lambda: [("/", "ext4"), (str(tmp_path.resolve()), "nfs4")])
    text = report(tmp_path / "results")
    assert line(text, "file system").endswith("nfs4")
    assert "! a network: locks and renames may not hold there" in text


def test_the_innermost_mount_decides_and_the_latest_hides_the_others(monkeypatch):
    monkeypatch.setattr(environment, "_mounts", lambda: [("/a", "nfs"), ("/a", "ext4"), ("/", "xfs")])
    assert environment.filesystem(Path("/a/b")) == "nfs"
    assert environment.filesystem(Path("/ab")) == "xfs"
    monkeypatch.setattr(environment, "_mounts", list)
    assert environment.filesystem(Path("/a")) is None


def test_what_keras_would_obey_and_kerasrun_does_not_is_said(tmp_path, monkeypatch):
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "keras.json").write_text('{"backend":\n "jax"}')
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "3")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    text = report(tmp_path)
    assert line(text, "keras.json").endswith(f'{{"backend": "jax"}} in {tmp_path / "keras" / "keras.json"}; not obeyed')
    assert line(text, "KERAS_MAX_EPOCHS").split()[1:3] == ["3;", "ignored:"]
    assert "! unset it: kerasrun trains on TensorFlow alone" in text


def test_cached_datasets_are_named_with_their_folder(tmp_path):
    assert "none in" in line(report(tmp_path), "cached")
    (tmp_path / "keras" / "datasets").mkdir(parents=True)
    (tmp_path / "keras" / "datasets" / "mnist.npz").touch()
    assert line(report(tmp_path), "cached").split()[1:4] == ["mnist", "in", str(tmp_path / "keras" / "datasets")]


def test_a_gpu_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "tensorflow_devices", lambda: {"gpus": ["NVIDIA H200"], "cuda": True})
    assert line(report(tmp_path), "devices").endswith("cpu, gpu (NVIDIA H200)")


def test_without_a_gpu_the_reason_is_given(tmp_path, monkeypatch):
    assert "no gpu: this TensorFlow is built without CUDA" in line(report(tmp_path), "devices")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "no gpu: hidden by CUDA_VISIBLE_DEVICES=''" in line(report(tmp_path), "devices")


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Return what is found where TensorFlow is a file with the given source."""
    monkeypatch.undo()

    def look(source):
        (tmp_path / "tensorflow.py").write_text(source)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return environment.tensorflow_devices()

    return look


def test_a_tensorflow_that_does_not_load_is_a_finding_in_one_line(found):
    assert found("raise ImportError('libcudart is missing')") == {
        "error": "ImportError: libcudart is missing (exit code 1)"
    }


def test_a_tensorflow_that_kills_its_process_kills_no_doctor(found):
    killed = found("import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    assert killed == {"error": "it said nothing (killed by signal 4)"}


def test_devices_are_read_past_what_tensorflow_prints(found):
    source = """
from types import SimpleNamespace as space
print("noise")
details = {"device_name": "H200"}
config = space(list_physical_devices=lambda kind: [space(name="/gpu:0")],
               experimental=space(get_device_details=lambda gpu: details))
test = space(is_built_with_cuda=lambda: True)
"""
    assert found(source) == {"gpus": ["H200"], "cuda": True}
