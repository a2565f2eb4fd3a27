"""The resident and the stream loop equal the plain one, `model.fit` with Keras's own function, to the last bit."""

from dataclasses import replace

import numpy as np
import pytest

import kerasrun
from kerasrun.errors import InputError
from kerasrun.training.loop import Plan, evaluation_batch

RECIPES = {
    "layer_norm": """
        import keras
        def layer_norm(task):
            return keras.Sequential([
                keras.Input(task.input_shape, dtype=task.input_dtype), keras.layers.Flatten(), keras.layers.Dense(16),
                keras.layers.LayerNormalization(), keras.layers.GaussianNoise(0.1), keras.layers.Activation("tanh"),
                keras.layers.Dense(task.num_outputs, activation=task.output_activation)])
    """,
    "lstm": """
        import keras
        def lstm(task):
            return keras.Sequential([
                keras.Input(task.input_shape, dtype=task.input_dtype), keras.layers.LSTM(6, dropout=0.2),
                keras.layers.Dense(task.num_outputs, activation=task.output_activation)])
    """,
    "own_step": """
        import keras
        import tensorflow as tf
        class Halved(keras.Model):
            def train_step(self, data):
                x, y = data
                with tf.GradientTape() as tape:
                    prediction = self(x, training=True)
                    loss = self.compute_loss(y=y, y_pred=prediction) * 0.5
                gradients = tape.gradient(loss, self.trainable_variables)
                self.optimizer.apply(gradients, self.trainable_variables)
                for metric in self.metrics:
                    if metric.name == "loss":
                        metric.update_state(loss)
                    else:
                        metric.update_state(y, prediction)
                return {m.name: m.result() for m in self.metrics}
        def own_step(task):
            inputs = keras.Input(task.input_shape, dtype=task.input_dtype)
            hidden = keras.layers.Dense(12, activation="relu")(keras.layers.Flatten()(inputs))
            outputs = keras.layers.Dense(task.num_outputs, activation=task.output_activation)(hidden)
            return Halved(inputs, outputs)
    """,
}
CASES = {
    "sgd with momentum": {"optimizer": "momentum"},
    "rmsprop, dropout": {"optimizer": "rmsprop", "dropout": 0.3},
    "adam, batch normalization, dropout": {"optimizer": "adam", "dropout": 0.2, "batch_norm": True},
    "l2, several metrics": {"l2": 0.01, "metrics": "top_k_categorical_accuracy(k=3),sparse_categorical_crossentropy"},
    "class weights": {"class_weights": "0=3,1=0.5"},
    "balanced class weights, one-hot": {"class_weights": "balanced", "loss": "categorical_crossentropy"},
    "gradient clipping": {"clip_norm": 0.5},
    "step schedule": {"schedule": "step(every=1, factor=0.5)"},
    "mixed precision": {"precision": "mixed_float16"},
    "a convolution": {"recipe": "cnn", "filters": "4-8", "kernel_size": 2, "hidden": "16"},
    "the whole training part as one batch": {"batch_size": 1000, "optimizer": "sgd(learning_rate=0.5)"},
    "maxout, lsuv": {"activation": "maxout", "initializer": "lsuv"},
    "layer normalization, noise": {"recipe": "layer_norm"},
    "an lstm": {"recipe": "lstm"},
    "a train_step of its own": {"recipe": "own_step"},
    "an embedding": {"dataset": "synthetic:imdb(length=20)", "recipe": "embedding"},
    "regression": {"dataset": "diabetes"},
    "binary": {"dataset": "breast-cancer"},
}


def trained(folder, loop, case):
    given = {"dataset": "digits", "epochs": 2, "limit": 150, "hidden": "12", "loop": loop, **case}
    if given.get("recipe") in RECIPES:
        path = folder / f"{given['recipe']}.py"
        path.write_text("\n".join(line[8:] for line in RECIPES[given["recipe"]].splitlines()))
        given["recipe"] = str(path)
    if given.get("recipe", "dense") not in ("dense", "cnn"):
        del given["hidden"]
    return kerasrun.train(given.pop("dataset"), results=folder / loop, **given)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_loop_gives_the_plain_loops_numbers_to_the_last_bit(tmp_path, case):
    plain = trained(tmp_path, "plain", case)
    for loop in ("resident", "stream"):
        run = trained(tmp_path, loop, case)
        assert (run.folder / "metrics.csv").read_bytes() == (plain.folder / "metrics.csv").read_bytes()
        if case.get("recipe") == "own_step":
            continue  # best.keras of a class of one's own loads with its recipe only
        for ours, theirs in zip(run.model().get_weights(), plain.model().get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_the_plain_loop_gives_the_numbers_of_a_keras_script(tmp_path):
    """The reference of all loops is checked against `fit` on arrays in the same order, written by hand."""
    from kerasrun import datasets
    from kerasrun.experiment import resolve
    from kerasrun.training import model, seeds

    given = {"epochs": 2, "limit": 150, "hidden": "12", "dropout": 0.2, "loop": "plain"}
    run = kerasrun.train("digits", results=tmp_path, **given)
    experiment = resolve("digits", given)
    data = datasets.load(experiment)
    script = model.build(experiment, data.task, data.train.x, data.train.y).model
    losses = []
    for epoch in range(2):
        order = seeds.batch_order(0, epoch, len(data.train.x))
        x, y = data.train.x[order], data.train.y[order]
        history = script.fit(x, y, batch_size=32, shuffle=False, verbose=0)
        losses.append(np.float32(history.history["loss"][0]))
    assert [str(loss) for loss in losses] == [str(np.float32(v)) for v in run.metrics["loss"]]


@pytest.mark.parametrize("loop", ["plain", "resident"])
def test_averaged_weights_are_not_put_in_place_of_those_that_were_measured(tmp_path, loop):
    """Keras's `fit` would do so at its end; the record, best.keras and predictions.npz are of the same weights."""
    from kerasrun import datasets
    from kerasrun.experiment import resolve

    given = {"optimizer": "adam(learning_rate=0.05, use_ema=True)", "hidden": "8", "epochs": 2, "loop": loop}
    run = kerasrun.train("iris", results=tmp_path, **given)
    validation = datasets.load(resolve("iris", given)).validation
    with np.load(run.folder / "predictions.npz") as kept:
        np.testing.assert_array_equal(kept["validation_best"], run.model()(validation.x).numpy().argmax(axis=1))
        last = np.mean(kept["validation_last"] == kept["validation_labels"])
    assert last == pytest.approx(run.record["last"]["val_accuracy"])


@pytest.mark.parametrize(
    ("dataset", "metric", "given"),
    [("xor", "precision(thresholds=[0.3, 0.5])", {}),
     ("iris", "f1_score(average=none)", {"loss": "categorical_crossentropy"})],
)  # fmt: skip
def test_a_metric_of_several_numbers_is_refused_before_the_first_step(tmp_path, dataset, metric, given):
    with pytest.raises(InputError, match=rf"metric {metric[:8]}.* gives [23] numbers, and one is wanted"):
        kerasrun.train(dataset, metrics=metric, epochs=2, results=tmp_path, **given)
    assert not list(tmp_path.glob(f"{dataset}*"))


def test_blocks_end_at_their_size_and_where_something_is_measured():
    plan = Plan("resident", 1000, 10, 1, 40, jit=False)
    assert plan.ends == (40, 80, 100)
    assert replace(plan, every=30).ends == (30, 40, 60, 80, 90, 100)
    assert replace(plan, marks=(10, 80, 100, 500)).ends == (10, 40, 80, 100)
    assert replace(plan, block=500, examples=995).ends == (100,)
    assert replace(plan, passes=2, block=150).ends == (150, 200)


def test_the_order_of_an_epoch_depends_on_seed_and_epoch_alone():
    from kerasrun.training.seeds import batch_order

    np.testing.assert_array_equal(batch_order(3, 5, 100), batch_order(3, 5, 100))
    orders = [tuple(batch_order(seed, epoch, 100)) for seed in (0, 1) for epoch in (0, 1)]
    assert len(set(orders)) == 4
    assert all(sorted(order) == list(range(100)) for order in orders)


def test_several_passes_go_through_all_examples_each_time():
    from kerasrun.training.seeds import batch_order

    order = batch_order(0, 0, 4, passes=100).reshape(100, 4)
    assert (np.sort(order, axis=1) == np.arange(4)).all()
    assert len({tuple(row) for row in order}) > 10


@pytest.mark.parametrize(("shape", "batch"), [((28, 28), 1024), ((224, 224, 3), 256), ((5000, 5000, 3), 1)])
def test_the_evaluation_batch_is_the_largest_power_of_two_under_64_megabytes(shape, batch):
    assert evaluation_batch(np.broadcast_to(np.uint8(0), (2048, *shape))) == batch


@pytest.mark.parametrize(("size", "loop"), [(4 * 2**30, "resident"), (5 * 2**30, "stream")])
def test_the_loop_is_chosen_by_the_datas_size(size, loop):
    import keras

    from kerasrun.training.loop import choose_loop

    chosen, notes = choose_loop("auto", keras.Sequential(), size, 10 * 2**30)
    assert chosen == loop
    assert bool(notes) == (loop == "stream")
    assert choose_loop("plain", keras.Sequential(), size, 10 * 2**30) == ("plain", ())


def test_a_model_with_a_fit_of_its_own_goes_the_plain_way_and_it_is_said():
    import keras

    from kerasrun.training.loop import choose_loop

    class Own(keras.Model):
        def fit(self, *args, **kwargs):
            return super().fit(*args, **kwargs)

    assert choose_loop("resident", Own(), 1, 10**9) == ("plain", ("plain loop: Own has a fit of its own",))


def test_blocks_compiled_with_xla_learn_the_same_to_rounding(tmp_path):
    """But for dropout, whose masks are others under XLA."""
    given = {"epochs": 3, "limit": 160, "hidden": "16"}
    plain = kerasrun.train("digits", results=tmp_path, **given)
    compiled = kerasrun.train("digits", results=tmp_path, jit=True, **given)
    assert compiled.record["jit"] is True
    np.testing.assert_allclose(compiled.metrics["loss"], plain.metrics["loss"], rtol=1e-4)


def test_the_stream_loop_compiles_its_steps_with_xla(tmp_path):
    """With the resident loop's masks of dropout, which XLA draws; equal to rounding, as other operations are fused."""
    given = {"epochs": 2, "limit": 150, "hidden": "16", "dropout": 0.3, "batch_norm": True, "jit": True}
    resident = kerasrun.train("digits", results=tmp_path, loop="resident", **given)
    stream = kerasrun.train("digits", results=tmp_path, loop="stream", **given)
    assert (stream.record["loop"], stream.record["jit"]) == ("stream", True)
    np.testing.assert_allclose(stream.metrics, resident.metrics, rtol=1e-4)


def test_convolutions_on_a_cpu_are_not_compiled_and_it_is_said(tmp_path):
    notes = []
    run = kerasrun.train(
        "digits", recipe="cnn", filters="4", kernel_size=2, hidden="8", epochs=1, limit=60, jit=True, results=tmp_path,
        watch=lambda event: notes.extend(getattr(event, "notes", ())),
    )  # fmt: skip
    assert run.record["jit"] is False
    assert any("convolutions on the CPU are not compiled" in note for note in notes)


def test_threads_depend_on_the_model_and_the_cores_alone():
    import keras

    from kerasrun.training.devices import automatic_threads

    small = keras.Sequential([keras.Input((784,)), keras.layers.Dense(100), keras.layers.Dense(10)])
    large = keras.Sequential([keras.Input((784,)), keras.layers.Dense(2000), keras.layers.Dense(2000)])
    convolutions = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3)])
    assert automatic_threads(small, 32, 8, jit=False) == 1
    assert automatic_threads(small, 32, 8, jit=True) == 8
    assert automatic_threads(large, 32, 8, jit=False) == 8
    assert automatic_threads(convolutions, 32, 8, jit=False) == 8
