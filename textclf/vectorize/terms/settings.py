"""Settings of the method terms, named as in scikit-learn's vectorizers."""

import re
import warnings
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator

from textclf.core.formatting import join_names
from textclf.core.settings import Section, relation, rule, show

UNITS = {
    "word": "words",
    "char": "characters",
    "char_wb": "characters within words",
    "word+char": "words and characters",
    "word+char_wb": "words, and characters within words",
}
WEIGHTS = {"counts": "counts", "binary": "presence", "tfidf": "tf-idf"}


def _document_frequency(value: object) -> int | float:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    is_share = isinstance(value, float) and 0.0 <= value <= 1.0
    if not (is_count or is_share):
        raise rule(
            "an integer from 1 (a number of rows) or a decimal from 0.0 to 1.0 "
            "(a share of the rows)"
        )
    return value  # type: ignore[return-value]


def _regular_expression(value: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # "possible nested set"
            groups = re.compile(value).groups
    except (re.error, OverflowError, RecursionError) as error:
        raise rule(f"a regular expression ({error})") from error
    if groups > 1:
        raise rule("a regular expression with at most one capturing group")
    return value


DocumentFrequency = Annotated[
    int | float,
    PlainValidator(_document_frequency),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "number", "minimum": 0, "maximum": 1},
            ]
        }
    ),
]
Range = Annotated[
    tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]], Field(strict=False)
]


class Terms(Section):
    """Sparse vectors of the words or character n-grams of the training rows."""

    kind: ClassVar = "sparse"
    # Settings that have an effect only with some values of another setting: its name, and these
    # values.
    conditions: ClassVar = {
        "sublinear_tf": ("weighting", ("tfidf",)),
        **dict.fromkeys(
            ("token_pattern", "ngram_range"), ("analyzer", ("word", "word+char", "word+char_wb"))
        ),
        "char_ngram_range": ("analyzer", ("char", "char_wb", "word+char", "word+char_wb")),
        **dict.fromkeys(("min_df", "max_df", "max_features"), ("hashing", (None,))),
    }

    method: Literal["terms"] = Field(
        "terms", description="terms: words or character n-grams, as sparse vectors"
    )
    analyzer: Literal["word", "char", "char_wb", "word+char", "word+char_wb"] = Field(
        "word",
        description="word, char (n-grams of letters), char_wb (within words), "
        "word+char or word+char_wb",
    )
    weighting: Literal["counts", "binary", "tfidf"] = Field(
        "counts",
        description="counts, binary (1 if the term occurs) or tfidf (rare terms weigh more)",
    )
    sublinear_tf: bool = Field(
        False, description="true uses 1 + log(count) in tfidf; for texts that repeat their words"
    )
    lowercase: bool = Field(True, description="false distinguishes Food from food")
    token_pattern: Annotated[str, AfterValidator(_regular_expression)] = Field(
        r"(?u)\b\w\w+\b",
        description="regular expression of a word; this one drops one-letter words",
    )
    ngram_range: Range = Field(
        (1, 1),
        description='smallest and largest n of word n-grams; [1, 2] adds pairs such as "not good"',
    )
    char_ngram_range: Range = Field(
        (2, 5), description="smallest and largest n of letter n-grams, if the analyzer has char"
    )
    min_df: DocumentFrequency = Field(
        1,
        description="drop terms in fewer rows: "
        "an integer counts rows, a decimal is a share of them",
    )
    max_df: DocumentFrequency = Field(
        1.0,
        description="drop terms in more rows than this, an integer or a share as in min_df; "
        "0.5 drops the commonest",
    )
    max_features: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="number of terms to keep per analyzer, the most frequent ones; null keeps all",
    )
    hashing: Annotated[int, Field(ge=1, lt=2**31)] | None = Field(
        None,
        description="number of columns to hash terms into, such as 262144; "
        "null keeps a vocabulary instead",
    )

    @property
    def analyzers(self) -> list[str]:
        """Return the analyzers to use side by side: one or two of word, char and char_wb."""
        return self.analyzer.split("+")

    @property
    def learns(self) -> bool:
        """Return whether anything is learned from the training rows: the terms, or their idf."""
        return self.hashing is None or self.weighting == "tfidf"

    def describe(self, columns: int) -> str:
        """Return how a text becomes a vector with so many columns, in a few words."""
        ranges = []
        if "word" in self.analyzer:
            ranges.append(("words", self.ngram_range))
        if "char" in self.analyzer:
            ranges.append(("characters", self.char_ngram_range))
        runs = [f"runs of {low} to {high} {unit}" for unit, (low, high) in ranges if low < high]
        runs += [f"runs of {low} {unit}" for unit, (low, high) in ranges if low == high > 1]
        terms = UNITS[self.analyzer]
        if runs:
            terms += f" ({join_names(runs)})"
        kind = "hashed columns" if self.hashing else "terms of the training rows"
        return f"{WEIGHTS[self.weighting]} of {terms}, {columns:,} {kind}"

    def limits(self) -> str:
        """Return what a model does not see of a text, as the end of a sentence."""
        return (
            "sees which terms a text contains, and their order only within terms of several words: "
            "it easily misses negation and irony"
        )

    @model_validator(mode="after")
    def _settings_fit(self) -> Self:
        for name in ("ngram_range", "char_ngram_range"):
            low, high = getattr(self, name)
            if low > high:
                raise relation(f"{name} must be [smallest, largest]; got {[low, high]}")
        if self.sublinear_tf and self.weighting != "tfidf":
            raise relation(f"weighting must be tfidf for sublinear_tf; got {self.weighting}")
        # Compared as text: 1 is one row, 1.0 is all rows.
        for name, default in {"min_df": 1, "max_df": 1.0, "max_features": None}.items():
            value = getattr(self, name)
            if self.hashing is not None and repr(value) != repr(default):
                raise relation(
                    f"{name} must be {show(default)} with hashing, which keeps no vocabulary to "
                    f"choose terms from; got {show(value)}"
                )
        return self
