"""The course's convolutional network: embedding, filters over neighbouring words, their maxima."""

from typing import Annotated, Any

from pydantic import Field

from textclf.artifacts.dataset import Dataset
from textclf.core import resources
from textclf.core.errors import UserError
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.networks.settings import ADDRESS_SPACE, SequenceSettings, notes

__all__ = ["ACCEPTS", "KIND", "Settings", "fit", "notes"]

KIND = "a convolutional network trained with Keras"
ACCEPTS = ("tokens",)


class Settings(SequenceSettings):
    """A convolutional network over the embeddings of words, trained with Keras."""

    dimensions: Annotated[int, Field(ge=1)] = Field(
        100, description="length of the vector of each token"
    )
    filters: Annotated[int, Field(ge=1)] = Field(128, description="number of convolution filters")
    kernel_size: Annotated[int, Field(ge=1)] = Field(
        5, description="neighbouring words in a pattern"
    )
    epochs: Annotated[int, Field(ge=1)] = Field(
        10, description="passes over the training rows; it overfits soon"
    )


def fit(train: Dataset, watched: Dataset | None, settings: Settings, folders: Folders) -> Fitted:
    """Return the network trained on the training rows: see `fit_sequences`."""
    resources.require_address_space(ADDRESS_SPACE, KIND)
    length = train.readers[0]().X.length
    if settings.kernel_size > length:
        raise UserError(
            f"kernel_size must be at most the length of the texts, {length}; "
            f"got {settings.kernel_size}: set it lower, or length of the representation higher"
        )
    from textclf.models.common.networks.sequences import fit_sequences

    return fit_sequences(train, watched, settings, folders, own_layers)


def own_layers(settings: Settings) -> list[Any]:
    """Return the convolution, activated as the hidden layers, and the maximum of each filter."""
    import keras

    filters, kernel_size, activation = settings.filters, settings.kernel_size, settings.activation
    return [
        keras.layers.Conv1D(filters, kernel_size, activation=activation, name="convolution"),
        keras.layers.GlobalMaxPooling1D(name="pooling"),
    ]
