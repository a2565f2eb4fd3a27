"""Examples with the right answers, to judge a trained model by: a part of its own data, or a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kerasrun import catalog, datasets, experiment
from kerasrun.datasets import rows
from kerasrun.errors import InputError
from kerasrun.runs import Run
from kerasrun.trained import Trained


@dataclass(frozen=True)
class Labelled:
    """Examples and what is right.

    Args:
        x: (n, …) as the model was trained on.
        y: int32 (n,) class numbers or float32 (n, outputs).
        ids: what tells the examples apart, (n,) each, by the name of the column.
        notes: lines for the user.
    """

    x: np.ndarray
    y: np.ndarray
    ids: Mapping[str, Sequence]
    notes: tuple[str, ...] = ()


def own_part(run: Run, trained: Trained, part: str) -> Labelled:
    """Return the "test" or "validation" part of the data that a run was trained on.

    Raises:
        InputError: the data is not there any more, or has changed since.
    """
    settings = trained.settings
    neutral = {"recipe": catalog.source(settings["dataset"], settings).recipe, "knobs": {}}  # the run's own may be gone
    data = datasets.load(experiment.from_record({**settings, **neutral}, {}))
    recorded = (run.record.get("data") or {}).get("hash")
    if recorded != data.content_hash:
        raise InputError(
            f"the data of {settings['dataset']} is not what run {run.id} was trained on (it has changed since)\n"
            "restore it, or name a file: --data FILE"
        )
    found = getattr(data, part)
    ids: dict[str, Sequence] = {"row": found.rows.tolist()}
    if data.files:
        ids["file"] = [data.files[row] for row in ids["row"]]
    return Labelled(found.x, found.y, ids)


def file(given: str, trained: Trained) -> Labelled:
    """Return all examples of a file, as `rows.opened` finds them.

    Raises:
        InputError: as `rows.opened`; or there is none.
    """
    opened = rows.opened(given, trained, labelled=True)
    chunks = [*opened.chunks]
    if not chunks:
        raise InputError(f"{given}: holds no row")
    ids = {name: [each for chunk in chunks for each in chunk.ids[i]] for i, name in enumerate(opened.ids)}
    x, y = (np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in ("x", "y"))
    return Labelled(x, y, ids, tuple(opened.notes))
