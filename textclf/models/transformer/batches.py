"""The order in which rows are trained on: the same for the same seed, epoch by epoch."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.tokens import Tokens

GROUP = 8  # batches whose rows are sorted by length together
SORTED_ROWS = 64  # rows of about the same length that are predicted together


def epoch_batches(
    lengths: NDArray[np.int64], batch_size: int, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """Return the positions of the rows of each step of an epoch, in random order.

    The order is drawn from the seed and the epoch. The rows of every `GROUP` batches are drawn at
    random and sorted by their `lengths` (rows,), so that less is padded; then all batches are
    shuffled.
    """
    generator = np.random.default_rng((seed, epoch))
    order = generator.permutation(len(lengths))
    batches: list[NDArray[np.int64]] = []
    for start in range(0, len(order), GROUP * batch_size):
        group = order[start : start + GROUP * batch_size]
        group = group[np.argsort(lengths[group], kind="stable")]
        batches += [group[first : first + batch_size] for first in range(0, len(group), batch_size)]
    return [batches[position] for position in generator.permutation(len(batches))]


def class_batches(
    y: NDArray[np.int64], batch_size: int, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """Return the positions of the rows of each step of an epoch, stratified by class.

    Each class has its share of every batch. The rows of a class, in an order drawn from the seed
    and the epoch, stay together in pairs, or three for an odd number. A batch has about
    `batch_size` rows.
    """
    generator = np.random.default_rng((seed, epoch))
    groups, positions = [], []
    for label in np.unique(y):
        rows = generator.permutation(np.flatnonzero(y == label))
        count = max(len(rows) // 2, 1)
        groups += np.array_split(rows, count)
        # The groups of a class are spread over the epoch.
        positions.append((np.arange(count) + generator.random(count)) / count)
    order = np.argsort(np.concatenate(positions))
    parts = np.array_split(order, min(-(-len(y) // batch_size), len(order)))
    return [np.concatenate([groups[group] for group in part]) for part in parts]


def sorted_batches(tokens: Tokens) -> Iterator[NDArray[np.int64]]:
    """Yield the positions of all rows, by their lengths, so that little is padded."""
    order = np.argsort(np.diff(tokens.starts), kind="stable")
    for start in range(0, len(order), SORTED_ROWS):
        yield order[start : start + SORTED_ROWS]


def pad(tokens: Tokens) -> NDArray[np.int32]:
    """Return the ids as a matrix (rows, length of the longest), of at least one column."""
    return tokens.padded(max(1, int(np.diff(tokens.starts).max(initial=0))))


def learning_rate(step: int, steps: int, highest: float, warmup: float) -> float:
    """Return the learning rate of a step, counted from 0.

    It rises in the share `warmup` of the steps, then falls to 0.
    """
    rising = warmup * steps
    if step < rising:
        return highest * (step + 1) / (rising + 1)
    return highest * (steps - step) / (steps - rising)
