"""What a model has learned: the terms that speak most for each class."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from textclf.portable import Portable

COLUMNS = ("class", "term", "weight", "rows", "method")
FEWEST = 3  # rows that hold a term, below which a mean over them says more of these rows than of the term


def top_terms(model: Portable, X: csr_array, terms: Sequence[str], count: int) -> pd.DataFrame:
    """For each class the `count` terms at most that speak most for it, the strongest first: `COLUMNS`.

    `X` (rows, features) are the training rows, `terms` (features,) the names of its columns. By the method `weight`,
    of linear models, `weight` is the term's own in the score of the class; by `occlusion`, of others, it is by how
    much the log odds of the class fall on average when the term is taken out of a row that holds it, of terms that
    `FEWEST` rows hold, or all if none do. `rows` is the number of rows that hold the term. A term that speaks against
    a class is not listed. Empty for a model that looks at no term.
    """
    rows = np.bincount(X.indices, minlength=X.shape[1])
    weights = model.linear_weights()
    method = "occlusion" if weights is None else "weight"
    candidates = rows >= 1
    if weights is None:
        fall = model.occlusion(X)
        sums = [np.bincount(X.indices, weights=column, minlength=X.shape[1]) for column in fall.T]
        weights = np.column_stack(sums) / np.maximum(rows, 1)[:, None]
        if (often := rows >= FEWEST).any():
            candidates = often
    tables = []
    for name, column in zip(model.classes, weights.T, strict=True):
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
