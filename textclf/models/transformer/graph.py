"""The trained network as a graph of ONNX."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.onnx_classifier import SCORES, OnnxClassifier
from textclf.core.onnx_graph import Graph
from textclf.models.transformer import Settings
from textclf.models.transformer.network import HEAD
from textclf.pretrained.bert import Config, dense, encoder_model, pool


def make_classifier(
    config: Config,
    arrays: Mapping[str, NDArray[np.float32]],
    classes: tuple[str, ...],
    length: int,
    settings: Settings,
) -> OnnxClassifier:
    """Return the classifier with these trained arrays (see `textclf.models.transformer.network.trained_arrays`).

    The same arguments give the same bytes. `length` is that of the longest row.
    """
    kernel, bias = arrays[f"{HEAD}.weight"].T, arrays[f"{HEAD}.bias"]

    def head(graph: Graph, vectors: str) -> str:
        return dense(graph, pool(graph, vectors, settings.pooling), kernel, bias)

    proto = encoder_model(config, arrays, head, SCORES, ("rows", len(bias)))
    return OnnxClassifier(classes, config.vocabulary, length, proto.SerializeToString(deterministic=True))
