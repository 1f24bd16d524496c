import numpy as np
import pytest
from scipy.sparse import csr_array

from tests import samples
from textclf.artifacts.features import Features
from textclf.models.common.fitted import Fitted

ROWS = Features(
    np.array(["a", "b", "c", "d"]),
    csr_array((4, 2)),
    np.array([1, 1, 0, 1]),
    np.array(["no", "yes"]),
)


def fit() -> Fitted:
    return samples.fit("majority", ROWS)


def test_each_class_gets_its_share_of_the_training_rows() -> None:
    assert fit().layers.predict_proba(csr_array((3, 2))) == pytest.approx(
        np.array([[0.25, 0.75]] * 3), rel=1e-15
    )
    part = samples.rows(6)
    shares = np.bincount(part.y) / len(part.y)
    assert samples.fit("majority", part).layers.predict_proba(part.X[:1])[0] == pytest.approx(
        shares
    )


def test_its_summary_is_the_shares_of_many_classes_the_ends() -> None:
    assert str(fit()) == "share of each class: no (0.250), yes (0.750)"
    y, names = (
        np.repeat(np.arange(77), [1, *[2] * 75, 5]),
        np.array([f"c{number}" for number in range(77)]),
    )
    many = samples.fit("majority", Features(y.astype(str), csr_array((len(y), 2)), y, names))
    assert str(many) == "share of each class: from 0.006 (c0) to 0.032 (c76)"
