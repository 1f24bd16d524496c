"""Studies of many trainings, with the models that take no time."""

import math
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from textclf.core.errors import UserError
from textclf.evaluate import statistics
from textclf.params import CrossValidate, Params, load
from textclf.split import splitting
from textclf.studies import crossvalidation
from textclf.vectorize import features

LESSON = load(Path(__file__).parents[3] / "params.yaml")
CLASSES = ["0", "1"]
FAST = ("majority", "logistic_regression")
WORDS = ("good", "bad", "food", "place", "staff", "nice", "awful", "great")


def corpus(rows: int, classes: str = "01") -> pd.DataFrame:
    """Rows of distinct texts, each with the word of its class."""
    labels = [classes[number % len(classes)] for number in range(rows)]
    return pd.DataFrame(
        {
            "id": [f"c:{number}" for number in range(rows)],
            "text": [f"class{label} {WORDS[n % 8]} {WORDS[3 * n % 7]} row{n}" for n, label in enumerate(labels)],
            "label": labels,
        }
    )


def chosen(**changes: object) -> CrossValidate:
    return CrossValidate.model_validate({"folds": 3, "repeats": 2, "seeds": 3, "seed": 0} | changes)


def params(models: tuple[str, ...] = FAST, **sections: dict[str, object]) -> Params:
    """The lesson with changes, section by section."""
    content = LESSON.model_dump() | {"crossvalidate": chosen().model_dump()}
    for name, changes in {"train": {"models": models}, **sections}.items():
        content[name] = content[name] | changes
    return Params.model_validate(content)


# Folds


@given(rows=st.integers(9, 50), count=st.integers(2, 4), repeats=st.integers(1, 3), seed=st.integers(0, 2**31 - 1))
@settings(deadline=None, max_examples=30)
def test_every_row_is_tested_once_a_repeat(rows: int, count: int, repeats: int, seed: int) -> None:
    whole = corpus(rows)
    found = list(crossvalidation.folds(whole, chosen(folds=count, repeats=repeats, seed=seed)))
    assert [(repeat, fold) for repeat, fold, _ in found] == [
        (repeat, fold) for repeat in range(1, repeats + 1) for fold in range(1, count + 1)
    ]
    for number in range(1, repeats + 1):
        parts = [splits for repeat, _, splits in found if repeat == number]
        assert sorted(pd.concat([splits["test"] for splits in parts])["id"]) == sorted(whole["id"])
        for splits in parts:
            assert sorted(pd.concat(splits.values())["id"]) == sorted(whole["id"])
            # Stratified: of each class its share, within a row.
            for label, total in whole["label"].value_counts().items():
                tested = int((splits["test"]["label"] == label).sum())
                assert math.floor(total / count) <= tested <= math.ceil(total / count)


@given(
    texts=st.lists(st.sampled_from(["Good", "good ", "GOOD", "bad", "fine", "so so", "awful"]), min_size=8, max_size=30)
)
@settings(deadline=None, max_examples=30)
def test_duplicates_are_tested_together(texts: list[str]) -> None:
    whole = corpus(len(texts)).assign(text=texts)
    try:
        found = list(crossvalidation.folds(whole, chosen(folds=2)))
    except UserError:
        assume(False)
    for _, _, splits in found:
        kept, tested = (set(part["text"].map(splitting.normalised)) for part in splits.values())
        assert not kept & tested


def test_repeats_and_seeds_shuffle_anew() -> None:
    def tested(seed: int) -> list[list[str]]:
        return [sorted(splits["test"]["id"]) for _, _, splits in crossvalidation.folds(corpus(30), chosen(seed=seed))]

    assert tested(0) == tested(0)
    assert tested(0)[:3] != tested(0)[3:]
    assert tested(0) != tested(7)


def test_a_class_with_fewer_rows_than_folds_is_an_error() -> None:
    with pytest.raises(UserError) as error:
        next(crossvalidation.folds(corpus(20, "0000000001"), chosen(folds=3)))
    assert error.value.lines == ("a class must have at least 3 texts for so many folds; 1 has 2",)


def test_a_class_of_fewer_groups_than_folds_is_an_error() -> None:
    with pytest.raises(UserError) as error:
        next(crossvalidation.folds(corpus(12).assign(group=list("aabbaabbaabb")), chosen(folds=3)))
    assert error.value.lines == ("a class must have at least 3 groups for so many folds; 0 has 2",)


def test_training_rows_of_a_fold_without_a_class_are_an_error() -> None:
    # The group b is one fold, so that both groups of the class 0 are the other.
    rows = corpus(5).assign(label=list("10010"), group=list("bcaac"))
    with pytest.raises(UserError) as error:
        list(crossvalidation.folds(rows, chosen(folds=2)))
    rule = "the training rows of every fold must hold every class; 0 has all groups in one of 2"
    assert error.value.lines == (f"{rule}: set another crossvalidate.seed, or more folds",)


@given(
    pairs=st.lists(st.tuples(st.integers(0, 19), st.integers(0, 59)), min_size=16, max_size=40),
    classes=st.integers(2, 3),
    seed=st.integers(0, 2**31 - 1),
)
@settings(deadline=None, max_examples=50)
def test_groups_are_tested_together(pairs: list[tuple[int, int]], classes: int, seed: int) -> None:
    whole = corpus(len(pairs), "012"[:classes]).assign(
        group=[f"group {group}" for group, _ in pairs], text=[f"text {text}" for _, text in pairs]
    )
    try:
        found = list(crossvalidation.folds(whole, chosen(folds=2, repeats=1, seed=seed)))
    except UserError:
        assume(False)
    assert sorted(pd.concat([splits["test"] for _, _, splits in found])["id"]) == sorted(whole["id"])
    for _, _, splits in found:
        for column in ("group", "text"):
            assert not set(splits["train"][column]) & set(splits["test"][column])
        assert set(splits["train"]["label"]) == set(whole["label"])


@pytest.mark.parametrize("texts", ["a" * 4 + "bcdefghi", "a" * 12], ids=["of a class", "of all"])
def test_a_class_with_fewer_texts_than_folds_is_an_error(texts: str) -> None:
    whole = corpus(12).assign(text=list(texts), label=list("111100000000"))
    with pytest.raises(UserError, match="a class must have at least 4"):
        next(crossvalidation.folds(whole, chosen(folds=4)))


# One training


def split(rows: int = 40, **changes: object) -> dict[str, pd.DataFrame]:
    return splitting.split(corpus(rows), LESSON.split.model_copy(update={"stratify": True, **changes}))


def test_only_training_rows_give_the_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[features.Vectorizer] = []
    original = features.vectorize

    def vectorize(*arguments: object) -> object:
        seen.append(original(*arguments)[1])  # type: ignore[arg-type]
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(features, "vectorize", vectorize)
    splits = split()
    planted = {**splits, "test": splits["test"].assign(text="planted " + splits["test"]["text"])}
    for parts in (splits, planted):
        crossvalidation.measure(parts, CLASSES, "logistic_regression", params())
    assert seen[0].content() == seen[1].content()
    assert set(seen[1].terms()) == set(" ".join(splits["train"]["text"]).split())


def test_a_word_of_the_test_rows_alone_tells_a_model_nothing() -> None:
    # With texts of nothing else the model can only say the same of each row.
    rows = corpus(40).assign(text=[f"same row{number % 4}" for number in range(40)])
    splits = {"train": rows[:30], "test": rows[30:].assign(text="planted" + rows[30:]["label"])}
    found = crossvalidation.measure(splits, CLASSES, "logistic_regression", params())
    assert found["accuracy"] == 0.5


def test_a_measure_is_that_of_the_stages() -> None:
    splits = split()
    found = crossvalidation.measure(splits, CLASSES, "majority", params())
    assert found == {"accuracy": 0.5, "log_loss": round(math.log(2), 6)}
    found = crossvalidation.measure(splits, CLASSES, "logistic_regression", params())
    assert found["accuracy"] == 1  # it finds the word


def test_many_classes_are_measured() -> None:
    rows = corpus(60, "abc")
    splits = splitting.split(rows, LESSON.split.model_copy(update={"stratify": True}))
    found = crossvalidation.measure(splits, ["c", "a", "b"], "majority", params())
    assert found == {"accuracy": round(1 / 3, 6), "log_loss": round(math.log(3), 6)}
    assert crossvalidation.measure(splits, ["c", "a", "b"], "logistic_regression", params())["accuracy"] == 1


def test_groups_of_the_training_rows_stay_together_where_some_validate(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, pd.DataFrame]] = []
    original = features.vectorize

    def vectorize(splits: dict[str, pd.DataFrame], *arguments: object) -> object:
        seen.append(splits)
        return original(splits, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(features, "vectorize", vectorize)
    whole = corpus(60).assign(group=[f"group {number // 5}" for number in range(60)])
    crossvalidation.crossvalidate(whole, CLASSES, params(("majority",), split={"validation_size": 0.2}))
    assert len(seen) == 6
    for splits in seen:
        assert list(splits) == ["train", "validation", "test"]
        parts = [set(part["group"]) for part in splits.values()]
        assert len(set.union(*parts)) == sum(map(len, parts)) == 12


def test_settings_of_the_model_can_be_changed() -> None:
    weak, strong = (
        crossvalidation.measure(split(), CLASSES, "logistic_regression", params(), C=C) for C in (1e-3, 1e3)
    )
    assert weak["log_loss"] > 0.6
    assert strong["log_loss"] < 0.1


@pytest.mark.parametrize("group_duplicates", [False, True])
def test_a_share_of_the_training_rows_validates(monkeypatch: pytest.MonkeyPatch, group_duplicates: bool) -> None:
    seen: list[dict[str, pd.DataFrame]] = []
    original = features.vectorize

    def vectorize(splits: dict[str, pd.DataFrame], *arguments: object) -> object:
        seen.append(splits)
        return original(splits, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(features, "vectorize", vectorize)
    section: dict[str, object] = {"validation_size": 0.2, "stratify": True, "group_duplicates": group_duplicates}
    several = params(split=section, evaluate={"threshold": "f1", "calibration": "temperature"})
    splits = split()
    crossvalidation.measure(splits, CLASSES, "logistic_regression", several)
    (taken,) = seen
    assert {name: len(part) for name, part in taken.items()} == {"train": 24, "validation": 6, "test": 10}
    assert taken["test"].equals(splits["test"])
    assert sorted(pd.concat([taken["train"], taken["validation"]])["id"]) == sorted(splits["train"]["id"])
    # Validation rows that are there already are left alone.
    whole = split(validation_size=0.2)
    crossvalidation.measure(whole, CLASSES, "logistic_regression", several)
    assert seen[1] is whole


# Many trainings


def test_there_is_a_row_a_model_repeat_and_fold() -> None:
    table = crossvalidation.crossvalidate(corpus(30), CLASSES, params())
    assert table.columns.tolist() == ["model", "repeat", "fold", "seed", "accuracy", "log_loss"]
    assert table[["repeat", "fold", "model"]].to_numpy(dtype=object).tolist() == [
        [repeat, fold, model] for repeat in (1, 2) for fold in (1, 2, 3) for model in FAST
    ]
    assert set(table["seed"]) == {0}  # neither has a seed
    assert (table["accuracy"][table["model"] == "logistic_regression"] == 1).all()


def test_a_model_with_a_seed_is_trained_with_others_on_the_first_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, object]]] = []

    def measure(_: object, __: object, name: str, ___: Params, **changed: object) -> dict[str, float]:
        asked.append((name, changed))
        return {"accuracy": 0.5, "log_loss": float(len(asked))}

    monkeypatch.setattr(crossvalidation, "measure", measure)
    table = crossvalidation.crossvalidate(
        corpus(30), CLASSES, params(("majority", "keras"), train={"models": ("majority", "keras")})
    )
    network = table[table["model"] == "keras"]
    assert network[["repeat", "fold", "seed"]].to_numpy().tolist() == [
        [1, 1, 0],
        [0, 1, 1],
        [0, 1, 2],
        *([repeat, fold, 0] for repeat, fold in ((1, 2), (1, 3), (2, 1), (2, 2), (2, 3))),
    ]
    assert [changed for name, changed in asked if name == "keras"][:4] == [{"seed": seed} for seed in (0, 1, 2, 0)]
    assert all(changed == {} for name, changed in asked if name == "majority")
    assert len(table) == 6 + 8


@cache
def hand_made() -> pd.DataFrame:
    """Two folds, two repeats; the differences in accuracy are 0.1, 0.3, 0.1 and 0.3."""
    rows = [
        ("a", 1, 1, 0, 0.5, 0.7),
        ("b", 1, 1, 0, 0.6, 0.4),
        ("b", 0, 1, 1, 0.8, 0.5),
        ("a", 1, 2, 0, 0.5, 0.7),
        ("b", 1, 2, 0, 0.8, 0.2),
        ("a", 2, 1, 0, 0.5, 0.7),
        ("b", 2, 1, 0, 0.6, 0.4),
        ("a", 2, 2, 0, 0.5, 0.7),
        ("b", 2, 2, 0, 0.8, 0.2),
    ]
    return pd.DataFrame(rows, columns=["model", "repeat", "fold", "seed", "accuracy", "log_loss"])


def test_the_summary_is_that_worked_out_by_hand() -> None:
    report = crossvalidation.summary(hand_made(), chosen(folds=2))
    sd = math.sqrt(4 * 0.1**2 / 3)  # of 0.6, 0.8, 0.6 and 0.8, the seed's row left out
    assert report["a"] == {"accuracy": {"mean": 0.5, "sd": 0}, "log_loss": {"mean": 0.7, "sd": 0}}
    assert report["b"] == {
        "accuracy": {"mean": 0.7, "sd": round(sd, 6), "sd_of_seeds": round(math.sqrt(0.02), 6)},  # of 0.6 and 0.8
        "log_loss": {"mean": 0.3, "sd": round(sd, 6), "sd_of_seeds": round(math.sqrt(0.005), 6)},  # of 0.4 and 0.5
    }
    # Nadeau and Bengio: (1 / 4 + 1 / 1) sd^2, the test rows of two folds being as many as the training rows.
    error = sd * math.sqrt(1 / 4 + 1)
    p = 2 * stats.t.sf(0.2 / error, 3)
    half = error * stats.t.ppf(0.975, 3)
    expected = {"mean": 0.2, "sd": sd, "t": 0.2 / error, "p": p, "p_holm": p, "low": 0.2 - half, "high": 0.2 + half}
    assert report["b_vs_a"] == pytest.approx(expected, abs=1e-6)
    assert list(report) == ["a", "b", "b_vs_a"]


def test_the_training_rows_of_more_folds_are_more() -> None:
    ratios = {count: crossvalidation.summary(hand_made(), chosen(folds=count))["b_vs_a"]["t"] for count in (2, 5)}
    differences = np.array([0.1, 0.3, 0.1, 0.3])
    for count, t in ratios.items():
        assert t == pytest.approx(statistics.corrected_t(differences, 1 / (count - 1)).t, abs=1e-6)
    assert ratios[5] > ratios[2]


def test_pairs_of_three_models_are_corrected_by_holm() -> None:
    table = hand_made()
    third = table[table["model"] == "a"].assign(model="c", accuracy=[0.7, 0.5, 0.6, 0.6])
    report = crossvalidation.summary(pd.concat([table, third]), chosen(folds=2))
    pairs = ("b_vs_a", "c_vs_a", "c_vs_b")
    assert list(report) == ["a", "b", "c", *pairs]
    raw = np.array([report[pair]["p"] for pair in pairs])
    assert [report[pair]["p_holm"] for pair in pairs] == pytest.approx(statistics.holm(raw).tolist(), abs=5e-6)


def test_what_is_not_finite_is_left_out() -> None:
    table = hand_made().assign(accuracy=lambda rows: np.where(rows["model"] == "a", 0.5, 0.75))
    report = crossvalidation.summary(table, chosen(folds=2))
    assert report["b_vs_a"] == {"mean": 0.25, "sd": 0, "p": 0, "p_holm": 0, "low": 0.25, "high": 0.25}


def test_a_model_alone_has_no_pair() -> None:
    assert list(crossvalidation.summary(hand_made()[hand_made()["model"] == "b"], chosen(folds=2))) == ["b"]


def test_numbers_are_rounded_at_any_depth() -> None:
    report = {"a": 1 / 3, "b": {"c": {"d": 2 / 3, "e": math.nan}}, "f": -math.inf, "g": np.float64(1)}
    assert crossvalidation.rounded(report) == {"a": 0.333333, "b": {"c": {"d": 0.666667}}, "g": 1}


# The learning curve


def test_the_learning_curve_has_a_row_a_model_and_tenth() -> None:
    splits = split(80)  # 60 of which are trained on
    curve = crossvalidation.learning_curve(splits, CLASSES, params())
    assert curve.columns.tolist() == ["model", "rows", "accuracy", "accuracy_low", "accuracy_high"]
    assert curve[["rows", "model"]].to_numpy(dtype=object).tolist() == [
        [6 * tenth, model] for tenth in range(1, 11) for model in FAST
    ]
    last = {name: crossvalidation.measure(splits, CLASSES, name, params())["accuracy"] for name in FAST}
    assert dict(zip(FAST, curve["accuracy"][-2:], strict=True)) == last
    for point in curve.to_dict("records"):
        interval = statistics.wilson(round(point["accuracy"] * 20), 20)
        assert (point["accuracy_low"], point["accuracy_high"]) == interval


def test_the_learning_curve_has_the_confidence_of_params() -> None:
    curve = crossvalidation.learning_curve(split(), CLASSES, params(("majority",), evaluate={"confidence": 0.5}))
    assert (curve["accuracy_low"][0], curve["accuracy_high"][0]) == statistics.wilson(5, 10, 0.5)


def test_the_learning_curve_takes_the_first_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, pd.DataFrame]] = []

    def measure(splits: dict[str, pd.DataFrame], _: object, __: str, ___: Params) -> dict[str, float]:
        seen.append(splits)
        return {"accuracy": 0.5}

    monkeypatch.setattr(crossvalidation, "measure", measure)
    splits = split(80, validation_size=0.2)
    crossvalidation.learning_curve(splits, CLASSES, params(("majority",)))
    for part in seen:
        assert part["train"].equals(splits["train"][: len(part["train"])])
        assert part["test"] is splits["test"]
        assert part["validation"] is splits["validation"]


def test_a_share_that_lacks_a_class_is_left_out() -> None:
    splits = split()
    sorted_rows = splits["train"].sort_values("label", kind="stable")  # 15 of each class
    curve = crossvalidation.learning_curve({**splits, "train": sorted_rows}, CLASSES, params(("majority",)))
    assert curve["rows"].tolist() == [18, 21, 24, 27, 30]


def test_too_few_training_rows_for_any_step_are_an_error() -> None:
    splits = split()
    one = splits["train"][splits["train"]["label"] == "1"][:1]
    rare = pd.concat([splits["train"][splits["train"]["label"] == "0"], one])
    with pytest.raises(UserError) as error:
        crossvalidation.learning_curve({**splits, "train": rare}, CLASSES, params())
    assert error.value.lines == ("a class must have at least 2 training rows; 1 has 1",)
