"""Why a network does not learn: what its numbers show, in words and as a table of its layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from kerasrun.analysis import illnesses
from kerasrun.analysis.charts import Point, Points
from kerasrun.analysis.illnesses import Illness
from kerasrun.analysis.patient import TINY, Patient, Row, factor

CAUSES = (
    illnesses.unscaled_input, illnesses.no_non_linearity, illnesses.first_loss, illnesses.gradients, illnesses.signal,
    illnesses.dead_units, illnesses.saturated_units, illnesses.rate_too_high,
)  # fmt: skip
BAR = 12  # characters


def diagnose(patient: Patient) -> list[Illness]:
    """Return the illnesses that the numbers show: that nothing was learned, then causes, then how the training went.

    A slow rate and underfitting are named only where nothing else is found.

    Args:
        patient: the run.
    """
    causes = [illness for look in CAUSES if (illness := look(patient))]
    untaught = illnesses.nothing_learned(patient)
    weak = illnesses.rate_too_low(patient) or (None if untaught else illnesses.underfitting(patient))
    found = [untaught, *causes, illnesses.overfitting(patient), None if causes else weak]
    return [illness for illness in found if illness]


def table(patient: Patient, epoch: int) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Return the layers of one epoch as columns and rows of texts, with bars of the gradients' logarithms.

    Args:
        patient: the run.
        epoch: one that was measured.
    """
    columns = ("layer", "activation", "gradient", "", "×", "mean ± deviation", "saturated", "dead", "step / weights")
    layers = [row for row in patient.at(epoch) if row["layer"] != "input"]
    bars = _bars([row["gradient"] or 0.0 for row in layers])
    factors = [_ratio(row, behind) for row, behind in pairwise(layers)] + [None]
    rows: list[tuple[Any, ...]] = [
        (
            row["layer"],
            row["activation"],
            _number(row["gradient"], ".1e"),
            bar,
            _number(ratio, ".2f"),
            f"{row['mean']:.2f} ± {row['deviation']:.2g}",
            _number(row["saturated"], ".0%"),
            _number(row["dead"], ".0%"),
            _number(row["update_ratio"], ".0e"),
        )
        for row, bar, ratio in zip(layers, bars, factors, strict=True)
    ]
    return columns, rows


def chart(patient: Patient, epoch: int) -> Points:
    """Return the gradients of one epoch, layer by layer, as what a picture shows, with those of the start as dots."""
    start = {row["layer"]: row["gradient"] for row in patient.at(0)}
    points = [
        Point(
            row["layer"], tuple(filter(None, (start.get(row["layer"]), row["gradient"]))), row["gradient"], None, None
        )
        for row in patient.at(epoch)
        if row["gradient"]
    ]
    title = f"{patient.record['id']}: {'gradients ' if epoch else ''}{illnesses.when(epoch)}"
    return Points(title, "gradient of an example's loss, RMS over units", tuple(points))


def words(patient: Patient, found: Sequence[Illness]) -> list[str]:
    """Return what was found as lines: what the numbers show, and what to try; or that nothing was.

    Args:
        patient: the run.
        found: what `diagnose` returned.
    """
    lines = []
    for illness in found:
        lines.append(f"{illness.name}: {illness.says}")
        if illness.remedies:
            lines.append(f"  try: {' · or '.join(illness.remedies)}")
    if found:
        return lines
    ratio = factor(patient.hidden(max(patient.measured, default=0)))
    per_layer = "" if ratio is None else f"; gradients change {ratio:.2f} × per layer towards the input"
    return [f"Nothing is wrong with these numbers{per_layer}."]


def _ratio(row: Row, behind: Row) -> float | None:
    return row["gradient"] / behind["gradient"] if row["gradient"] is not None and behind["gradient"] else None


def _number(value: float | None, form: str) -> str | None:
    return None if value is None else f"{value:{form}}"


def _bars(values: Sequence[float]) -> list[str]:
    """Return a bar for each value, as long as its logarithm; three decades at least."""
    logs = [math.log10(max(value, TINY)) if math.isfinite(value) else 0.0 for value in values]
    top = max(logs, default=0.0)
    span = max(3.0, top - min(logs, default=0.0))
    return ["█" * max(1, round(BAR * (1 - (top - log) / span))) for log in logs]
