"""Fit one model on the training rows, and predict the rows of every split with it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import vstack

from textclf import models, predictions
from textclf.errors import UserError
from textclf.features import Features
from textclf.params import Section


@dataclass(frozen=True)
class Trained:
    """A fitted model, what it predicts (a table of `predictions`), and the split it watched while it trained."""

    model: models.Model
    predictions: pd.DataFrame
    watched: str


def train(name: str, splits: dict[str, Features], settings: Section) -> Trained:
    """The model of that name, fitted on the rows of `train`, with its predictions for every split.

    It watches the validation rows while it trains, or, as in the lesson, the test rows where there are none.
    `UserError` if the training rows lack a class: most models would then give no probability for it.
    """
    classes, y = splits["train"].classes, splits["train"].y
    if len(missing := np.setdiff1d(np.arange(len(classes)), y)):
        raise UserError(
            f"the training rows must hold every class; class {classes[missing[0]]} has none of {len(y)}: "
            "set split.stratify to true, or smaller split.test_size and split.validation_size"
        )
    watched = "validation" if "validation" in splits else "test"
    model = models.module(name).fit(splits["train"], splits[watched], settings)
    probabilities = model.predict_proba(vstack([part.X for part in splits.values()], format="csr"))
    tables, start = [], 0
    for split, part in splits.items():
        tables.append(predictions.table(split, part, probabilities[start : (start := start + len(part.ids))]))
    return Trained(model, pd.concat(tables, ignore_index=True), watched)
