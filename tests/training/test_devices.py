"""The settings of one training in a process, and the next one's; TensorFlow's answers are made up: no GPU is needed."""

import pytest
import tensorflow as tf
from tensorflow.python.framework.config import disable_op_determinism, is_op_determinism_enabled

from kerasrun.errors import InputError
from kerasrun.experiment import resolve
from kerasrun.training import devices


@pytest.fixture
def gpu(monkeypatch):
    """Let TensorFlow have a GPU that can be hidden until it is used; return a list that holds it while it is seen."""
    seen = ["GPU:0"]

    def hide(wanted, kind):
        if seen != wanted and "in use" in used:
            raise RuntimeError("Visible devices cannot be modified after being initialized")
        seen[:] = wanted

    used = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["GPU:0"])
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: [*seen])
    monkeypatch.setattr(tf.config, "set_visible_devices", hide)
    monkeypatch.setattr(devices, "_free_gpu_bytes", lambda: 2**30)
    return used


def prepared(**given):
    return devices.prepare(resolve("xor", given))


def test_a_gpu_that_a_training_hid_is_not_taken_by_the_next_one(gpu):
    assert prepared().device == "gpu"
    assert prepared(device="cpu").device == "cpu"
    assert prepared().device == "cpu"
    with pytest.raises(InputError, match="device=gpu: an earlier training of this process has hidden it"):
        prepared(device="gpu")


def test_the_cpu_alone_is_refused_where_the_process_already_uses_the_gpu(gpu):
    gpu.append("in use")
    assert prepared().device == "gpu"
    for again in (lambda: prepared(device="cpu"), lambda: devices.prepare_as(None, "cpu")):
        with pytest.raises(InputError, match="this process already uses the GPU\ndo it in a fresh process"):
            again()


def test_deterministic_operations_end_with_the_training_that_asked_for_them():
    assert not is_op_determinism_enabled()
    prepared(deterministic=True)
    assert is_op_determinism_enabled()
    prepared()
    assert not is_op_determinism_enabled()


def test_deterministic_operations_of_the_users_own_stay():
    tf.config.experimental.enable_op_determinism()
    try:
        prepared()
        assert is_op_determinism_enabled()
    finally:
        disable_op_determinism()
