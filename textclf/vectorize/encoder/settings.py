"""Settings of the representation encoder."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from textclf.core.settings import rule
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


def _class_texts(value: object) -> tuple[tuple[str, str], ...]:
    """Return (class, text) pairs, which can be frozen."""
    pairs = tuple(value.items()) if isinstance(value, dict) else value
    if not isinstance(pairs, tuple) or not all(
        isinstance(text, str) and text.strip() for _, text in pairs
    ):
        raise rule("a mapping of classes to texts that are not empty")
    return pairs


ClassTexts = Annotated[
    tuple[tuple[str, str], ...],
    PlainValidator(_class_texts),
    PlainSerializer(dict),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string", "minLength": 1}}),
]


class Settings(NamesWeights):
    """Dense vectors of a pretrained sentence encoder, with which nothing is learned."""

    kind: ClassVar = "dense"
    network: ClassVar = True  # whose results depend on the type of the machine
    frozen: ClassVar = True  # nothing is learned, so the vector of a text never changes
    unit: ClassVar = "word pieces"
    packages: ClassVar = ("onnxruntime", "tokenizers")

    method: Literal["encoder"] = Field(
        "encoder", description="encoder: vectors of a sentence encoder"
    )
    pretrained: Encoder | None = Field(DEFAULT, description=PRETRAINED)
    path: OwnPath | None = Field(
        None,
        description="your own encoder in data/external: "
        "a folder with tokenizer.json and weights, or an ONNX file there",
    )
    sha256: Checksum | None = Field(None, description=CHECKSUM)
    length: Annotated[int, Field(ge=3, le=512)] = Field(
        256,
        description="word pieces of a window, at most 512, "
        "the opening and the closing one among them",
    )
    window: Window = Field(
        "first",
        description="of a longer text: first, its first window; "
        "mean, the mean of windows of all of it",
    )
    pooling: Literal["mean", "cls"] = Field(
        "mean", description="vector of a text: mean of its tokens, or cls (that of its first token)"
    )
    normalize: bool = Field(True, description="true scales each vector to length 1")
    class_texts: ClassTexts = Field(
        {},
        validate_default=True,
        description="{class: text} to train on beside the rows, such as the name of the class; "
        "never measured",
    )

    def describe(self, columns: int) -> str:
        """Return how a text becomes a vector with so many columns, in a few words."""
        beside = "; models train on texts of class_texts as well" if self.class_texts else ""
        return (
            f"sentence vectors of the pretrained encoder {self.chosen.name}, "
            f"{columns:,} columns{beside}"
        )

    def limits(self) -> str:
        """Return what a model sees of a long text, as the end of a sentence."""
        if self.window == "mean":
            return (
                f"reads a text in overlapping windows of {self.length} word pieces, "
                "whose mean vector it sees"
            )
        return f"sees of a text the first {self.length} word pieces"
