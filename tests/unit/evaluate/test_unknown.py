"""Texts of no class: thresholds that held-out rows choose, and what they find on test rows."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score

from tests.refusal import refusal
from tests.unit.evaluate.samples import drawn, exact, known, params
from tests.unit.evaluate.samples import run_measured as measure
from textclf.artifacts.decisions import Decision, Rejection, Temperature
from textclf.artifacts.predictions import Predictions, concatenate
from textclf.core.result_files import check, to_json
from textclf.evaluate.intervals import area_score, wilson
from textclf.evaluate.measure import HeldOut
from textclf.evaluate.results import KINDS
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.unknown import candidates, describe_few, judge, measure_unknown, read_splits

WARM = Decision(None, Temperature(1.5))
LABEL = "oos"


def of_no_class(seed: int, rows: int, split: str) -> Predictions:
    """Return rows of no class, with probabilities that are more alike than those of others."""
    made = drawn(seed, rows, split=f"{split}_unknown")
    flat = 0.4 * made.probabilities + 0.2
    return replace(made, y=np.full(rows, -1), probabilities=flat)


def run(seed: int = 0, validation: int = 30) -> Predictions:
    parts = [
        drawn(seed + n, 90, split=split) for n, split in enumerate(("train", "validation", "test"))
    ]
    parts += [of_no_class(seed + 3, validation, "validation")] if validation else []
    parts += [of_no_class(seed + 4, 40, "test")]
    rows = concatenate(parts)
    noise = np.random.default_rng(seed).normal(size=len(rows))
    return replace(rows, scores={"energy": rows.probabilities.max(axis=1) + noise / 10})


def measured(
    rows: Predictions,
    settings: Evaluate | None = None,
    decision: Decision = WARM,
    label: str = LABEL,
    **held_out: Any,
) -> tuple[Decision, dict[str, Any]]:
    """Return the decision and the report of one model; every row is a cluster of its own."""
    keys = {
        split: np.arange(count, dtype=np.uint64)
        for split in ("validation", "test")
        if (count := int(sum(str(each).startswith(split) for each in rows.split)))
    }
    held = HeldOut(held_out)
    decided, report, curves = measure_unknown(
        {"a": [rows]}, {"a": decision}, held, label, keys, settings or params()
    )
    content = to_json(report)
    assert to_json(check(KINDS["unknown"], content, "unknown.json")) == content
    assert (curves["a"]["accuracy"].diff().dropna() <= 0).all()
    assert (curves["a"]["recall"].diff().dropna() >= 0).all()
    return decided["a"], content["a"]


def test_a_row_at_the_threshold_is_not_rejected() -> None:
    rows = drawn(0, 90)
    highest = rows.probabilities.max(axis=1)
    judged = judge(
        rows, Decision(None, rejection=Rejection("probability", float(np.sort(highest)[44]))), LABEL
    )
    assert judged.rejected.sum() == 44


@pytest.mark.parametrize("score", ["probability", "energy"])
def test_the_numbers_are_those_of_scikit_learn_and_the_intervals_are_wilsons(score: str) -> None:
    rows = run()
    decision, report = measured(rows, params(unknown_score=score))
    test = read_splits([rows])["test"]
    calibrated = WARM.calibrate(test.probabilities)
    values = calibrated.max(axis=1) if score == "probability" else test.scores["energy"]
    rejected, unknown = values < known(decision.rejection).threshold, test.y < 0
    decided = np.where(rejected, -1, calibrated.argmax(axis=1))
    cells = report["test"]
    assert cells["accuracy"]["value"] == pytest.approx(
        accuracy_score(test.y[~unknown], decided[~unknown]), abs=1e-6
    )
    assert cells["recall"]["value"] == pytest.approx(recall_score(unknown, rejected), abs=1e-6)
    assert cells["precision"]["value"] == pytest.approx(
        precision_score(unknown, rejected), abs=1e-6
    )
    area = roc_auc_score(unknown, -values)
    cell, ends = cells["scores"][score]["roc_auc"], area_score(area, 40, 90)
    assert cell["value"] == pytest.approx(area, abs=1e-6)
    assert (cell["low"], cell["high"]) == pytest.approx((ends.low, ends.high), abs=0.02)
    detected = int((unknown & rejected).sum())
    ends = wilson(detected, 40)
    assert cells["recall"] == pytest.approx(
        {"value": detected / 40, "low": ends.low, "high": ends.high, "rows": 40}, abs=1e-6
    )


def test_the_threshold_has_the_best_mean_of_accuracy_and_recall_of_the_validation_rows() -> None:
    rows = run()
    decision, _ = measured(rows)
    chooser = judge(
        rows.take(np.char.startswith(rows.split.astype(str), "validation")), WARM, LABEL
    )
    scores = chooser.scores["probability"]

    def mean(threshold: float) -> float:
        kept = (chooser.right & (scores >= threshold)).sum() / chooser.known.sum()
        return float(kept + (scores[~chooser.known] < threshold).mean())

    assert mean(known(decision.rejection).threshold) == pytest.approx(
        max(map(mean, [0.0, *scores, *(scores + 1e-5)]))
    )


@pytest.mark.parametrize("keep", [0.8, 0.95])
def test_without_validation_rows_of_no_class_the_threshold_keeps_the_accuracy(keep: float) -> None:
    rows = run(validation=0)
    decision, report = measured(rows, params(unknown_keep=keep))
    validation = judge(rows.take(rows.split == "validation"), WARM, LABEL)
    accuracy = validation.right.mean()
    for threshold, kept in (
        (known(decision.rejection).threshold, True),
        (known(decision.rejection).threshold + 0.02, False),
    ):
        assert (
            (validation.right & (validation.scores["probability"] >= threshold)).mean()
            >= keep * accuracy
        ) == kept
    assert (
        report["test"]["scores"]["probability"]["threshold"] == known(decision.rejection).threshold
    )
    assert list(report) == ["test"]


@pytest.mark.parametrize(
    ("rows_of_no_class", "copies", "few"), [(4, 1, True), (5, 1, False), (8, 2, True)]
)
def test_too_few_validation_rows_of_no_class_choose_no_threshold(
    rows_of_no_class: int, copies: int, few: bool
) -> None:
    rows = run(validation=rows_of_no_class)
    keys = {
        "validation": np.append(np.arange(90), 90 + np.arange(rows_of_no_class) // copies),
        "test": np.arange(130),
    }
    keys["validation"][:60] //= copies
    of_each = {split: each.astype(np.uint64) for split, each in keys.items()}
    decisions, report, _ = measure_unknown(
        {"a": [rows]}, {"a": WARM}, HeldOut(), LABEL, of_each, params()
    )
    kept = report["a"]["validation"].scores["probability"].threshold
    chosen = judge(read_splits([rows])["validation"], WARM, LABEL).choose("probability")
    assert kept != chosen
    assert decisions["a"].rejection == Rejection("probability", kept if few else chosen)


@pytest.mark.parametrize(
    ("rows", "effect"),
    [
        (0, None),
        (4, "keep evaluate.unknown_keep of the accuracy on the rows that choose;"),
        (29, "are uncertain"),
        (30, None),
    ],
)
def test_few_validation_rows_of_no_class_are_warned_of(rows: int, effect: str | None) -> None:
    lines = list(describe_few(np.repeat(np.arange(rows, dtype=np.uint64), 3)))
    assert len(lines) == (effect is not None)
    start = f"only {rows} independent validation rows of no class: "
    assert all(start in line and str(effect) in line for line in lines)


@pytest.mark.parametrize("score", [np.nextafter(0.81, 0), 0.81, np.nextafter(0.81, 1), -3.0, 1e-9])
def test_the_lowest_threshold_rejects_no_row(score: float) -> None:
    assert candidates(np.array([score]))[0] <= score
    assert candidates(np.array([score]))[0] >= score - 1.1e-6


def test_other_test_rows_move_no_threshold() -> None:
    rows = run()
    tests = np.char.startswith(rows.split.astype(str), "test")
    other = run(seed=100)
    swapped = concatenate(
        [rows.take(~tests), other.take(np.char.startswith(other.split.astype(str), "test"))]
    )
    (before, report), (after, changed) = measured(rows), measured(swapped)
    assert before == after
    assert report["test"] != changed["test"]
    thresholds = [
        {name: each["threshold"] for name, each in of["test"]["scores"].items()}
        for of in (report, changed)
    ]
    assert thresholds[0] == thresholds[1]


def test_held_out_training_rows_take_the_place_of_validation_rows() -> None:
    rows = run()
    rows = rows.take(~np.char.startswith(rows.split.astype(str), "validation"))
    held_out = replace(drawn(7, 60, split="fold 1"), scores={"energy": np.arange(60.0)})
    decision, _ = measured(rows, a=held_out)
    threshold = judge(held_out, WARM, LABEL).choose("probability", 0.95)
    assert decision.rejection == Rejection("probability", threshold)
    assert "must have validation rows, or held-out training rows of a, to choose" in refusal(
        measured, rows
    )


def test_a_class_of_such_texts_is_decided_as_any_other_and_its_probability_is_the_score() -> None:
    rows = concatenate(
        [drawn(n, 90, split=split) for n, split in enumerate(("train", "validation", "test"))]
    )
    decision, report = measured(rows, label="c1")
    assert decision.rejection is None
    test = rows.take(rows.split == "test")
    calibrated = WARM.calibrate(test.probabilities)
    decided, unknown = calibrated.argmax(axis=1), test.y == 1
    cells = report["test"]
    assert cells["recall"]["value"] == pytest.approx(recall_score(unknown, decided == 1), abs=1e-6)
    assert cells["precision"]["value"] == pytest.approx(
        precision_score(unknown, decided == 1), abs=1e-6
    )
    assert cells["accuracy"]["value"] == pytest.approx(
        accuracy_score(test.y[~unknown], decided[~unknown]), abs=1e-6
    )
    area = roc_auc_score(unknown, calibrated[:, 1])
    assert cells["scores"]["probability"]["roc_auc"]["value"] == pytest.approx(area, abs=1e-6)


def test_dependent_rows_widen_the_intervals() -> None:
    rows = run()
    keys = {split: np.arange(130, dtype=np.uint64) // 4 for split in ("test",)}
    settings = params()
    _, clustered, _ = measure_unknown({"a": [rows]}, {"a": WARM}, HeldOut(), LABEL, keys, settings)
    _, alone = measured(rows)
    for value in ("accuracy", "recall"):
        wide, narrow = to_json(clustered)["a"]["test"][value], alone["test"][value]
        assert wide["value"] == narrow["value"]
        assert wide["high"] - wide["low"] > narrow["high"] - narrow["low"]


def test_the_area_counts_dependent_rows_as_what_they_are_worth() -> None:
    rows = run()
    tests = rows.take(np.flatnonzero(np.char.startswith(rows.split.astype(str), "test")))
    four, keys = tests.take(np.repeat(np.arange(130), 4)), np.arange(130)
    widths = []
    for made, of in (
        (tests, keys),
        (tests, keys // 4),
        (four, np.repeat(keys, 4)),
        (four, np.arange(520)),
    ):
        validated = concatenate([rows.take(rows.split == "validation"), made])
        _, report, _ = measure_unknown(
            {"a": [validated]},
            {"a": WARM},
            HeldOut(),
            LABEL,
            {"test": of.astype(np.uint64)},
            params(),
        )
        ends = known(report["a"]["test"].scores["probability"].roc_auc.ends)
        widths.append(ends.high - ends.low)
    alone, unrelated, repeated, taken_as_independent = widths
    assert unrelated == pytest.approx(alone, rel=0.3)  # of clusters whose rows are independent
    assert repeated == pytest.approx(alone, rel=0.05)
    assert taken_as_independent == pytest.approx(alone / 2, rel=0.1)


def test_a_model_without_predictions_for_such_rows_is_not_measured() -> None:
    rows = run()
    absent = np.where((rows.y < 0)[:, None], np.nan, rows.probabilities)
    keys = {"test": np.arange(130, dtype=np.uint64)}
    _, report, curves = measure_unknown(
        {"a": [replace(rows, probabilities=absent)]}, {"a": WARM}, HeldOut(), LABEL, keys, params()
    )
    assert (report, curves) == ({}, {})


def test_the_other_metrics_do_not_see_such_rows() -> None:
    rows = run()
    of_classes = rows.take(rows.y >= 0)
    reports = [
        {
            name: part.metrics("a")
            for name, part in measure({"a": [each]}, params(), False)[0].items()
        }
        for each in (rows, of_classes)
    ]
    assert reports[0] == reports[1]


@pytest.mark.parametrize("costs", [None, ((0.0, 5.0, 2.0), (1.0, 0.0, 2.0), (3.0, 1.0, 0.0))])
def test_a_rejected_row_of_a_class_is_a_mistake_in_every_metric(costs: Any) -> None:
    rows = drawn(1)
    confidence = rows.probabilities.max(axis=1)
    limit = float(np.median(confidence))
    decision = Decision(costs=costs, rejection=Rejection("probability", limit))
    part = exact({"a": rows}, decision)
    kept = confidence >= limit
    answers = np.where(kept, decision.decide(rows.probabilities), -1)
    assert part.judged["a"].decided.tolist() == answers.tolist()
    assert part.metrics("a")["accuracy"] == round(accuracy_score(rows.y, answers), 6)
    assert part.metrics("a")["f1"] == round(
        f1_score(rows.y, answers, average="macro", labels=[0, 1, 2]), 6
    )
    assert part.before_rejection("a").wrong.sum() < part.judged["a"].wrong.sum()
    if costs is not None:
        of_row = np.where(kept, np.array(costs)[rows.y, answers], 1)
        assert part.metrics("a")["cost"] == round(of_row.mean(), 6)


def test_a_model_that_ignores_the_text_rejects_none() -> None:
    rows = run()
    constant = replace(rows, probabilities=np.tile([0.4, 0.35, 0.25], (len(rows), 1)))
    tests = constant.take(~np.char.startswith(rows.split.astype(str), "validation"))
    folds = replace(drawn(7, 60, split="fold 1"), scores={"energy": np.arange(60.0)})
    by_fold = np.where(np.arange(60)[:, None] < 30, [0.41, 0.34, 0.25], [0.42, 0.33, 0.25])
    cases: list[tuple[Predictions, dict[str, Any]]] = [
        (constant, {}),
        (tests, {"a": replace(folds, probabilities=by_fold)}),
    ]
    for made, held_out in cases:
        _, report = measured(made, decision=Decision(baseline=1), **held_out)
        cells = report["test"]
        assert (cells["recall"]["value"], cells["precision"]) == (0, None)
        assert cells["scores"]["probability"]["recall"]["value"] == 0


def test_no_answer_by_costs_is_wrong_within_the_classes_and_no_rejection() -> None:
    rows = run()
    costs = tuple((*(float(actual != decided) for decided in range(3)), 0.2) for actual in range(3))
    decision = Decision(costs=costs)
    judged = judge(rows, decision, LABEL)
    assert (decision.decide(rows.probabilities) < 0).any()
    assert not judged.right[rows.y < 0].any()
    assert judged.right.sum() == (decision.decide(rows.probabilities) == rows.y)[rows.y >= 0].sum()
