"""Models that are fitted to the probabilities of a teacher."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests import samples
from tests.unit.models import networks
from tests.unit.models.stages import run_stages
from tests.unit.models.test_unknown import ROWS
from textclf.artifacts import features, predictions
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.external import External
from textclf.artifacts.features import Features
from textclf.artifacts.temperature import fit_temperature
from textclf.core.errors import UserError
from textclf.core.files import read_json, sha256_of_file
from textclf.models.common.class_weights import row_weights
from textclf.models.common.teaching import Teacher, read_teacher
from textclf.models.logistic_regression.fitting import Rows

RANDOM = np.random.default_rng(0)


def soft(part: Features, targets: Any = None) -> Features:
    """Return rows with targets, by default random ones."""
    drawn = RANDOM.dirichlet(np.ones(len(part.classes)), len(part.y))
    drawn = RANDOM.random(drawn.shape) if part.multilabel else drawn
    return replace(part, targets=drawn if targets is None else targets)


CASES = {
    "2 classes": samples.rows(2),
    "4 classes": samples.rows(4),
    "label sets": samples.label_rows(),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_logistic_regression_minimises_the_cross_entropy_with_the_targets(
    name: str, class_weight: Any
) -> None:
    part = soft(CASES[name])
    model = samples.fit(
        "logistic_regression", part, C=0.5, max_iter=1000, class_weight=class_weight
    ).layers
    weights = row_weights(part, class_weight)
    kernel, bias = model.layers[0].kernel, model.layers[0].bias
    parameters = np.vstack([kernel, bias])
    if parameters.shape[1] == 1:
        parameters = parameters[:, 0]
    gradient = (
        Rows(part.X, part.y, weights, part.targets)
        .sums(parameters, 1.0)[1:]
        .reshape(parameters.shape)
    )
    gradient[:-1] += parameters[:-1] / 0.5
    assert np.abs(gradient).max() < 0.05
    stream = samples.fit(
        "logistic_regression", part, C=0.5, solver="stream", class_weight=class_weight
    ).layers
    assert stream.predict_proba(part.X) == pytest.approx(model.predict_proba(part.X), abs=0.02)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("solver", ["lbfgs", "stream"])
def test_targets_that_are_certain_are_labels(name: str, solver: str) -> None:
    part = CASES[name]
    taught, expected = (
        samples.fit("logistic_regression", rows, solver=solver).layers.predict_proba(part.X)
        for rows in (soft(part, part.probabilities()), part)
    )
    assert taught == pytest.approx(expected, abs=1e-3)


def test_a_class_that_the_teacher_never_gives_stays_a_class() -> None:
    part = samples.rows(3)
    targets = np.tile([0.5, 0.5, 0.0], (len(part.y), 1))
    probabilities = samples.fit(
        "logistic_regression", soft(part, targets), C=[0.1, 1.0]
    ).layers.predict_proba(part.X)
    assert probabilities.shape[1] == 3
    assert probabilities[:, 2].max() < 0.05


def test_the_strength_is_chosen_by_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    part, judged = samples.rows(2), list[int]()

    def noting(y: Any, probabilities: Any) -> Any:
        judged.extend(y)
        return fit_temperature(y, probabilities)

    monkeypatch.setattr(f"{Rows.__module__}.fit_temperature", noting)
    wrong = soft(part, 1 - part.probabilities())
    assert samples.fit("logistic_regression", wrong, C=[1e-4, 10.0]).record["C"] == 1e-4
    assert sorted(judged) == sorted([*part.y, *part.y])


@pytest.mark.parametrize("shares", [[0.3, 0.7], [0.2, 0.3, 0.5], [0.8, 0.3]])
def test_a_network_learns_the_probabilities(shares: list[float]) -> None:
    part = networks.rows(20, len(shares))
    part = replace(part, X=part.X * 0, targets=np.tile(shares, (20, 1)))
    if sum(shares) > 1:  # of labels
        part = replace(part, y=np.eye(2, dtype=np.int8)[part.y])
    watched = replace(part, targets=None)
    fitted = networks.train(part, watched, networks.settings(units=[], epochs=150, batch_size=8))
    assert fitted.layers.predict_proba(part.X)[0] == pytest.approx(shares, abs=0.02)
    assert fitted.history is not None
    last = fitted.history[fitted.history["epoch"] == 150].set_index("split")["accuracy"]
    assert last["train"] == 1  # of the class that the teacher finds most probable
    assert last["watched"] == (watched.probabilities().argmax(axis=1) == np.argmax(shares)).mean()


def test_rows_that_the_teacher_lacks_keep_their_labels() -> None:
    part = samples.rows(3)
    predictions = External(
        Path("x.csv"),
        pd.Index([part.ids[2], "another", part.ids[0]]),
        np.full((3, 3), 1 / 3),
        False,
        ("a", "b", "c"),
    )
    teacher = Teacher(predictions, 2)
    taught = teacher.teach(part)
    expected = np.eye(3)[part.y]
    expected[[0, 2]] = 1 / 3
    assert np.array_equal(taught.probabilities(), expected)
    halves = Dataset(
        (lambda: part.take(np.arange(5)), lambda: part.take(np.arange(5, len(part.y)))),
        *vars_of(part),
    )
    joined = features.concatenate([*teacher.teach_all(halves).batches(), part.take(np.arange(1))])
    assert np.array_equal(joined.probabilities(), np.vstack([expected, np.eye(3)[part.y[:1]]]))


def vars_of(part: Features) -> tuple[Any, Any, int]:
    return part.classes, np.bincount(part.y), len(part.y)


@pytest.mark.parametrize(
    ("ids", "change", "reason"),
    [(["x"], "", "must have training rows to teach; got none of"), (None, " ", "must not change")],
)
def test_a_file_that_changed_or_teaches_nothing_is_one_line(
    ids: Any, change: str, reason: str, tmp_path: Path
) -> None:
    part = samples.rows(2)
    shards = samples.write_shards(part, tmp_path, 25)
    path = tmp_path / "gpt.csv"
    pd.DataFrame({"id": ids or part.ids, "label": part.classes[0]}).to_csv(path, index=False)
    noted = {"file": str(path), "sha256": sha256_of_file(path)}
    if ids is None:
        assert read_teacher(noted, shards, Dataset.of_rows(part)).rows == len(part.y)
    path.write_text(path.read_text() + change)
    with pytest.raises(UserError, match=re.escape(reason)):
        read_teacher(noted, shards, Dataset.of_rows(part))


def test_the_stage_train_fits_to_the_teacher_and_notes_how_many_rows_it_taught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ids = [f"rows.csv:{line}" for line in range(2, 122)]  # of all rows
    pd.DataFrame({"id": ids, "label": "oos"}).to_csv("gpt.csv", index=False)
    noted = {"file": "gpt.csv", "sha256": sha256_of_file(Path("gpt.csv"))}
    rows = run_stages(tmp_path, "logistic_regression", ROWS, settled=False, teacher=noted)
    result = rows.probabilities[:, list(rows.classes).index("oos")]
    record = read_json(tmp_path / "trained/model" / predictions.RECORD)
    assert record["taught"] == (rows.split == "train").sum()
    assert result.min() > 0.9
    held_out = predictions.read(tmp_path / "trained/model" / predictions.HELD_OUT)
    assert held_out.probabilities[:, list(rows.classes).index("oos")].min() > 0.9
    assert len(set(held_out.y.tolist())) == 3  # it is judged by labels
