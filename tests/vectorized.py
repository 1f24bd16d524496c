"""Splits vectorized by the method terms alone, for tests that need no other representation."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from textclf.artifacts.features import Features
from textclf.vectorize.in_memory import vectorize_splits
from textclf.vectorize.terms.settings import Terms


def vectorize_terms(
    splits: Mapping[str, pd.DataFrame], settings: Terms, classes: Sequence[str]
) -> tuple[dict[str, Features], Any]:
    """Return the features of each split and the vectorizer."""
    features, fitted = vectorize_splits(splits, {"words": settings}, classes, Path())
    return features, fitted["words"]
