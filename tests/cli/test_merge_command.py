"""`kerasrun merge`: what is said, and the exit code."""

import json

import pytest
from typer.testing import CliRunner

from kerasrun.cli.app import app


def make(results, identifier, **changes):
    folder = results / f"digits-dense-20261121-101500-{identifier}"
    folder.mkdir(parents=True)
    record = {
        "format": 1, "id": identifier, "status": "failed", "created": "2026-11-21T10:15:00+00:00",
        "experiment": {"dataset": "digits", "recipe": "dense", "knobs": {}}, "data": {"hash": "d" * 64}, **changes,
    }  # fmt: skip
    (folder / "recipe.py").write_text("")
    (folder / "run.json").write_text(json.dumps(record))


@pytest.fixture
def merge(tmp_path):
    def invoke(*words):
        return CliRunner().invoke(app, ["merge", str(tmp_path / "b"), "--results", str(tmp_path / "a"), *words])

    return invoke


def test_it_says_what_came_and_what_did_not(tmp_path, merge):
    make(tmp_path / "a", "aaaaa")
    make(tmp_path / "b", "bbbbb")
    make(tmp_path / "b", "aaaaa", created="2026-11-20T10:15:00+00:00")
    make(tmp_path / "b", "ccccc", data={"hash": "e" * 64})
    assert merge("--dry-run").stdout.splitlines()[-1] == "2 runs would come, 0 here already, 1 refused"
    done = merge()
    renamed, came, refused, total = done.stdout.splitlines()
    assert renamed.endswith(")")
    assert "(its id was taken: aaaaa is " in renamed
    assert came == "digits-dense-20261121-101500-bbbbb"
    assert refused.startswith("refused digits-dense-20261121-101500-ccccc: other data under the name digits")
    assert total == "2 runs came, 0 here already, 1 refused"
    assert done.exit_code == 0


def test_nothing_new_is_no_fault_and_nothing_but_refusals_is_one(tmp_path, merge):
    make(tmp_path / "b", "bbbbb")
    merge()
    again = merge()
    assert (again.stdout, again.exit_code) == ("0 runs came, 1 here already, 0 refused\n", 0)
    make(tmp_path / "b", "ccccc", format=2)
    assert merge().exit_code == 0
    (tmp_path / "b" / "digits-dense-20261121-101500-bbbbb" / "run.json").write_text("")
    assert merge().exit_code == 2
