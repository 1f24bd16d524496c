"""All checks of new texts against reference texts, and the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.drift import words
from textclf.drift.features import kernel
from textclf.drift.permutations import TOLERANCE, deviations, mean_differences, ratio_differences, upper_p
from textclf.drift.sample import Pool
from textclf.drift.shares import Shares, compare, effective
from textclf.drift.two_sample import two_sample
from textclf.drift.words import WordTest
from textclf.evaluate.comparisons import holm
from textclf.evaluate.intervals import Interval, area_score
from textclf.predict.predictor import Predictor

CLASSIFIER, WORDS, LENGTH, UNKNOWN, CLASSES = "classifier", "words", "length", "unknown_words", "classes"
CHECKS = 5  # at most
BATCH = 256  # texts that are classified at a time

Floats = NDArray[np.float64]


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
    ends: Interval
    p: float


@dataclass(frozen=True)
class Length:
    """The median length in characters of reference and of new texts, and whether new ones are longer."""

    reference: float
    new: float
    longer: Area


@dataclass(frozen=True)
class Findings:
    """What the checks found; None for a check that was left out. `adjusted` are p-values by check, by Holm's method."""

    classifier: Area
    words: WordTest
    length: Length
    unknown: Shares | None
    classes: dict[str, Shares] | None
    adjusted: dict[str, float]
    p: dict[str, float]

    def correct(self, name: str, p: float) -> float:
        """Return a p-value of a part of a check, such as a word, corrected for all checks as that of the check is."""
        return min(1.0, p / self.p[name] * self.adjusted[name])

    def drifted(self, alpha: float) -> list[str]:
        """Return the checks that found drift, with a probability of at most `alpha` that any of them does by chance."""
        return [name for name, p in self.adjusted.items() if p <= alpha]


def measure(pool: Pool, seen: Pool | None, predictor: Predictor, settings: Settings) -> Findings:
    """Return what all checks find in a pool of reference and new texts.

    Unknown words and predicted classes are compared in the pool `seen`, whose reference rows the model has not been
    trained on; None leaves them out.
    """
    count, seed = settings.permutations, settings.seed
    representation = predictor.vectorizer
    found = two_sample(pool, kernel(representation, pool.texts), count, seed)
    sizes = [int((side > 0).sum()) for side in (pool.new, pool.reference)]
    classifier = Area(found.area, area_score(found.area, *sizes), found.p)
    tested = words.word_test(pool, words.splitter(representation), count, seed)
    length = _length(pool, count, seed)
    unknown = classes = None
    p = {CLASSIFIER: classifier.p, WORDS: tested.p, LENGTH: length.longer.p}
    if seen is not None:
        vocabulary = words.vocabulary_of(representation)
        if vocabulary is not None:
            unknown = _unknown(seen, vocabulary, count, seed)
            p[UNKNOWN] = unknown.p
        classes = _classes(seen, predictor, count, seed)
        p[CLASSES] = min(each.p for each in classes.values())
    adjusted = dict(zip(p, holm(np.array(list(p.values()))).tolist(), strict=True))
    return Findings(classifier, tested, length, unknown, classes, adjusted, p)


def _length(pool: Pool, count: int, seed: int) -> Length:
    """Return the Mann-Whitney test of the lengths, by permutations."""
    lengths = np.array([len(text) for text in pool.texts])
    _, places, ties = np.unique(lengths, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[places]  # of equal lengths their mean
    differences = mean_differences(pool, ranks[:, None], count, seed)[:, 0]
    is_new, is_reference = pool.new > 0, pool.reference > 0
    new, reference = int(is_new.sum()), int(is_reference.sum())
    below = np.searchsorted(np.sort(lengths[is_reference]), lengths[is_new], side="left")
    upto = np.searchsorted(np.sort(lengths[is_reference]), lengths[is_new], side="right")
    area = float((below + upto).sum()) / (2 * new * reference)
    longer = Area(area, area_score(area, new, reference), upper_p(deviations(differences)))
    return Length(float(np.median(lengths[is_reference])), float(np.median(lengths[is_new])), longer)


def _unknown(pool: Pool, vocabulary: words.Vocabulary, count: int, seed: int) -> Shares:
    """Return the shares of words that the vocabulary lacks."""
    unknown, all_words = words.count_unknown(pool.texts, vocabulary)
    differences = ratio_differences(pool, unknown, all_words, count, seed)
    sides = [effective(unknown[side > 0], all_words[side > 0]) for side in (pool.reference, pool.new)]
    return compare(sides[0], sides[1], upper_p(deviations(differences)))


def _classes(pool: Pool, predictor: Predictor, count: int, seed: int) -> dict[str, Shares]:
    """Return the shares of the predicted classes; the p-values are corrected for all classes.

    The difference of each class is divided by its standard deviation over the permutations, and compared with the
    largest one of each permutation: the single-step maxT method of Westfall & Young (1993), Resampling-Based Multiple
    Testing, chapter 2.
    """
    labels = predict(predictor, pool.texts)
    is_class = np.array([[label == name for name in predictor.classes_] for label in labels], dtype=np.float64)
    differences = deviations(mean_differences(pool, is_class, count, seed))
    spread = np.sqrt((differences**2).mean(axis=0))
    standard = np.divide(differences, spread, out=np.zeros_like(differences), where=spread > TOLERANCE)
    largest = standard.max(axis=1)
    sizes = [float((side > 0).sum()) for side in (pool.reference, pool.new)]
    shares = {}
    for place, name in enumerate(predictor.classes_):
        counts = [float(is_class[side > 0, place].sum()) for side in (pool.reference, pool.new)]
        p = float(np.mean(largest >= standard[0, place] - TOLERANCE))
        shares[name] = compare((counts[0], sizes[0]), (counts[1], sizes[1]), p)
    return shares


def predict(predictor: Predictor, texts: Sequence[str]) -> list[Any]:
    """Return the label of each text."""
    return [label for start in range(0, len(texts), BATCH) for label in predictor.predict(texts[start : start + BATCH])]
