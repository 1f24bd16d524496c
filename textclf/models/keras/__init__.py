"""The lesson's network: dense layers over a bag of words, trained by Keras's own fit() on sparse rows.

Read on in this order: `build` (the network), `sparse` (the same network over sparse rows), `training`, `stream`
(training on shards). What all networks share is in `textclf.models.common.networks`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from textclf.artifacts.features import as_sparse, sparse_shards
from textclf.core import resources
from textclf.models.common.fitted import Fitted
from textclf.models.common.networks.settings import ADDRESS_SPACE, NetworkSettings, notes

if TYPE_CHECKING:
    from textclf.artifacts.features import Features
    from textclf.artifacts.shards import Shards

__all__ = ["KIND", "Settings", "fit", "fit_stream", "notes"]

KIND = "a feed-forward network trained with Keras"
ACCEPTS = ("sparse", "dense")


class Settings(NetworkSettings):
    """A network of dense layers, trained with Keras."""


def fit(train: "Features", watched: "Features | None", settings: Settings) -> Fitted:
    """Return the network trained on the training rows: see `textclf.models.keras.training.fit`."""
    resources.require_address_space(ADDRESS_SPACE, KIND)
    from textclf.models.keras import training

    return training.fit(as_sparse(train), watched and as_sparse(watched), settings)


def fit_stream(train: "Shards[Features]", watched: "Shards[Features]", settings: Settings, scratch: Path) -> Fitted:
    """Return the network trained on shards: see `textclf.models.keras.stream.fit_stream`."""
    resources.require_address_space(ADDRESS_SPACE, KIND)
    from textclf.models.keras import stream

    return stream.fit_stream(sparse_shards(train), sparse_shards(watched), settings, scratch)
