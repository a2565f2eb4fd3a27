"""Do the intervals cover, and do the verdicts err, as often as they say?

Made-up accuracies with known true values, of 12,000 validation images, go through the functions of `kerasrun compare`.
The noise over seeds is normal, heavy-tailed (Student's t with 5 degrees of freedom), skewed (one run in twenty ends
four standard deviations lower) or, for means, a collapse (twenty lower); settings go together over seeds with
correlation 0.15 to 0.94, as in real trainings.

    python -m benchmarks.coverage                      a minute or two; writes benchmarks/results/coverage.md
    python -m benchmarks.coverage --repetitions 200    a look
"""

from __future__ import annotations

import argparse
import datetime
import math
import platform
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.report import table
from kerasrun.analysis.shares import shares
from kerasrun.analysis.statistics import Difference, Margin, differences, estimate
from kerasrun.analysis.verdicts import kind_of, seeds_needed

RESULT = Path(__file__).parent / "results" / "coverage.md"
IMAGES = 12_000
MARGIN = Margin(0.005)
SD = 0.005  # of one setting over seeds
SEEDS = (3, 5, 10, 20)
CORRELATIONS = (0.15, 0.5, 0.94)
NOISES = ("normal", "t5", "skewed")
RARE = {"skewed": 4, "collapse": 20}  # standard deviations by which one run in twenty is lower
FAMILY = 6

FAMILIES = """\
Six settings against one baseline, Holm-corrected. Per cent of the families that hold such a statement. Promised: at
most 5 of the families for directions and sizes; at most 5 of the single statements for "equal" and for what it
contradicts, since equivalence is tested at 5 % each, without a correction for the family."""

Settings = list[dict[int, float]]  # of each setting, seed -> value
Row = tuple[str, ...]


def noise(kind: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Return noise of one of the NOISES, or "collapse", with mean 0 and standard deviation 1."""
    if kind == "t5":
        return random.standard_t(5, shape) / math.sqrt(5 / 3)
    drop = RARE.get(kind, 0)
    raw = random.standard_normal(shape) - drop * (random.random(shape) < 0.05)
    return (raw + 0.05 * drop) / math.sqrt(1 + drop**2 * 0.05 * 0.95)


def draw(means: Sequence[float], seeds: int, kind: str, correlation: float, random: np.random.Generator) -> Settings:
    """Return accuracies of settings over common seeds, in whole images.

    Args:
        means: true accuracy of each setting.
        seeds: how many.
        kind: of the noise.
        correlation: of two settings over seeds.
        random: source of the noise.
    """
    shared, own = noise(kind, (1, seeds), random), noise(kind, (len(means), seeds), random)
    spread = SD * (math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own)
    values = np.round((np.reshape(means, (-1, 1)) + spread) * IMAGES) / IMAGES
    return [dict(enumerate(row)) for row in values.tolist()]


def family(settings: Settings, **changes: float) -> list[Difference]:
    """Compare all settings but the first with the first, as `kerasrun compare` does."""
    pairs = [(setting, settings[0]) for setting in settings[1:]]
    return differences(pairs, margin=MARGIN, direction="max", resolution=1 / IMAGES, bounded=True, **changes)


def covered(low: float | None, high: float | None, truth: float) -> bool:
    """Tell whether an interval holds the truth; one that is not there holds it."""
    return low is None or high is None or low <= truth <= high


def paired_coverage(kind: str, seeds: int, correlation: float, repetitions: int, random: np.random.Generator) -> float:
    """Return how often the 95 % interval of one paired difference holds the true one."""
    truth, hits = 0.003, 0
    for _ in range(repetitions):
        (found,) = family(draw((0.88, 0.88 + truth), seeds, kind, correlation, random))
        hits += covered(found.low, found.high, truth)
    return hits / repetitions


def welch_coverage(kind: str, seeds: int, repetitions: int, random: np.random.Generator) -> float:
    """Return the same for other seeds on either side, one side with half the spread."""
    hits = 0
    for _ in range(repetitions):
        one, other = (draw((0.88,), seeds, kind, 0.0, random)[0] for _ in range(2))
        calm = {100 + seed: 0.88 + (value - 0.88) / 2 for seed, value in other.items()}
        (found,) = family([calm, one])
        hits += covered(found.low, found.high, 0.0)
    return hits / repetitions


def mean_coverage(metric: str, values: np.ndarray, truth: float) -> float:
    """Return how often the interval of a mean holds the true one; values: (repetitions, seeds)."""
    found = [estimate(row, metric=metric) for row in values.tolist()]
    return sum(covered(one.low, one.high, truth) for one in found) / len(found)


def kinds(
    truths: Sequence[float], kind: str, seeds: int, correlation: float, repetitions: int, random: np.random.Generator
) -> Iterator[list[str]]:
    """Draw families and give each one's verdicts, in the order of the true differences from the baseline."""
    means = [0.88, *(0.88 + truth for truth in truths)]
    for _ in range(repetitions):
        yield [kind_of(one, MARGIN) for one in family(draw(means, seeds, kind, correlation, random))]


def false_statements(found: str, truth: float) -> set[str]:
    """Return which kinds of false statement a verdict is, given the true difference."""
    margin, equal = MARGIN.value, found in ("equal", "identical")
    statements = {
        "direction": ("better" in found and truth <= 0) or ("worse" in found and truth >= 0),
        "size": (found == "better" and truth <= margin) or (found == "worse" and truth >= -margin),
        "equal": (equal or "small" in found) and abs(truth) >= margin,
        "contradicted": (equal or "worse" in found) and truth >= margin,
    }
    return {name for name, false in statements.items() if false}


def errors(
    truths: Sequence[float], kind: str, seeds: int, correlation: float, repetitions: int, random: np.random.Generator
) -> Mapping[str, float]:
    """Return how often a family holds a false statement, by kind, and "one equal": of its first member alone."""
    counts = Counter(dict.fromkeys(("direction", "size", "equal", "contradicted"), 0))
    for verdicts in kinds(truths, kind, seeds, correlation, repetitions, random):
        false = [false_statements(found, truth) for found, truth in zip(verdicts, truths, strict=True)]
        counts.update(set().union(*false))
        counts.update({"one equal": "equal" in false[0], "one contradicted": "contradicted" in false[0]})
    return {name: count / repetitions for name, count in counts.items()}


def looks(numbers: Sequence[int], repetitions: int, random: np.random.Generator, *, spend: bool) -> float:
    """Return how often a difference of 0 is taken for one by looking again at more seeds.

    With `spend`, the k-th look has α/2ᵏ, else α.
    """
    false = 0
    for _ in range(repetitions):
        settings = draw((0.88, 0.88), numbers[-1], "normal", 0.5, random)
        for look, number in enumerate(numbers, 1):
            alpha = 0.05 / 2**look if spend else 0.05
            (found,) = family([{seed: one[seed] for seed in range(number)} for one in settings], alpha=alpha)
            if found.p is not None and found.p < alpha:
                false += 1
                break
    return false / repetitions


def power(sd: float, repetitions: int, random: np.random.Generator, *, pilot: int = 5) -> tuple[int, float, float]:
    """Return N by the true sd, how often N seeds show the margin, and how often a pilot's range holds N."""
    wanted = seeds_needed(sd, 1000, MARGIN.value)
    assert wanted is not None
    shown = held = 0
    for _ in range(repetitions):
        values = MARGIN.value + sd * random.standard_normal(wanted[0])
        (found,) = differences([(dict(enumerate(values)), dict.fromkeys(range(wanted[0]), 0.0))],
                               margin=MARGIN, direction="max")  # fmt: skip
        shown += found.p is not None and found.p < 0.05
        range_ = seeds_needed(float(np.std(random.standard_normal(pilot) * sd, ddof=1)), pilot, MARGIN.value)
        held += range_ is not None and range_[1] <= wanted[0] <= range_[2]
    return wanted[0], shown / repetitions, held / repetitions


def share_coverage(effect: float, seeds: int, repetitions: int, random: np.random.Generator) -> tuple[float, float]:
    """Return an axis's true share of a 3 × 2 grid, and how often its interval holds it.

    The other axis has half its effect; seeds have the standard deviation 0.5 and the rest 1.
    """
    first, second = effect * np.array([-1, 0, 1.0]), effect * np.array([-0.5, 0.5])
    truth = float((first**2).mean() / ((first**2).mean() + (second**2).mean() + 0.25 + 1))
    hits = 0
    for _ in range(repetitions):
        grid = first[:, None, None] + second[:, None] + random.standard_normal((3, 2, seeds))
        grid = grid + 0.5 * random.standard_normal(seeds)
        points = {(i, j): dict(enumerate(grid[i, j])) for i in range(3) for j in range(2)}
        row = shares(points, ("first", "second"))[0]
        hits += covered(row.low, row.high, truth)
    return truth, hits / repetitions


def main() -> None:
    """Draw, count and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=2500)
    parser.add_argument("--result", type=Path, default=RESULT)
    given = parser.parse_args()
    began, random = perf_counter(), np.random.default_rng(0)
    parts = [f"## {title}\n\n{text(given.repetitions, random)}" for title, text in STUDIES.items()]
    given.result.write_text("\n\n".join([_head(given.repetitions, perf_counter() - began), *parts]) + "\n")
    print(given.result)


def _head(repetitions: int, seconds: float) -> str:
    versions = " · ".join(f"{name} {metadata.version(name)}" for name in ("kerasrun", "numpy", "scipy"))
    sure = 196 * math.sqrt(0.05 * 0.95 / repetitions)
    return (
        "# Do the intervals cover, and do the verdicts err as often as they say?\n\n"
        "Written by `python -m benchmarks.coverage`; do not edit. Made-up accuracies with known true values "
        f"(sd over seeds {SD}, 12,000 images, margin {MARGIN.value}) go through the functions of `kerasrun compare`. "
        f"{repetitions:,} draws a cell, random generator seeded with 0: 5 % is known to ± {sure:.1f} points.\n\n"
        f"{datetime.date.today()} · python {platform.python_version()} · {versions} · {seconds:.0f} s"
    )


def _cell(share: float) -> str:
    return f"{100 * share:.1f}"


def _coverage(repetitions: int, random: np.random.Generator) -> str:
    rows: list[Row] = []
    for kind in NOISES:
        for correlation in CORRELATIONS:
            shown = [_cell(paired_coverage(kind, n, correlation, repetitions, random)) for n in SEEDS]
            rows.append((f"paired difference, {kind}, correlation {correlation}", *shown))
        shown = [_cell(welch_coverage(kind, n, repetitions, random)) for n in SEEDS]
        rows.append((f"Welch, other seeds, half the spread on one side, {kind}", *shown))
    for kind in (*NOISES, "collapse"):
        values = {n: 0.88 + SD * noise(kind, (repetitions, n), random) for n in SEEDS}
        rows.append((f"mean, {kind}", *(_cell(mean_coverage("val_accuracy", values[n], 0.88)) for n in SEEDS)))
    for sd in (0.05, 0.3):
        shown = [_cell(mean_coverage("val_loss", np.exp(sd * random.standard_normal((repetitions, n))),
                                     math.exp(sd * sd / 2))) for n in SEEDS]  # fmt: skip
        rows.append((f"mean of losses (log scale), log-normal, sd {sd}", *shown))
    for accuracy in (0.985, 0.999, 0.9999):
        shown = [_cell(mean_coverage("val_accuracy", random.beta(5000 * accuracy, 5000 * (1 - accuracy),
                                     (repetitions, n)), accuracy)) for n in SEEDS]  # fmt: skip
        rows.append((f"mean of accuracies near {accuracy} (log-odds), beta(a + b = 5000)", *shown))
    return "Per cent of the 95 % intervals that hold the truth; promised: 95.\n\n" + _over_seeds(rows)


def _families(repetitions: int, random: np.random.Generator) -> str:
    m = MARGIN.value
    cases = [(kind, correlation) for kind in NOISES for correlation in (CORRELATIONS if kind == "normal" else (0.5,))]
    text = [FAMILIES]
    for truths, titles in (
        ((0.0,) * FAMILY, {"direction": "Better or worse, where no setting differs"}),
        ((0.0,) * 3 + (2 * m,) * 3, {"direction": "Better or worse, of three that do not differ beside three that do"}),
        ((m,) * FAMILY, {
            "size": "Better or worse by more than the margin, where all differ by just the margin",
            "one equal": "Equal, or too small to matter, of one setting that differs by just the margin",
            "one contradicted": "A claim that is true by just the margin, contradicted",
            "contradicted": "At least one of six such claims contradicted",
        }),
    ):  # fmt: skip
        seen = {case: [errors(truths, case[0], n, case[1], repetitions, random) for n in SEEDS] for case in cases}
        for name, title in titles.items():
            rows = [
                (f"{kind}, correlation {correlation}", *(_cell(of_n[name]) for of_n in found))
                for (kind, correlation), found in seen.items()
            ]
            text.append(f"{title}:\n\n{_over_seeds(rows)}")
    return "\n\n".join(text)


def _verdicts(repetitions: int, random: np.random.Generator) -> str:
    order = ("better", "better_uncertain", "better_small", "equal", "none", "worse_small", "worse_uncertain", "worse")
    rows: list[Row] = []
    for truth in (0.0, 0.5, 1.0, 2.0, 4.0):
        for n in (5, 10, 20):
            seen = Counter(one for one, *_ in kinds((truth * MARGIN.value,), "normal", n, 0.5, repetitions, random))
            rows.append((f"{truth:g} × margin", str(n), *(_cell(seen[kind] / repetitions) for kind in order)))
    head = ("true difference", "seeds", *(kind.replace("_", " ") for kind in order))
    return f"One comparison, sd of the paired difference as large as the margin, per cent:\n\n{table(head, rows)}"


def _looks(repetitions: int, random: np.random.Generator) -> str:
    rows = [
        (f"5, 10, 20, 40 seeds, {words}", _cell(looks((5, 10, 20, 40), repetitions, random, spend=spend)), promised)
        for spend, words, promised in ((True, "α/2ᵏ at the k-th look", "at most 5"), (False, "5 % at every look", "–"))
    ]
    return table(("looks at a difference of 0", "per cent taken for a difference", "promised"), rows)


def _power(repetitions: int, random: np.random.Generator) -> str:
    rows = []
    for sd in (0.002, 0.005, 0.008):
        number, shown, held = power(sd, repetitions, random)
        rows.append((f"{sd}", str(number), _cell(shown), _cell(held)))
    head = ("true sd of the difference", "N", "% that show the margin with N seeds", "% of N₁ … N₂ that hold N")
    return f"N₁ … N₂ from a pilot of five seeds. Promised: at least 80, and 80.\n\n{table(head, rows)}"


def _shares(repetitions: int, random: np.random.Generator) -> str:
    rows = []
    for effect in (0.2, 1.0, 3.0):
        found = [share_coverage(effect, n, repetitions // 4, random) for n in (5, 10, 20)]
        rows.append((f"{found[0][0]:.3f}", *(_cell(hit) for _, hit in found)))
    return ("Per cent of the 95 % intervals of an axis's share that hold it (a quarter of the draws).\n\n"
            + table(("true share", "5 seeds", "10 seeds", "20 seeds"), rows))  # fmt: skip


def _over_seeds(rows: Sequence[Row]) -> str:
    return table(("", *(f"n = {n}" for n in SEEDS)), rows)


STUDIES: dict[str, Callable[[int, np.random.Generator], str]] = {
    "Intervals": _coverage,
    "False statements": _families,
    "What is said how often": _verdicts,
    "Looking again": _looks,
    "Seeds needed": _power,
    "Shares of variance": _shares,
}

if __name__ == "__main__":
    main()
