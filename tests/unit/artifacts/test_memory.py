"""The memory for many classes is checked before rows are read, predicted and evaluated."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.refusal import refusal
from textclf.artifacts import memory, predictions
from textclf.artifacts.predictions import Predictions
from textclf.core import resources


@pytest.fixture
def available(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "available_memory", lambda: 10**9)


@pytest.mark.parametrize(
    ("counts", "rows"), [([750, 250], 1000), ([100_000, 30_000], 130_000), ([100_001, 9], 100_000)]
)
def test_rows_are_together_unless_a_split_has_several_shards(counts: list[int], rows: int) -> None:
    assert memory.rows_in_memory(counts) == rows


@pytest.mark.usefixtures("available")
@pytest.mark.parametrize(
    ("check", "need"),
    [
        (lambda: memory.require_predicting(20_000, 10_000, "x"), "6.5 GB"),
        (lambda: memory.require_measuring(20_000, 10_000, 1, "x"), "12 GB"),
        (lambda: memory.require_measuring(20_000, 10_000, 3, "x"), "30 GB"),
    ],
)
def test_many_classes_are_refused_with_what_they_need(check: Callable[[], None], need: str) -> None:
    memory.require_predicting(10_000, 1000, "x")
    assert refusal(check).startswith(
        "x: a probability of each of 10,000 classes (are the labels classes, "
        f"or texts or ids by mistake?) for 20,000 rows at once needs about {need} of memory; "
        "1.0 GB is available; "
    )


@pytest.mark.usefixtures("available")
def test_the_measured_runs_are_estimated_within_a_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(resources, "require_memory", lambda need, _: asked.append(need))
    memory.require_measuring(10_000, 1000, 3, "x")
    memory.require_measuring(10_000, 2000, 3, "x")
    memory.require_measuring(30_000, 1000, 3, "x")
    assert np.allclose(asked, [1265e6, 2666e6, 3554e6], rtol=0.1)


def test_the_size_of_predictions_is_that_of_all_batches(tmp_path: Path) -> None:
    def batch(rows: int) -> Predictions:
        texts = np.full(rows, "a", dtype=object)
        return Predictions(
            texts, texts, np.zeros(rows, np.int64), np.full((rows, 3), 1 / 3), ("a", "b", "c")
        )

    predictions.write([batch(3), batch(5)], tmp_path / "x.parquet")
    assert memory.size_of_predictions(tmp_path / "x.parquet") == (8, 3)
