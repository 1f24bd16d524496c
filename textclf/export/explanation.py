"""What models have learned: the terms with the largest weight for each class."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.artifacts import features as feature_files
from textclf.artifacts.layers import LayerModel
from textclf.core.progress import track

COLUMNS = ("model", "class", "term", "weight", "rows", "method")
# A mean over fewer rows with a term would describe these rows rather than the term.
MIN_ROWS = 3
# Terms are removed from this many training rows, the first ones.
OCCLUDED_ROWS = 100_000
# Nonzeros times classes that are in memory at a time.
CELLS = 2**24


class Occlusion:
    """The mean drop of each class's log odds when a term is removed from the rows that have it."""

    def __init__(self, model: LayerModel, features: int) -> None:
        """Start without rows."""
        self.model = model
        self.seen = 0
        # The number of rows with each term.
        self.rows = np.zeros(features, dtype=np.int64)
        self.sums = np.zeros((features, len(model.classes)))

    def add(self, X: feature_files.Sparse) -> None:
        """Take in rows (rows, features), up to `OCCLUDED_ROWS` in all."""
        X = X[: max(0, OCCLUDED_ROWS - self.seen)]
        self.seen += X.shape[0]
        features = len(self.rows)
        step = max(1, CELLS * X.shape[0] // max(1, X.nnz * len(self.model.classes)))
        for start in range(0, X.shape[0], step):
            part = X[start : start + step]
            self.rows += np.bincount(part.indices, minlength=features)
            for position, drops in enumerate(self.model.occlusion(part).T):
                self.sums[:, position] += np.bincount(
                    part.indices, weights=drops, minlength=features
                )

    def means(self) -> NDArray[np.float64]:
        """Return the mean drops (features, classes), 0 for a term that no row contains."""
        return self.sums / np.maximum(self.rows, 1)[:, None]


def terms_of_models(
    models: Mapping[str, Any],
    reads: Mapping[str, str],
    vectorizers: Mapping[str, Any],
    features: Path,
    count: int,
) -> pd.DataFrame:
    """Return the table of `top_terms` of all models whose features have terms, in their order.

    `reads` maps models to their representations, `vectorizers` these to what fitted them.
    """
    groups: dict[str, list[str]] = {}
    for name, read in reads.items():
        if hasattr(vectorizers[read], "terms"):
            groups.setdefault(read, []).append(name)
    tables = []
    for read, names in groups.items():
        shards = feature_files.open_shards(features / read)["train"]
        paths = track(shards.paths, "training rows read", len(shards), "shard")
        nonzeros = (feature_files.read_arrays(path, "indices")[0] for path in paths)
        rows = (feature_files.as_sparse(shard).X for shard in shards)
        if vectorizers[read].kind == feature_files.DENSE:
            nonzeros = (feature_files.as_sparse(shards.read(path)).X.indices for path in paths)
        readers = {name: models[name] for name in names}
        tables.append(top_terms(readers, nonzeros, rows, vectorizers[read], count))
    if not tables:
        return pd.DataFrame(columns=COLUMNS)
    together = pd.concat(tables, ignore_index=True)
    return pd.concat([together[together["model"] == name] for name in models], ignore_index=True)


def top_terms(
    models: Mapping[str, LayerModel],
    nonzeros: Iterable[Any],
    shards: Iterable[Any],
    vectorizer: Any,
    count: int,
) -> pd.DataFrame:
    """Return a table with `COLUMNS`: at most `count` terms per model, class and analyzer.

    The largest weight stands first; terms of equal weight keep their order.

    `nonzeros` has the column of each nonzero of the training rows, in pieces; `shards` are these
    rows (rows, features). `vectorizer` has `terms` and `analyzers`, which name each column. The
    method `weight`, for linear models, takes the term's weight in the score of the class;
    `occlusion`, for others, the mean of `Occlusion` over the first `OCCLUDED_ROWS` rows, for terms
    in at least `MIN_ROWS` of them, or else for all. `rows` is the number of rows with the term.
    Terms with a weight of 0 or below are left out.
    """
    terms = vectorizer.terms()
    weights = {name: model.linear_weights() for name, model in models.items()}
    occlusions = {
        name: Occlusion(models[name], len(terms))
        for name, linear in weights.items()
        if linear is None
    }
    rows = np.zeros(len(terms), dtype=np.int64)
    for columns in nonzeros:
        rows += np.bincount(columns, minlength=len(terms))
    for X in shards if occlusions else ():
        for occlusion in occlusions.values():
            occlusion.add(X)
        if occlusion.seen >= OCCLUDED_ROWS:
            break
    analyzers = np.array(vectorizer.analyzers(), dtype=object)
    of_analyzer = [analyzers == name for name in dict.fromkeys(analyzers) if name is not None]
    tables = []
    for name, model in models.items():
        model_weights, candidates, method = weights[name], rows >= 1, "weight"
        if model_weights is None:
            model_weights, method = occlusions[name].means(), "occlusion"
            frequent = occlusions[name].rows >= MIN_ROWS
            if frequent.any():
                candidates = frequent
        for label, column in zip(model.classes, model_weights.T, strict=True):
            tops = [np.zeros(0, dtype=np.int64)]
            for chosen in of_analyzer:
                positive = np.flatnonzero(chosen & candidates & (column > 0))
                # A stable order leaves ties in the terms' order.
                order = np.argsort(-column[positive], kind="stable")
                tops.append(positive[order[:count]])
            top = np.concatenate(tops)
            names = [terms[position] for position in top]
            values = (name, label, names, column[top], rows[top], method)
            tables.append(pd.DataFrame(dict(zip(COLUMNS, values, strict=True))))
    return pd.concat(tables, ignore_index=True)
