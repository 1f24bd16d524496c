"""Small tables of the kinds that evaluate writes for plots, and text that is hard to show."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script><!--",
    "{{7*7}} {% raw %} ${7*7}",
    "\u202egnirts desrever\u202c and \x00 and \x1b[31m and \u2028 a line",
    "</bdi></td></table><style>*{display:none}</style>",
    "word" * 25_000,
    "<a href='javascript:alert(1)'>click</a> &lt;b&gt; &amp;",
)


def history(models: Sequence[str], watched: str = "test", count: int = 5) -> pd.DataFrame:
    """Return a training history of each model; the watched loss is lowest in epoch 3."""
    epochs = np.arange(1, count + 1)
    parts = [
        pd.DataFrame(
            {"model": model, "epoch": epochs, "split": split, "loss": loss, "accuracy": 1 - loss}
        )
        for model in models
        for split, loss in (
            ("train", 0.7 / epochs),
            (watched, 0.5 + 0.1 * np.abs(epochs - 3) / max(1, count - 3)),
        )
    ]
    columns = ["model", "epoch", "split", "loss", "accuracy"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def confusion(
    classes: Sequence[str], models: Sequence[str] = ("majority", "logistic_regression")
) -> pd.DataFrame:
    """Return confusion matrices: 3 of 5 rows are right, 1 each in the next two classes."""
    share = (
        np.eye(len(classes)) * 3
        + np.roll(np.eye(len(classes)), 1, 1)
        + np.roll(np.eye(len(classes)), 2, 1)
    )
    rows = [
        {
            "model": model,
            "actual": actual,
            "predicted": predicted,
            "count": int(share[i, j]),
            "share": share[i, j] / 5,
        }
        for model in models
        for i, actual in enumerate(classes)
        for j, predicted in enumerate(classes)
    ]
    return pd.DataFrame(rows, columns=["model", "actual", "predicted", "count", "share"])


def roc(classes: Sequence[str] = ("1",), models: Sequence[str] = ("a", "b")) -> pd.DataFrame:
    """Return ROC curves of each class: areas of 0.5 for the first model, 1 for the others."""
    parts = [
        pd.DataFrame(
            {
                "model": model,
                "class": name,
                "false_positive_rate": [0.0, 0.0, 1.0] if n else [0.0, 0.5, 1.0],
                "true_positive_rate": [0.0, 1.0, 1.0] if n else [0.0, 0.5, 1.0],
            }
        )
        for name in classes
        for n, model in enumerate(models)
    ]
    return pd.concat(parts, ignore_index=True)


RELIABILITY = pd.DataFrame(
    {
        "model": ["majority", "logistic_regression", "logistic_regression"],
        "confidence": [0.52, 0.65, 0.93],
        "accuracy": [0.5, 0.6, 1.0],
        "accuracy_low": [0.4, 0.35, 0.8],
        "accuracy_high": [0.6, 0.85, 1.0],
        "rows": [10, 5, 5],
    }
)


def search(odd: Sequence[str] = ("[1, 1]", "<b>&")) -> pd.DataFrame:
    """The trials of a search over a number on a wide scale, a few numbers, and names."""
    numbers = range(12)
    return pd.DataFrame(
        {
            "trial": [n + 1 for n in numbers],
            "C": [str(10.0 ** (n % 5 - n / 12)) for n in numbers],
            "vectorize.words.min_df": [str(n % 3) for n in numbers],
            "names": [odd[n % len(odd)] for n in numbers],
            "score": 0.5 + np.sin(numbers) / 9,
            "fold_1": 0.5,
        }
    )
