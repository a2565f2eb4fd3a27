import numpy as np
import pytest

from kerasrun import own_data
from kerasrun.tables import dialect
from kerasrun.tables.profile import profile


def looked_at(path, **given):
    options = {name: given.get(name, option.default) for name, option in own_data.TABLE_OPTIONS.items()}
    return profile(path, options)


@pytest.fixture
def path(tmp_path):
    draw = np.random.default_rng(0)
    values, classes = draw.normal(size=200), draw.integers(0, 2, 200)
    lines = ["id,value,twice,color,constant,day,score,alive,y"]
    for i, (value, y) in enumerate(zip(values, classes, strict=True), 1):
        cell = "" if i == 5 else f"{value:.3f}"
        color, day = ["red", "green"][i % 2], f"2024-01-{i % 28 + 1:02d}"
        lines.append(f"{i},{cell},{2 * value:.4f},{color},7,{day},{y + 0.9 * draw.random():.3f},{'yn'[y]},{y}")
    file = tmp_path / "table.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_each_column_has_its_kind_and_what_it_holds(path):
    rows = {row[0]: row[1:] for row in looked_at(path).rows}
    assert rows["id"] == ("left out", 0, 200, "counts the rows from 1")
    assert rows["value"][:2] == ("number", 1)
    assert rows["color"] == ("category", 0, 2, "green 100, red 100")
    assert rows["day"] == ("date", 0, 28, "2024-01-01 to 2024-01-28")
    assert rows["constant"][3] == "7 to 7, mean 7"


def test_what_is_remarkable_is_said(path):
    remarks = looked_at(path, target="y").remarks
    assert remarks[0].startswith("target y: binary")
    assert "constant is the same in every row: it says nothing" in remarks
    suspects = [line.split()[1] for line in remarks if line.startswith("suspect")]
    assert suspects == ["score", "alive"]


def test_a_multiple_of_a_number_to_predict_is_suspect(path):
    remarks = looked_at(path, target="value", missing="drop").remarks
    assert [line.split()[1] for line in remarks if line.startswith("suspect")] == ["twice"]


def test_repeated_rows_are_counted(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,y\n" + "1,2,0\n" * 3 + "1,2,1\n" + "3,4,0\n")
    remarks = looked_at(tmp_path / "t.csv", target="y").remarks
    assert "2 rows repeat an earlier one in every column; split apart, they leak" in remarks
    assert "1 rows repeat an earlier one's inputs with another y" in remarks


@pytest.mark.parametrize(("block", "counts"), [(40, (None, None)), (1 << 20, (0, 2))])
def test_a_cell_that_no_training_would_take_is_a_remark(tmp_path, monkeypatch, block, counts):
    monkeypatch.setattr(dialect, "BLOCK", block)
    (tmp_path / "t.csv").write_text("a,b\n" + "1,2\n" * 20 + "?,3\n")
    found = looked_at(tmp_path / "t.csv")
    assert found.rows[0] == ("a", "left out", *counts, "numbers and texts")
    assert "row 21 of column 'a' holds '?'" in found.remarks[0]


def test_numbers_that_may_stand_for_nothing_are_asked_about(tmp_path):
    draw = np.random.default_rng(0)
    pressure = [0 if i % 20 == 0 else round(draw.normal(70, 12)) for i in range(200)]
    age = [999 if i % 30 == 0 else draw.integers(20, 80) for i in range(200)]
    children = [draw.integers(0, 30) for _ in range(200)]
    rows = zip(pressure, age, children, strict=True)
    (tmp_path / "t.csv").write_text("pressure,age,children\n" + "".join(f"{p},{a},{c}\n" for p, a, c in rows))
    asked = [line for line in looked_at(tmp_path / "t.csv").remarks if "far from" in line]
    assert asked == [
        "pressure is 0 in 10 rows, far from all others; an empty cell? --na pressure=0",
        "age is 999 in 7 rows, far from all others; an empty cell? --na age=999",
    ]
