"""The distinct texts of a stream, and a sample of them, in eight bytes per row besides the sample.

Texts are the same if they differ only in case, white space, digits and punctuation: such rows come from one template,
and are not independent. A text counts once, however many copies there are. The sample has the texts with the smallest
hashes, so it does not depend on the order of the rows, and all copies of a text are in it or none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textclf.core.hashing import fingerprints, normalize_text

SIZE = 2000  # distinct texts in a sample, at most
CHARACTERS = 10_000  # of a text that are looked at: its beginning
_DIGITS, _PUNCTUATION = b"0123456789", b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_FOLDED = bytes.maketrans(_DIGITS + _PUNCTUATION, b"0" * len(_DIGITS) + b" " * len(_PUNCTUATION))


@dataclass(frozen=True)
class Sample:
    """All distinct texts of a stream by their hashes, ascending, with their copies; `texts` are those of a sample."""

    keys: NDArray[np.uint64]
    copies: NDArray[np.int64]
    texts: dict[int, str]

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
        keys = self.keys[kept]
        return Sample(keys, self.copies[kept], {key: self.texts[key] for key in keys.tolist() if key in self.texts})


@dataclass(frozen=True)
class Pool:
    """The sampled texts of reference and new rows together, ordered by hash, with the copies that each side has.

    A text in the sample of one side has all its copies of both sides. `texts`: (texts,); `reference`, `new`: (texts,).
    """

    texts: tuple[str, ...]
    reference: NDArray[np.int64]
    new: NDArray[np.int64]

    @property
    def copies(self) -> NDArray[np.int64]:
        """Return how many copies of each text both sides have together."""
        return self.reference + self.new


def text_keys(texts: Sequence[str], seed: int) -> NDArray[np.uint64]:
    """Return a hash for each text, equal for texts that differ only in case, white space, digits and punctuation."""
    normalized = [normalize_text(text[:CHARACTERS]).encode() for text in texts]
    return fingerprints([b" ".join(text.translate(_FOLDED).split()) or text for text in normalized], seed)


def sample_texts(batches: Iterable[Sequence[str]], seed: int, size: int = SIZE) -> Sample:
    """Return the distinct texts of a stream; of those with the `size` smallest hashes also the text.

    Of several texts that count as the same, the first in the order of code points stands for all.
    """
    texts: dict[int, str] = {}
    limit = 2**64
    hashes = [np.zeros(0, np.uint64)]
    for batch in batches:
        if not batch:
            continue
        keys = text_keys(batch, seed)
        hashes.append(keys)
        for place in np.flatnonzero(keys <= np.uint64(limit - 1)).tolist():
            key, text = int(keys[place]), batch[place][:CHARACTERS]
            if key not in texts or text < texts[key]:
                texts[key] = text
        if len(texts) > 2 * size:
            limit = _smallest(texts, size) + 1
    if len(texts) > size:
        _smallest(texts, size)
    keys, copies = np.unique(np.concatenate(hashes), return_counts=True)
    return Sample(keys, copies.astype(np.int64), texts)


def _smallest(texts: dict[int, str], size: int) -> int:
    """Remove all but the smallest keys, and return the largest of those that stay."""
    ordered = sorted(texts)
    for key in ordered[size:]:
        del texts[key]
    return ordered[size - 1]


def pool(reference: Sample, new: Sample) -> Pool:
    """Return the sampled texts of both sides together."""
    merged = dict(reference.texts)
    for key, text in new.texts.items():
        merged[key] = min(text, merged.get(key, text))
    keys = np.array(sorted(merged), np.uint64)
    texts = tuple(merged[key] for key in keys.tolist())
    return Pool(texts, reference.copies_of(keys), new.copies_of(keys))
