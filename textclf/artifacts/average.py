"""The weighted mean of the probabilities of two fitted classifiers, each with its own features."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

TYPE = "average"  # in model.json
MEMBERS = ("first", "second")  # folders of the two, in that of the average


def mix(
    weight: float, first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean of two arrays of probabilities of one shape.

    `first` has this weight, from 0 to 1.
    """
    return weight * first + (1 - weight) * second


@dataclass(frozen=True)
class Average:
    """Two classifiers of the same classes, and the weight of the first."""

    members: tuple[Any, Any]
    weight: float

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the names of the classes in order."""
        return tuple(self.members[0].classes)

    @property
    def ignores_text(self) -> bool:
        """Return whether every text gets the same probabilities."""
        return all(member.ignores_text for member in self.members)

    def predict_proba(self, X: tuple[Any, Any]) -> NDArray[np.float64]:
        """Return probabilities (rows, classes) of rows whose features for each member are given."""
        pairs = zip(self.members, X, strict=True)
        first, second = (member.predict_proba(part) for member, part in pairs)
        return mix(self.weight, first, second)
