"""The names of the slices that are made of the rows themselves.

They are apart from what computes them, since params.py reads them.
"""

CLASS, WORDS, UNKNOWN = "class", "words", "unknown_words"
NEGATION, CAPITALS, DIGITS = "negation", "capitals", "digits"
# A column of data.slices cannot have one of these names.
FAMILIES = (CLASS, WORDS, NEGATION, CAPITALS, DIGITS, UNKNOWN)
