import json
import math
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics as sk

from textclf.artifacts import predictions
from textclf.core.errors import UserError
from textclf.evaluate import evaluation, statistics
from textclf.params import Evaluate


def rows(labels: list[int], positive: list[float]) -> pd.DataFrame:
    """Predictions of the classes no and yes (0 and 1 in `labels`), by the probability of yes."""
    return pd.DataFrame(
        {
            "id": [f"c:{number}" for number in range(len(labels))],
            "split": "test",
            "label": [("no", "yes")[label] for label in labels],
            "probability_no": [1 - probability for probability in positive],
            "probability_yes": positive,
        }
    )


def decided(labels: list[int], positive: list[float], limit: float = 0.5) -> pd.DataFrame:
    return evaluation.decide(rows(labels, positive), limit)


def params(**changes: object) -> Evaluate:
    lesson: dict[str, object] = {
        "threshold": 0.5,
        "target_precision": 0.9,
        "calibration": "none",
        "confidence": 0.95,
        "resamples": 200,
        "seed": 0,
    }
    return Evaluate.model_validate(lesson | changes)


def many(seed: int, count: int = 90, classes: int = 3, names: list[str] | None = None) -> pd.DataFrame:
    """Predictions of several classes, c0, c1, ..., each of which has rows, with ties among the probabilities."""
    generator = np.random.default_rng(seed)
    names = [f"c{number}" for number in range(classes)] if names is None else names
    y = generator.permutation(np.concatenate([np.arange(classes), generator.integers(0, classes, count - classes)]))
    raw = np.round(generator.dirichlet(np.ones(classes), count) + 0.4 * np.eye(classes)[y], 2) + 1e-3
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    return pd.DataFrame(
        {"id": [f"c:{number}" for number in range(count)], "split": "test", "label": [names[place] for place in y]}
        | {f"probability_{name}": probabilities[:, place] for place, name in enumerate(names)}
    )


# Decided yes, no, no, yes: one of each of true positive, false negative, true negative, false positive.
FOUR = decided([1, 1, 0, 0], [0.9, 0.4, 0.2, 0.6])


def noisy(seed: int, count: int = 80) -> pd.DataFrame:
    """Predictions that are right more often than not, and too sure; a third are of the class yes."""
    generator = np.random.default_rng(seed)
    labels = (np.arange(count) % 3 == 0).astype(int)
    odds = 3 * generator.normal(2 * labels - 1.2, 1.5)
    return rows(labels.tolist(), (1 / (1 + np.exp(-odds))).tolist())


def three_splits(seed: int = 0) -> pd.DataFrame:
    parts = {"train": noisy(seed), "validation": noisy(seed + 1, 40), "test": noisy(seed + 2, 50)}
    return pd.concat([part.assign(split=name) for name, part in parts.items()], ignore_index=True)


def test_arrays_are_positions_and_probabilities() -> None:
    y, probabilities = evaluation.arrays(FOUR)
    assert y.tolist() == [1, 1, 0, 0]
    assert probabilities[:, 1].tolist() == [0.9, 0.4, 0.2, 0.6]


def test_the_first_of_equally_probable_classes_is_decided() -> None:
    assert decided([0, 0, 0], [0.5, 0.6, 0.4])["decided"].tolist() == ["no", "yes", "no"]


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(0.1, ["yes", "yes", "yes", "yes"]), (0.4, ["yes", "no", "no", "yes"]), (0.7, ["yes", "no", "no", "no"])],
)
def test_a_row_is_positive_above_the_threshold(limit: float, expected: list[str]) -> None:
    found, report = evaluation.decisions({"a": FOUR.drop(columns="decided")}, params(threshold=limit))
    assert found["a"]["decided"].tolist() == expected
    assert found["a"].drop(columns="decided").equals(FOUR.drop(columns="decided"))
    assert report == {"a": {"threshold": limit}}


@pytest.mark.parametrize("rule", ["accuracy", "f1", "precision"])
def test_a_threshold_is_chosen_on_the_validation_rows_of_each_model(
    rule: Literal["accuracy", "f1", "precision"],
) -> None:
    tables = {"a": three_splits(), "b": three_splits(10)}
    found, report = evaluation.decisions(tables, params(threshold=rule, target_precision=0.7))
    assert report["a"] != report["b"]
    for name, table in tables.items():
        y, probabilities = evaluation.arrays(table[table["split"] == "validation"])
        limit = statistics.choose_threshold(y, probabilities[:, 1], rule, 0.7)
        assert report[name] == {"threshold": limit}
        assert (found[name]["decided"] == "yes").tolist() == (table["probability_yes"] > limit).tolist()


CALIBRATIONS: dict[str, Callable[..., evaluation.Calibrator]] = {
    "temperature": statistics.fit_temperature,
    "platt": statistics.fit_platt,
}


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_probabilities_are_calibrated_on_the_validation_rows_before_anything_is_decided(name: str) -> None:
    table = three_splits()
    found, report = evaluation.decisions({"a": table}, params(calibration=name, threshold="f1"))
    validation = evaluation.arrays(table[table["split"] == "validation"])
    scaling = CALIBRATIONS[name](*validation)
    scaled = scaling.apply(evaluation.arrays(table)[1])
    assert np.array_equal(evaluation.arrays(found["a"])[1], scaled)
    assert found["a"][["id", "split", "label"]].equals(table[["id", "split", "label"]])
    limit = statistics.choose_threshold(validation[0], scaling.apply(validation[1])[:, 1], "f1")
    assert (found["a"]["decided"] == "yes").tolist() == (scaled[:, 1] > limit).tolist()
    uncalibrated = {split: evaluation.calibration(part) for split, part in table.groupby("split")}
    fitted = {key: round(value, 6) for key, value in asdict(scaling).items()}
    assert report == {"a": {"threshold": limit, **fitted, "uncalibrated": uncalibrated}}
    # The rows are too sure, of which calibration rids them.
    before, after = (part[part["split"] == "validation"] for part in (evaluation.decide(table, 0.5), found["a"]))
    assert evaluation.metrics(after)["log_loss"] < evaluation.metrics(before)["log_loss"]


def test_of_many_classes_the_most_probable_is_decided_and_of_equals_the_first() -> None:
    table = pd.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "split": "test",
            "label": ["x", "y", "z", "z"],
            "probability_x": [0.4, 0.2, 0.3, 1 / 3],
            "probability_y": [0.3, 0.4, 0.3, 1 / 3],
            "probability_z": [0.3, 0.4, 0.4, 1 / 3],
        }
    )
    found, report = evaluation.decisions({"a": table}, params())
    assert found["a"]["decided"].tolist() == ["x", "y", "z", "x"]
    assert report == {"a": {}}


@pytest.mark.parametrize("limit", [0.4, "accuracy", "f1", "precision"])
def test_a_threshold_is_refused_beyond_two_classes(limit: float | str) -> None:
    table = pd.concat([many(1), many(2).assign(split="validation")])
    with pytest.raises(UserError) as error:
        evaluation.decisions({"a": table}, params(threshold=limit))
    assert error.value.lines == (f"evaluate.threshold must be 0.5 for 3 classes; got {limit}",)


def test_platt_is_refused_beyond_two_classes() -> None:
    table = pd.concat([many(1, classes=6), many(2, classes=6).assign(split="validation")])
    with pytest.raises(UserError) as error:
        evaluation.decisions({"a": table}, params(calibration="platt"))
    assert error.value.lines == ("evaluate.calibration must be none or temperature for 6 classes; got platt",)


def test_a_temperature_changes_no_decision_of_many_classes() -> None:
    table = pd.concat([many(1), many(2).assign(split="validation")], ignore_index=True)
    plain, _ = evaluation.decisions({"a": table}, params())
    found, report = evaluation.decisions({"a": table}, params(calibration="temperature"))
    assert set(report["a"]) == {"temperature", "uncalibrated"}
    assert found["a"]["decided"].equals(plain["a"]["decided"])
    assert not np.array_equal(evaluation.arrays(found["a"])[1], evaluation.arrays(table)[1])
    validation = found["a"]["split"] == "validation"
    before, after = (evaluation.metrics(part["a"][validation])["log_loss"] for part in (plain, found))
    assert after < before


@pytest.mark.parametrize("changes", [{"threshold": "accuracy"}, {"calibration": "platt"}], ids=str)
def test_rows_of_train_and_test_choose_nothing(changes: dict[str, object]) -> None:
    table = three_splits()
    others = pd.concat([noisy(8).assign(split="train"), noisy(9).assign(split="test")])
    _, one = evaluation.decisions({"a": table}, params(**changes))
    _, other = evaluation.decisions(
        {"a": pd.concat([table[table["split"] == "validation"], others])}, params(**changes)
    )
    for report in (one, other):
        report["a"].pop("uncalibrated", None)  # that is told of every split
    assert one == other


@pytest.mark.parametrize("changes", [{"threshold": "f1"}, {"calibration": "temperature"}], ids=str)
def test_nothing_is_chosen_without_validation_rows(changes: dict[str, object]) -> None:
    with pytest.raises(UserError) as error:
        evaluation.decisions({"a": noisy(0)}, params(**changes))
    assert error.value.lines == ("the predictions must hold validation rows to choose by; got none; run dvc repro",)


def test_a_precision_that_no_threshold_reaches_is_an_error() -> None:
    table = rows([0, 1], [0.9, 0.8]).assign(split="validation")
    with pytest.raises(UserError, match=r"target must be a precision that some threshold reaches; got 0\.9"):
        evaluation.decisions({"a": table}, params(threshold="precision"))


def test_metrics_are_those_worked_out_by_hand() -> None:
    assert evaluation.metrics(FOUR) == {
        "accuracy": 0.5,
        "log_loss": round(-(math.log(0.9) + math.log(0.4) + math.log(0.8) + math.log(0.4)) / 4, 6),
        "roc_auc": 0.75,  # of the four pairs of a yes and a no, one is in the wrong order: 0.4 < 0.6
        "f1": 0.5,
        "precision": 0.5,
        "recall": 0.5,
        "brier": 0.1925,  # the mean of 0.01, 0.36, 0.04 and 0.36
        "ece": 0.375,  # rows of confidence 0.9 and 0.8 are right, both of 0.6 wrong: (0.1 + 0.2 + 1.2) / 4
        "balanced_accuracy": 0.5,  # of each class one of two is right
        "mcc": 0,
    }


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1, width=16)), min_size=1, max_size=20))
@settings(deadline=None, max_examples=40)
def test_metrics_are_those_of_scikit_learn(pairs: list[tuple[int, float]]) -> None:
    y, positive = ([pair[place] for pair in pairs] for place in (0, 1))
    said = [probability > 0.5 for probability in positive]
    sure = np.array([max(probability, 1 - probability) for probability in positive])
    bins = pd.DataFrame({"sure": sure, "gap": (np.array(y) == said) - sure}).groupby(
        pd.cut(pd.Series(sure), [edge / 10 for edge in range(11)]), observed=True
    )
    expected = {
        "accuracy": sk.accuracy_score(y, said),
        "log_loss": sk.log_loss(y, positive, labels=[0, 1]),
        "f1": sk.f1_score(y, said, zero_division=0),
        "precision": sk.precision_score(y, said, zero_division=0),
        "recall": sk.recall_score(y, said, zero_division=0),
        "brier": sk.brier_score_loss(y, positive, labels=[0, 1]),
        "ece": bins["gap"].sum().abs().sum() / len(y),
    }
    if len(set(y)) == 2:
        expected["roc_auc"] = sk.roc_auc_score(y, positive)
        expected["balanced_accuracy"] = sk.balanced_accuracy_score(y, said)
        expected["mcc"] = sk.matthews_corrcoef(y, said)
    found = evaluation.metrics(decided([int(label) for label in y], positive))
    assert found == pytest.approx(expected, abs=1e-6)
    assert found == {name: round(value, 6) for name, value in found.items()}


MACRO: dict[str, Any] = {"average": "macro", "zero_division": 0}


@pytest.mark.parametrize("kind", ["as they come", "a class never predicted", "a class without rows"])
@pytest.mark.parametrize("classes", [3, 6])
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true", "ignore:Only one class is present")
def test_metrics_of_many_classes_are_those_of_scikit_learn(classes: int, kind: str) -> None:
    names = [f"c{number}" for number in range(classes)]
    for seed in range(3):
        table = many(seed, classes=classes)
        if kind == "a class without rows":
            table = table[table["label"] != "c1"]
        table = evaluation.decide(table, None)
        if kind == "a class never predicted":
            table = table.replace({"decided": {"c1": "c2"}})
        y, said = table["label"], table["decided"]
        probabilities = table[[f"probability_{name}" for name in names]].to_numpy()
        sure = probabilities.max(axis=1)
        right = np.array(names)[probabilities.argmax(axis=1)] == y
        bins = pd.Series(right - sure).groupby(pd.cut(sure, [edge / 10 for edge in range(11)]), observed=True)
        expected = {
            "accuracy": sk.accuracy_score(y, said),
            "balanced_accuracy": sk.balanced_accuracy_score(y, said),
            "mcc": sk.matthews_corrcoef(y, said),
            "log_loss": sk.log_loss(y, probabilities, labels=names),
            "f1": sk.f1_score(y, said, labels=names, **MACRO),
            "precision": sk.precision_score(y, said, labels=names, **MACRO),
            "recall": sk.recall_score(y, said, labels=names, **MACRO),
            "brier": sk.brier_score_loss(y, probabilities, labels=names),
            "ece": bins.sum().abs().sum() / len(y),
        }
        if kind != "a class without rows":
            expected["roc_auc"] = sk.roc_auc_score(y, probabilities, labels=names, multi_class="ovr", average="macro")
        assert evaluation.metrics(table) == pytest.approx(expected, abs=1e-6)


def test_precision_is_0_where_nothing_is_predicted_positive() -> None:
    found = evaluation.metrics(decided([1, 0], [0.4, 0.3]))
    assert (found["precision"], found["recall"], found["f1"]) == (0, 0, 0)


@pytest.mark.parametrize("label", [0, 1])
def test_roc_auc_is_left_out_where_there_is_one_class(label: int) -> None:
    found = evaluation.metrics(decided([label, label], [0.4, 0.9]))
    assert "roc_auc" not in found
    assert found["accuracy"] == 0.5


def test_metrics_do_not_depend_on_the_order_of_the_rows() -> None:
    assert evaluation.metrics(FOUR) == evaluation.metrics(FOUR[::-1])


def intervals(
    models: dict[str, pd.DataFrame], chosen: Evaluate, stratified: bool
) -> dict[str, dict[str, dict[str, float]]]:
    return evaluation.intervals(models, evaluation.resampled(models, chosen, stratified), chosen)


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_intervals_contain_the_metrics(stratified: bool, confidence: float) -> None:
    models = {name: evaluation.decide(noisy(seed), 0.5) for name, seed in (("a", 1), ("b", 2))}
    found = intervals(models, params(confidence=confidence), stratified)
    assert list(found) == ["a", "b"]
    for name, table in models.items():
        metrics = evaluation.metrics(table)
        assert set(found[name]) == set(metrics) - {"ece"}
        for metric, ends in found[name].items():
            assert ends["low"] < metrics[metric] < ends["high"]
        right = int((table["label"] == table["decided"]).sum())
        wilson = binomtest(right, len(table)).proportion_ci(confidence, method="wilson")
        assert found[name]["accuracy"] == {"low": round(wilson.low, 6), "high": round(wilson.high, 6)}


def test_intervals_draw_within_the_classes_only_where_the_split_is_stratified() -> None:
    table = evaluation.decide(noisy(1), 0.5)
    y, probabilities = evaluation.arrays(table)
    chosen = params()
    found = {stratified: intervals({"a": table}, chosen, stratified)["a"] for stratified in (False, True)}
    for stratified in (False, True):
        outputs = {"a": (probabilities, (table["decided"] == "yes").to_numpy().astype(np.int64))}
        draws = statistics.bootstrap(y, outputs, chosen.seed, chosen.resamples, stratified)["a"]
        for metric in set(found[stratified]) - {"accuracy"}:
            low, high = statistics.percentile(draws[metric], chosen.confidence)
            assert found[stratified][metric] == {"low": round(low, 6), "high": round(high, 6)}
    assert found[False]["brier"] != found[True]["brier"]
    assert found[False]["accuracy"] == found[True]["accuracy"]


def test_intervals_leave_out_what_one_class_leaves_undefined() -> None:
    found = intervals({"a": decided([1, 1, 1], [0.9, 0.8, 0.3])}, params(), stratified=False)
    assert set(found["a"]) == {"accuracy", "brier", "f1", "log_loss", "precision", "recall"}


def test_the_seed_decides_the_intervals() -> None:
    table = {"a": evaluation.decide(noisy(1), 0.5)}
    first, again, other = (intervals(table, params(seed=seed), stratified=True) for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize("classes", [3, 6])
def test_intervals_of_many_classes_contain_the_metrics(classes: int) -> None:
    table = evaluation.decide(many(5, classes=classes), None)
    found = intervals({"a": table}, params(), stratified=True)["a"]
    metrics = evaluation.metrics(table)
    assert set(found) == set(metrics) - {"ece"}
    assert set(metrics) > {"roc_auc", "balanced_accuracy", "mcc"}
    for metric, ends in found.items():
        assert ends["low"] < metrics[metric] < ends["high"]


def test_models_are_resampled_alike() -> None:
    table = evaluation.decide(many(1), None)
    draws = evaluation.resampled({"a": table, "b": table.assign(decided=table["label"])}, params(), stratified=False)
    assert (draws["b"]["accuracy"] == 1).all()
    assert np.array_equal(draws["a"]["log_loss"], draws["b"]["log_loss"])
    assert {len(values) for values in draws["a"].values()} == {200}


# Each class


def of_classes(table: pd.DataFrame, chosen: Evaluate | None = None) -> pd.DataFrame:
    chosen = params() if chosen is None else chosen
    return evaluation.by_class(table, evaluation.resampled({"a": table}, chosen, stratified=False)["a"], chosen)


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_metrics_of_each_class_are_those_of_scikit_learn(classes: int) -> None:
    names = [f"c{number}" for number in range(classes)]
    table = evaluation.decide(many(4, classes=classes), None)
    found = of_classes(table)
    assert found["class"].tolist() == names
    assert set(found["split"]) == {"test"}
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        table["label"], table["decided"], labels=names, average=None, zero_division=0
    )
    areas = [sk.roc_auc_score(table["label"] == name, table[f"probability_{name}"]) for name in names]
    assert found["support"].tolist() == support.tolist()
    for metric, values in (("precision", precision), ("recall", recall), ("f1", f1), ("roc_auc", areas)):
        assert found[metric].to_numpy() == pytest.approx(values, abs=1e-12)
        assert (found[f"{metric}_low"] < found[metric]).all()
        assert (found[metric] < found[f"{metric}_high"]).all()


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_intervals_of_a_class_are_wilsons_for_recall_and_percentiles_for_the_others(confidence: float) -> None:
    table, chosen = evaluation.decide(many(4), None), params(confidence=confidence)
    draws = evaluation.resampled({"a": table}, chosen, stratified=False)["a"]
    for position, found in enumerate(of_classes(table, chosen).to_dict("records")):
        wilson = statistics.wilson(round(found["recall"] * found["support"]), found["support"], confidence)
        assert (found["recall_low"], found["recall_high"]) == wilson
        for metric in ("precision", "f1", "roc_auc"):
            ends = statistics.percentile(draws[f"class_{metric}"][:, position], confidence)
            assert (found[f"{metric}_low"], found[f"{metric}_high"]) == ends


def test_a_class_without_rows_has_no_metrics() -> None:
    table = evaluation.decide(many(2), None)
    table = table[table["label"] != "c1"]
    assert (table["decided"] == "c1").any()
    found = of_classes(table).set_index("class")
    assert found["support"].tolist() == [(table["label"] == name).sum() for name in ("c0", "c1", "c2")]
    assert found.loc["c1"].drop(["split", "support"]).isna().all()
    assert found.drop(index="c1").notna().all(axis=None)


def test_a_class_that_is_never_predicted_has_zeros() -> None:
    table = evaluation.decide(many(2), None).replace({"decided": {"c1": "c2"}})
    found = of_classes(table).set_index("class").loc["c1"]
    assert found[["precision", "precision_low", "precision_high", "recall", "recall_low", "f1"]].eq(0).all()
    assert 0 < found["recall_high"] < 0.2  # how rarely it may be right is not known from so few rows
    assert found["roc_auc"] > 0.5


def test_a_class_alone_has_no_area() -> None:
    table = evaluation.decide(many(2), None)
    found = of_classes(table[table["label"] == "c0"])[:1]
    assert found.columns[found.isna().all()].tolist() == ["roc_auc", "roc_auc_low", "roc_auc_high"]
    assert found["precision"].tolist() == [1]


# The best


def measured(**accuracies: tuple[float, float]) -> dict[str, dict[str, dict[str, float]]]:
    """Metrics of models whose accuracy and log loss on the validation rows are given."""
    return {
        name: {
            "train": {"accuracy": 1.0, "log_loss": 0.0},
            "validation": {"accuracy": accuracy, "log_loss": loss},
            "test": {"accuracy": 1 - accuracy, "log_loss": -loss},
        }
        for name, (accuracy, loss) in accuracies.items()
    }


def test_the_best_has_the_highest_accuracy_on_the_validation_rows() -> None:
    found = measured(a=(0.7, 0.1), b=(0.9, 0.8), c=(0.8, 0.1))
    assert evaluation.best(found) == found["b"]


def test_of_equally_accurate_models_the_best_has_the_lower_log_loss_and_of_equals_the_first() -> None:
    found = measured(a=(0.9, 0.8), b=(0.9, 0.3), c=(0.9, 0.3))
    assert evaluation.best(found) is not found["b"]
    assert evaluation.best(found) == found["b"]
    assert evaluation.best({"c": found["c"], "a": found["a"]}) == found["c"]


def test_without_validation_rows_nothing_is_best() -> None:
    found = {name: {split: splits[split] for split in ("train", "test")} for name, splits in measured(a=(1, 0)).items()}
    assert evaluation.best(found) == {}


# Comparisons


def test_a_comparison_is_that_worked_out_by_hand() -> None:
    # Of five rows a has the first three right and b the first and the last two.
    labels = [1, 1, 0, 0, 1]
    models = {"a": decided(labels, [0.9, 0.9, 0.1, 0.9, 0.1]), "b": decided(labels, [0.9, 0.1, 0.9, 0.1, 0.9])}
    found = evaluation.comparisons(models, params(), stratified=False)["b_vs_a"]
    assert (found["only_first"], found["only_second"], found["difference"]) == (2, 2, 0)
    better = {**models, "b": decided(labels, [0.9, 0.9, 0.1, 0.1, 0.9])}
    found = evaluation.comparisons(better, params(), stratified=False)["b_vs_a"]
    assert (found["only_first"], found["only_second"], found["difference"]) == (2, 0, 0.4)
    assert found["p"] == found["p_holm"] == 0.5  # of two rows that differ both favour b: 2 / 4
    assert found["low"] <= 0.4 <= found["high"]
    assert "smallest_difference" not in found  # five rows are too few for any


def test_every_pair_of_three_models_is_compared_with_holms_correction() -> None:
    models = {
        name: evaluation.decide(noisy(seed), limit)
        for name, seed, limit in (("a", 1, 0.999), ("b", 2, 0.5), ("c", 3, 0.2))
    }
    found = evaluation.comparisons(models, params(), stratified=True)
    assert list(found) == ["b_vs_a", "c_vs_a", "c_vs_b"]
    accuracy = {name: evaluation.metrics(table)["accuracy"] for name, table in models.items()}
    for earlier, later in combinations(models, 2):
        entry = found[f"{later}_vs_{earlier}"]
        assert set(entry) == {
            *("difference", "low", "high", "only_first", "only_second", "p", "p_holm", "smallest_difference"),
        }
        assert entry["difference"] == pytest.approx(accuracy[later] - accuracy[earlier], abs=1e-6)
        assert entry["difference"] == pytest.approx((entry["only_first"] - entry["only_second"]) / 80, abs=1e-6)
        assert entry["low"] <= entry["difference"] <= entry["high"]
        test = binomtest(int(entry["only_first"]), int(entry["only_first"] + entry["only_second"]))
        assert entry["p"] == round(test.pvalue, 6)
    raw = sorted(entry["p"] for entry in found.values())
    assert raw[0] < raw[1] < raw[2]
    first, second, third = sorted(entry["p_holm"] for entry in found.values())
    assert first == pytest.approx(min(3 * raw[0], 1), abs=5e-6)
    assert second == pytest.approx(min(max(2 * raw[1], first), 1), abs=5e-6)
    assert third == pytest.approx(min(max(raw[2], second), 1), abs=5e-6)


def test_identical_models_do_not_differ() -> None:
    table = evaluation.decide(noisy(1), 0.5)
    assert evaluation.comparisons({"a": table, "b": table}, params(), stratified=True) == {
        "b_vs_a": dict.fromkeys(("difference", "low", "high", "only_first", "only_second"), 0) | {"p": 1, "p_holm": 1}
    }


def test_one_model_is_compared_with_none() -> None:
    assert evaluation.comparisons({"a": FOUR}, params(), stratified=False) == {}


def test_comparisons_draw_within_the_classes_only_where_the_split_is_stratified() -> None:
    # b says no to all: within the classes its difference to a perfect model can not vary.
    labels = [1] * 10 + [0] * 30
    models = {"a": decided(labels, [float(label) for label in labels]), "b": decided(labels, [0.0] * 40)}
    found = {stratified: evaluation.comparisons(models, params(), stratified)["b_vs_a"] for stratified in (False, True)}
    assert (found[True]["low"], found[True]["high"]) == (-0.25, -0.25)
    assert found[False]["low"] < -0.25 < found[False]["high"]


def test_reliability_is_a_row_a_bin() -> None:
    curve = evaluation.reliability(FOUR, params())
    assert curve[["low", "high", "rows", "confidence", "accuracy"]].to_numpy().tolist() == [
        [0.5, 0.6, 2, pytest.approx(0.6), 0],
        [0.7, 0.8, 1, pytest.approx(0.8), 1],
        [0.8, 0.9, 1, pytest.approx(0.9), 1],
    ]
    for found in curve.to_dict("records"):
        right = round(found["accuracy"] * found["rows"])
        assert (found["accuracy_low"], found["accuracy_high"]) == statistics.wilson(right, found["rows"])


def test_confusion_counts_each_pair_of_classes() -> None:
    assert evaluation.confusion(decided([1, 1, 1, 0], [0.9, 0.9, 0.2, 0.1])).to_numpy(dtype=object).tolist() == [
        ["no", "no", 1, 1.0],
        ["no", "yes", 0, 0.0],
        ["yes", "no", 1, pytest.approx(1 / 3)],
        ["yes", "yes", 2, pytest.approx(2 / 3)],
    ]


def test_a_class_without_rows_has_no_share() -> None:
    assert evaluation.confusion(decided([1], [0.9]))["share"].tolist() == [0, 0, 0, 1]


def test_roc_goes_from_corner_to_corner_and_has_the_area_of_the_metric() -> None:
    curve = evaluation.roc(FOUR)
    assert curve.columns.tolist() == ["class", "false_positive_rate", "true_positive_rate"]
    assert set(curve.pop("class")) == {"yes"}
    assert curve.iloc[0].tolist() == [0, 0]
    assert curve.iloc[-1].tolist() == [1, 1]
    assert all(curve[name].is_monotonic_increasing for name in curve)
    assert np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"]) == 0.75


def test_precision_recall_begins_at_no_recall() -> None:
    curve = evaluation.precision_recall(FOUR)
    assert curve.columns.tolist() == ["class", "recall", "precision"]
    assert set(curve.pop("class")) == {"yes"}
    assert curve["recall"].is_monotonic_increasing
    assert curve.iloc[0].tolist() == [0, 1]
    assert curve.iloc[-1].tolist() == [1, 0.5]


@pytest.mark.parametrize("classes", [3, 6])
def test_of_many_classes_there_is_a_curve_each_against_the_rest(classes: int) -> None:
    table = evaluation.decide(many(3, classes=classes), None)
    curves = {"roc": evaluation.roc(table), "precision_recall": evaluation.precision_recall(table)}
    for curve in curves.values():
        assert list(dict.fromkeys(curve["class"])) == [f"c{number}" for number in range(classes)]
    for name in curves["roc"]["class"].unique():
        actual, scores = table["label"] == name, table[f"probability_{name}"]
        false_positive_rate, true_positive_rate, _ = sk.roc_curve(actual, scores)
        found = curves["roc"][curves["roc"]["class"] == name]
        assert np.array_equal(found["false_positive_rate"], false_positive_rate)
        assert np.array_equal(found["true_positive_rate"], true_positive_rate)
        precision, recall, _ = sk.precision_recall_curve(actual, scores, drop_intermediate=True)
        found = curves["precision_recall"][curves["precision_recall"]["class"] == name]
        assert np.array_equal(found["recall"], recall[::-1])
        assert np.array_equal(found["precision"], precision[::-1])


@st.composite
def outputs(draw: st.DrawFn) -> pd.DataFrame:
    """Decided predictions, with few rows or many, many ties or none, and perhaps classes that no row is of."""
    classes, count = draw(st.integers(2, 4)), draw(st.integers(1, 40))
    names = [f"c{number}" for number in range(classes)]
    # Of one level all scores are equal.
    levels = draw(st.integers(1, 12))
    score = st.integers(1, levels).map(lambda level: level / 12) if draw(st.booleans()) else st.floats(0, 1)
    scores = np.array(
        draw(st.lists(st.lists(score, min_size=classes, max_size=classes), min_size=count, max_size=count))
    )
    labels = draw(st.lists(st.sampled_from(names), min_size=count, max_size=count))
    columns = {f"probability_{name}": scores[:, place] for place, name in enumerate(names)}
    table = pd.DataFrame({"id": [f"c:{number}" for number in range(count)], "split": "test", "label": labels} | columns)
    return evaluation.decide(table, 0.5 if classes == 2 else None)


@settings(deadline=None, max_examples=200)
@given(outputs())
def test_curves_and_confusion_are_those_of_scikit_learn_to_the_bit(table: pd.DataFrame) -> None:
    names = predictions.classes(table)
    confusion = evaluation.confusion(table)
    counts = sk.confusion_matrix(table["label"], table["decided"], labels=names)
    assert confusion["count"].dtype == counts.dtype
    assert np.array_equal(confusion["count"], counts.ravel())
    roc, precision_recall = evaluation.roc(table), evaluation.precision_recall(table)
    assert roc["class"].unique().tolist() == precision_recall["class"].unique().tolist() == names[len(names) == 2 :]
    for name in roc["class"].unique():
        actual, scores = table["label"] == name, table[f"probability_{name}"]
        with warnings.catch_warnings():  # of scikit-learn: no positive or no negative samples
            warnings.simplefilter("ignore")
            false_positive_rate, true_positive_rate, _ = sk.roc_curve(actual, scores)
            precision, recall, _ = sk.precision_recall_curve(actual, scores, drop_intermediate=True)
        found = roc[roc["class"] == name]
        assert np.array_equal(found["false_positive_rate"], false_positive_rate, equal_nan=True)
        assert np.array_equal(found["true_positive_rate"], true_positive_rate, equal_nan=True)
        found = precision_recall[precision_recall["class"] == name]
        assert np.array_equal(found["recall"], recall[::-1])
        assert np.array_equal(found["precision"], precision[::-1])


def test_rates_of_a_class_without_rows_are_not_defined() -> None:
    alone = decided([0, 0], [0.2, 0.7])
    assert evaluation.roc(alone)["true_positive_rate"].isna().all()
    assert evaluation.roc(alone)["false_positive_rate"].tolist() == [0, 0.5, 1]
    assert evaluation.precision_recall(alone)["recall"].tolist() == [0, 1, 1]


def test_models_are_evaluated_without_scikit_learn_and_scipys_statistics() -> None:
    code = (
        "import json, sys; import pandas as pd; from textclf.evaluate import evaluation; from textclf.params import Evaluate;"
        "table, settings = json.load(sys.stdin); rows = pd.DataFrame(table); settings = Evaluate(**settings);"
        "models = {'a': rows, 'b': rows.assign(decided=rows['label'])};"
        "draws = evaluation.resampled(models, settings, True); evaluation.intervals(models, draws, settings);"
        "evaluation.metrics(rows); evaluation.by_class(rows, draws['a'], settings);"
        "evaluation.comparisons(models, settings, True); evaluation.reliability(rows, settings);"
        "[curve(rows) for curve in (evaluation.confusion, evaluation.roc, evaluation.precision_recall)];"
        "print({'sklearn', 'scipy.stats', 'scipy.optimize'} & {*sys.modules})"
    )
    tables = json.dumps([evaluation.decide(noisy(1), 0.5).to_dict("list"), params().model_dump()])
    found = subprocess.run([sys.executable, "-c", code], input=tables, capture_output=True, text=True)
    assert (found.stdout, found.stderr) == ("set()\n", "")


def test_classes_keep_their_names_and_their_order() -> None:
    names = ["b", "007", "NA", "a,b", "true"]
    table = evaluation.decide(many(1, classes=5, names=names), None)
    confusion = evaluation.confusion(table)
    assert confusion["actual"].tolist() == [name for name in names for _ in names]
    assert confusion["predicted"].tolist() == names * 5
    assert confusion["count"].sum() == len(table)
    for tabled in (evaluation.roc(table), evaluation.precision_recall(table), of_classes(table)):
        assert list(dict.fromkeys(tabled["class"])) == names


def test_tables_of_models_stand_below_one_another() -> None:
    tables = {"b": pd.DataFrame({"x": [1, 2]}), "a": pd.DataFrame({"x": [3]})}
    stacked = evaluation.stacked(tables)
    assert stacked.columns.tolist() == ["model", "x"]
    assert stacked.to_numpy(dtype=object).tolist() == [["b", 1], ["b", 2], ["a", 3]]


def test_no_table_gives_the_columns_alone() -> None:
    stacked = evaluation.stacked({}, ("epoch", "loss"))
    assert stacked.columns.tolist() == ["model", "epoch", "loss"]
    assert stacked.empty
