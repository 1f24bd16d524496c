"""A whole run measured from predictions."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

from tests import stored_splits
from tests.refusal import refusal
from tests.unit.evaluate.samples import (
    drawn,
    known,
    overconfident,
    params,
    predictions,
    sample_sets,
    sets,
    three_splits,
)
from tests.unit.evaluate.samples import run_measured as measure
from tests.verify import ROOT
from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import Predictions, concatenate
from textclf.core.arrow import fingerprints
from textclf.core.errors import UserError
from textclf.core.files import SPLITS
from textclf.core.result_files import check, to_json
from textclf.evaluate import measure as measuring
from textclf.evaluate.choose import choose_decision
from textclf.evaluate.coverage import fit_sets
from textclf.evaluate.measure import HeldOut, compare_with_guessing, read_together, summarise
from textclf.evaluate.registry import compute
from textclf.evaluate.results import Decisions
from textclf.evaluate.split_clusters import find_held_out_clusters, positions, read_keys
from textclf.evaluate.split_metrics import SplitMetrics


def two_models(classes: int = 2, rows: int = 900) -> dict[str, Predictions]:
    """Return two models' predictions for the same rows of three splits, half of them of train."""
    parts = ("train", rows // 2), ("validation", rows // 4), ("test", rows // 4)
    first = concatenate([drawn(n, count, classes, split) for n, (split, count) in enumerate(parts)])
    shifted = first.probabilities + 0.05
    return {
        "a": first,
        "b": replace(first, probabilities=shifted / shifted.sum(axis=1, keepdims=True)),
    }


def batches(rows: Predictions, size: int = 100) -> list[Predictions]:
    return [rows.take(slice(start, start + size)) for start in range(0, len(rows), size)]


def test_each_split_is_measured_with_the_decisions_of_the_models() -> None:
    models = {"a": three_splits(), "b": three_splits(10)}
    models["b"] = replace(models["a"], probabilities=models["b"].probabilities)
    splits, decisions = measure(
        {name: [rows] for name, rows in models.items()}, params(threshold="f1"), False
    )
    assert list(splits) == ["train", "validation", "test"]
    assert decisions["a"] != decisions["b"]
    for split, part in splits.items():
        for name, rows in models.items():
            of_split = rows.take(rows.split == split)
            decided = decisions[name].decide(of_split.probabilities)
            assert part.metrics(name) == compute(of_split.y, of_split.probabilities, decided)


def test_models_of_different_rows_are_an_error() -> None:
    models = two_models()
    a, b = models["a"], models["b"]
    for name in ("ids", "split", "y"):
        changed = replace(b, **{name: getattr(b, name)[::-1]})
        assert "those of b and a differ; run dvc repro" in refusal(
            measure, {"a": [a], "b": [changed]}, params(), False
        )
    assert "one model has more batches than another" in refusal(
        measure, {"a": [a], "b": [b, b]}, params(), False
    )


def test_batches_are_divided_by_split() -> None:
    rows = two_models(rows=40)["a"]
    parts = list(read_together({"a": batches(rows, 15)}))
    assert [(split, len(part["a"])) for split, part in parts] == [
        *(("train", 15), ("train", 5), ("validation", 10), ("test", 10))
    ]
    assert np.array_equal(np.concatenate([part["a"].ids for _, part in parts]), rows.ids)


def test_a_model_without_predictions_of_a_split_is_measured_on_the_others() -> None:
    rows = concatenate([drawn(1, classes=3, split=split) for split in ("train", "test")])
    probabilities = rows.probabilities.copy()
    probabilities[rows.split == "train"] = np.nan
    partial = replace(rows, probabilities=probabilities)
    splits, decisions = measure({"a": [rows], "b": [partial]}, params(), False)
    assert list(splits["train"].decisions) == ["a"]
    assert splits["test"].metrics("a") == splits["test"].metrics("b")
    assert set(splits["test"].comparisons()) == {"b_vs_a"}
    assert splits["train"].comparisons() == {}
    assert set(decisions) == {"a", "b"}


# The report of the decisions


def decisions_report(*arguments: Any) -> dict[str, Any]:
    content: dict[str, Any] = to_json(measuring.decisions_report(*arguments))
    return content


def test_the_decisions_report_has_what_was_chosen_and_the_best_model() -> None:
    rows = concatenate([overconfident(number, 400, split) for number, split in enumerate(SPLITS)])
    splits, decisions = measure({"a": [rows]}, params(calibration="temperature"), False)
    measured = {"a": {split: part.metrics("a") for split, part in splits.items()}}
    report = decisions_report(splits, decisions, measured, HeldOut(), ["a"])
    assert Decision.from_json(report["a"]) == decisions["a"]
    chosen = {"threshold", "temperature"}
    beside = {"calibrated", "ece_if_calibrated", "guessing", "uncalibrated", "validation_mistakes"}
    assert set(report["a"]) == chosen | beside
    validation, test = (rows.take(rows.split == split) for split in SPLITS[1:])
    before = compute(validation.y, validation.probabilities, validation.y)["log_loss"]
    after = measured["a"]["validation"]["log_loss"]
    assert report["a"]["calibrated"] == {"rows": 400, "before": before, "after": after}
    assert before > after
    assert (
        report["a"]["validation_mistakes"]
        == (validation.probabilities.argmax(axis=1) != validation.y).sum()
        > 0
    )
    assert report["a"]["ece_if_calibrated"] == {
        name: part.ece_if_calibrated("a") for name, part in splits.items()
    }
    raw = compute(test.y, test.probabilities, test.probabilities.argmax(axis=1))
    assert report["a"]["uncalibrated"]["test"] == {name: raw[name] for name in ("brier", "ece")}
    assert report["best"] == measured["a"]
    assert report["protocol"] == {"test_rows_watched": 0, "validation_rows": 400}
    assert report["crossvalidation"] == {}


def test_without_validation_rows_held_out_training_rows_choose() -> None:
    tested = [overconfident(1, split="train"), overconfident(1)]
    rows, settings = overconfident(2), params(calibration="temperature", threshold="f1")
    held_out = HeldOut({"a": rows})
    splits, decisions = measure({"a": tested}, settings, False, held_out=held_out)
    assert decisions["a"] == choose_decision(rows, settings) != choose_decision(tested[0], settings)
    measured = {"a": {"test": splits["test"].metrics("a")}}
    watched, report = (
        decisions_report(splits, decisions, measured, held_out, names) for names in (["a"], [])
    )
    assert report["protocol"] == {
        "held_out_rows": len(rows),
        "test_rows_watched": 0,
        "validation_rows": 0,
    }
    assert watched["protocol"] == {**report["protocol"], "test_rows_watched": 1}
    assert report["best"] == measured["a"]
    assert (
        report["a"]["validation_mistakes"]
        == (rows.probabilities.argmax(axis=1) != rows.y).sum()
        > 0
    )
    calibrated = decisions["a"].calibrate(rows.probabilities)
    metrics = compute(rows.y, calibrated, decisions["a"].decide(calibrated))
    scores = {name: metrics[name] for name in ("accuracy", "log_loss")}
    assert report["crossvalidation"] == {"a": {"rows": len(rows), "folds": 1, **scores}}
    assert "choice" not in report  # of one model


def test_predictions_made_elsewhere_stay_as_they_are_without_rows_to_calibrate_them() -> None:
    rows, tested = overconfident(2), [overconfident(1)]
    settings = params(calibration="temperature", external={"rules": "rules.csv"})
    models, held_out = {"a": tested, "rules": tested}, HeldOut({"a": rows})
    _, decisions = measure(models, settings, False, held_out=held_out)
    assert decisions["a"].calibration
    assert decisions["rules"] == Decision(0.5)
    line = refusal(lambda: measure(models | {"b": tested}, settings, False, held_out=held_out))
    assert line.endswith("got none of b: set split.validation_size")


def test_clusters_of_held_out_rows_choose_as_one_row_each() -> None:
    tested, once = [overconfident(1, split="train"), overconfident(1)], overconfident(2)
    keys = np.repeat(np.arange(len(once)), 4)
    four = HeldOut({"a": once.take(keys)}, keys)
    settings = params(calibration="platt")
    (_, alone), (_, dependent), (_, independent) = (
        measure({"a": tested}, settings, False, held_out=rows)
        for rows in (HeldOut({"a": once}), four, replace(four, clusters=None))
    )
    assert dependent == alone != independent


def test_models_without_rows_that_choose_are_named() -> None:
    models = {name: [overconfident(1, split="train"), overconfident(1)] for name in ("a", "b")}
    with pytest.raises(UserError, match=r"to choose by; got none of b: set split\.validation_size"):
        measure(models, params(threshold="f1"), False, held_out=HeldOut({"a": overconfident(2)}))


def test_without_rows_that_choose_the_rarest_label_is_named() -> None:
    parts = [
        sets(np.array([[0, 1], [1, 1], [0, 1]]), np.full((3, 2), 0.5), split)
        for split in ("train", "test")
    ]
    end = "set split.validation_size, or leave out 'l0', a label of only 1 training row"
    assert refusal(measure, {"a": parts}, params(threshold="f1"), False).endswith(
        f"got none of a: {end}"
    )


@pytest.mark.parametrize("validated", [True, False])
def test_the_choice_compares_the_models_trained_here_on_the_rows_that_choose(
    validated: bool,
) -> None:
    models = {
        name: [each.take(each.split == split) for split in ("train", "validation", "test")]
        for name, each in two_models().items()
    }
    models["c"] = list(models["a"])
    held_out = (
        HeldOut({name: parts.pop(1) for name, parts in models.items()})
        if not validated
        else HeldOut()
    )
    splits, decisions = measure(models, params(), False, held_out=held_out)
    measured = {name: {"test": splits["test"].metrics(name)} for name in ("b", "a")}
    report = decisions_report(splits, decisions, measured, held_out, [])
    assert report["choice"]["models"].keys() == measured.keys()
    rows = two_models() if validated else held_out.models
    of_choosing = {name: each.take(each.split == "validation") for name, each in rows.items()}
    right = {
        name: np.mean(each.probabilities.argmax(axis=1) == each.y)
        for name, each in of_choosing.items()
    }
    gaps = {
        name: entry["accuracy_difference"] for name, entry in report["choice"]["models"].items()
    }
    assert gaps == {
        name: pytest.approx(right[name] - max(right.values()), abs=1e-6) for name in gaps
    }
    assert 0 < report["choice"]["accuracy"] < 1


def test_clusters_of_held_out_rows_are_those_of_their_ids(tmp_path: Path) -> None:
    rows, keys = drawn(1, 90, split="train"), np.arange(90, dtype=np.uint64) // 3
    texts = pd.DataFrame(
        {"id": rows.ids, "text": "?", "label": [rows.classes[y] for y in rows.y], "cluster": keys}
    )
    stored_splits.write(texts, tmp_path / "train.parquet")
    shuffled = np.random.default_rng(0).permutation(90)[:40]
    places = known(find_held_out_clusters(tmp_path, rows.ids[shuffled]))
    same = keys[shuffled]
    assert ((places[:, None] == places) == (same[:, None] == same)).all()


def test_guessing_predicts_the_training_class_shares_and_models_are_paired_with_it() -> None:
    models = two_models(3)
    splits, decisions = measure({name: [rows] for name, rows in models.items()}, params(), False)
    measured = {name: {"test": splits["test"].metrics(name)} for name in models}
    report = decisions_report(splits, decisions, measured, HeldOut(), [])
    train, test = (models["a"].take(models["a"].split == split) for split in ("train", "test"))
    shares = np.tile(np.bincount(train.y) / len(train), (len(test), 1))
    guessed = compute(test.y, shares, shares.argmax(axis=1))
    assert report["guessing"] == {name: guessed[name] for name in ("accuracy", "f1", "log_loss")}
    for name, rows in models.items():
        own = rows.probabilities[rows.split == "test"]
        differences = np.log(shares[np.arange(len(test)), test.y])
        differences -= np.log(own[np.arange(len(test)), test.y])
        paired = stats.ttest_1samp(differences, 0).confidence_interval()
        expected = {"difference": differences.mean(), "low": paired.low, "high": paired.high}
        assert report[name]["guessing"] == pytest.approx(expected, abs=1e-6)


def test_a_model_is_not_compared_with_guessing_by_too_few_rows_or_if_it_guesses_itself() -> None:
    few = {"a": [concatenate([drawn(0, 90, split="train"), drawn(1, 20)])]}
    assert compare_with_guessing(*_ends(few))[1] == {"a": None}
    rows = concatenate([drawn(0, 90, split="train"), drawn(1, 90)])
    shares = np.bincount(rows.y[:90]) / 90
    same = replace(rows, probabilities=np.tile(shares, (180, 1)))
    guessed, compared = compare_with_guessing(*_ends({"a": [same]}))
    assert compared == {"a": None}
    assert (
        round(guessed["log_loss"], 6)
        == compute(rows.y[90:], same.probabilities[90:], np.zeros(90, np.int64))["log_loss"]
    )


@pytest.mark.parametrize("threshold", ["f1", "precision", "accuracy", 0.01])
def test_a_baseline_is_decided_by_the_training_rows(threshold: str | float) -> None:
    # Its probabilities differ by fold, by which a threshold could be chosen.
    y = (np.arange(300) % 20 == 0).astype(int)
    parts = [predictions(y, np.full(300, 0.05 + n / 1e6), split) for n, split in enumerate(SPLITS)]
    models = {"floor": [concatenate(parts)]}
    settings = params(threshold=threshold, calibration="platt", target_precision=0.9)
    splits, decisions = measure(models, settings, False, baselines=["floor"])
    assert decisions["floor"].baseline
    assert splits["test"].metrics("floor")["accuracy"] == 0.95
    report = decisions_report(
        splits, decisions, {"floor": {"test": splits["test"].metrics("floor")}}, HeldOut(), []
    )
    assert report["guessing"]["accuracy"] == 0.95
    assert (report["floor"]["baseline"], "calibrated" in report["floor"]) == (1, False)


def test_dependent_rows_are_compared_with_guessing_as_what_they_are_worth() -> None:
    rows = {"a": [concatenate([drawn(0, 90, split="train"), *[drawn(1, 90)] * 4])]}
    clusters = np.arange(360) % 90
    alone, dependent = (
        known(compare_with_guessing(*_ends(rows, of_splits))[1]["a"])
        for of_splits in (None, {"test": clusters})
    )
    assert dependent.high - dependent.low > 1.5 * (alone.high - alone.low)


def _ends(
    models: dict[str, list[Predictions]], clusters: dict[str, NDArray[np.int64]] | None = None
) -> tuple[SplitMetrics, SplitMetrics]:
    splits = measure(models, params(), False, clusters)[0]
    return splits["train"], splits["test"]


def test_guessing_of_several_labels_predicts_the_share_of_each() -> None:
    parts = [
        sets(*sample_sets(n, 80)[:2], split)
        for n, split in enumerate(("train", "validation", "test"))
    ]
    parts[1].y[:, 3] = np.arange(80) < 4
    settings = params(threshold="f1")
    splits, decisions = measure({"a": [concatenate(parts)]}, settings, False)
    measured = {"a": {split: part.metrics("a") for split, part in splits.items()}}
    report = decisions_report(splits, decisions, measured, HeldOut(), [])
    shares = np.tile(parts[0].y.mean(axis=0), (80, 1))
    sets_of_labels, counts = np.unique(parts[0].y, axis=0, return_counts=True)
    assert (counts == counts.max()).sum() == 1
    guessed = compute(parts[2].y, shares, np.tile(sets_of_labels[counts.argmax()], (80, 1)))
    assert report["guessing"] == {
        name: guessed[name] for name in ("accuracy", "f1", "log_loss", "micro_f1")
    }
    above = report["a"]["guessing"]["difference"]
    assert above == pytest.approx(
        measured["a"]["test"]["log_loss"] - report["guessing"]["log_loss"], abs=2e-6
    )
    assert report["a"]["labels_of_few_rows"] == 1
    assert report["a"]["thresholds"] == decisions["a"].thresholds
    assert report["best"] == measured["a"]
    assert to_json(check(Decisions, report, "decisions.json")) == report


def test_held_out_training_rows_choose_the_thresholds_of_labels() -> None:
    train, test = sets(*sample_sets(1, 200)[:2], "train"), sets(*sample_sets(2, 80)[:2])
    held_out = HeldOut({"a": replace(train, split=np.repeat(["1", "2"], 100))})
    splits, decisions = measure(
        {"a": [concatenate([train, test])]}, params(threshold="f1"), False, held_out=held_out
    )
    assert decisions["a"] == choose_decision(train, params(threshold="f1"))
    measured = {"a": {split: part.metrics("a") for split, part in splits.items()}}
    report = decisions_report(splits, decisions, measured, held_out, [])
    assert report["crossvalidation"]["a"]["folds"] == 2


# Rows that are not independent


def clusters_of(rows: Predictions, size: int) -> NDArray[np.int64]:
    return np.arange(len(rows)) // size


def test_clusters_change_the_intervals_of_their_split() -> None:
    models = two_models(3, rows=1800)
    test = models["a"].take(models["a"].split == "test")
    train = models["a"].take(models["a"].split == "train")
    clusters = {
        "test": np.maximum(clusters_of(test, 5) - 19, 0),
        "train": clusters_of(train, 5),
    }  # 20 of test are one
    free, bound = (
        measure({name: batches(rows) for name, rows in models.items()}, params(), False, given)
        for given in (None, clusters)
    )
    for split in ("train", "validation", "test"):
        assert bound[0][split].metrics("a") == free[0][split].metrics("a")
        changed = bound[0][split].intervals("a") != free[0][split].intervals("a")
        assert changed == (split in clusters)
    parts, decided = bound
    report = decisions_report(
        parts,
        decided,
        {"a": {split: part.metrics("a") for split, part in parts.items()}},
        HeldOut(),
        [],
    )
    assert report["protocol"]["clusters"] == {"train": 180, "test": 71}
    assert report["protocol"]["independent_rows"] == {
        "train": 180,
        "test": round(450**2 / (100**2 + 70 * 5**2), 6),
    }
    whole, _ = measure({name: [rows] for name, rows in models.items()}, params(), False, clusters)
    assert whole["train"].intervals("b") == bound[0]["train"].intervals(
        "b"
    )  # wherever batches are cut


def test_clusters_of_validation_rows_choose_as_one_row_each() -> None:
    once = [overconfident(1, 200, split) for split in ("train", "validation", "test")]
    four = [once[0], once[1].take(np.repeat(np.arange(200), 4)), once[2]]
    settings = params(
        threshold="precision", target_precision=0.5, calibration="platt", coverage=0.9
    )
    clusters = {"validation": clusters_of(four[1], 4)}
    alone, repeated = (
        measure({"a": parts}, settings, False, of) for parts, of in ((once, None), (four, clusters))
    )
    assert repeated[1] == alone[1]
    first, second = alone[0]["validation"], repeated[0]["validation"]
    sets = [
        fit_sets(each, settings)["a"].sets(once[2].probabilities, 0.9) for each in (first, second)
    ]
    assert sets[0].sum() <= sets[1].sum() <= 1.05 * sets[0].sum()
    assert second.mistakes("a") == first.mistakes("a") > 0
    assert second.ece_if_calibrated("a") == pytest.approx(first.ece_if_calibrated("a"), rel=0.1)


def test_clusters_are_found_in_a_folder_of_splits(tmp_path: Path) -> None:
    texts = ["a", "b", "c", "d", "e", "a", "b"]
    rows = pd.DataFrame({"id": [f"r{n}" for n in range(7)], "text": texts, "label": "0"})
    stored_splits.write(rows.assign(cluster=fingerprints(texts)), tmp_path / "test.parquet")
    stored_splits.write(
        rows[:5].assign(cluster=fingerprints(texts[:5])), tmp_path / "train.parquet"
    )
    keys = {name: read_keys(tmp_path, name) for name in ("train", "validation", "test")}
    assert keys["test"].tolist() == fingerprints(texts).tolist()
    places = known(positions(keys["test"]))
    assert ((places[:, None] == places) == (keys["test"][:, None] == keys["test"])).all()
    assert positions(keys["train"]) is None
    assert positions(keys["validation"]) is None


# The numbers that DVC compares


SPLIT = {"accuracy": 0.75, "brier": 0.2, "f1": 0.7, "log_loss": 0.5, "roc_auc": 0.8}
COLUMNS = {"majority": 7, "keras": 7}


def test_a_model_has_what_people_compare_and_no_more() -> None:
    measured = {"majority": {"test": SPLIT, "train": SPLIT, "validation": SPLIT}}
    compared = {"accuracy": 0.75, "f1": 0.7, "log_loss": 0.5, "roc_auc": 0.8}
    assert summarise(measured, {"majority": {"parameters": 1}}, 3, COLUMNS) == {
        "majority": {
            "rows": 3,
            "features": 7,
            "train": {"accuracy": 0.75},
            "test": compared,
            "validation": compared,
        }
    }


def test_a_model_trained_in_epochs_has_their_number_and_its_size() -> None:
    record = {"parameters": 5, "epochs": 9, "best_epoch": 2, "other": 1}
    summary = summarise({"keras": {"test": SPLIT}}, {"keras": record}, 3, COLUMNS)["keras"]
    assert {name: summary[name] for name in ("parameters", "epochs", "best_epoch")} == {
        "parameters": 5,
        "epochs": 9,
        "best_epoch": 2,
    }
    assert "other" not in summary


def test_a_metric_that_is_undefined_is_left_out() -> None:
    undefined = {name: value for name, value in SPLIT.items() if name != "roc_auc"}
    assert (
        "roc_auc"  # type: ignore[operator]
        not in summarise({"keras": {"test": undefined}}, {"keras": {}}, 3, COLUMNS)["keras"]["test"]
    )


def test_the_default_run_has_at_most_25_numbers() -> None:
    def count(content: object) -> int:
        return sum(map(count, content.values())) if isinstance(content, dict) else 1

    files = sorted((ROOT / "metrics" / "models").glob("*.json"))
    assert 0 < sum(count(json.loads(file.read_text(encoding="utf-8"))) for file in files) <= 25
