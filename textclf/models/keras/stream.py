"""Training on shards of sparse rows: see `textclf.models.common.networks.stream`."""

from pathlib import Path
from typing import TYPE_CHECKING

from textclf.models.common.fitted import Fitted
from textclf.models.common.networks import stream
from textclf.models.common.networks.stream import Streamed
from textclf.models.keras.build import build_network, layer_model
from textclf.models.keras.steps import compile_inputs, compile_output, make_block

if TYPE_CHECKING:
    from textclf.artifacts.features import Features
    from textclf.artifacts.shards import Shards
    from textclf.models.keras import Settings


def fit_stream(train: "Shards[Features]", watched: "Shards[Features]", settings: "Settings", scratch: Path) -> Fitted:
    """Return the network trained with at most two shards in memory."""
    kind = Streamed(
        build=lambda part, classes: build_network(part.X.shape[1], classes, settings),
        make_block=make_block,
        inputs=compile_inputs,
        output=compile_output,
        layer_model=layer_model,
        plain=lambda network: network,
    )
    return stream.fit_stream(kind, train, watched, settings, scratch)
