"""Which slices have rows that are not independent."""

import numpy as np
import pytest
from numpy.typing import NDArray

from textclf.evaluate.clusters import LIMIT
from textclf.evaluate.slices.dependence import Repeats, find_dependence


def dependent(keys: NDArray[np.uint64]) -> bool:
    sizes = np.unique(keys, return_counts=True)[1]
    return bool((sizes**2).sum() > LIMIT * len(keys))


@pytest.mark.parametrize("values", [20, 60, 200])
def test_each_slice_and_its_other_rows_are_judged_by_their_own_clusters(values: int) -> None:
    generator = np.random.default_rng(values)
    answers = set()
    for _ in range(50):
        keys = generator.integers(0, values, 60).astype(np.uint64)
        codes = generator.integers(0, 4, 60) * generator.integers(0, 2, 60)  # some slices may have no rows
        inside, outside = find_dependence(codes, 4, Repeats(keys))
        assert inside.shape == outside.shape == (5,)
        for place in range(5):
            assert inside[place] == dependent(keys[codes == place])
            assert outside[place] == dependent(keys[codes != place])
            answers.add(bool(inside[place]))
    assert answers == {True, False}


def test_without_rows_nothing_is_dependent() -> None:
    inside, outside = find_dependence(np.zeros(0, np.int64), 2, Repeats(np.zeros(0, np.uint64)))
    assert (inside.tolist(), outside.tolist()) == ([False] * 3, [False] * 3)
