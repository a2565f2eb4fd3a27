import csv
import io
import json

from kerasrun.cli.lists import to_text

COLUMNS, ROWS = ("name", "value"), [("a, b|c", 0.1), ("=1+1\n", None)]


def test_json_keeps_types():
    assert json.loads(to_text(COLUMNS, ROWS, "json")) == [
        {"name": "a, b|c", "value": 0.1}, {"name": "=1+1\n", "value": None},
    ]  # fmt: skip


def test_csv_disarms_texts_that_a_spreadsheet_would_execute_and_leaves_numbers_alone():
    rows = list(csv.reader(io.StringIO(to_text(COLUMNS, [*ROWS, ("-x", -1.5)], "csv"))))
    assert rows == [["name", "value"], ["a, b|c", "0.1"], ["'=1+1\n", ""], ["'-x", "-1.5"]]


def test_markdown_has_one_line_a_row_and_no_stray_bars():
    assert to_text(COLUMNS, ROWS, "md").splitlines() == [
        "| name | value |", "| --- | --- |", "| a, b\\|c | 0.1 |", "| =1+1 |  |",
    ]  # fmt: skip
