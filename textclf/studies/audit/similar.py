"""The distinct texts of the rows, those with several labels, and those with similar words.

Two texts are similar if the Jaccard index of their words is at least `SIMILAR`: the same words in
another order, or one word more of five. Such pairs are found by prefix filtering: with the words of
each text sorted from rare to frequent, only texts that share one of the first few are compared.
Chaudhuri, Ganti and Kaushik (2006), ICDE, doi:10.1109/ICDE.2006.9.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_array, triu

from textclf.core.arrow import fingerprints, hash_texts, normalize_texts
from textclf.pages.parts import IDS, Labelled, LabelledText
from textclf.tables.copies import SIMILAR
from textclf.vectorize.terms.counts import count_terms
from textclf.vectorize.terms.settings import Terms

# Pairs that are compared at most; words that would lead to more are left out, the most frequent
# first.
MOST_COMPARED = 5_000_000
# Pairs compared at once.
CHUNK = 100_000
# Words are runs of letters.
RUNS = r"\w+"
WORDS = Terms(token_pattern=RUNS, lowercase=False, weighting="binary")
# Stands for the label of a text whose rows have different ones.
SEVERAL = -1

Ints = NDArray[np.int64]


class Pair(NamedTuple):
    """Two texts, by their positions, and the share of their words that both have."""

    first: int
    second: int
    similarity: float


@dataclass(frozen=True)
class SimilarTexts:
    """Pairs of similar texts with different labels, most similar first.

    Texts with the same words count as one.
    """

    pairs: Sequence[Pair]
    # Words that led to too many pairs to compare; if there are none, every pair was found.
    words_left_out: int


@dataclass(frozen=True)
class _WordSets:
    """Distinct sets of words, and the texts that have each."""

    words: Ints  # of all sets, those of each set in order, rare ones first
    starts: Ints  # (sets + 1,): where each begins
    members: Sequence[Sequence[int]]  # positions of the texts of each set

    @property
    def sizes(self) -> Ints:
        """The number of words of each set."""
        return np.diff(self.starts)

    def matrix(self, counted: NDArray[np.bool_]) -> Any:
        """Return a 1 for each word of each set, (sets, words), of the words counted (words,)."""
        shape = len(self.sizes), int(self.words.max(initial=-1)) + 1
        values = counted.astype(np.int64)
        matrix = csr_array((values, self.words, self.starts), shape=shape, copy=True)
        matrix.eliminate_zeros()
        return matrix


def find_similar(texts: Sequence[bytes], labels: Ints, most: int = MOST_COMPARED) -> SimilarTexts:
    """Return the similar pairs of normalised texts whose labels differ; one may be `SEVERAL`.

    A text with `SEVERAL` labels differs from every other text. Texts without words are similar to
    none.
    """
    sets = _word_sets(texts)
    of_set = np.array([labels[members[0]] for members in sets.members], dtype=np.int64)
    for number, members in enumerate(sets.members):
        if len(members) > 1 and (labels[members] != of_set[number]).any():
            of_set[number] = SEVERAL
    pairs = [
        Pair(*_differing(members, members, labels), 1.0)
        for number, members in enumerate(sets.members)
        if len(members) > 1 and of_set[number] == SEVERAL
    ]
    *compared, left_out = _candidates(sets, of_set, most)
    for first, second, similarity in _compare(sets, *compared):
        texts_of_both = _differing(sets.members[first], sets.members[second], labels)
        pairs.append(Pair(*texts_of_both, similarity))
    pairs.sort(key=lambda pair: (-pair.similarity, pair.first, pair.second))
    return SimilarTexts(pairs, left_out)


def _word_sets(texts: Sequence[bytes]) -> _WordSets:
    """Return the sets of words, in the order in which they occur first."""
    counts = count_terms([text.decode() for text in texts], "word", WORDS).counts
    frequency = np.bincount(counts.indices, minlength=counts.shape[1])
    rank = np.empty(len(frequency), dtype=np.int64)
    rank[np.argsort(frequency, kind="stable")] = np.arange(len(frequency))
    by_text = [np.sort(rank[words]) for words in np.split(counts.indices, counts.indptr[1:-1])]
    keys = fingerprints([words.tobytes() for words in by_text]).tolist()
    members: dict[int, list[int]] = {}
    for text, key in enumerate(keys):
        if len(by_text[text]):
            members.setdefault(key, []).append(text)
    parts = [by_text[same[0]] for same in members.values()]
    ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
    starts = np.concatenate([[0], ends]).astype(np.int64)
    words = np.concatenate([*parts, np.zeros(0, np.int64)])
    return _WordSets(words, starts, list(members.values()))


def _candidates(sets: _WordSets, labels: Ints, most: int) -> tuple[Ints, Ints, int]:
    """Return the two sets of each pair to compare, and the number of words left out.

    The sets are positions, (pairs,) each.
    """
    sizes = sets.sizes
    # Similar sets share one of so many words.
    needed = sizes - np.ceil(SIMILAR * sizes - 1e-9).astype(np.int64) + 1
    owner = np.repeat(np.arange(len(sizes)), sizes)
    rare = np.arange(len(sets.words)) - sets.starts[owner] < needed[owner]
    counts = np.bincount(sets.words[rare])
    pairs = counts * (counts - 1) // 2
    by_cost = np.argsort(pairs, kind="stable")
    left_out = by_cost[np.cumsum(pairs[by_cost]) > most]
    words = sets.matrix(rare & ~np.isin(sets.words, left_out))
    left, right = triu(words @ words.T, k=1).nonzero()
    differ = (labels[left] != labels[right]) | (labels[left] == SEVERAL)
    smaller = np.minimum(sizes[left], sizes[right])
    near = smaller >= SIMILAR * np.maximum(sizes[left], sizes[right]) - 1e-9
    return left[differ & near], right[differ & near], len(left_out)


def _compare(sets: _WordSets, first: Ints, second: Ints) -> Iterator[tuple[int, int, float]]:
    """Yield the pairs that are similar, with their similarity."""
    matrix = sets.matrix(np.ones(len(sets.words), dtype=bool))
    for start in range(0, len(first), CHUNK):
        left, right = first[start : start + CHUNK], second[start : start + CHUNK]
        common = np.asarray(matrix[left].multiply(matrix[right]).sum(axis=1)).ravel()
        similarity = common / (sets.sizes[left] + sets.sizes[right] - common)
        for row in np.flatnonzero(similarity >= SIMILAR - 1e-9).tolist():
            yield int(left[row]), int(right[row]), float(similarity[row])


def _differing(first: Sequence[int], second: Sequence[int], labels: Ints) -> tuple[int, int]:
    """Return a text of one set and one of another, or of the same, whose labels differ.

    The smaller position is first. Of the texts with one label, only the first of each set is looked
    at, and the last of the second set: if all have `SEVERAL` labels, the first and the last are a
    pair.
    """
    samples = [
        list({int(labels[text]): text for text in reversed(part)}.values())
        for part in (first, second)
    ]
    return min(
        (min(a, b), max(a, b))
        for a in samples[0]
        for b in (*samples[1], second[-1])
        if a != b and (labels[a] != labels[b] or labels[a] == SEVERAL)
    )


@dataclass(frozen=True)
class DistinctTexts:
    """The normalised texts of the rows, each once, in the order in which they occur first."""

    normalized: Sequence[bytes]  # in UTF-8
    of_row: Ints  # (rows,): the position of each row's text
    labels: Ints  # (texts,): the position of the label of its rows, or `SEVERAL`

    @property
    def conflicting(self) -> Ints:
        """The positions of the texts that have several labels."""
        return np.flatnonzero(self.labels == SEVERAL)


def find_texts(rows: pd.DataFrame, y: Ints) -> DistinctTexts:
    """Return the distinct texts.

    Texts are the same if they differ in case, spaces and compatible characters alone.
    """
    normalized = normalize_texts(rows["text"])
    of_row = pd.factorize(hash_texts(normalized))[0]
    first = np.unique(of_row, return_index=True)[1]
    labels = y[first]
    labels[of_row[y != labels[of_row]]] = SEVERAL
    return DistinctTexts(normalized.take(first).cast(pa.binary()).to_pylist(), of_row, labels)


def labelled_text(rows: pd.DataFrame, positions: Ints) -> LabelledText:
    """Return the text that the rows at these positions share, and these rows by label."""
    part = rows.iloc[positions]
    by_label = {}
    for label, same in part.groupby("label", sort=False):
        ids = list(zip(same["split"][:IDS], same["id"][:IDS], strict=True))
        by_label[str(label)] = Labelled(len(same), ids)
    return LabelledText(str(part["text"].iloc[0]), by_label)
