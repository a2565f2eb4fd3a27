import errno
import os
import subprocess
import sys

import pytest

from kerasrun import atomic
from kerasrun.errors import DiskError

WRITE = "import sys, pathlib; from kerasrun import atomic; atomic.write(pathlib.Path(sys.argv[1]), 'new')"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def in_a_process(program, *words, **environment):
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, words)],
        env={**os.environ, **environment}, capture_output=True, text=True,
    )  # fmt: skip


def test_text_and_bytes_replace_what_was_there(tmp_path):
    file = tmp_path / "run.json"
    atomic.write(file, "größer")
    assert file.read_text(encoding="utf-8") == "größer"
    atomic.write(file, b"\0\1")
    assert file.read_bytes() == b"\0\1"
    assert names(tmp_path) == ["run.json"]


def test_the_temporary_file_has_the_same_ending_and_folder(tmp_path):
    seen = []

    def fill(temporary):
        seen.append(temporary)
        temporary.write_text("model")

    atomic.write_with(tmp_path / "best.keras", fill)
    assert seen[0].suffix == ".keras"
    assert seen[0].parent == tmp_path
    assert seen[0].name.startswith(atomic.TEMPORARY)


def test_the_old_file_survives_an_error_while_writing(tmp_path):
    file = tmp_path / "best.keras"
    file.write_text("old")

    def fill(temporary):
        temporary.write_text("ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atomic.write_with(file, fill)
    assert file.read_text() == "old"
    assert names(tmp_path) == ["best.keras"]


@pytest.mark.parametrize("point", ["write", "fsync", "rename"])
def test_a_death_at_any_point_before_the_rename_leaves_the_old_file_whole(tmp_path, point):
    file = tmp_path / "run.json"
    file.write_text("old")
    assert in_a_process(WRITE, file, KERASRUN_FAIL=f"{point}:1").returncode == 99
    assert file.read_text() == "old"
    atomic.remove_unfinished(tmp_path)
    assert names(tmp_path) == ["run.json"]


def test_a_failpoint_counts_its_own_kind_of_operation(tmp_path):
    twice = f"{WRITE}; atomic.write(pathlib.Path(sys.argv[1]), 'newer')"
    assert in_a_process(twice, tmp_path / "run.json", KERASRUN_FAIL="rename:2").returncode == 99
    assert (tmp_path / "run.json").read_text() == "new"
    assert in_a_process(twice, tmp_path / "run.json", KERASRUN_FAIL="rename:3").returncode == 0
    assert (tmp_path / "run.json").read_text() == "newer"


def test_a_failpoint_can_be_that_of_one_file(tmp_path):
    program = f"{WRITE}; atomic.write(pathlib.Path(sys.argv[1]), 'newer')"
    for point, expected in {"rename:other:1": "newer", "rename:run.json:2": "new"}.items():
        in_a_process(program, tmp_path / "run.json", KERASRUN_FAIL=point)
        assert (tmp_path / "run.json").read_text() == expected


TOGETHER = """
import pathlib, sys
from kerasrun import atomic
atomic.write_all(pathlib.Path(sys.argv[1]), {"a": "new a", "b": "new b", "c": "new c"})
"""


@pytest.mark.parametrize("point", ["write:3", "fsync:3", "rename:1", "rename:2", "rename:3"])
def test_of_files_replaced_together_each_is_old_or_new_and_none_is_new_before_one_in_front_of_it(tmp_path, point):
    for name in "abc":
        (tmp_path / name).write_text(f"old {name}")
    assert in_a_process(TOGETHER, tmp_path, KERASRUN_FAIL=point).returncode == 99
    new = int(point[-1]) - 1 if point.startswith("rename") else 0
    expected = [f"new {name}" for name in "abc"[:new]] + [f"old {name}" for name in "abc"[new:]]
    assert [(tmp_path / name).read_text() for name in "abc"] == expected


def test_where_one_of_several_files_finds_no_room_all_stay_as_they_were(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old")

    def full(path):
        if path.name.endswith("b"):
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(atomic, "_sync", full)
    with pytest.raises(DiskError, match="/b: no space left on the disk"):
        atomic.write_all(tmp_path, {"a": "new", "b": "new"})
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


def replaced(folder, content):
    with atomic.keeping(folder / "state", folder / "previous"):
        atomic.write(folder / "state", content)


def test_a_kept_file_has_the_old_content_and_nothing_else_is_left(tmp_path):
    replaced(tmp_path, "first")
    assert names(tmp_path) == ["state"]
    replaced(tmp_path, "second")
    replaced(tmp_path, "third")
    assert [(tmp_path / name).read_text() for name in ("previous", "state")] == ["second", "third"]
    assert names(tmp_path) == ["previous", "state"]


def test_a_file_is_kept_where_there_are_no_hard_links_and_old_ones_where_writing_fails(tmp_path, monkeypatch):
    def none(*arguments, **named):
        raise PermissionError

    replaced(tmp_path, "first")
    monkeypatch.setattr(atomic.os, "link", none)
    replaced(tmp_path, "second")
    with pytest.raises(ValueError, match="no"), atomic.keeping(tmp_path / "state", tmp_path / "previous"):
        raise ValueError("no")
    assert [(tmp_path / name).read_text() for name in ("previous", "state")] == ["first", "second"]
    assert names(tmp_path) == ["previous", "state"]


@pytest.mark.parametrize("point", ["write:1", "rename:1"])
def test_a_death_while_a_file_is_kept_leaves_two_files_and_not_two_names_of_one(tmp_path, point):
    replaced(tmp_path, "first")
    replaced(tmp_path, "second")
    program = """
import pathlib, sys
from kerasrun import atomic
with atomic.keeping(pathlib.Path(sys.argv[1], "state"), pathlib.Path(sys.argv[1], "previous")):
    atomic.write(pathlib.Path(sys.argv[1], "state"), "third")
"""
    assert in_a_process(program, tmp_path, KERASRUN_FAIL=point).returncode == 99
    atomic.remove_unfinished(tmp_path)
    assert [(tmp_path / name).read_text() for name in ("previous", "state")] == ["first", "second"]


def test_every_file_and_then_its_folder_is_synced(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(atomic, "_sync", lambda path: synced.append(path.name.rpartition(".")[2]))
    atomic.write_all(tmp_path, {"a": "", "b": ""})
    assert (sorted(synced[:2]), synced[2:]) == (["a", "b"], [tmp_path.name])


def test_a_full_disk_is_told_and_keeps_the_old_file(tmp_path):
    file = tmp_path / "metrics.csv"
    file.write_text("old")
    program = """
import pathlib, resource, sys
from kerasrun import atomic
from kerasrun.errors import DiskError
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    atomic.write(pathlib.Path(sys.argv[1]), "x" * 5000)
except DiskError as error:
    print(error)
"""
    done = in_a_process(program, file)
    assert done.stdout.strip() == f"{file}: no space left on the disk; the file as it was before is kept", done.stderr
    assert file.read_text() == "old"
    assert names(tmp_path) == ["metrics.csv"]


def test_a_folder_that_is_gone_and_a_folder_in_the_files_place_are_told_in_one_line(tmp_path):
    with pytest.raises(DiskError, match="cannot be written"):
        atomic.write(tmp_path / "gone" / "run.json", "{}")
    (tmp_path / "best.keras").mkdir()
    with pytest.raises(DiskError, match=r"best\.keras: cannot be written \(Is a directory\)"):
        atomic.write(tmp_path / "best.keras", b"")
    assert names(tmp_path) == ["best.keras"]


def test_a_link_is_replaced_and_what_it_points_to_is_left_alone(tmp_path):
    (tmp_path / "elsewhere").write_text("theirs")
    (tmp_path / "run.json").symlink_to(tmp_path / "elsewhere")
    atomic.write(tmp_path / "run.json", "ours")
    assert (tmp_path / "elsewhere").read_text() == "theirs"
    assert not (tmp_path / "run.json").is_symlink()
