"""Dates and times as numbers: days since 1970-01-01 (UTC where a time zone is given), recognized by their format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

TYPED = "a type of its own"  # a column whose file says that it holds dates
_LOOKED_AT = 1000  # texts that must all be dates
_FORMATS = (
    "ISO8601", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M", "%d-%m-%Y", "%d %b %Y", "%b %d, %Y",
)  # fmt: skip


def recognized(texts: Sequence[str]) -> str:
    """Return the format that all of the first texts have and most of the others, or "" where they are no dates.

    Where month/day and day/month fit equally well, it is month/day.
    """
    first = texts[:_LOOKED_AT]
    if not first or not all(len(text) >= 8 and any(c.isdigit() for c in text) for text in first):
        return ""
    fitting = [format for format in _FORMATS if np.isfinite(parsed(first, format)).all()]
    if len(fitting) < 2:
        return "".join(fitting)
    return max(fitting, key=lambda format: np.isfinite(parsed(texts, format)).sum())


def parsed(texts: Sequence[str], format: str) -> np.ndarray:
    """Return days since 1970-01-01, float64 (n,); NaN where a text has another format."""
    import pandas as pd

    if format == TYPED:
        format = "ISO8601"
    return days(pd.to_datetime(pd.Series(texts, dtype=object), format=format, errors="coerce", utc=True))


def days(times: pd.Series) -> np.ndarray:
    """Return days since 1970-01-01, float64 (n,); NaN where there is no time."""
    import pandas as pd

    if getattr(times.dtype, "tz", None) is not None:
        times = times.dt.tz_convert("UTC").dt.tz_localize(None)
    return ((times - pd.Timestamp(0)) / pd.Timedelta(days=1)).to_numpy(np.float64)
