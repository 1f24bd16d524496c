"""Properties of texts by which test rows are put into slices, computed for whole columns."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textclf.core.arrow import blocks, count_lengths
from textclf.evaluate.slices import names

Codes = NDArray[np.int8]  # position of each row's value in the values of a family

WORDS = (4, 8, 16, 32, 64, 128, 256)  # most words of a text in each band; the last one has no end
WORD_BANDS = ("1 to 4", "5 to 8", "9 to 16", "17 to 32", "33 to 64", "65 to 128", "129 to 256", "257 or more")
SHARES = (0.0, 0.1, 0.25)  # largest share of unknown words in each band, likewise
SHARE_BANDS = ("none", "up to 10%", "10% to 25%", "more than 25%")
NO_YES = ("no", "yes")
BLOCK = 2**22  # bytes of texts whose words are looked at together
# RE2, whose \b knows ASCII alone. English; what is written without an apostrophe counts too.
BEFORE, AFTER = r"(^|[^\p{L}\p{N}_])", r"([^\p{L}\p{N}_]|$)"
NEGATION = (
    rf"(?i){BEFORE}(no|not|never|none|nobody|nothing|nowhere|neither|nor|cannot|without"
    rf"|(ai|are|ca|could|did|do|does|had|has|have|is|should|was|were|wo|would)nt){AFTER}|n['\x{{2019}}]t{AFTER}"
)
CAPITALS = rf"{BEFORE}\p{{Lu}}{{3,}}{AFTER}"
DIGITS = r"\p{Nd}"
SEPARATORS = r"[\x00-/:-@\[-`{-\x7f]+"  # of words: what is ASCII and no letter or digit
PATTERNS = {names.NEGATION: NEGATION, names.CAPITALS: CAPITALS, names.DIGITS: DIGITS}


def by_words(texts: pa.ChunkedArray) -> Codes:
    """Return the band of the number of words of each text, words being what white space separates: (texts,)."""
    return np.searchsorted(WORDS, count_lengths(texts)[0]).astype(np.int8)


def by_pattern(texts: pa.ChunkedArray, pattern: str) -> Codes:
    """Return 1 for each text in which a regular expression of RE2 is found, else 0: (texts,)."""
    found: NDArray[np.bool_] = pc.match_substring_regex(texts, pattern).to_numpy()
    return found.astype(np.int8)


def words_of(texts: pa.ChunkedArray) -> pa.StringArray:
    """Return the distinct words of all texts."""
    return pc.unique(pa.chunked_array([_words(block)[0] for block in _blocks(texts)], pa.string()))


def by_unknown_words(texts: pa.ChunkedArray, known: pa.StringArray) -> Codes:
    """Return the band of the share of each text's words that are not `known`, as `words_of`: (texts,)."""
    return np.concatenate([np.zeros(0, np.int8), *(_unknown_bands(block, known) for block in _blocks(texts))])


def _blocks(texts: pa.ChunkedArray) -> Iterator[pa.StringArray]:
    """Yield the texts in pieces of about `BLOCK` bytes: what is computed of them takes several times as much."""
    for chunk in texts.chunks:
        for start, end in blocks(chunk, BLOCK) if len(chunk) else ():
            yield chunk.slice(start, end - start)


def _unknown_bands(texts: pa.StringArray, known: pa.StringArray) -> Codes:
    words, rows = _words(texts)
    unknown = pc.invert(pc.is_in(words, value_set=known)).to_numpy(zero_copy_only=False)
    counts, others = (np.bincount(which, minlength=len(texts)) for which in (rows, rows[unknown]))
    return np.searchsorted(SHARES, others / np.maximum(counts, 1)).astype(np.int8)


def _words(texts: pa.StringArray) -> tuple[pa.StringArray, NDArray[np.int64]]:
    """Return each word of the texts, in lower case, and the text that it is of: both (words,).

    A word is a run of letters and digits; of characters beyond ASCII, all count as letters and keep their case.
    """
    parts = pc.split_pattern_regex(pc.ascii_lower(texts), SEPARATORS)
    words, rows = parts.flatten(), pc.list_parent_indices(parts)
    filled = pc.not_equal(words, "")
    return words.filter(filled), rows.filter(filled).to_numpy()
