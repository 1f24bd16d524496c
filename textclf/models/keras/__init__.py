"""The lesson's network: dense layers over a bag of words, trained with Keras on sparse rows."""

from textclf.artifacts.dataset import Dataset
from textclf.core import resources
from textclf.models.common.fitted import Fitted, Folders
from textclf.models.common.networks.settings import ADDRESS_SPACE, NetworkSettings, notes

__all__ = ["ACCEPTS", "KIND", "Settings", "fit", "notes"]

KIND = "a feed-forward network trained with Keras"
WIDEST = 10  # units of a hidden layer, as the lesson has, with which bytes are the same on each type of machine
ACCEPTS = ("sparse", "dense")


class Settings(NetworkSettings):
    """A network of dense layers, trained with Keras."""

    @property
    def exact(self) -> bool:
        """Whether machines of other types give the same bytes: in wide products the order of sums follows the CPU."""
        return max(self.units, default=0) <= WIDEST


def fit(train: Dataset, watched: Dataset | None, settings: Settings, folders: Folders) -> Fitted:
    """Return the network trained on the training rows: see `fit_network`."""
    resources.require_address_space(ADDRESS_SPACE, KIND)
    from textclf.models.common.networks.training import fit_network
    from textclf.models.keras.build import ARCHITECTURE

    return fit_network(ARCHITECTURE, train, watched, settings, folders)
