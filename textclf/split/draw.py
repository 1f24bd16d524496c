"""Random splits of rows in memory, optionally stratified, with the rows of one group in one split."""

import math
from collections import Counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.core.files import SPLITS
from textclf.core.hashing import fingerprints, normalize_text, normalize_texts
from textclf.split.classes import require_classes
from textclf.split.given import draw_the_rest
from textclf.split.settings import Split


def draw_splits(rows: pd.DataFrame, settings: Split) -> dict[str, pd.DataFrame]:
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
    given = set(rows["split"]) if "split" in rows else set()
    settings = draw_the_rest(settings, given)
    parts = {name: rows[rows["split"] == name] for name in given}
    remaining = free = parts.get("train", rows)
    for name, share in (("test", settings.test_size), ("validation", settings.validation_size)):
        if share > 0:
            remaining, parts[name] = draw_rows(remaining, math.ceil(share * len(free)), settings)
    parts["train"] = _shuffle(remaining, settings.seed) if remaining is free else remaining
    counts = {name: Counter(part["label"]) for name, part in parts.items()}
    require_classes(counts, "set split.stratify to true", given)
    return {name: parts[name].reset_index(drop=True) for name in SPLITS if name in parts}


def _shuffle(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    return rows.iloc[np.random.RandomState(seed).permutation(len(rows))]


def draw_rows(rows: pd.DataFrame, count: int, settings: Split) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the remaining rows and the drawn rows, about `count`, both in random order, without dividing a group.

    If every row is a group of its own, both are what scikit-learn's `train_test_split` returns, in the same order.
    Raises `UserError` if no rows remain.
    """
    if count >= len(rows):
        raise UserError(f"{len(rows)} rows must be more than the {count} to be taken from them; set a smaller size")
    groups = assign_groups(rows, settings.group_duplicates)
    sizes = np.bincount(groups)
    if settings.stratify:
        from sklearn.model_selection import train_test_split

        labels = rows["label"].to_numpy(dtype=object)[np.unique(groups, return_index=True)[1]]
        group_count = math.ceil(count * len(sizes) / len(rows))
        try:
            second, first = train_test_split(
                np.arange(len(sizes)), test_size=group_count, random_state=settings.seed, stratify=labels
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
    return rows.iloc[row_order[border:]], rows.iloc[row_order[:border]]


def assign_groups(rows: pd.DataFrame, duplicates: bool) -> NDArray[np.int64]:
    """Return the group of each row (rows,), numbered in the order of their first rows.

    Rows are in one group if they have the same value in the column `group`, if it exists, or, with `duplicates`, the
    same normalised text; and so are rows that are linked through other rows.
    """
    keys = [rows["group"]] if "group" in rows else []
    keys += [rows["text"].map(normalize_text)] if duplicates else []
    if not keys:
        return np.arange(len(rows))
    codes = [pd.factorize(key)[0] for key in keys]
    if len(codes) == 1:
        return codes[0].astype(np.int64)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = np.array([codes[0], codes[1] + codes[0].max() + 1])  # one edge per row: its group to its text
    nodes = edges.max() + 1
    _, component = connected_components(coo_array((np.ones(len(rows)), edges), shape=(nodes, nodes)), directed=False)
    return pd.factorize(component[codes[0]])[0].astype(np.int64)


def cluster_keys(rows: pd.DataFrame) -> NDArray[np.uint64]:
    """Return a hash for each row (rows,), equal for rows of one group or text, as `assign_groups` links them.

    It is that of the text of the first of these rows, so it does not depend on other rows.
    """
    clusters = assign_groups(rows, duplicates=True)
    first = np.unique(clusters, return_index=True)[1]
    return fingerprints(normalize_texts(rows["text"].iloc[first].tolist()))[clusters]
