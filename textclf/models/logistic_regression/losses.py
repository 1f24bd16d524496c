"""The loss of logistic regression and its gradient, to the bit those of scikit-learn."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Scores between which 1 and exp(score) are both needed for log(1 + exp(score)): Maechler (2012), Accurately computing
# log(1 - exp(-|a|)), the R package Rmpfr. Up to LOW it is computed from exp(score), above from exp(-score).
LOWEST, LOW, HIGHEST = -37, -2, 18
BLOCK = 2**13  # scores at a time, so that the arrays in between stay in the cache of the CPU


def binomial(scores: Array, y: Array) -> tuple[Array, Array]:
    """Return the log loss of each row and its derivative by the score, both (rows,).

    `scores` (rows,) are log odds; `y` (rows,) is 1 for the positive class and 0 for the other.
    """
    losses, slopes = np.empty_like(scores), np.empty_like(scores)
    for start in range(0, len(scores), BLOCK):
        some = slice(start, start + BLOCK)
        losses[some], slopes[some] = _binomial(scores[some], y[some])
    return losses, slopes


def multinomial(scores: Array, y: NDArray[np.int64]) -> tuple[Array, Array]:
    """Return the log loss of each row, (rows,), and its derivatives by the scores, (rows, classes).

    `scores` (rows, classes) are the logarithms of the probabilities up to a constant per row; `y` (rows,) is the
    position of each row's class.
    """
    losses, slopes = np.empty(len(scores)), np.empty_like(scores)
    size = max(1, BLOCK // scores.shape[1])
    for start in range(0, len(scores), size):
        some = slice(start, start + size)
        losses[some], slopes[some] = _multinomial(scores[some], y[some])
    return losses, slopes


def _binomial(scores: Array, y: Array) -> tuple[Array, Array]:
    low, others = scores <= LOW, 1 - y
    powers = np.exp(np.where(low, scores, -scores))
    both = (scores > LOWEST) & (scores <= HIGHEST)
    logarithms = np.where(both, np.log1p(powers), powers)
    losses = logarithms + np.where(low, -y, others) * scores
    tiny = scores <= LOWEST
    slopes = np.where(low, np.where(tiny, 1, others) * powers - y, others - y * powers) / np.where(tiny, 1, 1 + powers)
    return losses, slopes


def _multinomial(scores: Array, y: NDArray[np.int64]) -> tuple[Array, Array]:
    rows = np.arange(len(y))
    highest = scores.max(axis=1)
    shares = np.exp(scores - highest[:, None])
    sums = np.zeros(len(y))
    for column in shares.T:  # class after class, as scikit-learn adds them
        sums += column
    losses = np.log(sums) + highest - scores[rows, y]
    shares /= sums[:, None]
    shares[rows, y] -= 1
    return losses, shares
