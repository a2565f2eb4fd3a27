"""Randomness that depends on the run's seed and on a layer's own path, never on what else the network holds.

In Keras a Dropout between two layers shifts the initial weights of the second one, because default seeds come from one
counter. Here each weight and each noise generator has a seed of its own, so networks that differ in one layer share
whatever they can share.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np


def derive(seed: int, stream: str, path: str) -> int:
    """Return a seed in [0, 2**31) that is a pure function of the run's seed, the stream's name and a path."""
    digest = hashlib.sha256(f"{seed}/{stream}/{path}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def batch_order(seed: int, epoch: int, examples: int, passes: int = 1) -> np.ndarray:
    """Return the order of an epoch's examples.

    Args:
        seed: the run's seed.
        epoch: from 0.
        examples: number of training examples.
        passes: how often the epoch goes through them; each time in another order.

    Returns:
        int32, (passes * examples,); each pass is a permutation of 0 … examples - 1.
    """
    generator = np.random.default_rng([derive(seed, "order", "batches"), epoch])
    return np.concatenate([generator.permutation(examples) for _ in range(passes)]).astype(np.int32)


def fixed_examples(split_seed: int, purpose: str, examples: int, count: int) -> np.ndarray:
    """Return the rows of some training examples that are the same in all runs on one split, int64 (count,), rising.

    Args:
        split_seed: decides the split.
        purpose: what they are for; others for each.
        examples: number of training examples.
        count: how many; all where there are not so many.
    """
    order = np.random.default_rng(derive(split_seed, "examples", purpose)).permutation(examples)
    return np.sort(order[:count])


@contextmanager
def recorded_initializers() -> Iterator[dict[int, Any]]:
    """Remember each weight's initializer, by the id of the variable, while a recipe builds its model."""
    initializers: dict[int, Any] = {}
    original = keras.layers.Layer.add_weight

    def add_weight(layer: Any, *args: Any, **kwargs: Any) -> Any:
        variable = original(layer, *args, **kwargs)
        named = kwargs.get("initializer", args[1] if len(args) > 1 else None)
        # Keras draws a float weight of which no initializer is named as Glorot uniform (Layer.add_weight)
        initializers[id(variable)] = keras.initializers.get(named or "glorot_uniform")
        return variable

    keras.layers.Layer.add_weight = add_weight
    try:
        yield initializers
    finally:
        keras.layers.Layer.add_weight = original


def redraw(model: keras.Model, seed: int, initializers: dict[int, Any]) -> list[str]:
    """Draw every random weight anew and restart every noise generator, from seeds of their own.

    Args:
        model: a built model.
        seed: the run's seed.
        initializers: what `recorded_initializers` remembered.

    Returns:
        The paths of weights and layers whose seed the recipe itself had set; these keep it.
    """
    own: list[str] = []
    own_name = f"{model.name}/"  # in a Sequential model's paths, not in a Functional one's
    for path, variable in _numbered((v.path.removeprefix(own_name), v) for v in model.weights):
        initializer = initializers.get(id(variable))
        if not isinstance(initializer, keras.Initializer):
            continue  # a function: it draws nothing by itself
        config = initializer.get_config()
        if config.get("seed", 0) is None:  # random, and without a seed of the recipe's own
            config["seed"] = derive(seed, "weights", path)
            variable.assign(type(initializer).from_config(config)(variable.shape, dtype=variable.dtype))
        elif "seed" in config:
            own.append(path)
    # Keras lists noise generators nowhere in public
    return own + restart([layer for layer in model._flatten_layers() if layer._seed_generators], seed)


def restart(layers: Sequence[Any], seed: int) -> list[str]:
    """Restart the noise generators of layers, each from a seed of its own; return those whose seed the recipe had set.

    Args:
        layers: that draw random numbers.
        seed: the run's seed.
    """
    own = []
    for path, layer in _numbered((layer.name, layer) for layer in layers):
        if getattr(layer, "seed", None) is not None:
            own.append(path)
            continue
        for index, generator in enumerate(layer._seed_generators):
            generator.state.assign([derive(seed, "noise", f"{path}/{index}"), 0])
    return own


def _numbered(items: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Number the repetitions of a path: two inner models may both hold a layer named "dense"."""
    counts: Counter[str] = Counter()
    for path, thing in items:
        counts[path] += 1
        yield (path if counts[path] == 1 else f"{path}#{counts[path]}"), thing
