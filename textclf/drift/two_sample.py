"""The classifier two-sample test: whether a classifier tells held-out new texts from held-out reference texts.

Lopez-Paz & Oquab (2017), ICLR, arXiv:1610.06545; Kim, Ramdas, Singh & Wasserman (2021), Ann. Stat. 49:411-434,
doi:10.1214/20-AOS1962. The classifier is kernel ridge regression on the side of each text: in two classes, Fisher's
discriminant with a ridge. Its scores for held-out texts are a fixed matrix times the sides, so that a permutation costs
a product of matrices and no training.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textclf.drift.permutations import permutations, upper_p
from textclf.drift.sample import Pool

FOLDS = 10
RIDGE = 1.0  # beside a kernel of texts with a mean squared length of 1
STEP = 256  # rows that are copied at a time
DECIMALS = 9  # of scores, so that equal texts have equal scores

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TwoSample:
    """The area under the ROC curve of held-out scores, 0.5 by chance, and its p-value."""

    area: float
    p: float


class HeldOutRidge:
    """Scores for held-out texts by kernel ridge regression with `FOLDS` folds, which are runs of neighbouring texts.

    With A = K + ridge, and M its inverse, the residuals of the texts of fold f after training on all others are
    (M_ff)^-1 (M y)_f: the formula for leaving one out, Cook (1977), in blocks.
    """

    def __init__(self, kernel: Floats, ridge: float = RIDGE, folds: int = FOLDS) -> None:
        """Take the kernel (texts, texts), which is overwritten."""
        from scipy.linalg.lapack import dpotrf, dpotri

        texts = len(kernel)
        bounds = np.linspace(0, texts, folds + 1).astype(np.int64).tolist()
        self.folds = [slice(*ends) for ends in itertools.pairwise(bounds) if ends[0] < ends[1]]
        kernel.flat[:: texts + 1] += ridge
        # Fortran's order of a symmetric matrix is the same matrix, so that nothing is copied.
        factor, _ = dpotrf(kernel.T, lower=1, clean=0, overwrite_a=1)
        inverse, _ = dpotri(factor, lower=1, overwrite_c=1)
        for start in range(0, texts, STEP):  # only the lower triangle is computed
            rows = slice(start, start + STEP)
            lower = np.tril(inverse[rows, rows])
            inverse[rows, rows] = lower + np.tril(lower, -1).T
            inverse[rows, start + STEP :] = inverse[start + STEP :, rows].T
        self.inverse: Floats = inverse
        self.blocks = [np.linalg.inv(inverse[fold, fold]) for fold in self.folds]

    def scores(self, sides: Floats) -> Floats:
        """Return a score for each text, high for new ones, from the sides (texts, permutations)."""
        centred = sides - sides.mean(axis=0)
        residuals = self.inverse @ centred
        for fold, block in zip(self.folds, self.blocks, strict=True):
            residuals[fold] = block @ residuals[fold]
        rounded: Floats = np.round(centred - residuals, DECIMALS)
        return rounded


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
    """Return the area under the ROC curve within folds: (permutations,).

    `sides` (texts, permutations) is the share of a text's copies that are new. The area is the share of pairs of a new
    and a reference text of one fold in which the new one has the higher score; 0.5 without pairs.
    """
    higher, pairs = np.zeros(scores.shape[1]), np.zeros(scores.shape[1])
    for fold in folds:
        order = np.argsort(scores[fold], axis=0, kind="stable")  # of equal scores, the order of the hashes decides
        new = np.take_along_axis(sides[fold], order, axis=0)
        below = np.cumsum(1 - new, axis=0) - (1 - new) / 2  # a text that both sides have is as high as itself
        higher += (new * below).sum(axis=0)
        pairs += new.sum(axis=0) * (1 - new).sum(axis=0)
    return np.divide(higher, pairs, out=np.full_like(higher, 0.5), where=pairs > 0)


def two_sample(pool: Pool, kernel: Floats, count: int, seed: int) -> TwoSample:
    """Return the test with `count` permutations; `kernel` (texts, texts) is of all texts, and is overwritten."""
    ridge = HeldOutRidge(centre(kernel))
    sides = pool.new / pool.copies
    found = []
    for chunk in permutations(pool.copies, count, seed):
        permuted = sides[chunk]
        found.append(areas(ridge.scores(permuted), permuted, ridge.folds))
    statistics = np.concatenate(found)
    return TwoSample(float(statistics[0]), upper_p(statistics))
