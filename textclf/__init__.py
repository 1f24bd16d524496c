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
    """Return the classifier in a folder such as models/keras, or else the default one.

    It is a `textclf.predict.predictor.Predictor`.
    """
    from textclf.predict import predictor

    return predictor.load(folder)
