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
