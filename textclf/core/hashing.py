"""64-bit fingerprints of texts, and the normal form by which duplicate texts are recognised."""

import unicodedata
from collections.abc import Sequence
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray


def fingerprints(texts: Sequence[str] | Sequence[bytes], seed: int = 0) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each text, shape (texts,): the first half of MurmurHash3 x64 128 of its UTF-8."""
    import mmh3

    content: Any = texts
    if len(texts) and isinstance(texts[0], str):
        content = map(str.encode, content)
    digests = b"".join(map(mmh3.mmh3_x64_128_digest, content, repeat(seed)))
    return np.frombuffer(digests, "<u8")[::2].astype(np.uint64)


def normalize_text(text: str) -> str:
    """Return the text in NFKC, case-folded, each run of white space as one space, none at the ends."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
