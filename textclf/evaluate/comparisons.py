"""Comparisons of models: McNemar's test, differences in accuracy, Holm's correction, the corrected t test."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import scipy  # which imports scipy.special when it is used
from numpy.typing import NDArray

from textclf.core.files import DIGITS
from textclf.core.formatting import round_significant
from textclf.evaluate.intervals import CONFIDENCE
from textclf.evaluate.power import smallest_difference


@dataclass(frozen=True)
class McNemar:
    """The rows that only one of two models decides correctly, and the p-value that either is equally likely."""

    only_a: int
    only_b: int
    p: float


@dataclass(frozen=True)
class Difference:
    """A metric, such as accuracy, of a minus that of b on the same rows, with its interval."""

    difference: float
    low: float
    high: float

    def rounded(self) -> dict[str, float]:
        """Return the difference and its interval by name, with `DIGITS` decimals."""
        return {name: round(value, DIGITS) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Comparison:
    """Two models on the same rows of a split."""

    test: McNemar
    difference: Difference
    rows: float  # independent rows that they are worth
    discordant: float  # share of the rows that only one of them decides correctly


@dataclass(frozen=True)
class CorrectedT:
    """Mean and standard deviation of differences over splits, their corrected t test, and the interval of the mean."""

    mean: float
    sd: float
    t: float
    p: float
    low: float
    high: float


def mcnemar(only_a: int, only_b: int) -> McNemar:
    """Return McNemar's exact two-sided test that two models have the same accuracy.

    `only_a` and `only_b` are the rows that only one of them decides correctly. Of these, the number of a's is binomial
    with 1/2; without such rows p is 1. McNemar (1947), Psychometrika 12:153-157, doi:10.1007/BF02295996. The p-value is
    never too small, but conservative with few such rows: Fagerland, Lydersen & Laake (2013), BMC Med. Res. Methodol.
    13:91, doi:10.1186/1471-2288-13-91.
    """
    fewer, more = sorted((only_a, only_b))
    # I_(1/2)(n - k, k + 1) is the probability of at most k of n. Twice one tail exceeds 1 where tails overlap.
    p = min(2 * float(scipy.special.betainc(more, fewer + 1, 0.5)), 1.0) if more else 1.0
    return McNemar(only_a, only_b, p)


def fisher(right: int, rows: int, others_right: int, others: int) -> float:
    """Return Fisher's exact two-sided p-value that two sets of independent rows have the same share of right ones.

    It is the sum of the hypergeometric chances of all counts that are at most as likely as `right`, given both sums:
    Fisher (1935), J. R. Stat. Soc. 98:39-82. Chances that differ by less than 1e-7 of their size count as equal. As
    `scipy.stats.fisher_exact`, which takes half a second to import.
    """
    all_right = right + others_right
    least = max(0, all_right - others)
    counts = np.arange(least, min(all_right, rows))  # each with the next one
    steps = np.log((rows - counts) * (all_right - counts) / ((counts + 1) * (others - all_right + counts + 1)))
    below, above = steps[: right - least], steps[right - least :]
    logs = np.concatenate([-np.cumsum(below[::-1])[::-1], [0.0], np.cumsum(above)])  # relative to the chance of `right`
    chances = np.exp(logs - logs.max())
    return min(float(chances[logs < 1e-7].sum() / chances.sum()), 1.0)


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the p-values of a family of tests, adjusted by Holm's step-down method, in the same order.

    Rejecting those at or below alpha has a family-wise error of at most alpha, however the tests depend on each other.
    Holm (1979), Scand. J. Stat. 6:65-70.
    """
    order = np.argsort(p_values, kind="stable")
    remaining = len(p_values) - np.arange(len(p_values))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(remaining * p_values[order]), 1)
    return adjusted


def corrected_t(differences: NDArray[np.float64], ratio: float, confidence: float = CONFIDENCE) -> CorrectedT:
    """Return the corrected resampled t test, two-sided, that the mean difference of two models over splits is 0.

    `differences` (splits,), at least two, come from models trained and tested on the same splits; `ratio` is test rows
    / training rows, 1 / (k - 1) for k folds. Since the splits share rows, the variance of the mean is taken as
    (1 / splits + ratio) sd^2, with splits - 1 degrees of freedom: Nadeau & Bengio (2003), Machine Learning 52:239-281,
    doi:10.1023/A:1024068626366. If all differences are equal, the interval is a point; t and p are then 0 and 1 for
    differences of 0, otherwise infinite and 0.
    """
    splits = len(differences)
    if np.ptp(differences) == 0:  # their computed sd need not be 0
        mean = float(differences[0])
        return CorrectedT(mean, 0.0, math.copysign(math.inf, mean) if mean else 0.0, 0.0 if mean else 1.0, mean, mean)
    mean = float(differences.mean())
    sd = float(differences.std(ddof=1))
    error = sd * math.sqrt(1 / splits + ratio)
    # stdtr is Student's distribution function, stdtrit its inverse
    half = error * float(scipy.special.stdtrit(splits - 1, (1 + confidence) / 2))
    p = 2 * float(scipy.special.stdtr(splits - 1, -abs(mean) / error))
    return CorrectedT(mean, sd, mean / error, p, mean - half, mean + half)


def summarize(comparisons: Mapping[str, Comparison], confidence: float = CONFIDENCE) -> dict[str, dict[str, float]]:
    """Return the content of comparisons.json for the comparisons of all pairs, rounded.

    P-values have six significant digits, other numbers `DIGITS` decimals. For each pair: `difference` in accuracy with
    `low` and `high`; `only_first` and `only_second`, the rows that only one model decides correctly; `p` of the test
    that the models are alike, and `p_holm`, corrected for the number of pairs; `smallest_difference` that the test
    detects with 80% power if no other pair differs, at the level of Holm's first step; absent if there is none.
    """
    report: dict[str, dict[str, float]] = {}
    adjusted = holm(np.array([comparison.test.p for comparison in comparisons.values()]))
    alpha = (1 - confidence) / max(len(comparisons), 1)
    for (pair, comparison), p_holm in zip(comparisons.items(), adjusted, strict=True):
        test = comparison.test
        entry = asdict(comparison.difference)
        entry |= {"only_first": test.only_a, "only_second": test.only_b, "p": test.p, "p_holm": float(p_holm)}
        smallest = smallest_difference(comparison.rows, comparison.discordant, alpha)
        if smallest is not None:
            entry["smallest_difference"] = smallest
        report[pair] = {
            key: round_significant(value) if key.startswith("p") else round(value, DIGITS)
            for key, value in entry.items()
        }
    return report
