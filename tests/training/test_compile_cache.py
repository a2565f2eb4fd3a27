"""Compiled programs are kept for the next process, and never stand in the way of a training."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kerasrun import compile_cache

TRAIN = """
import kerasrun
run = kerasrun.train("digits", epochs=2, limit=200, jit=True, results={results!r})
print(run.status, run.folder)
"""


def train(tmp_path, home, results):
    environment = {**os.environ, "KERASRUN_HOME": str(home)}
    environment.pop("TF_XLA_FLAGS", None)
    code = TRAIN.format(results=str(tmp_path / results))
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout.split(), done.stderr


def programs(home):
    return sorted((home / "compiled").glob("*/*.pb"))


def test_a_second_process_uses_the_programs_of_the_first_and_gets_the_same_numbers(tmp_path):
    home = tmp_path / "home"
    first, second = (train(tmp_path, home, name) for name in ("one", "two"))
    assert first[0] == second[0] == 0, first[2] + second[2]
    kept = programs(home)
    assert kept
    tables = [Path(said[1], "metrics.csv").read_bytes() for _, said, _ in (first, second)]
    assert tables[0] == tables[1]
    third = train(tmp_path, home, "three")
    assert third[0] == 0
    assert programs(home) == kept  # nothing was compiled anew


def test_damaged_programs_are_never_used(tmp_path):
    home = tmp_path / "home"
    assert train(tmp_path, home, "one")[0] == 0
    assert programs(home)
    for path in programs(home):
        path.write_bytes(path.read_bytes()[:1000])
    code, _, said = train(tmp_path, home, "two")
    assert code == 0, said
    assert all(path.stat().st_size > 1000 for path in programs(home))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASRUN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TF_XLA_FLAGS", "")  # or what `use` sets would stay
    monkeypatch.delenv("TF_XLA_FLAGS")
    return compile_cache


def test_what_is_empty_unfinished_damaged_or_too_much_goes(cache, monkeypatch):
    monkeypatch.setattr(cache, "LARGEST", 350)
    place = cache.folder()
    place.mkdir(parents=True)
    now = time.time()
    made = [("old", 100), ("damaged", 100), ("killed", 100), ("middle", 100), ("new", 100)]
    for number, (name, size) in enumerate(made):
        (place / f"{name}.pb").write_bytes(b"x" * size)
        cache.seal()
        os.utime(place / f"{name}.pb", (now - 10_000 + number, now - 10_000 + number))
    (place / "killed.crc32").unlink()
    (place / "damaged.pb").write_bytes(b"y" * 100)
    os.utime(place / "damaged.pb", (now - 9_999, now - 9_999))
    (place / "empty.pb").touch()
    (place / "running.pb").write_bytes(b"x" * 100)
    cache.use()
    assert sorted(path.name for path in place.glob("*.pb")) == ["middle.pb", "new.pb", "running.pb"]
    assert sorted(path.name for path in place.glob("*.crc32")) == ["middle.crc32", "new.crc32"]


def test_a_full_disk_a_users_own_choice_and_a_blank_in_the_path_leave_it_unused(cache, monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "LEAST_FREE", 2**62)
    cache.use()
    assert "TF_XLA_FLAGS" not in os.environ
    monkeypatch.setattr(cache, "LEAST_FREE", 0)
    monkeypatch.setenv("TF_XLA_FLAGS", cache.SWITCH + "/elsewhere")
    cache.use()
    assert os.environ["TF_XLA_FLAGS"] == cache.SWITCH + "/elsewhere"
    monkeypatch.setenv("TF_XLA_FLAGS", "")
    monkeypatch.setenv("KERASRUN_HOME", str(tmp_path / "a home"))
    cache.use()
    assert os.environ["TF_XLA_FLAGS"] == ""
    monkeypatch.setenv("KERASRUN_HOME", str(tmp_path / "home"))
    cache.use()
    assert str(cache.folder()) in os.environ["TF_XLA_FLAGS"]
