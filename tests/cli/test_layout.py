"""Tables as lines: numbers right, texts left, folded or continued below where the terminal is too narrow."""

from kerasrun.cli.layout import table_lines

COLUMNS = ("name", "n", "p", "verdict")
ROWS = [
    ("adam", 5, "< 0.001", "better"),
    ("momentum", 10, None, "no difference shown: up to 0.008 better or 0.002 worse"),
]


def test_numbers_stand_right_and_texts_left_also_numbers_that_are_text():
    assert table_lines(COLUMNS, ROWS) == [
        " name       n        p  verdict",
        " adam       5  < 0.001  better",
        " momentum  10           no difference shown: up to 0.008 better or 0.002 worse",
    ]


def test_a_long_last_column_is_folded_in_its_place():
    lines = "\n".join(table_lines(COLUMNS, ROWS, width=55)).split("\n")
    assert lines[2:] == [
        " momentum  10           no difference shown: up to",
        "                        0.008 better or 0.002 worse",
    ]
    assert max(map(len, lines)) <= 55


def test_columns_that_do_not_fit_go_on_below_with_their_names():
    lines = "\n".join(table_lines(COLUMNS, ROWS, width=24)).split("\n")
    assert lines[:3] == [" name       n        p", " adam       5  < 0.001", "    better"]
    lines = "\n".join(table_lines(COLUMNS, ROWS, width=34, text_columns=("n",))).split("\n")
    assert max(map(len, lines)) <= 34
    narrow = table_lines(("name", "n", "value"), [("adam", 5, 0.25)], width=12)
    assert narrow == [" name  n", " adam  5\n    value 0.2500"]


def test_nothing_is_cut_however_narrow():
    text = "\n".join(table_lines(COLUMNS, ROWS, width=5))
    assert all(word in text for word in ("momentum", "10", "0.001", "worse"))
