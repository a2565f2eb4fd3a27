"""One image file -> pixels, and what is wrong with it where there are none.

Pillow decodes, not TensorFlow: a folder is checked before TensorFlow is loaded. What a file is follows from its
content, not from its name.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kerasrun.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
GREY = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L")  # Pillow's modes without colour
_ORIENTATION = 0x0112  # the EXIF tag, and what Pillow's `transpose` takes to undo each of its values
_TURNS: dict[object, int] = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
_TURNED = (5, 6, 7, 8)  # height and width change places


class Broken(Exception):
    """Why a file gives no image."""


@dataclass(frozen=True)
class Header:
    """What the first bytes of an image say.

    Args:
        size: height and width in pixels, as it is looked at.
        grey: whether it has no colour.
        format: of the file: one of FORMATS.
    """

    size: tuple[int, int]
    grey: bool
    format: str


@dataclass(frozen=True)
class Decoded:
    """An image.

    Args:
        pixels: uint8, (height, width) or (height, width, 3).
        size: height and width of the file.
    """

    pixels: np.ndarray
    size: tuple[int, int]


def require() -> None:
    """Refuse to go on without Pillow.

    Raises:
        InputError: it is not installed.
    """
    try:
        import PIL  # noqa: F401
    except ImportError:
        raise InputError("images of one's own need Pillow\npip install 'kerasrun[images]'") from None


def version() -> str:
    """Return the version of Pillow: another one may decode a JPEG to other last digits."""
    import PIL

    return PIL.__version__


def header(content: bytes) -> Header:
    """Return what the first bytes of a file say.

    Raises:
        Broken: it is no image.
    """
    with _opened(content) as image:
        form = "JPEG" if image.format == "MPO" else str(image.format)  # a telephone's JPEG with further pictures in it
        return Header(_size(image), image.mode in GREY, form)


def decoded(content: bytes, size: tuple[int, int], channels: int) -> Decoded:
    """Return an image as a person sees it: turned as the camera says, the first picture of several, on white.

    Args:
        content: the file.
        size: height and width to bring it to; sides are stretched (bilinear, averaging where it becomes smaller).
        channels: 1 or 3.

    Raises:
        Broken: it is no image, or it ends too early.
    """
    from PIL.Image import Resampling, Transpose

    with _opened(content) as image:
        found = _size(image)
        image.draft(None, (2 * max(size), 2 * max(size)))  # far larger JPEGs are decoded at half their size, or less
        image.load()  # some formats' mode is known only now
        turn = _TURNS.get(image.getexif().get(_ORIENTATION))  # ImageOps would write a damaged EXIF anew, and fail
        upright = _plain(image if turn is None else image.transpose(Transpose(turn)))
        upright = upright.convert("L" if channels == 1 else "RGB")
        fitting = upright if upright.size == size[::-1] else upright.resize(size[::-1], Resampling.BILINEAR)
        return Decoded(np.asarray(fitting, dtype=np.uint8), found)


def _size(image: Image) -> tuple[int, int]:
    """Return height and width of an image as it is looked at."""
    width, height = image.size
    return (width, height) if image.getexif().get(_ORIENTATION) in _TURNED else (height, width)


def _plain(image: Image) -> Image:
    """Return an image with 8 bits a channel that is nowhere transparent."""
    from PIL import Image as pillow

    if image.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut off at 255
        return pillow.fromarray((np.asarray(image).astype(np.int64) // 257).clip(0, 255).astype(np.uint8))
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        return pillow.alpha_composite(pillow.new("RGBA", image.size, "white"), image)
    return image


@contextmanager
def _opened(content: bytes) -> Iterator[Image]:
    """Open an image, and say in words what is wrong with it."""
    from PIL import Image as pillow
    from PIL import UnidentifiedImageError

    if not content:
        raise Broken("empty")
    try:
        with pillow.open(io.BytesIO(content), formats=FORMATS) as image:
            yield image
    except UnidentifiedImageError:
        raise Broken(f"no {', '.join(FORMATS[:-1])} or {FORMATS[-1]}") from None
    except pillow.DecompressionBombError:
        raise Broken("declares more pixels than any photograph has") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, MemoryError, ArithmeticError) as error:
        text = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
        raise Broken("ends too early" if "truncated" in text.lower() else text) from None
