"""The sampled texts of reference and new rows together, and which of them depend on each other.

Nearly the same texts count as copies of one. Texts of one group are a cluster. Without groups, permuting the sides is
exact, since nothing here depends on them. With groups, how many texts of a cluster stay does (`_thin`): permuting is
exact if all clusters have equally many different texts, and approximate otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from textclf.drift.sample import Sample, fold
from textclf.vectorize.terms.counts import count_by

SIMILAR = 2 / 3  # of the words of two texts, shared by both: one of five words differs, or more of a longer text
ODD = 0x9E3779B97F4A7C15  # a factor for another order than that of the hashes by which the sides were sampled

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Pool:
    """The texts of both sides in random order."""

    texts: tuple[str, ...]
    reference: Ints  # copies of each text on this side
    new: Ints  # on the other
    clusters: Ints  # of each text, ascending from 0; without groups, each text is one

    @property
    def copies(self) -> Ints:
        """Return how many copies of each text both sides have together."""
        return self.reference + self.new

    def count(self, side: Ints) -> int:
        """Return in how many clusters a side has texts; `side` is `reference` or `new`."""
        return len(np.unique(self.clusters[side > 0]))


def pool(reference: Sample, new: Sample) -> Pool:
    """Return the sampled texts of both sides together.

    With groups, those of one side are a cluster. A text that several clusters have stays in the first of their random
    order. Without groups, copies of nearly the same texts are copies of the first one.
    """
    grouped = reference.grouped or new.grouped
    merged: dict[tuple[int, int, int], str] = {}  # by the hash of the cluster, that of the text, and the side
    for number, side in enumerate((reference, new)):
        for (group, key), text in side.texts.items():
            place = ((group + number) * ODD % 2**64, key, number) if grouped else (key * ODD % 2**64, key, 0)
            merged[place] = min(text, merged.get(place, text))
    places = sorted(merged)
    texts = [merged[place] for place in places]
    clusters, keys = np.array(places, np.uint64).reshape(-1, 3).T[:2]
    first = first_similar(texts)
    kept = np.flatnonzero(first == np.arange(len(texts)))
    if grouped:
        is_new = np.array([of_side for _, _, of_side in places])
        kept = kept[_thin(clusters[kept], is_new[kept])]
        sides = [1 - is_new[kept], is_new[kept]]
    else:
        sides = [np.bincount(first, side.copies_of(keys))[kept].astype(np.int64) for side in (reference, new)]
    numbers = np.unique(clusters[kept], return_inverse=True)[1]
    return Pool(tuple(texts[place] for place in kept.tolist()), sides[0], sides[1], numbers)


def _thin(clusters: NDArray[np.uint64], is_new: Ints) -> NDArray[np.bool_]:
    """Return which texts stay, so that clusters of both sides have as many: (texts,).

    At most as many of each as clusters have on average on the side with the smaller ones; of fewer, a power of two.
    """
    _, starts, of, sizes = np.unique(clusters, return_index=True, return_inverse=True, return_counts=True)
    most = round(min(sizes[is_new[starts] == side].mean() for side in np.unique(is_new)))
    stay = np.where(sizes < most, 2 ** np.log2(sizes).astype(np.int64), most)
    return np.arange(len(clusters)) - starts[of] < stay[of]


def first_similar(texts: Sequence[str]) -> Ints:
    """Return for each text the place of the first one that is nearly the same, also through others: (texts,).

    Two texts are if at least `SIMILAR` of the different words that they have together are in both: their Jaccard index.
    Words of more than half of the texts, such as those of a footer, do not count.
    """
    words = count_by([fold(text).decode() for text in texts], str.split).counts
    words = words[:, np.flatnonzero(2 * np.bincount(words.indices, minlength=words.shape[1]) <= len(texts))]
    has = csr_array((np.ones(words.nnz), words.indices, words.indptr), shape=words.shape)
    sizes = np.maximum(np.diff(words.indptr), 1)
    both = (has @ has.T).toarray()
    both *= (1 + SIMILAR) / SIMILAR  # both / (one + other - both) >= SIMILAR
    both -= sizes[:, None]
    both -= sizes
    links: Any = csr_array(both >= -1e-9)
    component = connected_components(links, directed=False)[1]
    return np.unique(component, return_index=True)[1][component]
