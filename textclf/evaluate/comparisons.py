"""Comparisons of models: McNemar's test and its power, Holm's correction, the corrected t test."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import scipy  # which imports scipy.special when it is used
from numpy.typing import NDArray

from textclf.core.files import DIGITS
from textclf.core.formatting import round_significant
from textclf.evaluate.intervals import (
    CONFIDENCE,
    Difference,
    bisect,
    degrees_correction,
    normal_quantile,
)
from textclf.evaluate.registry import pair_name

# The power with which a difference counts as detectable.
POWER = 0.8
# Groups of the same size below which the number of independent rows is too uncertain to foresee the
# power of a test: with 12 groups, 2 to 80% of simulated test sets found the smallest difference.
FEWEST_GROUPS = 20
# The numbers of discordant rows that are summed lie within so many standard deviations of the mean.
SPREAD = 7


@dataclass(frozen=True)
class McNemar:
    """The rows that only one of two models decides correctly; `p` tests that both are alike."""

    only_a: int
    only_b: int
    p: float


@dataclass(frozen=True)
class Comparison:
    """Two models on the same rows of a split."""

    test: McNemar
    difference: Difference
    rows: float  # independent rows that they are worth
    discordant: float  # share of the rows that only one of them decides correctly
    degrees: float = math.inf  # of freedom, of the number of independent rows
    groups: float = math.inf  # of the same size, that the clusters of the rows are worth


@dataclass(frozen=True)
class CorrectedT:
    """Differences over splits: mean, standard deviation, corrected t test, interval of the mean."""

    mean: float
    sd: float
    t: float
    p: float
    low: float
    high: float


def mcnemar(only_a: int, only_b: int, worth: float = 1.0, degrees: float = math.inf) -> McNemar:
    """Return McNemar's two-sided test that two models have the same accuracy.

    `only_a` and `only_b` are the rows that only one of them decides correctly; without such rows p
    is 1. It is the score test, (a - b)^2 / (a + b), without correction: McNemar (1947),
    Psychometrika 12:153-157, doi:10.1007/BF02295996, as recommended by Fagerland, Lydersen & Laake
    (2013), BMC Med. Res. Methodol. 13:91, doi:10.1186/1471-2288-13-91. Tango's interval has the
    differences that it does not reject, so that both agree. A dependent row is `worth` a part of an
    independent one, with Student's t of so many `degrees` of freedom.
    """
    if only_a == only_b:
        return McNemar(only_a, only_b, 1.0)
    statistic = abs(only_a - only_b) * math.sqrt(worth / (only_a + only_b))
    return McNemar(only_a, only_b, 2 * float(scipy.special.stdtr(max(degrees, 1), -statistic)))


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the p-values of a family of tests, adjusted by Holm's step-down method.

    They are in the same order. Rejecting those at or below alpha has a family-wise error of at most
    alpha, however the tests depend on each other. Holm (1979), Scand. J. Stat. 6:65-70.
    """
    order = np.argsort(p_values, kind="stable")
    remaining = len(p_values) - np.arange(len(p_values))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(remaining * p_values[order]), 1)
    return adjusted


def corrected_t(
    differences: NDArray[np.float64], ratio: float, confidence: float = CONFIDENCE
) -> CorrectedT:
    """Return the corrected resampled t test that the mean difference of two models is 0.

    It is two-sided. `differences` (splits,), at least two, come from models trained and tested on
    the same splits; `ratio` is test rows / training rows, 1 / (k - 1) for k folds. Since the splits
    share rows, the variance of the mean is taken as (1 / splits + ratio) sd^2, with splits - 1
    degrees of freedom: Nadeau & Bengio (2003), Machine Learning 52:239-281,
    doi:10.1023/A:1024068626366. If all differences are equal, the interval is a point.
    """
    splits = len(differences)
    if np.ptp(differences) == 0:  # their computed sd need not be 0
        mean = float(differences[0])
        if not mean:
            return CorrectedT(mean, 0.0, 0.0, 1.0, mean, mean)
        return CorrectedT(mean, 0.0, math.copysign(math.inf, mean), 0.0, mean, mean)
    mean = float(differences.mean())
    sd = float(differences.std(ddof=1))
    error = sd * math.sqrt(1 / splits + ratio)
    # stdtr is Student's distribution function, stdtrit its inverse
    half = error * float(scipy.special.stdtrit(splits - 1, (1 + confidence) / 2))
    p = 2 * float(scipy.special.stdtr(splits - 1, -abs(mean) / error))
    return CorrectedT(mean, sd, mean / error, p, mean - half, mean + half)


def summarize(
    comparisons: Mapping[tuple[str, str], Comparison],
    baselines: Collection[str] = (),
    confidence: float = CONFIDENCE,
) -> dict[str, dict[str, float]]:
    """Return the content of comparisons.json for the comparisons of all pairs, rounded.

    Keys are the `pair_name`. P-values have six significant digits, other numbers `DIGITS` decimals.
    For each pair: `difference` in accuracy with `low` and `high`; `only_first` and `only_second`,
    the rows that only one model decides correctly; `p` of the test that the models are alike, and
    `p_holm`, corrected for the number of pairs; `smallest_difference` that the test detects with
    80% power if no other pair differs, at the level of Holm's first step; absent if there is none,
    or if there are fewer than `FEWEST_GROUPS`. Pairs with one of `baselines`, models that ignore
    the texts, are not corrected, nor counted.
    """
    report: dict[str, dict[str, float]] = {}
    corrected = {
        pair: comparison.test.p
        for pair, comparison in comparisons.items()
        if set(baselines).isdisjoint(pair)
    }
    adjusted = dict(zip(corrected, holm(np.array(list(corrected.values()))).tolist(), strict=True))
    for pair, comparison in comparisons.items():
        test, pairs = comparison.test, len(corrected) if pair in corrected else 1
        entry = asdict(comparison.difference) | {
            "only_first": test.only_a,
            "only_second": test.only_b,
        }
        entry |= {"p": test.p, "p_holm": adjusted.get(pair, test.p)}
        alpha = (1 - confidence) / pairs
        rows = comparison.rows * float(degrees_correction(comparison.degrees, alpha))
        smallest = smallest_difference(rows, comparison.discordant, alpha)
        if smallest is not None and comparison.groups >= FEWEST_GROUPS:
            entry["smallest_difference"] = smallest
        report[pair_name(*pair)] = {
            key: round_significant(value) if key.startswith("p") else round(value, DIGITS)
            for key, value in entry.items()
        }
    return report


def power_curve(n: int, discordant: float, alpha: float) -> Callable[[float], float]:
    """Return the power of McNemar's test at level `alpha`, as a function of the difference.

    `n` is the number of rows. `discordant`, above 0, is the share of the rows that only one of two
    models decides correctly; the difference of their accuracies is from 0 to that. The power given
    the number of discordant rows is averaged over its binomial distribution: Duffy (1984),
    Biometrics 40:1005-1015.
    """
    mean = n * discordant
    reach = SPREAD * math.sqrt(mean) + SPREAD
    m = np.arange(max(1, math.floor(mean - reach)), min(n, math.ceil(mean + reach)) + 1)
    logs = (
        scipy.special.gammaln(n + 1)
        - scipy.special.gammaln(m + 1)
        - scipy.special.gammaln(n - m + 1)
        + scipy.special.xlogy(m, discordant)
        + scipy.special.xlog1py(n - m, -discordant)
    )
    chances = np.exp(logs)
    # The most rows that the worse model alone may have right.
    most = np.floor((m - normal_quantile(1 - alpha / 2) * np.sqrt(m)) / 2)

    def exact(difference: float) -> float:
        better = (1 + difference / discordant) / 2
        rejected = scipy.special.bdtr(most, m, 1 - better) + scipy.special.bdtr(most, m, better)
        return float(chances @ np.where(most < 0, 0, rejected))

    return exact


def smallest_difference(n: float, discordant: float, alpha: float) -> float | None:
    """Return the smallest difference in accuracy that the test detects with 80% power.

    The power is that of `power_curve`. None if it would exceed the share of discordant rows. Parts
    of rows count for nothing.
    """
    if not discordant:
        return None
    curve = power_curve(math.floor(n), discordant, alpha)
    if not curve(0.0) < POWER <= curve(discordant):
        return None
    return bisect(lambda difference: POWER - curve(difference), 0.0, discordant)
