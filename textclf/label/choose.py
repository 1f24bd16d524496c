"""The strategy of `textclf suggest`, compared with chance by benchmarks/suggest.py.

Some texts are drawn at random: these alone may measure. The others are one text of each cluster, by k-means of their
vectors; with margins, among the half of the texts with the smaller ones. Near the centre of a cluster, an encoder has
typical texts: TypiClust, Hacohen et al. (2022), arXiv:2202.02794. tf-idf has short ones: any of the nearer half serves.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

RANDOM, DIVERSE, UNCERTAIN = "random", "diverse", "uncertain"
SIMILAR = 0.8  # of the words of two texts, shared by both: near copies
TERMS = Terms(weighting="tfidf", sublinear_tf=True, hashing=2**16)
COMPONENTS = 64  # of tf-idf


def choose(
    vectors: NDArray[Any], margins: NDArray[Any] | None, texts: Sequence[str], counts: tuple[int, int], encoded: bool
) -> dict[int, str]:
    """Return positions of texts, the first of near copies, and why each was chosen; `counts` are all and random ones.

    The texts are in random order: the first are those drawn at random. `vectors` (texts, columns) are `encoded`, or
    those of `term_vectors`; `margins` (texts,) are small for uncertain texts.
    """
    rows, random = counts
    chosen = dict.fromkeys(range(min(random, len(texts))), RANDOM)
    others = np.arange(len(chosen), len(texts))
    if margins is not None:
        others = np.sort(others[np.argsort(margins[others], kind="stable")[: max(rows, len(others) // 2)]])
    words = [_words(texts[place]) for place in chosen]
    for place in others[_spread(vectors[others], rows - len(chosen), encoded)].tolist():
        found = _words(texts[place])
        if len(chosen) < rows and all(len(found & other) < SIMILAR * len(found | other) for other in words):
            chosen[place] = DIVERSE if margins is None else UNCERTAIN
            words.append(found)
    return chosen


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower())) or {text}


def _spread(vectors: NDArray[Any], clusters: int, encoded: bool) -> NDArray[np.int64]:
    """Return all positions: one of each cluster, then a second one of each, and so on."""
    import pandas as pd
    from sklearn.cluster import KMeans

    if not (clusters := min(clusters, len(np.unique(vectors, axis=0)))):
        return np.arange(0)
    fitted = KMeans(clusters, n_init=1, random_state=0).fit(vectors)
    distances = np.linalg.norm(vectors - fitted.cluster_centers_[fitted.labels_], axis=1)
    clustered = pd.Series(distances).groupby(fitted.labels_)
    rank = clustered.rank("first")
    if not encoded:
        rank = (2 * rank > clustered.transform("size") + 1).groupby(fitted.labels_).rank("first")
    return np.lexsort((fitted.labels_, rank))


def margins_of(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lead of the most probable class over the second, (texts,)."""
    highest = np.sort(probabilities, axis=1)
    return np.asarray(highest[:, -1] - highest[:, -2])


def term_vectors(texts: Sequence[str]) -> NDArray[Any]:
    """Return the vectors of the texts by latent semantic analysis of tf-idf, of length 1: (texts, `COMPONENTS`)."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    with np.errstate(invalid="ignore"):  # of the explained variance, if no text has a word
        terms = Vectorizer.fit(texts, TERMS).transform(texts)
        return np.asarray(normalize(TruncatedSVD(COMPONENTS, random_state=0).fit_transform(terms)))
