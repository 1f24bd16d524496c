"""How many labels are enough: the gain of more, and that of suggested texts over random ones.

The law is error = e - a ((n / N)^-b - 1) / -b of n of N labels: the power law c + a n^-b, written
so that b may be 0, where the error falls by as much with each doubling. Larger numbers weigh more:
Figueroa et al. (2012), BMC Med. Inform. Decis. Mak. 12:8. On curves that no such law fits: Viering
& Loog (2023), IEEE TPAMI 45:7799-7819.
"""

import math
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy  # which imports scipy.special when it is used

from textclf.artifacts.predictions import batches
from textclf.evaluate.metrics.metric import margin
from textclf.evaluate.metrics.of_counts import Share
from textclf.evaluate.results import Difference, Foreseen, MeasuredShare, OfLabels
from textclf.evaluate.rows import Bools, Floats, Ints, JudgedRows
from textclf.evaluate.split_metrics import SplitMetrics

# Parameters of the law, which is fitted to more numbers of labels.
PARAMETERS = 3
# The gain of accuracy for which labels are foreseen, at most half of the errors.
GAIN = 0.02
# The accuracy is foreseen for so many times the labels.
AHEAD = 2
# Times the labels, as far as the law is trusted.
TIMES = np.arange(100, 401) / 100
# Of the law, b: with a negative one, accuracy would rise ever faster. Simulated curves of models of
# texts do not, and with such exponents what is foreseen was too high, and its intervals a fifth
# wider.
EXPONENTS = np.linspace(0, 1, 21)
FITS, SEED = 1000, 0


def measure_labels(path: Path, test: SplitMetrics, model: str, labels: int) -> OfLabels:
    """Return the accuracy of a model of so many `labels`, and of its models of fewer labels.

    The latter are in the file at `path`. All are decided as the model decides.
    """
    # Of texts of no class, models of fewer labels have no threshold of their own.
    judged = test.before_rejection(model)
    decision, confidence = test.decisions[model], test.settings.confidence
    # By kind and number of labels.
    right: defaultdict[str, defaultdict[int, list[Bools]]] = defaultdict(lambda: defaultdict(list))
    for rows in batches(path):
        kind, number = rows.split[0].split()
        calibrated = decision.calibrate(rows.probabilities)
        fewer = replace(judged, probabilities=calibrated, decided=decision.decide(calibrated))
        right[kind][int(number)].append(~fewer.wrong)
    history = {number: only for number, [only] in right["history"].items()}
    history[labels] = ~judged.wrong
    shares = {}
    for number, correct in history.items():
        share = Share.of(correct, np.ones_like(correct), judged.clusters, confidence)
        ends = share.interval(confidence)
        shares[str(number)] = MeasuredShare(
            value=float(correct.mean()), low=ends.low, high=ends.high, rows=len(correct)
        )
    foreseen = len(history) > PARAMETERS and judged.wrong.any()
    return OfLabels(
        history=shares,
        foreseen=_foresee(history, judged.clusters, confidence) if foreseen else None,
        suggested={
            str(number): _compare(judged, np.array(suggested), right["random"][number], confidence)
            for number, suggested in right["suggested"].items()
            if number in right["random"]
        },
    )


def _foresee(history: dict[int, Bools], clusters: Ints | None, confidence: float) -> Foreseen:
    """Return what the law foresees from the right rows by number of labels.

    The intervals are those of `FITS` fits. These are to the errors of the law with the noise of
    other test rows, or clusters of them, which all numbers share, and that of other training rows,
    by the distances of the errors from the law.
    """
    numbers = np.array([*history])
    wrong = np.array([~correct for correct in history.values()], np.float64)
    sizes, errors, rows = numbers / numbers[-1], wrong.mean(axis=1), wrong.shape[1]
    expected, law = fit_law(errors, sizes, sizes), fit_law(errors, sizes, TIMES)
    groups = np.arange(rows) if clusters is None else clusters
    deviations = wrong - errors[:, np.newaxis]
    sums = np.array([np.bincount(groups, of_rows) for of_rows in deviations])
    # Two models may decide alike; the small diagonal makes the matrix positive definite.
    shared = np.linalg.cholesky(sums @ sums.T / rows**2 + 1e-12 * np.eye(len(sizes)))
    generator = np.random.default_rng(SEED)
    squares = ((errors - expected) ** 2).sum()
    own = np.sqrt(squares / generator.chisquare(len(sizes) - PARAMETERS, (FITS, 1)))
    noise = generator.standard_normal((2, FITS, len(sizes)))
    laws = fit_law(expected + noise[0] @ shared.T + own * noise[1], sizes, TIMES)
    gain, tails = min(GAIN, law[0] / 2), np.array([1 - confidence, 1 + confidence]) / 2
    ahead, (low, high) = 1 - law[TIMES == AHEAD], np.quantile(1 - laws[:, TIMES == AHEAD], tails)
    reached, all_reached = (
        np.where(curve <= curve[..., :1] - gain, TIMES, np.inf).min(axis=-1)
        for curve in (law, laws)
    )
    ends = np.quantile(all_reached, tails, method="inverted_cdf")
    times = {"value": reached, "low": min(ends[0], reached), "high": max(ends[1], reached)}
    labels = {
        name: round(numbers[-1] * multiple) if multiple <= TIMES[-1] else None
        for name, multiple in times.items()
    }
    return Foreseen(
        now=1 - law[0],
        accuracy=ahead.item(),
        low=low,
        high=high,
        target=1 - law[0] + gain,
        labels=labels,
    )


def fit_law(errors: Floats, sizes: Floats, at: Floats) -> Floats:
    """Return the errors (..., at) of the law with the least weighted squares.

    It is fitted to each row of `errors` (..., sizes). `sizes` and `at` are numbers of labels over
    that of all. For a given exponent the law is linear.
    """
    weights, x = sizes / sizes.sum(), scipy.special.boxcox(sizes, -EXPONENTS[:, np.newaxis])
    middle, deviations = x @ weights, x - (x @ weights)[:, np.newaxis]
    # (..., exponents)
    slopes = np.maximum(-(errors * weights) @ deviations.T / (deviations**2 @ weights), 0)
    ends = (errors @ weights)[..., np.newaxis] + slopes * middle
    fitted = ends[..., np.newaxis] - slopes[..., np.newaxis] * x
    best = ((errors[..., np.newaxis, :] - fitted) ** 2 @ weights).argmin(axis=-1)[..., np.newaxis]
    end, slope = np.take_along_axis(ends, best, axis=-1), np.take_along_axis(slopes, best, axis=-1)
    return np.asarray(np.clip(end - slope * scipy.special.boxcox(at, -EXPONENTS[best]), 0, 1))


def _compare(
    test: JudgedRows, suggested: Bools, random: list[Bools], confidence: float
) -> Difference:
    """Return the difference in accuracy of models of suggested texts and of random ones.

    `suggested` (draws, rows) says which rows the former decide right. The interval allows for other
    test rows and, by the spread of the draws, for other training rows.
    """
    better, draws = suggested.mean(axis=0) - random[0], suggested.mean(axis=1)
    t = scipy.special.stdtrit(len(draws) - 1, (1 + confidence) / 2)
    of_texts = t * math.sqrt(draws.var(ddof=1) * (1 + 1 / len(draws)))
    half = math.hypot(margin(test, better, better != 0, confidence), of_texts)
    return Difference(difference=better.mean(), low=better.mean() - half, high=better.mean() + half)
