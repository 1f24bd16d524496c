"""The course's network over word ids: an embedding, pooled to a vector per text, dense layers."""

from typing import Annotated, Any

from pydantic import Field

from textclf.artifacts.dataset import Dataset
from textclf.artifacts.token_front import Pooling
from textclf.core import resources
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.networks.settings import ADDRESS_SPACE, SequenceSettings, notes

__all__ = ["ACCEPTS", "KIND", "Settings", "fit", "notes"]

KIND = "a network over word embeddings trained with Keras"
ACCEPTS = ("tokens",)


class Settings(SequenceSettings):
    """A network over the embeddings of words, trained with Keras."""

    pooling: Pooling = Field(
        "max", description="how the vectors of all positions become one: max, average or flatten"
    )
    epochs: Annotated[int, Field(ge=1)] = Field(
        50, description="passes over the training rows; 20 to 50 in the course"
    )


def fit(train: Dataset, watched: Dataset | None, settings: Settings, folders: Folders) -> Fitted:
    """Return the network trained on the training rows: see `fit_sequences`."""
    resources.require_address_space(ADDRESS_SPACE, KIND)
    from textclf.models.common.networks.sequences import fit_sequences

    return fit_sequences(train, watched, settings, folders, own_layers)


def own_layers(settings: Settings) -> list[Any]:
    """Return the pooling."""
    import keras

    pooling = {
        "average": keras.layers.GlobalAveragePooling1D,
        "flatten": keras.layers.Flatten,
        "max": keras.layers.GlobalMaxPooling1D,
    }
    return [pooling[settings.pooling](name="pooling")]
