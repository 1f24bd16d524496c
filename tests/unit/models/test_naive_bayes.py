import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.naive_bayes import MultinomialNB

from tests import samples
from textclf.models.common.fitted import Fitted

each_number_of_classes = pytest.mark.parametrize("classes", [2, 3, 6])


def fit(classes: int = 2, **changes: object) -> Fitted:
    return samples.fit("naive_bayes", samples.rows(classes), **changes)


@pytest.mark.parametrize("alpha", [0.01, 1.0])
@each_number_of_classes
def test_it_is_the_estimator_of_scikit_learn(classes: int, alpha: float) -> None:
    part = samples.rows(classes)
    estimator = MultinomialNB(alpha=alpha).fit(part.X, part.y)
    model = fit(classes, alpha=alpha).layers
    assert model.predict_proba(part.X) == pytest.approx(estimator.predict_proba(part.X), rel=1e-12)
    assert np.array_equal(model.layers[0].kernel, estimator.feature_log_prob_.T)
    assert np.array_equal(model.layers[0].bias, estimator.class_log_prior_)


def test_a_class_of_double_weight_is_a_class_whose_rows_occur_twice() -> None:
    part = samples.rows(3)
    weighted = fit(3, class_weight={"class 0": 1, "class 1": 2, "class 2": 3}).layers.predict_proba(
        part.X
    )
    repeated = samples.fit(
        "naive_bayes", samples.take(part, np.repeat(np.arange(len(part.y)), part.y + 1))
    )
    assert weighted == pytest.approx(repeated.layers.predict_proba(part.X), rel=1e-12)
    assert np.abs(weighted - fit(3).layers.predict_proba(part.X)).max() > 0.1


def test_balanced_classes_are_equally_probable_without_a_term() -> None:
    empty = csr_array((1, samples.TERMS), dtype=np.int64)
    balanced = fit(3, class_weight="balanced").layers
    assert balanced.predict_proba(empty) == pytest.approx(np.full((1, 3), 1 / 3))
    part = samples.rows(3)
    assert fit(3).layers.predict_proba(empty)[0] == pytest.approx(np.bincount(part.y) / len(part.y))


def test_probabilities_of_a_row_of_millions_of_words_sum_to_1() -> None:
    part = samples.rows()
    ambiguous = samples.take(
        part, np.arange(len(part.y)).repeat(2)
    )  # each row once in either class
    ambiguous = dataclasses.replace(ambiguous, y=np.arange(len(ambiguous.y)) % 2)
    model = samples.fit("naive_bayes", ambiguous).layers
    probabilities = model.predict_proba(csr_array(np.full((1, samples.TERMS), 10**7)))
    assert probabilities[0].tolist() == pytest.approx([0.5, 0.5], abs=1e-15)


def test_the_smallest_alpha_leaves_all_numbers_finite() -> None:
    part = samples.rows(2)
    X = part.X.copy()
    X.data[X.indices == 0] *= (part.y == 0).repeat(np.diff(X.indptr))[
        X.indices == 0
    ]  # a term of one class only
    X.eliminate_zeros()
    part = dataclasses.replace(part, X=X)
    model = samples.fit("naive_bayes", part, alpha=5e-324).layers
    assert np.isfinite(model.layers[0].kernel).all()
    assert np.isfinite(model.predict_proba(part.X)).all()


@pytest.mark.parametrize(
    "given", ["balanced", {"class 0": 0.1, "class 1": 2.0, "class 2": 7.0}], ids=str
)
@pytest.mark.parametrize("alpha", [0.01, 1.0])
def test_rows_of_several_batches_are_weighted_by_all_rows(
    tmp_path: Path, alpha: float, given: object
) -> None:
    part = samples.rows(3)
    shards = samples.write_shards(part, tmp_path, 7)
    batches, together = (
        samples.fit("naive_bayes", rows, alpha=alpha, class_weight=given).layers.layers[0]
        for rows in (shards, part)
    )
    assert batches.kernel == pytest.approx(together.kernel, rel=1e-13)
    assert batches.bias == pytest.approx(together.bias, rel=1e-13)
