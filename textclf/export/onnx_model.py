"""A trained model as ONNX, the exchange format that other languages and runtimes read.

It takes vectors, not texts: ONNX has no regular expressions beyond matching a whole string, no Unicode lower case as
Python has it, and no words of a pattern, so that a tokeniser in it would be another than the one that the model was
trained with. The vectorizer goes with the file as JSON, under `vectorizer` in its metadata.
"""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textclf.artifacts.layers import LEAKY_SLOPE, SELU_ALPHA, SELU_SCALE, Portable
from textclf.predict.predictor import Predictor

if TYPE_CHECKING:
    import onnx

    from textclf.evaluate.statistics import Platt, Temperature

FILE = "model.onnx"
OPSET, FORMAT = 20, 9  # of ONNX's operators and of its files; onnxruntime reads both from 1.17 on
# Keras's activation as an operator of ONNX and its attributes.
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


class _Graph:
    """Nodes and constants as they are added; every method gives the name of what it computes."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        from onnx import helper

        output = name or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=output, **attributes))
        return output

    def constant(self, values: Any, name: str | None = None) -> str:
        from onnx import numpy_helper

        array = np.asarray(values)
        array = array.astype(np.float32) if array.dtype == np.float64 else array
        name = name or f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name


def build(predictor: Predictor) -> "onnx.ModelProto":
    """The model: `features` (rows, features) float32 to `probabilities` (rows, classes) float32, `label` (rows,) text.

    `features` are the rows of `predictor.vectorizer.transform`, dense. Scaling and threshold of the run are within.
    """
    from onnx import TensorProto, helper

    graph, model = _Graph(), predictor.model
    columns = sum(part.columns for part in predictor.vectorizer.parts)
    scores, activation = _scores(graph, model, columns), model.layers[-1].activation
    if predictor.scaling is None:
        probabilities = _probabilities(graph, scores, activation)
    else:
        probabilities = _scaled(graph, scores, activation, predictor.scaling)
    graph.add("Identity", probabilities, name="probabilities")
    _label(graph, predictor)
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "textclf",
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", columns])],
            [
                helper.make_tensor_value_info("label", TensorProto.STRING, ["rows"]),
                helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", len(model.classes)]),
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=FORMAT,
        producer_name="textclf",
    )
    vectorizer = json.dumps(predictor.vectorizer.content(), sort_keys=True, ensure_ascii=False)
    helper.set_model_props(made, {"classes": json.dumps(model.classes, ensure_ascii=False), "vectorizer": vectorizer})
    return made


def write(predictor: Predictor, path: Path) -> None:
    """Write the model of `build`; its bytes repeat. It is checked against ONNX's own rules first."""
    import onnx

    made = build(predictor)
    onnx.checker.check_model(made, full_check=True)
    path.write_bytes(made.SerializeToString(deterministic=True))


def _scores(graph: _Graph, model: Portable, columns: int) -> str:
    """What the last layer's activation is given."""
    values = "features"
    if model.presence:
        there = graph.add("Greater", values, graph.constant(np.float32(0)))
        values = graph.add("Cast", there, to=1)  # to float32
    for number, layer in enumerate(model.layers, start=1):
        kernel = layer.kernel if len(layer.kernel) else np.zeros((columns, len(layer.bias)))
        product = graph.add("MatMul", values, graph.constant(kernel, f"kernel_{number}"))
        values = graph.add("Add", product, graph.constant(layer.bias, f"bias_{number}"))
        if number < len(model.layers):
            operator, attributes = OPERATORS[layer.activation]
            values = graph.add(operator, values, **attributes)
    return values


def _probabilities(graph: _Graph, scores: str, activation: str) -> str:
    """The classes' probabilities, as `Portable.predict_proba` has them."""
    match activation:
        case "sigmoid":
            return _sigmoids_of_two(graph, scores)
        case "softmax":
            return graph.add("Softmax", scores, axis=1)
        case _:
            return graph.add("Softmax", _log_sigmoids(graph, scores), axis=1)


def _scaled(graph: _Graph, scores: str, activation: str, scaling: "Temperature | Platt") -> str:
    """The probabilities, scaled as the run that chose the scaling did."""
    from textclf.evaluate.statistics import EPSILON, Temperature

    logs = graph.add("Max", _logarithms(graph, scores, activation), graph.constant(math.log(EPSILON)))
    if isinstance(scaling, Temperature):
        return graph.add("Softmax", graph.add("Div", logs, graph.constant(scaling.temperature)), axis=1)
    odds = graph.add("MatMul", logs, graph.constant(np.array([[-1.0], [1.0]])))
    product = graph.add("Mul", odds, graph.constant(scaling.slope))
    return _sigmoids_of_two(graph, graph.add("Add", product, graph.constant(scaling.intercept)))


def _logarithms(graph: _Graph, scores: str, activation: str) -> str:
    """The logarithms of the probabilities; a small probability itself has lost its digits in float32."""
    match activation:
        case "sigmoid":
            return _log_sigmoids(graph, _of_two(graph, scores))
        case "softmax":
            return graph.add("LogSoftmax", scores, axis=1)
        case _:
            return graph.add("LogSoftmax", _log_sigmoids(graph, scores), axis=1)


def _log_sigmoids(graph: _Graph, scores: str) -> str:
    """The logarithms of the scores' sigmoids, none below that of the least number of float64."""
    logs = graph.add("Neg", graph.add("Softplus", graph.add("Neg", scores)))
    return graph.add("Max", logs, graph.constant(math.log(np.finfo(np.float64).tiny)))


def _of_two(graph: _Graph, odds: str) -> str:
    """Both classes' log odds (rows, 2) from those (rows, 1) of the second."""
    return graph.add("Concat", graph.add("Neg", odds), odds, axis=1)


def _sigmoids_of_two(graph: _Graph, odds: str) -> str:
    """Both classes' probabilities (rows, 2) from the log odds (rows, 1) of the second."""
    return graph.add("Sigmoid", _of_two(graph, odds))


def _label(graph: _Graph, predictor: Predictor) -> None:
    """The name of each row's class, as `Predictor.labels` has it."""
    if predictor.threshold is None:
        place = graph.add("ArgMax", "probabilities", axis=1, keepdims=0)
    else:
        positive = graph.add("Gather", "probabilities", graph.constant(np.int64(1)), axis=1)
        place = graph.add("Cast", graph.add("Greater", positive, graph.constant(predictor.threshold)), to=7)  # int64
    graph.add("Gather", graph.constant(np.array(predictor.classes_, dtype=object)), place, name="label")
