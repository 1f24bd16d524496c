"""Settings of the representation wordpieces."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from textclf.pretrained.settings import (
    CHECKSUM,
    DEFAULT,
    PRETRAINED,
    Checksum,
    Encoder,
    NamesWeights,
    OwnPath,
)
from textclf.vectorize.tokenizer import Window


class Settings(NamesWeights):
    """Sequences of the word pieces of a pretrained transformer."""

    kind: ClassVar = "tokens"
    unit: ClassVar = "word pieces"
    packages: ClassVar = ("tokenizers",)

    method: Literal["wordpieces"] = Field(
        "wordpieces", description="wordpieces: ids for the model transformer"
    )
    pretrained: Encoder | None = Field(DEFAULT, description=PRETRAINED)
    path: OwnPath | None = Field(
        None,
        description="your own folder in data/external with tokenizer.json",
    )
    sha256: Checksum | None = Field(None, description=CHECKSUM)
    length: Annotated[int, Field(ge=3, le=512)] = Field(
        128,
        description="word pieces of a window, at most 512, "
        "the opening and the closing one among them",
    )
    window: Window = Field(
        "first",
        description="of a longer text: first, its first window; "
        "mean trains on that and predicts the mean of all",
    )

    def describe(self, columns: int) -> str:
        """Return how a text becomes a sequence of so many different ids, in a few words."""
        name = self.chosen.name
        return f"word pieces of {name}, {columns:,} ids, at most {self.length} for each text"

    def limits(self) -> str:
        """Return what a model sees of a long text, as the end of a sentence."""
        if self.window == "mean":
            return (
                f"reads a text in overlapping windows of {self.length} word pieces and predicts "
                "the mean of their probabilities; it was trained on first windows"
            )
        return f"sees of a text the first {self.length} word pieces"
