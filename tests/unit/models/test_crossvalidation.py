"""Cross-validation within the training rows."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from tests import samples
from tests.conftest import run_stage
from textclf.artifacts import checked
from textclf.artifacts.features import Features, concatenate, stack_columns
from textclf.artifacts.predictions import HELD_OUT, Predictions
from textclf.models import majority
from textclf.models.common import crossvalidation
from textclf.models.common.crossvalidation import (
    FOLDS,
    MORE_FOLDS,
    NEVER_HELD_OUT,
    as_new_texts,
    assign_folds,
    crossvalidate,
    draw_rows,
    fold_count,
    sample_rows,
)
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=60).map(
    lambda y: np.unique(y, return_inverse=True)[1]
)
FITTED, OTHERS = (
    ["good food", "bad food", "good place"],
    ["good pizza", "bad place at the corner", "pizza", ""],
)


@given(LABELS)
def test_folds_share_each_class_evenly(y: np.ndarray) -> None:
    folds = assign_folds(y, np.arange(len(y)))
    for label, count in enumerate(np.bincount(y)):
        held_out = folds[y == label]
        if count < FOLDS:
            assert set(held_out) == {NEVER_HELD_OUT}
        else:
            sizes = np.bincount(held_out, minlength=MORE_FOLDS)
            assert len(sizes) == fold_count(len(y)) == MORE_FOLDS
            assert sizes.max() - sizes.min() <= 1


def test_all_rows_take_part_if_there_are_few(tmp_path: Path) -> None:
    rows = samples.rows(3)
    shards = samples.write_shards(rows, tmp_path, 25)
    assert draw_rows(shards).ids.tolist() == rows.ids.tolist()


@given(LABELS)
def test_a_sample_of_the_rows_has_enough_of_each_class(
    tmp_path_factory: pytest.TempPathFactory, y: np.ndarray
) -> None:
    part = samples.rows(5)
    rows = samples.take(part, np.concatenate([np.flatnonzero(part.y == label)[:1] for label in y]))
    shards = samples.write_shards(rows, tmp_path_factory.mktemp("shards"), 8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crossvalidation, "FEWEST_ROWS", 18)
        patch.setattr(crossvalidation, "PER_CLASS", 0)
        drawn = draw_rows(shards)
    counts = np.bincount(y)
    assert len(drawn.y) == min(len(y), max(18, FOLDS * len(counts)))
    assert (np.bincount(drawn.y, minlength=len(counts)) >= np.minimum(counts, FOLDS)).all()


@pytest.mark.parametrize("rows", [samples.rows(3), samples.label_rows()], ids=["classes", "labels"])
@pytest.mark.parametrize(
    "model", ["majority", "naive_bayes", "logistic_regression", "linear_svm", "nb_svm"]
)
def test_a_row_is_predicted_by_a_model_that_did_not_see_it(model: str, rows: Features) -> None:
    held_out = crossvalidate(model, rows, samples.settings(model), samples.FOLDERS)
    assert isinstance(held_out, Predictions)
    assert sorted(held_out.ids) == sorted(rows.ids)
    assert list(dict.fromkeys(held_out.split)) == [
        f"fold {number}" for number in range(1, MORE_FOLDS + 1)
    ]
    place = {row: number for number, row in enumerate(rows.ids)}
    positions = np.array([place[row] for row in held_out.ids])
    assert held_out.y.tolist() == rows.y[positions].tolist()
    first = held_out.split == "fold 1"
    others = samples.take(rows, np.sort(positions[~first]))
    expected = samples.fit(model, others).layers.predict_proba(rows.X[positions[first]])
    np.testing.assert_array_equal(held_out.probabilities[first], expected)


def test_rows_of_a_cluster_are_in_one_fold_and_each_fold_has_clusters_of_each_class() -> None:
    clusters = np.random.default_rng(0).permutation(np.arange(90) // 3)
    y = (clusters % 2).astype(np.int64)
    y[clusters >= 28] = 2  # a class of two clusters
    folds = assign_folds(y, clusters)
    assert all(len(set(folds[clusters == cluster])) == 1 for cluster in range(30))
    assert (folds[y == 2] == NEVER_HELD_OUT).all()
    for label in (0, 1):
        assert set(np.bincount(folds[y == label]) // 3) <= {2, 3}
    rows = samples.rows(2)
    pairs = np.arange(len(rows.y)) // 2
    held_out = crossvalidate(
        "majority", rows, samples.settings("majority"), samples.FOLDERS, pairs.astype(np.uint64)
    )
    assert held_out is not None
    fold = dict(zip(held_out.ids.tolist(), held_out.split.tolist(), strict=True))
    assert all(
        fold[first] == fold[second]
        for first, second in zip(rows.ids[::2], rows.ids[1::2], strict=False)
    )


def test_more_rows_have_fewer_folds() -> None:
    for rows, folds in ((999, 5), (1000, 3)):
        assert (
            set(assign_folds(np.arange(rows) % 2, np.arange(rows)))
            == set(range(folds))
            == set(range(fold_count(rows)))
        )


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_every_fold_trains_on_two_rows_with_each_label_and_two_without(
    seed: int, clustered: bool
) -> None:
    generator = np.random.default_rng(seed)
    y = (generator.random((60, 12)) < generator.choice([0.03, 0.05, 0.97], 12)).astype(np.int8)
    clusters = np.arange(60) // 2 if clustered else np.arange(60)
    folds = assign_folds(y, clusters)
    for fold in set(folds) - {NEVER_HELD_OUT}:
        for value in (0, 1):
            assert (
                (y[folds != fold] == value).sum(axis=0) >= np.minimum((y == value).sum(axis=0), 2)
            ).all()
    assert all(len(set(folds[clusters == cluster])) == 1 for cluster in clusters)


def test_too_few_rows_of_a_class_are_not_cross_validated() -> None:
    part = samples.rows(2)
    rows = concatenate(
        [
            samples.take(part, np.flatnonzero(part.y == label)[:count])
            for label, count in ((0, 9), (1, 1))
        ]
    )
    for model, is_none in (
        ("logistic_regression", False),
        ("linear_svm", True),
    ):  # which needs two rows per class
        assert (
            crossvalidate(model, rows, samples.settings(model), samples.FOLDERS) is None
        ) is is_none
    single = samples.take(part, np.array([np.flatnonzero(part.y == label)[0] for label in (0, 1)]))
    assert crossvalidate("majority", single, samples.settings("majority"), samples.FOLDERS) is None


def test_a_model_may_take_too_long_to_be_cross_validated_on_many_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = samples.rows(3)
    for most, is_none in ((len(rows.y), False), (len(rows.y) - 1, True)):
        monkeypatch.setattr(majority, "CROSSVALIDATED", most, raising=False)
        held_out = crossvalidate("majority", rows, samples.settings("majority"), samples.FOLDERS)
        assert (held_out is None) is is_none


@pytest.mark.parametrize(
    ("classes", "rows", "drawn"),
    [(2, 5000, 3000), (77, 9000, 7700), (300, 25_000, 20_000), (7000, 30_000, 21_000)],
)
def test_many_classes_take_more_rows(classes: int, rows: int, drawn: int) -> None:
    assert sample_rows(np.arange(rows) % classes).sum() == drawn


@pytest.mark.parametrize("named", [True, False])
def test_rows_are_held_out_only_if_something_is_chosen(project: Path, named: bool) -> None:
    checked.write_default(project / "data" / "default.json", settled=named)
    run_stage(project, "train")
    assert (project / "data" / "trained" / "majority" / HELD_OUT).exists() is not named


def make_vectors(analyzer: str, weighting: str) -> csr_array:
    settings = Terms.model_validate({"analyzer": analyzer, "weighting": weighting})
    return Vectorizer.fit([*FITTED, *OTHERS], settings).transform([*FITTED, *OTHERS])


@pytest.mark.parametrize("analyzer", ["word", "word+char_wb"])
def test_rows_of_tfidf_get_their_length_back_without_the_terms_that_no_fitted_row_has(
    analyzer: str,
) -> None:
    X = make_vectors(analyzer, "tfidf")
    known = np.flatnonzero(X[:3].sum(axis=0))
    new = as_new_texts(X[:3], X[3:])[:, known].toarray()
    before = X[3:][:, known].toarray()
    lengths = np.linalg.norm(before, axis=1, keepdims=True)
    whole = np.linalg.norm(X[3].toarray())  # 1 for each analyzer
    np.testing.assert_allclose(new, whole * before / np.where(lengths > 0, lengths, 1))
    assert np.linalg.norm(new[0]) == pytest.approx(whole)


@pytest.mark.parametrize("weighting", ["counts", "binary"])
def test_counts_and_dense_vectors_stay(weighting: str) -> None:
    X = make_vectors("word", weighting)
    np.testing.assert_array_equal(as_new_texts(X[:3], X[3:]).toarray(), X[3:].toarray())
    dense = np.ones((4, 2), np.float32)
    assert (as_new_texts(dense[:2], dense[2:]) == dense[2:]).all()


def test_only_the_terms_beside_sentence_vectors_are_scaled() -> None:
    X, vectors = make_vectors("word", "tfidf"), np.full((7, 2), 0.5, np.float32)
    both = stack_columns([X, vectors], [0.7, 2.0])
    new = as_new_texts(both[:3], both[3:]).toarray()
    np.testing.assert_allclose(new[:, -2:], 1.0)
    np.testing.assert_allclose(new[:, :-2], 0.7 * as_new_texts(X[:3], X[3:]).toarray())
