from importlib import metadata

import pytest

from kerasrun import compile_cache, environment


@pytest.mark.parametrize(
    ("now", "busy"),
    [
        ((10.0, 4.0, 10.0), 0.6),  # 10 s in which all cores worked 10 s, 4 of them for this process
        ((10.0, 10.0, 9.9), 0.0),  # ticks are coarse
        ((0.0, 0.0, 0.0), None),
        (None, None),
    ],
)
def test_others_are_what_all_cores_did_without_this_process(monkeypatch, now, busy):
    monkeypatch.setattr(environment, "clock", lambda: now)
    assert environment.others_busy((0.0, 0.0, 0.0)) == busy


def test_a_system_that_tells_nothing_is_no_quiet_one():
    assert environment.others_busy(None) is None


def test_tensorflow_of_the_processor_alone_is_a_tensorflow_with_its_own_programs(monkeypatch):
    real, number = metadata.version, "2.21.0"

    def version(package):
        if package == "tensorflow":
            raise metadata.PackageNotFoundError(package)
        return number if package == "tensorflow-cpu" else real(package)

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(environment, "versions", environment.versions.__wrapped__)
    assert environment.versions()["tensorflow"] == "2.21.0"
    place, number = compile_cache.folder(), "2.22.0"
    assert compile_cache.folder() != place
