"""Tests that tell new texts from reference texts: by a classifier, and by single words.

The classifier two-sample test is whether a classifier tells held-out new texts from held-out
reference texts: Lopez-Paz & Oquab (2017), ICLR, arXiv:1610.06545; Kim et al. (2021), Ann. Stat.
49:411-434, doi:10.1214/20-AOS1962. The classifier is kernel ridge regression on the sides: its
scores for held-out texts are a fixed matrix times the sides, so that a permutation costs no
training.

Permutation tests take repeated texts into account. The copies of a text on both sides, such as (2,
0) or (1, 1), are exchanged among the texts with as many copies in all. This is exact if each row is
drawn independently, and if all copies of a text belong to one side together. Clusters of texts of
one group are exchanged as a whole, among those of as many texts: exact if groups are drawn
independently.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import inv

from textclf.drift.features import Count, Floats, in_several
from textclf.drift.pool import PooledTexts

FOLDS = 10
# Added to the diagonal of a kernel of texts with a mean squared length of 1.
RIDGE = 1.0
# Scores are rounded to this many decimals, so that equal texts have equal scores.
DECIMALS = 9
# A word that fewer texts have is not tested: it can't tell the sides apart.
FEWEST_TEXTS = 5
# Texts times permutations in memory at a time.
CELLS = 2**19
# Statistics that differ less are equal.
TOLERANCE = 1e-9


class Word(NamedTuple):
    """A word, the shares of texts of each side that have it, and its p-value over all words."""

    word: str
    reference: float
    new: float
    p: float


class HeldOutRidge:
    """Scores for held-out texts by kernel ridge regression; folds are runs of neighbouring texts.

    With A = K + ridge, and M its inverse, the residuals of the texts of fold f after training on
    all others are (M_ff)^-1 (M y)_f: the formula for leaving one out, Cook (1977), in blocks.
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
        return np.asarray(np.round(centred - residuals, DECIMALS))


def cut_folds(clusters: NDArray[np.int64], folds: int = FOLDS) -> list[slice]:
    """Return runs of about as many texts, no cluster divided: (texts,) as in `PooledTexts`."""
    starts = np.append(np.unique(clusters, return_index=True)[1], len(clusters))
    even = np.linspace(0, len(clusters), folds + 1).astype(np.int64)
    bounds = starts[np.searchsorted(starts, even)].tolist()
    return [slice(*ends) for ends in itertools.pairwise(bounds) if ends[0] < ends[1]]


def centre(kernel: Floats) -> Floats:
    """Return the kernel of the vectors less their mean, scaled to a mean squared length of 1."""
    means = kernel.mean(axis=0)
    kernel -= means
    kernel -= means[:, None] - means.mean()
    length = float(np.trace(kernel)) / max(1, len(kernel))
    if length > 0:
        kernel /= length
    return kernel


def areas(scores: Floats, sides: Floats, folds: Sequence[slice]) -> Floats:
    """Return the area under the ROC curve within folds, (permutations,).

    It is 0.5 without pairs of new and reference texts. `sides` (texts, permutations) is the share
    of a text's copies that are new.
    """
    higher, pairs = np.zeros(scores.shape[1]), np.zeros(scores.shape[1])
    for fold in folds:
        # Of equal scores, the order of the hashes decides.
        order = np.argsort(scores[fold], axis=0, kind="stable")
        new = np.take_along_axis(sides[fold], order, axis=0)
        # A text that both sides have is as high as itself.
        below = np.cumsum(1 - new, axis=0) - (1 - new) / 2
        higher += (new * below).sum(axis=0)
        pairs += new.sum(axis=0) * (1 - new).sum(axis=0)
    return np.divide(higher, pairs, out=np.full_like(higher, 0.5), where=pairs > 0)


def classifier_test(
    pool: PooledTexts, kernel: Floats, count: int, seed: int
) -> tuple[float, float]:
    """Return the area under the ROC curve of held-out scores, and its p-value by permutations.

    The area is 0.5 by chance. `kernel` (texts, texts) is of all texts, and is overwritten.
    """
    ridge = HeldOutRidge(centre(kernel), cut_folds(pool.clusters))
    sides = pool.new / pool.copies
    chunks = []
    for chunk in permutations(pool, count, seed):
        permuted = sides[chunk]
        chunks.append(areas(ridge.scores(permuted), permuted, ridge.folds))
    statistics = np.concatenate(chunks)
    return float(statistics[0]), upper_p(statistics)


def word_test(pool: PooledTexts, count_words: Count, count: int, seed: int) -> list[Word]:
    """Test whether more texts of one side have a word than by chance; return the clearest first.

    The statistic of a word is the standardised difference of the shares of texts that have it;
    p-values are those of `max_t`, so the first is also that of no word at all.
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
    words = [terms[position] for position in frequent]
    order = sorted(range(len(words)), key=lambda n: (-abs(observed[n]), words[n]))
    return [Word(words[n], float(reference[n]), float(new[n]), float(p_values[n])) for n in order]


def permutations(pool: PooledTexts, count: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield chunks of positions (texts, permutations): the identity, then `count` random ones."""
    generator = np.random.default_rng(seed)
    _, starts, sizes = np.unique(pool.clusters, return_index=True, return_counts=True)
    kinds = np.column_stack([sizes, pool.copies[starts]])
    strata = [
        (starts[(kinds == kind).all(axis=1)], np.arange(kind[0]))
        for kind in np.unique(kinds, axis=0)
    ]
    strata = [(firsts, offsets) for firsts, offsets in strata if len(firsts) > 1]
    step = max(1, CELLS // max(1, len(pool.texts)))
    identity = np.arange(len(pool.texts))[:, None]
    for start in range(0, count + 1, step):
        chunk = np.repeat(identity, min(step, count + 1 - start), axis=1)
        for firsts, offsets in strata:
            moved = generator.permuted(chunk[firsts], axis=0)
            positions = (firsts[:, None] + offsets).ravel()
            chunk[positions] = (moved[:, None] + offsets[:, None]).reshape(-1, chunk.shape[1])
        if start == 0:
            chunk[:, :1] = identity
        yield chunk


def upper_p(statistics: Floats) -> float:
    """Return the one-sided p-value of the first of the statistics (permutations + 1,).

    Large values are significant.

    (b + 1) / (m + 1) with b of m random permutations at least as large, which is never too small:
    Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9:39, doi:10.2202/1544-6115.1585.
    """
    return float(np.mean(statistics >= statistics[0] - TOLERANCE))


def deviations(statistics: Floats) -> Floats:
    """Return how far each statistic is from the mean over all permutations, with the observed."""
    return np.asarray(np.abs(statistics - statistics.mean(axis=0)))


def max_t(statistics: Floats, largest: Floats) -> Floats:
    """Return the p-value of each of several standardised statistics, corrected for all of them.

    `largest` (permutations + 1,) is the largest one of each permutation: the single-step maxT
    method of Westfall & Young (1993), Resampling-Based Multiple Testing, chapter 2.
    """
    larger = len(largest) - np.searchsorted(np.sort(largest), statistics - TOLERANCE)
    # Not 1 minus a share, which can be just above alpha.
    return larger / len(largest)


def differences(pool: PooledTexts, parts: Floats, wholes: Floats, count: int, seed: int) -> Floats:
    """Return sum(parts) / sum(wholes) over new texts minus that over reference texts.

    `parts` (texts, columns), `wholes` (texts,), the result (permutations + 1, columns). A text that
    both sides have counts on both.
    """
    chunks = []
    for chunk in permutations(pool, count, seed):
        sides = [(side > 0).astype(np.float64)[chunk].T for side in (pool.new, pool.reference)]
        new, reference = ((side @ parts) / np.maximum(side @ wholes, 1)[:, None] for side in sides)
        chunks.append(new - reference)
    return np.concatenate(chunks)


def distances(pool: PooledTexts, values: Floats, count: int, seed: int) -> Floats:
    """Return the Kolmogorov-Smirnov statistics of new and reference texts.

    They are (permutations + 1, columns), `values` (texts, columns). A text that both sides have
    counts on both.
    """
    orders = np.argsort(values, axis=0, kind="stable")
    ordered = np.take_along_axis(values, orders, axis=0)
    # The distribution functions are compared at the last of equal values.
    ends = np.diff(ordered, axis=0, append=np.inf) > TOLERANCE
    new, reference = ((side > 0) / (side > 0).sum() for side in (pool.new, pool.reference))
    chunks = []
    for chunk in permutations(pool, count, seed):
        steps = (new - reference)[chunk]
        columns = [
            np.cumsum(steps[order], axis=0)[end]
            for order, end in zip(orders.T, ends.T, strict=True)
        ]
        chunks.append(np.column_stack([np.abs(column).max(axis=0) for column in columns]))
    return np.concatenate(chunks)
