"""Images changed in training: the same in every loop, never in evaluations, never in the saved model."""

import keras
import numpy as np
import pytest

import kerasrun
from kerasrun.errors import InputError
from kerasrun.training import evaluation

ALL = "flip,shift,rotate,crop,cutout,mixup"
SMALL = {
    "recipe": "cnn", "filters": "4", "hidden": "8", "kernel_size": 2, "dropout": 0.2, "limit": 90, "epochs": 2,
    "patience": None, "batch_size": 16, "class_weights": "balanced",
}  # fmt: skip


def train(results, **given):
    return kerasrun.train("digits", results=results, **{**SMALL, **given})


def table(run):
    return (run.folder / "metrics.csv").read_text()


@pytest.mark.parametrize("augment", [ALL, "flip(both)"])
def test_every_loop_sees_the_same_images(tmp_path, augment):
    runs = [train(tmp_path, augment=augment, loop=loop) for loop in ("plain", "resident", "stream")]
    assert len({table(run) for run in runs}) == 1
    assert table(train(tmp_path)) != table(runs[0])
    assert table(train(tmp_path, augment=augment, seed=1)) != table(runs[0])


def test_xla_compiles_it(tmp_path):
    runs = [train(tmp_path, augment=ALL, jit=True) for _ in range(2)]
    assert table(runs[0]) == table(runs[1])
    assert runs[0].status == "finished"


@pytest.mark.parametrize("scale", ["standardize", "none"])
def test_the_saved_model_knows_nothing_of_it_and_validation_is_that_of_the_saved_model(tmp_path, scale):
    from kerasrun.datasets import labelled
    from kerasrun.trained import trained

    run = train(tmp_path, augment=ALL, scale=scale, health=True, evaluate_train=20)
    assert not [layer.name for layer in run.model()._flatten_layers() if layer.name.startswith("augment")]
    assert "augment_mixup" in (run.folder / "model.txt").read_text()
    known = trained(run)
    part = labelled.own_part(run, known, "validation")
    measured = evaluation.evaluate(run, known, part.x, part.y).measured
    assert measured["loss"] == pytest.approx(run.record["best"]["val_loss"], rel=1e-6)


def test_weights_and_order_are_those_of_the_run_without_it(tmp_path):
    """The first weights do not depend on it, so that runs with and without it differ in nothing else."""
    runs = [train(tmp_path, augment=augment, learning_rate=1e-12, epochs=1) for augment in (ALL, "none")]
    for one, other in zip(*(run.model().get_weights() for run in runs), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)


def test_mixup_takes_any_form_of_labels_and_images_of_numbers(tmp_path):
    for more in ({"loss": "categorical_crossentropy", "class_weights": None}, {"precision": "mixed_float16"}):
        assert train(tmp_path, augment="mixup", **more).status == "finished"
    images = np.random.default_rng(0).normal(size=(60, 6, 5, 3)).astype(np.float32)
    np.savez(tmp_path / "numbers.npz", x=images, y=images.mean(axis=(1, 2)))
    run = kerasrun.train(str(tmp_path / "numbers.npz"), augment=ALL, epochs=2, hidden="4", results=tmp_path)
    assert run.record["task"]["kind"] == "regression"
    np.savez(tmp_path / "two.npz", x=images, y=np.arange(60) % 2)
    run = kerasrun.train(str(tmp_path / "two.npz"), augment="mixup", epochs=2, hidden="4", results=tmp_path)
    assert run.record["task"]["kind"] == "binary"


OWN_STEP = """
import keras


class Own(keras.Model):
    def train_step(self, data):
        return super().train_step(data)


def own(task):
    inputs = keras.Input(task.input_shape, dtype=task.input_dtype)
    hidden = keras.layers.Flatten()(inputs)
    return Own(inputs, keras.layers.Dense(task.num_outputs, activation=task.output_activation)(hidden))
"""


def test_a_model_with_its_own_step_is_augmented_but_not_mixed(tmp_path):
    (tmp_path / "mine.py").write_text(OWN_STEP)
    given = {"recipe": f"{tmp_path / 'mine.py'}:own", "limit": 50, "epochs": 1, "results": tmp_path}
    run = kerasrun.train("digits", augment="flip,shift", **given)
    assert run.status == "finished"
    with pytest.raises(InputError, match="Own has a train_step of its own, which mixup cannot change"):
        kerasrun.train("digits", augment="mixup", **given)


def test_a_layer_may_be_used_in_a_recipe(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import keras\nfrom kerasrun.layers import Flip\n\n\ndef mine(task):\n"
        "    return keras.Sequential([keras.Input(task.input_shape), Flip(), keras.layers.Flatten(),\n"
        "        keras.layers.Dense(task.num_outputs, activation=task.output_activation)])\n"
    )
    run = kerasrun.train("digits", recipe=f"{tmp_path / 'mine.py'}:mine", limit=50, epochs=1, results=tmp_path)
    assert "Flip" in [type(layer).__name__ for layer in run.model()._flatten_layers()]
    assert isinstance(run.model(), keras.Model)
