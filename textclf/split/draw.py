"""Random splits of rows in memory, optionally stratified, with the rows of one group in one split.

Rows are a table of Arrow's or a frame, whose columns are read in the same way.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.core.files import SPLITS
from textclf.core.hashing import normalize_texts
from textclf.core.strings import array_of, as_array, encode, take
from textclf.split.classes import require_classes
from textclf.split.given import draw_the_rest
from textclf.split.settings import Split

Rows = TypeVar("Rows")  # a table or a frame
Positions = NDArray[np.int64]


def draw_splits(rows: Rows, settings: Split) -> dict[str, Rows]:
    """Return the rows of each split in the order of `SPLITS`; validation only if it is given or its size is above 0.

    The rows are shuffled; only given test and validation rows stay in the order of the table.

    Train and test are those of scikit-learn's `train_test_split` with the same size, seed and stratification.
    Validation rows are drawn from the training rows in the same way, so that the test rows do not depend on them.
    If rows are grouped (see `assign_groups`), whole groups are drawn, with the label of their first row for
    stratification; a split can then be larger than its size by part of a group.

    `rows` has the columns id, text, label and optionally group and split. With a column split, the rows of a split that
    it names are that split; sizes are shares of its training rows, from which the other splits are drawn. Raises
    `UserError` if a split has no rows, or train or test lacks a class; given test rows may lack one.
    """
    parts = {name: _select(rows, positions) for name, positions in draw_positions(rows, settings).items()}
    return {name: cast("Rows", _renumbered(part)) for name, part in parts.items()}


def draw_positions(rows: Any, settings: Split) -> dict[str, Positions]:
    """Return the positions of the rows of each split, as `draw_splits`."""
    parts = _given_rows(rows)
    given = set(parts)
    settings = draw_the_rest(settings, given)
    free = parts.get("train", np.arange(_length(rows)))
    pool = _Pool.of(_select(rows, free) if given else rows, settings)
    remaining = np.arange(len(free))
    for name, share in (("test", settings.test_size), ("validation", settings.validation_size)):
        if share > 0:
            remaining, drawn = pool.draw(remaining, math.ceil(share * len(free)), settings)
            parts[name] = free[drawn]
    if not settings.test_size and not settings.validation_size:
        remaining = np.random.RandomState(settings.seed).permutation(len(free))
    parts["train"] = free[remaining]
    codes, labels = encode(as_array(_column(rows, "label")))
    counts = {name: Counter(dict(enumerate(np.bincount(codes[part]).tolist()))) for name, part in parts.items()}
    by_label = {name: {labels[code]: count for code, count in part.items()} for name, part in counts.items()}
    require_classes(by_label, "set split.stratify to true", given)
    return {name: parts[name] for name in SPLITS if name in parts}


def draw_rows(rows: Rows, count: int, settings: Split) -> tuple[Rows, Rows]:
    """Return the remaining rows and the drawn rows, about `count`, both in random order, without dividing a group.

    If every row is a group of its own, both are what scikit-learn's `train_test_split` returns, in the same order.
    Raises `UserError` if no rows remain.
    """
    remaining, drawn = _Pool.of(rows, settings).draw(np.arange(_length(rows)), count, settings)
    return _select(rows, remaining), _select(rows, drawn)


@dataclass(frozen=True)
class _Pool:
    """The rows to draw from: the group of each, None if none has another, and the labels if they are stratified."""

    groups: Positions | None
    labels: NDArray[np.object_] | None

    @classmethod
    def of(cls, rows: Any, settings: Split) -> "_Pool":
        grouped = settings.group_duplicates or "group" in _names(rows)
        groups = assign_groups(rows, settings.group_duplicates) if grouped else None
        if not settings.stratify:
            return cls(groups, None)
        codes, labels = encode(as_array(_column(rows, "label")))
        return cls(groups, np.array(labels, object)[codes])

    def draw(self, rows: Positions, count: int, settings: Split) -> tuple[Positions, Positions]:
        """Return the remaining rows and the drawn rows, as `draw_rows` does, of those at some positions."""
        if count >= len(rows):
            raise UserError(f"{len(rows)} rows must be more than the {count} to be taken from them; set a smaller size")
        groups = np.arange(len(rows)) if self.groups is None else _renumber(self.groups[rows])
        sizes = np.bincount(groups)
        if self.labels is not None:
            from sklearn.model_selection import train_test_split

            first_rows = rows[np.unique(groups, return_index=True)[1]]
            group_count = math.ceil(count * len(sizes) / len(rows))
            try:
                second, first = train_test_split(
                    np.arange(len(sizes)),
                    test_size=group_count,
                    random_state=settings.seed,
                    stratify=self.labels[first_rows],
                )
            except ValueError as error:
                raise UserError(f"{len(rows)} rows can not be stratified: {error}") from error
            order = np.concatenate([first, second])
        else:
            # What train_test_split does, without the second that importing scikit-learn takes.
            order = np.random.RandomState(settings.seed).permutation(len(sizes))
        # `count` is in rows: take groups until it is reached. If every row is a group, this changes nothing.
        group_count = int(np.searchsorted(np.cumsum(sizes[order]), count)) + 1
        drawn, remaining = order[:group_count], order[group_count:]
        if not len(remaining):
            raise UserError(
                f"of {len(rows)} rows some must be kept; got none, as rows of one text or group stay together: "
                "set split.group_duplicates to false, data.group to null, or a smaller size"
            )
        position = np.argsort(np.concatenate([drawn, remaining]))  # of each group in the random order
        row_order = np.argsort(position[groups], kind="stable")
        border = sizes[drawn].sum()
        return rows[row_order[border:]], rows[row_order[:border]]


def assign_groups(rows: Any, duplicates: bool) -> Positions:
    """Return the group of each row (rows,), numbered in the order of their first rows.

    Rows are in one group if they have the same value in the column `group`, if it exists, or, with `duplicates`, the
    same normalised text; and so are rows that are linked through other rows.
    """
    keys = [as_array(_column(rows, "group"))] if "group" in _names(rows) else []
    if duplicates:
        keys.append(array_of(normalize_texts(as_array(_column(rows, "text")).to_pylist())))
    if not keys:
        return np.arange(_length(rows))
    codes = [encode(key)[0].astype(np.int64) for key in keys]
    if len(codes) == 1:
        return codes[0]
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(codes[0])
    edges = np.array([codes[0], codes[1] + codes[0].max() + 1])  # one edge per row: its group to its text
    nodes = edges.max() + 1
    _, component = connected_components(coo_array((np.ones(count), edges), shape=(nodes, nodes)), directed=False)
    return _renumber(component[codes[0]])


def _renumber(codes: NDArray[Any]) -> Positions:
    """Return integers numbered in the order in which they first occur: (codes,)."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def cluster_keys(rows: Any, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a hash for each row (rows,), equal for rows of one group or text, as `assign_groups` links them.

    `keys` are the hashes of their normalised texts, of which it is that of the first of these rows. So it does not
    depend on other rows.
    """
    if "group" not in _names(rows):
        return keys
    clusters = assign_groups(rows, duplicates=True)
    return keys[np.unique(clusters, return_index=True)[1]][clusters]


def _given_rows(rows: Any) -> dict[str, Positions]:
    """Return the rows of each split that the column split names, without which there are none."""
    if "split" not in _names(rows):
        return {}
    codes, names = encode(as_array(_column(rows, "split")))
    return {name: np.flatnonzero(codes == code) for code, name in enumerate(names)}


def _names(rows: Any) -> Sequence[str]:
    return getattr(rows, "column_names", None) or list(rows.columns)


def _column(rows: Any, name: str) -> Any:
    return rows[name]


def _length(rows: Any) -> int:
    return len(rows)


def _renumbered(rows: Any) -> Any:
    """Return the rows; those of a frame with an index from 0."""
    return rows.reset_index(drop=True) if hasattr(rows, "iloc") else rows


def _select(rows: Rows, positions: Positions) -> Rows:
    """Return the rows at some positions, in their order."""
    if hasattr(rows, "column_names"):
        return cast("Rows", take(rows, positions))
    return cast("Rows", cast("Any", rows).iloc[positions])
