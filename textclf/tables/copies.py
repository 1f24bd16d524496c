"""Near copies: texts with nearly the same words, apart from markup and what shows nothing.

They are found by prefix filtering: with the words of each text sorted by frequency, only texts that
share one of the few rarest are compared. Chaudhuri, Ganti and Kaushik (2006), ICDE,
doi:10.1109/ICDE.2006.9.
"""

import html
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textclf.core.arrow import as_array, large_array_of, normalize_texts, numbers_of, rows_of

SIMILAR = 0.8  # of the words of two texts, shared by both: near copies
# Tags, comments and the modifiers of emoji, such as that of the skin.
MARKUP = re.compile("<!--.*?-->|</?[A-Za-z][^<>]*>|[\U0001f3fb-\U0001f3ff]", re.DOTALL)
# What is no single space between words. Marks belong to words: many scripts have them as vowels.
SEPARATORS = r" *[^\pL\pM\pN_ ][^\pL\pM\pN_]*"
ROWS = 10_000  # texts that are compared at once, which bounds the memory


def list_words(texts: Any) -> "pa.ListArray":
    """Return the words of each text of a column or a sequence, normalised and without markup.

    Of a text without words, such as emoji, these are the parts between spaces.
    """
    whole = as_array(texts).cast(pa.large_string())
    marked = pc.match_substring_regex(whole, "[<&\U0001f3fb-\U0001f3ff]")
    given = whole.filter(marked).to_pylist()
    unmarked = [MARKUP.sub(" ", html.unescape(text)).strip() or text for text in given]
    normal = normalize_texts(pc.replace_with_mask(whole, marked, large_array_of(unmarked)))
    words = pc.utf8_trim(pc.replace_substring_regex(normal, SEPARATORS, " "), " ")
    wordless = pc.utf8_rtrim(normal, ".")
    return pc.split_pattern(pc.if_else(pc.equal(words, ""), wordless, words), " ")


class NearCopies:
    """Tells which of some texts are near copies of others, which stream by: `is_copy` (texts,)."""

    def __init__(self, texts: Any) -> None:
        """Index the texts; none is a copy yet."""
        lists = list_words(texts)
        counts = lists.flatten().value_counts()
        by_count = pc.array_sort_indices(counts.field("counts"), order="descending")
        self._indexed = counts.field("values").take(by_count)
        self._words = self._sets(lists)[:, : len(self._indexed)]
        self._sizes = np.diff(self._words.indptr)
        # A similar set has one at least of the rarest words of a set, which are the last ones.
        ranks = np.arange(self._words.nnz) - np.repeat(self._words.indptr[:-1], self._sizes)
        self._rare = self._words.copy()
        self._rare.data[:] = ranks >= np.repeat(np.ceil(SIMILAR * self._sizes) - 1, self._sizes)
        self._rare.eliminate_zeros()
        self.is_copy = np.zeros(len(lists), bool)

    def compare(self, texts: Any) -> None:
        """Mark the near copies of these other texts."""
        others = as_array(texts)
        for start in range(0, len(others), ROWS):
            sets = self._sets(list_words(others[start : start + ROWS]))
            words = sets[:, : len(self._indexed)]
            other, own = (words @ self._rare.T).nonzero()
            # Similar sets have nearly the same size: few pairs are left, whose words are compared.
            sizes = np.stack([np.diff(sets.indptr)[other], self._sizes[own]])
            alike = sizes.min(axis=0) >= SIMILAR * sizes.max(axis=0)
            other, own, total = other[alike], own[alike], sizes.sum(axis=0)[alike]
            both = words[other].multiply(self._words[own]).sum(axis=1)
            self.is_copy[own[both >= SIMILAR * (total - both)]] = True

    def _sets(self, lists: "pa.ListArray") -> Any:
        """Return whether each text has each word: indexed words by frequency, and then others."""
        from scipy.sparse import csr_array  # takes long to import

        encoded = lists.flatten().dictionary_encode()
        known = numbers_of(pc.index_in(encoded.dictionary, self._indexed).fill_null(-1))
        columns = np.where(known < 0, len(self._indexed) + np.arange(len(known)), known)
        cells = rows_of(lists), columns[numbers_of(encoded.indices)]
        shape = len(lists), len(self._indexed) + len(known)
        return csr_array((np.ones(len(encoded), bool), cells), shape=shape)
