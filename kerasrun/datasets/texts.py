"""A user's own texts: repeats taken out or kept together, split, then numbered by the training part's vocabulary."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kerasrun import own_data, tables, texts
from kerasrun.datasets.parts import Part, Unsplit, aligned
from kerasrun.errors import InputError
from kerasrun.inputs import TextInputs
from kerasrun.tables import Table

if TYPE_CHECKING:
    from kerasrun.catalog import DatasetEntry

PADDING, UNKNOWN, FIRST = 0, 1, 2  # Keras's numbers; words from FIRST
_LONGEST_TOKEN = 100  # characters; StringLookup keeps all in an array as wide as the longest
_MANY = 0.25  # share of the words
_SAMPLE = 100  # training texts that are kept, to check the saved model with


class Corpus:
    """All texts that a dataset is made of, each once, as numbers of tokens.

    Args:
        kind: "words" or "characters".
        ngrams: as in `texts.tokens`.
    """

    def __init__(self, kind: str, ngrams: int) -> None:
        self.kind, self.ngrams = kind, ngrams
        self.known: dict[str, int] = {}  # token -> its number, in the order of the first text
        self.texts: list[str] = []
        self.files: list[str] = []  # what the rows are called, where each is a file
        self.ids: list[np.ndarray] = []  # int32 (tokens,) of each text
        self._at: dict[str, int] = {}

    def add(self, found: Iterable[str]) -> np.ndarray:
        """Add texts; return the position of each, int64 (n,). Texts of the same words are one, however they are cut."""
        return np.array([self._add(text) for text in found], np.int64)

    def _add(self, text: str) -> int:
        words = texts.tokens(text, "words")
        position = self._at.setdefault("\n".join(words), len(self.ids))
        if position == len(self.ids):
            single = (self.kind, self.ngrams) == ("words", 1)
            tokens = words if single else texts.tokens(text, self.kind, self.ngrams)
            numbers = [self.known.setdefault(token, len(self.known)) for token in tokens]
            self.ids.append(np.array(numbers, np.int32))
            self.texts.append(text)
        return position


def read(entry: DatasetEntry, arguments: Mapping[str, Any]) -> Unsplit:
    """Return texts, each as its position in a corpus; they are numbered by `fit`, once the parts are known.

    Raises:
        InputError: as `texts.describe`.
    """
    table = texts.take(own_data.path_of(entry.name), arguments)
    corpus = Corpus(arguments["tokens"], arguments["ngrams"])
    whole = _part(table, corpus)
    by, key, notes = _by(arguments), table.key, [*table.notes]
    kept = np.arange(len(whole))
    if by == "group" and arguments["group"] == arguments["text"]:
        key = whole.x
    elif table.parts is None:
        kept, more = _each_once(whole)
        notes += more
        key = None if key is None else key[kept]
    content = table.sha256
    if len(kept) < len(whole):
        content = hashlib.sha256(content.encode() + kept.tobytes()).hexdigest()
        whole = whole.take(kept)
    parts = {"train": whole}
    if table.parts is not None:
        parts = {str(name): whole.take(np.flatnonzero(table.parts == name)) for name in np.unique(table.parts)}
    return Unsplit(
        table.task, str(table.path), parts["train"], parts.get("validation"), parts.get("test"), notes=tuple(notes),
        content_hash=content, fit=partial(_fit, replace(table, x=table.x[:0]), corpus), by=by, key=key,
        files=corpus.files,
    )  # fmt: skip


def read_part(path: Path, name: str, like: Unsplit) -> tuple[Part, str]:
    """Return the rows of --validation FILE or --test FILE, and the hash of all that the data is made of.

    Raises:
        InputError: as `tables.read_like` and `folder.like`; or a table is wanted and it is a folder, or the other way.
    """
    table, corpus = like.fit.args  # type: ignore[union-attr]
    if path.is_dir() != table.path.is_dir():
        kind = "folder" if table.path.is_dir() else "table"
        raise InputError(f"--{name} {path}: a {kind} is wanted, as the training texts are in one")
    if path.is_dir():
        other = texts.folder.like(path, table.options, table.target.classes)
    else:
        other = tables.read_like(path, table)
    if other.sha256 == table.sha256:
        raise InputError(f"--{name} {path}: is the training data itself; a {name} part needs other texts")
    content = hashlib.sha256(f"{like.content_hash} {name} {other.sha256}".encode()).hexdigest()
    return _part(other, corpus), content


def shown(settings: Mapping[str, Any], part: str, ids: Mapping[str, Sequence]) -> list[str]:
    """Return some texts of a part as they are written.

    Args:
        settings: of the experiment, with the options of its data.
        part: "validation" or "test".
        ids: what tells them apart: "row", and "file" where each is a file.
    """
    given = settings[part]
    path = Path(given) if isinstance(given, str) else own_data.path_of(settings["dataset"])
    if "file" in ids:
        return texts.folder.read(path.parent if isinstance(given, str) else path, ids["file"], settings["encoding"])[0]
    cells = texts.cells(path, settings)
    return [cells[row - 1] for row in ids["row"]]


def numbered(inputs: TextInputs, found: Iterable[str]) -> np.ndarray:
    """Return texts as the network takes them, int32 (n, length)."""
    number = {token: FIRST + i for i, token in enumerate(inputs.vocabulary)}
    every = (texts.tokens(text, inputs.tokens, inputs.ngrams)[: inputs.length] for text in found)
    return _padded([[number.get(token, UNKNOWN) for token in tokens] for tokens in every], inputs.length)


def _part(table: Table, corpus: Corpus) -> Part:
    positions = corpus.add(table.columns[0].texts)[table.x[:, 0].astype(np.int64)]
    rows = table.rows + len(corpus.files)
    inside = f"{table.path.name}/" if corpus.files else ""
    corpus.files += [inside + name for name in table.files]
    return Part(positions, table.target.y, rows, table.weights)


def _by(options: Mapping[str, Any]) -> Literal["class", "group", "time"]:
    return "group" if options.get("group") else "time" if options.get("time") else "class"


def _each_once(part: Part) -> tuple[np.ndarray, list[str]]:
    """Return the positions of the first example of each text, and a line where that leaves some out."""
    _, first, which = np.unique(part.x, return_index=True, return_inverse=True)
    repeats = len(part) - len(first)
    if not repeats:
        return np.arange(len(part)), []
    labels = part.y.reshape(len(part), -1)
    other = int((labels != labels[first][which]).any(axis=1).sum())
    contradicting = f" ({other:,} of them with another label)" if other else ""
    return np.sort(first), [
        f"{repeats:,} examples repeat an earlier text{contradicting} and are left out: in two parts they would leak"
    ]


def _fit(table: Table, corpus: Corpus, unsplit: Unsplit) -> Unsplit:
    """Find vocabulary and length in the training part, and bring all parts into the form that is trained on."""
    unsplit, notes = _without_leaks(unsplit)
    inputs, more = _inputs(table.options, corpus, unsplit.train.x)
    number = np.full(len(corpus.known) + 1, UNKNOWN, np.int32)
    number[[corpus.known[token] for token in inputs.vocabulary]] = np.arange(len(inputs.vocabulary)) + FIRST
    parts = {name: replace(part, x=_encoded(corpus, number, inputs, part.x)) for name, part in unsplit.parts().items()}
    notes += more + _held(corpus, number, inputs, unsplit)
    size = len(inputs.vocabulary) + FIRST
    task = replace(unsplit.task, input_shape=inputs.shape, vocabulary_size=size, sequence_length=inputs.length)
    return replace(unsplit.having(parts), task=task, inputs=inputs, fit=None, notes=(*unsplit.notes, *notes))


def _without_leaks(unsplit: Unsplit) -> tuple[Unsplit, list[str]]:
    """Leave out of the training part what the held-out parts hold, and of the validation part what the test holds."""
    notes = []
    for name, others in (("validation", ("test",)), ("train", ("validation", "test"))):
        part, held = getattr(unsplit, name), np.concatenate([getattr(unsplit, other).x for other in others])
        kept = np.flatnonzero(~np.isin(part.x, held))
        if len(kept) < len(part):
            count, parts = len(part) - len(kept), " or ".join(others)
            if not len(kept):
                raise InputError(f"{unsplit.where}: the {parts} part has every text of the {name} part, too")
            notes.append(f"{count:,} examples of the {name} part are left out: the {parts} part has their texts, too")
            unsplit = unsplit.having({name: part.take(kept)})
    return unsplit, notes


def _inputs(options: Mapping[str, Any], corpus: Corpus, train: np.ndarray) -> tuple[TextInputs, list[str]]:
    """Return the facts of the training part's texts, and lines for the user."""
    ids = [corpus.ids[position] for position in train]
    counts = np.bincount(np.concatenate(ids), minlength=len(corpus.known))
    able = [  # NumPy, in which Keras keeps the vocabulary, takes a zero byte at the end for the end
        token for token, i in corpus.known.items() if counts[i] and len(token) <= _LONGEST_TOKEN and "\0" not in token
    ]
    able.sort(key=lambda token: (-counts[corpus.known[token]], token))
    vocabulary = tuple(able[: options["vocabulary"]])
    if not vocabulary:
        raise InputError(f"the training texts hold no {options['tokens']}, but punctuation at most")
    length = options["length"] or texts.length_for(np.array([len(each) for each in ids]))
    different = int(np.count_nonzero(counts))
    most = (
        f"the {len(vocabulary):,} most frequent of {different:,}" if different > len(vocabulary) else f"{different:,}"
    )
    what = options["tokens"] + (f" and up to {options['ngrams']} neighbours as one" if options["ngrams"] > 1 else "")
    inputs = TextInputs(
        options["tokens"], options["ngrams"], length, vocabulary,
        tuple(corpus.texts[position] for position in train[:_SAMPLE]),
    )  # fmt: skip
    return inputs, [f"texts as {what}: a vocabulary of {most} in the training part, length {length:,}"]


def _held(corpus: Corpus, number: np.ndarray, inputs: TextInputs, unsplit: Unsplit) -> list[str]:
    """Return lines on what the network does not get to see: what is cut, and words that training does not have."""
    of_train = np.array([len(corpus.ids[position]) for position in unsplit.train.x])
    unknown = {}
    for name in ("validation", "test"):
        found = np.concatenate([number[corpus.ids[position]] for position in getattr(unsplit, name).x])
        unknown[name] = float((found == UNKNOWN).mean()) if len(found) else 0.0
    cut = f"{(of_train > inputs.length).mean():.1%} of the training texts are longer and cut"
    said = ", ".join(f"{name} {share:.1%}" for name, share in unknown.items())
    lines = [f"{cut}; unknown {inputs.tokens}: {said}"]
    if inputs.tokens == "words" and unknown["validation"] > _MANY:
        lines.append("many words are unknown: --tokens characters --ngrams 3 knows their parts")
    if nothing := int((of_train == 0).sum()):
        lines.append(f"{nothing:,} training texts hold no {inputs.tokens}, but punctuation at most")
    return lines


def _encoded(corpus: Corpus, number: np.ndarray, inputs: TextInputs, positions: np.ndarray) -> np.ndarray:
    return _padded([number[corpus.ids[position][: inputs.length]] for position in positions], inputs.length)


def _padded(found: Sequence[Sequence[int] | np.ndarray], length: int) -> np.ndarray:
    """Return numbers of tokens as an array, int32 (n, length), padded at the end."""
    out = aligned((len(found), length), np.dtype(np.int32))
    out[:] = PADDING
    for row, numbers in zip(out, found, strict=True):
        row[: len(numbers)] = numbers
    return out
