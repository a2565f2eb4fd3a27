"""What several networks of two inputs answer in the plane, side by side; `pictures` has the style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kerasrun.analysis import pictures

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

MOST = 18
_ACROSS = 6  # panels in a row
_SIDE = 2.2  # inches


@dataclass(frozen=True)
class Panel:
    """One network.

    Args:
        title: above it.
        across, up: limits of the two inputs.
        answers: outputs from 0 to 1, (rows, columns), from the upper left.
        examples: inputs, (n, 2).
        labels: 0 or 1, (n,).
    """

    title: str
    across: tuple[float, float]
    up: tuple[float, float]
    answers: np.ndarray
    examples: np.ndarray
    labels: np.ndarray


def picture(panels: Sequence[Panel], form: str) -> bytes:
    """Return the networks as a PNG or SVG file's content: dark is 1, the line is 0.5, filled examples are 1.

    Raises:
        InputError: matplotlib is not installed.
    """

    def draw() -> Figure:
        from matplotlib.figure import Figure

        columns = min(len(panels), _ACROSS)
        rows = -(-len(panels) // columns)
        figure = Figure(figsize=(_SIDE * columns, (_SIDE + 0.4) * rows), layout="constrained")
        for number, panel in enumerate(panels, start=1):
            axes = figure.add_subplot(rows, columns, number)
            aspect = (panel.across[1] - panel.across[0]) / (panel.up[1] - panel.up[0])  # square, whatever the units
            axes.imshow(panel.answers, cmap="Blues", vmin=0, vmax=1.3, extent=(*panel.across, *panel.up), aspect=aspect)
            if panel.answers.min() < 0.5 < panel.answers.max():
                axes.contour(
                    panel.answers[::-1], [0.5], extent=(*panel.across, *panel.up), colors="black", linewidths=1
                )
            for label, colour in ((0, "white"), (1, "black")):
                points = panel.examples[panel.labels == label]
                axes.plot(points[:, 0], points[:, 1], "o", color=colour, markeredgecolor="black", markersize=6)
            axes.set_title(panel.title, fontsize=8)
            axes.grid(visible=False)
        return figure

    return pictures.rendered(draw, form)
