import json
import os
import stat
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun import run_index
from kerasrun.errors import InputError
from kerasrun.run_index import INDEX, find, scan


def record(identifier="kqztw", **changes):
    experiment = {"dataset": "digits", "recipe": "dense", "knobs": {"hidden": [100], "l2": 0.0}, "seed": 0, "epochs": 5}
    return {
        "format": 1, "id": identifier, "folder": f"digits-dense-20261121-101500-{identifier}", "status": "finished",
        "created": "2026-11-21T10:15:00+00:00", "experiment": experiment, "origins": {"epochs": "default"},
        "data": {"hash": "ab", "synthetic": False}, "parameters": 7510, "best": {"val_loss": 0.5},
        "versions": {"keras": "3"},
    } | changes  # fmt: skip


def write(results, identifier="kqztw", *, old=True, **changes):
    content = record(identifier, **changes)
    folder = results / content["folder"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(content))
    if old:
        age(folder / "run.json")
    return folder


def age(path):
    minute_ago = time.time() - 60
    os.utime(path, (minute_ago, minute_ago))


@pytest.fixture
def reads(monkeypatch):
    """The folders whose record was read from its file, as they are read."""
    names = []
    real = run_index._read
    monkeypatch.setattr(run_index, "_read", lambda results, name: names.append(name) or real(results, name))
    return names


@pytest.fixture
def is_locked(monkeypatch):
    """Let a function tell whether a process works on a run folder."""
    return lambda answer: monkeypatch.setattr(run_index.run_folder, "is_locked", answer)


def ids(results, **options):
    return [each["id"] for each in scan(results, **options).records]


def test_runs_come_the_newest_first_with_their_folder_and_path(tmp_path):
    write(tmp_path, "aaaaa", created="2026-11-21T10:15:00+00:00")
    write(tmp_path, "bbbbb", created="2026-11-21T12:00:00+02:00")
    newest = write(tmp_path, "ccccc", created="2026-11-21T10:15:01Z")
    found = scan(tmp_path)
    assert [each["id"] for each in found.records] == ["ccccc", "aaaaa", "bbbbb"]
    assert found.records[0]["folder"] == newest.name
    assert found.records[0]["path"] == str(newest)
    assert found.damaged == []


def test_a_renamed_folder_is_reported_under_its_new_name(tmp_path):
    write(tmp_path).rename(tmp_path / "mine")
    assert scan(tmp_path).records[0]["folder"] == "mine"


def test_a_results_folder_that_does_not_exist_holds_no_runs(tmp_path):
    assert scan(tmp_path / "none") == run_index.Scan([], [])


def test_a_results_folder_that_is_a_file_is_wrong_input(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(InputError, match="cannot be read: Not a directory"):
        scan(tmp_path / "results")


def test_folders_without_a_record_are_no_runs_unless_named_as_one(tmp_path):
    write(tmp_path)
    for name in ("sweeps", "a5-optimizers", ".hidden", "digits-dense-20261121-101500-lostt"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").write_text("")
    found = scan(tmp_path)
    assert [d.folder for d in found.damaged] == ["digits-dense-20261121-101500-lostt"]
    assert "missing" in found.damaged[0].reason


def test_a_run_that_is_just_being_made_is_not_called_damaged(tmp_path, is_locked):
    (tmp_path / "digits-dense-20261121-101500-fresh").mkdir()
    is_locked(lambda folder: True)
    assert scan(tmp_path).damaged == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\0" * 900, "zero bytes"),
        (json.dumps(record()).encode()[:300], "torn"),
        (b'{"id": "kq', "torn"),
        (b"\x89PNG\xff\xfe", "binary"),
        (b'{"id": "a\0b"}', "binary"),
        ("{}".encode("utf-16"), "binary"),
        (b"id = 3", "not JSON"),
        (b'{"a": 1}}', "not JSON"),
        (b"[1, 2]", "not an object"),
        (b"{}", "lacks format, id, status, created, experiment"),
        (json.dumps(record(best={"val_loss": float("nan")})).encode(), "NaN"),
        (json.dumps(record(best={"val_loss": -float("inf")})).encode(), "-Infinity"),
        (json.dumps(record(format=2)).encode(), "format 2"),
        (json.dumps(record(status="asleep")).encode(), "unknown status 'asleep'"),
        (json.dumps(record(created="yesterday")).encode(), "no time"),
        (json.dumps(record(best=[1])).encode(), "best of the wrong kind"),
        (json.dumps(record(parameters=True)).encode(), "parameters of the wrong kind"),
        (json.dumps(record(data={"hash": []})).encode(), "hash of the wrong kind"),
        (json.dumps(record(experiment={"dataset": "digits"})).encode(), "experiment.recipe, experiment.knobs"),
        (json.dumps(record(experiment={"dataset": [], "recipe": "a", "knobs": {}})).encode(), "dataset of the wrong"),
        (b"[" * 100_000, "not JSON"),
        (json.dumps(record()).encode()[:-1] + b', "deep": ' + b'{"a": ' * 900 + b"1" + b"}" * 901, "not JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_a_damaged_record_is_named_with_its_kind_and_the_rest_is_read(tmp_path, content, reason):
    write(tmp_path, "aaaaa")
    broken = write(tmp_path, "bbbbb")
    (broken / "run.json").write_bytes(content)
    for _ in range(2):
        found = scan(tmp_path)
        assert [each["id"] for each in found.records] == ["aaaaa"]
        assert [d.folder for d in found.damaged] == [broken.name]
        assert reason in found.damaged[0].reason
        assert str(found.damaged[0]).startswith(f"skipped {broken.name}: run.json ")


def test_an_error_message_full_of_brackets_is_no_damage(tmp_path):
    write(tmp_path, status="failed", error={"message": "[" * 500 + "{" * 500})
    assert scan(tmp_path).damaged == []


def test_a_record_that_is_a_link_a_folder_or_a_pipe_is_skipped(tmp_path):
    write(tmp_path, "aaaaa")
    for name, make in {
        "linked": lambda p: p.symlink_to(tmp_path / "x"),
        "folder": Path.mkdir,
        "pipe": os.mkfifo,
    }.items():
        (tmp_path / name).mkdir()
        make(tmp_path / name / "run.json")
    found = scan(tmp_path)
    assert [d.folder for d in found.damaged] == ["folder", "linked", "pipe"]
    assert {d.reason for d in found.damaged} == {"run.json is no plain file"}


def test_a_link_to_a_run_elsewhere_is_not_followed(tmp_path):
    outside = write(tmp_path / "elsewhere")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "link").symlink_to(outside)
    assert scan(tmp_path / "results").records == []


def test_a_folder_name_that_a_terminal_would_obey_is_skipped_and_written_harmlessly(tmp_path):
    (tmp_path / "\x1b[31mred").mkdir()
    (tmp_path / "\x1b[31mred" / "run.json").write_text(json.dumps(record()))
    found = scan(tmp_path)
    assert found.records == []
    assert str(found.damaged[0]).isprintable()


def test_the_index_saves_reading_and_says_the_same(tmp_path, reads):
    write(tmp_path, "aaaaa")
    write(tmp_path, "bbbbb", experiment=record()["experiment"] | {"seed": 1, "jit": True})
    write(tmp_path, "ccccc", experiment={"dataset": "xor", "recipe": "perceptron", "knobs": {}}, best=None)
    cold = scan(tmp_path)
    reads.clear()
    warm = scan(tmp_path)
    assert reads == []
    assert warm == cold
    assert [[*each] for each in warm.records] == [[*each] for each in cold.records]
    assert [[*each["experiment"]] for each in warm.records] == [[*each["experiment"]] for each in cold.records]


def test_the_index_says_the_same_of_many_runs_of_many_kinds(tmp_path):
    for number in range(60):
        experiment = record()["experiment"] | {
            "seed": number,
            "limit": [None, 500][number % 2],
            "jit": [1, True][number % 2],
        }
        kinds = [
            {},
            {"best": None},
            {"best": {"val_mae": number / 7}, "status": "failed"},
            {"files": {"best.keras": str(number)}},
        ]
        write(
            tmp_path,
            f"{number:05d}".translate(str.maketrans("0123456789", "abcdefghij")),
            experiment=experiment,
            **kinds[number % 4],
        )
    cold = scan(tmp_path)
    assert repr(scan(tmp_path)) == repr(cold)
    assert len(cold.records) == 60


def test_copies_of_one_record_stay_apart_in_the_index(tmp_path):
    for name in ("one", "two"):
        (write(tmp_path)).rename(tmp_path / name)
    for _ in range(2):
        assert sorted(each["folder"] for each in scan(tmp_path).records) == ["one", "two"]


def test_equal_looking_values_keep_their_types_in_the_index(tmp_path):
    for identifier, value in {"aaaaa": 1, "bbbbb": True, "ccccc": 1.0}.items():
        write(tmp_path, identifier, versions={"keras": value})
    scan(tmp_path)
    assert sorted(repr(each["versions"]["keras"]) for each in scan(tmp_path).records) == ["1", "1.0", "True"]


def test_a_record_that_changed_is_read_anew_even_with_its_old_time_and_size(tmp_path):
    folder = write(tmp_path, "aaaaa", status="finished")
    scan(tmp_path)
    before = (folder / "run.json").stat()
    (folder / "run.json").write_text((folder / "run.json").read_text().replace("finished", "diverged"))
    os.utime(folder / "run.json", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert scan(tmp_path).records[0]["status"] == "diverged"


def test_a_record_written_a_moment_ago_is_not_trusted_to_the_index(tmp_path, reads):
    write(tmp_path, "aaaaa", old=False)
    write(tmp_path, "bbbbb")
    scan(tmp_path)
    reads.clear()
    scan(tmp_path)
    assert reads == ["digits-dense-20261121-101500-aaaaa"]


def test_a_removed_run_is_gone_and_a_new_one_is_there(tmp_path):
    folder = write(tmp_path, "aaaaa")
    scan(tmp_path)
    (folder / "run.json").unlink()
    folder.rmdir()
    write(tmp_path, "bbbbb")
    assert ids(tmp_path) == ["bbbbb"]


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "foreign", "binary", "folder"])
def test_a_damaged_or_foreign_index_is_not_used_and_rebuilt(tmp_path, reads, damage):
    write(tmp_path)
    truth = scan(tmp_path)
    index = tmp_path / INDEX
    content = index.read_bytes()
    index.unlink()
    if damage == "folder":
        index.mkdir()
    else:
        index.write_bytes({
            "flip": content.replace(b'"finished"', b'"diverged"'), "cut": content[: len(content) // 2], "empty": b"",
            "foreign": b'{"runs": {}}', "binary": bytes(range(256)),
        }[damage])  # fmt: skip
    assert scan(tmp_path) == truth
    reads.clear()
    assert scan(tmp_path) == truth
    assert bool(reads) == (damage == "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == [INDEX, truth.records[0]["folder"]]


def test_an_index_whose_sum_is_right_but_whose_content_is_not_is_not_used(tmp_path):
    write(tmp_path)
    truth = scan(tmp_path)
    for body in (
        b"{}",
        b"[1]",
        b'[[["a"], [[1], [1], [1], [1]], ["id"], [["few", ["x"], [7]]]]]',
        b'[[["a"], [], [], []]]',
        b"[",
    ):
        (tmp_path / INDEX).write_bytes(run_index._head(body) + body)
        assert scan(tmp_path) == truth


def test_a_results_folder_that_cannot_be_written_is_read_without_an_index(tmp_path, monkeypatch):
    write(tmp_path)
    monkeypatch.setattr(run_index.os, "replace", lambda *paths: (_ for _ in ()).throw(PermissionError(13, "denied")))
    assert ids(tmp_path) == ["kqztw"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_read(tmp_path):
    write(tmp_path)
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert ids(tmp_path) == ["kqztw"]
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_a_running_record_whose_lock_is_free_reads_as_interrupted(tmp_path, is_locked):
    write(tmp_path, "aaaaa", status="running")
    write(tmp_path, "bbbbb", status="running")
    is_locked(lambda folder: folder.name.endswith("aaaaa"))
    for _ in range(2):
        found = scan(tmp_path)
        assert {each["id"]: each["status"] for each in found.records} == {"aaaaa": "running", "bbbbb": "interrupted"}


def test_a_run_that_finishes_between_reading_and_the_test_of_its_lock_is_finished(tmp_path, is_locked):
    write(tmp_path, status="running")

    def finish(folder):
        write(tmp_path, status="finished", best={"val_loss": 0.25})
        return False

    is_locked(finish)
    found = scan(tmp_path).records[0]
    assert (found["status"], found["best"]) == ("finished", {"val_loss": 0.25})
    assert found["path"] == f"{tmp_path}/{found['folder']}"


def test_the_lock_is_asked_of_running_runs_only(tmp_path, is_locked):
    write(tmp_path, status="stopped")
    is_locked(lambda folder: pytest.fail("asked"))
    scan(tmp_path)


def test_a_run_is_found_by_id_folder_beginning_last_and_number(tmp_path):
    old = write(tmp_path, "kqztw", created="2026-11-21T10:00:00+00:00", folder="xor-perceptron-20261121-100000-kqztw")
    new = write(tmp_path, "mmxpa", created="2026-11-21T11:00:00+00:00")
    for name in ("kqztw", "kq", "xor-perceptron-20261121-100000-kqztw", "xor", "2"):
        assert find(tmp_path, name) == old, name
    for name in ("mmxpa", "m", "digits", "last", "1"):
        assert find(tmp_path, name) == new, name


def test_an_id_goes_before_the_beginning_of_another(tmp_path):
    run = write(tmp_path, "digit")
    write(tmp_path, "bbbbb")
    assert find(tmp_path, "digit") == run


def test_a_damaged_run_is_found_by_its_folder(tmp_path):
    folder = write(tmp_path)
    (folder / "run.json").write_text("")
    assert find(tmp_path, folder.name) == folder


def test_a_beginning_of_several_runs_names_them(tmp_path):
    for identifier in ("kqaaa", "kqbbb", "zzzzz"):
        write(tmp_path, identifier)
    with pytest.raises(InputError, match=r"'kq' can be 2 runs: digits.*-kq..., digits.*-kq...\nwrite more"):
        find(tmp_path, "kq")


def test_an_unknown_run_is_answered_with_the_closest(tmp_path):
    write(tmp_path, "kqztw")
    with pytest.raises(InputError, match="no run 'kqztv' in .*; did you mean 'kqztw'"):
        find(tmp_path, "kqztv")
    with pytest.raises(InputError, match="there is no run 7: .* holds 1, and 1 is the newest"):
        find(tmp_path, "7")
    with pytest.raises(InputError, match="there is no run 0"):
        find(tmp_path, "0")


def test_without_runs_the_message_says_how_to_make_one(tmp_path):
    for name in ("last", "1", "kqztw"):
        with pytest.raises(InputError, match="holds no runs yet"):
            find(tmp_path, name)


@given(st.text(max_size=300) | st.sampled_from(["..", "../etc", "/etc/passwd", "a/../..", "a\0", "~", "", ".", "\\x"]))
def test_whatever_is_asked_for_the_answer_lies_in_the_results_folder_or_is_wrong_input(tmp_path_factory, name):
    results = tmp_path_factory.getbasetemp() / "found"
    if not results.exists():
        write(results)
        (results.parent / "outside").mkdir(exist_ok=True)
        (results.parent / "outside" / "run.json").write_text(json.dumps(record("outsi")))
    message = ""
    try:
        assert find(results, name).resolve().parent == results.resolve()
    except InputError as error:
        message = str(error)
    assert message.count("\n") <= 2
    assert all(line.isprintable() for line in message.split("\n"))
