"""The language of a table's texts, by py3langid: naive Bayes over byte n-grams of 139 languages.

Lui and Baldwin (2012), langid.py: An Off-the-shelf Language Identification Tool, ACL System Demonstrations, 25-30.
"""

from collections import Counter
from collections.abc import Sequence

from textclf.export.languages import NAMES

READ, TEXT = 1000, 10_000  # characters of a text, and of all together, that are looked at
# Shares of the characters that texts of the language must have: alone, or if all texts together are of it too. Short
# texts are easily taken for another language.
ALONE, TOGETHER = 0.8, 0.6


def detect_language(texts: Sequence[str]) -> str | None:
    """Return the English name of the language of most texts; None if it has too few of the characters, or no name."""
    import py3langid

    characters: Counter[str] = Counter()
    for text in texts:
        characters[py3langid.classify(text[:READ])[0]] += len(text[:READ])
    if not characters:
        return None
    code, most = characters.most_common(1)[0]
    needed = TOGETHER if py3langid.classify(" ".join(texts)[:TEXT])[0] == code else ALONE
    return NAMES.get(code) if most >= needed * characters.total() else None
