"""The slices that are made of the rows themselves, by name; apart from what computes them, since params.py reads it."""

CLASS, WORDS, UNKNOWN = "class", "words", "unknown_words"
NEGATION, CAPITALS, DIGITS = "negation", "capitals", "digits"
FAMILIES = (
    CLASS,
    WORDS,
    NEGATION,
    CAPITALS,
    DIGITS,
    UNKNOWN,
)  # which columns of data.slices can't be called
