"""A representation, a model and a number of classes together, from texts to metrics."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from tests import samples
from tests.vectorized import vectorize_terms
from textclf.artifacts import predictions
from textclf.artifacts.features import Features
from textclf.artifacts.predictions import Predictions
from textclf.evaluate.measure import measure
from textclf.evaluate.settings import Evaluate
from textclf.models.common.fitting import fit_model, predict
from textclf.models.common.loading import load_model
from textclf.models.settings import KINDS as ALL_MODELS
from textclf.vectorize.terms.settings import Terms

CLASSES = ["food, good", "اللون", "音楽 1", "007", "True", "sport"]  # labels of any kind
WORDS = [
    "soup bread cheese salad cook tasty 🍜",
    "أحمر أزرق أخضر أصفر أبيض لون",
    "音楽 歌 ギター ピアノ 曲 演奏",
    "agent secret spy martini gadget villain",
    "yes true correct right indeed certainly",
    "ball goal team player caf\u0301e\u0301 league match",
]
COMMON = "the and not very a of is was it this"
MODELS = [name for name in ALL_MODELS if "sparse" in load_model(name).ACCEPTS]
REPRESENTATIONS: dict[str, dict[str, object]] = {
    "counts": {},
    "binary": {"weighting": "binary"},
    "tfidf": {"weighting": "tfidf"},
    "tfidf_sublinear": {"weighting": "tfidf", "sublinear_tf": True},
    "word_pairs": {"ngram_range": (1, 2)},
    "char": {"analyzer": "char", "char_ngram_range": (1, 3)},
    "char_wb": {"analyzer": "char_wb", "char_ngram_range": (2, 3)},
    "word+char": {"analyzer": "word+char", "char_ngram_range": (1, 2), "weighting": "tfidf"},
    "word+char_wb": {"analyzer": "word+char_wb", "ngram_range": (1, 2), "weighting": "tfidf", "sublinear_tf": True},
    "hashing": {"analyzer": "word+char_wb", "hashing": 512, "weighting": "tfidf"},
    "max_features": {"max_features": 20, "min_df": 2, "max_df": 0.9, "lowercase": False},
}
# One step per epoch, which XLA compiles faster than two kinds of blocks.
KERAS = {"units": [], "batch_size": 1000, "epochs": 10, "learning_rate": 0.1}
# Each representation once, with the models and numbers of classes in turn; and each model.
COMBINATIONS = [(name, MODELS[n % len(MODELS)], (2, 3, 6)[n % 3]) for n, name in enumerate(REPRESENTATIONS)]


def corpus(classes: int) -> dict[str, pd.DataFrame]:
    """Return rows of the first classes, more of the first than of the others; one row per split has no known word."""
    generator = np.random.default_rng(classes)
    splits = {}
    for split, count in (("train", 8), ("test", 3)):
        labels = CLASSES[:1] * 4 + CLASSES[:classes] * count
        words = [WORDS[CLASSES.index(label)].split() for label in labels]
        texts = [" ".join([*generator.choice(own, 4), *generator.choice(COMMON.split(), 3)]) for own in words]
        texts[-1] = "?!" if split == "test" else texts[-1].upper()
        splits[split] = pd.DataFrame(
            {"id": [f"{split}:{number}" for number in range(len(labels))], "text": texts, "label": labels}
        )
    return splits


@cache
def vectorize(representation: str, classes: int) -> dict[str, Features]:
    settings = Terms.model_validate(REPRESENTATIONS[representation])
    return vectorize_terms(corpus(classes), settings, CLASSES[:classes])[0]


def fit_and_predict(model: str, splits: dict[str, Features]) -> Predictions:
    settings = samples.settings(model, **(KERAS if model == "keras" else {}))
    datasets = {name: samples.dataset(part) for name, part in splits.items()}
    fitted = fit_model(model, datasets, settings, samples.FOLDERS)
    return predictions.concatenate([predict(fitted.layers, name, part) for name, part in splits.items()])


def assert_shares(probabilities: NDArray[np.float64]) -> None:
    assert np.isfinite(probabilities).all()
    assert probabilities.min() >= 0
    assert np.abs(probabilities.sum(axis=1) - 1).max() < 1e-12


@pytest.mark.parametrize(("representation", "model", "classes"), COMBINATIONS)
def test_a_combination_learns_and_is_measured(representation: str, model: str, classes: int) -> None:
    splits = vectorize(representation, classes)
    rows = fit_and_predict(model, splits)
    assert rows.probabilities.shape == (sum(len(part.y) for part in splits.values()), classes)
    assert rows.y.tolist() == np.concatenate([part.y for part in splits.values()]).tolist()
    assert_shares(rows.probabilities)

    measured, _ = measure({model: [rows]}, Evaluate(), stratified=False)
    for split, part in measured.items():
        metrics = part.metrics(model)
        assert {"accuracy", "balanced_accuracy", "f1", "log_loss", "mcc", "roc_auc"} <= set(metrics)
        assert np.isfinite(list(metrics.values())).all()
        largest = np.bincount(splits[split].y).max() / len(splits[split].y)
        if model == "majority":
            assert metrics["accuracy"] == pytest.approx(largest, abs=1e-6)
        elif split == "train":
            assert metrics["accuracy"] > largest
    for name in ("confusion", "roc", "precision_recall"):
        assert np.isfinite(measured["test"].tables(model)[name].select_dtypes("number").to_numpy()).all()


@cache
def extremes() -> dict[str, Features]:
    """Return rows with a text of a megabyte and texts that are blank or hold no word."""
    letters = [chr(number) for number in range(ord("一"), ord("一") + 100)]
    megabyte = " ".join("".join(pair) for pair in np.random.default_rng(0).choice(letters, (150_000, 2)))
    assert len(megabyte.encode()) > 10**6
    splits = corpus(3)
    for rows in splits.values():
        rows.loc[rows.index[:5], "text"] = [megabyte, "", " \u3000\n", "?!…🤷", "\0"]
    settings = Terms.model_validate({"analyzer": "word+char_wb", "char_ngram_range": (2, 2), "max_df": 0.9})
    return vectorize_terms(splits, settings, CLASSES[:3])[0]


@pytest.mark.parametrize("model", MODELS)
def test_a_text_of_a_megabyte_and_texts_without_a_term_are_ordinary_rows(model: str) -> None:
    splits = extremes()
    X, y = splits["train"].X, splits["train"].y
    assert np.diff(X.indptr)[:5].tolist() == [20_200, 0, 0, 5, 2]  # pairs, and letters beside a space
    probabilities = fit_and_predict(model, splits).probabilities
    assert_shares(probabilities)
    if model != "majority":
        assert (probabilities[: len(y)].argmax(axis=1) == y).mean() > np.bincount(y).max() / len(y)
