"""The course's convolutional network: an embedding, filters over neighbouring words, the maximum of each filter.

`build` has its own layers; what it shares with other networks is in `textclf.models.common.networks`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from textclf.core import resources
from textclf.core.errors import UserError
from textclf.models.common.fitted import Fitted
from textclf.models.common.networks.sequence_settings import SequenceSettings
from textclf.models.common.networks.settings import ADDRESS_SPACE, notes

if TYPE_CHECKING:
    from textclf.artifacts.features import Features
    from textclf.artifacts.shards import Shards

__all__ = ["ACCEPTS", "KIND", "Settings", "fit", "fit_stream", "notes"]

KIND = "a convolutional network trained with Keras"
ACCEPTS = ("tokens",)


class Settings(SequenceSettings):
    """A convolutional network over the embeddings of words, trained with Keras."""

    dimensions: Annotated[int, Field(ge=1)] = Field(100, description="length of the vector of each token")
    filters: Annotated[int, Field(ge=1)] = Field(128, description="number of convolution filters")
    kernel_size: Annotated[int, Field(ge=1)] = Field(5, description="neighbouring words in a pattern")
    epochs: Annotated[int, Field(ge=1)] = Field(10, description="passes over the training rows; it overfits soon")


def fit(train: "Features", watched: "Features | None", settings: Settings) -> Fitted:
    """Return the network trained on the training rows: see `fit_sequences`."""
    resources.require_address_space(ADDRESS_SPACE, KIND)
    require_length(train, settings)
    from textclf.models.cnn.build import own_layers
    from textclf.models.common.networks.sequences import fit_sequences

    return fit_sequences(train, watched, settings, own_layers)


def fit_stream(train: "Shards[Features]", watched: "Shards[Features]", settings: Settings, scratch: Path) -> Fitted:
    """Return the network trained on shards: see `fit_stream_sequences`."""
    resources.require_address_space(ADDRESS_SPACE, KIND)
    require_length(train.read(train.paths[0]), settings)
    from textclf.models.cnn.build import own_layers
    from textclf.models.common.networks.sequence_stream import fit_stream_sequences

    return fit_stream_sequences(train, watched, settings, own_layers, scratch)


def require_length(train: "Features", settings: Settings) -> None:
    """Raise `UserError` unless a pattern fits into the texts."""
    X: Any = train.X  # Tokens
    length = X.length
    if settings.kernel_size > length:
        raise UserError(
            f"kernel_size must be at most the length of the texts, {length}; got {settings.kernel_size}: set it lower, "
            "or length of the representation higher"
        )
