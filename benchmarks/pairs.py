"""Simulate how often cross-validation is right about a pair of models.

    python -m benchmarks.pairs

Rows of two classes are drawn from normal distributions. A model sums the features that it reads, each weighted by the
mean difference of the classes; one that has a seed adds noise to the weights. Its accuracy is known exactly. Each set
of rows is cross-validated by 3 x 4 folds, with a seed per fold and, beside it, with one seed for all.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from benchmarks import results
from textclf.core.formatting import points
from textclf.evaluate.comparisons import corrected_t
from textclf.evaluate.intervals import CONFIDENCE, wilson
from textclf.studies.posterior import POINT, posterior

SETS, TRUTHS = 1000, 40_000  # sets of rows; trainings that give the true difference
ROWS = (200, 1000, 8000)  # 50, 250 and 2,000 test rows per fold
FOLDS, REPEATS = 4, 3
FEATURES, SHIFT = 100, 0.104  # difference of each feature from 0, in standard deviations: an accuracy of 0.85 at best
# By name: the features that each model reads, and the size of the second one's noise relative to its weights.
PAIRS: dict[str, tuple[slice, slice, float]] = {
    "nearly the same": (slice(0, 100), slice(0, 99), 0.0),
    "other features": (slice(0, 80), slice(20, 100), 0.0),
    "with a seed": (slice(0, 70), slice(0, 100), 0.7),
    "fewer features": (slice(0, 80), slice(40, 100), 0.0),
}
Array = NDArray[np.float64]


def weights(means: Array, features: slice, noise: Array | float) -> Array:
    """Return the weights of models that have seen these means (..., features), with their noise."""
    own = np.zeros(FEATURES)
    own[features] = 1
    return (means + noise) * own


def true_accuracy(weights: Array) -> Array:
    """Return the accuracy of each model, (models,), on all rows that there could be."""
    return np.asarray(ndtr(SHIFT * weights.sum(axis=-1) / np.linalg.norm(weights, axis=-1)))


def crossvalidate(signed: Array, pair: tuple[slice, slice, float], rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the differences in accuracy, the second's minus the first's, with a seed per fold and with one for all.

    `signed` (rows, features) are the features times the class, -1 or 1, so that a row is decided correctly if its
    weighted sum is above 0.
    """
    first, second, size = pair
    differences: tuple[list[Array], list[Array]] = ([], [])
    one = rng.normal(size=FEATURES)
    for _ in range(REPEATS):
        fold = rng.permutation(np.arange(len(signed)) % FOLDS)
        tested = (fold[:, None] == np.arange(FOLDS)).astype(float)
        means = (signed.sum(axis=0) - tested.T @ signed) / (len(signed) - tested.sum(axis=0))[:, None]
        noises = rng.normal(size=(FOLDS, FEATURES)), one
        right = _share(signed, weights(means, first, 0.0), tested)
        for noise, found in zip(noises, differences, strict=True):
            found.append(_share(signed, weights(means, second, size * SHIFT * noise), tested) - right)
    return np.concatenate(differences[0]), np.concatenate(differences[1])


def _share(signed: Array, models: Array, tested: Array) -> Array:
    """Return the share of its test rows that the model of each fold decides correctly."""
    return np.asarray(((signed @ models.T > 0) * tested).sum(axis=0) / tested.sum(axis=0))


def draw(rows: int, rng: np.random.Generator) -> Array:
    """Return the features of new rows times their class."""
    return SHIFT + rng.normal(size=(rows, FEATURES))


def said(chances: Mapping[str, float]) -> str:
    """Return what holds with the probability `CONFIDENCE`: better, alike or worse; or unknown."""
    sure = [name for name in ("better", "alike", "worse") if chances[name] >= CONFIDENCE]
    return sure[0] if sure else "unknown"


def simulate(name: str, rows: int, seed: int) -> dict[str, Any]:
    """Return how often the interval holds the truth, what is said of the pair, and how often the second model wins."""
    first, second, size = PAIRS[name]
    rng = np.random.default_rng(seed)
    trained, ratio = rows - rows // FOLDS, 1 / (FOLDS - 1)
    means = SHIFT + rng.normal(size=(TRUTHS, FEATURES)) / trained**0.5
    noises = size * SHIFT * rng.normal(size=(TRUTHS, FEATURES))
    accurate = true_accuracy(weights(means, second, noises))
    truth = float((accurate - true_accuracy(weights(means, first, 0.0))).mean())
    sd_of_seeds = float(true_accuracy(weights(means[0], second, noises)).std())
    region = "alike" if abs(truth) <= POINT else "better" if truth > 0 else "worse"
    covered, words, wins = np.empty((SETS, 2)), [], np.empty((SETS, 2))
    for number in range(SETS):
        differences = crossvalidate(draw(rows, rng), PAIRS[name], rng)
        tests = [corrected_t(each, ratio) for each in differences]
        covered[number] = [test.low <= truth <= test.high for test in tests]
        chances = [posterior(test, FOLDS * REPEATS, ratio) for test in tests]
        words.append([said(each) for each in chances])
        mean, noise, new = draw(trained, rng).mean(axis=0), rng.normal(size=FEATURES), draw(rows // FOLDS, rng)
        right = [
            float((new @ weights(mean, features, each) > 0).mean())
            for features, each in ((first, 0.0), (second, size * SHIFT * noise))
        ]
        wins[number] = chances[0]["wins"], 0.5 + 0.5 * np.sign(right[1] - right[0])
    per_fold, one = (list(each) for each in zip(*words, strict=True))
    return {
        "pair": name,
        "rows": rows,
        "difference": truth,
        "sd_of_seeds": sd_of_seeds,
        "covered": dict(zip(("seed per fold", "one seed"), covered.mean(axis=0).tolist(), strict=True)),
        "right": per_fold.count(region) / SETS,
        "unknown": per_fold.count("unknown") / SETS,
        "wrong": {key: wrong(each, region) for key, each in (("seed per fold", per_fold), ("one seed", one))},
        "wins": dict(zip(("said", "true"), wins.mean(axis=0).tolist(), strict=True)),
    }


def wrong(words: Sequence[str], region: str) -> float:
    """Return the share of what was said that is wrong, if the truth lies in this region."""
    return sum(word not in {region, "unknown"} for word in words) / len(words)


def pairs() -> dict[str, Any]:
    """Return the result: a scenario per pair and number of rows."""
    cells = [(name, rows) for name in PAIRS for rows in ROWS]
    return {"sets": SETS, "scenarios": [simulate(*cell, seed) for seed, cell in enumerate(cells)]}


def table() -> str:
    """Return the scenarios as a table."""
    content = results.read("pairs")
    lines = [
        [
            f"{row['pair']}, {row['rows']:,} rows",
            points(row["difference"]),
            points(row["sd_of_seeds"], signed=False),
            *(f"{row['covered'][key]:.1%}" for key in ("one seed", "seed per fold")),
            *(f"{row['wrong'][key]:.1%}" for key in ("one seed", "seed per fold")),
            f"{row['right']:.1%}",
            f"{row['wins']['said']:.2f}, {row['wins']['true']:.2f}",
        ]
        for row in content["scenarios"]
    ]
    header = ["second model", "its lead, points", "sd over seeds", "interval covers: one seed", "a seed per fold"]
    header += ["said wrongly: one seed", "a seed per fold", "said rightly", "wins: said, true"]
    low, high = wilson(0.05 * content["sets"], content["sets"])
    note = f"{content['sets']:,} sets of rows per line: a share of 5% has an interval of {low:.1%} to {high:.1%}."
    return f"{results.markdown(header, lines)}\n\n{note}"


def show(_: Mapping[str, Any]) -> str:
    """Return the table of the result that was written."""
    return table()


if __name__ == "__main__":
    results.main({"pairs": pairs}, show)
