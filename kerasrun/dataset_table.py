"""The named datasets as facts: shapes, classes, sizes, where Keras fetches them from. No data is opened for these.

Addresses and hashes are those of keras/src/datasets/*.py (Keras 3.15.1); for Fashion-MNIST Keras checks no hash, and
these are of the files as published.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from kerasrun import task
from kerasrun.task import Task

_STORAGE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_TORONTO = "https://www.cs.toronto.edu/~kriz/"
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Download:
    """One file that Keras fetches for a dataset.

    Args:
        file: its path under Keras's folder for datasets, with the names that Keras gives.
        url: where it comes from.
        bytes: its size.
        hash: its sha256 in hexadecimal.
    """

    file: str
    url: str
    bytes: int
    hash: str


@dataclass(frozen=True)
class DatasetEntry:
    """What is known of a dataset without opening it.

    Args:
        name: its name; for a file, its path (its task bears the file's name without the ending).
        source: the module of kerasrun.datasets that reads it.
        description: one line.
        task: what it asks of a network.
        raw_dtype: dtype of the examples as they are stored: "uint8", "float32", or "int32" for word numbers.
        train: examples in its training part.
        test: examples in its test part; 0 where it has none of its own.
        scale: default scaling: "none", "unit" or "standardize".
        recipe: default recipe.
        settings: its own defaults of settings and of the default recipe's knobs.
        arguments: the arguments that it takes, with defaults; none for a file.
        downloads: the files that it is made of; empty where nothing is fetched.
    """

    name: str
    source: str
    description: str
    task: Task
    raw_dtype: str
    train: int
    test: int
    scale: str
    recipe: str = "dense"
    settings: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    downloads: tuple[Download, ...] = ()

    @property
    def is_own(self) -> bool:
        """Whether it is the user's own file or folder, named by its path."""
        return self.source in ("arrays", "tables", "images", "texts")


def entries(arguments: Mapping[str, Any] = _NOTHING) -> dict[str, DatasetEntry]:
    """Return all named datasets.

    Args:
        arguments: `num_words` and `length`, where the texts are not to be taken by default (10000 words, length 200).
    """
    return _entries(**{"num_words": 10000, "length": 200, **arguments})


@functools.cache
def _entries(num_words: int, length: int) -> dict[str, DatasetEntry]:
    every = [*_images(), *_texts(num_words, length), *_tables(), *_own_copies(), *_truth_tables()]
    return {entry.name: entry for entry in every}


def _images() -> Iterable[DatasetEntry]:
    yield DatasetEntry(
        "fashion-mnist", "keras_sets", "70,000 grey images of clothes, 10 classes (Zalando)",
        task.multiclass("fashion-mnist", (28, 28), 10, class_names=_CLOTHES), "uint8", 60000, 10000, "unit",
        downloads=_FASHION_MNIST,
    )  # fmt: skip
    yield DatasetEntry(
        "mnist", "keras_sets", "70,000 grey images of handwritten digits",
        task.multiclass("mnist", (28, 28), 10, class_names=_DIGITS), "uint8", 60000, 10000, "unit",
        downloads=(_stored("mnist.npz", 11490434, "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"),),
    )  # fmt: skip
    yield DatasetEntry(
        "cifar10", "keras_sets", "60,000 colour images of things and animals, 10 classes",
        task.multiclass("cifar10", (32, 32, 3), 10, class_names=_CIFAR10), "uint8", 50000, 10000, "unit", "cnn",
        downloads=(Download(
            "cifar-10-batches-py-target_archive", _TORONTO + "cifar-10-python.tar.gz", 170498071,
            "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        ),),
    )  # fmt: skip
    yield DatasetEntry(  # by `kerasrun datasets add` alone: which 5,000 these are, nobody's server says
        "cifar10-small", "keras_sets", "6,000 of the images of cifar10, for trials: added by kerasrun datasets add",
        task.multiclass("cifar10-small", (32, 32, 3), 10, class_names=_CIFAR10), "uint8", 5000, 1000, "unit", "cnn",
    )  # fmt: skip
    yield DatasetEntry(
        "cifar100", "keras_sets", "60,000 colour images, 100 fine classes",
        task.multiclass("cifar100", (32, 32, 3), 100, class_names=_CIFAR100), "uint8", 50000, 10000, "unit", "cnn",
        downloads=(Download(
            "cifar-100-python-target_archive", _TORONTO + "cifar-100-python.tar.gz", 169001437,
            "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
        ),),
    )  # fmt: skip


def _texts(num_words: int, length: int) -> Iterable[DatasetEntry]:
    words: dict[str, Any] = {"input_dtype": "int32", "vocabulary_size": num_words, "sequence_length": length}
    arguments = {"num_words": num_words, "length": length}
    yield DatasetEntry(
        "imdb", "keras_sets", "50,000 film reviews as word numbers: positive or negative",
        task.binary("imdb", (length,), class_names=("negative", "positive"), **words),
        "int32", 25000, 25000, "none", "embedding", arguments=arguments,
        downloads=(_stored("imdb.npz", 17464789, "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"),),
    )  # fmt: skip
    yield DatasetEntry(
        "reuters", "keras_sets", "11,228 news as word numbers, 46 topics",
        task.multiclass("reuters", (length,), 46, class_names=_REUTERS, **words),
        "int32", 8982, 2246, "none", "embedding", arguments=arguments,
        downloads=(
            _stored("reuters.npz", 2110848, "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"),
        ),
    )  # fmt: skip


def _tables() -> Iterable[DatasetEntry]:
    yield DatasetEntry(
        "california-housing", "keras_sets", "20,640 districts of California: median house value, in dollars",
        task.regression("california-housing", (8,)), "float32", 16512, 4128, "standardize",
        downloads=(
            _stored(
                "california_housing.npz", 743530, "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
            ),
        ),
    )  # fmt: skip
    bundled = [
        ("digits", "1,797 grey images of handwritten digits, 8×8, values 0 to 16",
         task.multiclass("digits", (8, 8), 10, class_names=_DIGITS), 1797),
        ("iris", "150 flowers by 4 lengths, 3 species",
         task.multiclass("iris", (4,), 3, class_names=("setosa", "versicolor", "virginica")), 150),
        ("wine", "178 wines by 13 chemical measurements, 3 cultivars",
         task.multiclass("wine", (13,), 3, class_names=("class_0", "class_1", "class_2")), 178),
        ("breast-cancer", "569 cell samples by 30 measurements: malignant or benign",
         task.binary("breast-cancer", (30,), class_names=("malignant", "benign")), 569),
        ("diabetes", "442 patients by 10 measurements: progress of the disease after a year",
         task.regression("diabetes", (10,)), 442),
    ]  # fmt: skip
    for name, description, asked, examples in bundled:
        yield DatasetEntry(name, "bundled", description, asked, "float32", examples, 0, "standardize")


def _own_copies() -> Iterable[DatasetEntry]:
    """Yield tables that nobody fetches: the user adds a copy. Shapes and words are about what its training part has."""
    words: dict[str, Any] = {"input_dtype": "int32", "vocabulary_size": 10_002, "sequence_length": 32}
    texts: dict[str, Any] = {"target": "label", "text": "text"}
    yield DatasetEntry(
        "sms-spam", "texts", "5,574 text messages: ham or spam (Almeida & Gómez Hidalgo)",
        task.binary("sms-spam", (32,), class_names=("ham", "spam"), **words),
        "int32", 5574, 0, "none", "embedding", settings=texts,
    )  # fmt: skip
    yield DatasetEntry(
        "naver-reviews", "texts", "10,000 Korean film reviews: negative or positive",
        task.binary("naver-reviews", (32,), class_names=("negative", "positive"), **words),
        "int32", 10000, 0, "none", "embedding", settings=texts,
    )  # fmt: skip
    yield DatasetEntry(
        "titanic", "tables", "891 passengers: who survived; 866 cells are empty",
        task.binary("titanic", (12,), class_names=("0", "1")), "float32", 891, 0, "standardize",
        settings={"target": "Survived"},
    )  # fmt: skip
    yield DatasetEntry(
        "penguins", "tables", "344 penguins of 3 species; 19 cells are empty",
        task.multiclass("penguins", (10,), 3, class_names=("Adelie", "Chinstrap", "Gentoo")), "float32", 344, 0,
        "standardize", settings={"target": "species"},
    )  # fmt: skip


def _truth_tables() -> Iterable[DatasetEntry]:
    # The rate and the batch of all four rows make plain gradient descent, as in the textbook (rate 1).
    settings = {"epochs": 50, "batch_size": 4, "optimizer": "sgd(learning_rate=1.0)", "patience": None}
    for name, answers in (("and", "0 0 0 1"), ("or", "0 1 1 1"), ("nand", "1 1 1 0"), ("xor", "0 1 1 0")):
        # In NumPy, 4 sigmoid units solved XOR from all of 60 starts, 2 from 43: a first try should see it solved.
        network = {"hidden": (4,), "activation": "sigmoid"} if name == "xor" else {}
        yield DatasetEntry(
            name, "truth_tables", f"the truth table of {name.upper()}: four rows, answers {answers}",
            task.binary(name, (2,)), "float32", 4, 4, "none", "dense" if name == "xor" else "perceptron",
            settings={**settings, **network},
        )  # fmt: skip


def _stored(file: str, size: int, sha256: str) -> Download:
    return Download(file, _STORAGE + file, size, sha256)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
_DIGITS = tuple("0123456789")
_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_CIFAR100 = _words("""
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
willow_tree wolf woman worm
""")
_REUTERS = _words("""
cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass crude
nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi iron-steel
rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead
""")
_FASHION_MNIST = tuple(
    Download(f"fashion-mnist/{file}", _STORAGE + file, size, sha256)
    for file, size, sha256 in (
        ("train-labels-idx1-ubyte.gz", 29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        ("train-images-idx3-ubyte.gz", 26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        ("t10k-labels-idx1-ubyte.gz", 5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ("t10k-images-idx3-ubyte.gz", 4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
    )
)
