"""Logistic regression on a stream, of rows in memory and of shards."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from tests import samples
from tests.refusal import refusal
from textclf.artifacts import features
from textclf.artifacts.features import Features
from textclf.artifacts.shards import Shards
from textclf.core import resources
from textclf.core.errors import UserError
from textclf.models.common.fitted import Fitted
from textclf.models.logistic_regression import fitting


def fit_stream(rows: Features | Shards[Features], **changes: object) -> Fitted:
    return samples.fit("logistic_regression", rows, solver="stream", **changes)


def made_up(rows: int, classes: int = 2, seed: int = 0) -> Features:
    """Return counts of 300 terms, frequent ones first; fixed weights draw the classes."""
    generator = np.random.default_rng(seed)
    X = generator.poisson(2 / np.arange(1, 301) ** 0.7, (rows, 300))
    scores = X @ np.random.default_rng(99).normal(0, 0.8, (300, classes)) - np.arange(classes)
    y = (scores + generator.gumbel(size=scores.shape)).argmax(axis=1)
    return Features(
        np.arange(rows).astype(str),
        csr_array(X),
        y,
        np.array([f"class {n}" for n in range(classes)]),
    )


def measure(probabilities: NDArray[np.float64], y: NDArray[np.int64]) -> tuple[float, float]:
    of_labels = probabilities[np.arange(len(y)), y]
    return float((probabilities.argmax(axis=1) == y).mean()), float(-np.log(of_labels).mean())


def objective(fitted: Fitted, part: Features, weights: NDArray[Any], C: float) -> float:
    """Return logistic regression's objective: the rows' weighted log loss and the penalty."""
    (layer,) = fitted.layers.layers
    losses = -np.log(fitted.layers.predict_proba(part.X)[np.arange(len(part.y)), part.y])
    return float((C * weights * losses).sum() + (layer.kernel**2).sum() / 2)


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("class_weight", [None, "balanced", "given"], ids=str)
@pytest.mark.parametrize("C", [0.01, 1.0])
def test_it_comes_near_the_optimum(classes: int, class_weight: str | None, C: float) -> None:
    part, test = made_up(4000, classes), made_up(2000, classes, seed=1)
    given = {f"class {number}": 1.0 + number for number in range(classes)}
    chosen: object = given if class_weight == "given" else class_weight
    of_class = {
        "balanced": 4000 / (classes * np.bincount(part.y)),
        "given": 1.0 + np.arange(classes),
    }
    weights = of_class.get(str(class_weight), np.ones(classes))[part.y]
    exact = samples.fit("logistic_regression", part, max_iter=10_000, class_weight=chosen, C=C)
    near = fit_stream(part, class_weight=chosen, C=C)
    optimum = objective(exact, part, weights, C)
    assert optimum * 0.9999 <= objective(near, part, weights, C) < optimum * 1.003
    assert optimum * 1.005 < objective(
        fit_stream(part, class_weight=chosen, C=C, max_iter=1), part, weights, C
    )
    of_test = [measure(fitted.layers.predict_proba(test.X), test.y) for fitted in (exact, near)]
    assert of_test[1] == pytest.approx(of_test[0], rel=0.01)


def test_it_learns_the_share_of_a_rare_class() -> None:
    part = made_up(4000)
    rare = samples.take(part, np.flatnonzero((part.y == 0) | (np.arange(len(part.y)) % 25 == 0)))
    assert 0.01 < rare.y.mean() < 0.07
    assert fit_stream(rare).layers.predict_proba(rare.X)[:, 1].mean() == pytest.approx(
        rare.y.mean(), rel=0.01
    )


def test_it_takes_rows_of_any_length_and_rows_without_terms() -> None:
    part = made_up(2000)
    X = part.X.tolil()
    X[0], X[1, 0] = 0, 10_000
    extreme = Features(part.ids, csr_array(X), part.y, part.classes)
    model = fit_stream(extreme).layers
    assert np.isfinite(model.layers[0].kernel).all()
    assert model.predict_proba(extreme.X).sum(axis=1) == pytest.approx(np.ones(2000))


def test_it_takes_no_more_steps_than_max_iter() -> None:
    fitted = [fit_stream(made_up(1000), max_iter=most) for most in (1, 2, 3)]
    passes = [each.record["passes"] for each in fitted]
    assert 2 <= passes[0] < passes[1] < passes[2] < 10
    assert fitted[0].record == {"parameters": 301, "passes": passes[0], "C": 1.0}
    assert str(fitted[0]) == f"parameters 301, passes {passes[0]}, C 1.0"
    assert fitted[0].history is None


def test_it_stops_once_a_step_hardly_lowers_the_loss() -> None:
    assert 5 < fit_stream(made_up(4000)).record["passes"] < 25


def test_it_chooses_no_c() -> None:
    line = refusal(fit_stream, samples.rows(), C=[0.1, 1])
    assert line == (
        "train.logistic_regression.C must be one number if the solver is stream, "
        "as auto is beyond 250,000 training rows; got [0.1, 1.0]"
    )


# On shards


@pytest.mark.parametrize("classes", [2, 3])
def test_on_shards_it_repeats_and_comes_near_that_on_all_rows(tmp_path: Path, classes: int) -> None:
    part = samples.rows(classes, 400)
    rows = samples.write_shards(part, tmp_path, 60)
    first, second, whole = (
        fit_stream(each, class_weight="balanced", max_iter=20) for each in (rows, rows, part)
    )
    assert first.layers.layers[0].kernel.tobytes() == second.layers.layers[0].kernel.tobytes()
    assert first.record == whole.record
    assert first.layers.predict_proba(part.X) == pytest.approx(
        whole.layers.predict_proba(part.X), abs=0.04
    )


def count_reads(rows: Shards[Features]) -> tuple[Shards[Features], list[str]]:
    """Return the shards, and a list to which the name of each shard is added when it is read."""
    names: list[str] = []

    def read(path: Path) -> Features:
        names.append(path.name)
        return features.read_shard(path)

    return Shards(rows.paths, read), names


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("cores", [1, 3])
@pytest.mark.parametrize("free", [None, 0, 2 * 1500, 2**40], ids=str)
def test_memory_and_cores_change_no_bit(
    tmp_path: Path, classes: int, cores: int, free: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = samples.write_shards(samples.rows(classes), tmp_path, 10)
    expected = fit_stream(rows)
    monkeypatch.setattr(resources, "available_memory", lambda: free)
    monkeypatch.setattr(resources, "require_memory", lambda *_: None)
    monkeypatch.setattr(resources, "cores", lambda: cores)
    counted, names = count_reads(rows)
    fitted = fit_stream(counted)
    assert fitted.layers.layers[0].kernel.tobytes() == expected.layers.layers[0].kernel.tobytes()
    passes = fitted.record["passes"]
    reads = {2**40: 6, 2 * 1500: None}.get(free or 0, 6 * passes)
    assert len(names) - 1 == reads or (
        reads is None and 6 < len(names) < 6 * passes
    )  # one for the columns


def test_many_classes_are_summed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    part = samples.rows(6)
    whole = fit_stream(part).layers.predict_proba(part.X)
    monkeypatch.setattr(fitting, "SCORES", 60)  # ten rows
    assert fit_stream(part).layers.predict_proba(part.X) == pytest.approx(whole, rel=1e-9)


def test_parameters_that_do_not_fit_into_memory_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resources, "available_memory", lambda: 1000)
    with pytest.raises(
        UserError,
        match=r"^logistic regression with 12 features x 3 classes needs about .* of memory; ",
    ):
        fit_stream(samples.rows(3))


def test_an_error_of_a_reader_is_raised(tmp_path: Path) -> None:
    rows = samples.write_shards(samples.rows(), tmp_path, 10)
    rows.paths[3].write_bytes(rows.paths[3].read_bytes()[:2000])
    assert "is damaged; remove it and run dvc repro" in refusal(fit_stream, rows)
