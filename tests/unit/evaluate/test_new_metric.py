"""A new metric is one entry: nothing else must change for it to be measured, compared and shown."""

import re

import numpy as np
import pytest
from sklearn import metrics as sk

from docs.generate import metrics_table
from tests.unit.evaluate.samples import (
    TOP,
    exact,
    halves,
    known,
    predictions,
    sample,
    sample_sets,
    sets,
)
from tests.unit.export import test_card as cards
from textclf.evaluate import registry
from textclf.evaluate.metrics.of_counts import Ratio
from textclf.evaluate.registry import compute

F2 = Ratio(
    "f2",
    "F2",
    "weighted harmonic mean, recall four times",
    by_predicted=1,
    by_actual=4,
    per_class=True,
    percent=True,
    compared=True,
)


@pytest.fixture(autouse=True)
def entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.METRICS, "f2", F2)


@pytest.mark.parametrize("classes", [2, 4, 0], ids=["binary", "classes", "labels"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_new_metric_has_values_intervals_and_differences(classes: int, times: int) -> None:
    drawn = [sample(seed, 400, classes) if classes else sample_sets(seed, 400) for seed in (1, 2)]
    y, first, decided = drawn[0]
    mean = "binary" if classes == 2 else "macro"
    assert compute(y, first, decided)["f2"] == round(
        sk.fbeta_score(y, decided, beta=2, average=mean), 6
    )
    clusters = np.repeat(np.arange(400), times)
    made = predictions if classes else sets
    second = 0.7 * first + 0.3 * drawn[1][1]
    models = {name: made(y, each).take(clusters) for name, each in (("a", first), ("b", second))}
    part = exact(models, TOP if classes else halves(5), clusters=clusters if times > 1 else None)
    ends = known(part.intervals("a")["f2"])
    assert ends["low"] < part.metrics("a")["f2"] < ends["high"] < ends["low"] + 0.15
    table = part.by_class("a")
    assert table["f2"].tolist() == pytest.approx(sk.fbeta_score(y, decided, beta=2, average=None))
    assert ((table["f2_low"] < table["f2"]) & (table["f2"] < table["f2_high"])).all()
    wider = table["f1_high"] - table["f1_low"], table["f2_high"] - table["f2_low"]
    assert (wider[1] / wider[0]).between(0.6, 1.8).all()
    difference = part.comparisons()["b_vs_a"]["metrics"]["f2"]
    assert difference["difference"] == pytest.approx(
        part.metrics("b")["f2"] - part.metrics("a")["f2"], abs=2e-6
    )
    assert difference["low"] < difference["difference"] < difference["high"]


def test_a_new_metric_is_in_the_card_and_in_the_docs() -> None:
    card = cards.render(measured={"accuracy": 0.875, "log_loss": 0.5, "f2": 0.5})
    assert re.search(r"^\| F2 \|.* 50\.0% \(25\.0% to 100\.0%\) \|$", card, re.MULTILINE)
    assert f"\n| F2, `f2` | {F2.description} | higher | yes |" in metrics_table("")
