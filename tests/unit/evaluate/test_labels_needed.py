"""What more labels would bring, and what suggesting them has saved."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.evaluate.samples import TOP, known, params
from textclf.artifacts import predictions
from textclf.artifacts.predictions import Predictions
from textclf.core.result_files import check, to_json
from textclf.evaluate.intervals import wilson
from textclf.evaluate.labels_needed import TIMES, fit_law, measure_labels
from textclf.evaluate.results import KINDS, OfLabels
from textclf.evaluate.split_metrics import SplitMetrics

ROWS, HARD = (
    600,
    np.random.default_rng(0).normal(size=600),
)  # test rows, and how likely all models have them right
SIZES = (40, 80, 160, 320, 640)
FALLING = {
    f"history {n}": [0.1 + 0.3 * (n / 40) ** -0.5] for n in SIZES
}  # errors of models by the name of their rows
NOW = FALLING["history 640"][0]


def rows_of(name: str, error: float, seed: int) -> Predictions:
    wrong = np.argsort(HARD + np.random.default_rng(seed).normal(size=ROWS) / 3).argsort() < round(
        error * ROWS
    )
    y = np.arange(ROWS) % 2
    positive = np.where(wrong == (y == 1), 0.3, 0.7)
    return Predictions(
        y.astype(str), np.full(ROWS, name), y, np.column_stack([1 - positive, positive]), ("a", "b")
    )


def measured(
    folder: Path, errors: dict[str, list[float]], error: float = NOW, clusters: Any = None
) -> OfLabels:
    names = [
        (name, each)
        for name, several in errors.items()
        for each in several
        if name != "history 640"
    ]
    predictions.write(
        [rows_of(*each, n) for n, each in enumerate(names)], folder / "rounds.parquet"
    )
    test = SplitMetrics(
        "test", {"m": rows_of("test", error, 99)}, {"m": TOP}, params(), False, clusters
    )
    of_labels = measure_labels(folder / "rounds.parquet", test, "m", 640)
    content = to_json({"m": of_labels})
    assert to_json(check(KINDS["labels"], content, "labels.json")) == content
    return of_labels


@pytest.mark.parametrize("exponent", [0.25, 0.5, 1.0, 1e-9])
def test_the_law_of_exact_errors_is_found(exponent: float) -> None:
    sizes, at = np.array(SIZES) / 640, np.concatenate([np.array(SIZES) / 640, TIMES])
    errors = 0.3 - 0.02 * (1 - at**-exponent) / exponent
    assert fit_law(errors[: len(sizes)], sizes, at) == pytest.approx(errors, abs=1e-6)


def test_a_falling_error_is_foreseen_and_one_that_stays_is_not(tmp_path: Path) -> None:
    of_labels = measured(tmp_path, FALLING)
    law, number = known(of_labels.foreseen), known(known(of_labels.foreseen).labels["value"])
    assert law.accuracy == pytest.approx(0.9 - 0.3 * 32**-0.5, abs=0.01)
    assert law.low < law.accuracy < law.high
    assert law.target == pytest.approx(1 - NOW + 0.02, abs=0.005)
    assert 0.9 - 0.3 * (number / 40) ** -0.5 == pytest.approx(law.target, abs=0.005)
    assert known(law.labels["low"]) <= number
    assert [*of_labels.history] == [str(n) for n in SIZES]
    at = of_labels.history["40"]
    assert (at.value, at.low, at.high) == pytest.approx((0.6, *wilson(360, ROWS)), abs=1e-6)
    assert measured(tmp_path, FALLING) == of_labels
    assert (
        known(measured(tmp_path, {name: [0.2] for name in FALLING}, 0.2).foreseen).labels["value"]
        is None
    )


@pytest.mark.parametrize(("points", "error"), [(2, NOW), (4, 0.0)])
def test_few_numbers_of_labels_or_no_mistakes_foresee_nothing(
    tmp_path: Path, points: int, error: float
) -> None:
    assert measured(tmp_path, dict([*FALLING.items()][:points]), error).foreseen is None


@pytest.mark.parametrize("gain", [0.0, 0.01])
def test_noise_that_looks_like_ever_faster_progress_does_not_foresee_it(gain: float) -> None:
    sizes = np.arange(1, 7) / 6
    noisy = np.array([0.3, 0.3, 0.3, 0.29, 0.28, 0.27 - gain])
    now, ahead = fit_law(noisy, sizes, np.array([1.0, 2.0]))
    a_doubling = now - fit_law(noisy, sizes, np.array([0.5])).item()
    assert 0 > ahead - now >= a_doubling - 1e-9


def test_dependent_rows_widen_what_is_foreseen(tmp_path: Path) -> None:
    clusters = np.argsort(HARD).argsort() // 20  # of rows that are right or wrong together
    wide, narrow = (
        known(measured(tmp_path, FALLING, clusters=each).foreseen) for each in (clusters, None)
    )
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


@pytest.mark.parametrize(("error", "shown"), [(0.3, 0), (0.15, 1), (0.45, -1)])
def test_suggested_and_random_texts_are_compared_at_the_same_number(
    tmp_path: Path, error: float, shown: int
) -> None:
    widths = []
    for spread in (0.01, 0.1):
        errors = {
            "history 40": [0.4],
            "random 85": [0.3],
            "suggested 85": [*np.linspace(-spread, spread, 10) + error],
        }
        gap = measured(tmp_path, errors).suggested["85"]
        assert gap.difference == pytest.approx(0.3 - error, abs=0.002)
        widths.append(gap.high - gap.low)
        if spread == 0.01:
            assert (gap.low > 0) - (gap.high < 0) == shown
    assert widths[0] < widths[1]
