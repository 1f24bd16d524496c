"""Which slices have dependent rows, and how many independent rows theirs are worth."""

import numpy as np
import pytest
from numpy.typing import NDArray

from textclf.evaluate.clusters import LIMIT
from textclf.evaluate.slices.sums import Correct, Repeats


def counts(keys: NDArray[np.uint64], values: int) -> NDArray[np.int64]:
    return np.bincount(keys.astype(np.int64), minlength=values)


@pytest.mark.parametrize("values", [200, 1000, 3000])
def test_a_slice_is_dependent_if_its_rows_or_the_others_are(values: int) -> None:
    generator = np.random.default_rng(values)
    answers = set()
    for _ in range(100):
        keys, inside = generator.integers(0, values, 60).astype(np.uint64), generator.random(60) < 0.3
        parts = [counts(keys[some], values) for some in (inside, ~inside)]
        expected = any((part**2).sum() > LIMIT * part.sum() for part in parts)
        repeats = Repeats(keys)
        (members,) = repeats.members(inside.astype(np.int64) - 1, 1)
        assert repeats.are_dependent(members, inside.sum(), 60) == expected
        answers.add(bool(expected))
    assert answers == {True, False}


def test_without_rows_nothing_is_dependent() -> None:
    repeats = Repeats(np.zeros(0, np.uint64))
    assert [each.tolist() for each in repeats.members(np.zeros(0, np.int64), 2)] == [[], []]
    assert not repeats.are_dependent(np.zeros(0, np.int64), 0, 0)


@pytest.mark.parametrize("whole", [True, False], ids=["slices of whole clusters", "slices across clusters"])
def test_rows_are_worth_what_simulated_clusters_say(whole: bool) -> None:
    generator = np.random.default_rng(5)
    sizes = generator.integers(1, 9, 2000)
    clusters = np.repeat(np.arange(2000), sizes)
    inside = clusters % 3 == 0 if whole else generator.random(len(clusters)) < 0.3 + 0.4 * (clusters % 2)
    repeats, means, differences, found = Repeats(clusters.astype(np.uint64)), [], [], []
    (members,) = repeats.members(inside.astype(np.int64) - 1, 1)
    for _ in range(500):
        scores = np.sqrt(0.6) * generator.normal(size=2000)[clusters] + np.sqrt(0.4) * generator.normal(
            size=len(inside)
        )
        right = scores < 1
        means.append(right[inside].mean())
        differences.append(means[-1] - right[~inside].mean())
        found.append(Correct(repeats, right).worth(members, inside.sum(), (right & inside).sum(), 0.95))
    share = np.mean(means)
    independent = share * (1 - share) / np.array([inside.sum(), 1 / (1 / inside.sum() + 1 / (~inside).sum())])
    assert np.mean(found, axis=0) == pytest.approx(independent / np.var([means, differences], axis=1), rel=0.15)


def test_with_few_clusters_with_a_mistake_the_rows_of_a_slice_count_as_alike() -> None:
    clusters = np.repeat(np.arange(40), 5)
    inside, right = clusters < 10, np.arange(200) % 5 != 4  # each cluster has one mistake
    repeats = Repeats(clusters.astype(np.uint64))
    (members,) = repeats.members(inside.astype(np.int64) - 1, 1)
    for mistakes in (10, 4):
        right[inside] = np.arange(50) % 5 != 4
        right[: 50 - 5 * mistakes] = True
        found = Correct(repeats, right).worth(members, 50, right[inside].sum(), 0.95)
        assert (found.mean <= 0.2) == (found.difference <= 0.2) == (mistakes == 4)
