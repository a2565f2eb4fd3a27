import keras
import numpy as np

import kerasrun
from kerasrun.layers import RandomShift

IMAGES = np.random.default_rng(0).normal(size=(200, 8, 6, 3)).astype("float32")


def test_each_image_moves_by_whole_pixels_of_its_own_and_zeros_come_in():
    moved = np.asarray(RandomShift(2, seed=1)(IMAGES, training=True))
    padded = np.pad(IMAGES, ((0, 0), (2, 2), (2, 2), (0, 0)))
    moves = [
        (down, right)
        for image, result in zip(padded, moved, strict=True)
        for down in range(5)
        for right in range(5)
        if np.array_equal(image[down : down + 8, right : right + 6], result)
    ]
    assert len(moves) == 200
    assert len(set(moves)) == 25


def test_nothing_moves_outside_of_training():
    np.testing.assert_array_equal(RandomShift(2)(IMAGES), IMAGES)


def test_augmented_training_gives_the_same_bytes_in_every_loop_and_loads(tmp_path):
    given = {"recipe": "fitnet", "augment": True, "width": 0.1, "depth": 0.1, "size": 8, "epochs": 2, "limit": 60}
    runs = [kerasrun.train("synthetic:cifar10", results=tmp_path, loop=loop, **given) for loop in ("plain", "resident")]
    assert len({(run.folder / "metrics.csv").read_bytes() for run in runs}) == 1
    plain = kerasrun.train("synthetic:cifar10", results=tmp_path, **{**given, "augment": False})
    assert (plain.folder / "metrics.csv").read_bytes() != (runs[0].folder / "metrics.csv").read_bytes()
    kinds = [type(layer) for layer in runs[0].model()._flatten_layers()]
    assert RandomShift in kinds
    assert keras.layers.RandomFlip in kinds
