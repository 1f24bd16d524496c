"""Settings of the representation encoder."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from textclf.pretrained.settings import CHECKSUM, DEFAULT, PRETRAINED, Checksum, Encoder, NamesWeights, OwnPath
from textclf.vectorize.tokenizer import Window


class Settings(NamesWeights):
    """Dense vectors of a pretrained sentence encoder, with which nothing is learned."""

    kind: ClassVar = "dense"
    network: ClassVar = True  # whose results depend on the type of the machine
    frozen: ClassVar = True  # nothing is learned, so the vector of a text never changes
    unit: ClassVar = "word pieces"
    packages: ClassVar = ("onnxruntime", "tokenizers")

    method: Literal["encoder"] = Field(default="encoder", description="encoder: vectors of a sentence encoder")
    pretrained: Encoder | None = Field(default=DEFAULT, description=PRETRAINED)
    path: OwnPath | None = Field(
        default=None, description="your own encoder: a folder with tokenizer.json and weights, or an ONNX file there"
    )
    sha256: Checksum | None = Field(default=None, description=CHECKSUM)
    length: Annotated[int, Field(ge=3, le=512)] = Field(
        default=256, description="word pieces of a window, at most 512, the opening and the closing one among them"
    )
    window: Window = Field(
        default="first", description="of a longer text: first, its first window; mean, the mean of windows of all of it"
    )
    pooling: Literal["mean", "cls"] = Field(
        default="mean", description="vector of a text: mean of its tokens, or cls (that of its first token)"
    )
    normalize: bool = Field(default=True, description="true scales each vector to length 1")

    def describe(self, columns: int) -> str:
        """Return how a text becomes a vector with so many columns, in a few words."""
        return f"sentence vectors of the pretrained encoder {self.chosen.name}, {columns:,} columns"

    def limits(self) -> str:
        """Return what a model sees of a long text, as the end of a sentence."""
        if self.window == "mean":
            return f"reads a text in overlapping windows of {self.length} word pieces, whose mean vector it sees"
        return f"sees of a text the first {self.length} word pieces"
