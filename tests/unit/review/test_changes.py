"""What differs between two revisions: the noise of a change, verdicts, the gate, params and stages."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.settings import TEXT
from textclf import params
from textclf.core.errors import UserError
from textclf.evaluate import evaluation, statistics
from textclf.evaluate.statistics import Interval
from textclf.params import Gate
from textclf.review import changes
from textclf.review.changes import Change, Difference, Numbers, Stage

SETTINGS = params.parse(TEXT).evaluate.model_copy(update={"resamples": 200})
ROWS = 200


def numbers(metric: str, value: Any, split: str = "test", model: str = "keras") -> Numbers:
    return {model: {split: {metric: value}}}


def changed(
    metric: str,
    base: float | None,
    head: float | None,
    interval: tuple[float, float] | None = None,
    same_task: bool = True,
) -> Change:
    return Change("keras", "test", metric, base, head, Interval(*interval) if interval else None, same_task)


def predictions(share_right: float, seed: int, rows: int = ROWS) -> pd.DataFrame:
    """Decided rows of the two classes, some of them wrong."""
    generator = np.random.default_rng(seed)
    label = np.arange(rows) % 2
    decided = np.where(generator.random(rows) < share_right, label, 1 - label)
    positive = np.where(decided == 1, 0.5 + generator.random(rows) / 2, generator.random(rows) / 2)
    table = pd.DataFrame({"id": [f"r:{n}" for n in range(rows)], "split": "test", "label": label.astype(str)})
    return evaluation.decide(table.assign(probability_0=1 - positive, probability_1=positive), 0.5)


# The interval of a change


@pytest.mark.parametrize(
    ("a", "m", "b", "n", "low", "high"),
    # Newcombe (1998), Stat. Med. 17:873-890, Table II, method 10
    [(56, 70, 48, 80, 0.0524, 0.3339), (9, 10, 3, 10, 0.1705, 0.8090), (0, 10, 0, 20, -0.1611, 0.2775)],
)
def test_mover_of_two_shares_gives_the_published_examples(
    a: int, m: int, b: int, n: int, low: float, high: float
) -> None:
    interval = changes.mover(a / m, b / n, statistics.wilson(a, m), statistics.wilson(b, n))
    assert tuple(round(end, 4) for end in interval) == (low, high)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 250), st.integers(0, 250))
def test_mover_of_two_accuracies_is_newcombes_interval(right: int, right_at_base: int) -> None:
    reference = pytest.importorskip("statsmodels.stats.proportion")
    n = 250
    expected = reference.confint_proportions_2indep(right, n, right_at_base, n, method="newcomb", compare="diff")
    of_head, of_base = statistics.wilson(right, n), statistics.wilson(right_at_base, n)
    assert changes.mover(right / n, right_at_base / n, of_head, of_base) == pytest.approx(expected, abs=1e-6)


def test_mover_keeps_its_difference_where_a_percentile_interval_leaves_its_value_out() -> None:
    low, high = changes.mover(0.9, 0.8, Interval(0.91, 0.95), Interval(0.7, 0.79))
    assert low <= 0.1 <= high


def test_the_interval_of_a_change_is_the_paired_one_where_there_is_one_and_else_movers() -> None:
    base, head = numbers("accuracy", 0.8), numbers("accuracy", 0.7)
    of_base, of_head = (
        numbers("accuracy", {"low": 0.75, "high": 0.85}),
        numbers("accuracy", {"low": 0.65, "high": 0.75}),
    )
    (unpaired,) = changes.changes(base, head, of_base, of_head)
    half = math.hypot(0.05, 0.05)
    assert unpaired.interval == pytest.approx((-0.1 - half, -0.1 + half), abs=1e-6)
    ours = {("keras", "test", "accuracy"): Interval(-0.12, -0.08)}
    (paired,) = changes.changes(base, head, of_base, of_head, ours)
    assert paired.interval == (-0.12, -0.08)


def test_numbers_of_another_task_have_neither_difference_nor_interval() -> None:
    ends = numbers("f1", {"low": 0.6, "high": 0.9})
    paired = {("keras", "test", "f1"): Interval(-0.2, -0.1)}
    (change,) = changes.changes(numbers("f1", 0.8), numbers("f1", 0.7), ends, ends, paired, same_task=False)
    assert (change.base, change.head, change.interval) == (0.8, 0.7, None)
    assert math.isnan(change.difference)
    assert math.isnan(change.drop)


def test_changes_stand_by_model_then_test_rows_then_the_metrics_that_matter() -> None:
    splits = {split: dict.fromkeys(("mcc", "zeal", "log_loss", "accuracy"), 0.5) for split in ("train", "test")}
    found = changes.changes({"b": splits, "a": splits}, {}, {}, {})
    metrics = ("accuracy", "log_loss", "mcc", "zeal")
    assert [(c.model, c.split, c.metric) for c in found] == [
        (model, split, metric) for model in ("a", "b") for split in ("test", "train") for metric in metrics
    ]


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (changed("accuracy", None, 0.8), "new"),
        (changed("accuracy", 0.8, None), "removed"),
        (changed("accuracy", 0.8, 0.8, (-0.1, 0.1)), "same"),
        (changed("accuracy", 0.8, 0.8000004), "same"),
        (changed("ece", 0.1, 0.2), "no interval"),
        (changed("accuracy", 0.8, 0.7, (-0.2, 0.01)), "inside the noise"),
        (changed("accuracy", 0.8, 0.7, (-0.2, 0.0)), "inside the noise"),
        (changed("accuracy", 0.8, 0.7, (-0.2, -0.01)), "worse"),
        (changed("accuracy", 0.7, 0.8, (0.01, 0.2)), "better"),
        (changed("log_loss", 0.7, 0.8, (0.01, 0.2)), "worse"),
        (changed("brier", 0.8, 0.7, (-0.2, -0.01)), "better"),
        (changed("f1", 0.8, 0.7, same_task=False), "another task"),
        (changed("f1", 0.8, 0.8, same_task=False), "another task"),
        (changed("f1", None, 0.8, same_task=False), "new"),
        (changed("f1", 0.8, None, same_task=False), "removed"),
    ],
)
def test_every_verdict(change: Change, verdict: str) -> None:
    assert change.verdict == verdict


# Predictions of both revisions


def test_a_paired_interval_of_accuracy_is_that_of_accuracy_difference() -> None:
    base, head = predictions(0.8, 1), predictions(0.7, 2)
    intervals, test = changes.paired(base, head, SETTINGS, stratified=True)
    right = [(rows["label"] == rows["decided"]).to_numpy() for rows in (head, base)]
    y = evaluation.arrays(head)[0]
    expected = statistics.accuracy_difference(y, right[0], right[1], SETTINGS.seed, SETTINGS.resamples)
    assert intervals["accuracy"] == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert test == statistics.mcnemar(*right)
    assert "ece" not in intervals
    assert {"log_loss", "roc_auc", "f1", "brier", "mcc"} <= set(intervals)


def test_rows_are_paired_by_id_whatever_their_order() -> None:
    base, head = predictions(0.8, 1), predictions(0.7, 2)
    shuffled = base.sample(frac=1, random_state=0)
    assert changes.same_rows(shuffled, head)
    assert changes.paired(shuffled, head, SETTINGS, stratified=True) == changes.paired(
        base, head, SETTINGS, stratified=True
    )


def test_predictions_that_are_the_same_have_no_noise() -> None:
    rows = predictions(0.8, 1)
    intervals, test = changes.paired(rows, rows, SETTINGS, stratified=True)
    assert set(intervals.values()) == {(0, 0)}
    assert (test.only_a, test.only_b, test.p) == (0, 0, 1)


@pytest.mark.parametrize("other", [{"id": "x"}, {"label": "0"}])
def test_rows_with_other_ids_or_labels_are_other_rows(other: dict[str, str]) -> None:
    assert not changes.same_rows(predictions(0.8, 1), predictions(0.8, 1).assign(**other))


def test_predictions_that_do_not_give_the_recorded_metrics_are_not_paired() -> None:
    base, head = predictions(0.8, 1), predictions(0.7, 2)
    measured = evaluation.metrics(base)["accuracy"], evaluation.metrics(head)["accuracy"]
    right = changes.pair_up([changed("accuracy", *measured)], {"keras": base}, {"keras": head}, SETTINGS, True)
    assert [(pair.model, pair.split, pair.rows) for pair in right.pairs] == [("keras", "test", ROWS)]
    wrong = changes.pair_up([changed("accuracy", 0.1, measured[1])], {"keras": base}, {"keras": head}, SETTINGS, True)
    assert (wrong.pairs, wrong.intervals, wrong.same) == ([], {}, [True])


def test_predictions_of_other_rows_are_not_paired_and_said_to_be_others() -> None:
    base, head = predictions(0.8, 1), predictions(0.7, 2).assign(id="x")
    found = changes.pair_up([changed("accuracy", 0.8, 0.7)], {"keras": base}, {"keras": head}, SETTINGS, True)
    assert (found.pairs, found.same) == ([], [False])


# The gate


def gate(rule: str, metric: str, limit: float, split: str = "test") -> Gate:
    bounds: dict[str, Any] = {"minimum": {}, "maximum_drop": {}, rule: {"keras": {split: {metric: limit}}}}
    return Gate.model_validate(bounds)


@pytest.mark.parametrize(
    ("rule", "limit", "change", "reason"),
    [
        ("minimum", 0.75, changed("accuracy", 0.8, 0.75), ""),
        ("minimum", 0.75, changed("accuracy", None, 0.8), ""),
        ("minimum", 0.75, changed("accuracy", 0.8, 0.7), "keras.test.accuracy is 0.700, less than 0.75"),
        ("minimum", 0.5, changed("log_loss", 0.4, 0.5), ""),
        ("minimum", 0.5, changed("log_loss", 0.4, 0.6), "keras.test.log_loss is 0.600, more than 0.5"),
        ("minimum", 0.1, changed("ece", None, 0.2), "keras.test.ece is 0.200, more than 0.1"),
        ("maximum_drop", 0.0, changed("accuracy", None, 0.1), ""),
        ("maximum_drop", 0.0, changed("accuracy", 0.7, 0.8, (0.05, 0.15)), ""),
        ("maximum_drop", 0.0, changed("accuracy", 0.8, 0.7, (-0.21, 0.01)), ""),
        ("maximum_drop", 0.1, changed("accuracy", 0.8, 0.7, (-0.15, -0.05)), ""),  # 0.1 is not more than 0.1
        ("maximum_drop", 0.05, changed("log_loss", 0.8, 0.7, (-0.15, -0.05)), ""),
        (
            "maximum_drop",
            0.0,
            changed("accuracy", 0.8, 0.748, (-0.091, -0.013)),
            "keras.test.accuracy fell by 0.052 (0.013 to 0.091), more than 0.0",
        ),
        (
            "maximum_drop",
            0.05,
            changed("log_loss", 0.4, 0.6, (0.1, 0.3)),
            "keras.test.log_loss rose by 0.200 (0.100 to 0.300), more than 0.05",
        ),
        ("maximum_drop", 0.05, changed("ece", 0.1, 0.2), "keras.test.ece rose by 0.100, more than 0.05"),
        ("maximum_drop", 0.05, changed("ece", 0.1, 0.14), ""),
        ("maximum_drop", 0.0, changed("f1", 0.8, 0.3, same_task=False), ""),
        ("minimum", 0.5, changed("f1", 0.8, 0.3, same_task=False), "keras.test.f1 is 0.300, less than 0.5"),
    ],
)
def test_the_gate_fails_what_breaks_a_rule_and_nothing_else(
    rule: str, limit: float, change: Change, reason: str
) -> None:
    (check,) = changes.check_gate(gate(rule, change.metric, limit), [change])
    assert check.reason == reason


@pytest.mark.parametrize("known", [[], [changed("accuracy", 0.8, None)]])
def test_a_gate_that_names_a_metric_which_is_not_there_is_an_error(known: list[Change]) -> None:
    with pytest.raises(UserError) as error:
        changes.check_gate(gate("maximum_drop", "accuracy", 0.0), known)
    assert error.value.lines == (
        "params.yaml: gate.maximum_drop must name a metric of the run; got keras.test.accuracy",
    )


# Params and stages


def test_differences_are_by_key_with_values_as_json() -> None:
    base = {"train": {"keras": {"epochs": 100, "units": [10]}, "seed": 0}, "gone": {}}
    head = {"train": {"keras": {"epochs": 2, "units": [10]}, "seed": 0}, "new": None, "text": "ü"}
    assert changes.differences(base, head) == [
        Difference("train.keras.epochs", "100", "2"),
        Difference("gone", "{}", None),
        Difference("new", None, "null"),
        Difference("text", None, '"ü"'),
    ]


def test_1_and_1_0_and_true_are_different_values() -> None:
    assert len(changes.differences({"a": 1, "b": 1}, {"a": 1.0, "b": True})) == 2


PARAMS = {"fetch": {"corpus": "yelp"}, "data": {"path": "data/raw", "label": "label"}, "train": {"C": 1}}
CLASSES = {"test": {"classes": {"0": 120, "1": 130}}}


@pytest.mark.parametrize(
    ("params_here", "splits_here", "found"),
    [
        (PARAMS, CLASSES, []),
        ({**PARAMS, "train": {"C": 2}}, {"test": {"classes": {"1": 9, "0": 1}}}, []),
        ({**PARAMS, "fetch": {"corpus": ["imdb"]}}, CLASSES, ["fetch.corpus"]),
        (
            {**PARAMS, "data": {"path": "data/raw", "label": "source", "id": None}},
            {"test": {"classes": {"imdb": 120, "yelp": 130}}},
            ["data.label", "data.id", "test.classes"],
        ),
        (PARAMS, {"test": {"classes": {"0": 1, "1": 2, "2": 3}}}, ["test.classes"]),
        ({"train": {"C": 1}}, {}, []),  # of another time, that had neither
        ({"fetch": None, "data": []}, {"test": 1}, []),
    ],
)
def test_another_task_is_told_by_params_of_the_rows_and_by_the_classes(
    params_here: dict[str, Any], splits_here: dict[str, Any], found: list[str]
) -> None:
    assert changes.task_differences((PARAMS, params_here), (CLASSES, splits_here)) == found


def record(dep: str = "1", out: str = "1", **more: Any) -> dict[str, Any]:
    return {
        "cmd": "run",
        "deps": [{"path": "code.py", "md5": dep}],
        "params": {"params.yaml": {"train.keras": {"epochs": 1}}},
        "outs": [{"path": "out", "md5": out}],
        **more,
    }


def test_a_stage_is_told_by_what_of_it_differs() -> None:
    other = {"params.yaml": {"train.keras": {"epochs": 2}}}
    base = {"stages": {"same": record(), "code": record(), "params": record(), "gone": record()}}
    head = {
        "stages": {
            "same": record(),
            "code": record(dep="2", out="2"),
            "params": record(params=other, cmd="go"),
            "new": record(),
        }
    }
    assert changes.stages(base, head) == [
        Stage("code", ["code.py"], ["out"]),
        Stage("params", ["train.keras.epochs", "its command"], []),
        Stage("gone", ["it is gone"], ["out"]),
        Stage("new", ["it is new"], ["out"]),
    ]
    assert changes.stages({}, {}) == []
