"""The distinct texts of a stream, a sample of them, and the pool of both sides' samples.

Texts are the same if they differ only in case, white space, digits and punctuation: such rows come
from one template, and are not independent. A text counts once, however many copies there are. The
sample has the texts, or if rows have groups the groups, with the smallest hashes, so that it does
not depend on the order of the rows. Memory has eight bytes per row besides the sample.

Nearly the same texts count as copies of one. Texts of one group are a cluster. Without groups,
permuting the sides is exact, since nothing here depends on them. With groups, how many texts of a
cluster stay does (`_thin`): permuting is exact if all clusters have equally many different texts,
and approximate otherwise.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from textclf.core.arrow import fingerprints, normalize_text
from textclf.vectorize.terms.counts import count_by

# The share of the words of two texts that both have from which on they are nearly the same: one of
# five words differs, or more of a longer text.
SIMILAR = 2 / 3
# A factor for another order than that of the hashes by which the sides were sampled.
ODD = 0x9E3779B97F4A7C15

Ints = NDArray[np.int64]
# Distinct texts in a sample, about: it ends with the group with which they are as many.
SIZE = 2000
# Distinct texts of a group.
MOST = 100
# Characters of a text that are looked at: its beginning.
CHARACTERS = 10_000
_DIGITS = b"0123456789"
_PUNCTUATION = b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_FOLDED = bytes.maketrans(_DIGITS + _PUNCTUATION, b"0" * len(_DIGITS) + b" " * len(_PUNCTUATION))


@dataclass(frozen=True)
class Sample:
    """The distinct texts of a stream, of which some are sampled."""

    # Hashes of all texts, ascending, and the number of copies of each.
    keys: NDArray[np.uint64]
    copies: NDArray[np.int64]
    # Sampled texts by the hashes of group and text; without groups, each text is one.
    texts: dict[tuple[int, int], str]

    @property
    def grouped(self) -> bool:
        """Return whether a group has several texts."""
        return len({group for group, _ in self.texts}) < len(self.texts)

    @property
    def rows(self) -> int:
        """Return the number of rows of the stream."""
        return int(self.copies.sum())

    def copies_of(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return how many rows have each of these texts, 0 for none."""
        if not len(self.keys):
            return np.zeros(len(keys), np.int64)
        positions = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[positions] == keys, self.copies[positions], 0)

    def without(self, others: "Sample") -> "Sample":
        """Return the texts that the others do not have."""
        own = others.copies_of(self.keys) == 0
        known = others.copies_of(np.array([key for _, key in self.texts], np.uint64)).tolist()
        texts = {
            pair: text
            for (pair, text), copies in zip(self.texts.items(), known, strict=True)
            if not copies
        }
        return Sample(self.keys[own], self.copies[own], texts)


def text_keys(texts: Sequence[str], seed: int) -> NDArray[np.uint64]:
    """Return a hash for each text, equal if texts differ only as the module's docstring says."""
    return fingerprints([fold(text) for text in texts], seed)


def fold(text: str) -> bytes:
    """Return the words of a text in UTF-8 and lower case, 0 for each digit, no punctuation."""
    normalized = normalize_text(text[:CHARACTERS]).encode()
    return b" ".join(normalized.translate(_FOLDED).split()) or normalized


def sample_texts(
    batches: Iterable[tuple[Sequence[str], Sequence[str] | None]], seed: int, size: int = SIZE
) -> Sample:
    """Return the distinct texts of a stream of texts and their groups; about `size` are sampled.

    A group has at most `MOST` of these; a text whose group is blank is a group of its own. Of
    several texts that count as the same, the first in the order of code points stands for all.
    """
    texts: dict[tuple[int, int], str] = {}
    limit = 2**64
    hashes = [np.zeros(0, np.uint64)]
    for batch, names in batches:
        if not batch:
            continue
        keys = text_keys(batch, seed)
        groups = keys
        if names is not None:
            groups = np.where(
                [bool(name.strip()) for name in names], fingerprints(names, seed), keys
            )
        hashes.append(keys)
        for n in np.flatnonzero(groups <= np.uint64(limit - 1)).tolist():
            pair, text = (int(groups[n]), int(keys[n])), batch[n][:CHARACTERS]
            if pair not in texts or text < texts[pair]:
                texts[pair] = text
        if len(texts) > 2 * size:
            limit = _smallest(texts, size) + 1
    _smallest(texts, size)
    keys, copies = np.unique(np.concatenate(hashes), return_counts=True)
    return Sample(keys, copies.astype(np.int64), texts)


def _smallest(texts: dict[tuple[int, int], str], size: int) -> int:
    """Remove all but the smallest groups by hash, about `size` texts; return the largest hash."""
    count = largest = 0
    for group, pairs in groupby(sorted(texts), key=itemgetter(0)):
        ordered, most = list(pairs), MOST if count < size else 0
        for pair in ordered[most:]:
            del texts[pair]
        if most:
            count, largest = count + len(ordered[:most]), group
    return largest


@dataclass(frozen=True)
class PooledTexts:
    """The texts of both sides in random order."""

    texts: tuple[str, ...]
    # Copies of each text on this side, and on the other.
    reference: Ints
    new: Ints
    # Of each text, ascending from 0; without groups, each text is one.
    clusters: Ints

    @property
    def copies(self) -> Ints:
        """Return how many copies of each text both sides have together."""
        return self.reference + self.new

    def count(self, side: Ints) -> int:
        """Return in how many clusters a side has texts; `side` is `reference` or `new`."""
        return len(np.unique(self.clusters[side > 0]))


def pool_texts(reference: Sample, new: Sample) -> PooledTexts:
    """Return the sampled texts of both sides together.

    With groups, those of one side are a cluster. A text that several clusters have stays in the
    first of their random order. Without groups, copies of nearly the same texts are copies of the
    first one.
    """
    grouped = reference.grouped or new.grouped
    # By the hash of the cluster, that of the text, and the side.
    merged: dict[tuple[int, int, int], str] = {}
    for number, side in enumerate((reference, new)):
        for (group, key), text in side.texts.items():
            address = key * ODD % 2**64, key, 0
            if grouped:
                address = (group + number) * ODD % 2**64, key, number
            merged[address] = min(text, merged.get(address, text))
    addresses = sorted(merged)
    texts = [merged[address] for address in addresses]
    clusters, keys = np.array(addresses, np.uint64).reshape(-1, 3).T[:2]
    first = first_similar(texts)
    distinct = np.flatnonzero(first == np.arange(len(texts)))
    if grouped:
        is_new = np.array([number for _, _, number in addresses])
        distinct = distinct[_thin(clusters[distinct], is_new[distinct])]
        sides = [1 - is_new[distinct], is_new[distinct]]
    else:
        sides = [
            np.bincount(first, side.copies_of(keys))[distinct].astype(np.int64)
            for side in (reference, new)
        ]
    numbers = np.unique(clusters[distinct], return_inverse=True)[1]
    return PooledTexts(tuple(texts[n] for n in distinct.tolist()), sides[0], sides[1], numbers)


def _thin(clusters: NDArray[np.uint64], is_new: Ints) -> NDArray[np.bool_]:
    """Return which texts stay, so that clusters of both sides have as many: (texts,).

    At most as many of each as clusters have on average on the side with the smaller ones; of fewer,
    a power of two.
    """
    _, starts, of, sizes = np.unique(
        clusters, return_index=True, return_inverse=True, return_counts=True
    )
    most = round(min(sizes[is_new[starts] == side].mean() for side in np.unique(is_new)))
    stay = np.where(sizes < most, 2 ** np.log2(sizes).astype(np.int64), most)
    return np.arange(len(clusters)) - starts[of] < stay[of]


def first_similar(texts: Sequence[str]) -> Ints:
    """Return for each text the position of the first one linked to it by similarity: (texts,).

    Texts are also linked through others. Two texts are linked if at least `SIMILAR` of the
    different words that they have together are in both: their Jaccard index. Words of more than
    half of the texts, such as those of a footer, do not count.
    """
    words = count_by([fold(text).decode() for text in texts], str.split).counts
    frequencies = np.bincount(words.indices, minlength=words.shape[1])
    words = words[:, np.flatnonzero(2 * frequencies <= len(texts))]
    has = csr_array((np.ones(words.nnz), words.indices, words.indptr), shape=words.shape)
    sizes = np.maximum(np.diff(words.indptr), 1)
    both = (has @ has.T).toarray()
    # The same as both / (one + other - both) >= SIMILAR, in place.
    both *= (1 + SIMILAR) / SIMILAR
    both -= sizes[:, None]
    both -= sizes
    links: Any = csr_array(both >= -1e-9)
    component = connected_components(links, directed=False)[1]
    return np.unique(component, return_index=True)[1][component]
