"""Probabilities of each row by models that were trained on other rows."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.core.progress import track
from textclf.studies.crossvalidation import make_folds
from textclf.studies.measure import Setup, make_features, predict_held_out
from textclf.studies.settings import Audit, CrossValidate

Probabilities = NDArray[np.float64]  # (rows, classes)


def held_out_probabilities(
    rows: pd.DataFrame, classes: Sequence[str], models: Sequence[str], setup: Setup, settings: Audit
) -> Iterator[tuple[str, Probabilities]]:
    """Yield each model's name and its probabilities for all rows, in their order.

    The probabilities of a row come from the model that was trained on the folds without it; so do the vocabulary and
    all else that a representation learns. They are not calibrated. Rows with the same normalised text or the same
    `group` are in one fold, so that no model has seen the text that it judges.
    """
    rows = rows.drop(columns="split", errors="ignore").reset_index(drop=True)
    folds = list(make_folds(rows, CrossValidate(folds=settings.folds, repeats=1, seed=settings.seed), "audit.folds"))
    trainings = [(name, splits) for name in models for _, _, splits in folds]
    probabilities = np.empty((len(rows), len(classes)))
    for number, (name, splits) in enumerate(track(trainings, "audit", len(trainings), "training"), start=1):
        own = setup.model(name)
        features = make_features(splits, classes, own.features, setup)
        predicted = predict_held_out(features, own, setup.pretrained)[-1]
        probabilities[splits["test"].index] = predicted.probabilities
        if number % len(folds) == 0:
            yield name, probabilities
            probabilities = np.empty_like(probabilities)
