"""An evaluation as a picture: confusion matrix beside what came true of what was said; or residuals.

matplotlib is imported inside the functions that draw; `pictures` has the style.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kerasrun.analysis import pictures, scores
from kerasrun.analysis.evaluation import calibrated

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_NUMBERS = 20  # classes whose counts are written into the cells
_MOST_NAMES = 60
_BARS = 50
_ACROSS = 5  # images in a row


def classification(title: str, labels: np.ndarray, probability: np.ndarray, classes: Sequence[str], form: str) -> bytes:
    """Return a classifier's confusion matrix and reliability diagram as a PNG or SVG file's content."""

    def draw() -> Figure:
        side = min(max(4.0, 1.5 + 0.35 * len(classes)), 14)
        figure, (left, right) = _figure(title, (side + 5.0, side))
        matrix = scores.confusion(labels, probability.argmax(axis=1), len(classes))
        _draw_confusion(left, matrix, classes)
        said, came, what = calibrated(labels, probability, classes)
        _draw_reliability(right, scores.reliability(said, came), what, len(labels))
        return figure

    return pictures.rendered(draw, form)


def regression(title: str, true: np.ndarray, predicted: np.ndarray, form: str) -> bytes:
    """Return a regression's predictions against the truth, and its residuals, as a PNG or SVG file's content."""

    def draw() -> Figure:
        figure, (left, right) = _figure(title, (10.0, 4.5))
        residuals = predicted.astype(np.float64) - true
        edges = np.linspace(residuals.min(), residuals.max(), _BARS + 1).tolist()
        for i in range(true.shape[1]):
            name, colour = f"output {i}", pictures.COLOURS[i % len(pictures.COLOURS)]
            left.plot(
                true[:, i], predicted[:, i], ".", color=colour, alpha=0.4, markersize=4, label=name, rasterized=True
            )
            right.hist(residuals[:, i], edges, color=colour, alpha=0.6, label=name)
        ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
        left.plot(ends, ends, color="#777777", linewidth=1)
        left.set(xlabel="true", ylabel="predicted")
        right.axvline(0, color="#777777", linewidth=1)
        right.set(xlabel="residual: predicted - true", ylabel="examples")
        left.locator_params(axis="x", nbins=5)
        right.locator_params(axis="x", nbins=5)
        if true.shape[1] > 1:
            left.legend()
        return figure

    return pictures.rendered(draw, form)


def grid(title: str, images: np.ndarray, captions: Sequence[str], form: str) -> bytes:
    """Return images with a caption each as a PNG or SVG file's content.

    Args:
        title: of the whole.
        images: float32 (n, height, width, 1 or 3), 0 to 1.
        captions: one for each.
        form: "png" or "svg".
    """

    def draw() -> Figure:
        from matplotlib.figure import Figure

        across = min(_ACROSS, max(1, len(images)))
        down = max(1, -(-len(images) // across))
        figure = Figure(figsize=(1.9 * across, 0.6 + 2.4 * down), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", wrap=True)
        for number, axes in enumerate(figure.subplots(down, across, squeeze=False).flat):
            axes.set_axis_off()
            if number < len(images):
                image = images[number] if images.shape[-1] == 3 else images[number, ..., 0]
                axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
                axes.set_title(textwrap.fill(captions[number], 26), fontsize=8)
        return figure

    return pictures.rendered(draw, form)


def _figure(title: str, size: tuple[float, float]) -> tuple[Figure, Sequence[Axes]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", wrap=True)
    return figure, figure.subplots(1, 2, width_ratios=(max(size[0] - 5.0, 4.0), 5.0))


def _draw_confusion(axes: Axes, matrix: np.ndarray, classes: Sequence[str]) -> None:
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    if len(classes) <= _MOST_NUMBERS:
        for (row, column), count in np.ndenumerate(matrix):
            if count:
                colour = "white" if shares[row, column] > 0.6 else "black"
                axes.text(column, row, f"{count:,}", ha="center", va="center", color=colour, fontsize=8)
    if len(classes) <= _MOST_NAMES:
        axes.set_xticks(range(len(classes)), classes, rotation=90 if max(map(len, classes)) > 3 else 0)
        axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="predicted", ylabel="true")
    axes.grid(visible=False)


def _draw_reliability(axes: Axes, bins: Sequence[scores.Bin], what: str, count: int) -> None:
    axes.plot([0, 1], [0, 1], color="#777777", linewidth=1)
    low = [each.low for each in bins]
    width = [each.high - each.low for each in bins]
    share = [each.count / count for each in bins]
    axes.bar(low, share, width, align="edge", color=pictures.COLOURS[5], alpha=0.35, label="share of the examples")
    axes.plot(
        [each.said for each in bins], [each.came for each in bins], "o-", color=pictures.COLOURS[1], label="came true"
    )
    axes.set(xlabel=what.partition(", ")[0], ylabel="share", xlim=(0, 1), ylim=(0, 1.02))
    error = scores.calibration_error(bins)
    axes.set_title(f"expected calibration error {error:.3f}", loc="left", fontsize=10)
    axes.legend(loc="upper left")
