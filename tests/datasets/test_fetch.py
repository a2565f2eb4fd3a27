import hashlib
import io
import os
import pickle
import tarfile
from dataclasses import replace

import numpy as np
import pytest

from kerasrun import catalog
from kerasrun.catalog import Download
from kerasrun.datasets import fetch, keras_sets, pickles
from kerasrun.errors import DataUnavailable, DiskError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras" / "datasets"


@pytest.fixture
def source(tmp_path):
    """A file that a "server" offers, and the entry of a dataset that is made of it."""
    offered = tmp_path / "offered.npz"
    x, y = np.zeros((2, 28, 28), np.uint8), np.zeros(2, np.uint8)
    np.savez(offered, x_train=x, y_train=y, x_test=x, y_test=y)
    content = offered.read_bytes()
    download = Download("mnist.npz", offered.as_uri(), len(content), hashlib.sha256(content).hexdigest())
    return offered, replace(catalog.dataset("mnist")[0], downloads=(download,))


def test_a_missing_file_is_fetched_once_and_then_cached(cache, source, capsys):
    offered, entry = source
    assert not fetch.cached(entry)
    (content,) = fetch.read(entry)
    assert content == offered.read_bytes()
    offered.unlink()
    assert fetch.cached(entry)
    assert fetch.read(entry) == [content]
    assert capsys.readouterr().err.count("fetching mnist.npz") == 1
    assert [path.name for path in cache.iterdir()] == ["mnist.npz"]


def test_a_fetched_file_with_a_wrong_hash_is_deleted_and_asked_for_once_more(cache, source, monkeypatch):
    offered, entry = source
    asked = []
    receive = fetch._receive
    monkeypatch.setattr(fetch, "_receive", lambda *given: asked.append(given) or receive(*given))
    offered.write_bytes(b"something else")
    with pytest.raises(DataUnavailable, match="twice a file with the wrong hash"):
        fetch.read(entry)
    assert len(asked) == 2
    assert list(cache.iterdir()) == []


def test_a_cached_file_that_was_changed_is_refused_and_kept(cache, source):
    _, entry = source
    fetch.read(entry)
    spoilt = bytearray((cache / "mnist.npz").read_bytes())
    spoilt[100] ^= 1
    (cache / "mnist.npz").write_bytes(spoilt)
    found = hashlib.sha256(spoilt).hexdigest()
    with pytest.raises(DataUnavailable, match=rf"mnist\.npz: damaged.*{found}, expected {entry.downloads[0].hash}"):
        fetch.read(entry)
    assert (cache / "mnist.npz").read_bytes() == spoilt


def test_a_copy_under_the_name_at_its_source_is_found(cache, source):
    offered, entry = source
    cache.mkdir(parents=True)
    offered.rename(cache / "offered.npz")
    assert fetch.cached(entry)
    assert len(fetch.read(entry)) == 1


def test_a_source_that_is_not_there_leaves_nothing(cache, source):
    offered, entry = source
    offered.unlink()
    with pytest.raises(DataUnavailable, match="mnist is not cached and cannot be fetched"):
        fetch.read(entry)
    assert list(cache.iterdir()) == []


def test_a_server_that_never_ends_is_cut_off(cache, source):
    offered, entry = source
    offered.write_bytes(b"x" * (8 << 20))
    small = replace(entry, downloads=(replace(entry.downloads[0], bytes=10),))
    with pytest.raises(DataUnavailable, match="wrong hash"):
        fetch.read(small)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_cannot_be_written_is_named(cache, source):
    cache.parent.mkdir()
    cache.parent.chmod(0o500)
    with pytest.raises(DiskError, match="set KERAS_HOME"):
        fetch.read(source[1])


class _Evil:
    def __reduce__(self):
        return os.system, ("true",)


def test_a_pickle_that_would_run_something_is_refused():
    with pytest.raises(pickle.UnpicklingError, match=r"it asks for (posix|nt)\.system"):
        pickles.load(pickle.dumps(_Evil()))


def _npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _lists(*lists):
    array = np.empty(len(lists), dtype=object)
    array[:] = lists
    return array


TEXTS = _lists([5, 7, 12], [9], [3, 4, 5, 6, 7, 8, 9, 10], [20, 1], [2, 30, 4])
LABELS = np.array([0, 1, 1, 0, 1])


def test_arrays_of_lists_are_read_without_free_pickles():
    arrays = pickles.load_npz(_npz(x=TEXTS, y=LABELS))
    assert list(arrays["x"]) == list(TEXTS)
    assert arrays["y"].tolist() == LABELS.tolist()


@pytest.mark.parametrize(("num_words", "length"), [(10, 4), (100, 12), (8, 1)])
def test_texts_are_prepared_as_keras_does(num_words, length):
    order = np.arange(5)
    np.random.RandomState(113).shuffle(order)
    x_train, y_train, _, _ = keras_sets.imdb(
        [_npz(x_train=TEXTS, y_train=LABELS, x_test=TEXTS, y_test=LABELS)], {"num_words": num_words, "length": length}
    )
    assert y_train.tolist() == LABELS[order].tolist()
    assert x_train.dtype == np.int32
    for row, text in zip(x_train, TEXTS[order], strict=True):
        words = [1] + [word + 3 for word in text]
        words = [word if word < num_words else 2 for word in words]
        assert row.tolist() == ([0] * length + words)[-length:]


def test_reuters_is_divided_as_keras_does():
    order = np.arange(5)
    np.random.RandomState(113).shuffle(order)
    _, y_train, x_test, y_test = keras_sets.reuters([_npz(x=TEXTS, y=LABELS)], {"num_words": 99, "length": 3})
    assert [*y_train, *y_test] == LABELS[order].tolist()
    assert x_test.shape == (1, 3)


def _archive(members, kind=tarfile.REGTYPE):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.type, member.linkname = len(content), kind, "/etc/passwd"
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def _batch(label, key=b"labels"):
    images = np.arange(2 * 3072, dtype=np.int64).reshape(2, 3072).astype(np.uint8)
    return pickle.dumps({b"data": images, key: [label, label]}, protocol=4)


def test_cifar_is_read_from_its_archive():
    names = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]
    members = {f"cifar-10-batches-py/{name}": _batch(number) for number, name in enumerate(names)}
    x_train, y_train, x_test, y_test = keras_sets.cifar10([_archive(members)], {})
    assert x_train.shape == (10, 32, 32, 3)
    assert y_train.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert y_test.tolist() == [5, 5]
    assert x_test[0, 0, 1].tolist() == [1, (1024 + 1) % 256, (2048 + 1) % 256]


def test_cifar100_has_the_fine_labels():
    members = {f"cifar-100-python/{name}": _batch(7, b"fine_labels") for name in ("train", "test")}
    assert keras_sets.cifar100([_archive(members)], {})[1].tolist() == [7, 7]


@pytest.mark.parametrize("name", ["../outside", "/absolute", "cifar-10-batches-py/../../x"])
def test_an_archive_that_points_outside_is_refused_and_its_member_named(name):
    with pytest.raises(ValueError, match=f"outside it: {name}"):
        keras_sets.cifar10([_archive({name: b""})], {})


def test_a_link_in_an_archive_is_refused():
    with pytest.raises(ValueError, match="outside it: link"):
        keras_sets.cifar10([_archive({"link": b""}, tarfile.SYMTYPE)], {})


def test_a_file_that_decodes_to_something_else_is_named(cache, source):
    offered, entry = source
    np.savez(offered, other=np.zeros(3))
    content = offered.read_bytes()
    download = replace(entry.downloads[0], hash=hashlib.sha256(content).hexdigest())
    with pytest.raises(DataUnavailable, match=r"mnist\.npz: not as mnist is stored"):
        keras_sets.read(replace(entry, downloads=(download,)), {})


def test_a_dataset_that_can_only_be_added_says_so(cache):
    entry, _ = catalog.dataset("cifar10-small")
    assert not fetch.cached(entry)
    with pytest.raises(DataUnavailable, match="fetched from nowhere: kerasrun datasets add cifar10-small FILE.npz"):
        fetch.read(entry)
