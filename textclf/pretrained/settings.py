"""Settings that name pretrained weights, the same in every representation and model."""

import re
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, WithJsonSchema, model_validator

from textclf.core.settings import FilePath, Section, one_of, relation, rule
from textclf.pretrained.catalogue import ENCODERS, ENGLISH
from textclf.pretrained.weights import Chosen

DEFAULT = ENGLISH
SHA256 = re.compile("[0-9a-f]{64}")
CHECKSUM = "checksum of all your files at path; leave it out, and dvc repro prints it"
PRETRAINED = f"pretrained weights: {', '.join(ENCODERS)}; null for your own at path"


def _checksum(value: str) -> str:
    if not SHA256.fullmatch(value):
        raise rule("64 hexadecimal digits in lower case, as sha256sum prints them")
    return value


Encoder = Annotated[
    str,
    one_of(ENCODERS, "null or one of"),
    WithJsonSchema({"enum": list(ENCODERS)}),
]
OwnPath = FilePath
Checksum = Annotated[str, AfterValidator(_checksum)]


class NamesWeights(Section):
    """Base of settings with the fields `pretrained`, `path` and `sha256`.

    Each section describes them for itself.
    """

    if TYPE_CHECKING:
        pretrained: str | None
        path: str | None
        sha256: str | None

    @property
    def chosen(self) -> Chosen:
        """Return the weights that the settings name."""
        return Chosen(self.pretrained, self.path, self.sha256)

    def pretrained_names(self) -> list[str]:
        """Return the names of the pretrained weights to fetch."""
        return [] if self.pretrained is None else [self.pretrained]

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        """Require either `pretrained` or `path`, and `sha256` only with `path`."""
        if self.pretrained is not None and self.path is not None:
            raise relation(
                "pretrained must be null with path, which names your own weights; "
                f"got {self.pretrained}"
            )
        if self.pretrained is None and self.path is None:
            raise relation("path must name your own weights if pretrained is null; got null")
        if self.path is None and self.sha256 is not None:
            raise relation(
                "sha256 must be null unless path is set; it is the checksum of the files at path"
            )
        return self
