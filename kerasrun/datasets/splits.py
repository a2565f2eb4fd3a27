"""What is held out: test part, validation part and the smaller data of --limit, decided by the split seed alone.

Permutations are made here from raw random numbers, so that a split stays the same whatever the version of NumPy or
scikit-learn, and never depends on the seed of a run: runs of different seeds stay comparable in pairs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kerasrun.datasets.parts import Part, Unsplit
from kerasrun.errors import InputError

_TEST, _VALIDATION, _LIMIT = 1, 2, 3  # streams of random numbers; the limit's has one more number for the part


def split(unsplit: Unsplit, *, validation: float, test: float, split_seed: int) -> tuple[Unsplit, tuple[str, ...]]:
    """Return the data with all three parts, and lines about what could not be done as usual.

    A part that the source has stays as it is. What is missing is taken out of the training part: first the test part,
    then the validation part out of the rest; stratified by class while every class has two members in each part.

    Args:
        unsplit: what the source read.
        validation: share of the training examples, in (0, 1), after the test part is taken out.
        test: share of all examples, in (0, 1).
        split_seed: decides which; >= 0.

    Raises:
        InputError: a share of so few examples is not one example.
    """
    notes: list[str] = []
    for name, share, stream in (("test", test, _TEST), ("validation", validation, _VALIDATION)):
        if getattr(unsplit, name) is None:
            held_out, note = _hold_out(unsplit, name, share, (split_seed, stream))
            rest = np.delete(np.arange(len(unsplit.train)), held_out)
            key = None if unsplit.key is None else unsplit.key[rest]
            parts = {"train": unsplit.train.take(rest), name: unsplit.train.take(held_out)}
            unsplit = replace(unsplit.having(parts), key=key)
            notes += note
    return unsplit, tuple(notes)


def _hold_out(unsplit: Unsplit, name: str, share: float, seed: tuple[int, ...]) -> tuple[np.ndarray, list[str]]:
    """Return the sorted positions of the training examples to hold out, int64, and lines for the user."""
    labels = None if unsplit.task.kind == "regression" else unsplit.train.y
    total = len(unsplit.train)
    size = _size(total, share, f"--{name}", unsplit.where)
    if unsplit.by == "time" and unsplit.key is not None:
        return np.sort(np.argsort(unsplit.key, kind="stable")[total - size :]), [
            f"the {name} part is the latest {size:,} rows"
        ]
    if unsplit.by == "group" and unsplit.key is not None:
        return _whole_groups(unsplit.key, size, name, seed)
    if labels is None:
        return np.sort(_permutation(total, seed)[:size]), []
    classes, members = np.unique(labels, return_counts=True)
    quota = _proportionate(members, size)
    scarce = np.minimum(quota, members - quota) < 2
    if scarce.any():
        text = f"the {name} part ({size} of {total}) is drawn without regard to classes: "
        few = ", ".join(str(label) for label in classes[scarce][:5])
        return np.sort(_permutation(total, seed)[:size]), [
            f"{text}class {few} has too few members for two in each part"
        ]
    shuffled = _permutation(total, seed)
    chosen = [shuffled[labels[shuffled] == label][:count] for label, count in zip(classes, quota, strict=True)]
    return np.sort(np.concatenate(chosen)), []


def _whole_groups(key: np.ndarray, size: int, name: str, seed: tuple[int, ...]) -> tuple[np.ndarray, list[str]]:
    """Return the sorted positions of the examples of some groups, about `size` in all, and a line on them."""
    groups, group_of, members = np.unique(key, return_inverse=True, return_counts=True)
    if len(groups) < 2:
        raise InputError(f"--group: there is one group only, so none can be held out for the {name} part")
    order = _permutation(len(groups), seed)
    upto = np.cumsum(members[order])[:-1]  # one group stays
    chosen = order[: int(np.argmin(np.abs(upto - size))) + 1]
    positions = np.flatnonzero(np.isin(group_of, chosen))
    return positions, [f"the {name} part holds {len(chosen):,} of {len(groups):,} groups, {len(positions):,} examples"]


def _size(total: int, share: float, option: str, where: str) -> int:
    """Return how many examples a share is."""
    if not 0 < share < 1:
        raise InputError(f"{option} is {share}; it must lie between 0 and 1, as 0.2, or be a file")
    size = round(total * share)
    if size < 1 or total - size < 1:
        kept = "none is held out" if size < 1 else "none is left for training"
        raise InputError(
            f"{where}: {option} {share:g} of {total} examples is {total * share:.3g}, so {kept}\n"
            + (
                f"allowed here: {0.5 / total:.2g} to {1 - 0.5 / total:.2g}, or a file"
                if total > 1
                else "more is needed"
            )
        )
    return size


def _proportionate(members: np.ndarray, size: int) -> np.ndarray:
    """Return how many of each class make `size` examples in the proportions of the whole (largest remainder method)."""
    exact = members * (size / members.sum())
    quota = np.floor(exact).astype(np.int64)
    by_remainder = np.argsort(quota - exact, kind="stable")
    quota[by_remainder[: size - quota.sum()]] += 1
    return quota


def limit(unsplit: Unsplit, *, examples: int, split_seed: int) -> tuple[Unsplit, tuple[str, ...]]:
    """Return a smaller version of data that has all three parts.

    The smaller data is nested in the larger (the 500 of limit 500 are among the 1,000 of limit 1000); every prefix has
    the proportions of the classes as nearly as whole numbers allow, and one of each class as early as possible.
    Validation and test part shrink in the ratio of the training part, to one example of each class at least.

    Args:
        unsplit: data with train, validation and test.
        examples: training examples to keep, >= 1.
        split_seed: decides which; >= 0.
    """
    total = len(unsplit.train)
    if examples >= total:
        return unsplit, (
            f"limit {examples} is no limit: there are {total} training examples",
        ) if examples > total else ()
    by_class = unsplit.task.kind != "regression"
    smaller: dict[str, Part] = {}
    for number, (name, part) in enumerate(unsplit.parts().items()):
        order = _balanced_order(part.y if by_class else np.zeros(len(part)), (split_seed, _LIMIT, number))
        classes = len(np.unique(part.y)) if by_class else 1
        size = examples if name == "train" else min(max(round(len(part) * examples / total), classes), len(part))
        smaller[name] = part.take(np.sort(order[:size]))
    found = np.unique(unsplit.train.y) if by_class else np.zeros(1)
    missing = f"limit {examples} is less than one example of each of the {len(found)} classes"
    return unsplit.having(smaller), (missing,) if examples < len(found) else ()


def _balanced_order(labels: np.ndarray, seed: tuple[int, ...]) -> np.ndarray:
    """Return an order of the examples, int64 (n,), whose every beginning has the proportions of the classes.

    One example of each class comes first, the largest class before the others; then the j-th of n members of a class
    stands at (j + 1/2) / n of the way.
    """
    shuffled = _permutation(len(labels), seed)
    _, class_of, members = np.unique(labels[shuffled], return_inverse=True, return_counts=True)
    grouped = np.argsort(class_of, kind="stable")
    rank = np.empty(len(labels), dtype=np.int64)
    rank[grouped] = np.arange(len(labels)) - np.repeat(np.cumsum(members) - members, members)
    place = np.where(rank == 0, -1.0, (rank + 0.5) / members[class_of])
    return shuffled[np.lexsort((class_of, -members[class_of], place))]


def _permutation(size: int, seed: tuple[int, ...]) -> np.ndarray:
    """Return a permutation of 0 … size - 1, int64. Raw numbers of PCG64 are the same in every version of NumPy."""
    return np.argsort(np.random.PCG64(seed).random_raw(size), kind="stable")
