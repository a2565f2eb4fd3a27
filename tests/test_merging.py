"""Pooling runs: what comes, what is refused and why, and that a kill or a crafted folder does no harm."""

import gzip
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from kerasrun import incoming, merging, run_check, run_folder, run_index, run_tables, runs
from kerasrun.errors import DiskError, InputError, RunInUse

FLIPPED = gzip.compress(b"id,created,loss\n" + b"a,b,1\n" * 50)[:15] + b"\xff" + bytes(20)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
RECIPE = '"""A recipe."""\n\n\ndef dense(task):\n    return task\n'


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def make(results, number=0, *, recipe=RECIPE, name="dense", **changes):
    """Make a whole run folder of two epochs and return it; `changes` are keys of the record."""
    identifier = changes.pop("id", LETTERS[number] * 5)
    folder = Path(results) / f"digits-dense-20261121-10150{number}-{identifier}"
    folder.mkdir(parents=True)
    metrics = "epoch,loss,val_accuracy\n1,0.5,0.8\n2,0.4,0.9\n"
    (folder / "metrics.csv").write_text(metrics)
    (folder / "recipe.py").write_text(recipe)
    record = {
        "format": 1, "id": identifier, "folder": folder.name, "status": "finished",
        "created": f"2026-11-21T10:15:0{number}+00:00", "origins": {}, "results": str(Path(results).resolve()),
        "experiment": {"dataset": "digits", "recipe": name, "knobs": {}, "seed": number},
        "data": {"hash": "d" * 64}, "epochs_run": 2, "last": {"loss": 0.4, "val_accuracy": 0.9},
        "recipe_sha256": sha(recipe), "files": {"metrics.csv": sha(metrics)}, **changes,
    }  # fmt: skip
    runs.Run(folder, record).update()
    return folder


def table(results, name, *folders, **changes):
    """Make a committed table of some run folders and return its folder."""
    records = [runs.load(folder).record | changes for folder in folders]
    run_tables.write(results / name, records, lambda record: {"epoch": [1.0, 2.0], "val_accuracy": [0.8, 0.9]})
    return results / name


def content(results):
    """Return every file below a folder with its bytes, without the index and the lock of the folder itself."""
    files = [path for path in sorted(Path(results).rglob("*")) if path.is_file()]
    return {str(p.relative_to(results)): p.read_bytes() for p in files if p.parent != results or p.name[0] != "."}


@pytest.fixture
def ours(tmp_path):
    return tmp_path / "ours"


@pytest.fixture
def other(tmp_path):
    (tmp_path / "other").mkdir()
    return tmp_path / "other"


def reason(merged):
    """Return why the only run that was refused was refused."""
    [refusal] = merged.refused
    return refusal.reason


def test_runs_come_with_all_their_files_and_the_other_folder_is_as_it_was(ours, other):
    make(ours, 0)
    folder = make(other, 1)
    before = content(other)
    merged = merging.merge(other, ours)
    assert [arrival.here for arrival in merged.came] == [folder.name]
    assert content(other) == before
    assert [path.name for path in other.iterdir()] == [folder.name]
    assert (ours / folder.name / "metrics.csv").read_bytes() == before[f"{folder.name}/metrics.csv"]
    assert {record["id"] for record in run_index.scan(ours).records} == {"aaaaa", "bbbbb"}
    assert run_check.check(ours) == (2, [])


def test_a_run_that_is_here_already_is_counted_and_nothing_changes(ours, other):
    make(other, 1)
    merging.merge(other, ours)
    before = content(ours)
    merged = merging.merge(other, ours)
    assert (merged.came, merged.present, merged.refused) == ([], 1, [])
    assert content(ours) == before


def test_dry_run_says_the_same_and_writes_nothing(ours, other):
    make(other, 1)
    make(other, 2, data={"hash": "e"})
    make(ours, 0)
    before = content(ours)
    said = merging.merge(other, ours, dry_run=True)
    assert content(ours) == before
    assert merging.merge(other, ours) == said


def test_dry_run_into_a_folder_that_does_not_exist_makes_none(ours, other):
    make(other)
    assert len(merging.merge(other, ours, dry_run=True).came) == 1
    assert not ours.exists()


def test_another_run_of_the_same_id_gets_a_new_one_and_comes_once(ours, other):
    make(ours, 0, id="aaaaa")
    make(other, 1, id="aaaaa")
    [[name, here, [[before, after]]]] = merging.merge(other, ours).came
    assert before == "aaaaa" != after
    record = runs.load(ours / here).record
    assert (record["id"], record["merged_from"], record["folder"]) == (after, "aaaaa", here)
    assert here == name.replace("aaaaa", after)
    assert run_check.check(ours) == (2, [])
    assert merging.merge(other, ours).present == 1


def test_a_run_that_comes_by_two_ways_is_one_run(ours, other, tmp_path):
    make(other, 0, id="aaaaa")
    between = tmp_path / "between"
    make(between, 1, id="aaaaa")
    assert merging.merge(other, between).came[0].ids[0][1] != "aaaaa"
    merging.merge(between, ours)
    assert merging.merge(other, ours).present == 1
    assert len(run_index.scan(ours).records) == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"data": {"hash": "e" * 64}}, "other data under the name digits (eeeeeeee…; here dddddddd…)"),
        ({"recipe": "def dense(task):\n    return 1\n"}, "another source under the name dense"),
        ({"recipe": "def dense(task):\n    return 1\n", "name": "/m.py:dense"}, "another source under the name dense"),
        ({"format": 2}, "run.json is of format 2; this kerasrun reads format 1"),
        ({"id": "a/b"}, "is no run's id"),
        ({"files": {"best.keras": "0" * 64}}, "best.keras: is missing"),
        ({"files": {"../../etc/passwd": "0" * 64}}, "../../etc/passwd: is"),
        ({"files": ["best.keras"]}, "run.json holds a files of the wrong kind"),
        ({"epochs_run": 3}, "metrics.csv: holds 2 epochs, the record says 3"),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_what_does_not_compare_or_is_damaged_is_refused_with_the_reason(ours, other, change, why):
    make(ours, 0)
    if change.get("id"):
        folder = make(other, 1)
        runs.load(folder).update(**change)
    else:
        make(other, 1, **change)
    merged = merging.merge(other, ours)
    assert why in reason(merged)
    assert not merged.came
    assert len(run_index.scan(ours).records) == 1


def test_a_changed_byte_is_refused(ours, other):
    folder = make(other)
    (folder / "metrics.csv").write_text("epoch,loss,val_accuracy\n1,0.5,0.8\n2,0.4,0.99\n")
    assert "metrics.csv: is damaged or was changed" in reason(merging.merge(other, ours))
    folder = make(other, 1)
    (folder / "run.json").write_text((folder / "run.json").read_text().replace('"seed": 1', '"seed": 7'))
    assert "its checksum does not fit" in merging.merge(other, ours).refused[1].reason


@pytest.mark.parametrize(
    ("name", "content"), [("metrics.csv", b'epoch,loss\n"' + b"a" * 200_000), ("epoch-0001.npz", b"PK\x03\x04 nothing")]
)
def test_a_crafted_file_is_refused_by_its_name(ours, other, name, content):
    (make(other, files=None, status="interrupted") / name).write_bytes(content)
    assert reason(merging.merge(other, ours)).startswith(f"{name}: ")


def test_a_recipe_that_no_parser_bears_is_another_source(ours, other):
    make(ours, 0)
    make(other, 1, recipe="(" * 100_000)
    assert reason(merging.merge(other, ours)).startswith("another source under the name dense")


def test_a_compressed_file_with_a_flipped_byte_is_refused(ours, other):
    folder = make(other, files=None, status="interrupted")
    with zipfile.ZipFile(folder / "epoch-0001.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"abc" * 999)
    for position in range(30, 50):
        content = bytearray((folder / "epoch-0001.npz").read_bytes())
        content[position] ^= 0xFF
        (folder / "epoch-0002.npz").write_bytes(content)
        assert reason(merging.merge(other, ours)).startswith("epoch-0002.npz: is damaged")


def test_a_file_that_may_not_be_read_is_refused(ours, other, monkeypatch):
    make(other)

    def refuse(folder):
        raise PermissionError(13, "Permission denied", f"{folder}/metrics.csv")

    monkeypatch.setattr(incoming.run_check, "check_run", refuse)
    assert reason(merging.merge(other, ours)).endswith("metrics.csv cannot be read: Permission denied")


def test_a_file_of_another_user_is_refused_before_anything_is_copied(ours, other, monkeypatch):
    (make(other) / "log.txt").touch()
    make(other, 1)
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "log.txt" and mode == os.R_OK)
    merged = merging.merge(other, ours)
    assert reason(merged) == "log.txt cannot be read: Permission denied"
    assert len(merged.came) == 1


def test_a_recipe_that_differs_in_comments_alone_is_the_same(ours, other):
    make(ours, 0)
    make(other, 1, recipe=RECIPE.replace("A recipe.", "Another docstring.") + "# a comment\n")
    assert len(merging.merge(other, ours).came) == 1


def test_data_and_recipes_that_we_have_no_run_of_come_as_they_are(ours, other):
    make(other, 0)
    make(other, 1, data={"hash": "e"}, recipe="def dense(task):\n    return 1\n")
    make(other, 2, data=None, status="failed", recipe_sha256=sha(RECIPE))
    assert len(merging.merge(other, ours).came) == 3


def test_a_run_that_is_being_trained_is_refused_and_an_interrupted_one_comes(ours, other):
    busy = make(other, 0, status="running")
    make(other, 1, status="running")
    with run_folder.lock(busy):
        merged = merging.merge(other, ours)
    assert [arrival.ids[0][0] for arrival in merged.came] == ["bbbbb"]
    assert reason(merged) == "is being trained"


def test_locks_and_unfinished_files_stay_behind(ours, other):
    folder = make(other, status="running")
    (folder / ".lock").write_text("1")
    (folder / ".tmp.1.state.npz").write_text("half")
    merging.merge(other, ours)
    assert sorted(path.name for path in (ours / folder.name).iterdir()) == ["metrics.csv", "recipe.py", "run.json"]


def test_links_and_what_is_no_file_are_not_followed(ours, other, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (make(other, 0) / "notes.txt").symlink_to(secret)
    os.mkfifo(make(other, 1, epochs_run=None, files=None) / "pipe.txt")
    (make(other, 2) / "inner").mkdir()
    (other / "elsewhere").symlink_to(make(tmp_path / "third", 3))
    merged = merging.merge(other, ours)
    assert [refusal.reason for refusal in merged.refused] == [
        "notes.txt is no plain file", "pipe.txt is no plain file", "inner is no plain file",
    ]  # fmt: skip
    assert not merged.came
    assert not any(b"secret" in text for text in content(ours).values())


def test_a_lock_that_is_a_pipe_is_not_waited_for(ours, other):
    os.mkfifo(make(other, status="running") / ".lock")
    assert len(merging.merge(other, ours).came) == 1


def test_a_file_larger_than_a_run_has_is_refused(ours, other, monkeypatch):
    monkeypatch.setattr(incoming, "LARGEST_TEXT", 2000)
    (make(other) / "log.txt").write_text("x" * 2001)
    assert reason(merging.merge(other, ours)) == "log.txt has 2,001 bytes, more than such a file may have"


def test_an_index_of_the_other_folder_is_not_believed(ours, other):
    os.utime(make(other) / "run.json", (1e9, 1e9))
    run_index.scan(other)
    [path] = other.glob(".index*")
    body = path.read_bytes().partition(b"\n")[2].replace(b'"digits"', b'"forged"')
    path.write_bytes(run_index._head(body) + body)
    assert run_index.scan(other).records[0]["experiment"]["dataset"] == "forged"
    merging.merge(other, ours)
    assert {record["experiment"]["dataset"] for record in run_index.scan(ours).records} == {"digits"}


def test_nothing_that_a_merged_record_names_is_executed(ours, other):
    from kerasrun import continuation

    folder = make(other, 1)
    own = ours / folder.name
    reference = f"{own}/recipe.py:dense"
    record = runs.load(folder).record
    experiment = {**record["experiment"], "recipe": reference}
    runs.load(folder).update(experiment=experiment, results=str(ours.resolve()))
    merging.merge(other, ours)
    run = runs.load(own)
    assert run.own_recipe() is None
    with pytest.raises(InputError, match="it is not executed"):
        continuation.continued(run, {})
    run.update(experiment={**record["experiment"], "callbacks": [f"{own}/recipe.py:dense"]})
    with pytest.raises(InputError, match="its callbacks are not executed"):
        continuation.continued(run, {})


def test_tables_come_as_tables_with_their_epochs(ours, other, tmp_path):
    table(other, "a5", make(tmp_path / "gone", 1), make(tmp_path / "gone", 2))
    make(ours, 0, id="bbbbb")
    [arrival] = merging.merge(other, ours).came
    assert (arrival.here, [there for there, _ in arrival.ids]) == ("a5", ["bbbbb", "ccccc"])
    records, damaged = run_tables.all_records(ours)
    assert damaged == []
    came = {record["merged_from"]: record for record in records if "table" in record}
    assert came.keys() == {"bbbbb", "ccccc"}
    assert came["bbbbb"]["id"] != "bbbbb"
    for record in came.values():
        assert run_tables.curves(ours / "a5", record["id"], record["created"])["val_accuracy"] == [0.8, 0.9]
    assert merging.merge(other, ours).present == 2


def test_of_a_table_comes_what_is_new_and_ours_of_the_same_name_stays(ours, other, tmp_path):
    first, second = make(tmp_path / "gone", 1), make(tmp_path / "gone", 2)
    table(ours, "a5", first)
    before = content(ours)
    table(other, "a5", first, second, make(tmp_path / "gone", 3, data={"hash": "e"}))
    merged = merging.merge(other, ours)
    assert [(arrival.here, arrival.ids) for arrival in merged.came] == [("a5-2", (("ccccc", "ccccc"),))]
    assert merged.present == 1
    assert merged.refused[0].name == "a5, run ddddd"
    assert before.items() <= content(ours).items()


def test_a_run_in_a_folder_and_in_a_table_comes_once(ours, other):
    table(other, "a5", make(other, 1))
    assert len(merging.merge(other, ours).came) == 1


@pytest.mark.parametrize("damage", [b"", b"id\n\0", b"id,created\nonly"])
def test_a_damaged_table_is_refused_and_the_rest_comes(ours, other, tmp_path, damage):
    make(other, 1)
    (table(other, "a5", make(tmp_path / "gone", 2)) / "runs.csv").write_bytes(damage)
    merged = merging.merge(other, ours)
    assert len(merged.came) == 1
    assert merged.refused[0].name == "a5"


@pytest.mark.parametrize(
    "epochs",
    [b"not gzip", gzip.compress(b"id,created,loss\na,b,c\n"), gzip.compress(b"id,created,loss\n")[:15], FLIPPED],
    ids=["not gzip", "no numbers", "cut off", "flipped"],
)
def test_a_table_whose_epochs_are_damaged_is_refused(ours, other, tmp_path, epochs):
    (table(other, "a5", make(tmp_path / "gone", 2)) / "epochs.csv.gz").write_bytes(epochs)
    assert "epochs.csv.gz" in reason(merging.merge(other, ours))


def test_a_column_of_a_table_that_names_a_folder_is_not_read(ours, other, tmp_path):
    folder = table(other, "a5", make(tmp_path / "gone", 2))
    head, row = (folder / "runs.csv").read_text().splitlines()
    (folder / "runs.csv").write_text(f"{head},path,results\n{row},{tmp_path},{ours}\n")
    assert not {"path", "results"} & run_tables.read(folder)[0].keys()


def test_epochs_that_unpack_to_more_than_a_table_has_are_refused(ours, other, tmp_path, monkeypatch):
    monkeypatch.setattr(incoming, "LARGEST_TEXT", 4000)
    (table(other, "a5", make(tmp_path / "gone", 2)) / "epochs.csv.gz").write_bytes(gzip.compress(b"\n" * 9000))
    assert "unpacks to more than 4,000 bytes" in reason(merging.merge(other, ours))


def test_wrong_folders_are_named(ours, other):
    with pytest.raises(InputError, match="no such folder"):
        merging.merge(other / "x", ours)
    with pytest.raises(InputError, match="holds no runs"):
        merging.merge(other, ours)
    with pytest.raises(InputError, match="is one run; name the results folder"):
        merging.merge(make(other), ours)
    with pytest.raises(InputError, match="our own results folder"):
        merging.merge(other, other.parent / "ours" / ".." / "other")


def test_no_room_is_said_before_anything_is_copied(ours, other, monkeypatch):
    make(other)
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(merging.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DiskError, match="are needed"):
        merging.merge(other, ours)
    assert run_index.scan(ours).records == []


def test_two_merges_at_once_are_refused(ours, other):
    make(other)
    ours.mkdir()
    with run_folder.lock(ours), pytest.raises(RunInUse, match="another merge"):
        merging.merge(other, ours)


def test_a_folder_that_was_renamed_gets_the_name_of_a_run(ours, other):
    make(other).rename(other / "my best run")
    assert merging.merge(other, ours).came[0].here == "my-best-run-20261121-101500-aaaaa"


MERGE = "import sys; from pathlib import Path; from kerasrun import merging; merging.merge(*map(Path, sys.argv[1:]))"
POINTS = [
    f"{kind}:{number}" for kind in ("write", "fsync", "rename") for number in range(2, 9)
]  # the first is the probe of the folder


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_point_leaves_whole_runs_and_the_next_merge_brings_the_rest(ours, other, tmp_path, point):
    make(other, 0)
    make(other, 1)
    table(other, "a5", make(tmp_path / "gone", 2))
    killed = subprocess.run(
        [sys.executable, "-c", MERGE, other, ours], env={**os.environ, "KERASRUN_FAIL": point}, check=False
    )
    assert killed.returncode == 99
    assert [damage for damage in run_check.check(ours)[1] if damage.folder != "."] == []
    assert {record["id"] for record in run_tables.all_records(ours)[0]} <= {"aaaaa", "bbbbb", "ccccc"}
    assert run_tables.all_records(ours)[1] == []
    merging.merge(other, ours)
    assert run_check.check(ours) == (2, [])
    assert len(run_tables.all_records(ours)[0]) == 3
    assert not [*ours.glob(".tmp.*")]


def test_one_bad_record_does_not_keep_the_others_away(ours, other):
    make(other, 0)
    (make(other, 1) / "run.json").write_text(json.dumps({"format": 1}))
    merged = merging.merge(other, ours)
    assert len(merged.came) == 1
    assert "lacks id" in reason(merged)
