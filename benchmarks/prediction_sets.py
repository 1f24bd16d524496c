"""Measure how often prediction sets contain the actual class, over many draws of validation and test rows.

    python -m benchmarks.prediction_sets

The exact distribution of the coverage is known: with n validation rows and k = ceil((n + 1) coverage), that of sets of
distinct scores is Beta(k, n + 1 - k) (Vovk 2012, ACML, PMLR 25:475-490), and the share of m test rows covered is
beta-binomial. Takes about two minutes on one core.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import results
from textclf.artifacts.conformal import Conformal
from textclf.artifacts.decisions import Decision
from textclf.core.progress import track
from textclf.evaluate.calibrate import fit_platt, fit_temperature

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

DRAWS = 2000  # of validation and test rows per line
TEST = 1000  # test rows per draw
SEED = 1
SIZES = (20, 50, 150, 500, 5000)  # numbers of validation rows
COVERAGE = 0.9
SHARES = (0.7, 0.2, 0.1)  # of the classes
DISTANCE = 1.6  # of the classes, in standard deviations of the scores
EPOCHS, FEATURES, TRAIN = 60, 40, 100  # of the model that is stopped early


class Rows(NamedTuple):
    """Actual classes (rows,) and probabilities (rows, classes)."""

    y: Ints
    probabilities: Floats


@dataclass(frozen=True)
class Kind:
    """A kind of rows: shares of the classes, and the spread of the scores."""

    shares: tuple[float, ...] = SHARES
    spread: float = 1.0


def draw(count: int, kind: Kind, generator: np.random.Generator) -> Rows:
    """Return so many rows of an overconfident model."""
    y = generator.choice(len(kind.shares), count, p=kind.shares)
    noise = generator.normal(size=(count, len(kind.shares)))
    scores = DISTANCE * np.eye(len(kind.shares))[y] + kind.spread * noise
    return Rows(y, softmax(1.5 * DISTANCE * scores + np.log(SHARES[: len(kind.shares)])))


def softmax(scores: Floats) -> Floats:
    """Return probabilities (rows, classes)."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities: Floats = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def covered(validation: Rows, test: Rows, by_class: bool = False) -> NDArray[np.bool_]:
    """Return whether the set of each test row contains its class (rows,)."""
    sets = Conformal.fit(*validation, by_class).sets(test.probabilities, COVERAGE)
    inside: NDArray[np.bool_] = sets[np.arange(len(test.y)), test.y]
    return inside


def expected(rows: int) -> float:
    """Return the exact mean of the coverage with so many validation rows."""
    rank = math.ceil((rows + 1) * Fraction(repr(COVERAGE)))
    return rank / (rows + 1) if rank <= rows else 1.0


def summary(values: Iterable[float]) -> dict[str, float]:
    """Return the mean of the draws, its standard error, and their 5% and 95% quantiles."""
    numbers = np.array(list(values))
    low, high = np.quantile(numbers, [0.05, 0.95]).tolist()
    error = float(numbers.std(ddof=1)) / math.sqrt(len(numbers))
    return {"mean": float(numbers.mean()), "error": error, "low": low, "high": high}


def exact_sizes(generator: np.random.Generator) -> list[dict[str, Any]]:
    """Return simulated and exact coverage by the number of validation rows."""
    from scipy.stats import betabinom

    lines = []
    for size in track(SIZES, "validation rows", len(SIZES)):
        rank = math.ceil((size + 1) * Fraction(repr(COVERAGE)))
        exact = betabinom(TEST, rank, size + 1 - rank)
        shares = [
            float(covered(draw(size, Kind(), generator), draw(TEST, Kind(), generator)).mean()) for _ in range(DRAWS)
        ]
        quantiles = {name: exact.ppf(level) / TEST for name, level in (("low", 0.05), ("high", 0.95))}
        theory = {"mean": expected(size), "error": float(exact.std()) / TEST / math.sqrt(DRAWS)} | quantiles
        lines.append({"rows": size, "simulated": summary(shares), "exact": theory})
    return lines


def by_class(generator: np.random.Generator, size: int = 500) -> list[dict[str, Any]]:
    """Return the coverage within each class, of sets of all rows and of sets by class, and what is exact for these."""
    found: dict[bool, list[Floats]] = {False: [], True: []}
    theory = []
    for _ in range(DRAWS):
        validation, test = draw(size, Kind(), generator), draw(TEST, Kind(), generator)
        counts = np.bincount(test.y, minlength=len(SHARES))
        for each, lists in found.items():
            inside = covered(validation, test, each)
            lists.append(np.bincount(test.y, inside, minlength=len(SHARES)) / counts)
        theory.append([expected(rows) for rows in np.bincount(validation.y, minlength=len(SHARES)).tolist()])
    means = np.mean(theory, axis=0).tolist()
    return [
        {
            "share": share,
            "all": summary(row[place] for row in found[False]),
            "by_class": summary(row[place] for row in found[True]),
            "exact": means[place],
        }
        for place, share in enumerate(SHARES)
    ]


def broken(generator: np.random.Generator, size: int = 500) -> list[dict[str, Any]]:
    """Return the coverage where validation and test rows are not exchangeable."""
    same, even = Kind(), Kind(shares=(0.2, 0.3, 0.5))
    cases: list[tuple[str, Kind, Kind, bool]] = [
        ("none", same, same, False),
        ("classes in other shares", same, even, False),
        ("classes in other shares, sets by class", same, even, True),
        ("harder texts", same, Kind(spread=1.3), False),
        ("harder texts, sets by class", same, Kind(spread=1.3), True),
    ]
    return [
        {
            "change": name,
            "simulated": summary(
                float(covered(draw(size, one, generator), draw(TEST, other, generator), each).mean())
                for _ in range(DRAWS)
            ),
        }
        for name, one, other, each in track(cases, "changes", len(cases))
    ]


# Validation rows that have chosen something before


def temperature(validation: Rows, *others: Rows) -> list[Rows]:
    """Return the rows with the temperature of the validation rows."""
    decision = Decision(None, fit_temperature(*validation))
    return [Rows(rows.y, decision.calibrate(rows.probabilities)) for rows in (validation, *others)]


def platt(validation: Rows, *others: Rows) -> list[Rows]:
    """Return the rows with the Platt scaling of the validation rows."""
    decision = Decision(None, fit_platt(*validation))
    return [Rows(rows.y, decision.calibrate(rows.probabilities)) for rows in (validation, *others)]


def drawn(classes: int) -> Callable[[int, np.random.Generator], list[Rows]]:
    """Return a function that draws validation rows, as many others, and test rows."""
    shares = SHARES if classes > 2 else (0.6, 0.4)

    def work(size: int, generator: np.random.Generator) -> list[Rows]:
        return [draw(count, Kind(shares), generator) for count in (size, size, TEST)]

    return work


def stopped(size: int, generator: np.random.Generator) -> list[Rows]:
    """Return the validation rows by which a logistic regression was stopped, as many others, and test rows."""
    weights = generator.normal(size=FEATURES) / math.sqrt(FEATURES) * 3
    parts = []
    for count in (TRAIN, size, size, TEST):
        X = generator.normal(size=(count, FEATURES))
        parts.append((X, (generator.uniform(size=count) < 1 / (1 + np.exp(-X @ weights))).astype(np.int64)))
    (train_X, train_y), *others = parts
    fitted, best, lowest = np.zeros(FEATURES), np.zeros(FEATURES), math.inf
    for _ in range(EPOCHS):
        fitted = fitted - 4 * train_X.T @ (1 / (1 + np.exp(-train_X @ fitted)) - train_y) / TRAIN
        odds = others[0][0] @ fitted
        loss = float(np.mean(np.logaddexp(0, odds) - others[0][1] * odds))
        if loss < lowest:
            best, lowest = fitted, loss
    return [Rows(y, softmax(np.column_stack([0 * y, X @ best]))) for X, y in others]


def most_accurate(correlation: float) -> Callable[[int, np.random.Generator], list[Rows]]:
    """Return a function that draws the rows of that of three models which is right on most validation rows.

    The models are equally good; the correlation is that of the noise in their scores.
    """

    def work(size: int, generator: np.random.Generator) -> list[Rows]:
        y = generator.integers(0, 2, 2 * size + TEST)
        shared, own = generator.normal(size=(1, len(y))), generator.normal(size=(3, len(y)))
        noise = math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own
        scores = DISTANCE * ((2 * y - 1) * DISTANCE / 2 + noise)  # the logarithms of the odds of class 1
        right = ((scores > 0) == (y == 1))[:, :size].sum(axis=1)
        chosen = scores[right.argmax()]
        probabilities = softmax(np.column_stack([np.zeros(len(y)), chosen]))
        parts = (slice(size), slice(size, 2 * size), slice(2 * size, None))
        return [Rows(y[part], probabilities[part]) for part in parts]

    return work


def unchanged(*rows: Rows) -> list[Rows]:
    """Return the rows."""
    return list(rows)


def choices(generator: np.random.Generator) -> list[dict[str, Any]]:
    """Return the coverage with scores of the rows that have chosen something, and with those of others."""
    cases: list[tuple[str, Any, Any]] = [
        ("temperature, three classes", drawn(3), temperature),
        ("Platt scaling, two classes", drawn(2), platt),
        ("early stopping, two classes", stopped, unchanged),
        ("the most accurate of three models, correlation 0.9", most_accurate(0.9), unchanged),
        ("the most accurate of three models, correlation 0.5", most_accurate(0.5), unchanged),
    ]
    lines = []
    for name, make, choose in track(cases, "choices", len(cases)):
        for size in (50, 150, 500):
            pairs = []
            for _ in range(DRAWS):
                chosen, fresh, test = choose(*make(size, generator))
                pairs.append([float(covered(rows, test).mean()) for rows in (chosen, fresh)])
            same, other = (summary(column) for column in zip(*pairs, strict=True))
            cost = summary(second - first for first, second in pairs)
            lines.append(
                {"choice": name, "rows": size, "same": same, "other": other, "cost": cost, "exact": expected(size)}
            )
    return lines


def measure() -> dict[str, Any]:
    """Return the coverage of prediction sets in all simulations."""
    generators = [np.random.default_rng(seed) for seed in np.random.SeedSequence(SEED).spawn(4)]
    return {
        "draws": DRAWS,
        "test": TEST,
        "coverage": COVERAGE,
        "sizes": exact_sizes(generators[0]),
        "classes": by_class(generators[1]),
        "broken": broken(generators[2]),
        "choices": choices(generators[3]),
    }


if __name__ == "__main__":
    results.main({"prediction_sets": measure})
