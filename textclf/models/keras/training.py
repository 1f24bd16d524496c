"""Training on rows in memory, by Keras's own fit()."""

from functools import lru_cache
from typing import TYPE_CHECKING

from textclf.models.common.fitted import Fitted
from textclf.models.common.networks.environment import prepare_keras
from textclf.models.common.networks.results import build_optimizer, fitted_network
from textclf.models.common.networks.training import compile_blocks, reset, train_blocks
from textclf.models.keras.build import build_network, layer_model
from textclf.models.keras.sparse import over_sparse_rows, training_blocks, validation_batches

if TYPE_CHECKING:
    import keras

    from textclf.artifacts.features import Features
    from textclf.models.keras import Settings

# Settings on which the compiled network does not depend.
NOT_COMPILED = {
    "features": (),
    "learning_rate": 1.0,
    "epochs": 1,
    "batch_size": 1,
    "seed": 0,
    "early_stopping": None,
    "class_weight": None,
}


def fit(train: "Features", watched: "Features | None", settings: "Settings") -> Fitted:
    """Return the network trained on the training rows, with the loss on the watched rows, if any, in its history.

    See `textclf.models.common.networks.training.train_blocks`.
    """
    prepare_keras(settings)
    network = build_network(train.X.shape[1], len(train.classes), settings)
    sparse = compile_network(train.X.shape[1], len(train.classes), settings.model_copy(update=NOT_COMPILED))
    reset(sparse, network, build_optimizer(settings))
    batches = None if watched is None else validation_batches(watched.X, network.layers[0].units, watched.y)
    history = train_blocks(sparse, settings, training_blocks(sparse, train, settings), batches)
    network.set_weights(sparse.get_weights())
    return fitted_network(network, layer_model(network, tuple(train.classes.tolist())), history)


@lru_cache(maxsize=1)
def compile_network(features: int, classes: int, settings: "Settings") -> "keras.Model":
    """Return the network over sparse rows with its optimizer, ready for `fit`; `reset` gives it a new start.

    A cross-validation fits the same network several times. Tracing it and compiling it for a shape of rows takes as
    long as dozens of epochs, so that the last one is kept.
    """
    sparse = over_sparse_rows(build_network(features, classes, settings))
    compile_blocks(sparse, classes, settings)
    return sparse
