import re

import numpy as np

from kerasrun.analysis.images import brightness, drawn


def test_bytes_are_divided_by_255_and_other_numbers_by_their_range():
    assert brightness(np.array([[[0, 51]]], np.uint8)).ravel().tolist() == [0, np.float32(0.2)]
    assert brightness(np.array([[[0.0, 4.0, 16.0]]])).ravel().tolist() == [0, 0.25, 1]
    assert brightness(np.zeros((2, 3, 3))).max() == 0
    assert brightness(np.zeros((2, 3, 3, 4), np.uint8)).shape == (2, 3, 3, 3)


def test_two_rows_of_pixels_become_one_of_shades():
    image = np.array([[1, 1, 0, 0, 0.5], [1, 0, 0, 1, 0.5]], np.float32)[None, ..., None]
    assert drawn(image, ["caption"], colour=False, width=80) == ["█▒ ▒▒", "caption", ""]


def test_a_terminal_with_colours_shows_both_pixels_of_a_character():
    grey = np.array([[1.0], [0.0]], np.float32)[None, ..., None]
    assert drawn(grey, ["x"], colour=True, width=80)[0].startswith("\x1b[38;5;255;48;5;232m▀\x1b[0m")
    red = np.zeros((1, 2, 1, 3), np.float32)
    red[0, 0, 0, 0] = 1
    assert drawn(red, ["x"], colour=True, width=80)[0].startswith("\x1b[38;5;196;48;5;16m▀")


def test_images_stand_side_by_side_as_far_as_the_terminal_is_wide():
    images = np.ones((5, 8, 20, 1), np.float32)
    for width, beside in ((42, 2), (41, 1), (86, 4), (10, 1)):
        lines = drawn(images, ["c"] * 5, colour=False, width=width)
        assert len(lines[0]) == 22 * beside - 2
        assert len(lines) == -(-5 // beside) * (4 + 1 + 1)


def test_long_captions_go_on_below_their_image():
    lines = drawn(np.ones((2, 2, 16, 1), np.float32), ["one two three four five", "x"], colour=False, width=80)
    assert lines[1].split() == ["one", "two", "three", "x"]
    assert lines[2] == "four five"


def test_large_images_are_shown_smaller_and_odd_ones_whole():
    lines = drawn(np.ones((1, 100, 200, 3), np.float32), ["c"], colour=False, width=80)
    assert max(map(len, lines)) <= 32
    assert len(lines) == 7 + 2
    assert drawn(np.ones((1, 3, 2, 1), np.float32), ["c"], colour=False, width=80)[:2] == ["██", "▒▒"]
    assert not re.search("\x1b", "".join(lines))


def test_no_image_is_no_line():
    assert drawn(np.zeros((0, 8, 8, 1), np.float32), [], colour=False, width=80) == []
