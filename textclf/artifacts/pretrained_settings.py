"""Settings that name pretrained weights: the same in every representation and model that uses some."""

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from textclf.artifacts.pretrained import TOKENIZER, having
from textclf.core.settings import Name, relation, rule

DEFAULT = "all-minilm-l6-v2"
SHA256 = re.compile("[0-9a-f]{64}")
PRETRAINED = f"pretrained weights: {', '.join(having(TOKENIZER))}; null for your own at path"


def _known(value: str) -> str:
    if value not in having(TOKENIZER):
        raise rule(f"null or one of {', '.join(having(TOKENIZER))}")
    return value


def _checksum(value: str) -> str:
    if not SHA256.fullmatch(value):
        raise rule("64 hexadecimal digits in lower case, as sha256sum prints them")
    return value


Encoder = Annotated[str, AfterValidator(_known), WithJsonSchema({"enum": list(having(TOKENIZER))})]
OwnPath = Name
Checksum = Annotated[str, AfterValidator(_checksum)]


def check_choice(pretrained: str | None, path: str | None, sha256: str | None) -> None:
    """Raise the error of a validator unless the settings name an entry, or a path and the checksum of its file."""
    if pretrained is not None and path is not None:
        raise relation(f"pretrained must be null with path, which names your own weights; got {pretrained}")
    if pretrained is None and path is None:
        raise relation("path must name your own weights if pretrained is null; got null")
    if (path is None) != (sha256 is None):
        raise relation("path and sha256 must be set together; one of them is null")
