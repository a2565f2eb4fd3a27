import dataclasses

import pytest

from kerasrun import sweep_record
from kerasrun.errors import InputError
from kerasrun.sweep_record import Axis, SweepRecord

ONE = SweepRecord(
    id="digits-7f3a",
    name="digits",
    file=None,
    created="2026-11-21T10:15:00+00:00",
    axes=(Axis(("optimizer",), (("sgd",), ("adam",))), Axis(("hidden", "dropout"), (([300, 100], 0.5), ([], 0.0)))),
    seeds=(0, 1),
    cells=({"number": 1, "hash": "ab", "setting": {"optimizer": "sgd"}, "seed": 0},),
    claims=({"says": "adam wins", "better": "optimizer=adam"},),
)


def test_what_is_written_reads_back_equal(tmp_path):
    sweep_record.write(tmp_path, ONE)
    assert sweep_record.read(tmp_path, "digits-7f3a") == ONE


def test_the_settings_by_hash_are_collected_once_however_many_runs_ask():
    assert ONE.settings == {"ab": {"optimizer": "sgd"}}
    assert ONE.settings is ONE.settings


def test_a_sweep_goes_by_a_beginning_that_only_it_has(tmp_path):
    sweep_record.write(tmp_path, ONE)
    sweep_record.write(tmp_path, dataclasses.replace(ONE, id="digits-7a00"))
    assert sweep_record.read(tmp_path, "digits-7f") == ONE
    with pytest.raises(InputError, match="'digits' can be 2 sweeps"):
        sweep_record.read(tmp_path, "digits")


@pytest.mark.parametrize("name", ["iris-0000", "", "../digits", "digits-7f3a.json"])
def test_a_name_of_no_sweep_is_none(tmp_path, name):
    sweep_record.write(tmp_path, ONE)
    assert sweep_record.read(tmp_path, name) is None


def test_a_damaged_sweep_is_named_where_it_is_asked_for(tmp_path):
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "broken-0000.json").write_text('{"format": 1, "axes"')
    with pytest.raises(InputError, match="broken-0000.json: damaged"):
        sweep_record.read(tmp_path, "broken")


def test_a_folder_without_sweeps_has_none(tmp_path):
    assert sweep_record.read(tmp_path / "nowhere", "digits") is None
