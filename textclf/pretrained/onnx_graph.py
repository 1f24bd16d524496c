"""A graph of ONNX under construction, and the model that it becomes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import onnx

OPSET, IR_VERSION = 20, 9  # of ONNX's operators and files; onnxruntime reads both from 1.17 on
INT64, FLOAT, FLOAT16 = 7, 1, 10  # numbers of the types, for the operator Cast
IDS, MASK = "input_ids", "attention_mask"  # the inputs of graphs that take tokens


class Graph:
    """A graph under construction.

    Each method adds a node or constant and returns the name of its value.
    """

    def __init__(self) -> None:
        """Start without nodes."""
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Add a node with one output."""
        name = name or f"{operator.lower()}_{len(self.nodes)}"
        return self.split(operator, *inputs, names=[name], **attributes)[0]

    def split(
        self, operator: str, *inputs: str, names: Sequence[str], **attributes: Any
    ) -> list[str]:
        """Add a node with several outputs, named `names`, and return these."""
        from onnx import helper

        outputs = list(names)
        node = helper.make_node(operator, list(inputs), outputs, name=outputs[0], **attributes)
        self.nodes.append(node)
        return outputs

    def constant(self, values: Any, name: str | None = None) -> str:
        """Add an array; float64 becomes float32, float16 when onnxruntime opens the file."""
        from onnx import numpy_helper

        array = np.asarray(values)
        array = array.astype(np.float32) if array.dtype == np.float64 else array
        name = name or f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return self.add("Cast", name, to=FLOAT) if array.dtype == np.float16 else name

    def model(
        self, inputs: "Sequence[onnx.ValueInfoProto]", outputs: "Sequence[onnx.ValueInfoProto]"
    ) -> "onnx.ModelProto":
        """Return the graph as a model with these inputs and outputs."""
        from onnx import helper

        return helper.make_model(
            helper.make_graph(self.nodes, "textclf", inputs, outputs, self.constants),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="textclf",
        )
