"""Tests that tell new texts from reference texts: by a classifier, and by single words.

The classifier two-sample test is whether a classifier tells held-out new texts from held-out reference texts: Lopez-Paz
& Oquab (2017), ICLR, arXiv:1610.06545; Kim et al. (2021), Ann. Stat. 49:411-434, doi:10.1214/20-AOS1962. The classifier
is kernel ridge regression on the sides: its scores for held-out texts are a fixed matrix times the sides, so that a
permutation costs no training.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import inv

from textclf.drift.features import Count, Floats, in_several
from textclf.drift.permutations import TOLERANCE, max_t, permutations, upper_p
from textclf.drift.pool import Pool

FOLDS = 10
RIDGE = 1.0  # beside a kernel of texts with a mean squared length of 1
DECIMALS = 9  # of scores, so that equal texts have equal scores
FEWEST_TEXTS = 5  # texts that have a word which is tested: fewer can't tell the sides apart


class Word(NamedTuple):
    """A word, the shares of reference and of new texts that have it, and its p-value, corrected for all words."""

    word: str
    reference: float
    new: float
    p: float


class HeldOutRidge:
    """Scores for held-out texts by kernel ridge regression with folds, which are runs of neighbouring texts.

    With A = K + ridge, and M its inverse, the residuals of the texts of fold f after training on all others are
    (M_ff)^-1 (M y)_f: the formula for leaving one out, Cook (1977), in blocks.
    """

    def __init__(self, kernel: Floats, folds: Sequence[slice], ridge: float = RIDGE) -> None:
        """Take the kernel (texts, texts), which is overwritten."""
        self.folds = folds
        kernel.flat[:: len(kernel) + 1] += ridge
        self.inverse: Floats = inv(kernel, overwrite_a=True, assume_a="pos")
        self.blocks = [np.linalg.inv(self.inverse[fold, fold]) for fold in self.folds]

    def scores(self, sides: Floats) -> Floats:
        """Return a score for each text, high for new ones, from the sides (texts, permutations)."""
        centred = sides - sides.mean(axis=0)
        residuals = self.inverse @ centred
        for fold, block in zip(self.folds, self.blocks, strict=True):
            residuals[fold] = block @ residuals[fold]
        rounded: Floats = np.round(centred - residuals, DECIMALS)
        return rounded


def cut_folds(clusters: NDArray[np.int64], folds: int = FOLDS) -> list[slice]:
    """Return runs of about as many texts, without dividing a cluster: (texts,) as in `Pool`."""
    starts = np.append(np.unique(clusters, return_index=True)[1], len(clusters))
    bounds = starts[np.searchsorted(starts, np.linspace(0, len(clusters), folds + 1).astype(np.int64))].tolist()
    return [slice(*ends) for ends in itertools.pairwise(bounds) if ends[0] < ends[1]]


def centre(kernel: Floats) -> Floats:
    """Return the kernel of the same vectors less their mean, scaled to a mean squared length of 1."""
    means = kernel.mean(axis=0)
    kernel -= means
    kernel -= means[:, None] - means.mean()
    length = float(np.trace(kernel)) / max(1, len(kernel))
    if length > 0:
        kernel /= length
    return kernel


def areas(scores: Floats, sides: Floats, folds: Sequence[slice]) -> Floats:
    """Return the area under the ROC curve within folds, (permutations,); 0.5 without pairs of new and reference texts.

    `sides` (texts, permutations) is the share of a text's copies that are new.
    """
    higher, pairs = np.zeros(scores.shape[1]), np.zeros(scores.shape[1])
    for fold in folds:
        order = np.argsort(scores[fold], axis=0, kind="stable")  # of equal scores, the order of the hashes decides
        new = np.take_along_axis(sides[fold], order, axis=0)
        below = np.cumsum(1 - new, axis=0) - (1 - new) / 2  # a text that both sides have is as high as itself
        higher += (new * below).sum(axis=0)
        pairs += new.sum(axis=0) * (1 - new).sum(axis=0)
    return np.divide(higher, pairs, out=np.full_like(higher, 0.5), where=pairs > 0)


def classifier_test(pool: Pool, kernel: Floats, count: int, seed: int) -> tuple[float, float]:
    """Return the area under the ROC curve of held-out scores, 0.5 by chance, and its p-value by `count` permutations.

    `kernel` (texts, texts) is of all texts, and is overwritten.
    """
    ridge = HeldOutRidge(centre(kernel), cut_folds(pool.clusters))
    sides = pool.new / pool.copies
    found = []
    for chunk in permutations(pool, count, seed):
        permuted = sides[chunk]
        found.append(areas(ridge.scores(permuted), permuted, ridge.folds))
    statistics = np.concatenate(found)
    return float(statistics[0]), upper_p(statistics)


def word_test(pool: Pool, count_words: Count, count: int, seed: int) -> list[Word]:
    """Return the words that are tested, the clearest first, whether more texts of one side have each than by chance.

    The statistic of a word is the standardised difference of the shares of texts that have it; p-values are those of
    `max_t`, so the first is also that of no word at all.
    """
    terms, has = in_several(count_words(pool.texts))
    shares = np.bincount(has.indices, minlength=has.shape[1]) / max(1, len(pool.texts))
    frequent = np.flatnonzero((shares * len(pool.texts) >= FEWEST_TEXTS - TOLERANCE) & (shares < 1))
    if not len(frequent):
        return []
    has, shares = has[:, frequent], shares[frequent]
    has.data[:] = 1
    by_word = has.T.tocsr()
    sides = [(side > 0) / (side > 0).sum() for side in (pool.new, pool.reference)]
    scale = 1 / np.sqrt(shares * (1 - shares))
    largest, observed = [], np.zeros(0)
    for chunk in permutations(pool, count, seed):
        statistics = (by_word @ (sides[0] - sides[1])[chunk]) * scale[:, None]
        observed = observed if len(observed) else statistics[:, 0]
        largest.append(np.abs(statistics).max(axis=0))
    p_values = max_t(np.abs(observed), np.concatenate(largest))
    new, reference = (by_word @ side for side in sides)
    order = sorted(range(len(frequent)), key=lambda place: (-abs(observed[place]), terms[frequent[place]]))
    return [
        Word(terms[frequent[place]], float(reference[place]), float(new[place]), float(p_values[place]))
        for place in order
    ]
