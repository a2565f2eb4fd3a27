import pytest

from kerasrun import environment


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
