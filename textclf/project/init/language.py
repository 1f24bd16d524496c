"""The language of a table's texts, by py3langid: naive Bayes over byte n-grams of 139 languages.

Lui and Baldwin (2012), langid.py: An Off-the-shelf Language Identification Tool, ACL System Demonstrations, 25-30.
"""

from collections import Counter
from collections.abc import Iterable

from textclf.core.languages import NAMES

READ = 1000  # characters of a text that are looked at
SHARE = 0.8  # of the characters, at least, in texts that are recognized as the language


def detect_language(texts: Iterable[str]) -> str | None:
    """Return the English name of the language of most texts; None if none has `SHARE` of the characters or a name."""
    import py3langid

    characters: Counter[str] = Counter()
    for text in texts:
        characters[py3langid.classify(text[:READ])[0]] += len(text[:READ])
    if not characters:
        return None
    code, most = characters.most_common(1)[0]
    return NAMES.get(code) if most >= SHARE * characters.total() else None
