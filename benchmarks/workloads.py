"""What is trained in every benchmark: data, network, optimizer, batch size. All rivals read the same fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasrun import catalog, datasets
from kerasrun.experiment import resolve


@dataclass(frozen=True)
class Workload:
    """One training that every rival makes with the same mathematics.

    Args:
        name: in the tables.
        dataset: of kerasrun; its made-up stand-in is taken where the data are not on this machine.
        recipe: "dense", "cnn" or "embedding"; "lstm" for kerasrun alone.
        hidden: units of the hidden layers.
        dropout: share, after each hidden layer.
        batch_norm: whether it stands before each hidden layer's activation.
        optimizer: "rmsprop" or "adam", with Keras's constants.
        batch: examples a step.
        limit: training examples, or None for all that the split leaves.
    """

    name: str
    dataset: str
    recipe: str = "dense"
    hidden: tuple[int, ...] = (100,)
    dropout: float = 0.0
    batch_norm: bool = False
    optimizer: str = "rmsprop"
    batch: int = 32
    limit: int | None = None

    @property
    def is_text(self) -> bool:
        """Whether inputs are word numbers and the answer is yes or no."""
        return self.recipe in ("embedding", "lstm")

    def given(self) -> dict[str, Any]:
        """Return the settings and knobs with which kerasrun trains it."""
        given: dict[str, Any] = {"optimizer": self.optimizer, "batch_size": self.batch, "patience": None}
        if self.limit is not None:
            given["limit"] = self.limit
        if self.recipe in ("dense", "cnn"):
            given |= {"hidden": self.hidden, "dropout": self.dropout, "batch_norm": self.batch_norm}
        return given | {"recipe": LSTM if self.recipe == "lstm" else self.recipe}


@dataclass(frozen=True)
class Arrays:
    """Training and validation part: images uint8, words int32, labels int32."""

    x: np.ndarray
    y: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    classes: int
    words: int | None


LSTM = __file__.replace("workloads.py", "lstm.py")
CONVOLUTIONS = (16, 32)  # filters of the two 3×3 convolutions, each followed by 2×2 max pooling
WORD_SIZE = 16  # length of a word's vector
_FASHION, _CIFAR, _TEXT = "fashion-mnist", "cifar100", "synthetic:imdb(num_words=10000, length=200)"
WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("dense, batch 32", _FASHION),
        Workload("dense, batch 128", _FASHION, batch=128),
        Workload("dense + dropout + batch norm, batch 32", _FASHION, dropout=0.2, batch_norm=True, optimizer="adam"),
        Workload("CNN, batch 32", _CIFAR, "cnn", (256,), optimizer="adam", limit=8192),
        Workload("CNN, batch 128", _CIFAR, "cnn", (256,), optimizer="adam", limit=8192, batch=128),
        Workload("embedding, batch 32", _TEXT, "embedding", (), optimizer="adam"),
    )
}


def at_hand(dataset: str) -> str:
    """Return a dataset's name where its data are on this machine, else the name of its made-up stand-in."""
    entry, _ = catalog.dataset(dataset)
    return f"synthetic:{dataset}" if datasets.status(entry) == "not cached" else dataset


def load(workload: Workload) -> Arrays:
    """Return the arrays as kerasrun splits them."""
    data = datasets.load(resolve(workload.dataset, workload.given()))
    return Arrays(data.train.x, data.train.y, data.validation.x, data.validation.y, data.task.num_classes or 2,
                  data.task.vocabulary_size)  # fmt: skip
