import pytest

from kerasrun import environment
from kerasrun.errors import InputError
from kerasrun.sweeps import grid, workers


@pytest.fixture
def machine(monkeypatch):
    """A machine with so many cores, GiB and GPUs."""

    def make(cores, gibibytes=1000.0, gpus=()):
        monkeypatch.setattr(environment, "cores", lambda: cores)
        monkeypatch.setattr(environment, "free_memory", lambda: int(gibibytes * 2**30))
        monkeypatch.setattr(environment, "memory", lambda: int(max(gibibytes, 64) * 2**30))
        monkeypatch.setattr(environment, "tensorflow_devices", lambda: {"gpus": gpus})
        monkeypatch.setattr(workers.shutil, "which", lambda name: "/usr/bin/nvidia-smi" if gpus else None)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    return make


def cells(count=100, **given):
    return grid.plan("iris", given, seeds=count).cells


@pytest.mark.parametrize(
    ("cores", "gibibytes", "count", "given", "expected"),
    [
        (8, 100, 100, {}, 8),
        (8, 100, 3, {}, 3),
        (8, 100, 100, {"threads": 3}, 2),
        (2, 100, 100, {"threads": 4}, 1),
        (8, 2, 100, {}, 4),  # half a GiB each
        (8, 0.1, 100, {}, 1),
    ],
)
def test_auto_follows_from_cores_memory_and_cells(machine, cores, gibibytes, count, given, expected):
    machine(cores, gibibytes)
    assert workers.choose("auto", cells(count, **given)).workers == expected


def test_the_cores_are_shared_alike_whatever_is_left_to_train_and_free(machine):
    machine(8)
    assert [workers.choose("auto", cells(), left) for left in (100, 3, 0)] == [(8, 8, []), (3, 8, []), (1, 8, [])]
    machine(8, gibibytes=2)
    assert workers.choose("auto", cells()) == (4, 8, [])
    assert workers.choose("auto", cells(threads=4)).sharing == 2


def test_large_data_need_memory_for_a_copy(machine):
    machine(8, 4)
    small, large = (grid.plan(name, {}, seeds=9).cells for name in ("synthetic:mnist", "synthetic:cifar10"))
    assert workers.choose("auto", small).workers > workers.choose("auto", large).workers > 1


def test_a_number_is_taken_as_it_is(machine):
    machine(2)
    assert workers.choose("7", cells(), 2) == workers.choose(7, cells()) == (7, 7, [])


@pytest.mark.parametrize("written", ["0", "-1", "two", "1.5", "", 0, 1025])
def test_a_number_that_cannot_be_is_refused(machine, written):
    machine(2)
    with pytest.raises(InputError, match="workers="):
        workers.choose(written, cells())


def test_each_gpu_has_a_worker(machine, monkeypatch):
    machine(16, gpus=("A", "B"))
    assert workers.choose("auto", cells()) == (2, 2, ["0", "1"])
    assert workers.choose("3", cells()) == (3, 3, ["0", "1"])
    assert workers.choose("auto", cells(device="cpu")) == (16, 16, [])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    assert workers.choose("auto", cells()) == (2, 2, ["5", "7"])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert workers.choose("auto", cells()) == (16, 16, [])
