"""All checks of new texts against reference texts, and the answer."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import mannwhitneyu, rankdata

from textclf.drift.features import Floats, count_unknown, kernel, vocabulary_of, word_counter
from textclf.drift.pool import PooledTexts
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

CLASSIFIER = "classifier"
WORDS = "words"
LENGTH = "length"
UNKNOWN = "unknown_words"
CLASSES = "classes"
# The number of checks, at most.
CHECKS = 5
# Texts that are classified at a time.
BATCH = 256
# Classes whose probabilities are compared: those that are predicted most often.
MOST_DISTRIBUTIONS = 50


@dataclass(frozen=True)
class Settings:
    """The error rate of the answer, the number of permutations, and the seed of all samples."""

    alpha: float
    permutations: int
    seed: int


@dataclass(frozen=True)
class Area:
    """The share of pairs of a new and a reference text in which the new one is higher, with p."""

    area: float
    interval: Interval
    p: float


@dataclass(frozen=True)
class Length:
    """The median lengths in characters of both sides, and whether new texts are longer."""

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
    # New minus reference.
    difference: float
    # Of the difference.
    interval: Interval
    # Of a permutation test that the shares are equal.
    p: float


class Distance(NamedTuple):
    """The largest distance of two distribution functions, and p of a test that they are equal."""

    distance: float
    p: float


@dataclass(frozen=True)
class Findings:
    """The results of the checks; None for a check that was left out."""

    classifier: Area
    # All words that were tested, the clearest first.
    words: list[Word]
    length: Length
    unknown: Shares | None
    classes: dict[str, Shares] | None
    # By class; of two, of one alone: that of the other is the same.
    probabilities: dict[str, Distance] | None
    # p-values by check, by Holm's method.
    adjusted: dict[str, float]
    p: dict[str, float]

    def correct(self, name: str, p: float) -> float:
        """Return a p-value of a part of a check, such as a word, corrected as that of the check."""
        return min(1.0, p / self.p[name] * self.adjusted[name])

    def drifted(self, alpha: float) -> list[str]:
        """Return the checks that found drift, with an error rate of `alpha` for all together."""
        return [name for name, p in self.adjusted.items() if p <= alpha]


def measure(
    pool: PooledTexts, unseen: PooledTexts | None, predictor: Predictor, settings: Settings
) -> Findings:
    """Return the results of all checks of a pool of reference and new texts.

    Unknown words and predicted classes are compared in the pool `unseen`, texts that the model was
    not trained on; None leaves them out.
    """
    count, seed = settings.permutations, settings.seed
    representation = predictor.vectorizer
    sizes = pool.count(pool.new), pool.count(pool.reference)
    area, p_area = classifier_test(pool, kernel(representation, pool.texts), count, seed)
    classifier = Area(area, area_score(area, *sizes), p_area)
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
        p_of_shares = [shares.p for shares in classes.values()]
        p[CLASSES] = min(p_of_shares + [distance.p for distance in probabilities.values()])
    adjusted = dict(zip(p, holm(np.array(list(p.values()))).tolist(), strict=True))
    return Findings(classifier, words, length, unknown, classes, probabilities, adjusted, p)


def _length(pool: PooledTexts, count: int, seed: int) -> Length:
    """Return the Mann-Whitney test of the lengths by permutations; ties share their mean rank."""
    lengths = np.array([len(text) for text in pool.texts])
    new, reference = (lengths[side > 0] for side in (pool.new, pool.reference))
    means = differences(pool, rankdata(lengths)[:, None], np.ones(len(lengths)), count, seed)[:, 0]
    pairs = len(new) * len(reference)
    area = float(mannwhitneyu(new, reference, method="asymptotic").statistic) / pairs
    interval = area_score(area, pool.count(pool.new), pool.count(pool.reference))
    longer = Area(area, interval, upper_p(deviations(means)))
    return Length(float(np.median(reference)), float(np.median(new)), longer)


def _classes(
    pool: PooledTexts, predictor: Predictor, count: int, seed: int
) -> tuple[dict[str, Shares], dict[str, Distance]]:
    """Return the shares of predicted classes or labels, and the distances of their probabilities.

    The p-values are those of `max_t` of both together, standardised over the permutations.
    """
    names, texts = predictor.model.classes, pool.texts
    starts = range(0, len(texts), BATCH)
    probabilities = np.concatenate(
        [predictor.predict_proba(texts[start : start + BATCH]) for start in starts]
    )
    labels = predictor.labels(probabilities)
    multilabel = predictor.decision.multilabel
    sets = labels if multilabel else [[label] for label in labels]
    is_class = np.array([[name in chosen for name in names] for chosen in sets], dtype=np.float64)
    most = MOST_DISTRIBUTIONS if multilabel or len(names) > 2 else 1
    frequent = np.sort(np.argsort(-is_class.sum(axis=0), kind="stable")[:most]).tolist()
    between = distances(pool, np.round(probabilities[:, frequent], DECIMALS), count, seed)
    shares = deviations(differences(pool, is_class, np.ones(len(texts)), count, seed))
    statistics = np.column_stack([shares, between - between.mean(axis=0)])
    spread = np.sqrt((statistics**2).mean(axis=0))
    standard = np.divide(
        statistics, spread, out=np.zeros_like(statistics), where=spread > TOLERANCE
    )
    p_values = max_t(standard[0], standard.max(axis=1)).tolist()
    columns = zip(names, is_class.T, p_values, strict=False)
    measured = zip(frequent, between[0].tolist(), p_values[len(names) :], strict=True)
    by_class = {
        name: _compare_shares(pool, column, np.ones(len(texts)), p) for name, column, p in columns
    }
    return by_class, {names[n]: Distance(distance, p) for n, distance, p in measured}


def _compare_shares(pool: PooledTexts, parts: Floats, wholes: Floats, p: float) -> Shares:
    """Return the shares sum(parts) / sum(wholes) of both sides; intervals are between clusters."""
    sides = []
    for side in (pool.reference > 0, pool.new > 0):
        cluster = np.unique(pool.clusters[side], return_inverse=True)[1]
        sums = (np.bincount(cluster, values[side]) for values in (parts, wholes))
        sides.append(effective(*(values.astype(np.float64) for values in sums)))
    return compare(sides[0], sides[1], p)


def compare(reference: tuple[float, float], new: tuple[float, float], p: float) -> Shares:
    """Return two shares from the number of successes and of independent trials, above 0, of each.

    The interval of the difference is recovered from the Wilson intervals of the shares.
    """
    shares = [successes / trials for successes, trials in (reference, new)]
    old, now = (wilson(*counts, CONFIDENCE) for counts in (reference, new))
    interval = difference(shares[1], shares[0], now, old)
    return Shares(shares[0], old, shares[1], now, shares[1] - shares[0], interval, p)


def effective(parts: Floats, wholes: Floats) -> tuple[float, float]:
    """Return the successes and independent trials equivalent to a share, from cluster sums.

    sum(parts) / sum(wholes) is a ratio estimate between clusters: Cochran (1977), Sampling
    Techniques, 2.11 and 9A.
    """
    total = float(wholes.sum())
    if not total:
        # A cluster counts as one trial, as where all are alike.
        return 0.0, float(max(1, len(wholes)))
    share = float(parts.sum()) / total
    between = float(((parts - share * wholes) ** 2).sum())
    variance = share * (1 - share)
    size = variance * total**2 / between if variance > 0 and between > 0 else float(len(wholes))
    size = min(size, total)
    return share * size, size
