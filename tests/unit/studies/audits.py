"""Rows with wrong labels, and what an audit finds in them, for its tests."""

from pathlib import Path
from typing import Any

import pandas as pd

from tests import stored_splits
from tests.unit.studies.samples import corpus, setup
from textclf.artifacts import splits
from textclf.core.arrow import hash_normalized
from textclf.studies.audit.summary import Audited, audit
from textclf.studies.settings import Audit

WRONG = (1, 4, 58)  # positions


def rows_with_issues(count: int = 60, classes: str = "01") -> pd.DataFrame:
    """Return a corpus with three wrong labels, a split for each row, and texts as groups."""
    rows = corpus(count, classes)
    for place in WRONG:
        rows.loc[place, "label"] = classes[(classes.index(rows["label"][place]) + 1) % len(classes)]
    return rows.assign(split=["train", "train", "test"] * (count // 3), group=rows["text"])


def write_splits(folder: Path) -> Path:
    """Write the rows with wrong labels as splits, and return the folder."""
    folder.mkdir(parents=True)
    rows = rows_with_issues()
    for name, part in rows.assign(cluster=hash_normalized(rows["text"])).groupby("split"):
        stored_splits.write(part, folder / f"{name}.parquet")
    splits.write_classes(["0", "1"], folder)
    return folder


def find(
    rows: pd.DataFrame,
    models: tuple[str, ...] = ("logistic_regression", "naive_bayes"),
    **changes: Any,
) -> Audited:
    settings = Audit.model_validate({"models": models, **changes})
    return audit(rows, len(rows), sorted(set(rows["label"])), setup(models), settings)
