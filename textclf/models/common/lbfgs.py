"""L-BFGS, by scipy.optimize.minimize."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEPS = 50  # of a line search, at most


def minimize(
    function: Callable[[Array], tuple[float, Array]],
    start: Array,
    *,
    max_iter: int,
    gradient: float,
    decrease: float,
    memory: int = 10,
) -> tuple[Array, int, bool]:
    """Return the minimum of a function, the number of iterations, and whether it has converged within `max_iter`.

    `function` returns its value and its gradient. It has converged once no part of the gradient exceeds `gradient`, or
    an iteration lowers the value by at most `decrease`, relative to it if it is more than 1. `memory`: the number of
    earlier steps that are remembered.
    """
    from scipy import optimize

    solver: Any = optimize.minimize
    options = {"maxiter": max_iter, "gtol": gradient, "ftol": decrease, "maxcor": memory, "maxls": STEPS}
    result = solver(function, start, jac=True, method="L-BFGS-B", options=options)
    return result.x, int(result.nit), bool(result.success)
