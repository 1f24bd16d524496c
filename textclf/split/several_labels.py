"""Draws of rows with several labels each that keep the share of each label in every split."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

EXACT = 1e-9  # difference of numbers of rows that comes from rounding


def draw_stratified(
    counts: csr_matrix, sizes: Sequence[int], count: int, order: Sequence[int]
) -> NDArray[np.bool_]:
    """Return which groups are drawn, (groups,): about `count` rows, and of each label that share.

    `counts` (groups, labels) has the rows of each group with each label, `sizes` its rows, `order`
    all groups in a random order. This is iterative stratification (Sechidis, Tsoumakas & Vlahavas
    2011, algorithm 1) for two parts: the groups with the rarest remaining label come first, each to
    the part that lacks more rows with it, in a tie to the drawn one.
    """
    share = count / sum(sizes)
    left: list[int] = np.asarray(counts.sum(axis=0)).ravel().tolist()
    # Rows with each label that the rest lacks, and that the drawn groups lack.
    lacking = [[(1 - share) * rows for rows in left], [share * rows for rows in left]]
    room = [sum(sizes) - count, count]
    part = [-1] * len(sizes)
    # Each label of each group, and the number of its rows.
    pairs = list(zip(counts.indices.tolist(), counts.data.tolist(), strict=True))
    ends = counts.indptr.tolist()
    with_label: list[list[int]] = [[] for _ in left]
    for group in order:
        for label, _ in pairs[ends[group] : ends[group + 1]]:
            with_label[label].append(group)

    def deal(group: int, lacks: Sequence[float]) -> None:
        drawn = room[0] <= 0 or (room[1] > 0 and lacks[1] >= lacks[0] - EXACT)
        part[group] = drawn
        room[drawn] -= sizes[group]
        for label, number in pairs[ends[group] : ends[group + 1]]:
            lacking[drawn][label] -= number
            left[label] -= number

    while any(left):
        _, label = min((rows, label) for label, rows in enumerate(left) if rows)
        for group in with_label[label]:
            if part[group] < 0:
                deal(group, [lacking[0][label], lacking[1][label]])
    for group in order:
        if part[group] < 0:
            deal(group, room)
    return np.array(part, bool)
