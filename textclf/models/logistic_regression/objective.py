"""What logistic regression minimises: the mean log loss of the training rows and the penalty of the weights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax

Array = NDArray[np.float64]


@dataclass
class Sums:
    """The sum of the losses of some rows, and numbers that are sums over these rows too."""

    loss: float
    numbers: Array

    def add(self, other: "Sums") -> None:
        """Add the sums of other rows."""
        self.loss += other.loss
        self.numbers += other.numbers


@dataclass(frozen=True)
class Rows:
    """Some training rows: `X` (rows, features) float64, CSR or dense; `y` (rows,) the positions of their classes.

    `weights` (rows,) are those of the rows, or None if all weigh 1.
    """

    X: Any
    y: NDArray[np.int64]
    weights: Array | None

    def sums(self, parameters: Array, total: float) -> Sums:
        """Return the sum of the losses, and the gradient of that sum divided by `total`.

        With two classes the parameters are the weights of the features and the intercept, (features + 1,); with more,
        they are (features + 1, classes).
        """
        binary = parameters.ndim == 1
        scores = self.X @ parameters[:-1] + parameters[-1]
        if binary:
            losses, slopes = -log_expit(np.where(self.y == 1, scores, -scores)), expit(scores) - self.y
        else:
            logarithms, places = log_softmax(scores, axis=1), (np.arange(len(self.y)), self.y)
            losses, slopes = -logarithms[places], np.exp(logarithms)
            slopes[places] -= 1
        if self.weights is not None:
            losses *= self.weights
            slopes *= self.weights if binary else self.weights[:, None]
        slopes /= total
        gradient = np.empty_like(parameters)
        gradient[:-1] = (slopes.T @ self.X).T
        gradient[-1] = slopes.sum(axis=0)
        return Sums(float(losses.sum()), gradient)


@dataclass(frozen=True)
class Objective:
    """A function of all parameters, flat: those of a feature for all classes are neighbours, the intercepts are last.

    `over_rows` applies a function to parts of the training rows and returns the sums over all of them. `shape` is that
    of the parameters in `Rows.sums`, `total` the sum of the weights of the rows, `C` the inverse strength of the
    penalty. The objective is that of scikit-learn's LogisticRegression.
    """

    over_rows: Callable[[Callable[[Rows], Sums]], Sums]
    shape: tuple[int, ...]
    total: float
    C: float

    @property
    def penalty(self) -> float:
        """Return the factor of half the squared weights."""
        return 1 / (self.C * self.total)

    def __call__(self, flat: Array) -> tuple[float, Array]:
        """Return the value and the gradient."""
        parameters = flat.reshape(self.shape)
        sums = self.over_rows(lambda rows: rows.sums(parameters, self.total))
        weights = parameters[:-1]
        sums.numbers[:-1] += self.penalty * weights
        value = sums.loss / self.total + float(0.5 * self.penalty * np.vdot(weights, weights))
        return value, sums.numbers.ravel()
