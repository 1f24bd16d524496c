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


class Settings(NamesWeights):
    """Sequences of the word pieces of a pretrained transformer."""

    kind: ClassVar = "tokens"
    unit: ClassVar = "word pieces"
    packages: ClassVar = ("tokenizers",)

    method: Literal["wordpieces"] = Field(default="wordpieces", description="wordpieces: ids for the model transformer")
    pretrained: Encoder | None = Field(default=DEFAULT, description=PRETRAINED)
    path: OwnPath | None = Field(default=None, description="your own folder with tokenizer.json")
    sha256: Checksum | None = Field(default=None, description=CHECKSUM)
    length: Annotated[int, Field(ge=3, le=512)] = Field(
        default=128, description="longest text in word pieces, at most 512; the rest of a longer text is cut off"
    )

    def describe(self, columns: int) -> str:
        """Return how a text becomes a sequence of so many different ids, in a few words."""
        return f"word pieces of {self.chosen.name}, {columns:,} ids, at most {self.length} for each text"

    def limits(self) -> str:
        """Return what a model does not see of a text, as the end of a sentence."""
        return f"sees of a text the first {self.length} word pieces"
