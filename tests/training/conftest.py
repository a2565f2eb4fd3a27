"""Small runs that are trained once for all tests of what a trained model is for."""

import pytest

import kerasrun

COLORS = ["red", "green", "blue"]


def table_rows(count=150):
    """Return rows of id, size, color, weight (every ninth empty), grade, as a file has them."""
    rows = []
    for i in range(count):
        size, color = (i * 37 % 100) / 10, COLORS[i % 3]
        weight = "" if i % 9 == 0 else f"{size * 2 + i % 3:g}"
        rows.append((i + 1, f"{size:g}", color, weight, "=high" if size + i % 3 > 6 else "low"))
    return rows


def write_table(path, rows, head="id,size,color,weight,grade"):
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


@pytest.fixture(scope="session")
def trained_runs(tmp_path_factory):
    """Return a results folder with the runs images (digits), numbers (diabetes), table (two classes) and prices."""
    results = tmp_path_factory.mktemp("trained")
    small = {"results": results, "hidden": "8", "patience": None}
    kerasrun.train("digits", name="images", epochs=3, limit=200, **small)
    kerasrun.train("diabetes", name="numbers", epochs=2, **small)
    path = write_table(results / "grades.csv", table_rows())
    kerasrun.train(str(path), name="table", target="grade", missing="indicator", epochs=4, **small)
    kerasrun.train(str(path), name="prices", target="size", missing="median", epochs=2, **small)
    return results
