"""Small models and their exported folders, for the tests of predictions."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from textclf.artifacts import conformal, layers, statement
from textclf.artifacts.conformal import CONFORMAL, Conformal, Group
from textclf.artifacts.decisions import DECISION, Calibration, Decision, write_decision
from textclf.artifacts.layers import Layer, LayerModel
from textclf.predict.predictor import Predictor
from textclf.vectorize import representation
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

MADE_OF_NOTHING = {
    "externalParameters": {"model": "model", "params": {}},
    "resolvedDependencies": [],
}
WEIGHTS = {"bad": -3.0, "food": 0.25, "great": 2.0, "place": 0.5}


def fit_vectorizer(**settings: object) -> Vectorizer:
    """A vectorizer of the words of `WEIGHTS`, in their order."""
    return Vectorizer.fit(["bad food", "great place", "great food"], Terms.model_validate(settings))


def two_classes(
    threshold: float = 0.5,
    calibration: Calibration | None = None,
    intercept: float = -0.5,
    **settings: object,
) -> Predictor:
    """A linear model of the classes no and yes with the weights `WEIGHTS`."""
    model = layers.linear(
        ("no", "yes"), np.array([list(WEIGHTS.values())]), np.array([intercept]), "sigmoid"
    )
    return Predictor(fit_vectorizer(**settings), model, Decision(threshold, calibration))


def three_classes(classes: Sequence[str] = ("a", "b", "c")) -> Predictor:
    kernel = np.array([[2.0, 0.0, -1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 3.0], [0.0, 0.0, 0.0]])
    return Predictor(
        fit_vectorizer(),
        LayerModel(tuple(classes), (Layer(kernel, np.zeros(3), "softmax"),)),
        Decision(),
    )


def many_classes() -> Predictor:
    kernel = np.arange(44.0).reshape(4, 11) % 7
    classes = tuple(f"intent {number}" for number in range(11))
    return Predictor(
        fit_vectorizer(), LayerModel(classes, (Layer(kernel, np.zeros(11), "softmax"),)), Decision()
    )


def several_labels() -> Predictor:
    """A linear model of the labels bad, food and "good, great"; food has a high threshold."""
    kernel = np.array([[2.0, 0.0, -3.0], [0.5, 1.0, 0.0], [-1.0, 0.0, 3.0], [0.0, 0.25, 0.5]])
    layer = Layer(kernel, np.array([-1.0, 0.0, -1.0]), layers.SIGMOIDS)
    model = LayerModel(("bad", "food", "good, great"), (layer,))
    return Predictor(fit_vectorizer(), model, Decision(thresholds=(0.5, 0.7, 0.5)))


def network() -> Predictor:
    generator = np.random.default_rng(0)
    hidden = Layer(generator.normal(size=(4, 3)), generator.normal(size=3), "relu")
    last = Layer(generator.normal(size=(3, 1)), np.zeros(1), "sigmoid")
    return Predictor(fit_vectorizer(), LayerModel(("no", "yes"), (hidden, last)), Decision(0.5))


def shares() -> Predictor:
    """A model that ignores the text: class yes has the probability 0.75."""
    model = layers.linear(("no", "yes"), np.empty((2, 0)), np.log([0.25, 0.75]), "softmax")
    return Predictor(fit_vectorizer(), model, Decision(0.5))


def doubting(predictor: Predictor, rows: int = 100, by_class: bool = False) -> Predictor:
    """A model with scores of so many validation rows, of evenly spaced probabilities."""
    group = Group.of(np.arange(1, rows + 1) / (rows + 1))
    scores = Conformal((group,) * (len(predictor.classes_) if by_class else 1))
    return Predictor(predictor.vectorizer, predictor.model, predictor.decision, scores)


def state(folder: Path) -> None:
    """Write the statement of the files in a model's folder."""
    (folder / statement.PROVENANCE).unlink(missing_ok=True)
    own = {"externalParameters": {"model": folder.name, "params": {}}}
    statement.write(folder, {**MADE_OF_NOTHING, **own}, "0.2.0")


def export(predictor: Predictor, folder: Path) -> Path:
    """Write the files of a model as the export stage does."""
    folder.mkdir(parents=True)
    layers.write(predictor.model, folder)
    representation.write(predictor.vectorizer, folder / representation.VECTORIZER)
    write_decision(predictor.decision, folder / DECISION)
    if predictor.conformal is not None:
        conformal.write(folder / CONFORMAL, {folder.name: predictor.conformal})
    state(folder)
    return folder
