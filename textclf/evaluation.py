"""Metrics and curves of a model, from its predictions alone."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf import predictions
from textclf.files import DIGITS

HISTORY_COLUMNS = ("epoch", "split", "loss", "accuracy")  # of a training in epochs, as models record it


def arrays(rows: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Positions of the labels among the classes (rows,), and the probabilities (rows, classes)."""
    names = predictions.classes(rows)
    y = np.array([names.index(label) for label in rows["label"]], dtype=np.int64)
    return y, rows[[predictions.PREFIX + name for name in names]].to_numpy(dtype=np.float64)


def decide(probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """Position of the most probable class of each row (rows,); the first of equals."""
    positions: NDArray[np.int64] = np.argmax(probabilities, axis=1)
    return positions


def metrics(rows: pd.DataFrame) -> dict[str, float]:
    """Accuracy, log loss (nats), ROC AUC, F1, precision and recall of the rows of one split.

    The last three are those of the positive class, which is the last one; precision is 0 where nothing
    is predicted positive. ROC AUC is left out where the rows hold one class alone: it is not defined there.
    """
    from sklearn import metrics as sk

    y, probabilities = arrays(rows)
    decided = decide(probabilities)
    labels = np.arange(probabilities.shape[1])
    precision, recall, f1, _ = sk.precision_recall_fscore_support(
        y, decided, labels=labels, average="binary", pos_label=labels[-1], zero_division=0
    )
    values = {
        "accuracy": sk.accuracy_score(y, decided),
        "log_loss": sk.log_loss(y, probabilities, labels=labels),
        "f1": f1,
        "precision": precision,
        "recall": recall,
    }
    if len(np.unique(y)) > 1:
        values["roc_auc"] = sk.roc_auc_score(y, probabilities[:, -1])
    return {name: round(float(value), DIGITS) for name, value in values.items()}


def confusion(rows: pd.DataFrame) -> pd.DataFrame:
    """A row a pair of classes: `actual`, `predicted`, `count`, and `share`, its part of the actual class's rows."""
    from sklearn.metrics import confusion_matrix

    names = predictions.classes(rows)
    y, probabilities = arrays(rows)
    counts = confusion_matrix(y, decide(probabilities), labels=np.arange(len(names)))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return pd.DataFrame(
        {
            "actual": np.repeat(names, len(names)),
            "predicted": np.tile(names, len(names)),
            "count": counts.ravel(),
            "share": shares.ravel(),
        }
    )


def roc(rows: pd.DataFrame) -> pd.DataFrame:
    """Corners of the ROC curve of the positive class: `false_positive_rate`, `true_positive_rate`, both ascending."""
    from sklearn.metrics import roc_curve

    y, scores = _positive(rows)
    false_positive_rate, true_positive_rate, _ = roc_curve(y, scores)
    return pd.DataFrame({"false_positive_rate": false_positive_rate, "true_positive_rate": true_positive_rate})


def precision_recall(rows: pd.DataFrame) -> pd.DataFrame:
    """Points of the precision-recall curve of the positive class: `recall` ascending, `precision`."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(*_positive(rows), drop_intermediate=True)
    return pd.DataFrame({"recall": recall[::-1], "precision": precision[::-1]})


def _positive(rows: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    y, probabilities = arrays(rows)
    return y == probabilities.shape[1] - 1, probabilities[:, -1]


def stacked(tables: Mapping[str, pd.DataFrame], columns: tuple[str, ...] = ()) -> pd.DataFrame:
    """The tables of the models below one another, behind a column `model`; `columns` if there is no table."""
    if not tables:
        return pd.DataFrame(columns=["model", *columns])
    return pd.concat([table.assign(model=name)[["model", *table.columns]] for name, table in tables.items()])
