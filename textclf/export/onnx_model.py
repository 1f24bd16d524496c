"""A trained model as ONNX, the exchange format that other languages and runtimes read.

The model takes vectors or sequences of token ids, not texts: ONNX has no lower case like Python's,
and no regular expression that finds words. So the vectorizer goes with the file, as JSON under
`vectorizer` in its metadata.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from textclf.artifacts.decisions import EPSILON, Calibration, Decision, LabelScaling, Temperature
from textclf.artifacts.layers import LEAKY_SLOPE, SELU_ALPHA, SELU_SCALE, SIGMOIDS, LayerModel
from textclf.artifacts.token_front import TokenFront
from textclf.pretrained.onnx_graph import FLOAT, INT64, Graph
from textclf.vectorize.representation import Representation

# Stands beside the model's other files.
ONNX = "model.onnx"
# Keras's activations as operators of ONNX with their attributes.
OPERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "elu": ("Elu", {"alpha": 1.0}),
    "gelu": ("Gelu", {"approximate": "none"}),
    "leaky_relu": ("LeakyRelu", {"alpha": LEAKY_SLOPE}),
    "linear": ("Identity", {}),
    "relu": ("Relu", {}),
    "selu": ("Selu", {"alpha": SELU_ALPHA, "gamma": SELU_SCALE}),
    "sigmoid": ("Sigmoid", {}),
    "softplus": ("Softplus", {}),
    "tanh": ("Tanh", {}),
}


def write(vectorizer: Representation, model: LayerModel, decision: Decision, path: Path) -> None:
    """Write the model of `build`, checked by ONNX's rules; equal arguments give equal bytes."""
    proto = build(vectorizer, model, decision)
    onnx.checker.check_model(proto, full_check=True)
    path.write_bytes(proto.SerializeToString(deterministic=True))


def build(vectorizer: Representation, model: LayerModel, decision: Decision) -> onnx.ModelProto:
    """Return a model from `features` to `label` and `probabilities`.

    `label` is (rows,) text, `probabilities` (rows, classes) float32.

    With several labels per text `label` is (rows, classes) int64, 1 for each label decided.
    `features` (rows, features) float32 are vectors of the vectorizer as a dense array; a model with
    a front takes `token_ids` (rows, length) int64 instead, padded with 0. Calibration and threshold
    of the decision are part of the model.
    """
    graph = Graph()
    if model.front is None:
        columns = vectorizer.columns
        given = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", columns])
        values = "features"
    else:
        columns = model.front.columns
        given = helper.make_tensor_value_info(
            "token_ids", TensorProto.INT64, ["rows", model.front.length]
        )
        values = _add_front(graph, model.front, "token_ids")
    scores = _add_scores(graph, model, values, columns)
    activation = model.layers[-1].activation
    if activation not in {"sigmoid", "softmax", SIGMOIDS}:
        scores, activation = _add_log_sigmoids(graph, scores), "softmax"
    if decision.calibration is not None:
        probabilities = _add_calibrated(graph, scores, activation, decision.calibration)
    elif activation == "sigmoid":
        probabilities = _add_binary_sigmoids(graph, scores)
    elif model.multilabel:
        probabilities = graph.add("Sigmoid", scores)
    else:
        probabilities = graph.add("Softmax", scores, axis=1)
    graph.add("Identity", probabilities, name="probabilities")
    _add_label(graph, model.classes, decision)
    by_class: list[Any] = ["rows", len(model.classes)]
    label: tuple[Any, list[Any]] = TensorProto.STRING, ["rows"]
    if model.multilabel:
        label = TensorProto.INT64, by_class
    outputs = [
        helper.make_tensor_value_info("label", *label),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, by_class),
    ]
    proto = graph.model([given], outputs)
    metadata = {
        "classes": json.dumps(model.classes, ensure_ascii=False),
        "vectorizer": json.dumps(vectorizer.to_json(), sort_keys=True, ensure_ascii=False),
    }
    helper.set_model_props(proto, metadata)
    return proto


def _add_front(graph: Graph, front: TokenFront, ids: str) -> str:
    """Add the vectors of padded token ids, (rows, columns), as in `TokenFront`."""
    values = graph.add("Gather", graph.constant(front.embedding, "embedding"), ids, axis=0)
    # (rows, dimensions, positions)
    values = graph.add("Transpose", values, perm=[0, 2, 1])
    convolution = front.convolution
    if convolution is not None:
        kernel = graph.constant(convolution.kernel.transpose(2, 1, 0), "convolution_kernel")
        values = graph.add(
            "Conv", values, kernel, graph.constant(convolution.bias, "convolution_bias")
        )
        operator, attributes = OPERATORS[convolution.activation]
        values = graph.add(operator, values, **attributes)
    if front.pooling == "flatten":
        return graph.add("Flatten", graph.add("Transpose", values, perm=[0, 2, 1]), axis=1)
    operator = "ReduceMax" if front.pooling == "max" else "ReduceMean"
    return graph.add(operator, values, graph.constant(np.array([2])), keepdims=0)


def _add_scores(graph: Graph, model: LayerModel, values: str, columns: int) -> str:
    """Add all layers but the last activation, over values (rows, columns)."""
    if model.presence:
        present = graph.add("Greater", values, graph.constant(np.float32(0)))
        values = graph.add("Cast", present, to=FLOAT)
    for number, layer in enumerate(model.layers, start=1):
        kernel = layer.kernel if len(layer.kernel) else np.zeros((columns, len(layer.bias)))
        product = graph.add("MatMul", values, graph.constant(kernel, f"kernel_{number}"))
        values = graph.add("Add", product, graph.constant(layer.bias, f"bias_{number}"))
        if number < len(model.layers):
            operator, attributes = OPERATORS[layer.activation]
            values = graph.add(operator, values, **attributes)
    return values


def _add_calibrated(graph: Graph, scores: str, activation: str, calibration: Calibration) -> str:
    """Add the last activation and the calibration, as in `Decision.calibrate`."""
    if isinstance(calibration, LabelScaling):
        # The scores are log odds.
        limit = -math.log(EPSILON)
        odds = graph.add("Clip", scores, graph.constant(-limit), graph.constant(limit))
        product = graph.add("Mul", odds, graph.constant(np.array(calibration.slopes)))
        return graph.add(
            "Sigmoid", graph.add("Add", product, graph.constant(np.array(calibration.intercepts)))
        )
    # Logarithms, because small probabilities lose digits in float32.
    if activation == "sigmoid":
        logs = _add_log_sigmoids(graph, _add_both_log_odds(graph, scores))
    else:
        logs = graph.add("LogSoftmax", scores, axis=1)
    logs = graph.add("Max", logs, graph.constant(math.log(EPSILON)))
    if isinstance(calibration, Temperature):
        return graph.add(
            "Softmax", graph.add("Div", logs, graph.constant(calibration.temperature)), axis=1
        )
    log_odds = graph.add("MatMul", logs, graph.constant(np.array([[-1.0], [1.0]])))
    product = graph.add("Mul", log_odds, graph.constant(calibration.slope))
    return _add_binary_sigmoids(
        graph, graph.add("Add", product, graph.constant(calibration.intercept))
    )


def _add_log_sigmoids(graph: Graph, scores: str) -> str:
    """Add the logarithms of the sigmoids, at least that of float64's smallest normal number."""
    logs = graph.add("Neg", graph.add("Softplus", graph.add("Neg", scores)))
    return graph.add("Max", logs, graph.constant(math.log(np.finfo(np.float64).tiny)))


def _add_both_log_odds(graph: Graph, log_odds: str) -> str:
    """Add the log odds of both classes (rows, 2) from those of the positive class (rows, 1)."""
    return graph.add("Concat", graph.add("Neg", log_odds), log_odds, axis=1)


def _add_binary_sigmoids(graph: Graph, log_odds: str) -> str:
    """Add the probabilities of both classes (rows, 2) from the positive log odds (rows, 1)."""
    return graph.add("Sigmoid", _add_both_log_odds(graph, log_odds))


def _add_label(graph: Graph, classes: Sequence[str], decision: Decision) -> None:
    """Add the class label or the labels of each row, as in `Decision.decide`; "" is no class."""
    if decision.thresholds is not None:
        exceeds = graph.add(
            "Greater", "probabilities", graph.constant(np.array(decision.thresholds))
        )
        graph.add("Cast", exceeds, to=INT64, name="label")
        return
    if decision.matrix is not None:
        expected = graph.add("MatMul", "probabilities", graph.constant(np.array(decision.matrix)))
        position, classes = graph.add("ArgMin", expected, axis=1, keepdims=0), [*classes, ""]
    elif decision.threshold is None:
        position = graph.add("ArgMax", "probabilities", axis=1, keepdims=0)
    else:
        positive = graph.add("Gather", "probabilities", graph.constant(np.int64(1)), axis=1)
        position = graph.add(
            "Cast", graph.add("Greater", positive, graph.constant(decision.threshold)), to=INT64
        )
    graph.add("Gather", graph.constant(np.array(classes, dtype=object)), position, name="label")
