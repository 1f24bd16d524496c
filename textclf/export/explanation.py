"""What models have learned: the terms that speak most for each class."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from textclf.artifacts.layers import Portable

COLUMNS = ("class", "term", "weight", "rows", "method")
FEWEST = 3  # rows that hold a term, below which a mean over them says more of these rows than of the term
OCCLUDED = 100_000  # training rows, the first ones, that terms are taken out of
CELLS = 2**24  # terms in rows times classes that are held at a time


class Occlusion:
    """By how much the log odds of each class fall, on average, when a term is taken out of a row that holds it."""

    def __init__(self, model: Portable, features: int) -> None:
        """Begin with no rows."""
        self.model, self.seen = model, 0
        self.rows = np.zeros(features, dtype=np.int64)  # that hold each term
        self.sums = np.zeros((features, len(model.classes)))

    def add(self, X: csr_array) -> None:
        """Take in rows (rows, features), as long as there were fewer than `OCCLUDED`."""
        X = X[: max(0, OCCLUDED - self.seen)] if self.seen + X.shape[0] > OCCLUDED else X
        self.seen += X.shape[0]
        width = len(self.rows)
        step = max(1, CELLS * X.shape[0] // max(1, X.nnz * len(self.model.classes)))
        for start in range(0, X.shape[0], step):
            part = X[start : start + step] if step < X.shape[0] else X
            self.rows += np.bincount(part.indices, minlength=width)
            for place, column in enumerate(self.model.occlusion(part).T):
                self.sums[:, place] += np.bincount(part.indices, weights=column, minlength=width)

    def means(self) -> NDArray[np.float64]:
        """The mean falls (features, classes), 0 of a term that no row holds."""
        found: NDArray[np.float64] = self.sums / np.maximum(self.rows, 1)[:, None]
        return found


def top_terms(
    models: Mapping[str, Portable], shards: Iterable[csr_array], terms: Sequence[str], count: int
) -> dict[str, pd.DataFrame]:
    """For each class of each model the `count` terms at most that speak most for it, the strongest first: `COLUMNS`.

    `shards` are the training rows (rows, features) piece by piece, gone over once; `terms` (features,) the names of
    their columns. By the method `weight`, of linear models, `weight` is the term's own in the score of the class; by
    `occlusion`, of others, the mean of `Occlusion` over the first `OCCLUDED` rows, of terms that `FEWEST` of them hold,
    or all if none do. `rows` is the number of all rows that hold the term. A term that speaks against a class is not
    listed. Empty for a model that looks at no term.
    """
    weights = {name: model.linear_weights() for name, model in models.items()}
    occlusions = {name: Occlusion(models[name], len(terms)) for name, found in weights.items() if found is None}
    rows = np.zeros(len(terms), dtype=np.int64)
    for X in shards:
        rows += np.bincount(X.indices, minlength=len(terms))
        for occlusion in occlusions.values():
            occlusion.add(X)
    tables = {}
    for name, model in models.items():
        column_weights, candidates, method = weights[name], rows >= 1, "weight"
        if column_weights is None:
            column_weights, method = occlusions[name].means(), "occlusion"
            if (often := occlusions[name].rows >= FEWEST).any():
                candidates = often
        tables[name] = _table(model.classes, column_weights, candidates, rows, terms, count, method)
    return tables


def _table(
    classes: Sequence[str],
    weights: NDArray[np.float64],
    candidates: NDArray[np.bool_],
    rows: NDArray[np.int64],
    terms: Sequence[str],
    count: int,
    method: str,
) -> pd.DataFrame:
    tables = []
    for name, column in zip(classes, weights.T, strict=True):
        found = np.flatnonzero(candidates & (column > 0))
        best = found[np.lexsort((found, -column[found]))][:count]  # of equals the first by name
        tables.append(
            pd.DataFrame(
                {
                    "class": name,
                    "term": [terms[place] for place in best],
                    "weight": column[best],
                    "rows": rows[best],
                    "method": method,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)
