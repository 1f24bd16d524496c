"""The settings that all networks over token ids share."""

from typing import Annotated, Literal

from pydantic import Field

from textclf.models.common.networks.settings import NetworkSettings
from textclf.models.common.settings import FEATURES, FeatureNames


class SequenceSettings(NetworkSettings):
    """Base of the settings of a network over token ids."""

    features: FeatureNames = Field(("sequences",), description=FEATURES)
    dimensions: Annotated[int, Field(ge=1)] = Field(50, description="length of the vector of each token")
    vectors: Literal["frozen", "trained"] | None = Field(
        None, description="frozen or trained: start from the representation's pretrained vectors; null: from the seed"
    )
