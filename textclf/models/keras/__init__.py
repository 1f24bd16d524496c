"""The lesson's network: dense layers over a bag of words, trained with Keras on sparse rows."""

from textclf.artifacts.dataset import Dataset
from textclf.core import resources
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.networks.settings import ADDRESS_SPACE, NetworkSettings, notes

__all__ = ["ACCEPTS", "KIND", "Settings", "fit", "notes"]

KIND = "a feed-forward network trained with Keras"
ACCEPTS = ("sparse", "dense")


class Settings(NetworkSettings):
    """A network of dense layers, trained with Keras."""


def fit(train: Dataset, watched: Dataset | None, settings: Settings, folders: Folders) -> Fitted:
    """Return the network trained on the training rows: see `fit_network`."""
    resources.require_address_space(ADDRESS_SPACE, KIND)
    from textclf.models.common.networks.training import fit_network
    from textclf.models.keras.build import ARCHITECTURE

    return fit_network(ARCHITECTURE, train, watched, settings, folders)
