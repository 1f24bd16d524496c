"""The folder of one model, with everything that its use takes."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from textclf.artifacts import classifiers, conformal, statement
from textclf.artifacts.average import MEMBERS, Average
from textclf.artifacts.checksums import verify_files
from textclf.artifacts.classifiers import Classifier
from textclf.artifacts.conformal import CONFORMAL, Conformal
from textclf.artifacts.decisions import DECISION, Decision, write_decision
from textclf.artifacts.layers import LayerModel
from textclf.artifacts.unknown import DISTANCE, MEANS
from textclf.export import onnx_model
from textclf.pretrained.catalogue import SHARED
from textclf.vectorize import representation
from textclf.vectorize.representation import VECTORIZER, Representation
from textclf.version import __version__

# Hubs and code hosts show it as the front page of a folder.
CARD = "README.md"


@dataclass(frozen=True)
class Exported:
    """A model to export, the representations it reads, and a function that writes its files."""

    model: Classifier
    vectorizers: tuple[Representation, ...]
    write: Callable[[Path], object]


def measured(trained: Path, vectorizer: Representation) -> Exported:
    """Return the model in the folder of a training; its files are copied."""

    def copy(folder: Path) -> None:
        for path in sorted(trained.glob("model.*")):
            shutil.copyfile(path, folder / path.name)

    return Exported(classifiers.read(trained), (vectorizer,), copy)


def average(members: Sequence[Exported], record: Mapping[str, float]) -> Exported:
    """Return the average of two models, with the weight in the record of the stage average."""
    first, second = members
    model = Average((first.model, second.model), float(record["weight"]))
    return Exported(
        model, (*first.vectorizers, *second.vectorizers), partial(classifiers.write, model)
    )


def read_vectorizer(folder: Path, shared: Path) -> Any:
    """Return the fitted representation in a folder of features; `shared` has pretrained weights."""
    read = representation.read(folder / VECTORIZER, shared)
    verify_files(folder, [VECTORIZER])
    return read


def write(
    folder: Path,
    exported: Exported,
    decision: Decision,
    card: str,
    definition: Mapping[str, Any],
    scores: Conformal | None = None,
) -> None:
    """Create the folder, with the model's files, vectorizer, decision, ONNX, card and provenance.

    The members of an average have a folder each. `definition` says what the model was made of;
    `scores` are those from which prediction sets follow, None without evaluate.coverage.
    """
    model, vectorizers = exported.model, exported.vectorizers
    folder.mkdir()
    exported.write(folder)
    folders = [folder / member for member in MEMBERS] if isinstance(model, Average) else [folder]
    for member_folder, vectorizer in zip(folders, vectorizers, strict=True):
        representation.write(vectorizer, member_folder / VECTORIZER)
        representation.share(vectorizer, folder.parent / SHARED)
    if decision.rejection is None or decision.rejection.score != DISTANCE:
        (folder / MEANS).unlink(missing_ok=True)
    write_decision(decision, folder / DECISION)
    if scores is not None:
        conformal.write(folder / CONFORMAL, {folder.name: scores})
    # The other forms of a model are a file of ONNX itself, or have none.
    if isinstance(model, LayerModel):
        onnx_model.write(vectorizers[0], model, decision, folder / onnx_model.ONNX)
    (folder / CARD).write_text(card, encoding="utf-8", newline="\n")
    statement.write(folder, definition, __version__)
