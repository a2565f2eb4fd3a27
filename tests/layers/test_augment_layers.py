import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasrun.layers import Crop, Cutout, Flip, Mixup, Rotate, Shift
from kerasrun.training.augmentation import MixingModel, made

IMAGES = np.random.default_rng(0).uniform(0.1, 1, size=(200, 8, 6, 3)).astype("float32")
EVERY = [Flip, Shift, Rotate, Crop, Cutout, Mixup]


def changed(layer, images=IMAGES):
    return np.asarray(layer(images, training=True))


@pytest.mark.parametrize("kind", EVERY)
def test_nothing_changes_outside_of_training(kind):
    np.testing.assert_array_equal(kind()(IMAGES), IMAGES)
    np.testing.assert_array_equal(kind()(IMAGES, training=False), IMAGES)


@pytest.mark.parametrize("kind", EVERY)
def test_each_batch_changes_in_another_way_and_the_seed_decides_which(kind):
    first, again, other = kind(seed=1), kind(seed=1), kind(seed=2)
    one, two = changed(first), changed(first)
    assert not np.array_equal(one, two)
    np.testing.assert_array_equal(changed(again), one)
    np.testing.assert_array_equal(changed(again), two)
    assert not np.array_equal(changed(other), one)


@pytest.mark.parametrize("kind", EVERY)
def test_grey_images_may_lack_the_channel_axis(kind):
    grey = IMAGES[..., 0]
    np.testing.assert_array_equal(changed(kind(seed=1), grey), changed(kind(seed=1), IMAGES[..., :1])[..., 0])


@pytest.mark.parametrize("kind", EVERY)
def test_a_graph_and_xla_take_any_number_of_images(kind):
    for jit in (False, True):
        layer = kind(seed=1)
        graph = tf.function(
            lambda x, layer=layer: layer(x, training=True), jit_compile=jit,
            input_signature=[tf.TensorSpec((None, 8, 6, 3), tf.float32)],
        )  # fmt: skip
        assert graph(IMAGES[:7]).shape == (7, 8, 6, 3)
        assert np.isfinite(graph(IMAGES[:1])).all()


@pytest.mark.parametrize("kind", EVERY)
def test_a_layer_is_saved_and_loaded_with_its_argument(kind, tmp_path):
    inputs = keras.Input((8, 6, 3))
    keras.Model(inputs, kind(seed=3)(inputs)).save(tmp_path / "m.keras")
    layer = keras.saving.load_model(tmp_path / "m.keras").layers[-1]
    assert type(layer) is kind
    assert layer.get_config() == kind(seed=3, name=layer.name).get_config()


@pytest.mark.parametrize(
    ("direction", "axes"), [("horizontal", [(), (1,)]), ("vertical", [(), (0,)]), ("both", [(), (0,), (1,), (0, 1)])]
)
def test_images_are_mirrored_each_by_itself(direction, axes):
    flipped = changed(Flip(direction, seed=1))
    counts = [sum(np.array_equal(np.flip(x, a), y) for x, y in zip(IMAGES, flipped, strict=True)) for a in axes]
    assert sum(counts) == 200
    assert min(counts) > 200 / len(axes) * 0.6


def test_images_are_moved_by_whole_pixels_and_zeros_come_in():
    moved = changed(Shift(0.25, seed=1))
    padded = np.pad(IMAGES, ((0, 0), (2, 2), (2, 2), (0, 0)))
    moves = [
        (down, right)
        for image, result in zip(padded, moved, strict=True)
        for down in range(5)
        for right in range(5)
        if np.array_equal(image[down : down + 8, right : right + 6], result)
    ]
    assert len(moves) == 200
    assert len(set(moves)) == 25  # two pixels of 8, and two of 6, to either side


def test_images_are_turned_about_their_centre():
    board = np.zeros((1, 9, 9, 1), np.float32)
    board[0, 4, :, 0] = 1.0  # a line
    for seed in range(5):
        turned = changed(Rotate(45, seed=seed), board)[0, :, :, 0]
        assert turned[4, 4] == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(turned, turned[::-1, ::-1], atol=1e-5)
        assert not np.array_equal(turned, board[0, :, :, 0])
    still = changed(Rotate(1e-6, seed=1))
    np.testing.assert_allclose(still, IMAGES, atol=1e-4)


def test_windows_are_enlarged_without_anything_coming_in():
    slope = np.broadcast_to(np.arange(16, dtype=np.float32)[None, None, :, None], (100, 12, 16, 1))
    cut = changed(Crop(0.5, seed=1), slope)
    steps = np.diff(cut, axis=2)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[:, :1, :1], steps.shape), atol=1e-4)
    sizes = steps[:, 0, 0, 0]
    assert 0.5 <= sizes.min() < 0.6
    assert 0.9 < sizes.max() <= 1
    assert cut.min() >= 0
    assert cut.max() <= 15.001


def test_a_square_of_zeros_lies_on_each_image():
    covered = changed(Cutout(0.5, seed=1)) == 0
    rows, columns = covered.any(axis=(2, 3)).sum(axis=1), covered.any(axis=(1, 3)).sum(axis=1)
    assert rows.max() == columns.max() == 3  # half of 6
    assert rows.min() == 2  # it hangs over the edge
    np.testing.assert_array_equal(covered.all(axis=3).sum(axis=(1, 2)), rows * columns)


def test_images_are_mixed_with_their_neighbours_by_the_share_that_is_left():
    layer = Mixup(0.4, seed=1)
    mixed, share = changed(layer), np.asarray(layer.share)
    weight = share[:, None, None, None]
    np.testing.assert_allclose(mixed, weight * IMAGES + (1 - weight) * np.roll(IMAGES, 1, axis=0), atol=1e-6)
    assert 0.5 <= share.min() < 0.55
    assert share.max() <= 1
    expected = np.maximum(draws := np.random.default_rng(0).beta(0.4, 0.4, 100_000), 1 - draws).mean()
    assert changed(layer, np.repeat(IMAGES, 20, axis=0)).shape[0] == 4000
    assert float(np.mean(layer.share)) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("weights", [None, np.linspace(0, 2, 200, dtype=np.float32)])
@pytest.mark.parametrize("sparse", [False, True])
def test_the_loss_of_mixed_images_is_that_of_mixed_labels(sparse, weights):
    inputs = keras.Input((8, 6, 3))
    penalty = keras.regularizers.L2(0.1)
    layer = Mixup(0.4, seed=1)
    hidden = keras.layers.Flatten()(layer(inputs))
    model = MixingModel(inputs, keras.layers.Dense(4, "softmax", kernel_regularizer=penalty)(hidden), mixup=layer)
    kind = "sparse_categorical_crossentropy" if sparse else "categorical_crossentropy"
    model.compile(loss=kind)
    labels = np.arange(200) % 4
    one_hot = np.eye(4, dtype=np.float32)[labels]
    said = np.asarray(model(IMAGES, training=True))
    loss = model.compute_loss(IMAGES, labels if sparse else one_hot, said, weights, training=True)
    share = np.asarray(layer.share)[:, None]
    each = [-(target * np.log(said)).sum(axis=1) for target in (one_hot, np.roll(one_hot, 1, axis=0))]
    own = np.ones(200) if weights is None else weights
    expected = (share[:, 0] * own * each[0] + (1 - share[:, 0]) * np.roll(own, 1) * each[1]).mean()
    expected += float(sum(model.losses))
    assert float(loss) == pytest.approx(float(expected), rel=1e-4)
    plain = model.compute_loss(IMAGES, labels if sparse else one_hot, said, weights, training=False)
    assert float(plain) == pytest.approx(float((own * each[0]).mean() + sum(model.losses)), rel=1e-4)


def test_one_augmentation_draws_the_same_beside_any_other():
    alone, (_, beside) = made(["shift(amount=0.2)"], 5), made(["flip(direction=both)", "shift(amount=0.2)"], 5)
    np.testing.assert_array_equal(changed(alone[0]), changed(beside))
    assert not np.array_equal(changed(made(["shift(amount=0.2)"], 6)[0]), changed(alone[0]))
