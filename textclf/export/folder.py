"""The folder of one model, with everything that its use takes."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textclf.artifacts import classifiers, conformal
from textclf.artifacts.average import MEMBERS, Average
from textclf.artifacts.checksums import verify_files, write_manifest
from textclf.artifacts.classifiers import Classifier
from textclf.artifacts.conformal import CONFORMAL, Conformal
from textclf.artifacts.decisions import DECISION, Decision, write_decision
from textclf.artifacts.layers import LayerModel
from textclf.export import onnx_model
from textclf.pretrained.catalogue import SHARED
from textclf.vectorize import representation
from textclf.vectorize.representation import VECTORIZER, Representation

CARD = "README.md"  # hubs and code hosts show it as the front page of a folder


def read_vectorizer(folder: Path, shared: Path) -> Any:
    """Return the fitted representation in a folder of features; `shared` holds the pretrained weights."""
    read = representation.read(folder / VECTORIZER, shared)
    verify_files(folder, [VECTORIZER])
    return read


def write(
    folder: Path,
    trained: Path,
    model: Classifier,
    vectorizers: Sequence[Representation],
    decision: Decision,
    card: str,
    scores: Conformal | None = None,
) -> None:
    """Create the folder, with the model's files in `trained`, vectorizer, decision, ONNX, card and manifest.

    `vectorizers` has one, or those of an average's members, which get a folder each. `scores` are those from which
    prediction sets follow, None without evaluate.coverage.
    """
    folder.mkdir()
    places = [folder]
    if isinstance(model, Average):
        classifiers.write(model, folder)
        places = [folder / member for member in MEMBERS]
    for path in sorted(trained.glob("model.*")):
        shutil.copyfile(path, folder / path.name)
    for place, vectorizer in zip(places, vectorizers, strict=True):
        representation.write(vectorizer, place / VECTORIZER)
        representation.share(vectorizer, folder.parent / SHARED)
    write_decision(decision, folder / DECISION)
    if scores is not None:
        conformal.write(scores, folder / CONFORMAL)
    if isinstance(model, LayerModel):  # the other forms are a file of ONNX itself, or have none
        onnx_model.write(vectorizers[0], model, decision, folder / onnx_model.ONNX)
    (folder / CARD).write_text(card, encoding="utf-8", newline="\n")
    write_manifest(folder)
