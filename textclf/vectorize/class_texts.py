"""A text of each class, such as its name, as a row that models train on.

It stands beside the rows of the splits, and is used for nothing else.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from textclf.artifacts.features import Features
from textclf.core.errors import UserError
from textclf.core.quoting import quote_name
from textclf.core.settings import PARAMS_FILE, suggest


def encode(settings: Any, fitted: Any, classes: Sequence[str]) -> Features | None:
    """Return the texts in the settings of a representation as rows of its features, if any."""
    texts = dict(getattr(settings, "class_texts", ()))
    if not texts:
        return None
    ids = np.array([f"class text: {name}" for name in texts])
    y = np.array([list(classes).index(name) for name in texts], dtype=np.int64)
    return Features(ids, fitted.transform(texts.values()), y, np.array(classes, dtype=str))


def require_known(name: str, settings: Any, classes: Sequence[str]) -> None:
    """Raise `UserError` if the settings of the representation `name` have a text of no class."""
    for label in dict(getattr(settings, "class_texts", ())):
        if label not in classes:
            raise UserError(
                f"{PARAMS_FILE}: vectorize.{name}.class_texts must name classes; "
                f"got {quote_name(label)}; {suggest(label, classes)}"
            )
