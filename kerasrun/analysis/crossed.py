"""Would other seeds *and other images* say the same? The spread that images add to a difference over seeds.

Every seed judges the same validation images, so the table "this one right, the other wrong" has seeds as rows and
images as columns, both drawn from many. The error of its mean is taken from the mean squares of rows, columns and rest:
what resampling rows and columns independently (the crossed bootstrap: Owen 2007) estimates, without its random numbers
and with Student's t, because percentiles of five seeds cover too little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerasrun.analysis.groups import Group
from kerasrun.analysis.moments import At, Record
from kerasrun.analysis.predictions import validation
from kerasrun.errors import InputError

if TYPE_CHECKING:
    import numpy as np


def errors(one: Group, other: Group, at: At) -> tuple[float, float] | None:
    """Return the standard error of a difference of accuracies for other seeds and images, and its degrees of freedom.

    Args:
        one: a group whose runs keep their predictions.
        other: its baseline.
        at: "best" or "last"; of other moments no predictions are kept.

    Returns:
        None below two common seeds.

    Raises:
        InputError: a run has no predictions of classes, or other images than the others.
    """
    import numpy

    ours, theirs = (dict(zip(group.results, group.used, strict=True)) for group in (one, other))
    pairs = [(ours[unit], theirs[unit]) for unit in ours if unit in theirs]
    if len(pairs) < 2:
        return None
    judged, table = _right(pairs[0][0], at)[0], []
    for pair in pairs:
        found = [_right(record, at) for record in pair]
        for record, (rows, _) in zip(pair, found, strict=True):
            if not numpy.array_equal(rows, judged):
                raise InputError(f"run {record['id']} was judged by other examples; seeds+images needs one split")
        table.append(found[0][1].astype(numpy.int8) - found[1][1])
    return of_table(numpy.array(table))


def _right(record: Record, at: At) -> tuple[np.ndarray, np.ndarray]:
    """Return row ids of the validation examples and whether each was classified rightly."""
    found = validation(record, at)
    if found is None or found[1].dtype.kind not in "iu":
        raise InputError(
            f"run {record['id']} keeps no predicted classes {at}\n"
            "--over seeds+images needs run folders of classifiers, and --at last or best"
        )
    rows, labels, said = found
    return rows, said == labels


def of_table(table: np.ndarray) -> tuple[float, float]:
    """Return the standard error of a table's mean where rows and columns are random, and its degrees of freedom.

    Variance of the mean: (MS rows + MS columns - MS rest) / cells, unbiased; no smaller than either part alone.
    Degrees of freedom after Satterthwaite (1946).

    Args:
        table: numbers, (rows, columns), at least two of each.
    """
    import numpy

    n, m = table.shape
    by_row, by_column = table.mean(axis=1), table.mean(axis=0)
    mean = by_row.mean()
    squares = numpy.array([m * ((by_row - mean) ** 2).sum(), n * ((by_column - mean) ** 2).sum(), 0.0])
    squares[2] = max(0.0, ((table - mean) ** 2).sum() - squares[:2].sum())
    freedoms = numpy.array([n - 1, m - 1, (n - 1) * (m - 1)])
    parts = squares / freedoms / (n * m)
    variance = float(max(parts[0] + parts[1] - parts[2], parts[0], parts[1]))
    return (variance**0.5, float(variance**2 / (parts**2 / freedoms).sum())) if variance else (0.0, 0.0)
