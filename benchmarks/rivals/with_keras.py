"""Keras as its guides teach it: `model.fit` on arrays, and on tf.data with steps_per_execution."""

from __future__ import annotations

import time
from typing import Any

import keras
import tensorflow as tf

from benchmarks.outcome import Outcome
from benchmarks.workloads import CONVOLUTIONS, WORD_SIZE, Arrays, Workload, load

LARGE_BATCH = 1024  # for validation by tf.data; `fit` on arrays takes the training batch, as it does by default


def fit_arrays(workload: Workload, epochs: int) -> Outcome:
    """Train by `model.fit(x, y)`."""
    arrays = load(workload)
    return _fit(
        _model(workload, arrays), epochs, x=arrays.x, y=arrays.y, validation_data=(arrays.x_val, arrays.y_val),
        batch_size=workload.batch,
    )  # fmt: skip


def fit_tf_data(workload: Workload, epochs: int) -> Outcome:
    """Train by `model.fit(tf.data.Dataset)`, 100 steps a call."""
    arrays = load(workload)
    pairs = tf.data.Dataset.from_tensor_slices((arrays.x, arrays.y)).shuffle(len(arrays.x))
    validation = tf.data.Dataset.from_tensor_slices((arrays.x_val, arrays.y_val)).batch(LARGE_BATCH)
    model = _model(workload, arrays, steps_per_execution=100)
    batches = pairs.batch(workload.batch).prefetch(tf.data.AUTOTUNE)
    return _fit(model, epochs, x=batches, validation_data=validation.prefetch(tf.data.AUTOTUNE))


def _model(workload: Workload, arrays: Arrays, **compile: Any) -> keras.Model:
    layers: list[Any] = [keras.Input(arrays.x.shape[1:], dtype=str(arrays.x.dtype))]
    if workload.is_text:
        layers += [keras.layers.Embedding(arrays.words, WORD_SIZE), keras.layers.GlobalAveragePooling1D()]
    else:
        layers.append(keras.layers.Rescaling(1 / 255))
    if workload.recipe == "cnn":
        for filters in CONVOLUTIONS:
            layers += [keras.layers.Conv2D(filters, 3, activation="relu"), keras.layers.MaxPooling2D(2)]
    layers += [] if workload.is_text else [keras.layers.Flatten()]
    for units in workload.hidden:
        layers.append(keras.layers.Dense(units))
        layers += [keras.layers.BatchNormalization()] if workload.batch_norm else []
        layers.append(keras.layers.Activation("relu"))
        layers += [keras.layers.Dropout(workload.dropout)] if workload.dropout else []
    layers.append(
        keras.layers.Dense(1, "sigmoid") if workload.is_text else keras.layers.Dense(arrays.classes, "softmax")
    )
    model = keras.Sequential(layers)
    loss = "binary_crossentropy" if workload.is_text else "sparse_categorical_crossentropy"
    model.compile(optimizer=workload.optimizer, loss=loss, metrics=["accuracy"], **compile)
    return model


def _fit(model: keras.Model, epochs: int, **data: Any) -> Outcome:
    clock = _Clock()
    history = model.fit(epochs=epochs, verbose=0, callbacks=[clock], **data).history
    last = {name: float(values[-1]) for name, values in history.items()}
    return Outcome(clock.seconds, last["loss"], last["accuracy"], last["val_loss"], last["val_accuracy"])


class _Clock(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds.append(time.perf_counter() - self._began)
