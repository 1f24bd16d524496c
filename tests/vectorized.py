"""Splits vectorized by the method terms alone, for tests that need no other representation."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from textclf.artifacts.features import Features
from textclf.vectorize import representation
from textclf.vectorize.in_memory import encode_labels
from textclf.vectorize.terms.settings import Terms


def vectorize_terms(
    splits: Mapping[str, pd.DataFrame], settings: Terms, classes: Sequence[str]
) -> tuple[dict[str, Features], Any]:
    fitted: Any = representation.fit(splits["train"]["text"], settings, Path())
    features = {}
    for split, rows in splits.items():
        ids, y = rows["id"].to_numpy(dtype=str), encode_labels(rows["label"], classes)
        features[split] = Features(
            ids, fitted.transform(rows["text"]), y, np.array(classes, dtype=str)
        )
    return features, fitted
