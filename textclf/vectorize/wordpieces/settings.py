"""Settings of the representation wordpieces."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from textclf.artifacts.pretrained import Chosen
from textclf.artifacts.pretrained_settings import DEFAULT, PRETRAINED, Checksum, Encoder, OwnPath, check_choice
from textclf.core.settings import Section


class Settings(Section):
    """Sequences of the word pieces of a pretrained transformer."""

    kind: ClassVar = "tokens"
    packages: ClassVar = ("tokenizers",)

    method: Literal["wordpieces"] = Field(default="wordpieces", description="wordpieces: ids for the model transformer")
    pretrained: Encoder | None = Field(default=DEFAULT, description=PRETRAINED)
    path: OwnPath | None = Field(default=None, description="your own folder with tokenizer.json")
    sha256: Checksum | None = Field(
        default=None, description="SHA-256 of the tokenizer.json at path, as sha256sum prints it"
    )
    length: Annotated[int, Field(ge=3, le=512)] = Field(
        default=128, description="longest text in word pieces, at most 512; the rest of a longer text is cut off"
    )

    @property
    def chosen(self) -> Chosen:
        """Return the files that the settings name."""
        return Chosen(self.pretrained, self.path, self.sha256)

    def pretrained_names(self) -> list[str]:
        """Return the names of the pretrained weights to fetch."""
        return [] if self.pretrained is None else [self.pretrained]

    def describe(self, columns: int) -> str:
        """Return how a text becomes a sequence of so many different ids, in a few words."""
        return f"word pieces of {self.chosen.name}, {columns:,} ids, at most {self.length} for each text"

    def limits(self) -> str:
        """Return what a model does not see of a text, as the end of a sentence."""
        return f"sees of a text the first {self.length} word pieces"

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        check_choice(self.pretrained, self.path, self.sha256)
        return self
