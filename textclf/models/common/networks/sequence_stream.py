"""Training of networks over token ids on shards: see `textclf.models.common.networks.stream`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textclf.models.common.fitted import Fitted
from textclf.models.common.networks import stream
from textclf.models.common.networks.exact import over_blocks
from textclf.models.common.networks.sequence_settings import SequenceSettings
from textclf.models.common.networks.sequences import Layers, build_network, layer_model
from textclf.models.common.networks.steps import deal_rows
from textclf.models.common.networks.stream import Streamed

if TYPE_CHECKING:
    import keras

    from textclf.artifacts.features import Features
    from textclf.artifacts.shards import Shards


class Block(NamedTuple):
    """Steps over sequences: `ids` (steps, rows, length) int32; the others as in `steps.Block`."""

    ids: NDArray[np.int32]
    y: NDArray[np.int32]
    weights: NDArray[np.float32]
    sizes: NDArray[np.float32]


def make_block(
    part: "Features",
    weights: NDArray[np.float64],
    positions: NDArray[np.int64],
    batch: int,
    devices: int,
    device: int,
) -> Block:
    """Return the rows of a shard at these positions, in this order, as steps of `batch` rows; this device's only."""
    X: Any = part.X  # Tokens
    dealt = deal_rows(part.y, weights, positions, batch, devices, device)
    ids = np.zeros((*dealt.y.shape, X.length), dtype=np.int32)
    known = dealt.positions >= 0
    ids[known] = X[dealt.positions[known]].padded()
    return Block(ids, dealt.y, dealt.weights, dealt.sizes)


def fit_stream_sequences(
    train: "Shards[Features]", watched: "Shards[Features]", settings: SequenceSettings, own: Layers, scratch: Path
) -> Fitted:
    """Return the network with a model's own layers, trained with at most two shards in memory."""
    networks: list[keras.Sequential] = []

    def build(part: "Features", classes: int) -> "keras.Model":
        X: Any = part.X
        networks.append(build_network(X, classes, settings, own))
        return over_blocks(networks[0])

    def plain(network: "keras.Model") -> "keras.Sequential":
        networks[0].set_weights(network.get_weights())
        return networks[0]

    kind = Streamed(
        build=build,
        make_block=make_block,
        inputs=lambda network, width: lambda block, number: block.ids[number],  # noqa: ARG005
        output=lambda network: lambda ids: network(ids, training=True),
        layer_model=layer_model,
        plain=plain,
    )
    return stream.fit_stream(kind, train, watched, settings, scratch)
