"""All checks of new texts against reference texts, and the answer."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import mannwhitneyu, rankdata

from textclf.drift.features import Floats, count_unknown, kernel, vocabulary_of, word_counter
from textclf.drift.pool import Pool
from textclf.drift.two_sample import (
    DECIMALS,
    TOLERANCE,
    Word,
    classifier_test,
    deviations,
    differences,
    distances,
    max_t,
    upper_p,
    word_test,
)
from textclf.evaluate.comparisons import holm
from textclf.evaluate.intervals import CONFIDENCE, Interval, area_score, difference, wilson
from textclf.predict.predictor import Predictor

CLASSIFIER, WORDS, LENGTH, UNKNOWN, CLASSES = (
    "classifier",
    "words",
    "length",
    "unknown_words",
    "classes",
)
CHECKS = 5  # at most
BATCH = 256  # texts that are classified at a time
MOST_DISTRIBUTIONS = (
    50  # classes whose probabilities are compared: those that are predicted most often
)


@dataclass(frozen=True)
class Settings:
    """The error rate of the answer, the number of random permutations, and the seed of these and of the samples."""

    alpha: float
    permutations: int
    seed: int


@dataclass(frozen=True)
class Area:
    """The share of pairs of a new and a reference text in which a number is higher for the new one, with its p."""

    area: float
    interval: Interval
    p: float


@dataclass(frozen=True)
class Length:
    """The median length in characters of reference and of new texts, and whether new ones are longer."""

    reference: float
    new: float
    longer: Area


@dataclass(frozen=True)
class Shares:
    """A share of the reference and of the new texts, their difference, and an interval of each."""

    reference: float
    reference_interval: Interval
    new: float
    new_interval: Interval
    difference: float  # new minus reference
    interval: Interval  # of the difference
    p: float  # of a permutation test that the shares are equal


class Distance(NamedTuple):
    """The largest distance of two distribution functions, 0 to 1, and the p-value of a test that they are equal."""

    distance: float
    p: float


@dataclass(frozen=True)
class Findings:
    """What the checks found; None for a check that was left out."""

    classifier: Area
    words: list[Word]  # that were tested, the clearest first
    length: Length
    unknown: Shares | None
    classes: dict[str, Shares] | None
    probabilities: (
        dict[str, Distance] | None
    )  # of classes; of two, of one alone: that of the other is the same
    adjusted: dict[str, float]  # p-values by check, by Holm's method
    p: dict[str, float]

    def correct(self, name: str, p: float) -> float:
        """Return a p-value of a part of a check, such as a word, corrected for all checks as that of the check is."""
        return min(1.0, p / self.p[name] * self.adjusted[name])

    def drifted(self, alpha: float) -> list[str]:
        """Return the checks that found drift, with a probability of at most `alpha` that any of them does by chance."""
        return [name for name, p in self.adjusted.items() if p <= alpha]


def measure(pool: Pool, unseen: Pool | None, predictor: Predictor, settings: Settings) -> Findings:
    """Return what all checks find in a pool of reference and new texts.

    Unknown words and predicted classes are compared in the pool `unseen`, texts that the model was
    not trained on; None leaves them out.
    """
    count, seed = settings.permutations, settings.seed
    representation = predictor.vectorizer
    area, p_area = classifier_test(pool, kernel(representation, pool.texts), count, seed)
    classifier = Area(
        area, area_score(area, pool.count(pool.new), pool.count(pool.reference)), p_area
    )
    words = word_test(pool, word_counter(representation), count, seed)
    length = _length(pool, count, seed)
    unknown = classes = probabilities = None
    p = {CLASSIFIER: classifier.p, WORDS: words[0].p if words else 1.0, LENGTH: length.longer.p}
    if unseen is not None:
        vocabulary = vocabulary_of(representation)
        if vocabulary is not None:
            lacking, every = count_unknown(unseen.texts, vocabulary)
            shares = differences(unseen, lacking[:, None], every, count, seed)[:, 0]
            unknown = _compare_shares(unseen, lacking, every, upper_p(deviations(shares)))
            p[UNKNOWN] = unknown.p
        classes, probabilities = _classes(unseen, predictor, count, seed)
        p[CLASSES] = min(
            [each.p for each in classes.values()] + [each.p for each in probabilities.values()]
        )
    adjusted = dict(zip(p, holm(np.array(list(p.values()))).tolist(), strict=True))
    return Findings(classifier, words, length, unknown, classes, probabilities, adjusted, p)


def _length(pool: Pool, count: int, seed: int) -> Length:
    """Return the Mann-Whitney test of the lengths, by permutations; equal lengths share their mean rank."""
    lengths = np.array([len(text) for text in pool.texts])
    new, reference = (lengths[side > 0] for side in (pool.new, pool.reference))
    means = differences(pool, rankdata(lengths)[:, None], np.ones(len(lengths)), count, seed)[:, 0]
    area = float(mannwhitneyu(new, reference, method="asymptotic").statistic) / (
        len(new) * len(reference)
    )
    interval = area_score(area, pool.count(pool.new), pool.count(pool.reference))
    longer = Area(area, interval, upper_p(deviations(means)))
    return Length(float(np.median(reference)), float(np.median(new)), longer)


def _classes(
    pool: Pool, predictor: Predictor, count: int, seed: int
) -> tuple[dict[str, Shares], dict[str, Distance]]:
    """Return the shares of the predicted classes or labels, and the distances of their probabilities.

    The p-values are those of `max_t` of both together, standardised over the permutations.
    """
    names, texts = predictor.classes_, pool.texts
    starts = range(0, len(texts), BATCH)
    probabilities = np.concatenate(
        [predictor.predict_proba(texts[start : start + BATCH]) for start in starts]
    )
    labels = predictor.labels(probabilities)
    multilabel = predictor.decision.multilabel
    sets = labels if multilabel else [[label] for label in labels]
    is_class = np.array([[name in each for name in names] for each in sets], dtype=np.float64)
    most = MOST_DISTRIBUTIONS if multilabel or len(names) > 2 else 1
    places = np.sort(np.argsort(-is_class.sum(axis=0), kind="stable")[:most]).tolist()
    between = distances(pool, np.round(probabilities[:, places], DECIMALS), count, seed)
    shares = deviations(differences(pool, is_class, np.ones(len(texts)), count, seed))
    statistics = np.column_stack([shares, between - between.mean(axis=0)])
    spread = np.sqrt((statistics**2).mean(axis=0))
    standard = np.divide(
        statistics, spread, out=np.zeros_like(statistics), where=spread > TOLERANCE
    )
    p_values = max_t(standard[0], standard.max(axis=1)).tolist()
    columns = zip(names, is_class.T, p_values, strict=False)
    measured = zip(places, between[0].tolist(), p_values[len(names) :], strict=True)
    return (
        {
            name: _compare_shares(pool, column, np.ones(len(texts)), p)
            for name, column, p in columns
        },
        {names[place]: Distance(distance, p) for place, distance, p in measured},
    )


def _compare_shares(pool: Pool, parts: Floats, wholes: Floats, p: float) -> Shares:
    """Return the shares sum(parts) / sum(wholes) of both sides, with intervals from the variance between clusters."""
    sides = []
    for side in (pool.reference > 0, pool.new > 0):
        cluster = np.unique(pool.clusters[side], return_inverse=True)[1]
        sides.append(
            effective(
                *(np.bincount(cluster, each[side]).astype(np.float64) for each in (parts, wholes))
            )
        )
    return compare(sides[0], sides[1], p)


def compare(reference: tuple[float, float], new: tuple[float, float], p: float) -> Shares:
    """Return two shares from the number of successes and of independent trials, above 0, of each.

    The interval of the difference is recovered from the Wilson intervals of the shares.
    """
    shares = [successes / trials for successes, trials in (reference, new)]
    old, now = (wilson(*each, CONFIDENCE) for each in (reference, new))
    interval = difference(shares[1], shares[0], now, old)
    return Shares(shares[0], old, shares[1], now, shares[1] - shares[0], interval, p)


def effective(parts: Floats, wholes: Floats) -> tuple[float, float]:
    """Return the successes and independent trials to which a share of words or texts is equivalent, from cluster sums.

    sum(parts) / sum(wholes) is a ratio estimate between clusters: Cochran (1977), Sampling
    Techniques, 2.11 and 9A.
    """
    total = float(wholes.sum())
    if not total:
        return 0.0, float(
            max(1, len(wholes))
        )  # a cluster counts as one trial, as where all are alike
    share = float(parts.sum()) / total
    between = float(((parts - share * wholes) ** 2).sum())
    variance = share * (1 - share)
    size = variance * total**2 / between if variance > 0 and between > 0 else float(len(wholes))
    size = min(size, total)
    return share * size, size
