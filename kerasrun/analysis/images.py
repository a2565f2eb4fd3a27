"""Images in a terminal: two pixels a character, in 256 colours or in five shades."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

_SHADES = " ░▒▓█"
_WIDEST = 32  # characters; larger images are shown smaller
_LEAST_CAPTION = 16
_GAP = 2


def brightness(images: np.ndarray) -> np.ndarray:
    """Return images as float32 (n, height, width, 1 or 3) from 0 to 1: bytes by 255, else by their range."""
    pixels = images.astype(np.float32).reshape(*images.shape[:3], -1)[..., :3]
    if images.dtype == np.uint8:
        return pixels / 255
    low, high = float(pixels.min(initial=0)), float(pixels.max(initial=0))
    return (pixels - low) / ((high - low) or 1)


def drawn(images: np.ndarray, captions: Sequence[str], *, colour: bool, width: int) -> list[str]:
    """Return lines that show images side by side, captions below.

    Args:
        images: float32 (n, height, width, 1 or 3), 0 to 1.
        captions: one for each.
        colour: whether the terminal knows 256 colours.
        width: characters of a line.
    """
    if not len(images):
        return []
    images = _smaller(images)
    across = max(images.shape[2], _LEAST_CAPTION)
    beside = max(1, (width + _GAP) // (across + _GAP))
    lines = []
    for start in range(0, len(images), beside):
        some = range(start, min(start + beside, len(images)))
        blocks = [_block(images[i], colour=colour, width=across) for i in some]
        texts = [textwrap.wrap(captions[i], across) for i in some]
        tall = max(map(len, texts))
        below = [[line.ljust(across) for line in (*text, *[""] * (tall - len(text)))] for text in texts]
        for row in (*zip(*blocks, strict=True), *zip(*below, strict=True)):
            lines.append((" " * _GAP).join(row).rstrip())
        lines.append("")
    return lines


def _smaller(images: np.ndarray) -> np.ndarray:
    """Return images of at most 32 pixels across and an even number of rows, means of what was there."""
    step = -(-images.shape[2] // _WIDEST)
    height, width = images.shape[1] // step * step, images.shape[2] // step * step
    cut = images[:, :height, :width].reshape(len(images), height // step, step, width // step, step, -1)
    small = cut.mean(axis=(2, 4))
    return np.concatenate([small, np.zeros_like(small[:, :1])], axis=1) if small.shape[1] % 2 else small


def _block(image: np.ndarray, *, colour: bool, width: int) -> list[str]:
    """Return an image as lines of `width` characters."""
    rest = " " * (width - image.shape[1])
    if not colour:
        shades = image.mean(axis=-1).reshape(-1, 2, image.shape[1]).mean(axis=1)
        return ["".join(_SHADES[int(round(4 * value))] for value in row) + rest for row in shades.tolist()]
    codes = _codes(image)
    return [
        "".join(f"\x1b[38;5;{up};48;5;{low}m▀" for up, low in zip(*pair, strict=True)) + "\x1b[0m" + rest
        for pair in codes.reshape(-1, 2, image.shape[1]).tolist()
    ]


def _codes(image: np.ndarray) -> np.ndarray:
    """Return the number of each pixel's colour among a terminal's 256, int (height, width)."""
    if image.shape[-1] == 1:
        return 232 + np.round(image[..., 0] * 23).astype(int)
    red, green, blue = (np.round(image[..., i] * 5).astype(int) for i in range(3))
    return 16 + 36 * red + 6 * green + blue
