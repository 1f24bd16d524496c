"""The simulation of intervals and promises: its test sets, and counts of them."""

from typing import Any

import numpy as np
import pytest

from benchmarks import intervals, made_up_sets, promises, results
from benchmarks.made_up_sets import (
    Kind,
    Tally,
    draw,
    even,
    giants,
    half_single,
    heavy_tailed,
    measured,
    population,
)
from benchmarks.promises import ALARM, COLUMNS, FOUND, Compared, Sliced
from textclf.evaluate.registry import METRICS


def test_most_intervals_have_the_truth_and_few_mistakes_no_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(made_up_sets, "TRUTH", made_up_sets.FEWEST)
    result = intervals.simulate(Kind("", 250), seed=1, sets=40)
    for name in ("accuracy", "f1", "log_loss", "difference in accuracy", "difference in log_loss"):
        assert result[name]["stated"] == 1
        assert result[name]["covered"] >= 0.85
        assert 0.7 < result[name]["width"] < 1.4
    assert intervals.simulate(Kind("", 50, 0.999), seed=1, sets=5)["log_loss"] == {"stated": 0}


def test_an_interval_counts_beside_the_truth_and_its_test() -> None:
    tally = Tally()
    tally.add(2.0, {"low": 1.0, "high": 3.0, "p": 0.2}, 2.5)
    tally.add(4.0, {"low": 3.0, "high": 5.0, "p": 0.01}, 2.5)
    result = tally.summary(4)
    assert (result["stated"], result["covered"], result["contradicting"]) == (0.5, 0.5, 0.25)
    assert result["width"] == pytest.approx(2 / (3.92 * np.sqrt(2)), rel=1e-4)


@pytest.mark.parametrize("sizes", [even(10), half_single, giants, heavy_tailed])
def test_rows_of_a_cluster_are_right_together_and_as_many_as_asked_for(sizes: Any) -> None:
    kind = Kind("", 20_000, 0.8, sizes=sizes, correlation=0.5)
    drawn = draw(kind, kind.rows, np.random.default_rng(1))
    assert len(drawn.y) == pytest.approx(kind.rows, rel=0.1)
    right = drawn.outputs["a"].argmax(axis=1) == drawn.y
    assert right.mean() == pytest.approx(0.8, abs=0.05)
    keys = drawn.keys.astype(np.int64)
    together = (np.bincount(keys, right - right.mean()) ** 2).sum()
    assert together > 1.5 * len(right) * right.var()


def test_in_a_difficult_cluster_all_labels_are_wrong_together() -> None:
    result = []
    for difficult in (True, False):
        kind = Kind(
            "",
            20_000,
            0.8,
            (0.5, 0.5),
            sizes=even(10),
            correlation=0.5,
            several=True,
            difficult=difficult,
        )
        drawn = draw(kind, kind.rows, np.random.default_rng(1))
        wrong = (drawn.outputs["a"] > 0.5) != (drawn.y == 1)
        of_clusters = wrong.reshape(-1, 10, 2).mean(axis=1)
        result.append(np.corrcoef(of_clusters.T)[0, 1])
    assert result[0] > 0.5 > 0.3 > abs(result[1])


def test_large_clusters_are_harder_and_the_truth_counts_rows() -> None:
    kind = Kind("", 1000, 0.9, sizes=heavy_tailed, correlation=0.3, harder=0.3)
    drawn = population(kind, np.random.default_rng(1), 200_000)
    right, sizes = (
        drawn.outputs["a"].argmax(axis=1) == drawn.y,
        np.bincount(drawn.keys.astype(np.int64)),
    )
    of_rows = sizes[drawn.keys.astype(np.int64)]
    assert right[of_rows == 1].mean() == pytest.approx(0.9, abs=0.01)
    assert right[of_rows > 50].mean() < right.mean() - 0.1 < 0.75


def test_the_truth_of_a_mean_over_classes_is_that_of_the_classes_in_the_set() -> None:
    kind = Kind("", 30, 0.9, shares=(0.5, 0.4, 0.1), uneven=1.0)
    part = measured(kind, population(kind, np.random.default_rng(1), 20_000))
    recalls = METRICS["recall"].of_classes(part.judged["a"])
    assert recalls[0] > recalls[2] + 0.1
    true = intervals.true_values(part, np.array([0, 1]))
    assert true["balanced_accuracy"] == true["recall"] == pytest.approx(recalls[:2].mean())
    assert true["accuracy"] == part.values["a"]["accuracy"]


def test_a_weak_slice_is_found_and_without_one_nothing_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promises, "SETS", 20)
    result = {
        each["promise"]: each["measured"]
        for each in promises.slices(Sliced("", 2000, drop=0.4), seed=1)
    }
    assert result[FOUND] == 100
    kind = Sliced("", 1000, sizes=even(5), correlation=1.0, whole=True)
    membership, rows, _ = promises.draw_slices(kind, np.random.default_rng(3))
    right = ~rows.wrong.reshape(-1, 5)
    assert (right == right[:, :1]).all()
    assert [family.name for family in membership.families] == [*COLUMNS, "class"]
    assert promises.slices(kind, seed=1)[0] == {
        "promise": ALARM,
        "kind": "",
        "measured": pytest.approx(0, abs=10),
    }


def test_three_models_differ_and_disagree_as_they_should() -> None:
    kind = Compared("", 400_000, 0.2, even(4), 0.5)
    drawn = promises.draw_three(kind, 0.1, np.random.default_rng(1))
    a, b, c = (drawn.outputs[name].argmax(axis=1) == drawn.y for name in "abc")
    for first, second, difference in ((a, b, 0.1), (a, c, 0.05), (b, c, -0.05)):
        assert first.mean() - second.mean() == pytest.approx(difference, abs=0.004)
        assert (first != second).mean() == pytest.approx(0.2, abs=0.005)


def test_tables_count_and_name_what_is_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(covered: float, width: float, stated: float = 1.0) -> dict[str, float]:
        return {"covered": covered, "width": width, "stated": stated, "contradicting": 0.0}

    few = {"accuracy": found(0.95, 1.0), "f1": found(0.8, 1.0, 0.7), "mcc": found(0.95, 1.5)}
    many = {
        "accuracy": found(0.97, 1.1),
        "f1": found(0.94, 1.0),
        "recall": found(1, 1),
        "brier": found(1, 1, 0.01),
    }
    names, of_kind = (
        [kind.name for kind in intervals.KINDS["two classes"]],
        {"25 rows": few, "100 rows": many},
    )
    assert [name for name in of_kind if name not in names] == []
    kinds = [{"kind": kind, "sets": 1000, "statements": of} for kind, of in of_kind.items()]
    lines = [promises.line(name, "many rows", 1.0, width=1.0) for name in promises.PROMISES]
    monkeypatch.setattr(results, "read", lambda _: {"kinds": kinds, "promises": lines})
    text = intervals.table()
    assert "| accuracy | 95\N{EN DASH}97 · 1.00\N{EN DASH}1.10 |  |" in text
    assert "| F1 | 80\N{EN DASH}94 · 1.00\N{EN DASH}1.00 (1) |  |" in text
    assert "| Brier score |  |  |" in text
    assert text.endswith("- 25 rows: F1 80 · 1.00; MCC 95 · 1.50.\n- 100 rows: recall 100 · 1.00.")
    assert (
        f"| {ALARM} | at most 5% | 1 | 100.0\N{EN DASH}100.0 · 1.00\N{EN DASH}1.00 | many rows "
        "100.0 · 1.00 |" in (intervals.promises_table())
    )
