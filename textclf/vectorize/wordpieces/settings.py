"""Settings of the representation wordpieces."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from textclf.artifacts.pretrained import Chosen
from textclf.artifacts.pretrained_settings import DEFAULT, PRETRAINED, Checksum, Encoder, OwnPath, check_choice
from textclf.core.settings import Section


class Settings(Section):
    """How a text becomes the word pieces of a pretrained transformer."""

    method: Literal["wordpieces"] = Field(default="wordpieces", description="word pieces of a pretrained transformer")
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

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        check_choice(self.pretrained, self.path, self.sha256)
        return self
