"""L-BFGS, as scipy.optimize.minimize has it."""

import importlib.util
from collections.abc import Callable
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEPS = 50  # of a line search, at most
KNOWN = "1.17."  # the release of scipy whose solver `_solve` calls
EVALUATE, STEP, CONVERGED, STOPPED = 3, 1, 4, 5  # what the solver asks for or says


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
    if scipy.__version__.startswith(KNOWN):
        return _solve(function, start, max_iter, gradient, decrease, memory)
    from scipy import optimize

    solver: Any = optimize.minimize

    options: dict[str, Any] = {
        "maxiter": max_iter,
        "gtol": gradient,
        "ftol": decrease,
        "maxcor": memory,
        "maxls": STEPS,
    }
    result = solver(function, start, jac=True, method="L-BFGS-B", options=options)
    return result.x, int(result.nit), bool(result.success)


def _solve(
    function: Callable[[Array], tuple[float, Array]],
    start: Array,
    max_iter: int,
    gradient: float,
    decrease: float,
    memory: int,
) -> tuple[Array, int, bool]:
    """Call the solver in scipy's extension module as scipy.optimize does, whose import takes half a second."""
    size = len(start)
    value: Any = np.array(0.0)
    x, slopes = start.copy(), np.zeros(size)
    unbounded, kinds = np.zeros(size), np.zeros(size, dtype=np.int32)
    work = np.zeros(2 * memory * size + 5 * size + 11 * memory**2 + 8 * memory)
    indices, counters, logical = (np.zeros(length, dtype=np.int32) for length in (3 * size, 44, 4))
    task, searching, numbers = np.zeros(2, dtype=np.int32), np.zeros(2, dtype=np.int32), np.zeros(29)
    factor = decrease / np.finfo(float).eps
    solver, iterations = _extension(), 0
    while True:
        solver.setulb(
            memory,
            x,
            unbounded,
            unbounded,
            kinds,
            value,
            slopes,
            factor,
            gradient,
            work,
            indices,
            task,
            logical,
            counters,
            numbers,
            STEPS,
            searching,
        )
        if task[0] == EVALUATE:
            value, slopes = function(x.copy())
        elif task[0] == STEP:
            iterations += 1
            if iterations >= max_iter:
                task[:] = STOPPED, 504
        else:
            return x, iterations, bool(task[0] == CONVERGED)


def _extension() -> ModuleType:
    """Return the extension module of scipy with the solver, without the rest of scipy.optimize."""
    spec: Any = PathFinder.find_spec("scipy.optimize._lbfgsb", [str(Path(scipy.__file__).parent / "optimize")])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
