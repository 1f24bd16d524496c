"""The project that a script or a notebook is in, and the model that a name means there."""

import contextlib
import re
from pathlib import Path

from textclf.artifacts.decisions import INDEX
from textclf.artifacts.statement import PROVENANCE
from textclf.core.errors import UserError
from textclf.predict import predictor
from textclf.predict.predictor import Predictor

MODELS = Path("models")
# A folder with all files of one of these rows is a project.
MARKS = ((f"{MODELS}/{INDEX}",), ("params.yaml", "dvc.yaml"))


def project_folder(start: str | Path = ".") -> Path:
    """Return the nearest project: the folder `start` or one above it.

    Raises `UserError` if there is none.
    """
    folder = Path(start).absolute()
    for candidate in (folder, *folder.parents):
        if any(all((candidate / name).is_file() for name in names) for names in MARKS):
            return candidate
    raise UserError(
        f"{folder} must be in a project, a folder with models/index.json, or with params.yaml and "
        "dvc.yaml; got none; change to one, or give the path of a model or project"
    )


def load(model: str | Path | None) -> Predictor:
    """Return a classifier by its folder, name or tag, as `textclf.load`, which documents it."""
    if isinstance(model, Path) or (model is not None and _is_exported(model)):
        return predictor.load(Path(model))
    # Git and DVC look for tags and commits from the current folder.
    with contextlib.chdir(project_folder()):
        # An encoder reads its files with the first text, when the current folder is another one.
        return predictor.load(predictor.find_model(MODELS, model).absolute())


def _is_exported(name: str) -> bool:
    """Return whether this is the path of a model or of a folder of models.

    A name with # or @ is a tag, whose place no folder of that name takes.
    """
    folder = Path(name)
    if re.search("[#@]", name) and not folder.is_absolute():
        return False
    return any((folder / file).is_file() for file in (PROVENANCE, INDEX))
