"""How many rows of each slice are of the same cluster, and how many independent rows they are worth."""

import numpy as np
import pytest
from numpy.typing import NDArray

from textclf.evaluate.clusters import LIMIT
from textclf.evaluate.slices.sums import Repeats, sum_squares, worth


def counts(keys: NDArray[np.uint64], values: int) -> NDArray[np.int64]:
    return np.bincount(keys.astype(np.int64), minlength=values)


@pytest.mark.parametrize("values", [200, 1000, 3000])
def test_the_sums_of_each_slice_are_those_of_its_rows_and_of_the_others(values: int) -> None:
    generator = np.random.default_rng(values)
    answers = set()
    for _ in range(50):
        keys = generator.integers(0, values, 60).astype(np.uint64)
        codes = generator.integers(0, 4, 60) * generator.integers(0, 2, 60)  # some slices may have no rows
        found = sum_squares(codes, 4, Repeats(keys))
        for place in range(5):
            own, others = (counts(keys[codes == place], values), counts(keys[codes != place], values))
            expected = own.sum(), (own**2).sum(), (others**2).sum(), (own * others).sum()
            assert tuple(sums[place] for sums in found) == expected
            dependent = (own**2).sum() > LIMIT * own.sum() or (others**2).sum() > LIMIT * others.sum()
            assert found.dependent(place) == dependent
            answers.add(bool(dependent))
    assert answers == {True, False}


def test_without_rows_nothing_is_dependent() -> None:
    found = sum_squares(np.zeros(0, np.int64), 2, Repeats(np.zeros(0, np.uint64)))
    assert [sums.tolist() for sums in found] == [[0] * 3] * 4
    assert not found.dependent(1)


@pytest.mark.parametrize(
    ("shared", "expected"),
    [(False, (1 / 4.6, 1 / 4.6)), (True, (1 / 2.6, 1.0))],
    ids=["slices of whole clusters", "slices across clusters"],
)
def test_a_difference_of_slices_that_share_clusters_is_more_certain(
    shared: bool, expected: tuple[float, float]
) -> None:
    """A hundred clusters of ten rows with a correlation of 0.4; the slice has half of the clusters, or of each."""
    keys = np.repeat(np.arange(1000), 10).astype(np.uint64)
    codes = np.arange(10_000) % 2 if shared else np.arange(10_000) // 5000
    found = worth(sum_squares(codes + 1, 2, Repeats(keys)), 1, 0.4, 1000, 0.95)
    assert found == pytest.approx(expected, rel=0.01)


def test_the_variance_of_a_difference_is_that_of_simulated_clusters() -> None:
    generator = np.random.default_rng(5)
    sizes = generator.integers(1, 9, 120)
    clusters = np.repeat(np.arange(120), sizes)
    codes = (generator.random(len(clusters)) < 0.3 + 0.4 * (clusters % 2)).astype(np.int64)
    repeats = Repeats(clusters.astype(np.uint64))
    values = np.sqrt(0.6) * generator.normal(size=(4000, 120))[:, clusters]
    values += np.sqrt(0.4) * generator.normal(size=(4000, len(clusters)))
    inside = codes == 1
    difference = values[:, inside].mean(axis=1) - values[:, ~inside].mean(axis=1)
    found = worth(sum_squares(codes + 1, 2, repeats), 2, 0.6, 10**9, 0.95)
    independent = 1 / inside.sum() + 1 / (~inside).sum()
    assert found.difference == pytest.approx(independent / difference.var(), rel=0.06)
    assert found.mean == pytest.approx(1 / inside.sum() / values[:, inside].mean(axis=1).var(), rel=0.06)
