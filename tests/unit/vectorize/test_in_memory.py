"""Splits in memory, with one representation or several."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.unit.vectorize.lengths import Lengths
from textclf.vectorize import in_memory, representation
from textclf.vectorize.in_memory import vectorize_splits
from textclf.vectorize.settings import Combine, Vectorize

SPLITS = {
    "train": pd.DataFrame({"id": ["a", "b"], "text": ["good food", "bad"], "label": ["yes", "no"]}),
    "test": pd.DataFrame({"id": ["c", "d"], "text": ["good", "good food"], "label": ["yes", "no"]}),
}


def test_representations_stand_side_by_side_scaled_by_the_training_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths, fit = Lengths(), representation.fit

    def fit_either(texts: Iterable[str], settings: Any, pretrained: Path) -> Any:
        return lengths if settings.method == "encoder" else fit(texts, settings, pretrained)

    monkeypatch.setattr(representation, "fit", fit_either)
    in_memory._remembering.cache_clear()
    vectorize = Vectorize.model_validate({"words": {}, "sentences": {"method": "encoder"}})
    combine = Combine.model_validate({"both": {"first": "words", "second": "sentences"}})
    for _ in range(2):
        features = vectorize_splits(SPLITS, "both", vectorize, combine, ["no", "yes"], Path())
        train = features["train"].X.toarray()
        assert (train[:, :3] ** 2).sum(axis=1).mean() == pytest.approx(1)
        assert train[:, 3] == pytest.approx(np.array([9, 3]) / (90 / 2) ** 0.5)
        assert features["test"].y.tolist() == [1, 0]
    assert lengths.seen == ["good food", "bad", "good"]
    in_memory._remembering.cache_clear()
