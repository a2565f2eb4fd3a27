"""What can be asked of runs that are compared: every option of `kerasrun compare` that is about the comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kerasrun.errors import InputError, unknown
from kerasrun.sweep_record import SweepRecord

OVER = ("seeds", "seeds+images")
_APART = (
    ("runs", "by"), ("runs", "power"), ("runs", "shares"), ("until", "at"), ("until", "power"), ("until", "shares"),
    ("until", "sort"), ("power", "shares"), ("power", "sort"), ("shares", "sort"),
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """What is asked of the runs that were chosen; None where the usual is wanted.

    Args:
        metric: a metric's column, as "val_accuracy".
        at: "last", "last3", "best", an epoch as "12", or "seconds=30".
        sort: any column; metrics the best first, other columns rising, falling with a "-" in front.
        by: columns; runs with equal values are one row.
        baseline: the row that others are compared with, as "optimizer=sgd".
        margin: the smallest difference that matters, as 0.005; for losses and times a share, 0.02 is 2 %.
        until: a target, as "val_accuracy=0.88": rows are compared by the epochs that they need.
        power: a margin: rows say how many seeds would settle it.
        over: what differences shall hold for: "seeds", or "seeds+images".
        shares: return the share of the variance that each axis of the grid has.
        explain: also return the rules in words.
        runs: rows are runs, though some differ only in seed.
        all_columns: show all settings of runs, not only those that differ.
        test: show the test metrics too.
        every: compare also what is not comparable, and take runs on all datasets and those that did not end.
    """

    metric: str | None = None
    at: str | None = None
    sort: str | None = None
    by: str | Sequence[str] | None = None
    baseline: str | None = None
    margin: float | None = None
    until: str | None = None
    power: str | None = None
    over: str = "seeds"
    shares: bool = False
    explain: bool = False
    runs: bool = False
    all_columns: bool = False
    test: bool = False
    every: bool = False


def checked(question: Question, sweep: SweepRecord | None) -> Question:
    """Return the question with what the sweep's file says.

    Raises:
        InputError: two parts of it exclude each other.
    """
    for one, other in _APART:
        if getattr(question, one) and getattr(question, other):
            raise InputError(f"--{one} and --{other} exclude each other\nleave one of them out")
    if question.over not in OVER:
        raise unknown("spread", question.over, OVER)
    if question.over != "seeds" and (question.until or question.power or question.shares or question.runs):
        raise InputError("--over seeds+images is of means alone: leave out --until, --power, --shares and --runs")
    if sweep is None:
        return question
    return replace(
        question,
        metric=question.metric or sweep.metric,
        at=question.at or (None if question.until else sweep.at),
        test=question.test or (sweep.metric or "").startswith("test_"),  # whoever writes it down has asked for it
    )
