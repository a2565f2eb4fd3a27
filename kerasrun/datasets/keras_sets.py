"""The datasets of keras.datasets, decoded from Keras's cache with NumPy, so that loading them needs no TensorFlow.

The arrays, their order and their train/test split are those of Keras's own `load_data`.
"""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasrun.datasets import fetch, pickles
from kerasrun.datasets.parts import Unsplit, whole
from kerasrun.errors import DataUnavailable

if TYPE_CHECKING:
    from kerasrun.catalog import DatasetEntry

_SHUFFLE = 113  # the seed of Keras's own shuffling
_PAD, _START, _UNKNOWN, _FIRST_WORD = 0, 1, 2, 3

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # x_train, y_train, x_test, y_test


def read(entry: DatasetEntry, arguments: Mapping[str, Any]) -> Unsplit:
    """Return a dataset of Keras with its own test part; texts are cut or padded to the length that the task names.

    Raises:
        DataUnavailable: a file is damaged, or not cached and not to be fetched.
    """
    files = fetch.read(entry)
    try:
        x_train, y_train, x_test, y_test = _DECODERS[entry.name](files, arguments)
    except _FAULTS as error:
        names = ", ".join(download.file for download in entry.downloads)
        raise DataUnavailable(f"{fetch.folder()}: {names}: not as {entry.name} is stored: {error}") from error
    if entry.task.kind == "regression":
        y_train, y_test = (y.astype(np.float32).reshape(len(y), -1) for y in (y_train, y_test))
    else:
        y_train, y_test = (y.astype(np.int32).reshape(-1) for y in (y_train, y_test))
    return Unsplit(entry.task, entry.name, whole(x_train, y_train), test=whole(x_test, y_test))


_FAULTS = (
    pickle.UnpicklingError, zipfile.BadZipFile, tarfile.TarError, zlib.error, gzip.BadGzipFile, KeyError, ValueError,
    EOFError,
)  # fmt: skip


def fashion_mnist(files: Sequence[bytes], arguments: Mapping[str, Any]) -> Arrays:
    """Decode images uint8 (n, 28, 28) and labels uint8 (n,) from four files in the format idx, in any order."""
    arrays = [_idx(content) for content in files]
    images = sorted((a for a in arrays if a.ndim == 3), key=len)
    labels = sorted((a for a in arrays if a.ndim == 1), key=len)
    return images[1], labels[1], images[0], labels[0]


def mnist(files: Sequence[bytes], arguments: Mapping[str, Any]) -> Arrays:
    """Decode images uint8 (n, 28, 28) and labels uint8 (n,) from mnist.npz."""
    with np.load(io.BytesIO(files[0]), allow_pickle=False) as arrays:
        return arrays["x_train"], arrays["y_train"], arrays["x_test"], arrays["y_test"]


def cifar10(files: Sequence[bytes], arguments: Mapping[str, Any]) -> Arrays:
    """Decode images uint8 (n, 32, 32, 3) and labels from the archive of pickled batches."""
    names = [f"cifar-10-batches-py/data_batch_{number}" for number in range(1, 6)]
    batches = _batches(files[0], [*names, "cifar-10-batches-py/test_batch"], b"labels")
    x_train, y_train = (np.concatenate(arrays) for arrays in zip(*batches[:-1], strict=True))
    return x_train, y_train, *batches[-1]


def cifar100(files: Sequence[bytes], arguments: Mapping[str, Any]) -> Arrays:
    """Decode images uint8 (n, 32, 32, 3) and the 100 fine labels from the archive of pickled batches."""
    train, test = _batches(files[0], ["cifar-100-python/train", "cifar-100-python/test"], b"fine_labels")
    return *train, *test


def imdb(files: Sequence[bytes], arguments: Mapping[str, Any]) -> Arrays:
    """Decode reviews as word numbers int32 (n, length) and labels, shuffled as Keras does."""
    arrays = pickles.load_npz(files[0])
    rng = np.random.RandomState(_SHUFFLE)
    train, test = (_shuffled(len(arrays[name]), rng) for name in ("x_train", "x_test"))
    words = (arguments["num_words"], arguments["length"])
    x_train = padded(arrays["x_train"][train], *words)
    x_test = padded(arrays["x_test"][test], *words)
    return x_train, arrays["y_train"][train], x_test, arrays["y_test"][test]


def reuters(files: Sequence[bytes], arguments: Mapping[str, Any]) -> Arrays:
    """Decode newswires as word numbers int32 (n, length) and topics, shuffled and divided as Keras does."""
    arrays = pickles.load_npz(files[0])
    order = _shuffled(len(arrays["x"]), np.random.RandomState(_SHUFFLE))
    x = padded(arrays["x"][order], arguments["num_words"], arguments["length"])
    return _four_fifths(x, arrays["y"][order])


def california_housing(files: Sequence[bytes], arguments: Mapping[str, Any]) -> Arrays:
    """Decode the 20,640 block groups, x float32 (n, 8), y in dollars, shuffled and divided as Keras does."""
    with np.load(io.BytesIO(files[0]), allow_pickle=False) as arrays:
        x, y = arrays["x"], arrays["y"]
    order = _shuffled(len(x), np.random.RandomState(_SHUFFLE))
    return _four_fifths(x[order], y[order])


_DECODERS = {
    "fashion-mnist": fashion_mnist, "mnist": mnist, "cifar10": cifar10, "cifar100": cifar100,
    "imdb": imdb, "reuters": reuters, "california-housing": california_housing,
}  # fmt: skip


def padded(texts: Sequence[Sequence[int]], num_words: int, length: int) -> np.ndarray:
    """Return texts as word numbers of one length, as keras.datasets and keras.utils.pad_sequences make them by default.

    Args:
        texts: word numbers by frequency, counted from 1.
        num_words: numbers from here on become 2, "unknown word".
        length: longer texts lose their beginning, shorter ones are filled up with 0 in front.

    Returns:
        int32, (texts, length): 0 padding, 1 start of the text, 2 unknown word, words from 4.
    """
    x = np.full((len(texts), length), _PAD - _FIRST_WORD, dtype=np.int32)
    for row, text in zip(x, texts, strict=True):
        kept = text[-length:]
        row[length - len(kept) :] = kept
        if len(kept) < length:
            row[length - len(kept) - 1] = _START - _FIRST_WORD
    x += _FIRST_WORD
    x[x >= num_words] = _UNKNOWN
    return x


def _idx(content: bytes) -> np.ndarray:
    """Decode a gzip-compressed file in the format idx: 0, 0, dtype, dimensions, big-endian sizes, bytes."""
    raw = zlib.decompress(content, wbits=31)
    if raw[:3] != b"\x00\x00\x08":
        raise ValueError("not an idx file of bytes")
    dimensions = raw[3]
    shape = np.frombuffer(raw, dtype=">i4", count=dimensions, offset=4)
    return np.frombuffer(raw, dtype=np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def _batches(content: bytes, names: list[str], label_key: bytes) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return images uint8 (n, 32, 32, 3) and labels of each named member of CIFAR's archive, unpacked in memory."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        members = archive.getmembers()
        strange = [m.name for m in members if not (m.isfile() or m.isdir()) or ".." in m.name or m.name.startswith("/")]
        if strange:
            raise ValueError(f"the archive holds members that point outside it: {', '.join(strange[:3])}")
        by_name = {member.name: member for member in members}
        return [_batch(archive, by_name[name], label_key) for name in names]


def _batch(archive: tarfile.TarFile, member: tarfile.TarInfo, label_key: bytes) -> tuple[np.ndarray, np.ndarray]:
    file = archive.extractfile(member)
    if file is None:
        raise ValueError(f"{member.name} is no file")
    batch = pickles.load(file.read())
    images = batch[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), np.array(batch[label_key], dtype=np.uint8)


def _shuffled(size: int, rng: np.random.RandomState) -> np.ndarray:
    order = np.arange(size)
    rng.shuffle(order)
    return order


def _four_fifths(x: np.ndarray, y: np.ndarray) -> Arrays:
    first = int(len(x) * (1 - 0.2))
    return x[:first], y[:first], x[first:], y[first:]
