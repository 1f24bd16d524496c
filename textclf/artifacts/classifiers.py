"""Reading and writing fitted classifiers, whatever their form; `type` in model.json names it."""

from collections.abc import Callable
from pathlib import Path

from textclf.artifacts import average, layers, onnx_classifier
from textclf.artifacts.average import MEMBERS, Average
from textclf.artifacts.layers import LayerModel
from textclf.artifacts.onnx_classifier import OnnxClassifier
from textclf.core.files import read_versioned_json, reading, require_known, write_versioned_json

Classifier = LayerModel | OnnxClassifier | Average

LAYERS = "layers"  # also the type of a model.json that names none


def files_of(folder: Path, beside: str) -> list[str]:
    """Return the files that `read` reads of a model's folder, and the one named `beside` them.

    Those of an average are those of its two members.
    """
    kind = read_versioned_json(folder / layers.DESCRIPTION).get("type", LAYERS)
    if kind == average.TYPE:
        return [layers.DESCRIPTION] + [
            f"{member}/{name}" for member in MEMBERS for name in files_of(folder / member, beside)
        ]
    weights = onnx_classifier.GRAPH if kind == onnx_classifier.TYPE else layers.WEIGHTS
    return [layers.DESCRIPTION, weights, beside]


def write(model: Classifier, folder: Path) -> None:
    """Write the files of the model: model.json, and model.npz or model.onnx.

    Those of an average are in a folder for each of its members.
    """
    if isinstance(model, Average):
        description = {"type": average.TYPE, "weight": model.weight}
        write_versioned_json(folder / layers.DESCRIPTION, description)
        for name, member in zip(MEMBERS, model.members, strict=True):
            (folder / name).mkdir()
            write(member, folder / name)
    elif isinstance(model, OnnxClassifier):
        onnx_classifier.write(model, folder)
    else:
        layers.write(model, folder)


def read(folder: Path) -> Classifier:
    """Return the model that `write` wrote.

    Raises `UserError` if it is missing, damaged or of another format.
    """
    path = folder / layers.DESCRIPTION
    kind = read_versioned_json(path).get("type", LAYERS)
    with reading(path):
        require_known(path, [str(kind)], READERS)
        return READERS[kind](folder)


def _read_average(folder: Path) -> Average:
    weight = read_versioned_json(folder / layers.DESCRIPTION)["weight"]
    first, second = (read(folder / member) for member in MEMBERS)
    if type(weight) is not float or not 0 <= weight <= 1 or first.classes != second.classes:
        raise ValueError(weight)
    return Average((first, second), weight)


READERS: dict[str, Callable[[Path], Classifier]] = {
    LAYERS: layers.read,
    onnx_classifier.TYPE: onnx_classifier.read,
    average.TYPE: _read_average,
}
