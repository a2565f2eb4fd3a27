import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun import run_folder
from kerasrun.errors import InputError


@given(st.text())
def test_any_name_is_refused_or_is_one_folder_directly_below_the_results(name):
    refusal = ""
    try:
        checked = run_folder.check_name(name)
    except InputError as error:
        refusal = str(error)
    assert len(refusal.splitlines()) <= 1
    if not refusal:
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", checked)
        assert len(checked) <= 100


@given(st.text())
def test_what_is_made_of_any_text_can_be_part_of_a_name(text):
    made = run_folder.plain(text)
    assert made == "" or run_folder.check_name(made) == made


def test_who_looks_whether_a_run_is_locked_never_keeps_it_from_being_locked(tmp_path, monkeypatch):
    (tmp_path / ".lock").touch()
    looking = (tmp_path / ".lock").open("rb")
    run_folder.fcntl.flock(looking, run_folder.fcntl.LOCK_SH)
    monkeypatch.setattr(run_folder.time, "sleep", lambda seconds: looking.close())  # the look is over a moment later
    run_folder.lock(tmp_path).close()


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: os.symlink(path, path)])
def test_what_is_no_lock_is_held_by_nobody(tmp_path, make):
    make(tmp_path / ".lock")
    assert not run_folder.is_locked(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_results_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="Permission denied\nchoose another one"):
        run_folder.probe(tmp_path)
    tmp_path.chmod(0o700)


def test_a_probe_makes_the_folder_and_leaves_nothing_in_it(tmp_path):
    run_folder.probe(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
