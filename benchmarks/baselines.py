"""kerasrun's default network beside plain scikit-learn on files of one's own, from the same parts.

    python -m benchmarks.baselines FOLDER                  writes docs/baselines.md; half an hour or more on two cores
    python -m benchmarks.baselines FOLDER titanic --seeds 2 -o look.md

FOLDER holds the files of SETS. Seed k decides the split, the network's start and its orders; every method is fitted on
the training part and judged on the test part of that split. The network alone sees the validation part: it stops there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import kerasrun
from benchmarks.__main__ import about
from benchmarks.report import table
from kerasrun import datasets, texts
from kerasrun.analysis.statistics import differences, estimate, is_share, usual_margin
from kerasrun.analysis.verdicts import kind_of

PAGE = Path(__file__).parents[1] / "docs" / "baselines.md"
SETS: dict[str, tuple[str, dict[str, str]]] = {
    "titanic": ("titanic.csv", {"target": "Survived", "missing": "indicator"}),
    "penguins": ("penguins.csv", {"target": "species", "missing": "indicator"}),
    "wine quality": ("winequality-red.csv", {"target": "quality"}),
    "California housing": ("california_housing.csv", {"target": "median_house_value", "missing": "indicator"}),
    "SMS spam": ("sms_spam.csv", {"target": "label", "text": "text"}),
    "Korean film reviews": ("naver_reviews_ko.csv", {"target": "label", "text": "text"}),
}
NETWORK, LONGER, SIMPLEST, LINEAR, TREES = "kerasrun", "kerasrun, longer", "simplest", "linear", "boosted trees"
METHODS = (NETWORK, LONGER, SIMPLEST, LINEAR, TREES)
LONG = {"epochs": 200, "patience": 20}
INTRODUCTION = """\
# Beside plain baselines

Written by `python -m benchmarks.baselines FOLDER`; do not edit. What `kerasrun train FILE --target COLUMN` reaches
with its defaults (one layer of 100 units, Adam, at most 20 epochs, patience 3) and with `epochs=200 patience=20`
("longer"), beside scikit-learn with its defaults: the most frequent class or the mean ("simplest"), logistic or ridge
regression on standardized numbers and a 1 for each category ("linear"), histogram gradient boosting ("boosted
trees"). Texts: word vectors, averaged, beside logistic regression on TF-IDF of words. All are fitted on the training
parts of the same {seeds} splits and judged on their test parts; the network alone sees the validation parts, where it
stops. Means over the splits with 95 % intervals; the same rows are in several test parts, so that the intervals are a
little too narrow."""
Scores = dict[str, dict[int, float]]  # method -> seed -> what it reached on the test part


def main() -> None:
    """Fit everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SETS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path, default=PAGE)
    given = parser.parse_args()
    found = {}
    for name in given.names or SETS:
        file, settings = SETS[name]
        found[name] = _scores(given.folder / file, settings, given.seeds)
    given.output.write_text(_page(found, given.seeds))


def _page(found: Mapping[str, tuple[str, Scores]], seeds: int) -> str:
    """Return the page from the metric and the scores of each data set."""
    lines = [
        [name, metric, *(_told(scores[method], metric) for method in METHODS)]
        for name, (metric, scores) in found.items()
    ]
    words = [f"- {name}: {_words(scores, metric)}." for name, (metric, scores) in found.items()]
    against = (
        "Against the defaults, paired by split, Holm-corrected within each data set; what matters is half a point of "
        "accuracy, or 2 % of an error:"
    )
    shown = table(["data", "test", *METHODS], lines)
    parts = [INTRODUCTION.format(seeds=seeds), shown, against, "\n".join(words), f"<sub>{about()}</sub>"]
    return "\n\n".join(parts) + "\n"


def _scores(path: Path, settings: Mapping[str, Any], seeds: int) -> tuple[str, Scores]:
    """Return the metric's name, and what each method reaches in each split."""
    scores: Scores = {method: {} for method in METHODS}
    for seed in range(seeds):
        given = {**settings, "seed": seed, "split_seed": seed}
        with tempfile.TemporaryDirectory() as folder:
            run = kerasrun.train(str(path), results=folder, **given)
            data = datasets.load(run.experiment)
            metric = "rmse" if data.task.kind == "regression" else "accuracy"
            scores[NETWORK][seed] = _reached(run, metric)
            scores[LONGER][seed] = _reached(kerasrun.train(str(path), results=folder, **given, **LONG), metric)
        rows, models = _of_texts(path, run) if data.task.sequence_length else _of_cells(data)
        for method, model in models.items():
            model.fit(rows(data.train), data.train.y.ravel())
            scores[method][seed] = _score(metric, data.test.y.ravel(), model.predict(rows(data.test)))
        print(path.name, seed, {method: found[seed] for method, found in scores.items() if found}, file=sys.stderr)
    return metric, scores


def _reached(run: Any, metric: str) -> float:
    """Return what the best epoch's weights reach on the test part."""
    with np.load(run.folder / "predictions.npz") as said:
        return _score(metric, said["test_labels"].ravel(), said["test_best"].ravel())


def _score(metric: str, right: np.ndarray, said: np.ndarray) -> float:
    if metric == "accuracy":
        return float(np.mean(right == said))
    return float(np.sqrt(np.mean(np.square(right.astype(np.float64) - said))))


def _of_texts(path: Path, run: Any) -> tuple[Callable[[Any], Any], dict[str, Any]]:
    """Return how a part's texts are read, and scikit-learn's models for texts."""
    from sklearn.dummy import DummyClassifier
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    cells = texts.cells(path, run.experiment.options)
    linear = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000))
    return lambda part: [cells[row - 1] for row in part.rows], {SIMPLEST: DummyClassifier(), LINEAR: linear}


def _of_cells(data: datasets.Data) -> tuple[Callable[[Any], Any], dict[str, Any]]:
    """Return how a part's rows are read, and scikit-learn's models for them: numbers, then codes of categories."""
    from sklearn import dummy, ensemble, linear_model
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    inputs = data.inputs
    count = len(inputs.names) - len(inputs.categories)
    numbers, categories = [*range(count)], [*range(count, len(inputs.names))]
    columns = make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), categories))
    codes = make_column_transformer(
        ("passthrough", numbers),
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), categories),
    )
    if data.task.kind == "regression":
        simplest, linear = dummy.DummyRegressor(), linear_model.Ridge()
        trees = ensemble.HistGradientBoostingRegressor(categorical_features=categories, random_state=0)
    else:
        simplest, linear = dummy.DummyClassifier(), linear_model.LogisticRegression(max_iter=1000)
        trees = ensemble.HistGradientBoostingClassifier(categorical_features=categories, random_state=0)
    models = {SIMPLEST: simplest, LINEAR: make_pipeline(columns, linear), TREES: make_pipeline(codes, trees)}
    return lambda part: part.x, models


def _told(scores: Mapping[int, float], metric: str) -> str:
    """Return mean and interval; nothing where there is no such method."""
    if not scores:
        return ""
    found = estimate([*scores.values()], metric=metric)
    form = ".3f" if is_share(metric) else ",.0f"
    return f"{found.mean:{form}}" + (f" ({found.low:{form}}–{found.high:{form}})" if found.low is not None else "")


def _words(scores: Scores, metric: str) -> str:
    """Return who wins against the default network, and by how much."""
    margin, direction = usual_margin(metric), "max" if is_share(metric) else "min"
    others = [method for method in (LONGER, LINEAR, TREES) if scores[method]]
    pairs = [(scores[method], scores[NETWORK]) for method in others]
    said = []
    for method, found in zip(others, differences(pairs, margin=margin, direction=direction), strict=True):
        kind = kind_of(found, margin).removesuffix("_small").removesuffix("_uncertain").removeprefix("same_")
        outcome = {"better": "**wins**", "worse": "loses", "equal": "is equal"}.get(kind, "no difference shown")
        if found.mean is not None:
            unit, factor = ("%", 100) if margin.relative else ("points", 100)
            limits = f", {factor * found.low:+.1f} to {factor * found.high:+.1f}" if found.low is not None else ""
            outcome += f" ({factor * found.mean:+.1f} {unit}{limits})"
        said.append(f"{method}: {outcome}")
    return "; ".join(said)


if __name__ == "__main__":
    main()
