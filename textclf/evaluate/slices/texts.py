"""Properties of texts by which test rows are put into slices, computed for whole columns."""

import re
from collections.abc import Set

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textclf.core.arrow import count_lengths
from textclf.evaluate.slices import names

Codes = NDArray[np.int8]  # position of each row's value in the values of a family

WORDS = (4, 8, 16, 32, 64, 128, 256)  # most words of a text in each band; the last one has no end
WORD_BANDS = ("1 to 4", "5 to 8", "9 to 16", "17 to 32", "33 to 64", "65 to 128", "129 to 256", "257 or more")
SHARES = (0.0, 0.1, 0.25)  # largest share of unknown words in each band, likewise
SHARE_BANDS = ("none", "up to 10%", "10% to 25%", "more than 25%")
NO_YES = ("no", "yes")
# RE2, whose \b knows ASCII alone. English; what is written without an apostrophe counts too.
BEFORE, AFTER = r"(^|[^\p{L}\p{N}_])", r"([^\p{L}\p{N}_]|$)"
NEGATION = (
    rf"(?i){BEFORE}(no|not|never|none|nobody|nothing|nowhere|neither|nor|cannot|without"
    rf"|(ai|are|ca|could|did|do|does|had|has|have|is|should|was|were|wo|would)nt){AFTER}|n['\x{{2019}}]t{AFTER}"
)
CAPITALS = rf"{BEFORE}\p{{Lu}}{{3,}}{AFTER}"
DIGITS = r"\p{Nd}"
WORD = re.compile(rb"[0-9a-z\x80-\xff]+")
PATTERNS = {names.NEGATION: NEGATION, names.CAPITALS: CAPITALS, names.DIGITS: DIGITS}


def by_words(texts: pa.ChunkedArray) -> Codes:
    """Return the band of the number of words of each text, words being what white space separates: (texts,)."""
    return np.searchsorted(WORDS, count_lengths(texts)[0]).astype(np.int8)


def by_pattern(texts: pa.ChunkedArray, pattern: str) -> Codes:
    """Return 1 for each text in which a regular expression of RE2 is found, else 0: (texts,)."""
    found: NDArray[np.bool_] = pc.match_substring_regex(texts, pattern).to_numpy()
    return found.astype(np.int8)


def words_of(texts: pa.ChunkedArray) -> set[bytes]:
    """Return the distinct words of all texts."""
    return {word for text in texts.to_pylist() for word in _words(text)}


def by_unknown_words(texts: pa.ChunkedArray, known: Set[bytes]) -> Codes:
    """Return the band of the share of each text's words that are not `known`, as `words_of`: (texts,)."""
    shares = [sum(word not in known for word in words) / max(len(words), 1) for words in map(_words, texts.to_pylist())]
    return np.searchsorted(SHARES, shares).astype(np.int8)


def _words(text: str) -> list[bytes]:
    """Return the words of a text in lower case and UTF-8: runs of letters, digits and characters beyond ASCII."""
    return WORD.findall(text.encode().lower())
