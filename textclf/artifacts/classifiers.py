"""Reading and writing fitted classifiers, whatever their form; `type` in model.json names it."""

from collections.abc import Callable
from pathlib import Path

from textclf.artifacts import layers, onnx_classifier
from textclf.artifacts.layers import LayerModel
from textclf.artifacts.onnx_classifier import OnnxClassifier
from textclf.core.files import read_versioned_json, reading, require_known

Classifier = LayerModel | OnnxClassifier

LAYERS = "layers"  # also the type of a model.json that names none
READERS: dict[str, Callable[[Path], Classifier]] = {LAYERS: layers.read, onnx_classifier.TYPE: onnx_classifier.read}


def files_of(folder: Path) -> tuple[str, str]:
    """Return the names of the files that `read` reads of a model's folder."""
    kind = read_versioned_json(folder / layers.DESCRIPTION).get("type", LAYERS)
    return layers.DESCRIPTION, onnx_classifier.GRAPH if kind == onnx_classifier.TYPE else layers.WEIGHTS


def columns_of(model: Classifier) -> int | None:
    """Return the number of columns, or of token ids, that a model takes; None if it ignores them."""
    if isinstance(model, OnnxClassifier):
        return model.vocabulary
    if model.front is not None:
        return len(model.front.embedding)
    return None if model.ignores_text else len(model.layers[0].kernel)


def write(model: Classifier, folder: Path) -> None:
    """Write the files of the model: model.json, and model.npz or model.onnx."""
    if isinstance(model, OnnxClassifier):
        onnx_classifier.write(model, folder)
    else:
        layers.write(model, folder)


def read(folder: Path) -> Classifier:
    """Return the model that `write` wrote; `UserError` if it is missing, damaged or of another format."""
    path = folder / layers.DESCRIPTION
    kind = read_versioned_json(path).get("type", LAYERS)
    with reading(path):
        require_known(path, [str(kind)], READERS)
        return READERS[kind](folder)
