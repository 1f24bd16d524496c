"""The distinct texts of a stream, and a sample of them, in eight bytes per row besides the sample.

Texts are the same if they differ only in case, white space, digits and punctuation: such rows come from one template,
and are not independent. A text counts once, however many copies there are. The sample has the texts, or if rows have
groups the groups, with the smallest hashes, so that it does not depend on the order of the rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from textclf.core.hashing import fingerprints, normalize_text

SIZE = 2000  # distinct texts in a sample, about: it ends with the group with which they are as many
MOST = 100  # distinct texts of a group
CHARACTERS = 10_000  # of a text that are looked at: its beginning
_DIGITS, _PUNCTUATION = b"0123456789", b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_FOLDED = bytes.maketrans(_DIGITS + _PUNCTUATION, b"0" * len(_DIGITS) + b" " * len(_PUNCTUATION))


@dataclass(frozen=True)
class Sample:
    """The distinct texts of a stream, of which some are sampled."""

    keys: NDArray[np.uint64]  # hashes of all, ascending
    copies: NDArray[np.int64]  # of each
    texts: dict[tuple[int, int], str]  # sampled, by the hashes of group and text; without groups, each text is one

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
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[places] == keys, self.copies[places], 0)

    def without(self, others: "Sample") -> "Sample":
        """Return the texts that the others do not have."""
        kept = others.copies_of(self.keys) == 0
        known = others.copies_of(np.array([key for _, key in self.texts], np.uint64)).tolist()
        texts = {place: text for (place, text), copies in zip(self.texts.items(), known, strict=True) if not copies}
        return Sample(self.keys[kept], self.copies[kept], texts)


def text_keys(texts: Sequence[str], seed: int) -> NDArray[np.uint64]:
    """Return a hash for each text, equal for texts that differ only in case, white space, digits and punctuation."""
    return fingerprints([fold(text) for text in texts], seed)


def fold(text: str) -> bytes:
    """Return the words of a text in UTF-8, in lower case, with 0 for each digit and without punctuation."""
    normalized = normalize_text(text[:CHARACTERS]).encode()
    return b" ".join(normalized.translate(_FOLDED).split()) or normalized


def sample_texts(batches: Iterable[tuple[Sequence[str], Sequence[str] | None]], seed: int, size: int = SIZE) -> Sample:
    """Return the distinct texts of a stream of texts and their groups, of which about `size` are sampled.

    A group has at most `MOST` of these; a text whose group is blank is a group of its own. Of several texts that count
    as the same, the first in the order of code points stands for all.
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
            groups = np.where([bool(name.strip()) for name in names], fingerprints(names, seed), keys)
        hashes.append(keys)
        for place in np.flatnonzero(groups <= np.uint64(limit - 1)).tolist():
            pair, text = (int(groups[place]), int(keys[place])), batch[place][:CHARACTERS]
            if pair not in texts or text < texts[pair]:
                texts[pair] = text
        if len(texts) > 2 * size:
            limit = _smallest(texts, size) + 1
    _smallest(texts, size)
    keys, copies = np.unique(np.concatenate(hashes), return_counts=True)
    return Sample(keys, copies.astype(np.int64), texts)


def _smallest(texts: dict[tuple[int, int], str], size: int) -> int:
    """Remove all but the groups with the smallest hashes, of about `size` texts; return the largest one that stays."""
    kept = largest = 0
    for group, pairs in groupby(sorted(texts), key=itemgetter(0)):
        ordered, most = list(pairs), MOST if kept < size else 0
        for pair in ordered[most:]:
            del texts[pair]
        if most:
            kept, largest = kept + len(ordered[:most]), group
    return largest
