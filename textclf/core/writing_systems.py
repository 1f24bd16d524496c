"""Texts of scripts without spaces between words: split at spaces, they give no words."""

import re
from collections.abc import Sequence

# Thai, Lao and Tibetan; Myanmar; Khmer; Hiragana and Katakana; Han
UNSPACED = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
LETTER = re.compile(f"[{UNSPACED}]")
OTHER_WORD = re.compile(rf"[^\W{UNSPACED}]+")
SPACE = re.compile(rf"(?<=[{UNSPACED}])[\s\u200b]+(?=[{UNSPACED}])")
SPACES = 0.1  # spaces per letter from which on words count as separated
READ = 1000  # characters of a text that are looked at
# Shares of unspaced texts from which letters are read beside words, and instead of words.
SOME = 0.1
MOST = 0.5
EXAMPLES = "in a script without spaces between words, such as Chinese, Japanese or Thai"


def unspaced_share(texts: Sequence[str]) -> float:
    """Return the share of texts mostly in such scripts and without spaces between their words."""
    return sum(map(is_unspaced, texts)) / max(len(texts), 1)


def is_unspaced(text: str) -> bool:
    """Return whether a text is mostly in such a script and has no spaces between its words."""
    if text.isascii():
        return False
    letters = len(LETTER.findall(text, 0, READ))
    if not letters or letters < len(OTHER_WORD.findall(text, 0, READ)):
        return False
    return len(SPACE.findall(text, 0, READ)) < SPACES * letters
