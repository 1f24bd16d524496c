"""Splits in memory as the features of one model, for studies that train it many times."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textclf.artifacts.features import Features, squared_norms, stack_columns, unit_scale
from textclf.vectorize import representation
from textclf.vectorize.labels import encode_labels
from textclf.vectorize.representation import Representation

if TYPE_CHECKING:
    import pandas as pd

PRETRAINED = Path("data/pretrained")


def vectorize_splits(
    splits: "Mapping[str, pd.DataFrame]",
    settings: Mapping[str, Any],
    classes: Sequence[str],
    pretrained: Path = PRETRAINED,
) -> tuple[dict[str, Features], dict[str, Representation]]:
    """Return the features of each split, and the representations that were fitted on the training rows, by name.

    `settings` has those of each representation that a model reads; of several the columns stand side by side, scaled
    as the stage combine does it. `classes` are the names of all labels, in order. Raises `UserError` if no term is
    left.
    """
    fitted = {name: representation.fit(splits["train"]["text"], each, pretrained) for name, each in settings.items()}
    blocks: dict[str, list[Any]] = {
        split: [each.transform(rows["text"]) for each in fitted.values()] for split, rows in splits.items()
    }
    scales = [unit_scale(X.shape[0], float(squared_norms(X).sum())) for X in blocks["train"]] if len(fitted) > 1 else []
    features = {}
    for split, rows in splits.items():
        X: Any = stack_columns(blocks[split], scales) if scales else blocks[split][0]
        y = encode_labels(rows["label"], classes)
        features[split] = Features(rows["id"].to_numpy(dtype=str), X, y, np.array(classes, dtype=str))
    return features, fitted
