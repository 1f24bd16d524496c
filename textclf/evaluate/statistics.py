"""Uncertainty, comparison, calibration and thresholds of classifiers, from their predictions alone.

`y` (rows,) holds the positions of the actual classes, `probabilities` (rows, classes) one probability a class,
`decided` (rows,) the positions of the predicted classes. With two classes the positive one is the last.
Nothing is rounded unless said. Everything repeats to the bit: random numbers come from a seeded PCG64.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.core.files import DIGITS

CONFIDENCE = 0.95
RESAMPLES = 2000  # their number alone moves an end of a 95% interval by 6% of the metric's standard error
BINS = 10  # of the confidence; two classes fill the upper half only, as no top-label confidence is below 0.5
CELLS = 2**19  # resamples times rows held at a time
EPSILON = float(np.finfo(np.float64).eps)  # the least probability that a logarithm is taken of, as in scikit-learn

# Metric: its value in each resample (resamples,), or `class_<metric>`: that of each class (resamples, classes).
Draws = dict[str, NDArray[np.float64]]


class Interval(NamedTuple):
    """The two ends of a confidence interval."""

    low: float
    high: float


# Decisions


def decide(probabilities: NDArray[np.float64], threshold: float | None) -> NDArray[np.int64]:
    """The position of the class that each row is taken for (rows,).

    With a threshold the positive class of two, the last, where its probability is above it; without one the most
    probable class, of equals the first.
    """
    if threshold is None:
        return np.asarray(probabilities.argmax(axis=1), dtype=np.int64)
    return np.asarray(probabilities[:, 1] > threshold, dtype=np.int64)


# Intervals


def wilson(successes: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval of a share, such as an accuracy; `n` is 1 or more.

    Wilson (1927), J. Am. Stat. Assoc. 22:209-212, doi:10.1080/01621459.1927.10502953, without correction
    for continuity: method 3 of Newcombe (1998), Stat. Med. 17:857-872.
    """
    z, share = normal_quantile((1 + confidence) / 2), successes / n
    middle = (2 * n * share + z**2) / (2 * (n + z**2))
    half = z * math.sqrt(4 * n * share * (1 - share) + z**2) / (2 * (n + z**2))
    # The formula gives 0 and 1 there, but for rounding.
    return Interval(middle - half if successes > 0 else 0.0, middle + half if successes < n else 1.0)


def normal_quantile(share: float) -> float:
    """The value that a standard normal variable is below with this probability."""
    from scipy.special import ndtri  # scipy.stats takes half a second more to import

    return float(ndtri(share))


def resamples(
    y: NDArray[np.int64], seed: int, count: int = RESAMPLES, stratified: bool = True
) -> Iterator[NDArray[np.int32]]:
    """How often each row is drawn in each resample: chunks (some, rows), in all (`count`, rows).

    Each resample draws with replacement as many rows as there are, within each actual class: a stratified bootstrap
    (Davison & Hinkley 1997, Bootstrap Methods and their Application, 3.2), right where the number of rows a class
    was fixed, as by a stratified split. `stratified=False` draws from all rows, right where it was left to chance.
    A chunk has at most `CELLS` cells, or one resample. The same y and seed give the same counts.
    """
    rows = len(y)
    strata = y if stratified else np.zeros_like(y)
    order = np.argsort(strata, kind="stable")
    sizes = np.bincount(strata)
    size = sizes[strata[order]]
    start = np.repeat(np.cumsum(sizes) - sizes, sizes)
    generator = np.random.Generator(np.random.PCG64(seed))
    step = max(1, CELLS // rows)
    for first in range(0, count, step):
        some = min(step, count - first)
        # Uniform numbers, not integers: their stream does not depend on where the chunks are cut.
        drawn = order[start + (generator.random((some, rows)) * size).astype(np.int64)]
        drawn += np.arange(some)[:, np.newaxis] * rows
        yield np.bincount(drawn.ravel(), minlength=some * rows).reshape(some, rows).astype(np.int32)


def bootstrap(
    y: NDArray[np.int64],
    models: Mapping[str, tuple[NDArray[np.float64], NDArray[np.int64]]],
    seed: int,
    count: int = RESAMPLES,
    stratified: bool = True,
) -> dict[str, Draws]:
    """Metrics of each model's (probabilities, decided) in each of the same resamples of the rows, for `percentile`.

    As the resamples are the same, the difference of two models' draws of a metric is paired.
    """
    measures = {name: _measure(y, *outputs) for name, outputs in models.items()}
    parts: dict[str, list[Draws]] = {name: [] for name in models}
    for chunk in resamples(y, seed, count, stratified):
        weights = chunk.astype(np.float64)
        for name, measure in measures.items():
            parts[name].append(measure(weights))
    return {
        name: {metric: np.concatenate([part[metric] for part in draws]) for metric in draws[0]}
        for name, draws in parts.items()
    }


def redrawn(
    table: NDArray[np.int64], seed: int, count: int = RESAMPLES, stratified: bool = True
) -> Iterator[NDArray[np.int64]]:
    """The table (classes, kinds), of rows by actual class and kind, in each resample: chunks (some, classes, kinds).

    Rows of one class and kind are alike, so that a resample of `resamples` has multinomial numbers of them: these are
    drawn at once, which takes the same time for any number of rows. Efron & Tibshirani (1993), An Introduction to the
    Bootstrap, 5.2, of the bootstrap of a discrete distribution. `stratified`: as there. Not the same draws as there.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    strata = table if stratified else table.reshape(1, -1)
    step = max(1, CELLS // table.size)
    for first in range(0, count, step):
        drawn = np.zeros((min(step, count - first), *strata.shape), dtype=np.int64)
        for place, cells in enumerate(strata):
            there = np.flatnonzero(cells)
            if len(there):
                n = cells.sum()
                drawn[:, place, there] = generator.multinomial(n, cells[there] / n, size=len(drawn))
        yield drawn.reshape(-1, *table.shape)


def normal(mean: float, error: float, confidence: float = CONFIDENCE) -> Interval:
    """The interval of a mean of many rows with this standard error: the central limit theorem's."""
    half = normal_quantile((1 + confidence) / 2) * error
    return Interval(mean - half, mean + half)


def variance_of_mean(
    rows: NDArray[np.int64], sums: NDArray[np.float64], sums_of_squares: NDArray[np.float64], stratified: bool = True
) -> float:
    """The variance of a mean over the rows, from sums over those of each class, all (classes,).

    `stratified`: as for `resamples`; the part of the variance that lies between the classes is then none. Cochran
    (1977), Sampling Techniques, 5.3, with shares of rows as weights.
    """
    if not stratified:
        rows, sums, sums_of_squares = (np.atleast_1d(values.sum()) for values in (rows, sums, sums_of_squares))
    within = sums_of_squares - np.divide(sums**2, rows, out=np.zeros_like(sums), where=rows > 0)
    return float(np.maximum(within, 0).sum() / rows.sum() ** 2)


def percentile(draws: NDArray[np.float64], confidence: float = CONFIDENCE) -> Interval:
    """The bootstrap's percentile interval, from a metric's values in the resamples.

    Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 13. Chosen because it stays within the
    metric's range, is the same for any monotone transform, and needs no formula a metric. Its limits, measured by
    benchmarks/coverage.py: it is right to first order only, so short with few rows: 95% become 92 to 94 with 25
    or 50 in the smaller class. It does not suit the expected calibration error, which is biased upward in a sample
    and again in its resamples (67 to 91%), nor stratified resamples where class counts were left to chance (76%
    for the difference to a model that always says one class).
    It knows nothing of the variation between trainings or splits. Resamples in which the metric is not defined
    (NaN) are left out.
    """
    low, high = np.nanquantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


# Metrics of weighted rows


def weighted_metrics(
    y: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    decided: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> Draws:
    """Metrics under each row of weights (sets, rows), as scikit-learn has them with `sample_weight`.

    accuracy, log_loss (nats), brier, ece, precision, recall, f1, each (sets,); unless y holds one class alone,
    balanced_accuracy and mcc; unless y lacks a class, roc_auc. Also class_precision, class_recall, class_f1 and
    class_roc_auc of every class against the rest, (sets, classes). With two classes precision, recall and f1 are
    those of the positive one; with more, these and roc_auc are means over the classes. What has no row to be counted
    in is 0, as with `zero_division=0`, but an area without rows on both sides is NaN. The weights are not negative;
    where they are all 0 in a class of y, balanced_accuracy and roc_auc are of the other classes, if any.

    roc_auc: Mann-Whitney, ties one half: Hanley & McNeil (1982), Radiology 143:29-36. mcc: Gorodkin (2004),
    Comput. Biol. Chem. 28:367-374, doi:10.1016/j.compbiolchem.2004.09.006. brier and ece: as `brier` and
    `calibration_error`.
    """
    return _measure(y, probabilities, decided)(weights)


def _measure(
    y: NDArray[np.int64], probabilities: NDArray[np.float64], decided: NDArray[np.int64]
) -> Callable[[NDArray[np.float64]], Draws]:
    classes = probabilities.shape[1]
    names = np.arange(classes)
    actual = y[:, np.newaxis] == names
    predicted = decided[:, np.newaxis] == names
    # All but the ROC AUC follows from sums over the rows, so from one product of matrices.
    blocks = [
        losses(y, probabilities)[:, np.newaxis],
        squares(y, probabilities)[:, np.newaxis],
        _gaps(y, probabilities, BINS),
        actual & predicted,
        predicted,
        actual,
    ]
    ends = np.cumsum([block.shape[1] for block in blocks])[:-1]
    terms = np.hstack(blocks).astype(np.float64)
    present = len(np.unique(y))
    shown = names if classes > 2 else names[-1:]
    areas = [_area(actual[:, name], probabilities[:, name]) for name in shown]  # of two classes both have the same

    def measure(weights: NDArray[np.float64]) -> Draws:
        loss, square, gaps, right, said, there = np.split(weights @ terms, ends, axis=1)
        total = there.sum(axis=1)
        draws = counted_metrics(right, said, there, present) | {
            "log_loss": loss[:, 0] / total,
            "brier": square[:, 0] / total,
            "ece": np.abs(gaps).sum(axis=1) / total,
        }
        by_class = np.column_stack([area(weights) for area in areas])
        draws["class_roc_auc"] = np.broadcast_to(by_class, (len(weights), classes))
        if present == classes:
            draws["roc_auc"] = _ratio(np.nansum(by_class, axis=1), np.isfinite(by_class).sum(axis=1), none=np.nan)
        return draws

    return measure


def counted_metrics(
    right: NDArray[np.float64], said: NDArray[np.float64], there: NDArray[np.float64], present: int
) -> Draws:
    """Those of `weighted_metrics` that follow from counts.

    All are (sets, classes): of each class rightly decided rows, rows decided for it, and its rows. `present` is the
    number of classes that have rows.
    """
    classes, total = right.shape[1], there.sum(axis=1)
    shown = slice(None) if classes > 2 else slice(1, None)
    recalls = _ratio(right, there)
    draws = {
        "accuracy": right.sum(axis=1) / total,
        "class_precision": _ratio(right, said),
        "class_recall": recalls,
        "class_f1": _ratio(2 * right, said + there),
    }
    for metric in ("precision", "recall", "f1"):
        draws[metric] = draws[f"class_{metric}"][:, shown].mean(axis=1)
    if present > 1:
        draws["balanced_accuracy"] = recalls.sum(axis=1) / (there > 0).sum(axis=1)
        covariance = right.sum(axis=1) * total - (said * there).sum(axis=1)
        variances = (total**2 - (said**2).sum(axis=1)) * (total**2 - (there**2).sum(axis=1))
        draws["mcc"] = _ratio(covariance, np.sqrt(np.maximum(variances, 0)))
    return draws


def _ratio(part: NDArray[np.float64], whole: NDArray[Any], none: float = 0) -> NDArray[np.float64]:
    """Part by whole, `none` where there is no whole."""
    shares: NDArray[np.float64] = np.divide(part, whole, out=np.full_like(part, none), where=whole > 0)
    return shares


def _area(
    positive: NDArray[np.bool_], scores: NDArray[np.float64]
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    above, below = np.flatnonzero(positive), np.flatnonzero(~positive)
    below = below[np.argsort(scores[below], kind="stable")]
    less = np.searchsorted(scores[below], scores[above], side="left")
    less_or_equal = np.searchsorted(scores[below], scores[above], side="right")

    def area(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        negatives = np.zeros((len(weights), len(below) + 1))
        np.cumsum(weights[:, below], axis=1, out=negatives[:, 1:])
        positives = weights[:, above]
        pairs = np.einsum("ij,ij->i", positives, negatives[:, less] + negatives[:, less_or_equal]) / 2
        return _ratio(pairs, positives.sum(axis=1) * negatives[:, -1], none=np.nan)

    return area


# Comparison of models


@dataclass(frozen=True)
class McNemar:
    """Rows that one model alone has right, and the p value of their being equally likely."""

    only_a: int
    only_b: int
    p: float


@dataclass(frozen=True)
class Difference:
    """A's accuracy less B's on the same rows, with its interval."""

    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class CorrectedT:
    """Mean and standard deviation of differences over splits, their corrected t test, and the mean's interval."""

    mean: float
    sd: float
    t: float
    p: float
    low: float
    high: float


def mcnemar(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> McNemar:
    """McNemar's exact test, two-sided, that both models have the same accuracy; p is 1 if no row tells them apart.

    Given the rows that one model alone has right, those of A are binomial with 1/2. McNemar (1947),
    Psychometrika 12:153-157, doi:10.1007/BF02295996. The p value is never too small, but conservative with few
    such rows: Fagerland, Lydersen & Laake (2013), BMC Med. Res. Methodol. 13:91, doi:10.1186/1471-2288-13-91.
    """
    return mcnemar_of_counts(int(np.sum(right_a & ~right_b)), int(np.sum(right_b & ~right_a)))


def mcnemar_of_counts(only_a: int, only_b: int) -> McNemar:
    """The test of `mcnemar`, from the numbers of rows that one model alone has right."""
    from scipy.special import betainc  # I_(1/2)(n - k, k + 1) is the chance of k or fewer of n

    fewer, more = sorted((only_a, only_b))
    # Both tails are alike, and share the middle where they meet.
    p = min(2 * float(betainc(more, fewer + 1, 0.5)), 1.0) if more else 1.0
    return McNemar(only_a, only_b, p)


def accuracy_difference(
    y: NDArray[np.int64],
    right_a: NDArray[np.bool_],
    right_b: NDArray[np.bool_],
    seed: int,
    count: int = RESAMPLES,
    confidence: float = CONFIDENCE,
    stratified: bool = True,
) -> Difference:
    """A's accuracy less B's, with the percentile interval of the bootstrap of the rows.

    The pairs stay together, and the resamples are those of `bootstrap` with the same y and seed.
    """
    better = right_a.astype(np.float64) - right_b
    draws = np.concatenate(
        [chunk.astype(np.float64) @ better for chunk in resamples(y, seed, count, stratified)]
    ) / len(y)
    return Difference(float(better.mean()), *percentile(draws, confidence))


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The p values of a family of tests, adjusted by Holm's step-down method, in the order given.

    Those at or below alpha are rejected with a family-wise error of at most alpha, whatever their dependence.
    Holm (1979), Scand. J. Stat. 6:65-70.
    """
    order = np.argsort(p_values, kind="stable")
    left = len(p_values) - np.arange(len(p_values))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(left * p_values[order]), 1)
    return adjusted


def smallest_difference(
    n: int, discordant_share: float, confidence: float = CONFIDENCE, power: float = 0.8
) -> float | None:
    """The smallest difference in accuracy that McNemar's test on `n` rows shows with this power; None if none is.

    `discordant_share` is the share of the rows that one model alone has right; the difference can't exceed it,
    and with few rows even that may be too little: None. With z the normal quantiles, the d for which
    n = (z_(1 - alpha/2) sqrt(share) + z_power sqrt(share - d^2))^2 / d^2: Connor (1987), Biometrics 43:207-211,
    doi:10.2307/2531961. Miettinen (1968), Biometrics 24:339-352, and Lachin (1992), Stat. Med. 11:1239-1251, have
    its relatives. It is right for the test without correction; the exact test of `mcnemar` has a little less power.
    `power` is a half or more.
    """
    z, z_power = normal_quantile((1 + confidence) / 2), normal_quantile(power)
    if n < z**2:  # too few, even if all of them told the models apart
        return None
    # Squared, the formula is a quadratic equation, of which this is the root with the sign of z_power.
    spread = z * math.sqrt(n) + z_power * math.sqrt(n + z_power**2 - z**2)
    difference = math.sqrt(discordant_share) * spread / (n + z_power**2)
    return difference if 0 < difference <= discordant_share else None


def corrected_t(differences: NDArray[np.float64], ratio: float, confidence: float = CONFIDENCE) -> CorrectedT:
    """The corrected resampled t test, two-sided, that two models' metrics differ by 0 on average over splits.

    `differences` (splits,), two or more, are of models trained and tested on the same splits; `ratio` is test rows
    by training rows, 1 / (k - 1) for k folds. As the splits share rows, the mean's variance is taken as
    (1 / splits + ratio) sd^2, with splits - 1 degrees of freedom: Nadeau & Bengio (2003), Machine Learning
    52:239-281, doi:10.1023/A:1024068626366. Where all differences are equal the interval is a point, and t and p
    are 0 and 1 if they are 0, infinite and 0 otherwise.
    """
    from scipy.special import stdtr, stdtrit  # Student's distribution function and its inverse

    splits = len(differences)
    if splits < 2:
        raise ValueError(f"a t test must have two differences or more; got {splits}")
    if np.ptp(differences) == 0:  # their computed sd need not be 0
        mean = float(differences[0])
        return CorrectedT(mean, 0.0, math.copysign(math.inf, mean) if mean else 0.0, 0.0 if mean else 1.0, mean, mean)
    mean = float(differences.mean())
    sd = float(differences.std(ddof=1))
    error = sd * math.sqrt(1 / splits + ratio)
    half = error * float(stdtrit(splits - 1, (1 + confidence) / 2))
    p = 2 * float(stdtr(splits - 1, -abs(mean) / error))
    return CorrectedT(mean, sd, mean / error, p, mean - half, mean + half)


# Calibration


@dataclass(frozen=True)
class Bin:
    """Rows whose confidence lies above `low` and not above `high`, and the Wilson interval of their accuracy."""

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float


@dataclass(frozen=True)
class Temperature:
    """Temperature scaling: the logits are divided by `temperature`, which changes no decision."""

    temperature: float

    def apply(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities (rows, classes)."""
        from scipy.special import softmax

        calibrated: NDArray[np.float64] = softmax(_logs(probabilities) / self.temperature, axis=1)
        return calibrated


@dataclass(frozen=True)
class Platt:
    """Platt scaling: the positive class's log odds are mapped to `slope` times themselves plus `intercept`."""

    slope: float
    intercept: float

    def apply(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities (rows, 2)."""
        from scipy.special import expit

        odds = self.slope * _log_odds(probabilities) + self.intercept
        return np.column_stack([expit(-odds), expit(odds)])


def brier(y: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Brier score: mean over the rows of the squared errors of the probabilities, summed over the classes.

    Halved with two classes, which makes it the squared error of the positive class's probability, from 0 to 1:
    the convention of `sklearn.metrics.brier_score_loss`. Brier (1950), Monthly Weather Review 78:1-3.
    """
    return float(squares(y, probabilities).mean())


def calibration_error(y: NDArray[np.int64], probabilities: NDArray[np.float64], bins: int = BINS) -> float:
    """Expected calibration error: the mean over the rows of |accuracy - confidence| of their bin, from 0 to 1.

    Confidence is the probability of the most probable class, in bins of equal width, open below; accuracy is that
    class's, whatever threshold decides. Naeini, Cooper & Hauskrecht (2015), AAAI 29:2901-2907; Guo et al. (2017),
    ICML, PMLR 70:1321-1330. With few rows a bin it is above 0 for a calibrated model too.
    """
    return float(np.abs(_gaps(y, probabilities, bins).sum(axis=0)).sum() / len(y))


def reliability(
    y: NDArray[np.int64], probabilities: NDArray[np.float64], bins: int = BINS, confidence: float = CONFIDENCE
) -> list[Bin]:
    """The bins of `calibration_error` that hold rows, by ascending confidence."""
    confidences, right, position = top(y, probabilities, bins)
    table = []
    for place in np.unique(position).tolist():
        inside = position == place
        rows, successes = int(inside.sum()), int(right[inside].sum())
        table.append(bin_of(place, bins, rows, successes, float(confidences[inside].mean()), confidence))
    return table


def bin_of(place: int, bins: int, rows: int, right: int, mean: float, confidence: float) -> Bin:
    """The bin at this place of so many, with its mean confidence and the interval of its accuracy."""
    return Bin(place / bins, (place + 1) / bins, rows, mean, right / rows, *wilson(right, rows, confidence))


def fit_temperature(y: NDArray[np.int64], probabilities: NDArray[np.float64]) -> Temperature:
    """The temperature, from 0.01 to 100, with the least log loss on these rows; 1 if no other has less.

    Guo et al. (2017), ICML, PMLR 70:1321-1330. The logits are the logarithms of the probabilities. The rows must
    be neither those of training, where a model is overconfident, nor those of the test.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    logits = _logs(probabilities)
    rows = np.arange(len(y))

    def loss(log_temperature: float) -> float:
        return -float(log_softmax(logits / math.exp(log_temperature), axis=1)[rows, y].mean())

    ends = (-math.log(100), math.log(100))
    best = float(minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-9}).x)
    return Temperature(math.exp(best) if loss(best) < loss(0) else 1.0)


def fit_platt(y: NDArray[np.int64], probabilities: NDArray[np.float64]) -> Platt:
    """The slope and intercept with the least log loss on these rows, of two classes.

    Platt (1999), Probabilistic outputs for support vector machines, in Advances in Large Margin Classifiers,
    61-74. His smoothed targets, (positives + 1) / (positives + 2) and 1 / (negatives + 2), keep both finite
    where a threshold parts the classes. The rows: as for `fit_temperature`.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    odds = _log_odds(probabilities)
    positives = int(np.sum(y == 1))
    target = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (len(y) - positives + 2))
    terms = np.column_stack([odds, np.ones(len(y))])

    def loss(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = terms @ x
        return float(np.mean(np.logaddexp(0, z) - target * z)), terms.T @ (expit(z) - target) / len(y)

    # BFGS from the identity: of equally good pairs, as where all odds are equal, it finds one near that.
    best = minimize(loss, np.array([1.0, 0.0]), method="BFGS", jac=True, options={"gtol": 1e-10})
    return Platt(*best.x.tolist())


def losses(y: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log loss of each row, in nats."""
    return -np.log(np.clip(probabilities[np.arange(len(y)), y], EPSILON, 1 - EPSILON))


def squares(y: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared error of each row, of which `brier` is the mean."""
    classes = probabilities.shape[1]
    errors: NDArray[np.float64] = ((probabilities - np.eye(classes)[y]) ** 2).sum(axis=1)
    return errors / 2 if classes == 2 else errors


def top(
    y: NDArray[np.int64], probabilities: NDArray[np.float64], bins: int = BINS
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """Confidence of each row, whether the most probable class is right, and the position of its bin."""
    chosen = probabilities.argmax(axis=1)
    confidences = probabilities[np.arange(len(y)), chosen]
    inner = np.arange(1, bins) / bins
    return confidences, chosen == y, np.searchsorted(inner, confidences, side="left")


def _gaps(y: NDArray[np.int64], probabilities: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """What each row adds to (accuracy - confidence) x rows of each bin (rows, bins)."""
    confidences, right, position = top(y, probabilities, bins)
    gaps: NDArray[np.float64] = (right - confidences)[:, np.newaxis] * (position[:, np.newaxis] == np.arange(bins))
    return gaps


def _logs(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    logs: NDArray[np.float64] = np.log(np.clip(probabilities, EPSILON, 1))
    return logs


def _log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    logs = _logs(probabilities)
    return logs[:, 1] - logs[:, 0]


# Thresholds


def choose_threshold(
    y: NDArray[np.int64],
    positive_probability: NDArray[np.float64],
    rule: Literal["accuracy", "f1", "precision"],
    target: float | None = None,
) -> float:
    """The threshold, to 6 digits, above which a probability is decided positive, chosen on these rows of two classes.

    "accuracy" and "f1": the one with the most; of equals that nearest 0.5, then the lower. "precision": the lowest
    whose precision reaches `target`, and so the one with the largest recall; `UserError` if none does. The
    candidates are 0, 1 and the middles between neighbouring probabilities, judged as rounded: what is chosen is
    what `probability > threshold` gives. The rows must not be those of the test.
    """
    scores = np.unique(positive_probability)
    # Halves are rounded down: of two neighbours that differ in the last digit, the lower parts them.
    middles = np.maximum(scores[:-1] + np.diff(scores) / 2 - 1e-12, 0)
    candidates = np.unique(np.concatenate([[0.0], middles, [1.0]]).round(DIGITS))
    negatives, positives = (np.sort(positive_probability[y == name]) for name in (0, 1))
    true = len(positives) - np.searchsorted(positives, candidates, side="right")
    false = len(negatives) - np.searchsorted(negatives, candidates, side="right")
    if rule == "precision":
        if target is None:
            raise ValueError("the rule precision must have a target; got None")
        precision = true / np.maximum(true + false, 1)
        reached = candidates[(precision >= target) & (true > 0)]
        if not len(reached):
            must = f"the target must be a precision that some threshold reaches; got {target}"
            raise UserError(f"{must}, where the highest is {precision.max():.6f}")
        return float(reached[0])
    gain = true - false if rule == "accuracy" else 2 * true / np.maximum(true + false + len(positives), 1)
    best = candidates[gain == gain.max()]
    return float(best[np.argmin(np.abs(best - 0.5).round(DIGITS))])
