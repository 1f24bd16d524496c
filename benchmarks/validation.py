"""Measure what is chosen on validation rows: calibration and thresholds, against what they promise.

    python -m benchmarks.validation

The logits of the made-up models are normal with the same variance in every class, so that accuracy, precision and the
right temperature are known exactly. `before` is what the rows choose without the measure taken: no prior, the first
threshold whose precision reaches the target on the rows. Takes about five minutes on one core.
"""

import math
from collections.abc import Iterable
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize, minimize_scalar

from benchmarks import results
from benchmarks.prediction_sets import softmax, summary
from textclf.artifacts.decisions import logarithms
from textclf.core.errors import UserError
from textclf.core.progress import track
from textclf.evaluate.calibrate import choose_threshold, fit_platt, fit_temperature, reach_precision

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SETS = 1000  # of validation rows per line
FRESH = 20_000  # rows on which the choices of a line are measured
SEED = 1
SIZES = (50, 250, 2000)  # numbers of validation rows
ACCURACIES = (0.6, 0.9, 0.97, 0.99)
SCALES = (0.5, 1.0, 2.0)  # of the logits: the temperature that is right
SHIFT = 0.5  # of the log odds of a model that Platt scaling corrects
THRESHOLD_SIZES = (150, 500, 2000)
TARGETS = (0.8, 0.9, 0.95)


def draw(rows: int, accuracy: float, classes: int, generator: np.random.Generator) -> tuple[Ints, Floats]:
    """Return actual classes and the logits of a calibrated model of that accuracy (rows, classes)."""
    far = distance(accuracy, classes)
    y = generator.integers(0, classes, rows)
    return y, far * (generator.normal(size=(rows, classes)) + far * np.eye(classes)[y])


@cache
def distance(accuracy: float, classes: int) -> float:
    """Return how far the score of the actual class is above the others, in standard deviations."""
    points = np.linspace(-8, 20, 4001)

    def excess(far: float) -> float:
        chance = stats.norm.pdf(points - far) * stats.norm.cdf(points) ** (classes - 1)
        return float(np.trapezoid(chance, points)) - accuracy

    low, high = 0.0, 10.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if excess(middle) > 0 else (middle, high)
    return middle


# Calibration


def temperature_before(y: Ints, probabilities: Floats) -> float:
    """Return the temperature with the lowest log loss on the rows."""
    logits = logarithms(probabilities)
    gaps = logits - logits[np.arange(len(y)), y][:, np.newaxis]

    def loss(log: float) -> float:
        return float(np.logaddexp.reduce(gaps / math.exp(log), axis=1).mean())

    ends = (-math.log(100), math.log(100))
    best = float(minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-6}).x)
    return math.exp(best) if loss(best) < loss(0) else 1.0


def platt_before(y: Ints, odds: Floats) -> Floats:
    """Return slope and intercept with Platt's smoothed targets."""
    positives = int(y.sum())
    target = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (len(y) - positives + 2))
    terms = np.column_stack([odds, np.ones(len(y))])

    def loss(x: Floats) -> tuple[float, Floats]:
        z = terms @ x
        return float(np.mean(np.logaddexp(0, z) - target * z)), terms.T @ (special.expit(z) - target) / len(y)

    best: Floats = minimize(loss, np.array([1.0, 0.0]), method="BFGS", jac=True, options={"gtol": 1e-8}).x
    return best


def temperatures(generator: np.random.Generator) -> list[dict[str, Any]]:
    """Return the log loss on fresh rows without temperature scaling, without a prior and with it."""
    lines = []
    cells = [*product((2,), SIZES, ACCURACIES, SCALES), *product((3,), SIZES[:2], ACCURACIES[1:3], SCALES)]
    grid = np.linspace(-math.log(100), math.log(100), 61)
    for classes, size, accuracy, scale in track(cells, "temperatures", len(cells)):
        y, logits = draw(FRESH, accuracy, classes, generator)
        losses = [
            -special.log_softmax(scale * logits / math.exp(log), axis=1)[np.arange(FRESH), y].mean() for log in grid
        ]
        loss = CubicSpline(grid, losses)
        found: dict[str, list[float]] = {"before": [], "after": []}
        for _ in range(SETS):
            given, scores = draw(size, accuracy, classes, generator)
            rows = softmax(scale * scores)
            fitted = {"before": temperature_before(given, rows), "after": fit_temperature(given, rows).temperature}
            for name, value in fitted.items():
                found[name].append(float(loss(math.log(value))))
        line = {"classes": classes, "rows": size, "accuracy": accuracy, "scale": scale}
        line |= {"uncalibrated": float(loss(0)), "lowest": float(loss(math.log(scale)))}
        lines.append(line | {name: mean(values) for name, values in found.items()})
    return lines


def platts(generator: np.random.Generator) -> list[dict[str, Any]]:
    """Return the log loss on fresh rows of two classes without Platt scaling, with his targets and with the priors."""
    lines = []
    cells = [*product(SIZES[:2], ACCURACIES, SCALES[1:])]
    for size, accuracy, scale in track(cells, "Platt scaling", len(cells)):
        y, logits = draw(FRESH, accuracy, 2, generator)
        odds = scale * (logits[:, 1] - logits[:, 0]) + SHIFT

        def loss(slope: float, intercept: float, y: Ints = y, odds: Floats = odds) -> float:
            z = slope * odds + intercept
            return float(np.mean(np.logaddexp(0, z) - y * z))

        found: dict[str, list[float]] = {"before": [], "after": []}
        for _ in range(SETS):
            given, scores = draw(size, accuracy, 2, generator)
            shifted = scale * (scores[:, 1] - scores[:, 0]) + SHIFT
            after = fit_platt(given, np.column_stack([special.expit(-shifted), special.expit(shifted)]))
            found["before"].append(loss(*platt_before(given, shifted)))
            found["after"].append(loss(after.slope, after.intercept))
        line = {"rows": size, "accuracy": accuracy, "scale": scale, "uncalibrated": loss(1, 0)}
        line["lowest"] = loss(1 / scale, -SHIFT / scale)
        lines.append(line | {name: mean(values) for name, values in found.items()})
    return lines


def mean(values: Iterable[float]) -> dict[str, float]:
    """Return the mean of the sets and its standard error."""
    found = summary(values)
    return {name: found[name] for name in ("mean", "error")}


# Thresholds of two equally frequent classes


def shares(accuracy: float, odds: Floats) -> tuple[Floats, Floats]:
    """Return the shares of the positive and of the negative rows whose log odds are above these, exactly."""
    half = float(special.ndtri(accuracy))
    return special.ndtr(half - odds / (2 * half)), special.ndtr(-half - odds / (2 * half))


def positive(size: int, accuracy: float, generator: np.random.Generator) -> tuple[Ints, Floats]:
    """Return actual classes, and the probabilities of the positive one by a calibrated model."""
    y, logits = draw(size, accuracy, 2, generator)
    return y, softmax(logits)[:, 1]


def precision_before(y: Ints, probabilities: Floats, target: float) -> float | None:
    """Return the lowest threshold whose precision reaches the target on the rows, None if there is none."""
    order = np.argsort(-probabilities)
    reached = np.flatnonzero(np.cumsum(y[order]) / np.arange(1, len(y) + 1) >= target)
    if not len(reached):
        return None
    ends = np.append(probabilities[order], 0.0)
    return float(ends[reached[-1] : reached[-1] + 2].mean())


def precisions(generator: np.random.Generator) -> list[dict[str, Any]]:
    """Return how often a threshold has at least the target precision, its mean precision and recall, and refusals."""
    lines = []
    cells = [*product((0.8, 0.9), THRESHOLD_SIZES, TARGETS)]
    for accuracy, size, target in track(cells, "precisions", len(cells)):
        chosen: dict[str, list[float]] = {"before": [], "after": []}
        for _ in range(SETS):
            y, probabilities = positive(size, accuracy, generator)
            first = precision_before(y, probabilities, target)
            chosen["before"] += [] if first is None else [first]
            try:
                chosen["after"].append(reach_precision(y, probabilities, target))
            except UserError:
                continue
        line: dict[str, Any] = {"accuracy": accuracy, "rows": size, "target": target}
        for name, thresholds in chosen.items():
            true, false = shares(accuracy, special.logit(np.clip(thresholds, 1e-9, 1 - 1e-9)))
            found = true / (true + false)
            line[name] = {
                "below": float((found < target).sum()) / SETS,
                "refused": 1 - len(found) / SETS,
                "precision": float(found.mean()) if len(found) else None,
                "recall": float(true.mean()) if len(found) else None,
            }
        lines.append(line)
    return lines


def accuracies(generator: np.random.Generator) -> list[dict[str, Any]]:
    """Return the points of accuracy that the most accurate threshold on the rows gains over 0.5 on new rows.

    The log odds of the model are shifted by that much.
    """
    lines = []
    cells = [*product((0.0, 1.0), (0.8, 0.9), THRESHOLD_SIZES)]
    for shift, accuracy, size in track(cells, "accuracies", len(cells)):
        gains = []
        for _ in range(SETS):
            y, probabilities = positive(size, accuracy, generator)
            shifted = special.expit(special.logit(np.clip(probabilities, 1e-12, 1 - 1e-12)) + shift)
            threshold = choose_threshold(y, shifted, "accuracy")
            cuts = special.logit(np.clip([threshold, 0.5], 1e-9, 1 - 1e-9)) - shift
            true, false = shares(accuracy, cuts)
            gains.append(float(np.subtract(*(true - false) / 2)))
        lines.append({"shift": shift, "accuracy": accuracy, "rows": size, "gain": mean(gains)})
    return lines


def measure() -> dict[str, Any]:
    """Return the results of all simulations."""
    parts = {
        "temperatures": temperatures,
        "platts": platts,
        "precisions": precisions,
        "accuracies": accuracies,
    }
    seeds = np.random.SeedSequence(SEED).spawn(len(parts))
    found = {name: part(np.random.default_rng(seed)) for (name, part), seed in zip(parts.items(), seeds, strict=True)}
    return {"sets": SETS, "fresh": FRESH, **found}


if __name__ == "__main__":
    results.main({"validation": measure})
