"""Exported models with damaged files: the same predictions as before, or an error, never others."""

from pathlib import Path

import numpy as np
import pytest

import textclf
from tests.faults import damage
from tests.faults.campaign import seed, tries
from textclf.artifacts import layers
from textclf.artifacts.decisions import Decision, Platt, Temperature, write_index
from textclf.artifacts.layers import Layer, LayerModel
from textclf.export import folder
from textclf.predict.predictor import find_model
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

pytestmark = pytest.mark.slow

TEXTS = ["The food was great, great!", "bad food", "", "nothing that is known", "not a bad place 7"]
TRAINED = ["bad food", "great place", "great food, not bad", "a place to be", "food 7 of 10"]


def make_model(kind: str, vectorizer: Vectorizer) -> LayerModel:
    """Return a model of random weights: linear, or with a hidden layer for `network`."""
    generator = np.random.default_rng(0)
    columns = len(vectorizer.terms())
    if kind == "network":
        hidden = Layer(generator.normal(size=(columns, 3)), generator.normal(size=3), "relu")
        return LayerModel(("0", "1"), (hidden, Layer(generator.normal(size=(3, 1)), np.zeros(1), "sigmoid")))
    return layers.linear(("0", "1"), generator.normal(size=(1, columns)), np.array([0.5]), "sigmoid")


MODELS = {
    "linear": ({}, Decision(0.5)),
    "network": ({}, Decision(0.4, Temperature(1.7))),
    "tfidf": ({"weighting": "tfidf", "analyzer": "word+char", "ngram_range": [1, 2]}, Decision(0.5, Platt(1.5, -0.25))),
    "hashing": ({"weighting": "tfidf", "hashing": 64}, Decision(0.5)),
}


@pytest.mark.parametrize("name", MODELS)
def test_damage_of_one_file_never_changes_a_prediction(name: str, tmp_path: Path) -> None:
    settings, decision = MODELS[name]
    vectorizer = Vectorizer.fit(TRAINED, Terms.model_validate(settings))
    (trained := tmp_path / "trained").mkdir()
    layers.write(make_model(name, vectorizer), trained)
    (trained / "model.keras").write_bytes(b"what Keras opens")
    models = tmp_path / "models"
    models.mkdir()
    write_index(name, [name], models)
    folder.write(models / name, trained, layers.read(trained), vectorizer, decision, "# A model card\n")

    def answer() -> tuple[bytes, list[str]]:
        predictor = textclf.load(find_model(models, None))
        return predictor.predict_proba(TEXTS).tobytes(), predictor.predict(TEXTS)

    files = sorted(path for path in models.rglob("*") if path.is_file())
    kinds = (damage.flip, damage.flip, damage.flip, damage.cut, damage.blank)
    assert damage.silent_answers(files, answer, tries(400), seed(), kinds) == []
