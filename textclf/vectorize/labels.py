"""Labels as positions among the classes."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray


def encode_labels(labels: Iterable[str], classes: Sequence[str]) -> NDArray[np.int64]:
    """Return the position of each label among the classes, (labels,) int64."""
    position = {name: number for number, name in enumerate(classes)}
    return np.array([position[label] for label in labels], dtype=np.int64)
