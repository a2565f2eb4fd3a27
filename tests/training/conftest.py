"""Small runs that are trained once for all tests of what a trained model is for."""

import pytest
from small_tables import table_rows, write_table

import kerasrun


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
