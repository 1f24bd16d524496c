"""The words that a column or a file's name may use for the splits train, validation and test."""

import re

from textclf.core.files import SUGGESTED
from textclf.core.quoting import quote_name, quote_value
from textclf.tables.files import source_name

SYNONYMS = {"train": ("training",), "validation": ("valid", "val", "dev"), "test": ("testing",)}
SPLIT_OF = {word: split for split, words in SYNONYMS.items() for word in (split, *words)}
OF_VALUES = SPLIT_OF | {SUGGESTED: SUGGESTED}
OTHER_WORDS = ", ".join(word for words in SYNONYMS.values() for word in words)
RULE = f"train, validation, test or {SUGGESTED} (or {OTHER_WORDS})"
LETTERS = re.compile(r"[^\W\d_]+")


def split_of_value(value: str, column: str) -> str:
    """Return the split, or `SUGGESTED`, that a value names in upper or lower case.

    Raises `ValueError` if it names none.
    """
    split = OF_VALUES.get(value.strip().lower())
    if split is None:
        raise ValueError(
            f"{quote_name(column)} must be {RULE}; got {quote_value(value)}; correct it"
        )
    return split


def split_of_file(name: str) -> str | None:
    """Return the split that a file's name gives, else the nearest folder with one; None without.

    A name gives a split if one of its words, runs of letters, does: `train-00000-of-00002.parquet`,
    `sst2_dev.tsv`, `testset.csv`, `test/news.csv`, but not `train_test.csv`.
    """
    *folders, file = name.split("/")
    for part in (source_name(file), *reversed(folders)):
        words = [word.removesuffix("set") for word in LETTERS.findall(part.lower())]
        splits = {SPLIT_OF[word] for word in words if word in SPLIT_OF}
        if splits:
            return splits.pop() if len(splits) == 1 else None
    return None
