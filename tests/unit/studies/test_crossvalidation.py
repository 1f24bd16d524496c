"""Cross-validation with models that train in no time."""

import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from tests.refusal import refusal
from tests.unit.studies.samples import CLASSES, FAST, corpus, crossvalidated, settings, setup
from textclf.core.arrow import normalize_text
from textclf.core.errors import UserError
from textclf.evaluate.comparisons import corrected_t, holm
from textclf.studies import crossvalidation, measure
from textclf.studies.crossvalidation import POINT, posterior, verdict
from textclf.studies.measure import Setup

CONFIDENCE = 0.95


# Folds


@given(
    rows=st.integers(9, 50),
    count=st.integers(2, 4),
    repeats=st.integers(1, 3),
    seed=st.integers(0, 2**31 - 1),
)
def test_every_row_is_tested_once_per_repeat(
    rows: int, count: int, repeats: int, seed: int
) -> None:
    whole = corpus(rows)
    folds = list(
        crossvalidation.make_folds(whole, settings(folds=count, repeats=repeats, seed=seed))
    )
    assert [(repeat, fold) for repeat, fold, _ in folds] == [
        (repeat, fold) for repeat in range(1, repeats + 1) for fold in range(1, count + 1)
    ]
    for number in range(1, repeats + 1):
        parts = [splits for repeat, _, splits in folds if repeat == number]
        assert sorted(pd.concat([splits["test"] for splits in parts])["id"]) == sorted(whole["id"])
        for splits in parts:
            assert sorted(pd.concat(splits.values())["id"]) == sorted(whole["id"])
            # Stratified: each fold has the share of each class, rounded.
            for label, total in whole["label"].value_counts().items():
                tested = int((splits["test"]["label"] == label).sum())
                assert math.floor(total / count) <= tested <= math.ceil(total / count)


def test_given_validation_and_test_rows_are_in_no_fold() -> None:
    rows = corpus(60).assign(split=["train"] * 40 + ["validation"] * 8 + ["test"] * 12)
    for _, _, splits in crossvalidation.make_folds(rows, settings(folds=4)):
        assert sorted(pd.concat(splits.values())["id"]) == sorted(rows["id"][:40])


def test_each_repeat_and_seed_shuffles_differently() -> None:
    def tested(seed: int) -> list[list[str]]:
        return [
            sorted(splits["test"]["id"])
            for _, _, splits in crossvalidation.make_folds(corpus(30), settings(seed=seed))
        ]

    assert tested(0) == tested(0)
    assert tested(0)[:3] != tested(0)[3:]
    assert tested(0) != tested(7)


FEWER = "each class must have at least"
ADD = "add rows of it, or take its rows out of the table"
SET = "set a smaller crossvalidate.folds"
EVERY = "the training rows of every fold must hold every class"
# One fold has group b, the other both groups of class 0.
ONE_FOLD = corpus(5).assign(label=list("10010"), group=list("bcaac"))


@pytest.mark.parametrize(
    ("rows", "folds", "line"),
    [
        (corpus(20, "0000000001"), 3, f"{FEWER} 3 texts for 3 folds; 1 has 2; {SET}"),
        (
            corpus(12).assign(group=list("aabbaabbaabb")),
            3,
            f"{FEWER} 3 groups for 3 folds; 0 has 2; {SET}",
        ),
        (
            corpus(12).assign(text=list("aaaabcdefghi")),
            6,
            f"{FEWER} 6 texts for 6 folds; 0 has 5; {SET}",
        ),
        (
            corpus(12).assign(text="a"),
            4,
            f"{FEWER} 4 texts for 4 folds; 0 has 1; {ADD}",
        ),
        (
            ONE_FOLD,
            2,
            (
                f"{EVERY}; 0 has all groups in one of 2 folds; set another crossvalidate.seed, "
                "or more folds"
            ),
        ),
    ],
)
def test_classes_of_too_few_texts_or_groups_are_an_error(
    rows: pd.DataFrame, folds: int, line: str
) -> None:
    assert refusal(lambda: list(crossvalidation.make_folds(rows, settings(folds=folds)))) == line


@given(
    pairs=st.lists(st.tuples(st.integers(0, 19), st.integers(0, 59)), min_size=16, max_size=40),
    classes=st.integers(2, 3),
    seed=st.integers(0, 2**31 - 1),
)
def test_groups_and_duplicates_are_tested_together(
    pairs: list[tuple[int, int]], classes: int, seed: int
) -> None:
    whole = corpus(len(pairs), "012"[:classes]).assign(
        group=[f"group {group}" for group, _ in pairs],
        text=[f"{'Text' if n % 2 else ' TEXT '} {text}" for n, (_, text) in enumerate(pairs)],
    )
    try:
        folds = list(crossvalidation.make_folds(whole, settings(folds=2, repeats=1, seed=seed)))
    except UserError:
        assume(False)
    assert sorted(pd.concat([splits["test"] for _, _, splits in folds])["id"]) == sorted(
        whole["id"]
    )
    for _, _, splits in folds:
        trained, tested = (
            part.assign(text=part["text"].map(normalize_text)) for part in splits.values()
        )
        for column in ("group", "text"):
            assert not set(trained[column]) & set(tested[column])
        assert set(trained["label"]) == set(whole["label"])


# Many trainings


def test_there_is_a_row_per_model_repeat_and_fold() -> None:
    table = crossvalidation.crossvalidate(corpus(30), CLASSES, setup(), settings())
    assert table.columns.tolist() == ["model", "repeat", "fold", "seed", "accuracy", "log_loss"]
    assert table[["repeat", "fold", "model"]].to_numpy(dtype=object).tolist() == [
        [repeat, fold, model] for repeat in (1, 2) for fold in (1, 2, 3) for model in FAST
    ]
    assert set(table["seed"]) == {0}  # neither has a seed
    assert (table["accuracy"][table["model"] == "logistic_regression"] == 1).all()


def test_a_model_with_a_seed_has_another_in_each_fold_and_several_on_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[tuple[str, dict[str, object]]] = []

    def fake(_: object, __: object, name: str, ___: Setup, **changes: object) -> dict[str, float]:
        calls.append((name, changes))
        return {"accuracy": 0.5, "log_loss": float(len(calls))}

    monkeypatch.setattr(measure, "measure", fake)
    table = crossvalidation.crossvalidate(
        corpus(30), CLASSES, setup(("majority", "keras")), settings(seed=7)
    )
    network = table[table["model"] == "keras"]
    assert network[["repeat", "fold", "seed"]].to_numpy().tolist() == [
        [1, 1, 7],
        [0, 1, 8],
        [0, 1, 9],
        *([1, 2, 8], [1, 3, 9], [2, 1, 10], [2, 2, 11], [2, 3, 12]),
    ]
    trained = [changes for name, changes in calls if name == "keras"]
    assert trained == [{"seed": seed} for seed in network["seed"]]
    assert all(changes == {} for name, changes in calls if name == "majority")
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
    columns = ["model", "repeat", "fold", "seed", "accuracy", "log_loss"]
    return pd.DataFrame([dict(zip(columns, row, strict=True)) for row in rows])


def test_the_summary_matches_a_calculation_by_hand() -> None:
    report = crossvalidation.summarize(hand_made(), settings(folds=2), CONFIDENCE)
    sd = math.sqrt(4 * 0.1**2 / 3)  # of 0.6, 0.8, 0.6 and 0.8, without the row of the seed
    assert report["a"] == {"accuracy": {"mean": 0.5, "sd": 0}, "log_loss": {"mean": 0.7, "sd": 0}}
    assert report["b"] == {
        # Seeds gave 0.6 and 0.8.
        "accuracy": {"mean": 0.7, "sd": round(sd, 6), "sd_of_seeds": round(math.sqrt(0.02), 6)},
        # Seeds gave 0.4 and 0.5.
        "log_loss": {"mean": 0.3, "sd": round(sd, 6), "sd_of_seeds": round(math.sqrt(0.005), 6)},
    }
    # Nadeau and Bengio: (1 / 4 + 1 / 1) sd^2; with two folds there are as many test rows as
    # training rows.
    error = sd * math.sqrt(1 / 4 + 1)
    p = 2 * stats.t.sf(0.2 / error, 3)
    half = error * stats.t.ppf(0.975, 3)
    expected = {
        "mean": 0.2,
        "sd": sd,
        "t": 0.2 / error,
        "p": p,
        "p_holm": p,
        "low": 0.2 - half,
        "high": 0.2 + half,
    }
    below = {
        name: stats.t.cdf((limit - 0.2) / error, 3)
        for name, limit in (("worse", -0.01), ("not better", 0.01))
    }
    expected |= {"better": 1 - below["not better"], "alike": below["not better"] - below["worse"]}
    # A new draw has the variance of a difference besides, which is twice that within folds that
    # share half of it.
    expected |= {
        "worse": below["worse"],
        "wins": stats.t.sf(-0.2 / math.hypot(error, sd * math.sqrt(2)), 3),
    }
    assert report["b_vs_a"] == pytest.approx(expected, abs=1e-6)
    assert list(report) == ["a", "b", "b_vs_a"]


def test_pairs_of_three_models_are_corrected_by_holm() -> None:
    table = hand_made()
    third = table[table["model"] == "a"].assign(model="c", accuracy=[0.7, 0.5, 0.6, 0.6])
    report = crossvalidation.summarize(
        pd.concat([table, third], ignore_index=True), settings(folds=2), CONFIDENCE
    )
    pairs = ("b_vs_a", "c_vs_a", "c_vs_b")
    assert list(report) == ["a", "b", "c", *pairs]
    raw = np.array([report[pair]["p"] for pair in pairs])
    assert [report[pair]["p_holm"] for pair in pairs] == pytest.approx(holm(raw).tolist(), abs=5e-6)


def test_a_single_model_has_no_comparison() -> None:
    table = hand_made()[hand_made()["model"] == "b"]
    assert list(crossvalidation.summarize(table, settings(folds=2), CONFIDENCE)) == ["b"]


def test_numbers_are_rounded_at_any_depth() -> None:
    report = {
        "a": 1 / 3,
        "b": {"c": {"d": 2 / 3, "e": math.nan}},
        "f": -math.inf,
        "g": np.float64(1),
    }
    assert crossvalidation.round_numbers(report) == {
        "a": 0.333333,
        "b": {"c": {"d": 0.666667}},
        "g": 1,
    }


# The stage


@pytest.mark.parametrize(
    ("others", "data"),
    [
        ([("tree", "oos")] * 3, {"unknown": "oos"}),
        ([("tree", "x"), ("sea", "y"), ("lake", "y")], {"rare": "drop"}),
    ],
    ids=["unknown", "rare"],
)
def test_texts_of_no_class_and_of_rare_classes_take_no_part(
    tmp_path: Path, others: list[tuple[str, str]], data: dict[str, Any]
) -> None:
    rows = pd.concat([corpus(40), pd.DataFrame(others, columns=["text", "label"])])
    assert (
        crossvalidated(tmp_path, rows, "majority", **data)[0]
        == crossvalidated(tmp_path, corpus(40), "majority")[0]
    )


def test_a_sentence_on_each_pair_follows_the_models(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("majority", "logistic_regression", "naive_bayes")
    report, trainings = crossvalidated(tmp_path, corpus(40), *names)
    *models, pair = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in models] == [*names]
    accuracy = report["majority"]["accuracy"]
    assert models[0].endswith(
        f"{accuracy['mean']:.3f} on average, differing by about {accuracy['sd']:.3f} "
        "from fold to fold"
    )
    assert pair.startswith(
        "naive_bayes and logistic_regression are alike within a point of accuracy"
    )
    assert {"better", "alike", "worse", "wins", "p"} <= set(report["naive_bayes_vs_majority"])
    assert len(trainings) == 18


# The Bayesian comparison of two models over splits


FOLDS, REPEATS = 4, 3
SPLITS, RATIO = FOLDS * REPEATS, 1 / (FOLDS - 1)


def test_the_regions_are_those_of_the_correlated_bayesian_t_test() -> None:
    differences = np.array([0.02, 0.0, 0.01, -0.01, 0.03, 0.0, 0.01, 0.02, -0.02, 0.01, 0.0, 0.02])
    result = posterior(corrected_t(differences, RATIO), SPLITS, RATIO)
    # baycomp 1.0.3: CorrelatedTTest.probs(zeros, differences, rope=0.01, runs=3)
    expected = (0.04153487118554519, 0.5632545962588544, 0.39521053255560035)
    assert (result["worse"], result["alike"], result["better"]) == pytest.approx(
        expected, abs=1e-12
    )


def test_the_probabilities_are_uniform_at_the_truth() -> None:
    """Differences are correlated by the share of test rows; new draws share only the mean."""
    sets, rng = 4000, np.random.default_rng(0)
    shared, own = rng.normal(size=(sets, 1)), rng.normal(size=(sets, SPLITS))
    seen = 0.02 * (FOLDS**-0.5 * shared + (1 - 1 / FOLDS) ** 0.5 * own)  # with mean 0
    new = 0.02 * rng.normal(size=(sets, 1))
    wins = [posterior(corrected_t(each, RATIO), SPLITS, RATIO)["wins"] for each in seen - new]
    better = [posterior(corrected_t(each, RATIO), SPLITS, RATIO)["better"] for each in seen + POINT]
    for chances in (wins, better):
        assert stats.kstest(chances, "uniform").pvalue > 0.01


@pytest.mark.parametrize(
    ("difference", "expected"),
    [(0.0, (0, 1, 0, 0.5)), (0.02, (1, 0, 0, 1)), (-0.02, (0, 0, 1, 0)), (0.005, (0, 1, 0, 1))],
)
def test_equal_differences_leave_no_doubt(difference: float, expected: tuple[float, ...]) -> None:
    result = posterior(corrected_t(np.full(SPLITS, difference), RATIO), SPLITS, RATIO)
    chances = [result[name] for name in ("better", "alike", "worse", "wins")]
    assert chances == pytest.approx(expected)


@pytest.mark.parametrize(
    ("chances", "sentence"),
    [
        ((0.96, 0.03, 0.01), "b is better than a by more than a point of accuracy"),
        ((0.01, 0.03, 0.96), "a is better than b by more than a point of accuracy"),
        ((0.01, 0.96, 0.03), "b and a are alike within a point of accuracy"),
        ((0.94, 0.05, 0.01), "too close to tell whether b or a is better"),
    ],
)
def test_a_pair_is_better_alike_or_unknown(chances: tuple[float, ...], sentence: str) -> None:
    test = {**dict(zip(("better", "alike", "worse"), chances, strict=True)), "wins": 0.7}
    shown = "better {:.2f}, alike {:.2f}, worse {:.2f}".format(*chances)
    assert verdict(test, "b", "a", 0.95, "accuracy") == (
        f"{sentence} (chances of b: {shown}; ahead on another split 0.70)"
    )
