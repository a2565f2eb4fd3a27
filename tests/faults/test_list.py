"""The list of faults in rows.txt: every row has a test, and every test that it names is there."""

import re

from . import long


def test_each_of_the_seventy_rows_is_shown_by_tests_that_there_are():
    known = {name for path in (long.ROOT / "tests").rglob("test_*.py") for name in long.tests_of(path)}
    assert [line.split("|")[0] for line in long.FAULTS] == [str(number) for number in range(1, 71)]
    for line in long.FAULTS:
        named = re.findall(r"`(?:[\w/.]+::)?(test_\w+)`", long.row(line))
        assert named, line
        assert set(named) <= known, line
