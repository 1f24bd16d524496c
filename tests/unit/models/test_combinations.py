"""Every representation, model and number of classes together, from texts to metrics."""

from functools import cache
from itertools import product
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from tests import samples
from tests.settings import TEXT
from textclf.evaluate import evaluation
from textclf.models.fitting import train
from textclf.params import Model, Vectorize, parse
from textclf.vectorize import features
from textclf.vectorize.features import Features

PARAMS = parse(TEXT)
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
MODELS = get_args(Model)
# One step an epoch, which XLA compiles faster than two kinds of blocks.
KERAS = {"units": [], "batch_size": 1000, "epochs": 10, "learning_rate": 0.1}


def corpus(classes: int) -> dict[str, pd.DataFrame]:
    """Rows of the first classes, more of the first than of the others; one of each split has no known word."""
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
def vectors(representation: str, classes: int) -> dict[str, Features]:
    settings = Vectorize.model_validate(PARAMS.vectorize.model_dump() | REPRESENTATIONS[representation])
    return features.vectorize(corpus(classes), settings, CLASSES[:classes])[0]


def assert_shares(probabilities: NDArray[np.float64]) -> None:
    assert np.isfinite(probabilities).all()
    assert probabilities.min() >= 0
    assert np.abs(probabilities.sum(axis=1) - 1).max() < 1e-12


@pytest.mark.parametrize(
    ("representation", "model", "classes"),
    [pytest.param(*chosen, id="-".join(map(str, chosen))) for chosen in product(REPRESENTATIONS, MODELS, (2, 3, 6))],
)
def test_every_combination_learns_and_is_measured(representation: str, model: str, classes: int) -> None:
    splits = vectors(representation, classes)
    settings = samples.settings(model, **(KERAS if model == "keras" else {}))
    rows = train(model, splits, settings).predictions

    y, probabilities = evaluation.arrays(rows)
    assert probabilities.shape == (sum(len(part.y) for part in splits.values()), classes)
    assert y.tolist() == np.concatenate([part.y for part in splits.values()]).tolist()
    assert_shares(probabilities)

    decided = evaluation.decisions({model: rows}, PARAMS.evaluate)[0][model]
    for split, part in decided.groupby("split"):
        measured = evaluation.metrics(part)
        assert {"accuracy", "balanced_accuracy", "f1", "log_loss", "mcc", "roc_auc"} <= set(measured)
        assert np.isfinite(list(measured.values())).all()
        largest = np.bincount(splits[str(split)].y).max() / len(part)
        if model == "majority":
            assert measured["accuracy"] == pytest.approx(largest, abs=1e-6)
        elif split == "train":
            assert measured["accuracy"] > largest
    for curve in (evaluation.confusion, evaluation.roc, evaluation.precision_recall):
        table = curve(decided[decided["split"] == "test"])
        assert np.isfinite(table.select_dtypes("number").to_numpy()).all()


@cache
def extremes() -> dict[str, Features]:
    """Rows among which are a text of a megabyte, and texts that are blank or hold no word."""
    letters = [chr(number) for number in range(ord("一"), ord("一") + 100)]
    megabyte = " ".join("".join(pair) for pair in np.random.default_rng(0).choice(letters, (150_000, 2)))
    assert len(megabyte.encode()) > 10**6
    splits = corpus(3)
    for rows in splits.values():
        rows.loc[rows.index[:5], "text"] = [megabyte, "", " \u3000\n", "?!…🤷", "\0"]
    chosen = {"analyzer": "word+char_wb", "char_ngram_range": (2, 2), "max_df": 0.9}
    settings = Vectorize.model_validate(PARAMS.vectorize.model_dump() | chosen)
    return features.vectorize(splits, settings, CLASSES[:3])[0]


@pytest.mark.parametrize("model", MODELS)
def test_a_text_of_a_megabyte_and_texts_without_a_term_are_rows_like_any_other(model: str) -> None:
    splits = extremes()
    X, y = splits["train"].X, splits["train"].y
    assert np.diff(X.indptr)[:5].tolist() == [20_200, 0, 0, 5, 2]  # pairs, and letters beside a space
    rows = train(model, splits, samples.settings(model, **(KERAS if model == "keras" else {}))).predictions
    _, probabilities = evaluation.arrays(rows)
    assert_shares(probabilities)
    if model != "majority":
        assert (probabilities[: len(y)].argmax(axis=1) == y).mean() > np.bincount(y).max() / len(y)
