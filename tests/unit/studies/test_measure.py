"""One training of the studies, with models that train in no time."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests import stored_splits
from tests.drawn import draw_splits
from tests.refusal import refusal
from tests.unit.studies.samples import CLASSES, FAST, corpus, settings, setup, split
from textclf.artifacts import shards
from textclf.core.arrow import hash_normalized
from textclf.evaluate.intervals import wilson
from textclf.evaluate.settings import Evaluate
from textclf.split.settings import Split
from textclf.studies import crossvalidation, measure
from textclf.studies.measure import Setup, learning_curve, read_split, sample_rows
from textclf.vectorize import in_memory, representation
from textclf.vectorize.terms.vectorizer import Vectorizer

Splits = dict[str, pd.DataFrame]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Splits, Vectorizer]]:
    """The splits of each training, and the vectorizer fitted on them."""
    seen: list[tuple[Splits, Vectorizer]] = []
    fitted: list[Any] = []
    fit, vectorize = representation.fit, in_memory.vectorize_splits

    def remember(*arguments: Any) -> Any:
        fitted.append(fit(*arguments))
        return fitted[-1]

    def vectorize_splits(splits: Splits, *arguments: Any) -> Any:
        features = vectorize(splits, *arguments)
        seen.append((splits, fitted[-1]))
        return features

    monkeypatch.setattr(representation, "fit", remember)
    monkeypatch.setattr(measure, "vectorize_splits", vectorize_splits)
    return seen


def test_only_training_rows_give_the_vocabulary(seen: list[tuple[Splits, Vectorizer]]) -> None:
    splits = split()
    planted = {**splits, "test": splits["test"].assign(text="planted " + splits["test"]["text"])}
    for parts in (splits, planted):
        measure.measure(parts, CLASSES, "logistic_regression", setup())
    (_, first), (_, second) = seen
    assert first.to_json() == second.to_json()
    assert set(second.terms()) == set(" ".join(splits["train"]["text"]).split())


@pytest.mark.parametrize("classes", [["0", "1"], ["c", "a", "b"]])
def test_the_metrics_are_those_of_the_test_rows(classes: list[str]) -> None:
    splits = draw_splits(corpus(120, "".join(sorted(classes))), Split(stratify=True))
    share = round(1 / len(classes), 6)
    metrics = measure.measure(splits, classes, "majority", setup())
    assert metrics == {"accuracy": share, "log_loss": round(math.log(len(classes)), 6)}
    # The word of the class separates the rows.
    assert measure.measure(splits, classes, "logistic_regression", setup())["accuracy"] == 1


def test_costs_are_measured_so_that_a_search_can_optimise_them() -> None:
    chosen = setup(evaluate={"costs": {"0": {"1": 4}}})
    settings = chosen.model("majority")
    features = measure.make_features(split(), CLASSES, settings.features, chosen, False)
    # All are of class 0, half of them wrongly.
    assert measure.measure_features(features, settings, chosen)["cost"] == 0.5
    assert "cost" not in measure.measure_features(features, settings, setup())


def test_settings_of_the_model_can_be_changed() -> None:
    weak, strong = (
        measure.measure(split(), CLASSES, "logistic_regression", setup(), C=C) for C in (1e-3, 1e3)
    )
    assert weak["log_loss"] > 0.6
    assert strong["log_loss"] < 0.1


@pytest.mark.parametrize("group_duplicates", [False, True])
def test_training_rows_become_validation_rows(
    seen: list[tuple[Splits, Vectorizer]], group_duplicates: bool
) -> None:
    section = {"validation_size": 0.2, "stratify": True, "group_duplicates": group_duplicates}
    chosen = setup(split=section, evaluate={"threshold": "f1", "calibration": "temperature"})
    splits = split()
    measure.make_features(splits, CLASSES, "words", chosen, validation=True)
    drawn, _ = seen[0]
    assert {name: len(part) for name, part in drawn.items()} == {
        "train": 24,
        "validation": 6,
        "test": 10,
    }
    assert drawn["test"].equals(splits["test"])
    assert sorted(pd.concat([drawn["train"], drawn["validation"]])["id"]) == sorted(
        splits["train"]["id"]
    )
    # Existing validation rows stay as they are.
    whole = split(validation_size=0.2)
    measure.make_features(whole, CLASSES, "words", chosen, validation=True)
    assert seen[1][0] is whole


def test_no_training_row_is_taken_away_for_nothing(seen: list[tuple[Splits, Vectorizer]]) -> None:
    splits = split()
    measure.measure(splits, CLASSES, "logistic_regression", setup(split={"validation_size": 0.2}))
    assert seen[0][0] is splits


def test_groups_stay_together_if_training_rows_become_validation_rows(
    seen: list[tuple[Splits, Vectorizer]],
) -> None:
    whole = corpus(60).assign(group=[f"group {number // 5}" for number in range(60)])
    for _, _, parts_of_fold in crossvalidation.make_folds(whole, settings()):
        measure.make_features(
            parts_of_fold, CLASSES, "words", setup(split={"validation_size": 0.2}), validation=True
        )
    assert len(seen) == 6
    for splits, _ in seen:
        assert list(splits) == ["train", "validation", "test"]
        parts = [set(part["group"]) for part in splits.values()]
        assert len(set.union(*parts)) == sum(map(len, parts)) == 12


def test_without_validation_rows_held_out_training_rows_calibrate() -> None:
    splits = split()
    calibrated = replace(setup(), evaluate=Evaluate(calibration="temperature"))
    plain, scaled = (
        measure.measure(splits, CLASSES, "logistic_regression", each)
        for each in (setup(), calibrated)
    )
    assert plain["accuracy"] == scaled["accuracy"]
    assert plain["log_loss"] != scaled["log_loss"]


COUNT = 60


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """60 rows in three splits and in several shards; each text stands in two rows."""
    monkeypatch.setattr(shards, "ROWS", 7)
    rows = corpus(COUNT)
    rows["text"] = [rows["text"][number // 2] for number in range(COUNT)]
    clusters = hash_normalized(rows["text"])
    rows = rows.assign(cluster=clusters).sample(frac=1, random_state=3)
    for name, part in (("train", rows[:40]), ("validation", rows[40:50]), ("test", rows[50:])):
        stored_splits.write_shards(part, tmp_path, name)
    return tmp_path


def test_all_rows_are_read_with_their_splits_if_they_are_few_enough(folder: Path) -> None:
    rows, total = sample_rows(folder, COUNT, 0)
    assert total == COUNT
    assert rows.index.tolist() == list(range(COUNT))
    assert rows["split"].value_counts().to_dict() == {"train": 40, "validation": 10, "test": 10}
    assert sorted(rows["id"]) == sorted(corpus(COUNT)["id"])
    pd.testing.assert_frame_equal(rows[:40].drop(columns="split"), read_split(folder, "train"))


def test_a_sample_holds_all_rows_of_a_text_or_none_and_no_more_than_the_limit(folder: Path) -> None:
    rows, total = sample_rows(folder, 21, 0)
    assert (len(rows), total) == (20, COUNT)
    assert set(rows["group"].value_counts()) == {2}
    assert rows.equals(sample_rows(folder, 21, 0)[0])
    assert set(rows["id"]) != set(sample_rows(folder, 21, 1)[0]["id"])


def test_there_is_a_row_per_model_and_tenth_of_the_training_rows() -> None:
    splits = split(80)  # 60 of which are trained on
    curve = learning_curve(splits, CLASSES, setup(evaluate={"confidence": 0.5}))
    assert curve.columns.tolist() == ["model", "rows", "accuracy", "accuracy_low", "accuracy_high"]
    assert curve[["rows", "model"]].to_numpy(dtype=object).tolist() == [
        [6 * tenth, model] for tenth in range(1, 11) for model in FAST
    ]
    last = {name: measure.measure(splits, CLASSES, name, setup())["accuracy"] for name in FAST}
    assert dict(zip(FAST, curve["accuracy"][-2:], strict=True)) == last
    for point in curve.to_dict("records"):
        assert (point["accuracy_low"], point["accuracy_high"]) == wilson(
            round(point["accuracy"] * 20), 20, 0.5
        )


def test_each_step_takes_the_first_training_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, pd.DataFrame]] = []

    def fake(splits: dict[str, pd.DataFrame], _: object, __: str, ___: Setup) -> dict[str, float]:
        seen.append(splits)
        return {"accuracy": 0.5}

    monkeypatch.setattr(measure, "measure", fake)
    splits = split(80, validation_size=0.2)
    learning_curve(splits, CLASSES, setup(("majority",)))
    # The first tenth, 4 rows, is of one class.
    assert [len(part["train"]) for part in seen] == [
        len(splits["train"]) * tenth // 10 for tenth in range(2, 11)
    ]
    for part in seen:
        assert part["train"].equals(splits["train"][: len(part["train"])])
        assert part["test"] is splits["test"]
        assert part["validation"] is splits["validation"]


def test_a_step_without_a_class_is_left_out() -> None:
    splits = split()
    sorted_rows = splits["train"].sort_values("label", kind="stable")  # 15 of each class
    curve = learning_curve({**splits, "train": sorted_rows}, CLASSES, setup(("majority",)))
    assert curve["rows"].tolist() == [18, 21, 24, 27, 30]


def test_too_few_training_rows_for_every_step_are_an_error() -> None:
    splits = split()
    one = splits["train"][splits["train"]["label"] == "1"][:1]
    rare = pd.concat([splits["train"][splits["train"]["label"] == "0"], one])
    said = refusal(
        learning_curve, {**splits, "train": rare}, CLASSES, setup(("majority", "linear_svm"))
    )
    assert said == "each class must have at least 2 training rows; 1 has 1"
