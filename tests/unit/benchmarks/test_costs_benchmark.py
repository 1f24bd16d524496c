"""The benchmark of costs: its tables, and what is decided on their test rows."""

import pytest

from benchmarks import costs


def test_every_kind_of_decision_is_measured_and_costs_are_the_cheapest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "SIZES", {"train": 600, "validation": 400, "test": 800})
    monkeypatch.setattr(costs, "TABLES", 1)
    splits = costs.make_table(3)
    assert {split: len(rows) for split, rows in splits.items()} == costs.SIZES
    assert 0.05 < splits["train"]["y"].mean() < 0.12
    content = costs.measure()
    assert set(content["first"]) == set(costs.POLICIES)
    means = {name: each["cost"] for name, each in content["tables"].items()}
    assert min(means, key=lambda name: means[name]) == "costs, calibrated, no answer"
    assert means["costs"] < means["0.5"]
