"""Training on rows in memory, by Keras's own fit()."""

from typing import TYPE_CHECKING

from textclf.models.common.fitted import Fitted
from textclf.models.common.networks.environment import prepare_keras
from textclf.models.common.networks.results import fitted_network
from textclf.models.common.networks.training import train_blocks
from textclf.models.keras.build import build_network, layer_model
from textclf.models.keras.sparse import over_sparse_rows, training_blocks, validation_batches

if TYPE_CHECKING:
    from textclf.artifacts.features import Features
    from textclf.models.keras import Settings


def fit(train: "Features", watched: "Features", settings: "Settings") -> Fitted:
    """Return the network trained on the training rows, with the loss on the watched rows in its history.

    See `textclf.models.common.networks.training.train_blocks`.
    """
    prepare_keras(settings)
    network = build_network(train.X.shape[1], len(train.classes), settings)
    sparse = over_sparse_rows(network)
    batches = validation_batches(watched.X, network.layers[0].units, watched.y)
    history = train_blocks(sparse, len(train.classes), settings, training_blocks(train, settings), batches)
    network.set_weights(sparse.get_weights())
    return fitted_network(network, layer_model(network, tuple(train.classes.tolist())), history)
