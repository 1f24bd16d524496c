"""The settings of the method token_ids, named as in Keras."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from textclf.core.settings import Section, one_of
from textclf.pretrained.catalogue import VECTORS, having

# The filters of Keras's Tokenizer; the apostrophe stays.
FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
Vectors = Annotated[
    str,
    Field(json_schema_extra={"enum": list(having(VECTORS))}),
    one_of(having(VECTORS), "null or one of"),
]


class Settings(Section):
    """Sequences of word ids: \
the more often a word occurs in the training texts, the smaller its id."""

    kind: ClassVar = "tokens"
    unit: ClassVar = "known words"

    method: Literal["token_ids"] = Field(
        "token_ids", description="token_ids: sequences of word ids, as Keras's Tokenizer makes them"
    )
    num_words: Annotated[int, Field(ge=2)] | None = Field(
        5000, description="only the most frequent num_words - 1 words are kept; null keeps all"
    )
    length: Annotated[int, Field(ge=1)] = Field(
        100, description="words per text; shorter texts are padded with id 0"
    )
    padding: Literal["post", "pre"] = Field(
        "post", description="side on which a short text is padded: post or pre"
    )
    truncating: Literal["post", "pre"] = Field(
        "pre",
        description="side on which a text that is too long loses words: "
        "pre (Keras's default) or post",
    )
    lowercase: bool = Field(True, description="count Good and good as one word")
    filters: str = Field(FILTERS, description="characters that separate words, beside the space")
    vectors: Vectors | None = Field(
        None,
        description="pretrained word vectors for the embedding, such as glove-6b-50d; null: none",
    )

    def pretrained_names(self) -> list[str]:
        """Return the names of the pretrained weights to fetch."""
        return [] if self.vectors is None else [self.vectors]

    def describe(self, columns: int) -> str:
        """Return how a text becomes a sequence of so many different ids, in a few words."""
        vectors = "" if self.vectors is None else f", with the vectors {self.vectors}"
        return f"word ids, {columns:,} with padding{vectors}; texts of {self.length} words"

    def limits(self) -> str:
        """Return what a model does not see of a text, as the end of a sentence."""
        end = "last" if self.truncating == "pre" else "first"
        return (
            "sees of a text only words of the training rows, "
            f"and of more than {self.length} of them the {end} ones"
        )
