import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from kerasrun.images.decode import Broken, decoded, header

COLOR = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def written(image, form, **more):
    buffer = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(buffer, form, **more)
    return buffer.getvalue()


def pixels(content, size=(5, 7), channels=3):
    return decoded(content, size, channels).pixels


@pytest.mark.parametrize("form", ["PNG", "BMP", "WEBP"])
def test_lossless_formats_give_the_pixels_that_were_written(form):
    content = written(COLOR, form, **({"lossless": True} if form == "WEBP" else {}))
    np.testing.assert_array_equal(pixels(content), COLOR)
    assert (header(content).size, header(content).grey, header(content).format) == ((5, 7), False, form)


def test_a_photograph_is_decoded_about_as_it_was():
    smooth = np.broadcast_to(np.arange(0, 256, 4, dtype=np.uint8)[:, None, None], (64, 64, 3))
    assert np.abs(pixels(written(smooth, "JPEG", quality=95), (64, 64)).astype(int) - smooth).max() < 8


def test_of_an_animation_the_first_picture_is_taken():
    first, second = (Image.new("P", (7, 5), color) for color in (0, 1))
    for image in (first, second):
        image.putpalette([10, 20, 30, 200, 210, 220])
    content = written(first, "GIF", save_all=True, append_images=[second])
    assert pixels(content)[0, 0].tolist() == [10, 20, 30]


def test_a_camera_held_upright_gives_an_upright_image():
    tag = Image.Exif()
    tag[0x0112] = 6  # to be turned by 90 degrees clockwise
    content = written(COLOR, "PNG", exif=tag)
    assert header(content).size == (7, 5)
    np.testing.assert_array_equal(pixels(content, (7, 5)), np.rot90(COLOR, -1))


@pytest.mark.parametrize("value", range(1, 9))
def test_every_way_of_holding_a_camera_is_undone(value):
    tag = Image.Exif()
    tag[0x0112] = value
    content = written(COLOR, "PNG", exif=tag)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))
    np.testing.assert_array_equal(pixels(content, expected.shape[:2]), expected)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [(b"\x01\x1a\x00\x05", b"\x01\x43\x00\x05"), (b"\x01\x00\x00\x04", b"\x01\x51\x00\x05")],
    ids=["a fraction for a number", "a fraction for a text"],
)
def test_a_camera_whose_other_tags_are_damaged_gives_an_upright_image(right, wrong):
    tag = Image.Exif()
    tag[0x0100], tag[0x0112], tag[0x011A] = 7, 6, 72.0
    damaged = tag.tobytes().replace(right, wrong)
    np.testing.assert_array_equal(pixels(written(COLOR, "PNG", exif=damaged), (7, 5)), np.rot90(COLOR, -1))


def test_a_telephones_photograph_with_a_second_picture_in_it_is_a_jpeg():
    image = Image.fromarray(COLOR)
    content = written(image, "MPO", save_all=True, append_images=[image])
    assert Image.open(io.BytesIO(content)).format == "MPO"
    assert header(content).format == "JPEG"
    np.testing.assert_array_equal(pixels(content), pixels(written(image, "JPEG")))


def test_what_is_transparent_is_white():
    image = np.dstack([COLOR, np.zeros((5, 7), np.uint8)])
    assert (pixels(written(image, "PNG")) == 255).all()
    half = np.dstack([COLOR, np.full((5, 7), 255, np.uint8)])
    np.testing.assert_array_equal(pixels(written(half, "PNG")), COLOR)


def test_a_palette_is_looked_up():
    image = Image.fromarray(COLOR).convert("P", palette=Image.Palette.ADAPTIVE)
    np.testing.assert_array_equal(pixels(written(image, "PNG")), np.asarray(image.convert("RGB")))


def test_sixteen_bits_of_grey_become_eight():
    image = (np.arange(35, dtype=np.uint16) * 1800).reshape(5, 7)
    content = written(image, "PNG")
    assert header(content).grey
    np.testing.assert_array_equal(pixels(content, channels=1), image // 257)


def test_grey_and_colour_become_each_other():
    assert pixels(written(COLOR, "PNG"), channels=1).shape == (5, 7)
    grey = written(COLOR[..., 0], "PNG")
    np.testing.assert_array_equal(pixels(grey), np.repeat(COLOR[..., :1], 3, axis=2))


def test_another_size_is_averaged_down():
    board = np.indices((8, 8)).sum(axis=0) % 2 * 255
    found = decoded(written(board.astype(np.uint8), "PNG"), (2, 4), 1)
    assert found.pixels.shape == (2, 4)
    assert found.size == (8, 8)
    assert np.abs(found.pixels.astype(int) - 127).max() < 20


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "GIF"])
@pytest.mark.parametrize("kept", [0, 3, 0.5, 0.9])
def test_a_file_that_ends_too_early_is_broken(form, kept):
    content = written(np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8), form)
    content = content[: int(kept if kept >= 1 else kept * len(content))]
    with pytest.raises(Broken):
        pixels(content, (64, 64))


@pytest.mark.parametrize("content", [b"", b"words, not pixels", b"<svg></svg>", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_what_is_no_image_is_broken(content):
    with pytest.raises(Broken):
        header(content)


def test_a_bomb_is_not_unpacked():
    content = bytearray(written(COLOR, "BMP"))
    content[18:26] = (60_000).to_bytes(4, "little") * 2
    with pytest.raises(Broken, match="more pixels than any photograph"):
        pixels(bytes(content))


def test_a_large_photograph_is_brought_down_as_others_are():
    waves = np.sin(np.arange(400) / 25)[:, None] * np.cos(np.arange(640) / 31)[None, :]
    image = (waves * 120 + 128).astype(np.uint8)
    small = decoded(written(image, "JPEG", quality=95), (20, 32), 1)
    assert small.size == (400, 640)
    means = image.reshape(20, 20, 32, 20).mean(axis=(1, 3))
    assert np.abs(small.pixels - means).max() < 12


def test_a_photograph_that_ends_too_early_is_broken_where_it_is_brought_down():
    content = written(np.random.default_rng(1).integers(0, 256, (640, 640, 3), np.uint8), "JPEG")
    with pytest.raises(Broken, match="ends too early"):
        decoded(content[: len(content) * 9 // 10], (20, 20), 3)
