"""Metrics of many rows, computed in processes."""

from typing import Any

import numpy as np
import pytest

from tests.unit.evaluate.samples import HALF, TOP, drawn, exact, halves, params, sample_sets, sets
from textclf.artifacts import shards
from textclf.core import resources, workers
from textclf.evaluate.measure import measure
from textclf.evaluate.split_metrics import SplitMetrics


def shown(part: SplitMetrics) -> list[Any]:
    tables = [part.by_class("a"), *part.tables("a").values()]
    csvs = [table.to_csv(index=False) for table in tables]
    return [part.metrics("a"), part.intervals("a"), part.ece_if_calibrated("a"), csvs]


@pytest.mark.skipif(not workers.forks(), reason="needs fork")
@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("kind", ["binary", "classes", "labels", "constant"])
def test_many_rows_are_measured_in_processes_with_the_same_results(
    kind: str, clustered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, decision = drawn(3, 400, 2 if kind == "binary" else 3), TOP
    if kind == "binary":
        decision = HALF
    elif kind == "labels":
        rows, decision = sets(*sample_sets(3, 400)[:2]), halves(5)
    elif kind == "constant":
        rows.probabilities[:] = 1 / 3
    clusters = np.arange(400) // 2 if clustered else None
    expected = shown(exact({"a": rows}, decision, clusters=clusters))
    monkeypatch.setattr(shards, "ROWS", 399)
    monkeypatch.setattr(resources, "cores", lambda: 2)
    by_split = {} if clusters is None else {"test": clusters}
    part = measure({"test": {"a": rows}}, {"a": decision}, params(), False, by_split)["test"]
    ready = set(part.judged["a"].results)
    assert shown(part) == expected
    assert ready == set(part.judged["a"].results)  # nothing was left to this process
