"""Perturbations: small changes of an English text that leave its meaning alone.

Each is a function of a text and a seed. It returns the changed text, or the text itself if there is
nothing to change. What is drawn depends on the seed, the name of the perturbation and the text
alone (`draw`).
"""

import re
from collections.abc import Callable, Sequence

from textclf.core.arrow import fingerprints

# Only forms that stand for one thing: "it's" may be "it is" or "it has", "she'd" may be "she would"
# or "she had".
NEGATIONS = {
    f"{verb} not": f"{verb}n't"
    for verb in [
        "are",
        "could",
        "did",
        "do",
        "does",
        "had",
        "has",
        "have",
        "is",
        "should",
        "was",
        "were",
        "would",
    ]
}
NEGATIONS |= {"cannot": "can't", "will not": "won't"}
PRONOUNS = {
    f"{pronoun} {verb}": f"{pronoun}'{short}"
    for verb, short, pronouns in (
        ("am", "m", "i"),
        ("are", "re", "they we you"),
        ("have", "ve", "i they we you"),
        ("will", "ll", "i it they we you"),
    )
    for pronoun in pronouns.split()
}
CONTRACTIONS = NEGATIONS | PRONOUNS
# Common in several parts of the world; none is also a word, such as Grace or Will.
NAMES = tuple(
    """
    Aisha Ahmed Anna Carlos Daniel David Elena Emma Fatima Hannah Hiroshi Ivan Julia Kwame Laura
    Linda Maria Mehmet Michael Nadia Olga Peter Priya Rajesh Robert Sarah Sofia Thomas Wei Yuki
    """.split()  # noqa: SIM905 (easier to read and change)
)
# None is also a word or a name, such as Phoenix, Reading or Paris.
PLACES = tuple(
    """
    Athens Berlin Boston Cairo Chicago Delhi Denver Dublin Glasgow Istanbul Lagos Lima Lisbon London
    Madrid Montreal Mumbai Nairobi Oslo Prague Rome Seattle Seoul Stockholm Sydney Tokyo Toronto
    Vienna Warsaw Zurich
    """.split()  # noqa: SIM905 (easier to read and change)
)
# Things and signs without a sentiment.
EMOJI = ("\U0001f4c5", "\U0001f4cd", "\U0001f4ce", "\U0001f4dd", "\U0001f552", "\U0001f4c6")

# Letters that may be swapped.
WORD = re.compile(r"[^\W\d_]{4,}")
# Punctuation at the end of a word; apostrophes and hyphens within words stay.
MARK = re.compile(r"[.,;:!?…]+(?=\s|$)")
END = re.compile(r"[.!?…]?\s*$")
# A pronoun is not contracted before a mark or at the end: "as tall as I am".
LONG = re.compile(
    rf"\b(?:(?:{'|'.join(NEGATIONS)})\b|(?:{'|'.join(PRONOUNS)})(?= [^\W\d_]))", re.IGNORECASE
)
EXPANSIONS = {short: form for form, short in CONTRACTIONS.items()}
# The apostrophe of typesetters.
CURLY = "\u2019"
_SHORTS = "|".join(sorted(EXPANSIONS)).replace("'", f"['{CURLY}]")
# "isn't it" would become "is not it".
_ASKED = "(?<=t) (?:I|you|he|she|it|we|they)"
SHORT = re.compile(rf"\b(?:{_SHORTS})\b(?!{_ASKED}\b)", re.IGNORECASE)

Perturbation = Callable[[str, int], str]


def draw(number: int, seed: int, *key: str) -> int:
    """Return a whole number from 0 to `number` - 1, chosen by the seed and the texts of the key."""
    return int(fingerprints(["\0".join(key)], seed)[0] % number)


def typo(text: str, seed: int) -> str:
    """Swap two different neighbouring letters of one word of four letters or more."""
    positions = [
        position
        for word in WORD.finditer(text)
        for position in range(word.start(), word.end() - 1)
        if text[position].lower() != text[position + 1].lower()
    ]
    if not positions:
        return text
    first = positions[draw(len(positions), seed, "typo", text)]
    return text[:first] + text[first + 1] + text[first] + text[first + 2 :]


def more_punctuation(text: str) -> str:
    """Double the mark at the end of the text; if there is none, add a full stop."""
    end = END.search(text)
    mark = end[0].strip() if end else ""
    return f"{text.rstrip()}{mark or '.'}"


def contract(text: str) -> str:
    """Contract every form that can be: "do not" becomes "don't"."""
    return LONG.sub(lambda match: _as_written(match[0], CONTRACTIONS[match[0].lower()]), text)


def expand(text: str) -> str:
    """Write out every unambiguous contraction, "don't" as "do not", but not in "isn't it"."""
    return SHORT.sub(
        lambda match: _as_written(match[0], EXPANSIONS[match[0].lower().replace(CURLY, "'")]), text
    )


def _as_written(old: str, new: str) -> str:
    """Return the new form in capitals, or with a first capital, as the old one is."""
    letters = [letter for letter in old if letter.isalpha()]
    if len(letters) > 1 and all(letter.isupper() for letter in letters):
        return new.upper()
    return new[0].upper() + new[1:] if old[0].isupper() else new


def exchange(text: str, seed: int, name: str, words: Sequence[str]) -> str:
    """Replace each word of a list by another that the text lacks, the same wherever it occurs."""
    pattern = re.compile(rf"\b(?:{'|'.join(words)})\b")
    present = dict.fromkeys(pattern.findall(text))
    unused = [word for word in words if word not in present]
    others: dict[str, str] = {}
    for word in present:
        if unused:
            others[word] = unused.pop(draw(len(unused), seed, name, text, word))
    return pattern.sub(lambda match: others.get(match[0], match[0]), text)


def emoji(text: str, seed: int) -> str:
    """Add a sign without a sentiment, such as a calendar, at the end."""
    return f"{text.rstrip()} {EMOJI[draw(len(EMOJI), seed, 'emoji', text)]}"


PERTURBATIONS: dict[str, Perturbation] = {
    "contract": lambda text, _: contract(text),
    "emoji": emoji,
    "expand": lambda text, _: expand(text),
    "lower_case": lambda text, _: text.lower(),
    "more_punctuation": lambda text, _: more_punctuation(text),
    "names": lambda text, seed: exchange(text, seed, "names", NAMES),
    "no_punctuation": lambda text, _: MARK.sub("", text),
    "places": lambda text, seed: exchange(text, seed, "places", PLACES),
    "spaces": lambda text, _: f" {text.replace(' ', '  ')} ",
    "typo": typo,
    "upper_case": lambda text, _: text.upper(),
}
