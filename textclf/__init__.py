"""textclf: text classifiers whose training can be reproduced byte for byte.

Importing the package pins the arithmetic of numpy and OpenBLAS, before they are loaded.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from textclf.core.arithmetic import pin_arithmetic
from textclf.version import __version__ as __version__

if TYPE_CHECKING:
    from textclf.notebook.project import Project
    from textclf.predict.predictor import Predictor

pin_arithmetic()


def load(model: str | Path | None = None) -> "Predictor":
    """Return a classifier that the pipeline exported.

    The project is found from the current folder upwards: the nearest folder with
    `models/index.json`, or with `params.yaml` and `dvc.yaml`.

    Parameters
    ----------
    model : str or Path, default=None
        What `textclf predict --model` takes: the name of a model of the project, such as `keras`;
        a release in Git, such as `prod`, `keras#prod` or `keras@v0.0.1`; or the path of a model's
        folder. None, or the path of a folder of models, is the default model of its `index.json`.

    Returns
    -------
    textclf.predict.predictor.Predictor
        The classifier with its vectorizer, calibration and threshold.

    Raises
    ------
    textclf.core.errors.UserError
        If there is no such model or no project, a file is missing, differs from
        `provenance.json` in the folder, or was made by a newer textclf.

    Examples
    --------
    >>> import textclf
    >>> textclf.load()
    <textclf model keras: linear, 2 classes (negative, positive)>
    >>> textclf.load("svm")
    Traceback (most recent call last):
    textclf.core.errors.UserError: the model must be one in models (keras), ...; got 'svm'; ...
    """
    from textclf.predict import locate

    return locate.load(model)


def open(path: str | Path = ".") -> "Project":  # noqa: A001 (textclf.open reads like open)
    """Return a project for reading: its results as data frames, and its report.

    Parameters
    ----------
    path : str or Path, default="."
        A folder in the project, which is found from there upwards as by `load`.

    Returns
    -------
    textclf.notebook.project.Project
        The project, with `leaderboard`, `predictions`, `mistakes`, `report` and `compare`.

    Raises
    ------
    textclf.core.errors.UserError
        If the folder is in no project, or pandas is not installed.

    Examples
    --------
    >>> import textclf
    >>> textclf.open().leaderboard().index.name
    'model'
    """
    from textclf.notebook.opening import open_project

    return open_project(path)
