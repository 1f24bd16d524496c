"""The settings of the method token_ids, named as in Keras."""

from typing import Annotated, Literal

from pydantic import Field

from textclf.core.settings import Section

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'  # of Keras's Tokenizer; the apostrophe stays


class Settings(Section):
    """Sequences of word ids: the more often a word occurs in the training texts, the smaller its id."""

    method: Literal["token_ids"] = Field(
        "token_ids", description="sequences of word ids, as Keras's Tokenizer makes them"
    )
    num_words: Annotated[int, Field(ge=2)] | None = Field(
        5000, description="only the most frequent num_words - 1 words are kept; null keeps all"
    )
    length: Annotated[int, Field(ge=1)] = Field(100, description="words per text; shorter texts are padded with id 0")
    padding: Literal["post", "pre"] = Field("post", description="side on which a short text is padded: post or pre")
    truncating: Literal["post", "pre"] = Field(
        "pre", description="side on which a text that is too long loses words: pre (Keras's default) or post"
    )
    lowercase: bool = Field(True, description="count Good and good as one word")
    filters: str = Field(FILTERS, description="characters that separate words, beside the space")
    vectors: str | None = Field(
        None, description="pretrained word vectors for the embedding, such as glove-6b-50d; null: none"
    )
