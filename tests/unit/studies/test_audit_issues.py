"""Confident learning on given probabilities."""

import math
import re
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.unit.studies.audits import rows_with_issues
from tests.unit.studies.samples import CLASSES, setup
from textclf.studies import measure
from textclf.studies.audit import issues
from textclf.studies.audit.issues import (
    MANY_CLASSES,
    combine,
    held_out_probabilities,
    judge,
    score_labels,
)
from textclf.studies.audit.similar import (
    SEVERAL,
    SimilarTexts,
    find_similar,
    find_texts,
    labelled_text,
)
from textclf.studies.settings import Audit
from textclf.tables.copies import SIMILAR

SEEDS = st.integers(0, 2**32 - 1)


def example(
    seed: int, classes: int, rows: int = 80
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return labels, some of them wrong, and probabilities."""
    generator = np.random.default_rng(seed)
    y = np.concatenate([np.arange(classes), generator.integers(classes, size=rows - classes)])
    raw = generator.uniform(0.05, 1, (rows, classes))
    true = np.where(generator.random(rows) < 0.15, generator.integers(classes, size=rows), y)
    raw[np.arange(rows), true] += generator.uniform(0, 3, rows)
    return y, raw / raw.sum(axis=1, keepdims=True)


@given(SEEDS, st.integers(2, 4))
def test_a_flagged_label_is_less_probable_than_another(seed: int, classes: int) -> None:
    y, probabilities = example(seed, classes)
    judgement = judge(y, probabilities)
    own = probabilities[np.arange(len(y)), y]
    best = probabilities.max(axis=1)
    assert (own[judgement.flagged] < best[judgement.flagged]).all()
    assert judgement.right == (probabilities.argmax(axis=1) == y).sum()
    assert (
        judgement.flagged.sum()
        <= len(y) - np.trace(judgement.joint)
        == round(len(y) * judgement.noise)
    )


@pytest.mark.parametrize("classes", [MANY_CLASSES - 1, MANY_CLASSES])
def test_of_many_classes_the_least_probable_labels_are_flagged(classes: int) -> None:
    y, probabilities = example(3, classes, 400)
    issues = combine(y, [("a", probabilities)])
    own = probabilities[np.arange(len(y)), y]
    lowest = np.sort(np.argsort(own)[: len(issues.order)])
    assert len(lowest) > 10
    assert np.array_equal(np.sort(issues.order), lowest) == (classes == MANY_CLASSES)
    assert (own < probabilities.max(axis=1))[issues.order].all()


@pytest.mark.parametrize("classes", [2, 3, MANY_CLASSES])
def test_of_equally_frequent_classes_the_score_is_the_probability_of_the_label(
    classes: int,
) -> None:
    y = np.arange(10 * classes) % classes
    probabilities = np.random.default_rng(classes).dirichlet(np.ones(classes), len(y))
    assert np.allclose(score_labels(y, probabilities), probabilities[np.arange(len(y)), y])


def test_a_label_of_a_rare_class_is_suspicious_only_at_a_lower_probability() -> None:
    # Of 100 labels one is of class b: a share of a fiftieth of that of the mean class, so that its
    # odds count sqrt(50) times.
    y = np.array([1] + [0] * 99)
    probabilities = np.tile([0.9, 0.1], (100, 1))
    probabilities[1] = [0.1, 0.9]
    odds_of_b, odds_of_a = 0.1 / 0.9 / math.sqrt(0.02), 0.1 / 0.9 / math.sqrt(1.98)
    scores = score_labels(y, probabilities)
    assert scores[0] == pytest.approx(odds_of_b / (1 + odds_of_b))
    assert scores[1] == pytest.approx(odds_of_a / (1 + odds_of_a))
    assert np.argsort(scores)[:2].tolist() == [1, 0]


@pytest.mark.parametrize("rare", [0, 1])
def test_scores_lie_between_0_and_1_and_certainty_is_kept(rare: int) -> None:
    y = np.array([rare] + [1 - rare] * 9)
    probabilities = np.eye(2)[[0, 1] * 5]
    assert np.array_equal(score_labels(y, probabilities), (y == [0, 1] * 5).astype(float))


def test_rows_that_more_models_flag_come_first_then_those_with_a_lower_score() -> None:
    y = np.array([0, 1] * 20)
    sure = np.where(y == 1, 0.9, 0.1)
    first, second = sure.copy(), sure.copy()
    first[0], first[2], first[3] = 0.95, 0.99, 0.02
    second[0], second[3] = 0.9, 0.1
    issues = combine(
        y, [(name, np.column_stack([1 - p, p])) for name, p in (("a", first), ("b", second))]
    )
    assert issues.order.tolist() == [3, 0, 2]
    assert issues.votes[[0, 2, 3]].tolist() == [2, 1, 2]
    assert issues.suggested[[0, 2, 3]].tolist() == [1, 1, 0]
    assert (issues.flagged_by(0), issues.flagged_by(2), issues.flagged_by(5)) == (
        ["a", "b"],
        ["a"],
        [],
    )
    assert issues.scores[0] == pytest.approx(1 - np.mean([0.95, 0.9]))


def test_of_several_labels_those_that_most_models_flag_are_changed() -> None:
    y = np.array([[0, 1]] * 10 + [[1, 0]] * 10, np.int8)
    one, two = np.where(y, 0.9, 0.1), np.where(y, 0.8, 0.2)
    one[0], two[0], one[19] = [0.95, 0.04], [0.1, 0.02], [0.1, 0.99]
    result = combine(y, [("one", one), ("two", two)])
    assert result.order.tolist() == [0, 19]
    assert result.suggested[[0, 19]].tolist() == [[0, 0], [0, 1]]
    assert result.flagged_by(19) == ["one"]


SETTINGS = Audit(folds=3)


def probabilities(
    rows: pd.DataFrame, models: tuple[str, ...] = ("logistic_regression",)
) -> dict[str, Any]:
    return dict(held_out_probabilities(rows, CLASSES, models, setup(models), SETTINGS))


def test_no_model_judges_a_row_a_text_or_a_group_that_it_has_learned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = rows_with_issues()
    rows.loc[1, "text"], rows.loc[3, "group"] = rows["text"][0].upper(), rows["group"][5]
    trained: list[tuple[set[str], set[str]]] = []
    original = measure.make_features

    def make(splits: dict[str, pd.DataFrame], *arguments: Any) -> Any:
        assert "split" not in splits["train"]
        for column in ("id", "group"):
            assert not set(splits["train"][column]) & set(splits["test"][column])
        assert not set(splits["train"]["text"].str.lower()) & set(
            splits["test"]["text"].str.lower()
        )
        trained.append((set(splits["train"]["id"]), set(splits["test"]["id"])))
        return original(splits, *arguments)

    monkeypatch.setattr(issues, "make_features", make)
    probabilities(rows)
    assert [train | test == set(rows["id"]) for train, test in trained] == [True] * 3
    # Rows of all splits, each once.
    assert sorted(each for _, test in trained for each in test) == sorted(rows["id"])


def test_each_row_gets_its_own_probabilities_whatever_the_index() -> None:
    rows = rows_with_issues()
    result = probabilities(rows, ("logistic_regression", "naive_bayes"))
    assert list(result) == ["logistic_regression", "naive_bayes"]
    words = rows["text"].str.contains("class1").to_numpy()
    for each in result.values():
        assert np.allclose(each.sum(axis=1), 1)
        assert ((each[:, 1] > 0.5) == words).all()
    moved = rows.set_axis(range(100, 100 + len(rows)), axis=0)
    assert np.array_equal(
        probabilities(moved)["logistic_regression"], result["logistic_regression"]
    )


def frame(*pairs: tuple[str, str]) -> pd.DataFrame:
    texts, labels = zip(*pairs, strict=True)
    ids = [f"r:{number}" for number in range(len(pairs))]
    return pd.DataFrame({"id": ids, "text": texts, "label": labels, "split": "train"})


def test_texts_that_differ_in_case_and_spaces_are_one_and_conflict_if_their_labels_differ() -> None:
    rows = frame(
        ("So good", "1"), ("bad", "0"), ("so  GOOD ", "0"), ("bad", "0"), ("So good.", "1")
    )
    result = find_texts(rows, np.array([1, 0, 0, 0, 1]))
    assert result.of_row.tolist() == [0, 1, 0, 1, 2]
    assert result.labels.tolist() == [SEVERAL, 0, 1]
    assert result.conflicting.tolist() == [0]
    shown = labelled_text(rows, np.flatnonzero(result.of_row == 0))
    assert shown.text == "So good"
    assert {label: each.ids for label, each in shown.rows.items()} == {
        "1": [("train", "r:0")],
        "0": [("train", "r:2")],
    }


def similar(*pairs: tuple[str, int]) -> SimilarTexts:
    return find_similar(
        [text.encode() for text, _ in pairs], np.array([label for _, label in pairs])
    )


WORDS = st.lists(st.sampled_from("abcdefg"), min_size=3, max_size=12)


@given(st.lists(st.tuples(WORDS, st.sampled_from([0, 1, SEVERAL])), min_size=1, max_size=14))
def test_all_similar_pairs_are_found_and_no_others(rows: list[tuple[list[str], int]]) -> None:
    texts = list(dict.fromkeys(" ".join(words) for words, _ in rows))
    labels = [label for _, label in rows[: len(texts)]]
    sets = [frozenset(re.findall(r"\w+", text)) for text in texts]
    expected = {}
    for a, b in combinations(range(len(texts)), 2):
        share = len(sets[a] & sets[b]) / max(1, len(sets[a] | sets[b]))
        if share >= SIMILAR - 1e-9 and (labels[a] != labels[b] or labels[a] == SEVERAL):
            expected[frozenset((sets[a], sets[b]))] = share
    result = find_similar([text.encode() for text in texts], np.array(labels))
    assert result.words_left_out == 0
    assert {frozenset((sets[a], sets[b])): share for a, b, share in result.pairs} == pytest.approx(
        expected
    )
    assert len(result.pairs) == len(expected)
    for a, b, _ in result.pairs:
        assert labels[a] != labels[b] or labels[a] == SEVERAL
    assert [pair.similarity for pair in result.pairs] == sorted(
        (pair[2] for pair in result.pairs), reverse=True
    )


# The first texts have 50 * 49 / 2 pairs, the last ones have one.
@pytest.mark.parametrize(
    ("most", "pairs", "left_out"), [(1226, 1, 0), (1225, 1, 1), (1, 1, 1), (0, 0, 2)]
)
def test_words_that_would_lead_to_too_many_pairs_are_left_out_and_counted(
    most: int, pairs: int, left_out: int
) -> None:
    texts = [
        *(f"four of five words w{n}" for n in range(50)),
        "rare one two three",
        "rare one two three last",
    ]
    result = find_similar([text.encode() for text in texts], np.array([0, 1] * 26), most)
    assert [(pair.first, pair.second) for pair in result.pairs] == [(50, 51)] * pairs
    assert result.words_left_out == left_out
