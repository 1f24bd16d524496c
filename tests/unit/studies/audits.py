"""Rows with wrong labels, and what an audit finds in them, for its tests."""

from typing import Any

import pandas as pd

from tests.unit.studies.samples import corpus, setup
from textclf.studies.audit.summary import Audited, audit
from textclf.studies.settings import Audit

WRONG = (1, 4, 58)  # positions


def rows_with_issues(count: int = 60, classes: str = "01") -> pd.DataFrame:
    """Return the corpus of the studies with three wrong labels, a split for each row and its text as the group."""
    rows = corpus(count, classes)
    for place in WRONG:
        rows.loc[place, "label"] = classes[(classes.index(rows["label"][place]) + 1) % len(classes)]
    return rows.assign(split=["train", "train", "test"] * (count // 3), group=rows["text"])


def find(
    rows: pd.DataFrame, models: tuple[str, ...] = ("logistic_regression", "naive_bayes"), **changes: Any
) -> Audited:
    """Return what an audit of the rows finds."""
    settings = Audit.model_validate({"models": models, **changes})
    return audit(rows, len(rows), sorted(set(rows["label"])), setup(models), settings)
