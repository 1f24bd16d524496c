from typing import get_args

import numpy as np
import pytest
from scipy.sparse import csr_array

from tests import samples
from textclf.core.errors import UserError
from textclf.models import logistic_regression
from textclf.models.fitting import train
from textclf.params import LogisticRegression, Majority, Model
from textclf.vectorize.features import Features

CLASSES = np.array(["no", "yes"])
LR = LogisticRegression(C=1.0, solver="auto", max_iter=100, class_weight=None)


def part(name: str, counts: list[list[int]], y: list[int]) -> Features:
    ids = np.array([f"{name}:{number}" for number in range(len(y))])
    return Features(ids, csr_array(np.array(counts)), np.array(y), CLASSES)


SPLITS = {
    "train": part("a", [[2, 0], [1, 0], [0, 1], [0, 3]], [1, 1, 0, 0]),
    "validation": part("b", [[1, 1]], [1]),
    "test": part("c", [[0, 2], [5, 0]], [1, 0]),
}


def test_every_row_of_every_split_is_predicted_in_order() -> None:
    rows = train("logistic_regression", SPLITS, LR).predictions
    assert rows["id"].tolist() == ["a:0", "a:1", "a:2", "a:3", "b:0", "c:0", "c:1"]
    assert rows["split"].tolist() == ["train"] * 4 + ["validation"] + ["test"] * 2
    assert rows["label"].tolist() == ["yes", "yes", "no", "no", "yes", "yes", "no"]
    model = logistic_regression.fit(SPLITS["train"], SPLITS["test"], LR)
    for name, features in SPLITS.items():
        found = rows.loc[rows["split"] == name, ["probability_no", "probability_yes"]].to_numpy()
        assert np.array_equal(found, model.predict_proba(features.X))


@pytest.mark.parametrize("watched", ["validation", "test"])
def test_validation_rows_are_watched_where_there_are_some(watched: str) -> None:
    splits = {name: features for name, features in SPLITS.items() if name != "validation" or watched == name}
    assert train("majority", splits, Majority()).watched == watched


def test_the_model_watches_the_rows_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Features] = []

    def fit(train: Features, watched: Features, settings: LogisticRegression) -> object:
        seen.extend((train, watched))
        return original(train, watched, settings)

    original = logistic_regression.fit
    monkeypatch.setattr(logistic_regression, "fit", fit)
    trained = train("logistic_regression", SPLITS, LR)
    assert seen == [SPLITS["train"], SPLITS[trained.watched]]


@pytest.mark.parametrize("model", get_args(Model))
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_training_rows_that_lack_a_class_are_an_error(model: str, missing: int) -> None:
    rows = samples.rows(3)
    some = samples.taken(rows, np.flatnonzero(rows.y != missing))
    with pytest.raises(UserError) as error:
        train(model, {"train": some, "test": rows}, samples.settings(model))
    (line,) = error.value.lines
    assert line.startswith(
        f"the training rows must hold every class; class class {missing} has none of {len(some.y)}: "
    )
