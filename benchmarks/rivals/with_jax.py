"""JAX: each epoch is one compiled `lax.scan` over the steps, network and optimizer written by hand."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.outcome import Outcome
from benchmarks.workloads import CONVOLUTIONS, WORD_SIZE, Arrays, Workload, load

LARGE_BATCH = 1000


def train(workload: Workload, epochs: int) -> Outcome:
    """Train; the number of examples must be a multiple of the batch."""
    arrays = load(workload)
    if len(arrays.x) % workload.batch:
        raise ValueError(f"{workload.name}: {len(arrays.x)} examples make no whole batches of {workload.batch}")
    x, y, x_val, y_val = (jnp.asarray(a) for a in (arrays.x, arrays.y, arrays.x_val, arrays.y_val))
    weights, statistics = _start(workload, arrays, jax.random.key(0))
    slots = (jax.tree.map(jnp.zeros_like, weights), jax.tree.map(jnp.zeros_like, weights))
    state = (weights, statistics, slots, jnp.zeros((), jnp.int32), jax.random.key(1))
    rng, seconds = np.random.default_rng(0), []
    for _ in range(epochs):
        began = time.perf_counter()
        order = jnp.asarray(rng.permutation(len(x)).astype(np.int32).reshape(-1, workload.batch))
        state, sums = _epoch(state, x, y, order, workload)
        val_sums = _evaluate(state, x_val, y_val, workload)
        loss, accuracy = (float(s) / len(x) for s in sums)
        val_loss, val_accuracy = (float(s) / len(x_val) for s in val_sums)
        seconds.append(time.perf_counter() - began)
    return Outcome(seconds, loss, accuracy, val_loss, val_accuracy)


@partial(jax.jit, static_argnames="workload", donate_argnames="state")
def _epoch(state, x, y, order, workload: Workload):
    """Walk through an epoch's batches; order is int32 (steps, batch). Returns the state, (sum of losses, right)."""

    def step(carry, chosen):
        (weights, statistics, slots, count, key), sums = carry
        key, noise = jax.random.split(key)
        measure = partial(_measure, workload=workload, training=True)
        (_, (more, statistics)), gradients = jax.value_and_grad(measure, has_aux=True)(
            weights, statistics, x[chosen], y[chosen], noise
        )
        count = count + 1
        weights, slots = {"rmsprop": _rmsprop, "adam": _adam}[workload.optimizer](weights, gradients, slots, count)
        return ((weights, statistics, slots, count, key), (sums[0] + more[0], sums[1] + more[1])), None

    (state, sums), _ = jax.lax.scan(step, (state, (jnp.zeros(()), jnp.zeros(()))), order)
    return state, sums


@partial(jax.jit, static_argnames="workload")
def _evaluate(state, x, y, workload: Workload):
    """Return the sum of losses and the right answers; the examples are walked through in large batches."""
    weights, statistics, *_ = state
    total, right = jnp.zeros(()), jnp.zeros(())
    for start in range(0, len(x), LARGE_BATCH):
        part = slice(start, start + LARGE_BATCH)
        _, (more, _) = _measure(weights, statistics, x[part], y[part], None, workload=workload, training=False)
        total, right = total + more[0], right + more[1]
    return total, right


def _measure(weights, statistics, x, y, key, *, workload: Workload, training: bool):
    """Return the mean loss, and with it (sum of losses, right answers) and batch normalization's running values."""
    outputs, statistics = _forward(weights, statistics, x, key, workload, training)
    if workload.is_text:
        losses = jnp.maximum(outputs, 0) - outputs * y + jnp.log1p(jnp.exp(-jnp.abs(outputs)))
        right = (outputs > 0) == (y > 0)
    else:
        losses = -jnp.take_along_axis(jax.nn.log_softmax(outputs), y[:, None], 1)[:, 0]
        right = outputs.argmax(1) == y
    return losses.mean(), ((losses.sum(), right.sum().astype(jnp.float32)), statistics)


def _start(workload: Workload, arrays: Arrays, key) -> tuple[dict[str, Any], list[Any]]:
    """Return weights (Glorot uniform, zeros) and batch normalization's running means and variances."""
    keys = iter(jax.random.split(key, 20))
    glorot, statistics = jax.nn.initializers.glorot_uniform(), []
    weights: dict[str, Any] = {"convolutions": [], "dense": [], "norms": []}
    width = WORD_SIZE if workload.is_text else arrays.x[0].size
    if workload.is_text:
        weights["words"] = jax.random.uniform(next(keys), (arrays.words, WORD_SIZE), minval=-0.05, maxval=0.05)
    if workload.recipe == "cnn":
        side, channels = arrays.x.shape[1], arrays.x.shape[3]
        for filters in CONVOLUTIONS:
            kernel = glorot(next(keys), (3, 3, channels, filters))
            weights["convolutions"].append((kernel, jnp.zeros(filters)))
            side, channels = (side - 2) // 2, filters
        width = side * side * channels
    for units in (*workload.hidden, 1 if workload.is_text else arrays.classes):
        weights["dense"].append((glorot(next(keys), (width, units)), jnp.zeros(units)))
        width = units
    if workload.batch_norm:
        weights["norms"] = [(jnp.ones(units), jnp.zeros(units)) for units in workload.hidden]
        statistics = [(jnp.zeros(units), jnp.ones(units)) for units in workload.hidden]
    return weights, statistics


def _forward(weights, statistics, x, key, workload: Workload, training: bool):
    """Return logits (batch, classes), or (batch,) for texts, and the running values."""
    renewed = []
    x = weights["words"][x].mean(1) if workload.is_text else x.astype(jnp.float32) / 255
    for kernel, bias in weights["convolutions"]:
        x = jax.lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = jax.nn.relu(x + bias)
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    x = x.reshape(len(x), -1)
    *hidden, last = weights["dense"]
    for i, (kernel, bias) in enumerate(hidden):
        x = x @ kernel + bias
        if workload.batch_norm:
            x, running = _normalize(x, weights["norms"][i], statistics[i], training)
            renewed.append(running)
        x = jax.nn.relu(x)
        if workload.dropout and training:
            kept = jax.random.bernoulli(jax.random.fold_in(key, i), 1 - workload.dropout, x.shape)
            x = jnp.where(kept, x / (1 - workload.dropout), 0)
    x = x @ last[0] + last[1]
    return (x[:, 0] if workload.is_text else x), renewed


def _normalize(x, scale_and_shift, running, training: bool):
    mean, variance = (x.mean(0), x.var(0)) if training else running
    running = tuple(0.99 * old + 0.01 * new for old, new in zip(running, (mean, variance), strict=True))
    scale, shift = scale_and_shift
    return (x - mean) * jax.lax.rsqrt(variance + 1e-3) * scale + shift, running


def _rmsprop(weights, gradients, slots, count, rate=1e-3, rho=0.9, epsilon=1e-7):
    """Keras's RMSprop."""
    velocity = jax.tree.map(lambda v, g: rho * v + (1 - rho) * g * g, slots[1], gradients)
    weights = jax.tree.map(lambda w, g, v: w - rate * g / jnp.sqrt(v + epsilon), weights, gradients, velocity)
    return weights, (slots[0], velocity)


def _adam(weights, gradients, slots, count, rate=1e-3, first=0.9, second=0.999, epsilon=1e-7):
    """Keras's Adam."""
    step = count.astype(jnp.float32)
    scaled = rate * jnp.sqrt(1 - second**step) / (1 - first**step)
    m = jax.tree.map(lambda m, g: m + (g - m) * (1 - first), slots[0], gradients)
    v = jax.tree.map(lambda v, g: v + (g * g - v) * (1 - second), slots[1], gradients)
    weights = jax.tree.map(lambda w, m, v: w - scaled * m / (jnp.sqrt(v) + epsilon), weights, m, v)
    return weights, (m, v)
