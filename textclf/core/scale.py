"""The scale of ordered classes, such as stars: a number for each class, in their order."""

import math
from collections.abc import Sequence

Scale = tuple[float, ...]  # (classes,), all ascending or all descending
Distances = tuple[tuple[float, ...], ...]  # (classes, classes)


def scale_of(classes: Sequence[str]) -> Scale | None:
    """Return the numbers that the classes are or, if they are no numbers, their positions.

    None for numbers that are neither all ascending nor all descending.
    """
    numbers = numbers_of(classes)
    if numbers is None:
        return tuple(map(float, range(len(classes))))
    if numbers in (tuple(sorted(numbers)), tuple(sorted(numbers, reverse=True))):
        return numbers
    return None


def numbers_of(classes: Sequence[str]) -> Scale | None:
    """Return the numbers that the classes are; None unless all are finite and differ."""
    try:
        numbers = tuple(map(float, classes))
    except ValueError:
        return None
    differ = len(set(numbers)) == len(numbers)
    return numbers if differ and all(map(math.isfinite, numbers)) else None


def distances(scale: Scale) -> Distances:
    """Return the distance of each two classes: (classes, classes)."""
    return tuple(tuple(abs(one - other) for other in scale) for one in scale)
