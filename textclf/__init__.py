"""textclf: text classifiers whose training can be reproduced byte for byte.

Importing the package pins the arithmetic of numpy and OpenBLAS, before they are loaded.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from textclf.core.arithmetic import pin_arithmetic
from textclf.version import __version__ as __version__

if TYPE_CHECKING:
    from textclf.predict.predictor import Predictor

pin_arithmetic()


def load(folder: str | Path = "models") -> "Predictor":
    """Return the classifier in a folder that the pipeline exported.

    Parameters
    ----------
    folder : str or Path, default="models"
        The folder of a model, such as `models/keras`. Of a folder of models, the default one of
        its `index.json` is loaded.

    Returns
    -------
    textclf.predict.predictor.Predictor
        The classifier with its vectorizer, calibration and threshold.

    Raises
    ------
    textclf.core.errors.UserError
        If a file is missing, differs from `provenance.json` in the folder, or was made by a newer
        textclf.

    Examples
    --------
    >>> import textclf
    >>> textclf.load()
    <textclf model keras: linear, 2 classes (negative, positive)>
    >>> textclf.load("models/none")
    Traceback (most recent call last):
    textclf.core.errors.UserError: models/none/provenance.json not found; run dvc repro ...
    """
    from textclf.predict import predictor

    return predictor.load(folder)
