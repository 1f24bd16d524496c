"""The settings that all networks over token ids share."""

from typing import Annotated, Literal

from pydantic import Field

from textclf.core.settings import Section
from textclf.models.common.networks.settings import NetworkSettings


class SequenceSettings(NetworkSettings):
    """Base of the settings of a network over token ids."""

    dimensions: Annotated[int, Field(ge=1)] = Field(50, description="length of the vector of each token")
    vectors: Literal["frozen", "trained"] | None = Field(
        None, description="frozen or trained: start from the representation's pretrained vectors; null: from the seed"
    )

    def features_rule(self, representation: Section) -> str | None:
        """Return the rule that the representation has pretrained vectors if they are asked for, if it is broken."""
        if self.vectors is None or getattr(representation, "vectors", None) is not None:
            return None
        return f"a representation with pretrained vectors if vectors is {self.vectors}; set its own setting vectors"
