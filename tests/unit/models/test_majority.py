from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from tests import samples
from textclf.models import majority
from textclf.params import Majority
from textclf.vectorize.features import Features


def fitted() -> majority.Majority:
    rows = Features(np.array(["a", "b", "c", "d"]), csr_array((4, 2)), np.array([1, 1, 0, 1]), np.array(["no", "yes"]))
    return majority.fit(rows, rows, Majority())


def test_each_class_gets_its_share_of_the_training_rows() -> None:
    assert fitted().predict_proba(csr_array((3, 2))).tolist() == [[0.25, 0.75]] * 3


def test_of_more_classes_each_gets_its_share_too() -> None:
    part = samples.rows(6)
    model = majority.fit(part, part, Majority())
    assert model.predict_proba(part.X[:1])[0] == pytest.approx(np.bincount(part.y) / len(part.y))
    assert model.record == {"parameters": 5}


def test_no_row_gives_no_prediction() -> None:
    assert fitted().predict_proba(csr_array((0, 2))).shape == (0, 2)


def test_it_has_one_parameter_less_than_classes_and_no_epochs() -> None:
    assert fitted().record == {"parameters": 1}
    assert fitted().history is None


def test_its_summary_is_the_shares() -> None:
    assert fitted().summary() == "class no: 0.250, class yes: 0.750"


def test_what_is_saved_predicts_the_same(tmp_path: Path) -> None:
    again = samples.saved(fitted(), tmp_path)
    assert again.classes == ("no", "yes")
    assert again.predict_proba(csr_array((3, 2))) == pytest.approx(np.array([[0.25, 0.75]] * 3))
