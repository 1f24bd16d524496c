"""A text of a megabyte, texts without a term, any labels: from texts to probabilities."""

import numpy as np
import pandas as pd
import pytest

from tests import samples
from tests.vectorized import vectorize_terms
from textclf.models.common.fitting import fit_model
from textclf.models.common.loading import load_model
from textclf.models.settings import KINDS
from textclf.vectorize.terms.settings import Terms

WORDS = {
    "007": "agent spy 🍜",
    "اللون": "أحمر أزرق أخضر",
    "food, good": "caf\u0301e\u0301 音楽 soup",
}
PAIRS = np.random.default_rng(0).choice(
    [chr(number) for number in range(ord("一"), ord("一") + 100)], (150_000, 2)
)
EXTREME = [
    " ".join("".join(pair) for pair in PAIRS),
    "",
    " \u3000\n",
    "?!…🤷",
    "\0",
]  # the first has a megabyte
SETTINGS = Terms.model_validate(
    {"analyzer": "word+char_wb", "char_ngram_range": (2, 2), "max_df": 0.9}
)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "sparse" in load_model(kind).ACCEPTS])
def test_extreme_texts_are_ordinary_rows(kind: str) -> None:
    labels = [label for label in WORDS for _ in range(8)]
    texts = (
        EXTREME + [f"the {WORDS[label]} and {n}" for n, label in enumerate(labels)][len(EXTREME) :]
    )
    rows = pd.DataFrame({"id": [f"c:{n}" for n in range(24)], "text": texts, "label": labels})
    part = vectorize_terms({"train": rows}, SETTINGS, list(WORDS))[0]["train"]
    assert np.diff(part.X.indptr)[:5].tolist() == [
        20_200,
        0,
        0,
        5,
        2,
    ]  # pairs, and letters beside a space
    settings = samples.settings(
        kind, **({"units": [], "batch_size": 24, "epochs": 30} if kind == "keras" else {})
    )
    datasets = {name: samples.dataset(part) for name in ("train", "test")}
    probabilities = fit_model(kind, datasets, settings, samples.FOLDERS).layers.predict_proba(
        part.X
    )
    assert np.isfinite(probabilities).all()
    assert probabilities.min() >= 0
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-12)
    if kind != "majority":
        assert (probabilities.argmax(axis=1) == part.y).mean() > 1 / 3
